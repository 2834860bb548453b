//! Invoices, bills, subscriptions and payments: the lists of version 2. An invoice is the printable view of a bill and has
//! its id (docs/readings.md I10).

use doors::Operation;

use crate::v2::{
    billing::{bills, payments},
    customers::subscriptions,
};
pub use crate::v2::{
    billing::{
        bills::{list as bills, list as invoices},
        payments::list as payments,
    },
    customers::subscriptions::list as subscriptions,
};

pub const INVOICES: Operation = Operation { summary: "List all invoices", ..bills::LIST };
pub const BILLS: Operation = bills::LIST;
pub const SUBSCRIPTIONS: Operation = subscriptions::LIST;
pub const PAYMENTS: Operation = payments::LIST;
