//! The front page: is everything all right? Facts first; it reads itself anew every few seconds.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{CustomerId, IspId, ServiceId, access::decide::Reason};
use doors::words;
use service::{
    App, Error,
    reports::overview::{self, Overview},
};

use crate::{Front, Guide, Pages, Pulse, STYLE_PATH, page};

#[derive(Template)]
#[template(path = "closed.html")]
struct Closed {
    style: &'static str,
    version: &'static str,
    ready: bool,
}

#[derive(Template)]
#[template(path = "front.html")]
struct Demo<'a> {
    style: &'static str,
    version: &'static str,
    isp: String,
    sentence: String,
    now: String,
    zone: String,
    pulse: Pulse,
    sessions: Vec<Online>,
    more_online: i64,
    rejects: Vec<Refused>,
    reasons: Vec<(&'static str, i64)>,
    events: Vec<Happened>,
    guide: &'a Guide,
}

struct Online {
    user: String,
    router: String,
    address: String,
    mac: String,
    since: String,
    up: String,
    down: String,
    restricted: bool,
}

struct Refused {
    at: String,
    user: String,
    router: String,
    reason: &'static str,
}

struct Happened {
    at: String,
    what: String,
}

pub async fn show(State(pages): State<Pages>) -> Response {
    let pulse = (pages.pulse)();
    let html = match &pages.front {
        Front::Closed => {
            Ok(Closed { style: STYLE_PATH, version: env!("CARGO_PKG_VERSION"), ready: pulse.ready }.render())
        }
        Front::Demo { isp, guide } => demo(&pages.app, *isp, guide, pulse).await,
    };
    match html {
        Ok(Ok(html)) => page(html),
        Ok(Err(error)) => {
            tracing::error!(%error, "the front page cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "the front page waits for the database");
            (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer. Please try again.\n").into_response()
        }
    }
}

async fn demo(app: &App, isp: IspId, guide: &Guide, pulse: Pulse) -> Result<askama::Result<String>, Error> {
    let tenant = app.tenant(isp).await?;
    let facts = overview::overview(app, isp).await?;
    let now = app.clock.now();
    let local = words::Local { zone: &tenant.zone, currency: &tenant.currency };
    let router = |id| facts.routers.get(&id).cloned().unwrap_or_else(|| format!("router {id}"));
    let sessions: Vec<Online> = facts
        .sessions
        .iter()
        .map(|row| Online {
            user: row.username.clone(),
            router: router(row.router_id),
            address: row.address.clone().unwrap_or_default(),
            mac: row.mac.clone().unwrap_or_default(),
            since: words::length(now.0 - row.started_at.0),
            up: words::bytes(row.up_total),
            down: words::bytes(row.down_total),
            restricted: row.restricted,
        })
        .collect();
    let rejects = facts.rejects.iter().map(|row| Refused {
        at: local.time(row.at),
        user: row.username.clone(),
        router: router(row.router_id),
        reason: words::reason(row.reason),
    });
    let events = facts
        .events
        .iter()
        .map(|row| Happened { at: local.time(row.at), what: words::event(row, &subject(&facts, row), &local) });
    let reasons = facts.rejects_24h.iter();
    let page = Demo {
        style: STYLE_PATH,
        version: env!("CARGO_PKG_VERSION"),
        isp: tenant.isp.name.clone(),
        sentence: sentence(&facts),
        now: local.time(now),
        zone: tenant.isp.time_zone.clone(),
        pulse,
        more_online: facts.online - sessions.len() as i64,
        sessions,
        rejects: rejects.collect(),
        reasons: reasons.filter_map(|(word, n)| Some((words::reason(Reason::from_word(word)?), *n))).collect(),
        events: events.collect(),
        guide,
    };
    Ok(page.render())
}

/// The page's question answered in its title.
fn sentence(facts: &Overview) -> String {
    let refused: i64 = facts.rejects_24h.iter().map(|(_, n)| n).sum();
    format!(
        "{} online now · {} of {} customers running · {} expired · {refused} logins refused in 24 h",
        facts.online, facts.running, facts.customers, facts.expired
    )
}

/// The name of whom an event is about.
fn subject(facts: &Overview, event: &overview::Event) -> String {
    let id = event.subject_id;
    let service = |id: i64| facts.service_names.get(&ServiceId(id)).cloned().unwrap_or_else(|| format!("line {id}"));
    match event.subject.as_str() {
        "customer" => facts.customer_names.get(&CustomerId(id)).cloned().unwrap_or_else(|| format!("customer {id}")),
        "service" => service(id),
        "session" => overview::service_of(event).map_or_else(|| "an unknown user".into(), service),
        "router" => facts.routers.get(&domain::RouterId(id)).cloned().unwrap_or_else(|| id.to_string()),
        noun => format!("{noun} {id}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use domain::{Kind, Money, sales::sale::Payer};
    use service::{
        Actor, Clock, Db, Location, Vault,
        access::routers::{self, NewRouter},
        catalogue::plans::{self, Expiry, NewBandwidth, NewPlan},
        customers::customers::{self, NewCustomer},
        identity::tenants::{self, NewIsp},
    };
    use tower::ServiceExt;

    use super::*;

    const EVIL: &str = "<script>alert(1)</script>\"'&";

    /// An ISP whose every name is an attack.
    async fn evil() -> (App, IspId) {
        let db = Db::open(&Location::Memory).await.unwrap();
        db.migrate().await.unwrap();
        let app = App::new(db, Clock::System, Vault::ephemeral(), "test");
        let isp = NewIsp {
            name: EVIL.into(),
            currency: "KES".into(),
            time_zone: "Africa/Nairobi".into(),
            locale: "en".into(),
            username_prefix: "AB".into(),
            tax_ppm: 0,
            tax_inclusive: true,
            owner_name: EVIL.into(),
            owner_email: "o@x.example".into(),
            owner_password: "p".into(),
        };
        let isp = tenants::create_isp(&app, isp).await.unwrap().isp;
        let actor = Actor::system(isp);
        let bandwidth = NewBandwidth {
            name: EVIL.into(),
            down_kbps: 1000,
            down_unit: "Mbps".into(),
            up_kbps: 1000,
            up_unit: "Mbps".into(),
            burst: None,
            priority: None,
        };
        let bandwidth = plans::create_bandwidth(&app, &actor, bandwidth).await.unwrap().id;
        let router = NewRouter {
            name: EVIL.into(),
            vendor: "mikrotik".into(),
            network: "10.0.0.1".into(),
            nas_identifier: None,
            secret: "s".into(),
            coa_port: 3799,
            ma_policy: "learn".into(),
            api_address: None,
        };
        let router = routers::create(&app, &actor, router).await.unwrap();
        let plan = NewPlan {
            name: EVIL.into(),
            kind: Kind::Pppoe,
            bandwidth,
            pool: None,
            router: None,
            price: Money(100),
            validity: 1,
            validity_unit: "Days".into(),
            period_day: None,
            limited: false,
            limit_type: None,
            time_limit: None,
            time_unit: None,
            data_limit: None,
            data_unit: None,
            shared_users: 1,
            mac_lock: false,
            address_list: None,
            expiry: Expiry::Reject,
            interim_s: 60,
            enabled: true,
            public: true,
        };
        let plan = plans::create(&app, &actor, plan).await.unwrap().plan.id;
        let customer = NewCustomer {
            full_name: EVIL.into(),
            phone: "1".into(),
            email: None,
            address: None,
            building: None,
            username: Some(EVIL.into()),
            portal_password: "p".into(),
            kind: Kind::Pppoe,
            network_username: None,
            network_password: None,
            ip: None,
            mac: None,
            plan,
            router,
            payer: Some(Payer::Cash { method: EVIL.into() }),
        };
        customers::create(&app, &actor, customer, None).await.unwrap();
        (app, isp)
    }

    async fn asked(app: App, front: Front, path: &str) -> (Response, String) {
        let pulse = Pulse {
            ready: true,
            accepted_per_minute: 1.0,
            refused_per_minute: 2.0,
            reports_per_minute: 3.0,
            subscribers: 4,
        };
        let pages = Pages { app, front, pulse: Arc::new(move || pulse) };
        let request = Request::get(path).body(Body::empty()).unwrap();
        let mut response = crate::router(pages).oneshot(request).await.unwrap();
        let body = std::mem::replace(response.body_mut(), Body::empty());
        let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        (response, text)
    }

    #[tokio::test]
    async fn what_people_wrote_is_shown_and_never_run() {
        let (app, isp) = evil().await;
        let guide = Guide { credentials: EVIL.into(), commands: vec![(EVIL.into(), EVIL.into())] };
        let (response, html) = asked(app, Front::Demo { isp, guide }, "/").await;
        assert_eq!(response.status(), 200);
        assert!(!html.contains("<script") && html.contains("&#60;script&#62;"), "{html}");
        assert!(!html.contains("style=") && !html.contains("onclick"));
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(html.len() < 300_000);
    }

    #[tokio::test]
    async fn without_a_login_nothing_is_told() {
        let (app, _) = evil().await;
        let (response, html) = asked(app, Front::Closed, "/").await;
        assert_eq!(response.status(), 200);
        assert!(html.contains("is running") && !html.contains("alert(1)"), "{html}");
    }

    #[tokio::test]
    async fn the_style_is_ours() {
        let (app, _) = evil().await;
        let (response, css) = asked(app, Front::Closed, STYLE_PATH).await;
        assert_eq!(response.headers()["content-type"], "text/css; charset=utf-8");
        assert!(!css.contains("http") && !css.contains("@import"));
    }
}
