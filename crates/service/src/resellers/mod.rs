//! Whose sale it is: operators, salespeople, their wallets, prices and the chain between them.

pub(crate) mod chain;
pub mod operators;
pub mod salespeople;
