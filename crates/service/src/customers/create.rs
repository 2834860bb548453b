//! Customers made, through whatever door they come: names checked, rows written, the first period sold or opened, each fact
//! told once. One or many; a voucher's device gets a further line of somebody who is known.

use std::{net::Ipv4Addr, sync::Arc};

use domain::{
    BranchId, CustomerId, Instant, IspId, Kind, Limit, Mac, PeriodId, RouterId, ServiceId, Status,
    kernel::names::{login_key, name_key},
    sales::sale::Payer,
};
use store::{
    access::fixed_address,
    db::Tx,
    people::{
        customer::{self, Customer, Taken},
        service::{self, Service},
    },
    sales::voucher,
};

use super::beside::{self, Beside};
use crate::{
    Change, Error, Fact, FieldError, Vault, Why,
    access::bindings,
    billing::receipts::Details,
    catalogue::plans::{self, Offer},
    kernel::{
        app::Tenant,
        secrets::{portal_place, secret_place},
    },
    sales::{
        recharge::{Wanted, sell_as},
        sale::{Opening, insert, opened},
        starts,
    },
};

/// A customer to be made, with its line.
pub(crate) struct New {
    pub owner: Owner,
    pub line: Line,
    pub first: First,
    pub beside: Beside,
}

pub(crate) enum Owner {
    New(Person),
    /// Locked by the caller; the line is a further one.
    Known(CustomerId),
}

pub(crate) struct Person {
    pub id: CustomerId,
    pub branch: Option<BranchId>,
    pub username: String,
    /// Sealed; `None`: nobody signs in.
    pub portal_secret: Option<Vec<u8>>,
    pub full_name: String,
    pub phone: String,
    pub email: Option<String>,
    pub address: Option<String>,
    pub building: Option<i64>,
}

pub(crate) struct Line {
    pub id: ServiceId,
    /// 1 is the customer's primary line.
    pub ordinal: i64,
    pub kind: Kind,
    /// What it is, or becomes when it starts.
    pub status: Status,
    pub reason: &'static str,
    pub username: String,
    /// Sealed; `None`: a voucher's code alone leads to it.
    pub secret: Option<Vec<u8>>,
    pub offer: Arc<Offer>,
    pub router: RouterId,
    pub ip: Option<Ipv4Addr>,
    pub mac: Option<Mac>,
    /// One device alone logs in.
    pub tied: bool,
    /// Pending until then.
    pub starts_at: Option<Instant>,
}

/// What the line begins with.
pub(crate) enum First {
    /// A period is sold with it; `ends_at` in the place of the plan's end, at the same price.
    Sold { payer: Payer, ends_at: Option<Instant> },
    /// It has time that nobody pays for here.
    Opened { period: PeriodId, ends_at: Option<Instant>, reason: &'static str },
    /// It waits for its sale.
    Nothing,
}

/// A customer and the line that was made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub customer: CustomerId,
    pub line: Service,
}

/// Seals the passwords of an account and its line, for those two alone.
pub(crate) fn sealed(
    vault: &Vault,
    (owner, portal): (CustomerId, &str),
    (line, network): (ServiceId, &str),
) -> (Vec<u8>, Vec<u8>) {
    (vault.seal(&portal_place(owner), portal), vault.seal(&secret_place(line), network))
}

/// Makes one.
///
/// # Errors
/// `Invalid` of what is wrong; what the sale refuses.
pub(crate) async fn create(change: &Change<'_>, tenant: &Tenant, new: New) -> Result<Made, Error> {
    let made = create_all(change, tenant, vec![new]).await?.pop();
    made.ok_or_else(|| Error::Internal("nobody was made".into()))
}

/// Makes all of them, or none. What several need is asked and written once.
pub(crate) async fn create_all(change: &Change<'_>, tenant: &Tenant, all: Vec<New>) -> Result<Vec<Made>, Error> {
    for new in all.iter().filter(|new| new.beside.takes_address_over) {
        for address in new.addresses() {
            bindings::take_over(change, address, None).await?;
        }
    }
    let known = taken(change.tx, change.isp, all.iter().map(New::names)).await?;
    for new in &all {
        new.check(change, &known).await?;
    }
    let (mut made, mut people, mut periods) = (Vec::with_capacity(all.len()), Vec::new(), Vec::new());
    let mut fixed = Vec::new();
    for New { owner, line: new, first, beside } in all {
        let (customer, mut person) = match owner {
            Owner::New(person) => (person.id, Some(account(change, person))),
            Owner::Known(id) => (id, None),
        };
        if let Some(person) = &person {
            change.tell(Fact::CustomerCreated { customer, username: person.username.clone() });
        }
        let mut line = row(change, customer, &new);
        if let Some(at) = new.starts_at {
            starts::wait(change, &line, at, new.status).await?;
        }
        if !matches!(first, First::Sold { .. }) {
            let limit = plans::terms(&new.offer.version).limit;
            (line.quota_time_s, line.quota_bytes) = (limit.time_s, limit.data_bytes);
        }
        // Before the sale: it asks for the line's own price and quotas.
        let different = beside::apply(change, person.as_mut(), &mut line, &beside).await?;
        // Those of bindings are taken where the bindings are written.
        if !different.devices {
            fixed.extend(line.address.clone().map(|address| (line.id, address)));
        }
        match first {
            First::Sold { payer, ends_at } => {
                let wanted = Wanted { ends_at, ..Wanted::first(new.starts_at.unwrap_or(change.now)) };
                sell_as(change, tenant, &mut line, &new.offer, &payer, &Details::default(), wanted).await?;
            }
            First::Opened { period: id, ends_at, reason } => {
                let limit = Limit { time_s: line.quota_time_s, data_bytes: line.quota_bytes };
                let opening = Opening { id, ends_at, limit: Some(limit), reason };
                periods.push(opened(change, tenant, &mut line, &new.offer, opening));
            }
            First::Nothing => {
                change.tell(Fact::ServiceCreated { line: line.id, customer, plan: line.plan_id });
            }
        }
        match person {
            Some(person) => people.push((person, Some(line.clone()))),
            None => voucher::add_line(change.tx, &line).await?,
        }
        made.push(Made { customer, line });
    }
    customer::insert(change.tx, change.isp, people).await?;
    fixed_address::take(change.tx, change.isp, &fixed).await?;
    insert(change, periods).await?;
    Ok(made)
}

impl New {
    fn names(&self) -> Names<'_> {
        let account = match &self.owner {
            Owner::New(person) => Some(person.username.as_str()),
            Owner::Known(_) => None,
        };
        Names { account, login: &self.line.username, addresses: self.addresses() }
    }

    /// The line's fixed addresses.
    fn addresses(&self) -> Vec<Ipv4Addr> {
        match &self.beside.bindings {
            Some(rows) => rows.iter().filter_map(|row| row.address).collect(),
            None => self.line.ip.into_iter().collect(),
        }
    }

    async fn check(&self, change: &Change<'_>, known: &Taken) -> Result<(), Error> {
        let mut wrong = Vec::new();
        let Names { account, login, addresses } = self.names();
        if account.is_some_and(|name| known.accounts.contains(&name_key(name))) {
            wrong.push(FieldError { field: "username", why: Why::Taken });
        } else if known.logins.contains(&login_key(login)) {
            wrong.push(FieldError { field: login_field(self.line.kind), why: Why::Taken });
        }
        if addresses.iter().any(|address| known.addresses.contains(&address.to_string())) {
            wrong.push(FieldError { field: "ip", why: Why::Taken });
        }
        let building = match &self.owner {
            Owner::New(person) => person.building,
            Owner::Known(_) => None,
        };
        wrong.extend(beside::unknown(change, building, &self.beside.profile).await?);
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let gives = match &self.first {
            First::Sold { ends_at, .. } | First::Opened { ends_at, .. } => ends_at.is_some(),
            First::Nothing => false,
        };
        if gives || self.beside.gives_more() {
            change.by_no_reseller().await?;
        }
        Ok(())
    }
}

/// Which field of a request names the network login: kinds without one of their own have the account's.
pub(crate) fn login_field(kind: Kind) -> &'static str {
    match kind {
        Kind::Pppoe => "network_username",
        Kind::Hotspot | Kind::Static | Kind::Other => "username",
    }
}

/// What is to be one customer's alone: the account's name, where one is made, the network's, and fixed addresses.
pub(crate) struct Names<'a> {
    pub account: Option<&'a str>,
    pub login: &'a str,
    pub addresses: Vec<Ipv4Addr>,
}

/// Which of these somebody has.
pub(crate) async fn taken<'a>(tx: &Tx, isp: IspId, names: impl Iterator<Item = Names<'a>>) -> Result<Taken, Error> {
    let mut wanted = Taken::default();
    for Names { account, login, addresses } in names {
        wanted.accounts.extend(account.map(name_key));
        wanted.logins.insert(login_key(login));
        wanted.addresses.extend(addresses.iter().map(Ipv4Addr::to_string));
    }
    Ok(customer::taken(tx, isp, &wanted).await?)
}

fn account(change: &Change<'_>, new: Person) -> Customer {
    let Person { id, branch, username, portal_secret, full_name, phone, email, address, building } = new;
    Customer::new(customer::New {
        isp: change.isp,
        id,
        branch,
        username,
        portal_secret,
        full_name,
        phone,
        email,
        address,
        building,
        at: change.now,
    })
}

fn row(change: &Change<'_>, customer: CustomerId, new: &Line) -> Service {
    Service::new(service::New {
        isp: change.isp,
        id: new.id,
        customer,
        ordinal: new.ordinal,
        kind: new.kind,
        status: if new.starts_at.is_some() { Status::Pending } else { new.status },
        reason: Some(new.reason.into()),
        username: new.username.clone(),
        secret: new.secret.clone(),
        plan: new.offer.plan.id,
        plan_version: new.offer.version.version,
        router: new.router,
        address: new.ip,
        mac: new.mac,
        tied: new.tied,
        at: change.now,
    })
}
