//! What changes what a line has for money or time: recharge, activation, moves, renewals, codes, starts, expiry, grace.

pub mod activation;
pub mod by_hand;
pub mod cards;
pub mod expiry;
pub mod grace;
pub mod moves;
pub(crate) mod paid;
pub(crate) mod receipt;
pub mod recharge;
pub mod redemption;
pub mod renewal_orders;
pub mod renewals;
pub(crate) mod rest;
pub(crate) mod sale;
pub mod standing;
pub mod starts;
pub mod terms;
pub(crate) mod turning;
pub mod vouchers;
