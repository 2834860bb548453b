//! Packages: the core's plans with their rates. `data_limit` is in MB, as subscribers' quotas are; 0 is unlimited.

use std::collections::HashMap;

use axum::extract::State;
use domain::{BandwidthId, Kind, PlanId, PoolId, RouterId};
use doors::{Asked, Fields, Id, fields};
use serde_json::{Value, json};
use service::{
    App, Bandwidth, Error, Expected, Why,
    catalogue::plans::{self, Beside, Expiry, NewPlan, Offer, PlanChange},
    reports::office,
    sales::renewals,
};

use crate::{
    change::{CONNECTIONS, coded, connection_type},
    envelope::{Answer, Caller, Done, Failure, Page, PlaceOf, Reply, flag, id, named},
};

/// More than anybody buys.
const MOST_DAYS: i64 = 3650;
const MOST_MB: i64 = 1_000_000_000;
const MOST_KBPS: i64 = 1_000_000_000;
const INTERIM_S: u32 = 300;

pub async fn list(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    let page = Page::read(&mut asked);
    let enabled = asked.optional("status", flag).value();
    let search = asked.optional("search", fields::text(0, 100)).value().map(|text| text.trim().to_lowercase());
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let mut offers = plans::offers(&app, &actor).await?;
    offers.retain(|offer| enabled.is_none_or(|wanted| wanted == offer.plan.enabled));
    if let Some(part) = search {
        offers.retain(|offer| offer.plan.name.to_lowercase().contains(&part));
    }
    let (offers, total) = page.cut(offers);
    let known = Known::of(&app, &actor).await?;
    Ok(page.of("packages", offers.iter().map(|offer| row(&caller, offer, &known)).collect(), total))
}

/// What packages are shown with.
struct Known {
    bandwidths: Vec<Bandwidth>,
    lines: HashMap<PlanId, i64>,
    never_renew: Vec<PlanId>,
}

impl Known {
    async fn of(app: &App, actor: &service::Actor) -> Result<Known, Error> {
        Ok(Known {
            bandwidths: plans::bandwidths(app, actor).await?,
            lines: office::lines_by_plan(app, actor).await?,
            never_renew: renewals::plans_without(app, actor).await?,
        })
    }

    fn bandwidth(&self, id: BandwidthId) -> Option<&Bandwidth> {
        self.bandwidths.iter().find(|row| row.id == id)
    }
}

fn row(caller: &Caller, offer: &Offer, known: &Known) -> Value {
    let Offer { plan, version } = offer;
    let rates = known.bandwidth(plan.bandwidth_id);
    json!({
        "id": plan.id.0,
        "name": plan.name,
        "price": caller.amount(version.price),
        // Days where the package is sold by the day; else duration and duration_type say it.
        "validity_days": (version.validity_unit == "Days").then_some(version.validity),
        "duration": version.validity,
        "duration_type": version.validity_unit,
        "bandwidth_up": rates.map(|rates| rate(rates.up_kbps)),
        "bandwidth_down": rates.map(|rates| rate(rates.down_kbps)),
        "data_limit": data_limit(offer),
        "connection_type": connection_type(plan.kind),
        "status": u8::from(plan.enabled),
        "auto_renew_status": u8::from(!known.never_renew.contains(&plan.id)),
        "subscriber_count": known.lines.get(&plan.id).copied().unwrap_or(0),
    })
}

/// `10M`, `512K`.
fn rate(kbps: i64) -> String {
    match kbps {
        kbps if kbps % 1000 == 0 => format!("{}M", kbps / 1000),
        kbps => format!("{kbps}K"),
    }
}

/// MB; 0 where time alone ends the package.
fn data_limit(offer: &Offer) -> i64 {
    plans::terms(&offer.version).limit.data_bytes.map_or(0, |bytes| bytes / 1_000_000)
}

pub async fn show(State(app): State<App>, caller: Caller, Id(wanted): Id, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let offer = plans::show(&app, &actor, PlanId(wanted)).await.map_err(|error| caller.refused(error))?;
    let known = Known::of(&app, &actor).await?;
    let mut data = row(&caller, &offer, &known);
    let rates = known.bandwidth(offer.plan.bandwidth_id);
    let burst = rates.and_then(|rates| rates.burst_up_kbps.zip(rates.burst_down_kbps));
    data["burst_limit"] = burst.map(|(up, down)| format!("{}/{}", rate(up), rate(down))).into();
    data["priority"] = rates.and_then(|rates| rates.priority).into();
    data["shared_users"] = offer.plan.shared_users.into();
    data["pool_id"] = offer.plan.pool_id.map(|id| id.0).into();
    data["nas_id"] = offer.plan.router_id.map(|id| id.0).into();
    Ok(Reply::data(data))
}

/// What create and update take alike.
struct Given {
    name: Option<String>,
    price: Option<domain::Money>,
    days: Option<i64>,
    rates: Option<(i64, i64)>,
    data_mb: Option<i64>,
    kind: Option<Kind>,
    pool: Option<Option<PoolId>>,
    router: Option<Option<RouterId>>,
    shared_users: Option<u32>,
    enabled: Option<bool>,
    auto_renew: Option<bool>,
}

fn read(caller: &Caller, body: &mut Fields, is_new: bool) -> Given {
    let (up, down) = match is_new {
        true => (Some(body.required("bandwidth_up", kbps)), Some(body.required("bandwidth_down", kbps))),
        false => (body.optional("bandwidth_up", kbps).value(), body.optional("bandwidth_down", kbps).value()),
    };
    if up.is_some() != down.is_some() {
        body.refuse(if up.is_some() { "bandwidth_down" } else { "bandwidth_up" }, Why::Required);
    }
    let days = fields::integer(1, MOST_DAYS);
    Given {
        name: match is_new {
            true => Some(body.required("name", fields::text(1, 100))),
            false => body.optional("name", fields::text(1, 100)).value(),
        },
        price: match is_new {
            true => Some(domain::Money(body.required("price", |value| caller.money(0)(value).map(|price| price.0)))),
            false => body.optional("price", caller.money(0)).value(),
        },
        days: match is_new {
            true => Some(body.required("validity_days", days)),
            false => body.optional("validity_days", days).value(),
        },
        rates: up.zip(down),
        data_mb: body.optional("data_limit", fields::integer(0, MOST_MB)).value(),
        kind: body.optional("connection_type", coded(CONNECTIONS)).value(),
        pool: body.optional("pool_id", id).change().map(|given| given.map(PoolId)),
        router: body.optional("nas_id", id).change().map(|given| given.map(RouterId)),
        shared_users: body.optional("shared_users", fields::integer(0, 1000)).value().map(|count| count as u32),
        enabled: body.optional("status", flag).value(),
        auto_renew: body.optional("auto_renew_status", flag).value(),
    }
}

/// `10M`, `512K`, `1G`; digits alone are kbit/s.
fn kbps(value: &Value) -> Result<i64, Why> {
    const WRONG: Why = Why::Not(Expected::Rate);
    let text = match value {
        Value::Number(number) => number.to_string(),
        other => fields::text(1, 16)(other)?,
    };
    let (digits, factor) = match text.trim().to_ascii_lowercase() {
        text if text.ends_with('g') => (text[..text.len() - 1].to_string(), 1_000_000),
        text if text.ends_with('m') => (text[..text.len() - 1].to_string(), 1000),
        text if text.ends_with('k') => (text[..text.len() - 1].to_string(), 1),
        text => (text, 1),
    };
    let count: i64 = digits.trim().parse().map_err(|_| WRONG)?;
    count.checked_mul(factor).filter(|kbps| (1..=MOST_KBPS).contains(kbps)).ok_or(WRONG)
}

pub async fn create(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Value> {
    let place = PlaceOf::read(&mut body);
    let given = read(&caller, &mut body, true);
    body.finish()?;
    // Packages are the whole ISP's.
    whole(&caller, &app, place).await?;
    let (up, down) = given.rates.unwrap_or_default();
    let limit = given.data_mb.filter(|mb| *mb > 0);
    let plan = NewPlan {
        name: given.name.unwrap_or_default(),
        kind: given.kind.unwrap_or(Kind::Pppoe),
        // The rates beside it take its place.
        bandwidth: BandwidthId(0),
        pool: given.pool.flatten(),
        router: given.router.flatten(),
        price: given.price.unwrap_or_default(),
        validity: given.days.unwrap_or(1) as u32,
        validity_unit: "Days".into(),
        period_day: None,
        limited: limit.is_some(),
        limit_type: limit.map(|_| "Data_Limit".into()),
        time_limit: None,
        time_unit: None,
        data_limit: limit,
        data_unit: limit.map(|_| "MB".into()),
        shared_users: given.shared_users.unwrap_or(1),
        mac_lock: false,
        address_list: None,
        expiry: Expiry::Reject,
        interim_s: INTERIM_S,
        enabled: given.enabled.unwrap_or(true),
        public: true,
    };
    let beside = Beside { rates: Some((down, up)), auto_renew: given.auto_renew };
    let made = plans::create_with(&app, &caller.actor, plan, beside).await;
    let made = made.map_err(|error| caller.refused(words(error)))?;
    Ok(Reply::created("Package created successfully", json!({ "id": made.plan.id.0, "name": made.plan.name })))
}

pub async fn update(State(app): State<App>, caller: Caller, Id(wanted): Id, mut body: Fields) -> Done {
    let place = PlaceOf::read(&mut body);
    let given = read(&caller, &mut body, false);
    body.finish()?;
    whole(&caller, &app, place).await?;
    let plan = PlanId(wanted);
    let known = plans::show(&app, &caller.actor, plan).await.map_err(|error| caller.refused(error))?;
    if given.kind.is_some_and(|kind| kind != known.plan.kind) {
        return Err(Error::invalid("connection_type", Why::Not(Expected::SameKind)).into());
    }
    let command = PlanChange {
        name: given.name,
        price: given.price,
        validity: given.days.map(|days| days as u32),
        validity_unit: given.days.map(|_| "Days".into()),
        limited: given.data_mb.map(|mb| mb > 0),
        limit_type: given.data_mb.filter(|mb| *mb > 0).map(|_| "Data_Limit".into()),
        data_limit: given.data_mb.filter(|mb| *mb > 0),
        data_unit: given.data_mb.filter(|mb| *mb > 0).map(|_| "MB".into()),
        shared_users: given.shared_users,
        pool: given.pool,
        router: given.router,
        enabled: given.enabled,
        ..PlanChange::default()
    };
    let beside = Beside { rates: given.rates.map(|(up, down)| (down, up)), auto_renew: given.auto_renew };
    let done = plans::update_with(&app, &caller.actor, plan, command, beside).await;
    done.map_err(|error| caller.refused(words(error)))?;
    Ok(Reply::done("Package updated successfully"))
}

/// Not while lines are on it.
pub async fn delete(State(app): State<App>, caller: Caller, Id(wanted): Id, asked: Asked, mut body: Fields) -> Done {
    body.or_asked(asked);
    let place = PlaceOf::read(&mut body);
    body.finish()?;
    whole(&caller, &app, place).await?;
    let done = plans::delete(&app, &caller.actor, PlanId(wanted), None).await;
    done.map_err(|error| caller.refused(error))?;
    Ok(Reply::done("Package deleted successfully"))
}

async fn whole(caller: &Caller, app: &App, place: PlaceOf) -> Result<(), Failure> {
    caller.scope(app, place).await?;
    caller.actor.sees_all().map_err(|error| caller.refused(error))
}

fn words(error: Error) -> Error {
    doors::fields::named(named(error), &[("pool", "pool_id"), ("nas_id", "nas_id")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_they_are_written() {
        for (text, expected) in [("10M", 10_000), ("512k", 512), (" 1G ", 1_000_000), ("64", 64)] {
            assert_eq!(kbps(&json!(text)), Ok(expected), "{text}");
        }
        assert_eq!(kbps(&json!(2000)), Ok(2000));
        for wrong in
            [json!("M"), json!("0M"), json!("-1M"), json!("99999999999G"), json!("ten"), json!([]), json!("1é")]
        {
            assert!(kbps(&wrong).is_err(), "{wrong}");
        }
        assert_eq!((rate(10_000), rate(512)), ("10M".into(), "512K".into()));
    }
}
