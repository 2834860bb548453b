//! Values that every rule uses: ids, instants, money, scopes, names, phones, addresses, events.

pub mod calendar;
pub mod clock;
pub mod dates;
pub mod event;
pub mod ids;
pub mod mac;
pub mod money;
pub mod names;
pub mod pace;
pub mod phone;
pub mod ranges;
pub mod scope;
pub mod windows;
