//! Who is known here: tenants, staff, branches, API clients, tokens, and what clients asked.

pub mod branches;
pub mod clients;
pub mod metering;
pub mod requests;
pub mod staff;
pub mod tenants;
pub mod tokens;
