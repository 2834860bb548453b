//! Sections H, T and U: payments, invoices, renewals.

use axum::extract::State;
use domain::{CustomerId, InvoiceId, Money, PlanId, billing::Payer};
use doors::fields::{amount, boolean, id, lines, word};
use serde_json::{Value, json};
use service::{
    App, BillFilter, Why,
    bills::{self, Means, Shown},
    moves::{self, NewMove, When},
    payments::{self, NewPayment},
    recharge::{self, Recharge},
};

use crate::envelope::{Answer, Call, Failure, Reply, day, day_of, id_of, short};

/// So many invoices in one answer.
const LISTED: i64 = 10_000;

const METHODS: &[&str] =
    &["cash", "cheque", "creditCard", "bankTransfer", "onlinePayment", "debitCard", "externalGateway"];

/// H Make payment: it settles what is owed, the rest goes to the user's wallet.
pub async fn make_payment(State(app): State<App>, mut call: Call) -> Answer {
    let currency = call.tenant.currency.clone();
    let user = call.body.required("userId", id);
    let paid = call.body.required("amount", |value| amount(&currency)(value).map(Some));
    let method = call.body.required("method", word(METHODS));
    let bank = call.body.optional("bank", short).value();
    let cheque = call.body.optional("chequeNumber", short).value();
    let gateway = call.body.optional("merchantTxnId", short).value();
    // Kept by the provider's side; the core's payment is dated when it is recorded.
    call.body.optional("paymentDate", day);
    call.body.optional("chequeDate", day);
    call.body.optional("notes", lines(500));
    if method == "cheque" {
        for (field, given) in [("bank", bank.is_some()), ("chequeNumber", cheque.is_some())] {
            if !given {
                call.body.refuse(field, Why::Required);
            }
        }
    }
    call.body.finish()?;
    let amount = paid.filter(|paid| *paid > Money::ZERO);
    let amount = amount.ok_or_else(|| Failure::said("The amount must be greater than 0."))?;
    let reference = gateway.or(match (bank, cheque) {
        (Some(bank), Some(cheque)) if method == "cheque" => Some(format!("{bank} {cheque}")),
        _ => None,
    });
    let means = Means { method: method.into(), reference };
    let command = NewPayment { customer: CustomerId(user), amount, means, bill: None };
    service::dossiers::one(&app, &call.actor, CustomerId(user)).await?;
    payments::record(&app, &call.actor, command, call.key.clone()).await?;
    Ok(Reply::message("Make payment successful"))
}

/// U Renew: the next period is sold, now or when the present one ends, on the same group or another.
pub async fn renew(State(app): State<App>, mut call: Call) -> Answer {
    let user = CustomerId(call.body.required("userId", id));
    let change_plan = call.body.optional("isChangePlan", boolean).or(false);
    call.body.alias("groupId", &["planId"]);
    let group = call.body.optional("groupId", id).value().map(PlanId);
    let scheduled = call.body.optional("scheduleRenew", boolean).or(false);
    let based_on = call.body.optional("scheduleBasedOn", word(&["nextBilling", "customDate"])).value();
    let on = call.body.optional("scheduleDate", day).value();
    let forced = call.body.optional("isForceMakePayment", boolean).or(false);
    let times = call.body.optional("renewTimes", doors::fields::integer(1, 12)).or(1);
    if change_plan && group.is_none() {
        call.body.refuse("groupId", Why::Required);
    }
    call.body.finish()?;
    let plan = group.filter(|_| change_plan);
    if scheduled {
        let plan =
            plan.ok_or_else(|| Failure::said("Only a change of plan can be scheduled; renewals are automatic."))?;
        let when = match (based_on, on) {
            (Some("customDate"), Some(day)) => When::On(day),
            (Some("customDate"), None) => return Err(Failure::said("The scheduleDate field is required.")),
            _ => When::NextCycle,
        };
        let (clear_usage, clear_policies, move_billing) = (false, false, true);
        let command = NewMove { customer: user, plan, when, clear_usage, clear_policies, move_billing };
        moves::order(&app, &call.actor, command).await?;
        return Ok(Reply::message("User renewal scheduled successfully"));
    }
    // Paid on the spot where that is said; else from what is held for the user.
    let payer = || if forced { Payer::Cash { method: "api".into() } } else { Payer::Wallet };
    for turn in 0..times {
        let key = call.key.clone().map(|mut key| {
            key.key = format!("{}:{turn}", key.key);
            key
        });
        recharge::recharge(&app, &call.actor, Recharge { customer: user, plan, payer: payer() }, key).await?;
    }
    Ok(Reply::message("User renewed successfully"))
}

fn row(call: &Call, one: &Shown) -> Value {
    let bill = &one.bill;
    let lines: Vec<Value> =
        one.lines.iter().map(|line| json!({ "description": line.text, "amount": call.amount(line.amount) })).collect();
    json!({ "Invoice": {
        "id": bill.id.to_string(), "invoice_number": format!("{}-{}", bill.series, bill.number),
        "user_id": bill.customer_id.to_string(), "account_id": call.account, "invoice_date": call.datetime(bill.issued_at),
        "due_date": call.date(bill.due_at), "amount": call.amount(bill.net), "tax_amount": call.amount(bill.tax),
        "total_amount": call.amount(bill.total), "paid_amount": call.amount(bill.paid),
        "balance_amount": call.amount(Money(bill.total.0 - bill.paid.0)), "status": bill.status.word(),
        "description": bill.description, "items": lines
    } })
}

/// T One invoice.
pub async fn invoice(State(app): State<App>, call: Call) -> Answer {
    let number = call.segment("invoiceId").map_or(0, |text| id_of(&text));
    let found = bills::show(&app, &call.actor, InvoiceId(number)).await?;
    Ok(Reply::data(row(&call, &found)))
}

/// `paid`, `unpaid`, or both.
fn status(call: &Call) -> Result<Option<bool>, Failure> {
    match call.segment("status").map(|word| word.to_ascii_lowercase()).as_deref() {
        None | Some("all") => Ok(None),
        Some("paid") => Ok(Some(true)),
        Some("unpaid") => Ok(Some(false)),
        Some(_) => Err(Failure::said("The status must be paid or unpaid.")),
    }
}

async fn found(app: &App, call: &Call, customer: Option<CustomerId>) -> Result<Vec<Shown>, Failure> {
    let paid = status(call)?;
    let date = |name: &str| match call.segment(name) {
        None => Ok(None),
        Some(text) => day_of(&text).map(Some).ok_or_else(|| Failure::said(format!("The {name} must be a date."))),
    };
    let filter = BillFilter {
        customer,
        issued_from: date("fromDate")?.map(|day| call.begins(day)),
        issued_until: date("toDate")?.map(|day| call.ends(day)),
        ..BillFilter::default()
    };
    let (mut rows, _) = bills::list(app, &call.actor, filter, 0, LISTED).await?;
    if let Some(paid) = paid {
        rows.retain(|one| (one.bill.status == domain::bill::BillStatus::Paid) == paid);
    }
    Ok(rows)
}

/// T Ids of invoices of these days.
pub async fn invoice_ids(State(app): State<App>, call: Call) -> Answer {
    let rows = found(&app, &call, None).await?;
    Ok(Reply::data(rows.iter().map(|one| Value::from(one.bill.id.to_string())).collect()))
}

/// T Invoices of these days.
pub async fn invoices(State(app): State<App>, call: Call) -> Answer {
    let rows = found(&app, &call, None).await?;
    Ok(Reply::data(rows.iter().map(|one| row(&call, one)).collect()))
}

/// T Invoices of a user.
pub async fn invoices_of(State(app): State<App>, call: Call) -> Answer {
    let user = call.user();
    service::dossiers::one(&app, &call.actor, user).await?;
    let rows = found(&app, &call, Some(user)).await?;
    Ok(Reply::data(rows.iter().map(|one| row(&call, one)).collect()))
}
