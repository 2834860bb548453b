//! Customers as they are listed and found, with their lines.

pub mod line;
pub mod subscriber;
pub mod whom;
