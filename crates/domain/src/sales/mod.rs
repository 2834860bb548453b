//! Rules of a sale: recharge, activation, migration, moves, renewals, cards.

pub mod activation;
pub mod card;
pub mod migration;
pub mod moving;
pub mod renewing;
pub mod sale;
