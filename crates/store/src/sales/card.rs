//! Recharge cards and the batches they are made in.

use domain::{BranchId, CardState, CustomerId, Instant, IspId, Money, PlanId, StaffId};

use crate::{
    db::{Error, Row, Tx, Value},
    kernel::{
        conditions::among,
        record::{record, records, text},
    },
    params, sql,
};

record! {
    Batch of "card_batch" {
        isp_id: IspId,
        id: i64,
        plan_id: PlanId,
        /// For whom it was made.
        distributor_id: Option<StaffId>,
        value: Money,
        /// Of each card.
        commission: Money,
        /// Where it was given as a share of the value.
        commission_ppm: Option<i64>,
        quantity: i64,
        expires_at: Option<Instant>,
        created_at: Instant,
    }
}

record! {
    Card of "recharge_card" {
        isp_id: IspId,
        id: i64,
        batch_id: i64,
        plan_id: PlanId,
        /// In whose hands it is.
        distributor_id: Option<StaffId>,
        /// Sealed.
        code: Vec<u8>,
        code_hash: String,
        /// The end of the code, to tell cards apart in a list.
        hint: String,
        value: Money,
        commission: Money,
        /// unissued, issued, used.
        status: String,
        expires_at: Option<Instant>,
        created_at: Instant,
        issued_at: Option<Instant>,
        used_at: Option<Instant>,
        customer_id: Option<CustomerId>,
    }
}

impl Card {
    pub fn state(&self, now: Instant) -> CardState {
        CardState::from_word(&self.status).unwrap_or(CardState::Unissued).at(self.expires_at, now)
    }
}

/// A card with its plan's and its distributor's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    pub card: Card,
    pub plan_name: String,
    pub distributor_name: Option<String>,
}

/// A batch with names and how many of its cards are in each state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedBatch {
    pub batch: Batch,
    pub plan_name: String,
    pub distributor_name: Option<String>,
    pub unissued: i64,
    pub issued: i64,
    pub used: i64,
    pub expired: i64,
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub state: Option<CardState>,
    pub distributor: Option<StaffId>,
    pub plan: Option<PlanId>,
    pub batch: Option<i64>,
    /// Those of distributors of this branch.
    pub branch: Option<BranchId>,
}

pub async fn insert(tx: &Tx, batch: &Batch, cards: &[Card]) -> Result<(), Error> {
    batch.insert(tx).await?;
    tx.insert_many(Card::INSERT, "", cards.iter().map(Card::values).collect()).await.map(drop)
}

const LISTED: &str = text!(
    "select ",
    Card::COLUMNS,
    ", p.name, s.name from recharge_card t join plan p on p.isp_id = t.isp_id and p.id = t.plan_id \
     left join staff s on s.isp_id = t.isp_id and s.id = t.distributor_id "
);

fn listed(row: &Row) -> Result<Listed, Error> {
    Ok(Listed { card: Card::from_row(row)?, plan_name: row.get(16)?, distributor_name: row.get(17)? })
}

/// A page of the cards that match, the newest first, and how many there are in all.
pub async fn list(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    now: Instant,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Listed>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("where t.isp_id = $1");
    let live = "(t.expires_at is null or t.expires_at > $?)";
    let state = match filter.state {
        None => String::new(),
        Some(CardState::Used) => "t.status = 'used'".into(),
        Some(CardState::Unissued) => format!("t.status = 'unissued' and {live}"),
        Some(CardState::Issued) => format!("t.status = 'issued' and {live}"),
        Some(CardState::Expired) => "t.status in ('unissued', 'issued') and t.expires_at <= $?".into(),
    };
    let of_branch = "t.distributor_id in (select d.id from staff d where d.isp_id = $1 and d.branch_id = $?)";
    let conditions = [
        (state.as_str(), filter.state.map(|_| Value::from(now))),
        ("t.distributor_id = $?", filter.distributor.map(Value::from)),
        ("t.plan_id = $?", filter.plan.map(Value::from)),
        ("t.batch_id = $?", filter.batch.map(Value::from)),
        (of_branch, filter.branch.map(Value::from)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            text += " and ";
            if condition.contains("$?") {
                params.push(value);
            }
            text += &condition.replace("$?", &format!("${}", params.len()));
        }
    }
    let total = tx.row(format!("select count(*) from recharge_card t {text}"), &params).await?;
    let total = total.map_or(Ok(0), |row| row.get(0))?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!("{LISTED}{text} order by t.id desc limit ${} offset ${}", params.len() - 1, params.len());
    Ok((records(tx.rows(page, &params).await?, listed)?, total))
}

pub async fn show(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Listed>, Error> {
    let row = tx.row(sql!(text!(LISTED, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| listed(&row)).transpose()
}

/// The card with this code, locked until the transaction ends.
pub async fn lock_by_code(tx: &Tx, isp: IspId, code_hash: &str) -> Result<Option<Card>, Error> {
    let row = tx
        .row_locked(sql!(text!(Card::SELECT, "where t.isp_id = $1 and t.code_hash = $2")), &params![isp, code_hash])
        .await?;
    row.map(|row| Card::from_row(&row)).transpose()
}

/// Those of these cards that can be handed out, in the order of their ids.
pub async fn unissued_of(tx: &Tx, isp: IspId, ids: &[i64], now: Instant) -> Result<Vec<Card>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, mut params) = among(isp, ids.iter().copied());
    params.push(now.into());
    let text = format!(
        "{}where t.isp_id = $1 and t.id in ({list}) and t.status = 'unissued' \
         and (t.expires_at is null or t.expires_at > ${}) order by t.id",
        Card::SELECT,
        params.len()
    );
    records(tx.rows(text, &params).await?, Card::from_row)
}

/// The first cards of a batch that can be handed out.
pub async fn unissued_in(tx: &Tx, isp: IspId, batch: i64, limit: i64, now: Instant) -> Result<Vec<Card>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Card::SELECT,
                "where t.isp_id = $1 and t.batch_id = $2 and t.status = 'unissued' \
                 and (t.expires_at is null or t.expires_at > $3) order by t.id limit $4"
            )),
            &params![isp, batch, now, limit],
        )
        .await?;
    records(rows, Card::from_row)
}

/// Hands cards out; how many still could be.
pub async fn issue(tx: &Tx, isp: IspId, ids: &[i64], distributor: StaffId, now: Instant) -> Result<u64, Error> {
    let (list, mut params) = among(isp, ids.iter().copied());
    params.extend([distributor.into(), now.into()]);
    let text = format!(
        "update recharge_card set status = 'issued', distributor_id = ${}, issued_at = ${} \
         where isp_id = $1 and status = 'unissued' and id in ({list}) returning id",
        params.len() - 1,
        params.len()
    );
    Ok(tx.rows(text, &params).await?.len() as u64)
}

pub async fn mark_used(tx: &Tx, card: &Card) -> Result<(), Error> {
    tx.run(
        sql!("update recharge_card set status = $3, used_at = $4, customer_id = $5 where isp_id = $1 and id = $2"),
        &params![card.isp_id, card.id, card.status.clone(), card.used_at, card.customer_id],
    )
    .await
    .map(drop)
}

pub async fn batch(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Batch>, Error> {
    let row = tx.row(sql!(text!(Batch::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Batch::from_row(&row)).transpose()
}

/// A batch's cards in the order they were made.
pub async fn of_batch(tx: &Tx, isp: IspId, batch: i64) -> Result<Vec<Card>, Error> {
    let rows = tx
        .rows(sql!(text!(Card::SELECT, "where t.isp_id = $1 and t.batch_id = $2 order by t.id")), &params![isp, batch])
        .await?;
    records(rows, Card::from_row)
}

/// The newest batches first, and how many there are.
pub async fn batches(
    tx: &Tx,
    isp: IspId,
    now: Instant,
    offset: i64,
    limit: i64,
) -> Result<(Vec<ListedBatch>, i64), Error> {
    let rows = tx
        .rows(
            sql!(text!(
                "select ",
                Batch::COLUMNS,
                ", p.name, s.name from card_batch t join plan p on p.isp_id = t.isp_id and p.id = t.plan_id \
                 left join staff s on s.isp_id = t.isp_id and s.id = t.distributor_id \
                 where t.isp_id = $1 order by t.id desc limit $2 offset $3"
            )),
            &params![isp, limit, offset],
        )
        .await?;
    let mut batches = Vec::with_capacity(rows.len());
    for row in &rows {
        batches.push(ListedBatch {
            batch: Batch::from_row(row)?,
            plan_name: row.get(10)?,
            distributor_name: row.get(11)?,
            unissued: 0,
            issued: 0,
            used: 0,
            expired: 0,
        });
    }
    count_states(tx, isp, &mut batches, now).await?;
    let total = tx.row(sql!("select count(*) from card_batch where isp_id = $1"), &params![isp]).await?;
    Ok((batches, total.map_or(Ok(0), |row| row.get(0))?))
}

async fn count_states(tx: &Tx, isp: IspId, batches: &mut [ListedBatch], now: Instant) -> Result<(), Error> {
    if batches.is_empty() {
        return Ok(());
    }
    let (list, mut params) = among(isp, batches.iter().map(|listed| listed.batch.id));
    params.push(now.into());
    let text = format!(
        "select batch_id, status, count(*), \
         cast(coalesce(sum(case when expires_at <= ${} then 1 else 0 end), 0) as bigint) \
         from recharge_card where isp_id = $1 and batch_id in ({list}) group by batch_id, status",
        params.len()
    );
    for row in tx.rows(text, &params).await? {
        let (id, status, count, late): (i64, String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let Some(batch) = batches.iter_mut().find(|listed| listed.batch.id == id) else { continue };
        match CardState::from_word(&status) {
            Some(CardState::Used) => batch.used += count,
            Some(CardState::Unissued) => {
                batch.unissued += count - late;
                batch.expired += late;
            }
            Some(CardState::Issued) => {
                batch.issued += count - late;
                batch.expired += late;
            }
            Some(CardState::Expired) | None => batch.expired += count,
        }
    }
    Ok(())
}
