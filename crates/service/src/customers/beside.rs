//! What a customer and its line may have besides: said when they are made, or later. `None` leaves a field as it is,
//! `Some(None)` clears it.

use domain::{
    CustomerId, Discount, Money, OwnQuota, StaffId,
    billing::ledger::{Account, Entry, Kind},
};
use store::{
    customers::subscriber,
    people::{
        customer::Customer,
        place::{self, HOMES, Level},
        profile::{self, Profile},
        service::Service,
    },
};

use crate::{
    Change, Error, FieldError, Why,
    access::bindings::{self, Bound},
    billing::entries::{self, Heading, Of},
    identity::staff,
    kernel::amounts,
    plant::site::{self, SiteChange},
    sales::terms,
};

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Beside {
    /// A fixed address that another line has and has never used is taken from it (docs/readings.md Z18).
    pub takes_address_over: bool,
    pub profile: ProfileChange,
    /// Where the line comes into the house.
    pub site: SiteChange,
    /// Devices and addresses in the place of all there are; the first stands with the line.
    pub bindings: Option<Vec<Bound>>,
    /// A price of the line's own, and whether tax is in it.
    pub price: Option<Option<(Money, bool)>>,
    pub discount: Option<Option<Discount>>,
    /// Of the line's own, in the place of the plan's.
    pub quota_bytes: Option<OwnQuota>,
    pub quota_time_s: Option<OwnQuota>,
    /// Whether it renews itself from the wallet.
    pub auto_renew: Option<bool>,
    /// What the wallet came with; said again, the difference is posted. Below zero is owed.
    pub opening: Option<Money>,
}

/// Who a customer is beyond name and number. An empty text clears a field.
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
    /// Of a passport or an identity card.
    pub identity: Option<String>,
    /// In the order of [`HOMES`].
    pub places: [Option<Option<i64>>; 5],
    pub department: Option<Option<i64>>,
    pub salesperson: Option<Option<StaffId>>,
    pub sms: Option<bool>,
    pub email_enabled: Option<bool>,
    /// Days since 1970-01-01.
    pub joined_on: Option<Option<i64>>,
}

/// What became different.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Different {
    /// The profile, or the customer's own row.
    pub person: bool,
    /// Who logs in, and with which address.
    pub devices: bool,
    /// What the line costs and allows.
    pub terms: bool,
    /// Where it comes into the house.
    pub site: bool,
    pub wallet: bool,
}

impl Beside {
    /// Whether a line that is made gets money or more than its plan by this.
    pub(super) fn gives_more(&self) -> bool {
        self.price.flatten().is_some()
            || self.discount.flatten().is_some()
            || [self.quota_bytes, self.quota_time_s].into_iter().flatten().any(|own| own.kept().is_some())
            || self.opening.is_some_and(|opening| opening != Money::ZERO)
    }
}

/// Writes what is given of a locked or a new customer; the customer's and the line's own rows are the caller's to save.
pub(super) async fn apply(
    change: &Change<'_>,
    owner: Option<&mut Customer>,
    line: &mut Service,
    given: &Beside,
) -> Result<Different, Error> {
    let mut different = Different::default();
    if *given == Beside::default() {
        return Ok(different);
    }
    if let Some(owner) = owner {
        different.person = profile(change, owner, &given.profile).await?;
    }
    if let Some(rows) = &given.bindings
        && bindings::of_line(change.tx, line).await? != *rows
    {
        bindings::set(change, line, rows).await?;
        different.devices = true;
    }
    line.auto_renew = given.auto_renew.unwrap_or(line.auto_renew);
    let own = terms::Own {
        price: given.price,
        discount: given.discount,
        quota_bytes: given.quota_bytes,
        quota_time_s: given.quota_time_s,
    };
    different.terms = terms::put(change, line, own).await?;
    different.site = site::apply(change, line, &given.site).await?;
    if let Some(opening) = given.opening {
        different.wallet = open_wallet(change, line.customer_id, opening).await?;
    }
    Ok(different)
}

/// The fields that name a place or a person that is not there.
pub(super) async fn unknown(
    change: &Change<'_>,
    building: Option<i64>,
    given: &ProfileChange,
) -> Result<Vec<FieldError>, Error> {
    let (tx, isp) = (change.tx, change.isp);
    let mut wrong = Vec::new();
    let mut miss = |field| wrong.push(FieldError { field, why: Why::Unknown });
    if let Some(id) = building
        && !place::is_there(tx, isp, Level::Building, id).await?
    {
        miss("building");
    }
    if let Some(Some(id)) = given.salesperson
        && staff::at_work(change, id).await?.is_none()
    {
        miss("salesperson");
    }
    for (level, id) in HOMES.into_iter().zip(given.places) {
        if let Some(Some(id)) = id
            && !place::is_there(tx, isp, level, id).await?
        {
            miss(level.word());
        }
    }
    if let Some(Some(id)) = given.department
        && !place::is_there(tx, isp, Level::Department, id).await?
    {
        miss("department");
    }
    Ok(wrong)
}

/// Whether anything is different now.
async fn profile(change: &Change<'_>, owner: &mut Customer, given: &ProfileChange) -> Result<bool, Error> {
    if *given == ProfileChange::default() {
        return Ok(false);
    }
    let known = profile::find(change.tx, change.isp, owner.id).await?;
    let known = known.unwrap_or_else(|| Profile::of(change.isp, owner.id, change.now));
    let (mut row, notes) = (known.clone(), owner.notes.clone());
    let ProfileChange {
        first_name,
        last_name,
        company,
        kind,
        alternative_phone,
        alternative_email,
        address_line1,
        address_line2,
        address_city,
        address_pin,
        address_state,
        latitude,
        longitude,
        notes: own_notes,
        identity,
        places,
        department,
        salesperson,
        sms,
        email_enabled,
        joined_on,
    } = given;
    let texts = [
        (&mut row.first_name, first_name),
        (&mut row.last_name, last_name),
        (&mut row.company, company),
        (&mut row.kind, kind),
        (&mut row.alternative_phone, alternative_phone),
        (&mut row.alternative_email, alternative_email),
        (&mut row.address_line1, address_line1),
        (&mut row.address_line2, address_line2),
        (&mut row.address_city, address_city),
        (&mut row.address_pin, address_pin),
        (&mut row.address_state, address_state),
        (&mut row.latitude, latitude),
        (&mut row.longitude, longitude),
        (&mut row.identity_number, identity),
        (&mut owner.notes, own_notes),
    ];
    for (field, given) in texts {
        if let Some(text) = given {
            *field = Some(text.clone()).filter(|text| !text.is_empty());
        }
    }
    let levels = [&mut row.country_id, &mut row.province_id, &mut row.city_id, &mut row.area_id, &mut row.subarea_id];
    for (field, given) in levels.into_iter().zip(places) {
        *field = given.unwrap_or(*field);
    }
    row.department_id = department.unwrap_or(row.department_id);
    row.salesperson_id = salesperson.unwrap_or(row.salesperson_id);
    row.sms_enabled = sms.unwrap_or(row.sms_enabled);
    row.email_enabled = email_enabled.unwrap_or(row.email_enabled);
    row.joined_on = joined_on.unwrap_or(row.joined_on);
    let noted = owner.notes != notes;
    if row == known {
        return Ok(noted);
    }
    // The parts of a name are told as the name, where that is another.
    let (first_name, last_name) = (known.first_name.clone(), known.last_name.clone());
    let told = Profile { first_name, last_name, ..row.clone() } != known;
    row.updated_at = change.now;
    profile::put(change.tx, &row).await?;
    Ok(told || noted)
}

/// The balance a customer came with: credit in the wallet, or owed. Said again, the difference is posted.
async fn open_wallet(change: &Change<'_>, id: CustomerId, opening: Money) -> Result<bool, Error> {
    let before = subscriber::opening_balance(change.tx, change.isp, id).await?;
    let opening = amounts::balance("previous_balance", opening)?;
    let more = Money(opening.0.saturating_sub(before.0));
    if more == Money::ZERO {
        return Ok(false);
    }
    let entry = Entry::new().debit(Account::Cash("opening".into()), more).credit(Account::CustomerWallet(id), more);
    entries::post(change, Heading::new(Kind::Opening, Of::Customer(id)), entry).await?;
    Ok(true)
}
