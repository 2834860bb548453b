//! The roster made anew, once for a database that was filled before there was one, and compared with what it should be.

use std::collections::BTreeMap;

use domain::{CustomerId, IspId};

use super::{Entry, find, keep::insert, number};
use crate::{
    db::{Class, Db, Error, Tx},
    kernel::{
        conditions::among,
        record::{records, text},
    },
    params,
    people::{customer::Customer, search, service::Service},
    sql,
};

/// How many rows are read at once.
const STEP: i64 = 500;

/// Makes the roster of a database that was filled before there was one; once. On PostgreSQL another node waits.
pub(crate) async fn complete(db: &Db) -> Result<(), Error> {
    let known = db
        .read(async |tx: &Tx| {
            tx.row(sql!("select next from counter where isp_id = 0 and name = 'roster'"), &params![]).await
        })
        .await?;
    if known.is_some() {
        return Ok(());
    }
    db.tx(Class::Bulk, async |tx: &Tx| {
        let first = tx
            .run(
                sql!("insert into counter (isp_id, name, next) values (0, 'roster', 1) on conflict (isp_id, name) do nothing"),
                &params![],
            )
            .await?;
        if first == 1 { rebuild(tx).await } else { Ok(()) }
    })
    .await
}

/// Everything from the customers and services again.
pub async fn rebuild(tx: &Tx) -> Result<(), Error> {
    tx.run(sql!("delete from roster"), &params![]).await?;
    tx.run(sql!("delete from roster_count"), &params![]).await?;
    tx.run(sql!("delete from search_word"), &params![]).await?;
    let mut after = (IspId(0), CustomerId(0));
    loop {
        let page = expected_after(tx, after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.isp_id, last.customer_id);
        let mut rest = page;
        while let Some(isp) = rest.first().map(|entry| entry.isp_id) {
            let same = rest.iter().take_while(|entry| entry.isp_id == isp).count();
            let later = rest.split_off(same);
            insert(tx, isp, rest).await?;
            rest = later;
        }
    }
}

/// What the roster should hold behind a row.
async fn expected_after(tx: &Tx, (isp, id): (IspId, CustomerId)) -> Result<Vec<Entry>, Error> {
    let customers = tx
        .rows(
            sql!(text!(
                Customer::SELECT,
                "where (t.isp_id, t.id) > ($1, $2) and t.deleted_at is null order by t.isp_id, t.id limit $3"
            )),
            &params![isp, id, STEP],
        )
        .await?;
    let customers = records(customers, Customer::from_row)?;
    let mut entries = Vec::with_capacity(customers.len());
    for chunk in customers.chunk_by(|a, b| a.isp_id == b.isp_id) {
        let (list, params) = among(chunk[0].isp_id, chunk.iter().map(|row| row.id.0));
        let text = format!("{}where t.isp_id = $1 and t.ordinal = 1 and t.customer_id in ({list})", Service::SELECT);
        let lines = records(tx.rows(text, &params).await?, Service::from_row)?;
        let lines: BTreeMap<i64, Service> = lines.into_iter().map(|line| (line.customer_id.0, line)).collect();
        entries.extend(chunk.iter().map(|customer| Entry::of(customer, lines.get(&customer.id.0))));
    }
    Ok(entries)
}

/// Compares everything with what it should be; one line for each difference, at most a few. For tests and doubts.
pub async fn verify(tx: &Tx) -> Result<Vec<String>, Error> {
    let mut faults = Vec::new();
    let mut counts: BTreeMap<(i64, [i64; 5]), i64> = BTreeMap::new();
    let (mut rows, mut words) = (0, 0);
    let mut after = (IspId(0), CustomerId(0));
    loop {
        let page = expected_after(tx, after).await?;
        let Some(last) = page.last() else { break };
        after = (last.isp_id, last.customer_id);
        for entry in page {
            let found = find(tx, entry.isp_id, entry.customer_id).await?;
            if found.as_ref() != Some(&entry) {
                faults.push(format!("expected {entry:?}, found {found:?}"));
            }
            rows += 1;
            words += search::count_of(&entry.words);
            *counts.entry((entry.isp_id.0, entry.cell())).or_default() += 1;
        }
    }
    let is = tx.rows(
        sql!(
            "select isp_id, router_id, kind, standing, branch_id, shard, customers from roster_count \
             where customers <> 0 order by isp_id, router_id, kind, standing, branch_id, shard"
        ),
        &params![],
    );
    let mut found = BTreeMap::new();
    for row in is.await? {
        let cell = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
        found.insert((row.get::<i64>(0)?, cell), row.get::<i64>(6)?);
    }
    if found != counts {
        faults.push(format!("counts are {found:?}, should be {counts:?}"));
    }
    let strayed = tx.row(
        sql!(
            "select count(*) from search_word w left join roster t on t.isp_id = w.isp_id \
             and t.customer_id = w.customer_id and t.created_at = w.created_at and t.kind = w.kind \
             and t.router_id = w.router_id and t.branch_id = w.branch_id \
             and t.login = w.login and t.name = w.name where t.customer_id is null"
        ),
        &params![],
    );
    for (what, is, should) in [
        ("words of no such row", number(strayed.await?)?, 0),
        ("rows", number(tx.row(sql!("select count(*) from roster"), &params![]).await?)?, rows),
        ("words", number(tx.row(sql!("select count(*) from search_word"), &params![]).await?)?, words),
    ] {
        if is != should {
            faults.push(format!("{is} {what}, should be {should}"));
        }
    }
    Ok(faults)
}
