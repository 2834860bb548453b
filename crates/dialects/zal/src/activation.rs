//! Activation with its bill, mass activation, migration. An activation's errors have the second documented envelope.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{CustomerId, Instant, Money, PlanId};
use doors::{Fields, fields};
use serde::Serialize;
use serde_json::{Number, Value, json};
use service::{
    App, Error, Expected, FieldError, Items, Refusal, What, Why,
    sales::activation::{self, Activation, Payments},
};

use crate::envelope::{Answer, Caller, Failure, PlaceOf, Reply, flag, id, named};

/// `payment_method`: its name on the books. Others are called by their number.
const METHODS: &[(i64, &str)] = &[(1, "cash"), (6, "bkash")];
/// Paid from the subscriber's balance.
const BALANCE: i64 = 4;
/// So many subscribers one mass activation takes.
const MOST: usize = 1000;

/// What a number of a method is called on the books.
pub fn method(number: i64) -> String {
    METHODS
        .iter()
        .find(|(known, _)| *known == number)
        .map_or_else(|| format!("method_{number}"), |(_, name)| (*name).into())
}

#[derive(Serialize, Debug)]
struct Activated {
    status: &'static str,
    message: &'static str,
    subscriber_id: i64,
    subscriber_username: String,
    invoice_data: Invoice,
    subscriber_data: Subscriber,
}

#[derive(Serialize, Debug)]
struct Invoice {
    id: i64,
    billing_total_amount: Number,
    billing_due_amount: Number,
    invoice_status: u8,
}

impl Invoice {
    fn of(caller: &Caller, id: i64, total: Money, due: Money) -> Invoice {
        Invoice {
            id,
            billing_total_amount: caller.amount(total),
            billing_due_amount: caller.amount(due),
            // 1 Paid, 5 Partial, 6 Due (docs/readings.md Z6).
            invoice_status: match due {
                Money(0) => 1,
                due if due < total => 5,
                _ => 6,
            },
        }
    }
}

#[derive(Serialize, Debug)]
struct Subscriber {
    id: i64,
    username: String,
    package_id: i64,
    profile_status: u8,
    expiration_date: String,
}

/// Activate/Invoice Subscriber.
pub async fn activate(State(app): State<App>, caller: Caller, mut body: Fields) -> Result<Response, Failure> {
    body.alias("subscriber_id", &["id"]);
    let customer = CustomerId(body.required("subscriber_id", id));
    let plan = body.optional("package_id", id).value().map(PlanId);
    let amount = body.optional("payment_amount", caller.money(0)).value();
    let number = body.optional("payment_method", fields::integer(1, 999)).or(1);
    let cut = body.optional("cut_subscriber_balance", flag).or(false);
    let expires_at = body.optional("custom_expiry_datetime", caller.moment()).value();
    body.finish()?;
    let command = Activation { customer, plan, payment: payment(amount, number, cut), expires_at, within: None };
    match activation::activate(&app, &caller.actor, command, caller.key.clone()).await {
        Ok(done) => Ok(Json(told(&caller, done)).into_response()),
        Err(error) => Err(refused(&app, &caller, customer, error).await),
    }
}

/// What was paid is put into the balance before the price is taken from it. The balance itself is never "received".
fn payment(amount: Option<Money>, number: i64, cut: bool) -> Payments {
    match (cut, number) {
        (true, BALANCE) => Payments::Wallet { received: amount.map(|amount| (method(1), amount)) },
        (true, number) => Payments::Wallet { received: amount.map(|amount| (method(number), amount)) },
        (false, BALANCE) => Payments::Wallet { received: None },
        (false, number) => Payments::Received { method: method(number), amount },
    }
}

fn told(caller: &Caller, done: activation::Activated) -> Activated {
    let (total, due) = (Money(done.total), Money(done.due));
    Activated {
        status: "success",
        message: "Subscriber Activated Successfully.",
        subscriber_id: done.customer_id,
        subscriber_username: done.username.clone(),
        invoice_data: Invoice::of(caller, done.invoice_id, total, due),
        subscriber_data: Subscriber {
            id: done.customer_id,
            username: done.username,
            package_id: done.plan_id,
            profile_status: 2,
            expiration_date: caller.datetime(Instant(done.expires_at)),
        },
    }
}

/// The documented errors, word for word, with the status codes of docs/readings.md 3.2.
async fn refused(app: &App, caller: &Caller, customer: CustomerId, error: Error) -> Failure {
    let told = message(caller, &error);
    let (status, message) = match (&error, told) {
        (Error::Refused(Refusal::InvoiceDue), Some(message)) => {
            // What holds it up; it may have been paid this very moment.
            let due = activation::due(app, &caller.actor, customer).await.ok().flatten();
            let besides = match due {
                Some((invoice, due)) => json!({
                    "invoice_id": invoice.0, "due_amount": caller.amount(due), "subscriber_id": customer.0
                }),
                None => json!({ "subscriber_id": customer.0 }),
            };
            return Failure::activation(StatusCode::CONFLICT, message, besides);
        }
        (Error::NotFound { .. }, Some(message)) => (StatusCode::NOT_FOUND, message),
        (_, Some(message)) => (StatusCode::UNPROCESSABLE_ENTITY, message),
        (_, None) => return caller.refused(fields::named(named(error), &[("amount", "payment_amount")])),
    };
    Failure::activation(status, message, Value::Null)
}

/// `None` for what is no matter of the activation itself.
fn message(caller: &Caller, error: &Error) -> Option<String> {
    Some(match error {
        Error::NotFound { what: What::Customer | What::Service } => "Subscriber Not Found".into(),
        Error::NotFound { what: What::Plan } => "Package Not Found".into(),
        Error::Refused(Refusal::OtherBranch) => "Package Does Not Belong To Subscriber ISP/Branch".into(),
        Error::Refused(Refusal::SellerMayNot) => "Invalid Salesperson or Package Data".into(),
        Error::Refused(Refusal::ExpiryPast) => "Custom Expiration Date/Time Invalid! Must Be A Future Date.".into(),
        Error::Refused(Refusal::InvoiceDue) => {
            "Due Invoice Already Exist (Wait 1 Hour to Generate New One Or Pay On Due Invoice)".into()
        }
        Error::Insufficient { needed } => {
            format!("Insufficient Subscriber Balance Required ({})", caller.amount(*needed))
        }
        Error::NotFound { .. }
        | Error::Refused(_)
        | Error::Invalid(_)
        | Error::Unauthenticated
        | Error::Forbidden
        | Error::InUse { .. }
        | Error::KeyReused
        | Error::KeyTaken
        | Error::Changed
        | Error::TooOften { .. }
        | Error::Busy
        | Error::Unavailable
        | Error::Internal(_) => return None,
    })
}

#[derive(Serialize, Debug)]
pub struct Counted {
    activated: usize,
    failed: usize,
    /// Why, where it is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
}

/// Mass Activation: each subscriber for itself; those that cannot be activated are counted.
pub async fn activate_many(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Counted> {
    let place = PlaceOf::read(&mut body);
    let user = body.required("user_id", id);
    let ids = body.required("selected_subscribers", selected);
    let plan = body.required("package_id", package);
    let payment = body.required("payment_type", fields::integer(1, 3));
    let expires_at = body.optional("custom_expiry_datetime", caller.moment()).value();
    if expires_at.is_some_and(|at| at <= caller.now) {
        body.refuse("custom_expiry_datetime", Why::Not(Expected::DateInFuture));
    }
    body.finish()?;
    let branch = caller.scope(&app, place).await?;
    caller.check_user(&app, user).await?;
    let payment = match payment {
        1 => Payments::Wallet { received: None },
        2 => Payments::Salesperson,
        _ => Payments::Smart,
    };
    let like = Activation { customer: CustomerId(0), plan, payment, expires_at, within: branch };
    let outcome = activation::activate_many(&app, &caller.actor, &ids, &like, caller.key.clone()).await?;
    let errors = outcome.failed.iter().map(|(id, error)| {
        let told = message(&caller, error).or((*error == Error::Forbidden).then(|| "Subscriber Not Found".into()));
        json!({ "subscriber_id": id.0, "message": told.unwrap_or_else(|| "Not activated, please try again".into()) })
    });
    let data = Counted { activated: outcome.activated, failed: outcome.failed.len(), errors: errors.collect() };
    Ok(Reply::said(format!("{} subscribers activated successfully", outcome.activated), data))
}

/// `"1,2,3"` or a list; each once.
fn selected(value: &Value) -> Result<Vec<CustomerId>, Why> {
    let parts: Vec<Value> = match value {
        Value::Array(items) => items.clone(),
        Value::Number(_) => vec![value.clone()],
        Value::String(text) => text.split(',').map(|part| Value::from(part.trim())).collect(),
        _ => return Err(Why::NotText),
    };
    if parts.is_empty() {
        return Err(Why::Required);
    }
    if parts.len() > MOST {
        return Err(Why::Not(Expected::Most { most: 1000, what: Items::Subscribers }));
    }
    let mut ids = Vec::with_capacity(parts.len());
    for part in &parts {
        let id = CustomerId(id(part).map_err(|_| Why::Not(Expected::SubscriberIds))?);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// A package's id, or `current_package`.
fn package(value: &Value) -> Result<Option<PlanId>, Why> {
    match value {
        Value::String(text) if text.trim() == "current_package" => Ok(None),
        other => id(other).map(|id| Some(PlanId(id))).map_err(|_| Why::Unknown),
    }
}

#[derive(Serialize, Debug)]
pub struct Migrated {
    old_package: String,
    new_package: String,
    /// What the rest of the old package is worth.
    credit: Number,
    /// What the new package costs for the time that is left.
    charge: Number,
    /// Its invoice, of type 3, Migration; absent where nothing is charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_data: Option<Invoice>,
}

/// Package Migration: from now on; the rest of the old package is given back, that time of the new one charged. From the
/// balance, or else the salesperson's wallet; what neither covers stays due.
pub async fn migrate(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Migrated> {
    body.alias("subscriber_id", &["id"]);
    let customer = CustomerId(body.required("subscriber_id", id));
    let plan = PlanId(body.required("new_package_id", id));
    let place = PlaceOf::read(&mut body);
    let user = body.required("user_id", id);
    body.finish()?;
    caller.scope(&app, place).await?;
    caller.check_user(&app, user).await?;
    let done = activation::migrate(&app, &caller.actor, customer, plan, caller.key.clone()).await;
    let wrong = |why| Error::Invalid(vec![FieldError { field: "new_package_id", why }]);
    let done = done.map_err(|error| match error {
        Error::NotFound { what: What::Plan } => wrong(Why::Unknown).into(),
        Error::Refused(Refusal::SellerMayNot) => wrong(Why::Not(Expected::SellersPackage)).into(),
        Error::Refused(Refusal::OtherBranch) => wrong(Why::Not(Expected::BranchsPackage)).into(),
        other => caller.refused(other),
    })?;
    let data = Migrated {
        credit: caller.amount(Money(done.credit)),
        charge: caller.amount(Money(done.charge)),
        invoice_data: done.invoice_id.map(|id| Invoice::of(&caller, id, Money(done.charge), Money(done.due))),
        old_package: done.old,
        new_package: done.new,
    };
    Ok(Reply::said("Package migrated successfully", data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selected_subscribers() {
        let rows = [
            (json!("1,2,3"), Ok(vec![1, 2, 3])),
            (json!(" 7 , 7,8"), Ok(vec![7, 8])),
            (json!([1, "2"]), Ok(vec![1, 2])),
            (json!(5), Ok(vec![5])),
            (json!("0"), Ok(vec![0])),
            (json!("1,x"), Err(Why::Not(Expected::SubscriberIds))),
            (json!("1,,2"), Err(Why::Not(Expected::SubscriberIds))),
            (json!([]), Err(Why::Required)),
            (json!({}), Err(Why::NotText)),
            (json!(vec!["1"; 1001]), Err(Why::Not(Expected::Most { most: 1000, what: Items::Subscribers }))),
        ];
        for (value, expected) in rows {
            let got = selected(&value).map(|ids| ids.into_iter().map(|id| id.0).collect::<Vec<_>>());
            assert_eq!(got, expected, "{value:.40}");
        }
    }

    #[test]
    fn how_it_is_paid() {
        let some = Some(Money(100));
        let received = |name: &str, amount| Payments::Received { method: name.into(), amount };
        let rows = [
            (None, 1, false, received("cash", None)),
            (some, 6, false, received("bkash", some)),
            (some, 9, false, received("method_9", some)),
            (None, 4, false, Payments::Wallet { received: None }),
            (None, 1, true, Payments::Wallet { received: None }),
            (some, 6, true, Payments::Wallet { received: Some(("bkash".into(), Money(100))) }),
            (some, 4, true, Payments::Wallet { received: Some(("cash".into(), Money(100))) }),
        ];
        for (amount, number, cut, expected) in rows {
            assert_eq!(payment(amount, number, cut), expected, "{amount:?} {number} {cut}");
        }
    }
}
