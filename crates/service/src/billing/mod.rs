//! Facts of money: invoices, credit notes, entries, payments, cash in hand, the books. Knows no line's state: lines, plans and
//! periods are ids here.
//!
//! | chapter         | the one writer of                                                       |
//! |-----------------|-------------------------------------------------------------------------|
//! | [`entries`]     | the ledger                                                              |
//! | [`invoices`]    | invoices, their lines and numbers, how far they are paid                |
//! | [`credit`]      | credit notes: what is given back goes to whoever paid                   |
//! | [`receipts`]    | payments, their receipt numbers, what they settle                       |
//! | [`collections`] | visits of collectors, and what they found                               |
//! | [`floats`]      | cash handed in                                                          |
//! | [`funding`]     | what operators and salespeople pay in                                   |
//!
//! [`payments`] and [`ledger`] read.

pub mod collections;
pub(crate) mod credit;
pub(crate) mod entries;
pub mod floats;
pub mod funding;
pub mod invoices;
pub mod ledger;
pub mod payments;
pub mod receipts;

use serde::{Deserialize, Serialize};

/// A written row, told again to a repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Written {
    pub id: i64,
}
