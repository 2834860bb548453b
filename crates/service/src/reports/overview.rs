//! The front page's facts: who is online, who was refused and why, what happened last.

use std::collections::{BTreeSet, HashMap};

use domain::{CustomerId, IspId, RouterId, ServiceId};
use store::{
    access::{
        router,
        session::{self, LoginReject, Session},
    },
    db::Tx,
    kernel::event,
    people::{customer, service},
    reports::overview,
};

pub use store::kernel::event::Event;

use crate::{App, Error, Fact};

/// How many rows each list of the page has.
const ROWS: i64 = 25;

#[derive(Clone, Debug)]
pub struct Overview {
    pub customers: i64,
    pub running: i64,
    pub expired: i64,
    pub online: i64,
    /// Reason and count, the most frequent first.
    pub rejects_24h: Vec<(String, i64)>,
    /// Open ones, the newest first.
    pub sessions: Vec<Session>,
    pub rejects: Vec<LoginReject>,
    pub events: Vec<Event>,
    pub routers: HashMap<RouterId, String>,
    /// Usernames of the customers and services that sessions and events speak of, as far as they still exist.
    pub customer_names: HashMap<CustomerId, String>,
    pub service_names: HashMap<ServiceId, String>,
}

pub async fn overview(app: &App, isp: IspId) -> Result<Overview, Error> {
    let now = app.clock.now();
    app.db
        .read(async move |tx| {
            let counts = overview::counts(tx, isp, now).await?;
            let sessions = session::online(tx, isp, ROWS).await?;
            let events = event::latest(tx, isp, ROWS).await?;
            let routers = router::of_isp(tx, isp).await?.into_iter().map(|row| (row.id, row.name)).collect();
            let (customer_names, service_names) = names(tx, isp, &events).await?;
            Ok(Overview {
                customers: counts.customers,
                running: counts.running,
                expired: counts.customers - counts.running - counts.barred,
                online: counts.online,
                rejects_24h: overview::rejects_since(tx, isp, now.plus(-domain::kernel::clock::DAY)).await?,
                sessions,
                rejects: session::latest_rejects(tx, isp, ROWS).await?,
                events,
                routers,
                customer_names,
                service_names,
            })
        })
        .await
}

/// Whom the events are about: at most one row by primary key for each of a page's events.
async fn names(
    tx: &Tx,
    isp: IspId,
    events: &[Event],
) -> Result<(HashMap<CustomerId, String>, HashMap<ServiceId, String>), Error> {
    let of = |noun: &str| -> BTreeSet<i64> {
        events.iter().filter(|event| event.subject == noun).map(|event| event.subject_id).collect()
    };
    let (mut customers, mut services) = (HashMap::new(), HashMap::new());
    for id in of("customer").into_iter().map(CustomerId) {
        customers.extend(customer::find(tx, isp, id).await?.map(|row| (id, row.username)));
    }
    // Events of sessions name the service in their body.
    let named = events.iter().filter_map(|event| service_of(event).filter(|_| event.subject == "session"));
    for id in of("service").into_iter().chain(named).collect::<BTreeSet<_>>().into_iter().map(ServiceId) {
        services.extend(service::find(tx, isp, id).await?.map(|row| (id, row.username)));
    }
    Ok((customers, services))
}

/// The service an event's body names.
pub fn service_of(event: &Event) -> Option<i64> {
    match Fact::read(event)? {
        Fact::SessionLost { service, .. } => service.map(|id| id.0),
        Fact::CoaAcknowledged { order, .. } | Fact::CoaRefused { order, .. } | Fact::CoaUnanswered { order, .. } => {
            order.service.map(|id| id.0)
        }
        // No other one is about a session.
        _ => None,
    }
}
