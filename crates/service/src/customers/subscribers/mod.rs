//! Subscribers: a customer with its line, its profile, its own terms and where its line ends, made and changed as one.
//! Making one sells nothing: [`activation`](crate::sales::activation) does.
//!
//! What may be said of one is in `details`, how it is written in `write`, how it is shown in `read`.

mod details;
mod read;
mod write;

pub use store::{
    customers::subscriber::{Filter, Place, Posted, State},
    sales::terms::{Site, Terms},
};

pub use self::{
    details::{Details, SiteChange},
    read::{Along, Listed, Shown, Wanted, list, place_of, show},
    write::{Made, create, update},
};

/// A place's level, in the order of [`Details::places`].
pub const PLACES: [(Place, &str); 5] = [
    (Place::Country, "country"),
    (Place::Province, "province"),
    (Place::City, "city"),
    (Place::Area, "area"),
    (Place::Subarea, "subarea"),
];
