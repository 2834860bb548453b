//! Equipment: NAS, address pools, OLTs. Secrets are never shown.

use axum::extract::State;
use doors::{Asked, Id, fields};
use serde_json::{Value, json};
use service::{
    App,
    plant::{Filter, olts as plant, reach},
    reports::office,
};

use crate::{
    envelope::{Answer, Caller, Page, PlaceOf, Reply},
    modules::HIDDEN,
};

pub async fn nas(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    let page = Page::read(&mut asked);
    let search = asked.optional("search", fields::text(0, 100)).value().map(|text| text.trim().to_lowercase());
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let mut all = reach::routers(&app, &actor).await?;
    if let Some(part) = search {
        all.retain(|one| one.router.name.to_lowercase().contains(&part) || one.router.network.contains(&part));
    }
    let (all, total) = page.cut(all);
    let of = |one: &reach::Reached| {
        json!({
            "id": one.router.id.0,
            "shortname": one.router.name,
            "nasname": one.router.network,
            "type": one.router.vendor,
            "secret": HIDDEN,
            "coa_port": one.router.coa_port,
            "nas_identifier": one.router.nas_identifier,
            "status": one.status,
            "online_sessions": one.online,
            "last_heard": one.heard_at.map(|at| caller.datetime(at)),
            "created_at": caller.datetime(one.router.created_at),
        })
    };
    Ok(page.of("nas", all.iter().map(of).collect(), total))
}

/// Pools with how many of their addresses live sessions use; a pool may have several ranges, of which start and end are
/// the outermost.
pub async fn pools(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    let page = Page::read(&mut asked);
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let (pools, total) = page.cut(office::pools(&app, &actor).await?);
    let of = |one: &office::PoolUse| {
        let ranges = domain::kernel::ranges::parse_ranges(&one.pool.ranges).unwrap_or_default();
        json!({
            "id": one.pool.id.0,
            "name": one.pool.name,
            "nas_id": one.pool.router_id.map(|id| id.0),
            "ranges": one.pool.ranges,
            "start_ip": ranges.iter().map(|(first, _)| *first).min(),
            "end_ip": ranges.iter().map(|(_, last)| *last).max(),
            "total_ips": one.total,
            "used_ips": one.used,
            "available_ips": one.total - one.used,
        })
    };
    Ok(page.of("ip_pools", pools.iter().map(of).collect(), total))
}

pub async fn olts(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    let page = Page::read(&mut asked);
    let search = asked.optional("search", fields::text(0, 100)).value();
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let filter = Filter { search, ..Filter::default() };
    let listed = plant::list(&app, &actor, filter, page.offset, page.limit).await;
    let (rows, total) = listed.map_err(|error| caller.refused(error))?;
    Ok(page.of("olts", rows.iter().map(|(olt, onus)| row(&caller, olt, *onus)).collect(), total))
}

pub async fn olt(State(app): State<App>, caller: Caller, Id(wanted): Id, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let (olt, onus) = plant::open(&app, &actor, wanted).await.map_err(|error| caller.refused(error))?;
    Ok(Reply::data(row(&caller, &olt, onus)))
}

fn row(caller: &Caller, olt: &plant::Olt, onus: i64) -> Value {
    json!({
        "id": olt.id,
        "name": olt.name,
        "type": olt.vendor,
        "ip_address": olt.address,
        "snmp_version": olt.snmp_version,
        "port": olt.snmp_port,
        "snmp_community": olt.snmp_community.as_ref().map(|_| HIDDEN),
        // docs/readings.md 3.5: online, offline.
        "status": match olt.status.as_str() { "up" => "online", "down" => "offline", other => other },
        "pon_ports": olt.pon_ports,
        "onu_count": onus,
        "last_sync": olt.last_seen_at.map(|at| caller.datetime(at)),
        "created_at": caller.datetime(olt.created_at),
    })
}
