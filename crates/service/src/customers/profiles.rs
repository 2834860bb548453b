//! Profiles: who a customer is beyond name and number.

use domain::CustomerId;
use store::{
    db::Class,
    people::{
        customer::{self, Customer},
        profile::{self, Profile},
    },
};

use crate::{Actor, App, Change, Error, What};

/// `None` leaves a field as it is; an empty text clears it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ProfileChange {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company: Option<String>,
    pub kind: Option<String>,
    pub alternative_phone: Option<String>,
    pub alternative_email: Option<String>,
    pub address_line1: Option<String>,
    pub address_line2: Option<String>,
    pub address_city: Option<String>,
    pub address_pin: Option<String>,
    pub address_state: Option<String>,
    pub latitude: Option<String>,
    pub longitude: Option<String>,
    /// The customer's own, not the profile's.
    pub notes: Option<String>,
}

/// Changes what is given.
pub async fn change(app: &App, actor: &Actor, id: CustomerId, command: ProfileChange) -> Result<(), Error> {
    actor.writes()?;
    if command == ProfileChange::default() {
        return Ok(());
    }
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let mut owner =
            customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(owner.branch_id)?;
        apply(change, &mut owner, &command).await?;
        owner.updated_at = change.now;
        Ok(customer::update(change.tx, &owner).await?)
    })
    .await
}

/// Changes the profile as given; the customer's row is the caller's to save.
pub(crate) async fn apply(change: &Change<'_>, owner: &mut Customer, given: &ProfileChange) -> Result<(), Error> {
    if *given == ProfileChange::default() {
        return Ok(());
    }
    let given = given.clone();
    let known = profile::find(change.tx, change.isp, owner.id).await?;
    let mut row = known.unwrap_or_else(|| Profile::of(change.isp, owner.id, change.now));
    let put = |field: &mut Option<String>, given: Option<String>| {
        if let Some(text) = given {
            *field = Some(text).filter(|text| !text.is_empty());
        }
    };
    put(&mut row.first_name, given.first_name);
    put(&mut row.last_name, given.last_name);
    put(&mut row.company, given.company);
    put(&mut row.kind, given.kind);
    put(&mut row.alternative_phone, given.alternative_phone);
    put(&mut row.alternative_email, given.alternative_email);
    put(&mut row.address_line1, given.address_line1);
    put(&mut row.address_line2, given.address_line2);
    put(&mut row.address_city, given.address_city);
    put(&mut row.address_pin, given.address_pin);
    put(&mut row.address_state, given.address_state);
    put(&mut row.latitude, given.latitude);
    put(&mut row.longitude, given.longitude);
    put(&mut owner.notes, given.notes);
    row.updated_at = change.now;
    Ok(profile::put(change.tx, &row).await?)
}
