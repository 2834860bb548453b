//! Vouchers that log in: a hotspot device sends the code as its name. The RADIUS side keeps the codes in memory and
//! decides from there; the first use is written a moment later (`customers::vouchers`), once per device however often it is told.

use domain::{
    Instant, IspId, Mac, PlanId, Quota, RouterId, ServiceId,
    catalogue::validity,
    kernel::clock::{MINUTE, SECOND},
};
use store::{
    db::Class,
    sales::voucher::{self, Use, Voucher},
};

use crate::{Actor, App, Error, access::directory::World, kernel::work::Work};

/// A live voucher as a login meets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code {
    pub voucher: i64,
    /// As it is printed; compared without case.
    pub code: Box<str>,
    pub plan: PlanId,
    pub clients: i64,
    pub used: i64,
}

/// A device that has used a voucher, with the line made for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    pub voucher: i64,
    pub client: Box<str>,
    pub service: ServiceId,
}

/// The lower-cased code of a voucher with what is to be known of it; no `code`: it is deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    pub isp: IspId,
    pub voucher: i64,
    pub key: Box<str>,
    pub code: Option<Code>,
    pub holders: Vec<Holder>,
}

impl Known {
    fn of(row: Voucher) -> Known {
        let key = row.code.to_lowercase().into();
        let code =
            Code { voucher: row.id, code: row.code.into(), plan: row.plan_id, clients: row.clients, used: row.used };
        let code = row.code_key.is_some().then_some(code);
        Known { isp: row.isp_id, voucher: row.id, key, code, holders: Vec::new() }
    }
}

/// Live vouchers after `(isp, voucher)`; an empty page is the end.
pub async fn live_after(app: &App, after: (IspId, i64), limit: i64) -> Result<Vec<Known>, Error> {
    let rows = app.db.read(async move |tx| voucher::live_after(tx, after.0, after.1, limit).await).await?;
    Ok(rows.into_iter().map(Known::of).collect())
}

/// Who holds what, after `(isp, voucher, use)`: with each the place to go on from. An empty page is the end.
pub async fn holders_after(
    app: &App,
    after: (IspId, i64, i64),
    limit: i64,
) -> Result<Vec<((IspId, i64, i64), Box<str>, Holder)>, Error> {
    let rows = app.db.read(async move |tx| voucher::uses_after(tx, after, limit).await).await?;
    let row =
        |(row, code): (Use, String)| ((row.isp_id, row.voucher_id, row.ordinal), code.into_boxed_str(), holder(row));
    Ok(rows.into_iter().map(row).collect())
}

fn holder(row: Use) -> Holder {
    Holder { voucher: row.voucher_id, client: row.client.into(), service: row.service_id }
}

/// These vouchers as they are now.
pub async fn read(app: &App, isp: IspId, ids: Vec<i64>) -> Result<Vec<Known>, Error> {
    let (rows, uses) = app
        .db
        .read(async move |tx| {
            Ok::<_, Error>((voucher::some(tx, isp, &ids).await?, voucher::uses_of(tx, isp, &ids).await?))
        })
        .await?;
    let mut known: Vec<Known> = rows.into_iter().map(Known::of).collect();
    for (row, _) in uses {
        if let Some(known) = known.iter_mut().find(|known| known.voucher == row.voucher_id) {
            known.holders.push(holder(row));
        }
    }
    Ok(known)
}

/// What a voucher of this plan gives from `now` on; `None`: the plan is no longer sold.
pub fn first_period(world: &World, isp: IspId, plan: PlanId, now: Instant) -> Option<(Instant, Quota)> {
    let (terms, zone) = (world.terms.get(&(isp, plan))?, world.zones.get(&isp)?);
    let term = validity::next_term(now, None, terms.validity, zone);
    Some((term.expires_at, Quota { limit: terms.limit, ..Quota::default() }))
}

/// A device let in by a voucher.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FirstUse {
    pub isp: IspId,
    /// Lower-cased.
    pub key: Box<str>,
    /// The login's name as sessions compare it: the code, perhaps with a realm.
    pub name: Box<str>,
    /// Its MAC address, or what else tells it apart.
    pub client: Box<str>,
    pub mac: Option<Mac>,
    pub router: RouterId,
}

/// When the session of a device that should not have been let in is looked for: its Start may come before the refusal, a
/// moment after it, or be lost, so that an interim report tells of it.
const TURNED_AWAY: [i64; 4] = [0, 10 * SECOND, MINUTE, 6 * MINUTE];

/// A device was let in by a code from memory, and the database has refused the use: another node gave it away at the same
/// moment, or the voucher was withdrawn. Orders its session to end.
pub async fn turn_away(app: &App, first: &FirstUse) -> Result<(), Error> {
    let work = Work::TurnAway { name: first.name.to_string(), mac: first.mac.map(|mac| mac.to_string()) };
    app.change(&Actor::system(first.isp), Class::Interactive, async move |change| {
        for after in TURNED_AWAY {
            change.order_at(change.now.plus(after), work.clone()).await?;
        }
        Ok(())
    })
    .await
}

/// Whether the first use has said that the device may not have it, rather than that it could not find out.
pub fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. } | Error::Refused(_))
}
