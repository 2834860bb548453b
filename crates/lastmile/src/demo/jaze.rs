//! What the Jaze door shows: an account with its credential, areas with streets and buildings, a collector with customers.

use anyhow::Context;
use domain::{CustomerId, IspId};
use service::{
    Actor, App, Filter, Order, Page,
    billing::collections,
    customers::{
        card::Parts,
        lists,
        places::{self, Level},
    },
    identity::{
        branches,
        clients::{self, NewPair, Tier},
        staff,
    },
};

use super::credentials::Pair;

/// Area, street, building: the people of the demo live in buildings 1 to 5.
const PLACES: &[(&str, &str, &[&str])] = &[
    ("Westlands", "Waiyaki Way", &["Acacia Court", "Baobab House"]),
    ("Westlands", "Parklands Road", &["Cedar Heights"]),
    ("Eastleigh", "First Avenue", &["Date Palm Plaza", "Ebony Towers"]),
];
/// So many customers are the collector's from the beginning.
const ASSIGNED: i64 = 5;

/// Makes what is missing; whom users are given to for collection.
pub async fn seed(app: &App, isp: IspId, pair: &Pair) -> anyhow::Result<i64> {
    let actor = Actor::system(isp);
    branches::name(app, &actor, None, &pair.api_token).await?;
    let (known, _) = clients::list(app, &actor, 0, 1000).await?;
    if !known.iter().any(|client| client.public_id.as_ref() == Some(&pair.api_token)) {
        let command = NewPair {
            dialect: ::jaze::NAME,
            name: "Demo Jaze client".into(),
            branch: None,
            tier: Tier::Jaze,
            scopes: None,
            public: pair.api_token.clone(),
            secret: Some(pair.api_key.clone()),
        };
        clients::create_pair(app, &actor, command).await?;
    }
    let (people, _) = staff::list(app, &actor, staff::Filter::default(), 0, 1000).await?;
    let collector = people.iter().find(|person| person.name == "API").or(people.first());
    let collector = collector.context("nobody works at this ISP")?.id;
    if !collections::customers_of(app, &actor, collector, None).await?.is_empty() {
        return Ok(collector.0);
    }
    let page = Page { order: Order::Created, descending: false, offset: 0, limit: ASSIGNED };
    let (rows, _) = lists::page(app, &actor, Filter::default(), page, Parts::NONE).await?;
    for row in rows {
        collections::assign(app, &actor, CustomerId(row.customer.id.0), collector).await?;
    }
    Ok(collector.0)
}

/// Where people live, before anybody does.
pub async fn places(app: &App, isp: IspId, whole: bool) -> anyhow::Result<()> {
    let actor = Actor::system(isp);
    if !places::all(app, &actor, Level::CollectionArea, None).await?.is_empty() {
        return Ok(());
    }
    let rows = if whole { PLACES } else { &PLACES[..1] };
    let mut areas: Vec<(&str, i64)> = Vec::new();
    for (area, street, buildings) in rows {
        let id = match areas.iter().find(|(name, _)| name == area) {
            Some((_, id)) => *id,
            None => {
                let id = places::create(app, &actor, Level::CollectionArea, None, (*area).into()).await?.id;
                areas.push((area, id));
                id
            }
        };
        let street = places::create(app, &actor, Level::Street, Some(id), (*street).into()).await?.id;
        for building in *buildings {
            places::create(app, &actor, Level::Building, Some(street), (*building).into()).await?;
        }
    }
    Ok(())
}
