//! What RADIUS knows: sessions, live and past, and what a subscriber's login must meet and is told. Secrets are never
//! shown (docs/readings.md 3.5).

use axum::extract::{Path, State, rejection::PathRejection};
use doors::{Asked, Fields, fields};
use serde_json::{Value, json};
use service::{
    App, Error, Session, What,
    access::{
        attributes, routers,
        sessions::{self, State as Stands, Wanted},
    },
    customers::card::{self, Card, Parts},
};

use crate::{
    envelope::{Answer, Caller, Failure, Page, PlaceOf, Reply, id},
    invoices::days,
    modules::{radchecks, radreply},
};

/// Live sessions, those that began last first.
pub async fn online(State(app): State<App>, caller: Caller, Asked(asked): Asked) -> Answer<Value> {
    listed(app, caller, asked, Some(Stands::Live)).await
}

/// Sessions of `username` that began on these days, live ones too.
pub async fn history(State(app): State<App>, caller: Caller, Asked(asked): Asked) -> Answer<Value> {
    listed(app, caller, asked, None).await
}

async fn listed(app: App, caller: Caller, mut asked: Fields, state: Option<Stands>) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    let page = Page::read(&mut asked);
    let (from, until) = days(&caller, &mut asked);
    let wanted = Wanted {
        customer: None,
        username: asked.optional("username", fields::text(1, 253)).value(),
        router: asked.optional("nas_id", id).value().map(domain::RouterId),
        state,
        from,
        until,
    };
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let (rows, total) = sessions::list(&app, &actor, wanted, page.offset, page.limit).await?;
    let nas = routers::list(&app, &actor).await?;
    let of = |session: &Session| {
        let router = nas.iter().find(|router| router.id == session.router_id);
        row(&caller, session, router.map(|router| router.name.as_str()))
    };
    Ok(page.of("sessions", rows.iter().map(of).collect(), total))
}

fn row(caller: &Caller, session: &Session, nas: Option<&str>) -> Value {
    json!({
        "radacctid": session.id.0,
        "acctsessionid": session.acct_session_id,
        "username": session.username,
        "subscriber_id": session.customer_id.map(|id| id.0),
        "nas_id": session.router_id.0,
        "nas_name": nas,
        "framedipaddress": session.address,
        "callingstationid": session.mac,
        "acctstarttime": caller.datetime(session.started_at),
        "acctupdatetime": caller.datetime(session.reported_at),
        "acctstoptime": session.ended_at.map(|at| caller.datetime(at)),
        "acctsessiontime": session.session_time_s,
        "acctinputoctets": session.up_total,
        "acctoutputoctets": session.down_total,
        "acctterminatecause": session.end_cause,
        "status": Stands::of(session).word(),
    })
}

/// What a login must meet.
pub async fn checks(
    State(app): State<App>,
    caller: Caller,
    name: Result<Path<String>, PathRejection>,
    Asked(asked): Asked,
) -> Answer<Value> {
    of_line(app, caller, name, asked, radchecks).await
}

/// What a login is told.
pub async fn replies(
    State(app): State<App>,
    caller: Caller,
    name: Result<Path<String>, PathRejection>,
    Asked(asked): Asked,
) -> Answer<Value> {
    of_line(app, caller, name, asked, radreply).await
}

type Told = fn(&Caller, &Card) -> Value;

async fn of_line(
    app: App,
    caller: Caller,
    name: Result<Path<String>, PathRejection>,
    mut asked: Fields,
    told: Told,
) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let unknown = || Failure::from(Error::NotFound { what: What::Customer });
    // What no name can hold is nobody's.
    let name = name.map(|Path(name)| name).ok().filter(|name| name.len() <= 253 && !name.contains(char::is_control));
    let name = name.ok_or_else(unknown)?;
    let owner = attributes::owner_of(&app, &actor, &name).await.map_err(|error| caller.refused(error))?;
    let card = card::show(&app, &actor, owner, Parts::ATTRIBUTES).await.map_err(|error| caller.refused(error))?;
    Ok(Reply::data(told(&caller, &card)))
}
