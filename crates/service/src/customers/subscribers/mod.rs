//! Subscribers: the words of whoever looks for one, by line, profile, terms and place. How one is shown is
//! [`card`](super::card)'s, how it is changed [`change`](super::change)'s.

pub use store::{
    customers::subscriber::{Filter, Posted, State},
    people::place::{HOMES, Level},
    plant::site::Site,
    sales::terms::Terms,
};
