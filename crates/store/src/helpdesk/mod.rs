//! Complaints.

pub mod complaint;
