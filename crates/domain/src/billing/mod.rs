//! The ledger, and bills over it.

pub mod bill;
pub mod ledger;
