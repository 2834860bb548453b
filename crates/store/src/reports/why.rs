//! The facts behind how a customer's line stands, each question answered from an index and bounded.

use domain::{Instant, IspId, RouterId, ServiceId, kernel::event::Subject};

use crate::{
    access::session::{LoginReject, Session},
    db::{Error, Tx, Value},
    kernel::{
        event::Event,
        record::{records, text},
    },
    params, sql,
};

/// The newest events about these, each subject's newest first.
pub async fn events(tx: &Tx, isp: IspId, subjects: &[Subject], limit: i64) -> Result<Vec<Event>, Error> {
    let lists: Vec<Vec<Value>> = subjects
        .iter()
        .map(|subject| {
            let (noun, id) = subject.parts();
            params![isp, noun, id, limit].to_vec()
        })
        .collect();
    let rows = tx
        .each(
            sql!(text!(
                Event::SELECT,
                "where t.isp_id = $1 and t.subject = $2 and t.subject_id = $3 order by t.seq desc limit $4"
            )),
            &lists,
        )
        .await?;
    records(rows, Event::from_row)
}

/// The newest refused logins of a service first.
pub async fn rejects(tx: &Tx, isp: IspId, service: ServiceId, limit: i64) -> Result<Vec<LoginReject>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                LoginReject::SELECT,
                "where t.isp_id = $1 and t.service_id = $2 order by t.at desc, t.id desc limit $3"
            )),
            &params![isp, service, limit],
        )
        .await?;
    records(rows, LoginReject::from_row)
}

/// The newest sessions of a service first.
pub async fn sessions(tx: &Tx, isp: IspId, service: ServiceId, limit: i64) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Session::SELECT,
                "where t.isp_id = $1 and t.service_id = $2 order by t.started_at desc, t.id desc limit $3"
            )),
            &params![isp, service, limit],
        )
        .await?;
    records(rows, Session::from_row)
}

/// A router's open sessions, and when one of them last reported.
pub async fn router(tx: &Tx, isp: IspId, router: RouterId) -> Result<(i64, Option<Instant>), Error> {
    let row = tx
        .row(
            sql!("select count(*), max(received_at) from session where isp_id = $1 and router_id = $2 and state = 0"),
            &params![isp, router],
        )
        .await?;
    row.map_or(Ok((0, None)), |row| Ok((row.get(0)?, row.get(1)?)))
}
