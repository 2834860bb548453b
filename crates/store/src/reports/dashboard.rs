//! The dashboards' sums. What grows with the business is read from indexes that hold nothing else.

use domain::{BranchId, Instant, IspId, Money};

use crate::{
    db::{Error, Tx, Value},
    kernel::conditions::Conditions,
    people::roster::{BARRED, RUNNING},
};

/// Restricts to customers of a branch; `customer` is the column that names one.
fn of_branch(conditions: &mut Conditions, branch: Option<BranchId>, customer: &str) {
    if let Some(branch) = branch {
        let place = conditions.value(branch);
        conditions.and(&format!(
            "exists (select 1 from customer b where b.isp_id = t.isp_id and b.id = {customer} and b.branch_id = {place})"
        ));
    }
}

async fn number(tx: &Tx, what: &str, from: &str, conditions: &Conditions) -> Result<i64, Error> {
    let text = format!("select {what} from {from} where {}", conditions.text);
    tx.row(text, &conditions.params).await?.map_or(Ok(0), |row| row.get(0))
}

/// Barred customers whose line is suspended rather than disabled.
pub async fn suspended(tx: &Tx, isp: IspId, branch: Option<BranchId>) -> Result<i64, Error> {
    let mut conditions = Conditions::of(isp);
    conditions.given("t.standing =", Some(BARRED));
    conditions.and("s.status = 'suspended'");
    conditions.given("t.branch_id =", branch);
    let from = "roster t join service s on s.isp_id = t.isp_id and s.customer_id = t.customer_id and s.ordinal = 1";
    number(tx, "count(*)", from, &conditions).await
}

/// Customers whose period ends in this time, and who run until then.
pub async fn ending(
    tx: &Tx,
    isp: IspId,
    branch: Option<BranchId>,
    (from, until): (Instant, Instant),
) -> Result<i64, Error> {
    let mut conditions = Conditions::of(isp);
    conditions.given("t.standing =", Some(RUNNING));
    conditions.given("t.expires_at >", Some(from));
    conditions.given("t.expires_at <", Some(until));
    conditions.given("t.branch_id =", branch);
    number(tx, "count(*)", "roster t", &conditions).await
}

/// Customers who came since.
pub async fn newcomers(tx: &Tx, isp: IspId, branch: Option<BranchId>, since: Instant) -> Result<i64, Error> {
    let mut conditions = Conditions::of(isp);
    conditions.given("t.created_at >=", Some(since));
    conditions.given("t.branch_id =", branch);
    number(tx, "count(*)", "roster t", &conditions).await
}

pub async fn online(tx: &Tx, isp: IspId, branch: Option<BranchId>) -> Result<i64, Error> {
    let mut conditions = Conditions::of(isp);
    conditions.and("t.state = 0");
    of_branch(&mut conditions, branch, "t.customer_id");
    number(tx, "count(*)", "session t", &conditions).await
}

/// Bills written since.
pub async fn billed(tx: &Tx, isp: IspId, branch: Option<BranchId>, since: Instant) -> Result<Money, Error> {
    let mut conditions = Conditions::of(isp);
    conditions.given("t.issued_at >=", Some(since));
    conditions.and("t.status <> 'void'");
    of_branch(&mut conditions, branch, "t.customer_id");
    number(tx, "cast(coalesce(sum(t.total), 0) as bigint)", "invoice t", &conditions).await.map(Money)
}

/// What is open of all bills, and of those that are due before `until`.
pub async fn due(tx: &Tx, isp: IspId, branch: Option<BranchId>, until: Option<Instant>) -> Result<(i64, Money), Error> {
    let mut conditions = Conditions::of(isp);
    conditions.and("t.status in ('unpaid', 'partial')");
    conditions.given("t.due_at <", until);
    of_branch(&mut conditions, branch, "t.customer_id");
    let bills = number(tx, "count(*)", "invoice t", &conditions).await?;
    let sum = number(tx, "cast(coalesce(sum(t.total - t.paid), 0) as bigint)", "invoice t", &conditions).await?;
    Ok((bills, Money(sum)))
}

/// Money that came since.
pub async fn paid(tx: &Tx, isp: IspId, branch: Option<BranchId>, since: Instant) -> Result<Money, Error> {
    let mut conditions = Conditions::of(isp);
    conditions.and("t.state = 'confirmed'");
    conditions.given("t.created_at >=", Some(since));
    of_branch(&mut conditions, branch, "t.customer_id");
    number(tx, "cast(coalesce(sum(t.amount), 0) as bigint)", "payment t", &conditions).await.map(Money)
}

/// Messages that went out since.
pub async fn sms_sent(tx: &Tx, isp: IspId, branch: Option<BranchId>, since: Instant) -> Result<i64, Error> {
    let mut conditions = Conditions::of(isp);
    conditions.and("t.channel = 'sms' and t.sent_at is not null");
    conditions.given("t.sent_at >=", Some(since));
    of_branch(&mut conditions, branch, "t.customer_id");
    number(tx, "count(*)", "message t", &conditions).await
}

/// Live rows of a table of the plant, and how many of them are down.
pub async fn plant(tx: &Tx, isp: IspId, table: &'static str) -> Result<(i64, i64), Error> {
    let mut conditions = Conditions::of(isp);
    conditions.and("t.deleted_at is null");
    let from = format!("{table} t");
    let all = number(tx, "count(*)", &from, &conditions).await?;
    conditions.and("t.status = 'down'");
    Ok((all, number(tx, "count(*)", &from, &conditions).await?))
}

/// ONUs of a branch's customers, and how many of them are down.
pub async fn onus(tx: &Tx, isp: IspId, branch: Option<BranchId>) -> Result<(i64, i64), Error> {
    let mut conditions = Conditions::of(isp);
    conditions.and("t.deleted_at is null");
    of_branch(&mut conditions, branch, "t.customer_id");
    let all = number(tx, "count(*)", "onu t", &conditions).await?;
    conditions.and("t.status = 'down'");
    Ok((all, number(tx, "count(*)", "onu t", &conditions).await?))
}

/// Who moved most bytes on a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heavy {
    pub customer: i64,
    pub name: String,
    pub username: String,
    pub up: u64,
    pub down: u64,
}

pub async fn heaviest(
    tx: &Tx,
    isp: IspId,
    branch: Option<BranchId>,
    day: i64,
    limit: i64,
) -> Result<Vec<Heavy>, Error> {
    let mut conditions = Conditions::of(isp);
    conditions.given("t.day =", Some(day));
    conditions.given("c.branch_id =", branch);
    let mut params = conditions.params;
    params.push(Value::from(limit));
    let text = format!(
        "select c.id, c.full_name, s.username, t.up, t.down from usage_day t \
         join service s on s.isp_id = t.isp_id and s.id = t.service_id \
         join customer c on c.isp_id = s.isp_id and c.id = s.customer_id \
         where {} order by t.up + t.down desc, t.service_id limit ${}",
        conditions.text,
        params.len()
    );
    let rows = tx.rows(text, &params).await?;
    let read = |row: &crate::db::Row| {
        Ok(Heavy {
            customer: row.get(0)?,
            name: row.get(1)?,
            username: row.get(2)?,
            up: row.get(3)?,
            down: row.get(4)?,
        })
    };
    rows.iter().map(read).collect()
}
