//!

pub mod db;
pub mod migrate;
pub mod testing;
