//! A subscriber's password of the portal: written here alone. Whatever came from the one before ends with it, whoever sets
//! the new one and through which door.

use store::{identity::token, people::customer::Customer};

use crate::{Change, Error};

/// How the password is kept from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kept {
    /// Set by staff: whoever sends it to the subscriber can open it.
    Sealed(Vec<u8>),
    /// Chosen by the subscriber.
    Hashed(String),
    /// Nobody signs in.
    Gone,
}

/// Sets it on a customer who is locked, and who is the caller's to save. All tokens but `own` end.
pub(crate) async fn put(
    change: &Change<'_>,
    customer: &mut Customer,
    kept: Kept,
    own: Option<i64>,
) -> Result<(), Error> {
    let (secret, hash) = match kept {
        Kept::Sealed(secret) => (Some(secret), None),
        Kept::Hashed(hash) => (None, Some(hash)),
        Kept::Gone => (None, None),
    };
    customer.portal_secret = secret;
    customer.portal_hash = hash;
    Ok(token::revoke_customer(change.tx, change.isp, customer.id, own, change.now).await?)
}
