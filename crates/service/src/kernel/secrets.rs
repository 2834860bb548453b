//! Where sealed secrets belong: what is sealed for one place opens nowhere else.

use domain::{CustomerId, ServiceId};

/// Where a service's network secret belongs.
pub fn secret_place(id: ServiceId) -> String {
    format!("service:{id}:secret")
}

/// Where a customer's portal password belongs.
pub(crate) fn portal_place(id: CustomerId) -> String {
    format!("customer:{id}:portal")
}
