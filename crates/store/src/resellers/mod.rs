//! Operators: prices, wallets, grants.

pub mod operator;
