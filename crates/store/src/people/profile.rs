//! Profiles: who a customer is beyond name and number. A customer without a row has the row [`Profile::of`] makes.

use std::collections::HashMap;

use domain::{CustomerId, Instant, IspId, StaffId};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions::among,
        record::{record, text},
    },
    params, sql,
};

record! {
    Profile of "customer_profile" {
        isp_id: IspId,
        customer_id: CustomerId,
        /// National id or passport number.
        identity_number: Option<String>,
        title: Option<String>,
        first_name: Option<String>,
        last_name: Option<String>,
        company: Option<String>,
        /// As the vendor's client wrote it: home, business …
        kind: Option<String>,
        alternative_phone: Option<String>,
        alternative_email: Option<String>,
        address_line1: Option<String>,
        address_line2: Option<String>,
        address_city: Option<String>,
        address_pin: Option<String>,
        address_state: Option<String>,
        /// Degrees, as they were written.
        latitude: Option<String>,
        longitude: Option<String>,
        country_id: Option<i64>,
        province_id: Option<i64>,
        city_id: Option<i64>,
        area_id: Option<i64>,
        subarea_id: Option<i64>,
        department_id: Option<i64>,
        salesperson_id: Option<StaffId>,
        sms_enabled: bool,
        email_enabled: bool,
        language: Option<String>,
        /// The civil day, as days since 1970-01-01.
        joined_on: Option<i64>,
        updated_at: Instant,
    }
}

impl Profile {
    /// That of a customer of whom nothing is known: told by SMS and e-mail, as everybody is.
    pub fn of(isp: IspId, customer: CustomerId, now: Instant) -> Profile {
        Profile {
            isp_id: isp,
            customer_id: customer,
            identity_number: None,
            title: None,
            first_name: None,
            last_name: None,
            company: None,
            kind: None,
            alternative_phone: None,
            alternative_email: None,
            address_line1: None,
            address_line2: None,
            address_city: None,
            address_pin: None,
            address_state: None,
            latitude: None,
            longitude: None,
            country_id: None,
            province_id: None,
            city_id: None,
            area_id: None,
            subarea_id: None,
            department_id: None,
            salesperson_id: None,
            sms_enabled: true,
            email_enabled: true,
            language: None,
            joined_on: None,
            updated_at: now,
        }
    }
}

/// The customer's profile; `None` where none was ever written.
pub async fn find(tx: &Tx, isp: IspId, customer: CustomerId) -> Result<Option<Profile>, Error> {
    let row = tx
        .row(sql!(text!(Profile::SELECT, "where t.isp_id = $1 and t.customer_id = $2")), &params![isp, customer])
        .await?;
    row.map(|row| Profile::from_row(&row)).transpose()
}

/// Those of many customers, in one query.
pub async fn of_customers(tx: &Tx, isp: IspId, ids: &[CustomerId]) -> Result<HashMap<CustomerId, Profile>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let text = format!("{}where t.isp_id = $1 and t.customer_id in ({list})", Profile::SELECT);
    let rows = tx.rows(text, &params).await?;
    rows.iter().map(|row| Profile::from_row(row).map(|profile| (profile.customer_id, profile))).collect()
}

/// Writes the whole profile, new or known. Whoever writes it has the customer locked.
pub async fn put(tx: &Tx, profile: &Profile) -> Result<(), Error> {
    tx.run(
        sql!("delete from customer_profile where isp_id = $1 and customer_id = $2"),
        &params![profile.isp_id, profile.customer_id],
    )
    .await?;
    profile.insert(tx).await
}
