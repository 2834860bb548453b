//! What is sold: plans, bandwidths, pools, and as whom they are offered.

pub mod plans;
