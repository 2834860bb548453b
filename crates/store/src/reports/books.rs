//! Invoices and payments as an office lists them: with whose they are, when they were paid, who took the money; and what
//! a month comes to.

use std::collections::HashMap;

use domain::{
    BranchId, CustomerId, Instant, InvoiceId, IspId, Money, PaymentId, PlanId, StaffId, billing::bill::BillStatus,
};

use crate::{
    billing::invoice::{Invoice, Payment},
    db::{Error, Tx, Value},
    kernel::{
        conditions::{Conditions, among},
        record::records,
    },
    params, sql,
};

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct InvoiceFilter {
    pub customer: Option<CustomerId>,
    pub branch: Option<BranchId>,
    /// Of a period of this package.
    pub plan: Option<PlanId>,
    /// Of this salesperson's subscribers.
    pub salesperson: Option<StaffId>,
    /// `None`: all but those that were taken back.
    pub status: Option<BillStatus>,
    pub issued_from: Option<Instant>,
    /// Not included.
    pub issued_until: Option<Instant>,
}

fn of_branch(conditions: &mut Conditions, branch: Option<BranchId>) {
    if let Some(branch) = branch {
        let place = conditions.value(branch);
        conditions.and(&format!(
            "exists (select 1 from customer b where b.isp_id = t.isp_id and b.id = t.customer_id and b.branch_id = {place})"
        ));
    }
}

/// A page of the invoices that match, the newest first, and how many there are in all.
pub async fn invoices(
    tx: &Tx,
    isp: IspId,
    filter: &InvoiceFilter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Invoice>, i64), Error> {
    let mut conditions = Conditions::of(isp);
    match filter.status {
        Some(status) => conditions.given("t.status =", Some(status)),
        None => conditions.and("t.status <> 'void'"),
    }
    conditions.given("t.customer_id =", filter.customer);
    conditions.given("t.issued_at >=", filter.issued_from);
    conditions.given("t.issued_at <", filter.issued_until);
    if let Some(plan) = filter.plan {
        let place = conditions.value(plan);
        conditions.and(&format!(
            "t.id in (select p.invoice_id from period p where p.isp_id = $1 and p.plan_id = {place} \
             and p.invoice_id is not null)"
        ));
    }
    if let Some(seller) = filter.salesperson {
        let place = conditions.value(seller);
        conditions.and(&format!(
            "t.customer_id in (select p.customer_id from customer_profile p where p.isp_id = $1 \
             and p.salesperson_id = {place})"
        ));
    }
    of_branch(&mut conditions, filter.branch);
    let total = tx.row(format!("select count(*) from invoice t where {}", conditions.text), &conditions.params).await?;
    let total = total.map_or(Ok(0), |row| row.get(0))?;
    if total <= offset {
        return Ok((Vec::new(), total));
    }
    let (limit, offset) = (conditions.value(limit), conditions.value(offset));
    let text = format!(
        "{}where {} order by t.issued_at desc, t.id desc limit {limit} offset {offset}",
        Invoice::SELECT,
        conditions.text
    );
    Ok((records(tx.rows(text, &conditions.params).await?, Invoice::from_row)?, total))
}

/// What customers are called, those that are gone too.
pub async fn names(tx: &Tx, isp: IspId, ids: &[CustomerId]) -> Result<HashMap<CustomerId, (String, String)>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let text = format!("select t.id, t.username, t.full_name from customer t where t.isp_id = $1 and t.id in ({list})");
    tx.rows(text, &params).await?.iter().map(|row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).collect()
}

/// When the last payment came that settled each of these invoices; paid from a wallet, none did.
pub async fn paid_at(tx: &Tx, isp: IspId, ids: &[InvoiceId]) -> Result<HashMap<InvoiceId, Instant>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let text = format!(
        "select t.invoice_id, max(p.created_at) from payment_allocation t join payment p on p.isp_id = t.isp_id \
         and p.id = t.payment_id where t.isp_id = $1 and t.invoice_id in ({list}) group by t.invoice_id"
    );
    tx.rows(text, &params).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Who entered each of these payments, as the ledger says it: `staff:3`.
pub async fn takers(tx: &Tx, isp: IspId, payments: &[Payment]) -> Result<HashMap<PaymentId, String>, Error> {
    if payments.is_empty() {
        return Ok(HashMap::new());
    }
    let sold: Vec<InvoiceId> =
        payments.iter().filter(|row| row.kind == "recharge").filter_map(|row| row.invoice_id).collect();
    let mut periods = HashMap::new();
    if !sold.is_empty() {
        let (list, params) = among(isp, sold.iter().map(|id| id.0));
        let text = format!(
            "select t.invoice_id, t.period_id from invoice_line t where t.isp_id = $1 and t.line = 1 \
             and t.period_id is not null and t.invoice_id in ({list})"
        );
        for row in tx.rows(text, &params).await? {
            periods.insert(row.get::<InvoiceId>(0)?, row.get::<i64>(1)?);
        }
    }
    let reference = |row: &Payment| match row.invoice_id.filter(|_| row.kind == "recharge") {
        Some(invoice) => periods.get(&invoice).map(|period| format!("period:{period}")),
        None => Some(format!("payment:{}", row.id)),
    };
    let wanted: Vec<(String, PaymentId)> =
        payments.iter().filter_map(|row| reference(row).map(|text| (text, row.id))).collect();
    let mut takers = HashMap::new();
    for chunk in wanted.chunks(256) {
        let mut params = vec![Value::from(isp)];
        params.extend(chunk.iter().map(|(text, _)| Value::from(text.as_str())));
        while params.len() <= chunk.len().next_power_of_two() {
            params.push(params[params.len() - 1].clone());
        }
        let list = (2..=params.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        let text = format!(
            "select t.ref, t.actor from ledger_entry t where t.isp_id = $1 and t.ref in ({list}) \
             and t.kind in ('recharge', 'activation', 'migration', 'payment')"
        );
        for row in tx.rows(text, &params).await? {
            let reference: String = row.get(0)?;
            for (_, id) in chunk.iter().filter(|(text, _)| *text == reference) {
                takers.insert(*id, row.get(1)?);
            }
        }
    }
    Ok(takers)
}

/// How many invoices there are of each status, but those taken back.
pub async fn counts(tx: &Tx, isp: IspId, branch: Option<BranchId>) -> Result<Vec<(BillStatus, i64)>, Error> {
    let mut conditions = Conditions::of(isp);
    conditions.and("t.status <> 'void'");
    of_branch(&mut conditions, branch);
    let text = format!("select t.status, count(*) from invoice t where {} group by t.status", conditions.text);
    tx.rows(text, &conditions.params).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What invoices since then come to without tax, less what credit notes took back.
pub async fn earned(tx: &Tx, isp: IspId, branch: Option<BranchId>, since: Instant) -> Result<Money, Error> {
    let mut sum = 0;
    for (table, sign) in [("invoice", 1), ("credit_note", -1)] {
        let mut conditions = Conditions::of(isp);
        conditions.given("t.issued_at >=", Some(since));
        of_branch(&mut conditions, branch);
        let text = format!("select cast(coalesce(sum(t.net), 0) as bigint) from {table} t where {}", conditions.text);
        let net: i64 = tx.row(text, &conditions.params).await?.map_or(Ok(0), |row| row.get(0))?;
        sum += sign * net;
    }
    Ok(Money(sum))
}

/// What was posted to the Isp's commissions since then: what it pays those who sell its cards.
pub async fn commissions(tx: &Tx, isp: IspId, since: Instant) -> Result<Money, Error> {
    let row = tx
        .row(
            sql!(
                "select cast(coalesce(sum(p.amount), 0) as bigint) from ledger_entry e join posting p \
                 on p.isp_id = e.isp_id and p.entry_id = e.id where e.isp_id = $1 and e.at >= $2 \
                 and p.account = 'commission'"
            ),
            &params![isp, since],
        )
        .await?;
    row.map_or(Ok(Money::ZERO), |row| row.get(0))
}

/// How many live lines each package has, primary ones.
pub async fn lines_by_plan(tx: &Tx, isp: IspId, branch: Option<BranchId>) -> Result<HashMap<PlanId, i64>, Error> {
    let mut conditions = Conditions::of(isp);
    conditions.and("t.deleted_at is null and t.ordinal = 1");
    of_branch(&mut conditions, branch);
    let text = format!("select t.plan_id, count(*) from service t where {} group by t.plan_id", conditions.text);
    tx.rows(text, &conditions.params).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What the wallets of people of staff hold.
pub async fn balances(tx: &Tx, isp: IspId, ids: &[StaffId]) -> Result<HashMap<StaffId, Money>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let text = format!(
        "select t.id, -a.balance from staff t join account a on a.isp_id = t.isp_id \
         and a.code = 'wallet:staff:' || cast(t.id as text) where t.isp_id = $1 and t.id in ({list})"
    );
    tx.rows(text, &params).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Addresses that live sessions have, in no order.
pub async fn addresses_in_use(tx: &Tx, isp: IspId) -> Result<Vec<String>, Error> {
    let rows = tx
        .rows(
            sql!("select t.address from session t where t.isp_id = $1 and t.state = 0 and t.address is not null"),
            &params![isp],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}
