//! What customers report.

pub mod complaints;
