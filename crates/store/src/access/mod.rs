//! Routers, sessions, refusals, attributes, fair use, the captive portal's log.

pub mod binding;
pub mod fixed_address;
pub mod fup;
pub mod hotspot;
pub mod logs;
pub mod override_attribute;
pub mod refusal;
pub mod router;
pub mod session;
