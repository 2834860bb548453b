//! States of a complaint.

pub mod complaint;
