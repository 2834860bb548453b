//! Lines as lists show them: subscriptions, and customers by what the roster does not keep (the plan, the medium, why a
//! line does not run).

use domain::{BranchId, CustomerId, Instant, IspId, Kind, PlanId, RouterId};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::records,
    people::{
        customer::{Customer, with_services},
        roster::{BARRED, LAPSED, OFF, RUNNING},
        search::Search,
        service::Service,
    },
};

/// What a line is to its customer: three words of what the core knows by eight, and time and quota besides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Broad {
    /// Runs: active, within validity and quota.
    Active,
    /// Waits for money, time or approval.
    Suspended,
    /// Switched off.
    Disabled,
}

/// How a line comes into the house.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Medium {
    Fibre,
    /// A line of this kind that is not of fibre.
    Plain(Kind),
}

/// Conditions on lines; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub customer: Option<CustomerId>,
    pub plan: Option<PlanId>,
    pub router: Option<RouterId>,
    pub broad: Option<Broad>,
    pub medium: Option<Medium>,
    pub branch: Option<BranchId>,
    /// As a list of customers searches.
    pub search: Option<String>,
}

impl Filter {
    /// On the alias `s` of a service; the Isp is the first parameter.
    fn conditions(&self, s: &str, now: Instant, params: &mut Vec<Value>) -> String {
        let mut text = String::new();
        let mut equals = |column: &str, value: Option<Value>| {
            if let Some(value) = value {
                params.push(value);
                text += &format!(" and {s}.{column} = ${}", params.len());
            }
        };
        equals("customer_id", self.customer.map(Value::from));
        equals("plan_id", self.plan.map(Value::from));
        equals("router_id", self.router.map(Value::from));
        if let Some(broad) = self.broad {
            let over = |params: &mut Vec<Value>| {
                params.push(now.into());
                format!(
                    "({s}.expires_at is null or {s}.expires_at <= ${} or coalesce({s}.used_bytes >= {s}.quota_bytes, false) \
                     or coalesce({s}.used_time_s >= {s}.quota_time_s, false))",
                    params.len()
                )
            };
            text += &match broad {
                Broad::Active => format!(" and {s}.status = 'active' and not {}", over(params)),
                Broad::Suspended => format!(
                    " and ({s}.status in ('suspended', 'pending', 'awaiting_approval') or ({s}.status = 'active' and {}))",
                    over(params)
                ),
                Broad::Disabled => format!(" and {s}.status in ('disabled', 'inactive', 'rejected', 'terminated')"),
            };
        }
        // The lines of fibre, rather than a look for each line.
        const FIBRE: &str = "(select p.service_id from line_site p where p.isp_id = $1 and p.connection = 'fiber')";
        match self.medium {
            None => {}
            Some(Medium::Fibre) => text += &format!(" and {s}.kind = 'pppoe' and {s}.id in {FIBRE}"),
            Some(Medium::Plain(kind)) => {
                params.push(kind.into());
                text += &format!(" and {s}.kind = ${}", params.len());
                if kind == Kind::Pppoe {
                    text += &format!(" and {s}.id not in {FIBRE}");
                }
            }
        }
        text
    }
}

/// A page of live lines, newest first, and how many there are in all.
pub async fn list(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    now: Instant,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Service>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut condition = String::from("t.isp_id = $1 and t.deleted_at is null");
    condition += &filter.conditions("t", now, &mut params);
    if let Some(branch) = filter.branch {
        params.push(branch.into());
        condition += &format!(
            " and exists (select 1 from customer c where c.isp_id = t.isp_id and c.id = t.customer_id \
             and c.branch_id = ${})",
            params.len()
        );
    }
    let total = count(tx, format!("select count(*) from service t where {condition}"), &params).await?;
    if total <= offset {
        return Ok((Vec::new(), total));
    }
    params.extend([Value::from(limit), Value::from(offset)]);
    // One customer's lines are few: a computation keeps both engines from walking all lines in this order.
    let place = if filter.customer.is_some() { "+t.created_at" } else { "t.created_at" };
    let text = format!(
        "{}where {condition} order by {place} desc, t.id desc limit ${} offset ${}",
        Service::SELECT,
        params.len() - 1,
        params.len()
    );
    Ok((records(tx.rows(text, &params).await?, Service::from_row)?, total))
}

/// A page of live customers whose primary line matches, newest first, and how many there are in all.
pub async fn customers(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    now: Instant,
    offset: i64,
    limit: i64,
) -> Result<(Vec<(Customer, Option<Service>)>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut condition = String::from("s.isp_id = $1 and s.ordinal = 1 and s.deleted_at is null");
    condition += &filter.conditions("s", now, &mut params);
    if let Some(branch) = filter.branch {
        params.push(branch.into());
        condition += &format!(" and t.branch_id = ${}", params.len());
    }
    if let Some(search) = filter.search.as_deref().and_then(Search::new) {
        condition += " and ";
        condition += &search.on_row(&mut params);
    }
    // `cross join` is an order of work to SQLite, and nothing special to PostgreSQL: where what a line is matters, the
    // roster leads to it, else the line's own indexes do.
    let from = match filter.broad {
        None => format!(
            "service s cross join roster t where t.isp_id = $1 and t.customer_id = s.customer_id and {condition}"
        ),
        Some(broad) => {
            let places = match broad {
                Broad::Active => format!("t.standing = {RUNNING}"),
                // Two ranges of two indexes, rather than one condition that neither serves.
                Broad::Suspended => {
                    params.push(now.into());
                    format!(
                        "t.customer_id in (select o.customer_id from roster o where o.isp_id = $1 \
                         and o.standing in ({LAPSED}, {BARRED}, {OFF}) union all select o.customer_id from roster o \
                         where o.isp_id = $1 and o.standing = {RUNNING} and o.expires_at <= ${})",
                        params.len()
                    )
                }
                Broad::Disabled => format!("t.standing in ({BARRED}, {OFF})"),
            };
            format!(
                "roster t cross join service s where t.isp_id = $1 and {places} and s.customer_id = t.customer_id \
                 and {condition}"
            )
        }
    };
    let total = count(tx, format!("select count(*) from {from}"), &params).await?;
    if total <= offset {
        return Ok((Vec::new(), total));
    }
    params.extend([Value::from(limit), Value::from(offset)]);
    let text = format!(
        "select t.customer_id from {from} order by t.created_at desc, t.customer_id desc limit ${} offset ${}",
        params.len() - 1,
        params.len()
    );
    let rows = tx.rows(text, &params).await?;
    let ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<CustomerId>, Error>>()?;
    Ok((with_services(tx, isp, &ids).await?, total))
}

async fn count(tx: &Tx, text: String, params: &[Value]) -> Result<i64, Error> {
    tx.row(text, params).await?.map_or(Ok(0), |row| row.get(0))
}
