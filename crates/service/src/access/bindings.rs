//! Devices and fixed addresses of a line, where it has more than one (rules: `domain::access::binding`). The first row stands with
//! the line; a line that has devices is tied to them.

use std::{collections::BTreeSet, net::Ipv4Addr};

use domain::{
    CustomerId, Mac, ServiceId,
    access::binding::{self, Wrong},
};
use store::{
    access::{
        binding::{self as rows, Binding},
        fixed_address,
    },
    db::{Class, Tx},
    people::{
        customer,
        service::{self, Service},
    },
};

pub use domain::access::binding::{Bound, MAX_ROWS};

use crate::{Actor, App, Change, Error, Expected, Fact, Items, What, Why, kernel::hold::primary, kernel::work::Work};

/// What is wrong with rows, of the field `mac` or `ip`.
pub fn check(rows: &[Bound]) -> Result<(), Error> {
    binding::check(rows).map_err(|wrong| match wrong {
        Wrong::TooMany => Error::invalid("ip", Why::Not(Expected::ListOf { most: 32, what: Items::Addresses })),
        Wrong::NoDevice => Error::invalid("mac", Why::Not(Expected::AddressForEach)),
        Wrong::DeviceTwice => Error::invalid("mac", Why::Not(Expected::DifferentAddresses)),
        Wrong::AddressTwice => Error::invalid("ip", Why::Not(Expected::DifferentAddresses)),
    })
}

/// All rows of a line, the first one first.
pub(crate) async fn of_line(tx: &Tx, line: &Service) -> Result<Vec<Bound>, Error> {
    let others = rows::of_service(tx, line.isp_id, line.id).await?;
    Ok(whole(line, &others))
}

/// All rows of a line with those beside its own.
pub fn whole(line: &Service, others: &[Binding]) -> Vec<Bound> {
    let row = |address: &Option<String>, mac: &Option<String>| Bound {
        address: address.as_deref().and_then(|text| text.parse().ok()),
        mac: mac.as_deref().and_then(Mac::parse),
    };
    let first = (line.address.is_some() || line.mac.is_some()).then(|| row(&line.address, &line.mac));
    first.into_iter().chain(others.iter().map(|other| row(&other.address, &other.mac))).collect()
}

/// Puts rows in the place of those there are; whoever calls saves the line and orders the network to follow.
pub(crate) async fn set(change: &Change<'_>, line: &mut Service, wanted: &[Bound]) -> Result<(), Error> {
    check(wanted)?;
    let first = wanted.first();
    line.address = first.and_then(|row| row.address).map(|address| address.to_string());
    line.mac = first.and_then(|row| row.mac).map(|mac| mac.to_string());
    line.mac_lock = match (line.mac_lock.as_str(), &line.mac) {
        (_, Some(_)) => "locked",
        ("locked", None) => "learn",
        (_, None) => &line.mac_lock,
    }
    .into();
    let others = wanted.iter().enumerate().skip(1).map(|(ordinal, row)| Binding {
        isp_id: change.isp,
        service_id: line.id,
        ordinal: ordinal as i64,
        address: row.address.map(|address| address.to_string()),
        mac: row.mac.map(|mac| mac.to_string()),
    });
    rows::put(change.tx, change.isp, line.id, others.collect()).await?;
    fix(change, line).await
}

/// Takes the fixed addresses of a line that are new, and lets those go that it has no more: whoever writes one calls this.
///
/// # Errors
/// `Invalid` of `ip` where one is another line's.
pub(crate) async fn fix(change: &Change<'_>, line: &Service) -> Result<(), Error> {
    let rows = of_line(change.tx, line).await?;
    let wanted: BTreeSet<String> = rows.iter().filter_map(|row| row.address).map(|ip| ip.to_string()).collect();
    let has: BTreeSet<String> = fixed_address::of_service(change.tx, change.isp, line.id).await?.into_iter().collect();
    for gone in has.difference(&wanted) {
        fixed_address::release(change.tx, change.isp, line.id, gone).await?;
    }
    let new: Vec<_> = wanted.difference(&has).map(|address| (line.id, address.clone())).collect();
    Ok(fixed_address::take(change.tx, change.isp, &new).await?)
}

/// Takes a fixed address away from a line of the caller's reach that has never been online: there it is a number in a form, and
/// nobody loses a service. Any other keeps it, and whoever wants it is refused.
pub(crate) async fn take_over(change: &Change<'_>, address: Ipv4Addr, by: Option<ServiceId>) -> Result<(), Error> {
    let (tx, isp, address) = (change.tx, change.isp, address.to_string());
    let Some(holder) = fixed_address::holder(tx, isp, &address).await?.filter(|holder| Some(*holder) != by) else {
        return Ok(());
    };
    let Some(mut line) = service::find(tx, isp, holder).await? else { return Ok(()) };
    let branch = customer::any(tx, isp, line.customer_id).await?.and_then(|owner| owner.branch_id);
    let is_reached = change.branch.is_none() || change.branch == branch;
    if !is_reached || line.address.as_ref() != Some(&address) || fixed_address::has_been_online(tx, isp, holder).await?
    {
        return Ok(());
    }
    line.address = None;
    line.updated_at = change.now;
    service::update(tx, &line).await?;
    fixed_address::release(tx, isp, holder, &address).await?;
    change.tell(Fact::LineChanged { line: line.id, customer: line.customer_id });
    Ok(())
}

/// The line is deleted: its fixed addresses are free.
pub(crate) async fn free(change: &Change<'_>, line: ServiceId) -> Result<(), Error> {
    for address in fixed_address::of_service(change.tx, change.isp, line).await? {
        fixed_address::release(change.tx, change.isp, line, &address).await?;
    }
    Ok(())
}

/// Puts rows in the place of those a customer's line has; its live sessions end.
pub async fn put(app: &App, actor: &Actor, id: CustomerId, wanted: Vec<Bound>) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let mut line = primary(change, &who, id).await?;
        if of_line(change.tx, &line).await? == wanted {
            return Ok(());
        }
        set(change, &mut line, &wanted).await?;
        save(change, &mut line).await
    })
    .await
}

/// Lets a row's address, its device or both go, counted from 0; those behind an empty row move up.
///
/// # Errors
/// `NotFound` of `binding` where there is no such row.
pub async fn release(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    row: usize,
    address: bool,
    mac: bool,
) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let mut line = primary(change, &who, id).await?;
        let before = of_line(change.tx, &line).await?;
        let left = binding::released(&before, row, address, mac).ok_or(Error::NotFound { what: What::Binding })?;
        if left == before {
            return Ok(());
        }
        set(change, &mut line, &left).await?;
        save(change, &mut line).await
    })
    .await
}

async fn save(change: &Change<'_>, line: &mut Service) -> Result<(), Error> {
    line.updated_at = change.now;
    service::update(change.tx, line).await?;
    change.tell(Fact::LineChanged { line: line.id, customer: line.customer_id });
    change.order(Work::hang_up(line.id)).await
}
