//! Equipment, and which of it a line hangs on.

pub mod plant;
pub mod site;
pub mod vpn;
