//! The network side of a line: routers, the directory of RADIUS, sessions and their accounting, orders to the network, bindings, attributes, fair use.

pub mod accounting;
pub mod attribute_stages;
pub mod attributes;
pub mod bindings;
pub mod directory;
pub mod fup;
pub mod hotspot;
pub mod orders;
pub mod ready;
pub mod refusals;
pub mod routers;
pub mod sessions;
pub mod touched;
