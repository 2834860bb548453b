//! Facts of money: invoices, payments, collections, cash in hand, the books. Knows no line's state.

pub mod collections;
pub mod floats;
pub mod invoices;
pub mod ledger;
pub mod payments;
