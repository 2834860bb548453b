//! Customers and their lines, how they are listed and found, and where they live.

pub mod customer;
pub mod place;
pub mod profile;
pub mod roster;
pub(crate) mod search;
pub mod service;
