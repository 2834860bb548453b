//! Who buys: creating, changing, reading, importing customers and their lines; where they live; what they do themselves.

pub mod access_check;
pub mod card;
pub mod census;
pub mod customers;
pub mod import;
pub mod lines;
pub mod lists;
pub mod many;
pub mod places;
pub mod portal;
pub mod presence;
pub mod profiles;
pub mod subscribers;
