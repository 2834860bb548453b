//! Tenants, staff, branches, tokens, and what API clients asked.

pub mod api_request;
pub mod api_usage;
pub mod branch;
pub mod isp;
pub mod staff;
pub mod token;
