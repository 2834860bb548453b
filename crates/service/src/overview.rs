//! The front page's facts: who is online, who was refused and why, what happened last.

use domain::IspId;
use store::{
    event::{self, Event},
    overview,
    session::{self, LoginReject, Session},
};

use crate::{App, Error};

#[derive(Clone, Debug)]
pub struct Overview {
    pub customers: i64,
    pub running: i64,
    pub expired: i64,
    pub online: i64,
    pub rejects_24h: Vec<(String, i64)>,
    pub sessions: Vec<Session>,
    pub rejects: Vec<LoginReject>,
    pub events: Vec<Event>,
}

pub async fn overview(app: &App, isp: IspId) -> Result<Overview, Error> {
    let now = app.clock.now();
    app.db
        .read(async move |tx| {
            let counts = overview::counts(tx, isp, now).await?;
            Ok(Overview {
                customers: counts.customers,
                running: counts.running,
                expired: counts.customers - counts.running - counts.barred,
                online: counts.online,
                rejects_24h: overview::rejects_since(tx, isp, now.plus(-domain::clock::DAY)).await?,
                sessions: session::latest(tx, isp, 25).await?,
                rejects: session::latest_rejects(tx, isp, 25).await?,
                events: event::latest(tx, isp, 25).await?,
            })
        })
        .await
}
