//! When a delivery is tried again.

pub mod delivery;
