//! What is sold: plans, bandwidths, validity, fair use.

pub mod bandwidth;
pub mod fup;
pub mod plan;
pub mod validity;
