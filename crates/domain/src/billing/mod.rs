//! The ledger, and bills over it.

pub mod bill;
pub mod credit;
pub mod ledger;
pub mod payment;
