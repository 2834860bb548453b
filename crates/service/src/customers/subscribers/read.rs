//! Subscribers in lists and alone, with what a list brings along for all of them at once.

use std::collections::HashMap;

use domain::{CustomerId, Money, ServiceId, StaffId};
use store::{
    access::{router, session::Session},
    billing::invoice::{Invoice, Payment},
    catalogue::plan,
    customers::subscriber,
    db::Tx,
    people::{
        customer, place,
        profile::{self, Profile},
        service::{self, Attribute},
    },
    sales::terms,
};

use super::{Filter, PLACES, Place, Posted, Site, Terms};
use crate::{
    Actor, App, Customer, Error, Router, Service, Staff, What,
    catalogue::{offers::sold_under, plans::Offer},
};

/// A subscriber as lists and details show it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub customer: Customer,
    pub line: Option<Service>,
    pub offer: Option<Offer>,
    pub profile: Option<Profile>,
    pub salesperson: Option<Staff>,
    pub balance: Money,
    pub own: Option<Terms>,
}

/// What a list is asked to bring along.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Wanted {
    pub routers: bool,
    pub sessions: bool,
    pub attributes: bool,
    pub places: bool,
    pub invoices: bool,
    pub postings: bool,
    pub payments: bool,
}

/// What a list brought along, for all its subscribers together; the newest first.
#[derive(Clone, Default, Debug)]
pub struct Along {
    pub routers: Vec<Router>,
    pub pools: Vec<plan::Pool>,
    pub sessions: Vec<Session>,
    pub attributes: Vec<Attribute>,
    /// By level and id.
    pub places: HashMap<(&'static str, i64), String>,
    pub invoices: Vec<Invoice>,
    pub postings: Vec<Posted>,
    pub payments: Vec<Payment>,
}

#[derive(Clone, Debug)]
pub struct Listed {
    pub rows: Vec<Shown>,
    pub along: Along,
    pub total: i64,
}

/// So many of each subscriber's sessions, invoices, payments and postings come along.
const EACH: i64 = 20;

/// One page, oldest first.
pub async fn list(
    app: &App,
    actor: &Actor,
    mut filter: Filter,
    wanted: Wanted,
    offset: i64,
    limit: i64,
) -> Result<Listed, Error> {
    let (isp, now) = (actor.isp, app.clock.now());
    filter.branch = actor.branch.or(filter.branch);
    app.db
        .read(async move |tx| {
            let (found, total) = subscriber::list(tx, isp, &filter, offset, limit, now).await?;
            let rows = shown(tx, isp, found).await?;
            let along = along(tx, isp, &rows, wanted).await?;
            Ok(Listed { rows, along, total })
        })
        .await
}

/// One subscriber, with where its line ends.
pub async fn show(app: &App, actor: &Actor, id: CustomerId) -> Result<(Shown, Option<Site>), Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let customer = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(customer.branch_id)?;
            let line = service::of_customer(tx, isp, id).await?.into_iter().next();
            let site = match &line {
                Some(line) => terms::site(tx, isp, line.id).await?,
                None => None,
            };
            let row = shown(tx, isp, vec![(customer, line)]).await?.pop();
            Ok((row.ok_or(Error::NotFound { what: What::Customer })?, site))
        })
        .await
}

async fn shown(tx: &Tx, isp: domain::IspId, found: Vec<(Customer, Option<Service>)>) -> Result<Vec<Shown>, Error> {
    let ids: Vec<CustomerId> = found.iter().map(|(customer, _)| customer.id).collect();
    let lines: Vec<ServiceId> = found.iter().filter_map(|(_, line)| line.as_ref().map(|line| line.id)).collect();
    let mut profiles = profile::of_customers(tx, isp, &ids).await?;
    let balances = subscriber::balances(tx, isp, &ids).await?;
    let mut own = terms::of_services(tx, isp, &lines).await?;
    let mut people: Vec<StaffId> = profiles.values().filter_map(|profile| profile.salesperson_id).collect();
    people.sort_unstable();
    people.dedup();
    let people = subscriber::staff(tx, isp, &people).await?;
    let mut offers: Vec<Offer> = Vec::new();
    let mut rows = Vec::with_capacity(found.len());
    for (customer, line) in found {
        let offer = match &line {
            Some(line) => sold_under(tx, line, &mut offers).await?,
            None => None,
        };
        let profile = profiles.remove(&customer.id);
        let seller = profile.as_ref().and_then(|profile| profile.salesperson_id);
        rows.push(Shown {
            salesperson: seller.and_then(|id| people.iter().find(|person| person.id == id).cloned()),
            balance: balances.get(&customer.id).copied().unwrap_or_default(),
            own: line.as_ref().and_then(|line| own.remove(&line.id)),
            customer,
            line,
            offer,
            profile,
        });
    }
    Ok(rows)
}

async fn along(tx: &Tx, isp: domain::IspId, rows: &[Shown], wanted: Wanted) -> Result<Along, Error> {
    let ids: Vec<CustomerId> = rows.iter().map(|row| row.customer.id).collect();
    let lines: Vec<ServiceId> = rows.iter().filter_map(|row| row.line.as_ref().map(|line| line.id)).collect();
    let mut along = Along::default();
    if wanted.routers {
        along.routers = router::of_isp(tx, isp).await?;
        along.pools = plan::pools(tx, isp).await?;
    }
    if wanted.sessions {
        along.sessions = subscriber::sessions(tx, isp, &lines, EACH).await?;
    }
    if wanted.attributes {
        along.attributes = subscriber::attributes(tx, isp, &lines).await?;
    }
    if wanted.invoices {
        along.invoices = subscriber::invoices(tx, isp, &ids, EACH).await?;
    }
    if wanted.payments {
        along.payments = subscriber::payments(tx, isp, &ids, EACH).await?;
    }
    if wanted.postings {
        along.postings = subscriber::postings(tx, isp, &ids, EACH).await?;
    }
    if wanted.places {
        for (place, level) in PLACES {
            let mut at: Vec<i64> = rows
                .iter()
                .filter_map(|row| row.profile.as_ref().and_then(|profile| place_of(profile, place)))
                .collect();
            at.sort_unstable();
            at.dedup();
            for found in place::named(tx, isp, level, &at).await? {
                along.places.insert((level, found.id), found.name);
            }
        }
    }
    Ok(along)
}

/// Which place of a level a profile names.
pub fn place_of(profile: &Profile, place: Place) -> Option<i64> {
    match place {
        Place::Country => profile.country_id,
        Place::Province => profile.province_id,
        Place::City => profile.city_id,
        Place::Area => profile.area_id,
        Place::Subarea => profile.subarea_id,
    }
}
