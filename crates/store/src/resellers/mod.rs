//! Operators: prices, wallets, grants.

pub mod operator;
pub mod salesperson;
