//! Who buys: creating, changing, reading, importing customers and their lines; where they live; what they do themselves.

pub mod access_check;
pub mod beside;
pub mod card;
pub mod census;
pub mod change;
pub(crate) mod create;
pub mod customers;
pub mod import;
pub mod lines;
pub mod lists;
pub mod many;
pub mod places;
pub mod portal;
pub(crate) mod portal_password;
pub mod presence;
pub mod subscribers;
pub mod vouchers;
