//! Grace: a line goes on for some days without a sale.

use domain::{CustomerId, Instant, Status};
use jiff::{Span, civil, tz::TimeZone};
use store::{
    people::{customer, service},
    sales::grace::Grace,
};

use crate::{
    Actor, App, Error, Expected, Fact, Refusal, What, Why,
    kernel::{amounts, change::CallerKey, hold::primary, ids::Table},
    sales::{sale::save, standing, turning},
};

/// Nobody waits longer for money.
pub const MAX_DAYS: i64 = 366;

#[derive(Clone, Debug)]
pub struct NewGrace {
    /// Added to the end of the line's time, or to now where it has ended.
    pub days: i64,
    /// The last day, which wins over `days`.
    pub until: Option<civil::Date>,
}

/// Moves the end of the customer's primary line. A line that was suspended is active again; one that was switched off
/// in another way is not let in by grace.
pub async fn give(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    command: NewGrace,
    key: Option<CallerKey>,
) -> Result<(), Error> {
    actor.writes()?;
    if !(0..=MAX_DAYS).contains(&command.days) {
        let why = if command.days < 0 { Why::TooSmall { min: 0 } } else { Why::TooLarge { max: MAX_DAYS } };
        return Err(Error::invalid("days", why));
    }
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let mut line = primary(change, &who, id).await?;
        match line.status {
            Status::Active | Status::Suspended | Status::Pending => {}
            Status::Disabled | Status::Inactive | Status::AwaitingApproval | Status::Rejected | Status::Terminated => {
                return Err(Error::Refused(Refusal::SwitchedOff));
            }
        }
        let from = line.expires_at.unwrap_or(change.now).max(change.now);
        let until = match command.until {
            Some(day) => Instant::from_civil(amounts::day("until", day)?.at(23, 59, 59, 0), &tenant.zone),
            None => days_later(from, command.days, &tenant.zone),
        };
        amounts::moment("days", Some(until))?;
        if until <= change.now && command.until.is_some() {
            return Err(Error::invalid("until", Why::Not(Expected::DayNotOver)));
        }
        if until == from {
            // No day more: nothing changes.
            return Ok(());
        }
        Grace {
            isp_id: change.isp,
            id: change.id(Table::Grace).await?,
            service_id: line.id,
            customer_id: id,
            days: command.days,
            from_at: from,
            until_at: until,
            actor: change.actor.into(),
            created_at: change.now,
        }
        .insert(change.tx)
        .await?;
        let before = line.clone();
        line.expires_at = Some(until);
        line.expired_event_at = None;
        // The anchor of an expiry set by hand is that expiry's day.
        line.anchor_day = Some(i64::from(until.day(&tenant.zone).day()));
        line.updated_at = change.now;
        if line.status == Status::Suspended {
            standing::set(change, &mut line, Status::Active, "grace").await?;
        }
        turning::tell(change, &before, &mut line, "grace");
        change.tell(Fact::ServiceGraceGiven { line: line.id, customer: id, days: command.days, from, until });
        save(change, &line).await
    })
    .await
}

/// The same local time so many civil days later.
fn days_later(at: Instant, days: i64, zone: &TimeZone) -> Instant {
    let local = at.in_zone(zone).datetime();
    match Span::new().try_days(days).and_then(|span| local.checked_add(span)) {
        Ok(later) => Instant::from_civil(later, zone),
        Err(_) => at,
    }
}

/// What a line has been given, the newest first.
pub async fn list(app: &App, actor: &Actor, id: CustomerId) -> Result<Vec<Grace>, Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let owner = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            match service::of_customer(tx, isp, id).await?.first() {
                Some(line) => Ok(store::sales::grace::of_service(tx, isp, line.id).await?),
                None => Ok(Vec::new()),
            }
        })
        .await
}
