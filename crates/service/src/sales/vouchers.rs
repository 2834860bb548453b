//! Vouchers: codes made ahead of time, each good for a period of a plan, for so many clients.

use std::collections::HashSet;

use domain::{CustomerId, Instant, Kind, PlanId, RouterId, sales::sale::Payer};
use serde::{Deserialize, Serialize};
use store::{
    access::router,
    db::Class,
    people::{customer, service},
    sales::voucher::{self, Filter, Use, Voucher},
};

use crate::{
    Actor, App, Change, Error, Expected, Fact, FieldError, Refusal, What, Why,
    catalogue::plans,
    kernel::{
        change::{CallerKey, unchanged},
        ids::Table,
        vault::random_bytes,
    },
    sales::{recharge::sell, sale::save},
};

/// Of what characters codes are made. Two codes that differ only in capitals are one code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Numbers,
    Upper,
    Lower,
    Mixed,
}

impl Format {
    fn alphabet(self) -> &'static [u8] {
        match self {
            Format::Numbers => b"0123456789",
            Format::Upper => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            Format::Lower => b"0123456789abcdefghijklmnopqrstuvwxyz",
            Format::Mixed => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        }
    }

    /// How many different codes of a length there are; very many count as `u64::MAX`.
    fn space(self, length: u32) -> u64 {
        let digits: u64 = if self == Format::Numbers { 10 } else { 36 };
        digits.checked_pow(length).unwrap_or(u64::MAX)
    }
}

#[derive(Clone, Debug)]
pub struct NewVouchers {
    pub kind: Kind,
    pub router: RouterId,
    pub plan: PlanId,
    pub count: usize,
    pub format: Format,
    pub length: u32,
    /// How many times each can be used.
    pub clients: i64,
    pub customer: Option<CustomerId>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Made {
    /// Ids and codes.
    pub vouchers: Vec<(i64, String)>,
    pub plan_name: String,
    pub router_name: String,
}

/// Below this many possible codes the free ones are listed; above, random codes are tried.
const LISTED: u64 = 50_000;

pub async fn create(app: &App, actor: &Actor, command: NewVouchers, key: Option<CallerKey>) -> Result<Made, Error> {
    actor.writes()?;
    app.change_once(actor, key, async move |change| {
        let (plan_name, router_name) = references(change, &command).await?;
        let codes = fresh_codes(change, &command).await?;
        let mut rows = Vec::with_capacity(codes.len());
        for code in codes {
            rows.push(Voucher {
                isp_id: change.isp,
                id: change.id(Table::Voucher).await?,
                kind: command.kind,
                plan_id: command.plan,
                router_id: command.router,
                customer_id: command.customer,
                code_key: Some(code.to_lowercase()),
                code,
                clients: command.clients,
                used: 0,
                last_client: None,
                last_used_at: None,
                created_at: change.now,
                deleted_at: None,
            });
        }
        if voucher::insert(change.tx, &rows).await? < rows.len() as u64 {
            // Somebody else drew one of these codes at the same moment.
            return Err(Error::Busy);
        }
        change.tell(Fact::VouchersCreated {
            plan: command.plan,
            count: rows.len() as u64,
            router: command.router,
            vouchers: rows.iter().map(|row| row.id).collect(),
        });
        let vouchers = rows.into_iter().map(|row| (row.id, row.code)).collect();
        Ok(Made { vouchers, plan_name, router_name })
    })
    .await
}

/// The names of the plan and the router.
async fn references(change: &Change<'_>, command: &NewVouchers) -> Result<(String, String), Error> {
    let mut wrong = Vec::new();
    let mut unknown = |field| wrong.push(FieldError { field, why: Why::Unknown });
    let plan = match plans::for_sale(change, command.plan, None).await {
        Ok(offer) => Some(offer.plan.name),
        Err(Error::NotFound { .. }) => None,
        Err(other) => return Err(other),
    };
    if plan.is_none() {
        unknown("plan");
    }
    let router = router::find(change.tx, change.isp, command.router).await?;
    if router.is_none() {
        unknown("router");
    }
    if let Some(id) = command.customer
        && customer::find(change.tx, change.isp, id).await?.is_none()
    {
        unknown("customer");
    }
    match (plan, router) {
        (Some(plan), Some(router)) if wrong.is_empty() => Ok((plan, router.name)),
        _ => Err(Error::Invalid(wrong)),
    }
}

/// So many codes that no live voucher has.
async fn fresh_codes(change: &Change<'_>, command: &NewVouchers) -> Result<Vec<String>, Error> {
    let (format, length, count) = (command.format, command.length, command.count);
    let exhausted = || Error::invalid("length", Why::Not(Expected::LongerCodes));
    let space = format.space(length);
    if space <= LISTED {
        let taken = voucher::codes_of_length(change.tx, change.isp, length.into()).await?;
        let taken: HashSet<String> = taken.into_iter().collect();
        let mut free: Vec<String> = (0..space)
            .map(|n| spelled(n, format, length))
            .filter(|code| !taken.contains(&code.to_lowercase()))
            .collect();
        if free.len() < count {
            return Err(exhausted());
        }
        // The first `count` of a shuffle.
        for at in 0..count {
            let other = at + below((free.len() - at) as u64) as usize;
            free.swap(at, other);
        }
        free.truncate(count);
        return Ok(free);
    }
    let mut codes: Vec<String> = Vec::with_capacity(count);
    let mut keys = HashSet::new();
    for _ in 0..16 {
        let mut drawn = Vec::new();
        while codes.len() + drawn.len() < count {
            let code = random_code(format, length);
            if keys.insert(code.to_lowercase()) {
                drawn.push(code);
            }
        }
        let wanted: Vec<String> = drawn.iter().map(|code| code.to_lowercase()).collect();
        let taken = voucher::taken(change.tx, change.isp, &wanted).await?;
        codes.extend(drawn.into_iter().filter(|code| !taken.contains(&code.to_lowercase())));
        if codes.len() == count {
            return Ok(codes);
        }
    }
    Err(exhausted())
}

/// The n-th code; of letters in both capitals one spelling is drawn.
fn spelled(mut n: u64, format: Format, length: u32) -> String {
    let digits = &format.alphabet()[..if format == Format::Numbers { 10 } else { 36 }];
    let mut code = Vec::new();
    for _ in 0..length {
        let c = digits[(n % digits.len() as u64) as usize];
        n /= digits.len() as u64;
        let lower = format == Format::Mixed && below(2) == 1;
        code.push(char::from(if lower { c.to_ascii_lowercase() } else { c }));
    }
    code.into_iter().collect()
}

fn random_code(format: Format, length: u32) -> String {
    let alphabet = format.alphabet();
    (0..length).map(|_| char::from(alphabet[below(alphabet.len() as u64) as usize])).collect()
}

/// A number below `bound`, each equally likely.
fn below(bound: u64) -> u64 {
    let bound = bound.max(1);
    let fair = u64::MAX - u64::MAX % bound;
    loop {
        let n = u64::from_le_bytes(random_bytes::<8>());
        if n < fair {
            return n % bound;
        }
    }
}

pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Voucher>, i64), Error> {
    // Codes are the whole Isp's.
    actor.sees_all()?;
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| voucher::list(tx, isp, &filter, offset, limit).await).await?)
}

/// Soft: who used them stays known, their codes are free. How many of these there were.
pub async fn delete(app: &App, actor: &Actor, ids: Vec<i64>) -> Result<usize, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let gone = voucher::delete(change.tx, change.isp, &ids, change.now).await?;
        if !gone.is_empty() {
            change.tell(Fact::VouchersDeleted { vouchers: gone.clone() });
        }
        Ok(gone.len())
    })
    .await
}

/// A voucher and who used it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    pub voucher: Voucher,
    /// The first [`USES`], the first one first.
    pub uses: Vec<Use>,
}

/// As many uses are shown.
pub const USES: i64 = 100;

pub async fn show(app: &App, actor: &Actor, id: i64) -> Result<Shown, Error> {
    actor.sees_all()?;
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let voucher = voucher::find(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Voucher })?;
            Ok(Shown { uses: voucher::uses(tx, isp, id, USES).await?, voucher })
        })
        .await
}

/// When a voucher was changed last: made or used.
pub fn changed_at(voucher: &Voucher) -> Instant {
    voucher.last_used_at.unwrap_or(voucher.created_at)
}

/// As [`delete`], for one that must still be as its caller read it.
pub async fn delete_one(app: &App, actor: &Actor, id: i64, since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let row = voucher::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Voucher })?;
        unchanged(since, changed_at(&row))?;
        let gone = voucher::delete(change.tx, change.isp, &[id], change.now).await?;
        change.tell(Fact::VouchersDeleted { vouchers: gone.clone() });
        Ok(())
    })
    .await
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Redeemed {
    pub voucher_id: i64,
    pub service_id: i64,
    pub plan_name: String,
    /// Microseconds UTC.
    pub expires_at: i64,
}

impl Redeemed {
    pub fn expires(&self) -> Instant {
        Instant(self.expires_at)
    }
}

/// Uses a voucher for a customer: its plan's next period, paid for by the voucher.
pub async fn redeem(
    app: &App,
    actor: &Actor,
    code: String,
    owner: CustomerId,
    key: Option<CallerKey>,
) -> Result<Redeemed, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let customer = customer::lock(change.tx, change.isp, owner).await?;
        let customer = customer.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(customer.branch_id)?;
        let lines = service::lock_of_customer(change.tx, change.isp, owner).await?;
        let mut line = lines.into_iter().next().ok_or(Error::NotFound { what: What::Service })?;
        let found = voucher::lock_by_code(change.tx, change.isp, &code.trim().to_lowercase()).await?;
        let mut row = found.ok_or(Error::NotFound { what: What::Voucher })?;
        if row.used >= row.clients {
            return Err(Error::Refused(Refusal::VoucherUsed));
        }
        if row.customer_id.is_some_and(|other| other != owner) {
            return Err(Error::Refused(Refusal::VoucherOfAnother));
        }
        let offer = match plans::offer(change, row.plan_id).await {
            Err(Error::NotFound { .. }) => return Err(Error::Refused(Refusal::VoucherPlanGone)),
            offer => offer?,
        };
        sell(change, &tenant, &mut line, &offer, &Payer::Voucher).await?;
        save(change, &line).await?;
        row.used += 1;
        row.last_client = Some(customer.username.clone());
        row.last_used_at = Some(change.now);
        voucher::mark_used(change.tx, &row).await?;
        Use {
            isp_id: change.isp,
            voucher_id: row.id,
            ordinal: row.used,
            customer_id: owner,
            service_id: line.id,
            client: customer.username,
            used_at: change.now,
        }
        .insert(change.tx)
        .await?;
        change.tell(Fact::VoucherRedeemed { customer: owner, voucher: row.id, ordinal: row.used });
        Ok(Redeemed {
            voucher_id: row.id,
            service_id: line.id.0,
            plan_name: offer.plan.name,
            expires_at: line.expires_at.unwrap_or(change.now).0,
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_to_their_format() {
        let rows: [(Format, fn(char) -> bool); 4] = [
            (Format::Numbers, |c| c.is_ascii_digit()),
            (Format::Upper, |c| c.is_ascii_digit() || c.is_ascii_uppercase()),
            (Format::Lower, |c| c.is_ascii_digit() || c.is_ascii_lowercase()),
            (Format::Mixed, |c| c.is_ascii_alphanumeric()),
        ];
        for (format, allowed) in rows {
            for length in 2..=10 {
                let drawn = random_code(format, length);
                let listed = spelled(below(format.space(length)), format, length);
                for code in [drawn, listed] {
                    assert!(code.len() == length as usize && code.chars().all(allowed), "{format:?} {code}");
                }
            }
        }
        let all: HashSet<String> = (0..100).map(|n| spelled(n, Format::Numbers, 2)).collect();
        assert_eq!(all.len(), 100);
    }
}
