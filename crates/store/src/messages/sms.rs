//! SMS credits of an Isp, what changed them, and who a broadcast goes to.

use domain::{BranchId, CustomerId, Instant, IspId, PlanId};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::record,
    params, sql,
};

record! {
    Movement of "sms_movement" {
        isp_id: IspId,
        id: i64,
        at: Instant,
        /// Positive: bought; negative: sent.
        delta: i64,
        /// What there was afterwards.
        balance: i64,
        reason: String,
        actor: String,
    }
}

pub async fn balance(tx: &Tx, isp: IspId) -> Result<i64, Error> {
    let row = tx.row(sql!("select balance from sms_account where isp_id = $1"), &params![isp]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Adds credits; what there is then.
pub async fn add(tx: &Tx, isp: IspId, credits: i64) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!(
                "insert into sms_account (isp_id, balance) values ($1, $2) \
                 on conflict (isp_id) do update set balance = sms_account.balance + $2 returning balance"
            ),
            &params![isp, credits],
        )
        .await?;
    row.map_or(Ok(credits), |row| row.get(0))
}

/// Takes credits if there are enough; what is left. One statement, so that two cannot take the same.
pub async fn take(tx: &Tx, isp: IspId, credits: i64) -> Result<Option<i64>, Error> {
    let row = tx
        .row(
            sql!("update sms_account set balance = balance - $2 where isp_id = $1 and balance >= $2 returning balance"),
            &params![isp, credits],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// Which customers a broadcast goes to; all given conditions hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Audience {
    pub branch: Option<BranchId>,
    pub plan: Option<PlanId>,
    pub standing: Option<Standing>,
}

/// As the customer's primary line stands now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Within its validity.
    Active,
    Expired,
    Suspended,
    Disabled,
}

/// Phone numbers of live customers, each once with one of its customers, `limit` at most.
pub async fn audience(
    tx: &Tx,
    isp: IspId,
    audience: &Audience,
    now: Instant,
    limit: i64,
) -> Result<Vec<(String, CustomerId, Option<BranchId>)>, Error> {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from(
        "select c.phone, min(c.id), min(c.branch_id) from customer c join service s on s.isp_id = c.isp_id \
         and s.customer_id = c.id and s.ordinal = 1 and s.deleted_at is null \
         where c.isp_id = $1 and c.deleted_at is null and c.phone <> ''",
    );
    if let Some(branch) = audience.branch {
        params.push(branch.into());
        text += &format!(" and c.branch_id = ${}", params.len());
    }
    if let Some(plan) = audience.plan {
        params.push(plan.into());
        text += &format!(" and s.plan_id = ${}", params.len());
    }
    let timed = |params: &mut Vec<Value>| {
        params.push(now.into());
        params.len()
    };
    text += &match audience.standing {
        None => String::new(),
        Some(Standing::Active) => format!(" and s.status = 'active' and s.expires_at > ${}", timed(&mut params)),
        Some(Standing::Expired) => format!(" and s.status = 'active' and s.expires_at <= ${}", timed(&mut params)),
        Some(Standing::Suspended) => " and s.status = 'suspended'".into(),
        Some(Standing::Disabled) => " and s.status in ('disabled', 'inactive')".into(),
    };
    params.push(limit.into());
    text += &format!(" group by c.phone order by min(c.id) limit ${}", params.len());
    let rows = tx.rows(text, &params).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}
