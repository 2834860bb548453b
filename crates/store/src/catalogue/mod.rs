//! Plans, bandwidths, pools.

pub mod plan;
