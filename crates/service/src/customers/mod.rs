//! Who buys: creating, changing, reading, importing customers and their lines; where they live; what they do themselves.

pub mod access_check;
pub mod collection_places;
pub mod customers;
pub mod dossiers;
pub mod import;
pub mod lines;
pub mod locations;
pub mod many;
pub mod places;
pub mod portal;
pub mod profiles;
pub mod subscribers;
