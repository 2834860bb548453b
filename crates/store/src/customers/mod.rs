//! Customers as they are shown whole, and in lists of lines.

pub mod dossier;
pub mod gazetteer;
pub mod line;
pub mod subscriber;
