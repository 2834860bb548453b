//! What was paid: recorded, lists and sums.

use domain::{CustomerId, Instant, InvoiceId, Money, PaymentId};
use jiff::{civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use store::{
    billing::{
        bill,
        invoice::{self, Payment, PaymentFilter},
        payment_detail::{self, PaymentDetail, Settled},
    },
    people::customer,
};

use crate::{
    Actor, App, Change, Error, Expected, What, Why,
    billing::invoices::{self, Means, WALLET, Written},
    kernel::change::CallerKey,
};

pub const KINDS: &[&str] = &["Recharge", "Payment", "Refund", "Adjustment"];

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wanted {
    pub customer: Option<CustomerId>,
    /// One of [`KINDS`].
    pub kind: Option<&'static str>,
    pub method: Option<String>,
    pub from: Option<Instant>,
    /// Not included.
    pub until: Option<Instant>,
    pub min: Option<Money>,
    pub max: Option<Money>,
}

#[derive(Clone, Debug)]
pub struct Listed {
    /// Newest first.
    pub payments: Vec<Payment>,
    /// Of all that match.
    pub count: i64,
    pub sum: Money,
    /// Of those that match besides the dates, since the tenant's midnight.
    pub today: Money,
}

pub async fn list(app: &App, actor: &Actor, wanted: Wanted, offset: i64, limit: i64) -> Result<Listed, Error> {
    let tenant = app.tenant(actor.isp).await?;
    let (isp, branch) = (actor.isp, actor.branch);
    let day = app.clock.now().day(&tenant.zone);
    let midnight = Instant::from_civil(day.at(0, 0, 0, 0), &tenant.zone);
    let filter = filter(wanted, branch);
    app.db
        .read(async move |tx| {
            let payments = invoice::list(tx, isp, &filter, offset, limit).await?;
            let (count, sum) = invoice::count_and_sum(tx, isp, &filter).await?;
            let since_midnight = PaymentFilter { from: Some(midnight), until: None, ..filter.clone() };
            let (_, today) = invoice::count_and_sum(tx, isp, &since_midnight).await?;
            Ok(Listed { payments, count, sum, today })
        })
        .await
}

fn filter(wanted: Wanted, branch: Option<domain::BranchId>) -> PaymentFilter {
    let Wanted { customer, kind, method, from, until, min, max } = wanted;
    PaymentFilter { customer, kind: kind.map(str::to_lowercase), method, branch, from, until, min, max }
}

/// A page, newest first, and how many there are in all.
pub async fn page(
    app: &App,
    actor: &Actor,
    wanted: Wanted,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Payment>, i64), Error> {
    let isp = actor.isp;
    let filter = filter(wanted, actor.branch);
    app.db
        .read(async move |tx| {
            let total = invoice::count(tx, isp, &filter).await?;
            Ok((invoice::list(tx, isp, &filter, offset, limit).await?, total))
        })
        .await
}

pub async fn show(app: &App, actor: &Actor, id: PaymentId) -> Result<Payment, Error> {
    let actor = actor.clone();
    app.db
        .read(async move |tx| {
            const UNKNOWN: Error = Error::NotFound { what: What::Payment };
            let payment = invoice::payment(tx, actor.isp, id).await?.ok_or(UNKNOWN)?;
            let owner = customer::any(tx, actor.isp, payment.customer_id).await?.ok_or(UNKNOWN)?;
            actor.reaches(owner.branch_id)?;
            Ok(payment)
        })
        .await
}

/// Money that was received outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPayment {
    pub customer: CustomerId,
    pub amount: Money,
    pub means: Means,
    /// The bill it is for; the longest due ones where none is named. What no bill needs goes to the wallet.
    pub bill: Option<InvoiceId>,
}

/// What is known of a payment besides method and reference.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Details {
    /// The day on which it was made, in the Isp's zone: lists and reports go by it. The ledger goes by when it was
    /// written down.
    pub paid_on: Option<civil::Date>,
    pub bank: Option<String>,
    pub cheque_number: Option<String>,
    /// `yyyy-mm-dd`.
    pub cheque_date: Option<String>,
    /// Only its end is kept.
    pub card_number: Option<String>,
    pub card_expiration: Option<String>,
    pub transfer_method: Option<String>,
    pub gateway_operator: Option<String>,
    pub notes: Option<String>,
    /// The provider's, where the payment itself has none; unique per method.
    pub reference: Option<String>,
}

/// A day that has not come is no day on which something was paid.
pub(crate) fn check_day(paid_on: Option<civil::Date>, now: Instant, zone: &TimeZone) -> Result<(), Error> {
    match paid_on {
        Some(day) if day > now.day(zone) => Err(Error::invalid("paid_on", Why::Not(Expected::DayThatHasCome))),
        _ => Ok(()),
    }
}

/// Keeps what is known of a payment that was written in this change, and dates it.
pub(crate) async fn describe(
    change: &Change<'_>,
    id: PaymentId,
    details: &Details,
    zone: &TimeZone,
) -> Result<(), Error> {
    check_day(details.paid_on, change.now, zone)?;
    if *details == Details::default() {
        return Ok(());
    }
    if let Some(reference) = &details.reference {
        let payment = invoice::payment(change.tx, change.isp, id).await?;
        let method = payment.ok_or_else(|| Error::Internal("a payment to describe is not there".into()))?.method;
        let seen = invoice::payment_by_reference(change.tx, change.isp, &method, reference).await?;
        if seen.is_some_and(|seen| seen.id != id) {
            return Err(Error::invalid("transaction_id", Why::Taken));
        }
        payment_detail::refer(change.tx, change.isp, id, reference).await?;
    }
    if let Some(day) = details.paid_on.filter(|day| *day != change.now.day(zone)) {
        payment_detail::date(change.tx, change.isp, id, Instant::from_civil(day.at(0, 0, 0, 0), zone)).await?;
    }
    let details = details.clone();
    PaymentDetail {
        isp_id: change.isp,
        payment_id: id,
        recorded_at: change.now,
        paid_on: details.paid_on.map(|day| day.to_string()),
        bank: details.bank,
        cheque_number: details.cheque_number,
        cheque_date: details.cheque_date,
        card_hint: details.card_number.as_deref().map(end_of_card),
        card_expiration: details.card_expiration,
        transfer_method: details.transfer_method,
        gateway_operator: details.gateway_operator,
        notes: details.notes,
    }
    .insert(change.tx)
    .await?;
    Ok(())
}

/// The last four digits of a card's number.
pub(crate) fn end_of_card(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(4)..].iter().collect()
}

/// A payment with what is known of it.
#[derive(Clone, Debug)]
pub struct Described {
    pub payment: Payment,
    pub detail: Option<PaymentDetail>,
}

/// A page of payments, the newest first, with what is known of each.
pub async fn described(
    app: &App,
    actor: &Actor,
    wanted: Wanted,
    offset: i64,
    limit: i64,
) -> Result<Vec<Described>, Error> {
    let isp = actor.isp;
    let filter = filter(wanted, actor.branch);
    app.db
        .read(async move |tx| {
            let payments = invoice::list(tx, isp, &filter, offset, limit).await?;
            let ids: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
            let mut details = payment_detail::of(tx, isp, &ids).await?;
            let with = |payment: Payment| Described { detail: details.remove(&payment.id), payment };
            Ok(payments.into_iter().map(with).collect())
        })
        .await
}

/// One payment with what is known of it.
pub async fn describe_one(app: &App, actor: &Actor, id: PaymentId) -> Result<Described, Error> {
    let payment = show(app, actor, id).await?;
    let isp = actor.isp;
    let detail = app.db.read(async move |tx| payment_detail::of(tx, isp, &[id]).await).await?.remove(&id);
    Ok(Described { payment, detail })
}

/// A payment with what is known of it and the invoices that it settled.
pub async fn receipt(app: &App, actor: &Actor, id: PaymentId) -> Result<(Described, Vec<Settled>), Error> {
    let described = describe_one(app, actor, id).await?;
    let isp = actor.isp;
    Ok((described, app.db.read(async move |tx| payment_detail::settled(tx, isp, id).await).await?))
}

/// Records a payment and settles bills with it. A provider's reference that comes again is answered with its payment.
pub async fn record(app: &App, actor: &Actor, command: NewPayment, key: Option<CallerKey>) -> Result<Written, Error> {
    record_with(app, actor, command, Details::default(), key).await
}

/// As [`record`], with what else is known of it.
///
/// # Errors
/// `Invalid` of `paid_on` where that day has not come.
pub async fn record_with(
    app: &App,
    actor: &Actor,
    command: NewPayment,
    details: Details,
    key: Option<CallerKey>,
) -> Result<Written, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    check_day(details.paid_on, app.clock.now(), &tenant.zone)?;
    if command.means.method == WALLET {
        return Err(Error::invalid("method", Why::Not(Expected::HowMoneyCame)));
    }
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let NewPayment { customer, amount, means, bill } = command.clone();
        let owner = customer::lock(change.tx, change.isp, customer).await?;
        who.reaches(owner.ok_or(Error::invalid("customer", Why::Unknown))?.branch_id)?;
        if let Some(reference) = &means.reference {
            let seen = invoice::payment_by_reference(change.tx, change.isp, &means.method, reference).await?;
            match seen {
                Some(seen) if (seen.customer_id, seen.amount) == (customer, amount) => {
                    return Ok(Written { id: seen.id.0 });
                }
                Some(_) => return Err(Error::invalid("transaction_id", Why::Taken)),
                None => {}
            }
        }
        let bills = match bill {
            None => bill::lock_open(change.tx, change.isp, customer).await?,
            Some(id) => {
                let row = bill::lock(change.tx, change.isp, id).await?.filter(|row| row.customer_id == customer);
                vec![row.ok_or(Error::invalid("bill_id", Why::Unknown))?]
            }
        };
        let payment = invoices::receive(change, customer, bills, amount, &means).await?;
        let payment = payment.ok_or_else(|| Error::Internal("money came, and no payment was written".into()))?;
        describe(change, payment.id, &details, &tenant.zone).await?;
        Ok(Written { id: payment.id.0 })
    })
    .await
}

/// Whether a reference is of the form we make where a provider gives none.
pub fn is_own_reference(text: &str) -> bool {
    text.strip_prefix("LM").is_some_and(|rest| rest.len() >= 8 && rest.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_card_only_the_end_is_kept() {
        for (number, kept) in [("4111111111111111", "1111"), ("4111 1111 1111 1234", "1234"), ("12", "12"), ("", "")] {
            assert_eq!(end_of_card(number), kept);
        }
    }

    #[test]
    fn nobody_pays_on_a_day_to_come() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let now = Instant::from_civil(civil::date(2026, 1, 10).at(0, 30, 0, 0), &zone);
        for (day, fine) in [(9, true), (10, true), (11, false)] {
            assert_eq!(check_day(Some(civil::date(2026, 1, day)), now, &zone).is_ok(), fine, "{day}");
        }
        assert!(check_day(None, now, &zone).is_ok());
    }
}
