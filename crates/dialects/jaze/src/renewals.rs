//! E35: renewals are the periods that were sold, and moves to another group that billed nothing. Section U: renewing.

use axum::extract::State;
use domain::{
    CustomerId, Instant, PlanId,
    sales::renewing::{Begin, Length},
};
use doors::fields::{boolean, digits, id, integer, named, word};
use serde_json::{Value, json};
use service::{
    App, Expected, Why,
    billing::receipts::Details,
    customers::card::{self, Parts},
    sales::{
        moves::{self, Renewal},
        renewal_orders::{self as orders, MAX_TIMES, Paying, When},
    },
};

use crate::{
    envelope::{Answer, Call, Reply, day, day_near, short},
    payments::METHODS,
};

/// E35 Renewals of a user, or of all, of these days or of all time; the newest 10,000 (J24).
pub async fn list(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.body.optional("userId", id).value().map(CustomerId);
    let from = call.body.optional("fromDate", day_near).value();
    let to = call.body.optional("toDate", day_near).value();
    call.body.finish()?;
    if let Some(user) = user {
        card::any(&app, &call.actor, user, Parts::NONE).await?;
    }
    let from = from.map_or(Instant(0), |day| call.begins(day));
    let until = to.map_or(Instant(i64::MAX), |day| call.ends(day));
    let found = moves::renewals(&app, &call.actor, user, from, until).await?;
    let rows = found.iter().map(|one| json!({ "RenewalDetails": row(&call, one) }));
    Ok(Reply::message(rows.collect::<Value>()))
}

fn row(call: &Call, renewal: &Renewal) -> Value {
    match renewal {
        Renewal::Sold { period, previous } => {
            let first = period.ordinal == 1;
            let days = (period.ends_at.seconds_since(period.starts_at) + 43_200) / 86_400;
            let previous = previous.unwrap_or(period.plan_id);
            json!({
                "id": period.id.to_string(), "user_id": period.customer_id.to_string(), "account_id": call.account,
                "admin_username": if first { "User Addition" } else { "Renewal" },
                "renewal_days": format!("{days} days"), "renewal_amount": call.amount(period.price),
                "plan_rate": Value::Null, "tax_amount": Value::Null, "type": "1",
                "previous_group_id": previous.to_string(), "present_group_id": period.plan_id.to_string(),
                "previous_plan_id": previous.to_string(), "present_plan_id": period.plan_id.to_string(),
                "order_id": period.invoice_id.map(|id| id.to_string()),
                "order_active_until": call.datetime(period.ends_at), "date_created": call.datetime(period.created_at),
                "deleted": "0", "active_since": call.date(period.starts_at), "active_until": call.date(period.ends_at),
                "notes": if first { "add user".into() } else { period.reason.clone() }
            })
        }
        Renewal::Moved(row) => {
            let at = row.done_at.unwrap_or(row.created_at);
            json!({
                "id": row.id.to_string(), "user_id": row.customer_id.to_string(), "account_id": call.account,
                "admin_username": row.actor, "renewal_days": Value::Null, "renewal_amount": call.amount(row.charge),
                "plan_rate": Value::Null, "tax_amount": Value::Null, "type": "2",
                "previous_group_id": row.from_plan.to_string(), "present_group_id": row.to_plan.to_string(),
                "previous_plan_id": row.from_plan.to_string(), "present_plan_id": row.to_plan.to_string(),
                "order_id": Value::Null, "order_active_until": Value::Null, "date_created": call.datetime(at),
                "deleted": "0", "active_since": call.date(at), "active_until": Value::Null, "notes": "move group"
            })
        }
    }
}

/// U How a user is renewed by default; `userBillingId` is the `billing_id` of its newest period.
pub async fn defaults(State(app): State<App>, mut call: Call) -> Answer {
    let billing = call.body.required("userBillingId", id);
    call.body.finish()?;
    let found = orders::defaults(&app, &call.actor, billing).await?;
    Ok(Reply::data(json!({
        "userBillingId": billing.to_string(), "userId": found.customer.to_string(), "isForceMakePayment": "false",
        "isRenewPresentDate": "false", "isRenewPaidUsers": "false", "isRenewWithDays": "false",
        "isChangePlan": "false", "planId": found.plan.to_string(), "groupId": found.plan.to_string(),
        "groupName": found.plan_name, "currentInvoiceOnProrataBasis": "false", "newInvoiceOnProrataBasis": "false",
        "renewTimes": "1", "amount": call.amount(found.price), "activeSince": call.datetime(found.starts_at),
        "activeUntil": call.datetime(found.ends_at), "autoRenew": if found.auto_renew { "true" } else { "false" },
        "scheduledAt": found.waits_until.map(|at| call.datetime(at))
    })))
}

/// `renewPeriod`: so many days, or months, are asked for.
const DAYS: i64 = 366;
const MONTHS: i64 = 36;
const PRESENT: &[&str] = &["true", "false", "previous"];

/// From when, and for how long.
struct Stretch {
    begin: Begin,
    length: Length,
    times: i64,
}

/// The settings of section U as the core's (`domain::sales::renewing`):
///
/// | setting                         | means                                                                        |
/// |---------------------------------|------------------------------------------------------------------------------|
/// | `isRenewPresentDate` true       | the new period begins now                                                    |
/// | false                           | at the end of the present one, now where that is over; another group waits for it |
/// | previous                        | at the end of the last one, even where that is past                          |
/// | `isRenewWithDays`, `payAsYouGoDays` | so many days, each at its part of the price                              |
/// | `renewPeriod`, `renewTimes`     | so many days or months, each at its part of the price; without it so many periods |
/// | `newInvoiceOnProrataBasis`      | up to the next cycle day, at its part of the price                           |
fn stretch(call: &mut Call) -> Stretch {
    let body = &mut call.body;
    let begin = match body.optional("isRenewPresentDate", |value| word(PRESENT)(&short(value)?.into())).value() {
        Some("true") => Begin::Now,
        Some("false") => Begin::AtEnd,
        Some(_) => Begin::AfterLast,
        None => Begin::Usual,
    };
    let with_days = body.optional("isRenewWithDays", boolean).or(false);
    let days = body.optional("payAsYouGoDays", integer(1, DAYS)).value();
    let period = body.optional("renewPeriod", word(&["days", "months"])).value();
    let to_cycle = body.optional("newInvoiceOnProrataBasis", boolean).or(false);
    let most = match period {
        Some("days") => DAYS,
        Some(_) => MONTHS,
        None => MAX_TIMES,
    };
    let times = body.optional("renewTimes", integer(1, most)).value();
    if with_days && days.is_none() && !body.is_wrong("payAsYouGoDays") {
        body.refuse("payAsYouGoDays", Why::Required);
    }
    if with_days && period.is_some() {
        body.refuse("renewPeriod", Why::Not(Expected::LeftOutForDays));
    }
    if to_cycle && (with_days || period.is_some() || times.is_some_and(|times| times > 1)) {
        body.refuse("newInvoiceOnProrataBasis", Why::Not(Expected::FalseForOther));
    }
    let count = |count: Option<i64>| count.map_or(1, |count| count as u32);
    let (length, times) = match period {
        _ if with_days => (Length::Days(count(days)), times.unwrap_or(1).min(MAX_TIMES)),
        Some("days") => (Length::Days(count(times)), 1),
        Some(_) => (Length::Months(count(times)), 1),
        None if to_cycle => (Length::ToCycleDay, 1),
        None => (Length::Plan, times.unwrap_or(1)),
    };
    Stretch { begin, length, times }
}

/// Who pays: the wallet, or, where the payment is made with the renewal, by `paymentType`, whose values say of a cheque
/// bank, number and date, of a card its number and expiration, of a transfer its method and reference, of a gateway the
/// operator and its reference.
fn paying(call: &mut Call) -> Paying {
    let body = &mut call.body;
    let forced = body.optional("isForceMakePayment", boolean).or(false);
    let method = body.optional("paymentType", word(METHODS)).value();
    let [first, second] = ["paymentTypeVal1", "paymentTypeVal2"].map(|name| body.optional(name, short).value());
    let third = body.optional("paymentTypeVal3", day).value();
    if !forced && method.is_some() {
        body.refuse("paymentType", Why::Not(Expected::LeftOutUnlessForced));
    }
    let given = [("paymentTypeVal1", first.is_some()), ("paymentTypeVal2", second.is_some())];
    let too_many = [("paymentTypeVal3", third.is_some() && method != Some("cheque"))];
    let none = matches!(method, None | Some("cash"));
    for (name, given) in given.into_iter().map(|(name, given)| (name, given && none)).chain(too_many) {
        if given {
            body.refuse(name, Why::Not(Expected::LeftOutForPaymentType));
        }
    }
    if !forced {
        return Paying::Wallet;
    }
    let mut details = Details::default();
    match method {
        Some("cheque") => {
            for (name, value) in [("paymentTypeVal1", &first), ("paymentTypeVal2", &second)] {
                if value.is_none() {
                    body.refuse(name, Why::Required);
                }
            }
            details.reference = first.as_ref().zip(second.as_ref()).map(|(bank, number)| format!("{bank} {number}"));
            (details.bank, details.cheque_number) = (first, second);
            details.cheque_date = third.map(|day| day.to_string());
        }
        Some("creditCard" | "debitCard") => {
            if let Some(number) = &first
                && digits(19)(&number.as_str().into()).is_err()
            {
                body.refuse("paymentTypeVal1", Why::DigitsOnly);
            }
            (details.card_number, details.card_expiration) = (first, second);
        }
        Some("bankTransfer") => (details.transfer_method, details.reference) = (first, second),
        Some("onlinePayment" | "externalGateway") => (details.gateway_operator, details.reference) = (first, second),
        _ => {}
    }
    Paying::Received { method: method.unwrap_or("api").into(), details }
}

/// U Renew: the next period is sold, now or when it is scheduled for, on the same group or another.
/// `renewDefaultSettings` means the next period of the present group behind the present one, whatever else is set.
pub async fn renew(State(app): State<App>, mut call: Call) -> Answer {
    let customer = CustomerId(call.body.required("userId", id));
    let by_default = call.body.optional("renewDefaultSettings", boolean).or(false);
    let paying = paying(&mut call);
    let change_plan = call.body.optional("isChangePlan", boolean).or(false);
    call.body.alias("groupId", &["planId"]);
    let group = call.body.optional("groupId", id).value().map(PlanId);
    let Stretch { begin, length, times } = stretch(&mut call);
    let credit_rest = call.body.optional("currentInvoiceOnProrataBasis", boolean).or(false);
    let only_paid = call.body.optional("isRenewPaidUsers", boolean).or(false);
    let scheduled = call.body.optional("scheduleRenew", boolean).or(false);
    let based_on = call.body.optional("scheduleBasedOn", word(&["nextBilling", "customDate"])).or("nextBilling");
    let on = call.body.optional("scheduleDate", day).value();
    if change_plan && group.is_none() && !call.body.is_wrong("groupId") {
        call.body.refuse("groupId", Why::Required);
    }
    if scheduled && based_on == "customDate" && on.is_none() && !call.body.is_wrong("scheduleDate") {
        call.body.refuse("scheduleDate", Why::Required);
    }
    call.body.finish()?;
    let usual = orders::Renewal {
        customer,
        plan: None,
        when: When::Now,
        begin: Begin::Usual,
        length: Length::Plan,
        times: 1,
        credit_rest: false,
        only_paid: false,
        paying,
    };
    let command = match by_default {
        true => usual,
        false => orders::Renewal {
            plan: group.filter(|_| change_plan),
            when: match (scheduled, based_on, on) {
                (false, ..) => When::Now,
                (true, "customDate", Some(day)) => When::On(day),
                (true, ..) => When::PeriodEnd,
            },
            begin,
            length,
            times,
            credit_rest,
            only_paid,
            ..usual
        },
    };
    let names = [("plan", "groupId"), ("date", "scheduleDate"), ("transaction_id", "paymentTypeVal2")];
    let done = orders::order(&app, &call.actor, command, call.key.clone()).await;
    let done = done.map_err(|error| named(error, &names))?;
    Ok(Reply::message(match done.waits_until {
        Some(_) => "User renewal scheduled successfully",
        None => "User renewed successfully",
    }))
}
