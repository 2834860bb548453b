//! Subscribers: a customer with its line, its profile, its own terms and where its line ends, made and changed as one.
//! Making one sells nothing: [`activation`](crate::sales::activation) does.
//!
//! What may be said of one is in `details`, how it is written in `write`. How it is shown is [`card`](super::card)'s.

mod details;
mod write;

pub use store::{
    customers::subscriber::{Filter, Posted, State},
    people::place::{HOMES, Level},
    plant::site::Site,
    sales::terms::Terms,
};

pub use self::{
    details::Details,
    write::{Made, create, update},
};
pub use crate::plant::site::SiteChange;
