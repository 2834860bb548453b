//! Field collection: who visits whom, what a visit brought, and who asked for one.

use domain::{BranchId, CustomerId, Instant, IspId, Money, PaymentId, StaffId};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    Assignment of "collection_assignment" {
        isp_id: IspId,
        customer_id: CustomerId,
        staff_id: StaffId,
        actor: String,
        assigned_at: Instant,
    }
}

record! {
    Collection of "collection" {
        isp_id: IspId,
        id: i64,
        customer_id: CustomerId,
        /// The collector: the customer's own at that time.
        staff_id: Option<StaffId>,
        /// collected, absent, paid_before.
        outcome: String,
        amount: Money,
        method: Option<String>,
        bank: Option<String>,
        cheque_number: Option<String>,
        cheque_date: Option<String>,
        /// A card number's last four digits.
        card_hint: Option<String>,
        card_expiration: Option<String>,
        notes: Option<String>,
        /// pending, approved, disapproved, noted.
        state: String,
        payment_id: Option<PaymentId>,
        actor: String,
        created_at: Instant,
        decided_by: Option<String>,
        decided_at: Option<Instant>,
    }
}

record! {
    Request of "collection_request" {
        isp_id: IspId,
        id: i64,
        customer_id: CustomerId,
        change_for: String,
        actor: String,
        created_at: Instant,
        done_at: Option<Instant>,
    }
}

/// The customer's collector, from now on.
pub async fn assign(tx: &Tx, row: &Assignment) -> Result<(), Error> {
    tx.run(
        sql!(
            "insert into collection_assignment (isp_id, customer_id, staff_id, actor, assigned_at) \
             values ($1, $2, $3, $4, $5) on conflict (isp_id, customer_id) do update set \
             staff_id = excluded.staff_id, actor = excluded.actor, assigned_at = excluded.assigned_at"
        ),
        &params![row.isp_id, row.customer_id, row.staff_id, &row.actor, row.assigned_at],
    )
    .await
    .map(drop)
}

pub async fn assignment(tx: &Tx, isp: IspId, customer: CustomerId) -> Result<Option<Assignment>, Error> {
    let row = tx
        .row(sql!(text!(Assignment::SELECT, "where t.isp_id = $1 and t.customer_id = $2")), &params![isp, customer])
        .await?;
    row.map(|row| Assignment::from_row(&row)).transpose()
}

/// Live customers of a collector, in an area or, where it is 0, everywhere.
pub async fn customers_of(
    tx: &Tx,
    isp: IspId,
    branch: Option<BranchId>,
    staff: StaffId,
    area: i64,
) -> Result<Vec<CustomerId>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select t.customer_id from collection_assignment t \
                 join customer c on c.isp_id = t.isp_id and c.id = t.customer_id \
                 left join place b on b.isp_id = c.isp_id and b.level = 'building' and b.id = c.building_id \
                 left join place s on s.isp_id = b.isp_id and s.level = 'street' and s.id = b.parent_id \
                 where t.isp_id = $1 and t.staff_id = $2 and c.deleted_at is null \
                 and (s.parent_id = $3 or $3 = 0) and (c.branch_id = $4 or $4 = 0) \
                 order by coalesce(s.parent_id, 0), t.customer_id"
            ),
            &params![isp, staff, area, branch.map_or(0, |id| id.0)],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Which collections are wanted; a stretch of time without its end.
#[derive(Clone, Default, Debug)]
pub struct Filter {
    pub staff: Option<StaffId>,
    pub from: Option<Instant>,
    pub until: Option<Instant>,
    pub branch: Option<BranchId>,
}

/// What waits for approval, the oldest first.
pub async fn waiting(tx: &Tx, isp: IspId, filter: &Filter, limit: i64) -> Result<Vec<Collection>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Collection::SELECT,
                "join customer c on c.isp_id = t.isp_id and c.id = t.customer_id \
                 where t.isp_id = $1 and t.state = 'pending' and (t.staff_id = $2 or $2 = 0) \
                 and t.created_at >= $3 and t.created_at < $4 and (c.branch_id = $5 or $5 = 0) \
                 order by t.created_at, t.id limit $6"
            )),
            &params![
                isp,
                filter.staff.map_or(0, |id| id.0),
                filter.from.unwrap_or(Instant(0)),
                filter.until.unwrap_or(Instant(i64::MAX)),
                filter.branch.map_or(0, |id| id.0),
                limit
            ],
        )
        .await?;
    records(rows, Collection::from_row)
}

pub async fn lock(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Collection>, Error> {
    let row =
        tx.row_locked(sql!(text!(Collection::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Collection::from_row(&row)).transpose()
}

/// The supervisor has decided.
pub async fn decide(tx: &Tx, row: &Collection) -> Result<(), Error> {
    tx.run(
        sql!(
            "update collection set state = $3, payment_id = $4, decided_by = $5, decided_at = $6, amount = $7 \
             where isp_id = $1 and id = $2"
        ),
        &params![row.isp_id, row.id, &row.state, row.payment_id, &row.decided_by, row.decided_at, row.amount],
    )
    .await
    .map(drop)
}

/// A visit answers what was asked for.
pub async fn visited(tx: &Tx, isp: IspId, customer: CustomerId, at: Instant) -> Result<(), Error> {
    tx.run(
        sql!("update collection_request set done_at = $3 where isp_id = $1 and customer_id = $2 and done_at is null"),
        &params![isp, customer, at],
    )
    .await
    .map(drop)
}

/// What each of these customers owes: invoiced and unpaid, less what is held for them. Nothing ever booked is no row.
pub async fn owed(tx: &Tx, isp: IspId, customers: &[CustomerId]) -> Result<Vec<(CustomerId, Money)>, Error> {
    let mut found = Vec::new();
    for chunk in customers.chunks(128) {
        let mut params = vec![Value::from(isp)];
        // Filled up to a power of two so that few texts exist.
        let filled = chunk.iter().cycle().take(chunk.len().next_power_of_two());
        for id in filled {
            params.push(Value::from(format!("receivable:customer:{id}")));
            params.push(Value::from(format!("wallet:customer:{id}")));
        }
        let list = (2..=params.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        let text = format!("select code, balance from account where isp_id = $1 and code in ({list})");
        for row in tx.rows(text, &params).await? {
            let (code, balance): (String, Money) = (row.get(0)?, row.get(1)?);
            let Some(id) = code.rsplit(':').next().and_then(|id| id.parse().ok()).map(CustomerId) else { continue };
            match found.iter_mut().find(|(known, _): &&mut (CustomerId, Money)| *known == id) {
                Some((_, sum)) => sum.0 = sum.0.saturating_add(balance.0),
                None => found.push((id, balance)),
            }
        }
    }
    Ok(found)
}
