//! Lists of subscribers by everything a profile and a line say, oldest first, and what belongs to many of them at once:
//! balances, invoices, payments, sessions, attributes, postings, in one query each.
//!
//! A list without a condition is the roster's own; conditions are looked up by their own index, and the page is cut
//! from what they leave.

use std::collections::HashMap;

use domain::{BranchId, CustomerId, Instant, InvoiceId, IspId, Money, PlanId, RouterId, ServiceId, StaffId};

use crate::{
    access::session::Session,
    billing::invoice::{Invoice, Payment},
    db::{Error, Slice, Tx, Value},
    identity::staff::Staff,
    kernel::{
        conditions::among,
        record::{records, text},
    },
    params,
    people::{
        customer::{self, Customer},
        place::Level,
        roster,
        search::Search,
        service::{Attribute, Service},
    },
    sql,
};

/// The state a list asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Inactive,
    Pending,
    Active,
    Expired,
    Disabled,
    /// With an open session.
    Online,
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub id: Option<CustomerId>,
    pub branch: Option<BranchId>,
    pub salesperson: Option<StaffId>,
    pub plan: Option<PlanId>,
    pub router: Option<RouterId>,
    pub department: Option<i64>,
    /// Of [`HOMES`](crate::people::place::HOMES).
    pub places: Vec<(Level, i64)>,
    pub state: Option<State>,
    /// Runs, and ends no later than so many microseconds from now.
    pub ends_within: Option<i64>,
    /// Has a grace period now, or has none.
    pub in_grace: Option<bool>,
    /// As the roster searches, and a whole identity.
    pub search: Option<String>,
}

/// One page of live customers with their primary line, oldest first, and how many match.
pub async fn list(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    offset: i64,
    limit: i64,
    now: Instant,
) -> Result<(Vec<(Customer, Option<Service>)>, i64), Error> {
    let plain = Filter { branch: filter.branch, router: filter.router, ..Filter::default() };
    if *filter == plain {
        let wanted = roster::Filter { branch: filter.branch, router: filter.router, ..roster::Filter::default() };
        let page = roster::Page { order: roster::Order::Created, descending: false, offset, limit };
        return roster::list(tx, isp, &wanted, page, now).await;
    }
    let (text, params) = query(isp, filter, now);
    let (ids, total) = tx.slice(&text, params, Slice { descending: false, offset, limit }).await?;
    let ids: Vec<CustomerId> = ids.into_iter().map(CustomerId).collect();
    Ok((crate::people::customer::with_services(tx, isp, &ids).await?, total))
}

fn query(isp: IspId, filter: &Filter, now: Instant) -> (String, Vec<Value>) {
    let mut params = vec![Value::from(isp)];
    let mut from = String::from("roster t");
    let mut conditions = vec![String::from("t.isp_id = $1")];
    fn put(params: &mut Vec<Value>, value: impl Into<Value>) -> usize {
        params.push(value.into());
        params.len()
    }
    let off = matches!(filter.state, Some(State::Inactive | State::Pending));
    if filter.plan.is_some() || off {
        from += " join service s on s.isp_id = t.isp_id and s.customer_id = t.customer_id and s.ordinal = 1 \
                 and s.deleted_at is null";
    }
    if filter.salesperson.is_some() || filter.department.is_some() || !filter.places.is_empty() {
        from += " join customer_profile p on p.isp_id = t.isp_id and p.customer_id = t.customer_id";
    }
    let same = [
        ("t.customer_id", filter.id.map(Value::from)),
        ("t.branch_id", filter.branch.map(Value::from)),
        ("t.router_id", filter.router.map(Value::from)),
        ("s.plan_id", filter.plan.map(Value::from)),
        ("p.salesperson_id", filter.salesperson.map(Value::from)),
        ("p.department_id", filter.department.map(Value::from)),
    ];
    for (column, value) in same {
        if let Some(value) = value {
            conditions.push(format!("{column} = ${}", put(&mut params, value)));
        }
    }
    for (level, id) in &filter.places {
        conditions.push(format!("p.{}_id = ${}", level.word(), put(&mut params, *id)));
    }
    match filter.state {
        None => {}
        Some(State::Inactive) => {
            conditions.push("t.standing = 4 and s.status in ('inactive', 'rejected', 'terminated')".into());
        }
        Some(State::Pending) => {
            conditions.push("t.standing = 4 and s.status in ('pending', 'awaiting_approval')".into())
        }
        Some(State::Active) => {
            conditions.push(format!("t.standing = 1 and t.expires_at > ${}", put(&mut params, now)));
        }
        Some(State::Expired) => {
            let now = put(&mut params, now);
            conditions.push(format!("(t.standing = 2 or (t.standing = 1 and t.expires_at <= ${now}))"));
        }
        Some(State::Disabled) => conditions.push("t.standing = 3".into()),
        Some(State::Online) => conditions.push(
            "t.customer_id in (select x.customer_id from session x where x.isp_id = $1 and x.state = 0 \
             and x.customer_id is not null)"
                .into(),
        ),
    }
    if let Some(micros) = filter.ends_within {
        let (from, until) = (put(&mut params, now), put(&mut params, now.plus(micros)));
        conditions.push(format!("t.standing = 1 and t.expires_at > ${from} and t.expires_at <= ${until}"));
    }
    if let Some(in_grace) = filter.in_grace {
        let word = if in_grace { "in" } else { "not in" };
        conditions.push(format!(
            "t.customer_id {word} (select g.customer_id from grace g join roster r on r.isp_id = g.isp_id \
             and r.customer_id = g.customer_id and r.expires_at = g.until_at \
             where g.isp_id = $1 and g.until_at > ${})",
            put(&mut params, now)
        ));
    }
    if let Some(search) = &filter.search {
        match Search::new(search) {
            Some(found) => {
                let words = found.among_words(&mut params);
                let identity = put(&mut params, search.trim());
                conditions.push(format!(
                    "t.customer_id in (select w.customer_id from search_word w where w.isp_id = $1 and {words} \
                     union select i.customer_id from customer_profile i where i.isp_id = $1 and i.identity_number = ${identity})"
                ));
            }
            None => conditions.push("1 = 0".into()),
        }
    }
    (format!("select t.customer_id, t.created_at from {from} where {}", conditions.join(" and ")), params)
}

// ---- what belongs to many ----

/// What wallets hold, by customer; those without an account have nothing.
pub async fn balances(tx: &Tx, isp: IspId, ids: &[CustomerId]) -> Result<HashMap<CustomerId, Money>, Error> {
    let codes: Vec<(String, CustomerId)> =
        ids.iter().map(|id| (domain::billing::ledger::Account::CustomerWallet(*id).code(), *id)).collect();
    let mut held = HashMap::new();
    for chunk in codes.chunks(256) {
        let (list, params) = among_codes(isp, chunk.iter().map(|(code, _)| code.as_str()));
        let text = format!("select code, -balance from account where isp_id = $1 and code in ({list})");
        for row in tx.rows(text, &params).await? {
            let code: String = row.get(0)?;
            if let Some((_, id)) = chunk.iter().find(|(known, _)| *known == code) {
                held.insert(*id, row.get(1)?);
            }
        }
    }
    Ok(held)
}

fn among_codes<'a>(isp: IspId, codes: impl ExactSizeIterator<Item = &'a str>) -> (String, Vec<Value>) {
    let count = codes.len().next_power_of_two();
    let mut params = vec![Value::from(isp)];
    params.extend(codes.map(Value::from));
    while params.len() <= count {
        params.push(params[params.len() - 1].clone());
    }
    let list = (2..=params.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    (list, params)
}

/// The newest `each` invoices of every customer, the newest first.
pub async fn invoices(tx: &Tx, isp: IspId, ids: &[CustomerId], each: i64) -> Result<Vec<Invoice>, Error> {
    let rows = newest(tx, isp, Invoice::SELECT, "invoice", "customer_id", "issued_at", ids.iter().map(|id| id.0), each);
    records(rows.await?, Invoice::from_row)
}

/// The newest `each` payments of every customer, the newest first.
pub async fn payments(tx: &Tx, isp: IspId, ids: &[CustomerId], each: i64) -> Result<Vec<Payment>, Error> {
    let rows =
        newest(tx, isp, Payment::SELECT, "payment", "customer_id", "created_at", ids.iter().map(|id| id.0), each);
    records(rows.await?, Payment::from_row)
}

/// The newest `each` sessions of every line, the newest first.
pub async fn sessions(tx: &Tx, isp: IspId, ids: &[ServiceId], each: i64) -> Result<Vec<Session>, Error> {
    let rows = newest(tx, isp, Session::SELECT, "session", "service_id", "started_at", ids.iter().map(|id| id.0), each);
    records(rows.await?, Session::from_row)
}

/// Rows of a table for each owner; all names are this file's own.
async fn newest(
    tx: &Tx,
    isp: IspId,
    select: &str,
    table: &str,
    owner: &str,
    when: &str,
    ids: impl ExactSizeIterator<Item = i64>,
    each: i64,
) -> Result<Vec<crate::db::Row>, Error> {
    if ids.len() == 0 {
        return Ok(Vec::new());
    }
    let (list, mut params) = among(isp, ids);
    params.push(each.into());
    let text = format!(
        "{select}join (select x.id, row_number() over (partition by x.{owner} order by x.{when} desc, x.id desc) \
         as place from {table} x where x.isp_id = $1 and x.{owner} in ({list})) as n on n.id = t.id \
         where t.isp_id = $1 and n.place <= ${} order by t.{owner}, n.place",
        params.len()
    );
    tx.rows(text, &params).await
}

pub async fn attributes(tx: &Tx, isp: IspId, ids: &[ServiceId]) -> Result<Vec<Attribute>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let text =
        format!("{}where t.isp_id = $1 and t.service_id in ({list}) order by t.service_id, t.id", Attribute::SELECT);
    records(tx.rows(text, &params).await?, Attribute::from_row)
}

/// A posting on a customer's wallet or on what it owes, with its entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posted {
    pub customer: CustomerId,
    /// Whether it is the wallet; else what is owed.
    pub wallet: bool,
    pub entry: i64,
    pub at: Instant,
    pub kind: String,
    pub reference: Option<String>,
    pub actor: String,
    /// Money into the customer's favour is positive.
    pub amount: Money,
    /// What the account holds after it.
    pub balance: Money,
}

/// The newest `each` postings of every customer, the newest first, with running balances.
pub async fn postings(tx: &Tx, isp: IspId, ids: &[CustomerId], each: i64) -> Result<Vec<Posted>, Error> {
    use domain::billing::ledger::Account;
    let mut codes = Vec::with_capacity(ids.len() * 2);
    for id in ids {
        codes.push((Account::CustomerWallet(*id).code(), *id, true));
        codes.push((Account::Receivable(*id).code(), *id, false));
    }
    let mut found = Vec::new();
    for chunk in codes.chunks(256) {
        let (list, mut params) = among_codes(isp, chunk.iter().map(|(code, ..)| code.as_str()));
        params.push(each.into());
        let text = format!(
            "select account, entry_id, at, kind, ref, actor, amount, balance from (select p.account, p.entry_id, e.at, \
             e.kind, e.ref, e.actor, -p.amount as amount, cast(-sum(p.amount) over (partition by p.account \
             order by e.at, p.entry_id rows unbounded preceding) as bigint) as balance, \
             row_number() over (partition by p.account order by e.at desc, p.entry_id desc) as place \
             from posting p join ledger_entry e on e.isp_id = p.isp_id and e.id = p.entry_id \
             where p.isp_id = $1 and p.account in ({list})) as lines where place <= ${} order by at desc, entry_id desc",
            params.len()
        );
        for row in tx.rows(text, &params).await? {
            let code: String = row.get(0)?;
            if let Some((_, customer, wallet)) = chunk.iter().find(|(known, ..)| *known == code) {
                found.push(Posted {
                    customer: *customer,
                    wallet: *wallet,
                    entry: row.get(1)?,
                    at: row.get(2)?,
                    kind: row.get(3)?,
                    reference: row.get(4)?,
                    actor: row.get(5)?,
                    amount: row.get(6)?,
                    balance: row.get(7)?,
                });
            }
        }
    }
    Ok(found)
}

/// What was written into a customer's wallet as the balance it came with.
pub async fn opening_balance(tx: &Tx, isp: IspId, customer: CustomerId) -> Result<Money, Error> {
    let code = domain::billing::ledger::Account::CustomerWallet(customer).code();
    let row = tx
        .row(
            sql!(
                "select cast(coalesce(-sum(p.amount), 0) as bigint) from posting p \
                 join ledger_entry e on e.isp_id = p.isp_id and e.id = p.entry_id \
                 where p.isp_id = $1 and p.account = $2 and e.kind = 'opening'"
            ),
            &params![isp, code],
        )
        .await?;
    row.map_or(Ok(Money::ZERO), |row| row.get(0))
}

/// The customer's newest invoice after `since` that is not paid whole: its id, when, and what is due.
pub async fn due_invoice(
    tx: &Tx,
    isp: IspId,
    customer: CustomerId,
    since: Instant,
) -> Result<Option<(InvoiceId, Instant, Money)>, Error> {
    let row = tx
        .row(
            sql!(
                "select id, issued_at, total - paid from invoice where isp_id = $1 and customer_id = $2 \
                 and issued_at > $3 and paid < total and status in ('unpaid', 'partial') \
                 order by issued_at desc, id desc limit 1"
            ),
            &params![isp, customer, since],
        )
        .await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).transpose()
}

/// Lines past their time that are to be renewed and whose wallet holds something, after `id` in their order.
pub async fn renewable(
    tx: &Tx,
    now: Instant,
    after: (IspId, ServiceId),
    limit: i64,
) -> Result<Vec<(IspId, ServiceId)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select s.isp_id, s.id from service s join account a on a.isp_id = s.isp_id \
                 and a.code = 'wallet:customer:' || cast(s.customer_id as text) \
                 where s.auto_renew and s.deleted_at is null and s.status = 'active' and s.expires_at <= $1 \
                 and a.balance < 0 and (s.isp_id, s.id) > ($2, $3) order by s.isp_id, s.id limit $4"
            ),
            &params![now, after.0, after.1, limit],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Live customers with this account name, of one tenant or of all: few, and told apart by their passwords.
pub async fn namesakes(tx: &Tx, isp: Option<IspId>, username_key: &str) -> Result<Vec<Customer>, Error> {
    if let Some(isp) = isp {
        return Ok(customer::by_username(tx, isp, username_key).await?.into_iter().collect());
    }
    let rows = tx
        .rows(
            sql!(text!(
                Customer::SELECT,
                "where t.username_key = $1 and t.deleted_at is null order by t.isp_id limit 5"
            )),
            &params![username_key],
        )
        .await?;
    records(rows, Customer::from_row)
}

/// People of staff, in one query.
pub async fn staff(tx: &Tx, isp: IspId, ids: &[StaffId]) -> Result<Vec<Staff>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    records(
        tx.rows(format!("{}where t.isp_id = $1 and t.id in ({list})", Staff::SELECT), &params).await?,
        Staff::from_row,
    )
}

/// Whose attribute it is.
pub async fn owner_of_attribute(tx: &Tx, isp: IspId, id: i64) -> Result<Option<CustomerId>, Error> {
    let row = tx
        .row(
            sql!(
                "select s.customer_id from service_attribute t join service s on s.isp_id = t.isp_id \
                 and s.id = t.service_id where t.isp_id = $1 and t.id = $2 and s.deleted_at is null and s.ordinal = 1"
            ),
            &params![isp, id],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// Whether there was such an attribute.
pub async fn change_attribute(tx: &Tx, row: &Attribute) -> Result<bool, Error> {
    let changed = tx
        .run(
            sql!(
                "update service_attribute set attribute = $4, op = $5, value = $6 \
                 where isp_id = $1 and service_id = $2 and id = $3"
            ),
            &params![row.isp_id, row.service_id, row.id, &row.attribute, &row.op, &row.value],
        )
        .await?;
    Ok(changed > 0)
}
