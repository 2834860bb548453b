//! Invoices, bills, payments, collections, the ledger.

pub mod bill;
pub mod collection;
pub mod invoice;
pub mod invoice_sale;
pub mod ledger;
pub mod payment_detail;
