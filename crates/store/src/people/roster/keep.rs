//! Keeping the roster: every change of a customer or of its primary line, each row compared with the row that was.

use std::collections::BTreeMap;

use domain::{CustomerId, Instant, IspId, ServiceId};

use super::{Entry, find};
use crate::{
    db::{Error, Tx},
    kernel::conditions::among,
    params,
    people::{
        customer::Customer,
        search,
        service::{self, Service},
    },
    sql,
};

/// New customers of one Isp, each with its primary line.
pub(crate) async fn add(tx: &Tx, isp: IspId, people: &[(Customer, Option<Service>)]) -> Result<(), Error> {
    insert(tx, isp, people.iter().map(|(customer, line)| Entry::of(customer, line.as_ref())).collect()).await
}

pub(super) async fn insert(tx: &Tx, isp: IspId, entries: Vec<Entry>) -> Result<(), Error> {
    let mut counts = BTreeMap::new();
    for entry in &entries {
        *counts.entry(entry.cell()).or_insert(0) += 1;
    }
    tx.insert_many(Entry::INSERT, "", entries.iter().map(Entry::values).collect()).await?;
    search::add(tx, isp, entries.iter()).await?;
    count(tx, isp, counts).await
}

/// The customer has changed, or is no more.
pub(crate) async fn customer_changed(tx: &Tx, customer: &Customer) -> Result<(), Error> {
    let before = find(tx, customer.isp_id, customer.id).await?;
    match (before, customer.deleted_at) {
        (Some(before), None) => {
            let own = Entry::of(customer, None);
            let Entry { router_id, kind, standing, expires_at, .. } = before;
            replace(tx, before, Entry { router_id, kind, standing, expires_at, ..own }).await
        }
        (Some(before), Some(_)) => {
            tx.run(
                sql!("delete from roster where isp_id = $1 and customer_id = $2"),
                &params![before.isp_id, before.customer_id],
            )
            .await?;
            search::remove(tx, before.isp_id, before.customer_id, &before.words).await?;
            count(tx, before.isp_id, BTreeMap::from([(before.cell(), -1)])).await
        }
        (None, _) => Ok(()),
    }
}

/// A line has changed; lists show the primary one.
pub(crate) async fn line_changed(tx: &Tx, line: &Service) -> Result<(), Error> {
    if line.ordinal != 1 {
        return Ok(());
    }
    match find(tx, line.isp_id, line.customer_id).await? {
        Some(before) => {
            let mut after = before.clone();
            after.follow(Some(line));
            replace(tx, before, after).await
        }
        None => Ok(()),
    }
}

/// A statement has let the periods of these customers' primary lines end at `at`.
pub(crate) async fn periods_ended(tx: &Tx, isp: IspId, customers: &[CustomerId], at: Instant) -> Result<(), Error> {
    for chunk in customers.chunks(256) {
        let (list, mut params) = among(isp, chunk.iter().map(|id| id.0));
        params.push(at.into());
        let text =
            format!("update roster set expires_at = ${} where isp_id = $1 and customer_id in ({list})", params.len());
        tx.run(text, &params).await?;
    }
    Ok(())
}

/// Usage has reached a line's quota.
pub(crate) async fn quota_reached(tx: &Tx, isp: IspId, id: ServiceId) -> Result<(), Error> {
    match service::find(tx, isp, id).await? {
        Some(line) => line_changed(tx, &line).await,
        None => Ok(()),
    }
}

async fn replace(tx: &Tx, before: Entry, after: Entry) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    let (isp, customer) = (after.isp_id, after.customer_id);
    if (before.branch_id, before.building_id, before.created_at, &before.login, &before.name, &before.words)
        == (after.branch_id, after.building_id, after.created_at, &after.login, &after.name, &after.words)
    {
        tx.run(
            sql!(
                "update roster set router_id = $3, kind = $4, standing = $5, expires_at = $6 \
                 where isp_id = $1 and customer_id = $2"
            ),
            &params![isp, customer, after.router_id, after.kind, after.standing, after.expires_at],
        )
        .await?;
    } else {
        tx.run(
            sql!(
                "update roster set branch_id = $3, building_id = $4, router_id = $5, kind = $6, standing = $7, \
                 login = $8, name = $9, created_at = $10, expires_at = $11, words = $12 \
                 where isp_id = $1 and customer_id = $2"
            ),
            &after.values(),
        )
        .await?;
    }
    if !search::same(&before, &after) {
        search::remove(tx, isp, customer, &before.words).await?;
        search::add(tx, isp, [&after].into_iter()).await?;
    }
    if before.cell() != after.cell() {
        count(tx, isp, BTreeMap::from([(before.cell(), -1), (after.cell(), 1)])).await?;
    }
    Ok(())
}

/// In the order of the cells, so that two transactions wait for each other in turn.
async fn count(tx: &Tx, isp: IspId, changes: BTreeMap<[i64; 5], i64>) -> Result<(), Error> {
    for ([router, kind, standing, branch, shard], change) in changes {
        tx.run(
            sql!(
                "insert into roster_count (isp_id, router_id, kind, standing, branch_id, shard, customers) \
                 values ($1, $2, $3, $4, $5, $6, $7) on conflict (isp_id, router_id, kind, standing, branch_id, shard) \
                 do update set customers = roster_count.customers + $7"
            ),
            &params![isp, router, kind, standing, branch, shard, change],
        )
        .await?;
    }
    Ok(())
}
