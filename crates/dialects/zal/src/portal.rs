//! The subscriber portal: a subscriber's own sign-in, and what it sees and does of itself (docs/readings.md 3.1, 5.1).

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use doors::{Fields, fields};
use serde::Serialize;
use serde_json::{Number, Value, json};
use service::{
    App, Error, Expected, Refusal, What, Why,
    customers::{
        card::{self, Card, Parts},
        portal::{self, Granted, SUBSCRIBER},
    },
    identity::tokens,
};

use crate::{
    envelope::{Answer, Caller, Done, Failure, Reply, token},
    list::{Details, details_of, status_word},
    modules,
};

#[derive(Serialize, Debug)]
pub struct SignedIn {
    subscriber: Known,
    token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

#[derive(Serialize, Debug)]
struct Known {
    id: i64,
    username: String,
    fullname: String,
    email: Option<String>,
    phone: Option<String>,
    package_name: Option<String>,
    expiration_date: Option<String>,
    status: &'static str,
}

pub async fn login(State(app): State<App>, mut body: Fields) -> Answer<SignedIn> {
    let username = body.required("username", fields::text(1, 64));
    let password = body.required("password", fields::secret(1, 1000));
    body.finish()?;
    let signed = portal::sign_in_subscriber(&app, &username, &password).await;
    let (_, granted) = signed.map_err(|error| match error {
        Error::Unauthenticated => Failure::new(StatusCode::UNAUTHORIZED, "Invalid username or password"),
        Error::Refused(Refusal::AccountBarred) => {
            Failure::new(StatusCode::FORBIDDEN, "Your account is disabled. Please contact support.")
        }
        other => other.into(),
    })?;
    Ok(Reply::said("Login successful", signed_in(&app, granted).await?).secret())
}

pub async fn refresh(State(app): State<App>, headers: HeaderMap) -> Answer<SignedIn> {
    let (_, granted) = portal::refresh(&app, SUBSCRIBER, &token(&headers)?).await?;
    Ok(Reply::said("Token refreshed successfully", signed_in(&app, granted).await?).secret())
}

/// The subscriber behind a token that was just given.
async fn signed_in(app: &App, granted: Granted) -> Result<SignedIn, Failure> {
    let bearer = portal::authenticate(app, SUBSCRIBER, &granted.text).await?;
    let service::Who::Customer(id) = bearer.known.actor.who else { return Err(Error::Unauthenticated.into()) };
    let tenant = app.tenant(bearer.known.actor.isp).await?;
    let card = card::show(app, &bearer.known.actor, id, Parts::PLAN).await?;
    let customer = card.customer;
    let now = app.clock.now();
    let ends = card.line.as_ref().and_then(|line| line.expires_at);
    let known = Known {
        id: customer.id.0,
        username: customer.username,
        fullname: customer.full_name,
        email: customer.email,
        phone: Some(customer.phone).filter(|phone| !phone.is_empty()),
        package_name: card.plan.map(|plan| plan.name),
        expiration_date: ends.map(|at| doors::wire::local_datetime(at, &tenant.zone)),
        status: status_word(card.line.as_ref(), now),
    };
    Ok(SignedIn { subscriber: known, token: granted.text, token_type: "bearer", expires_in: granted.expires_in_s })
}

pub async fn logout(State(app): State<App>, caller: Caller) -> Done {
    tokens::revoke(&app, &caller.actor, caller.token_id).await?;
    Ok(Reply::done("Successfully logged out"))
}

pub async fn profile(State(app): State<App>, caller: Caller) -> Answer<Details> {
    let id = caller.subscriber()?;
    details_of(&app, &caller, id).await.map(Reply::data)
}

/// The package, and what of the running period is used.
pub async fn package(State(app): State<App>, caller: Caller) -> Answer<Value> {
    let card = own(&app, &caller, Parts::PLAN | Parts::VERSION).await?;
    let mut data = modules::package(&caller, &card);
    if let (Some(line), Value::Object(_)) = (&card.line, &data) {
        data["expiration_date"] = line.expires_at.map(|at| caller.datetime(at)).into();
        data["auto_renew_status"] = u8::from(line.auto_renew).into();
        data["quota_bytes"] = line.quota_bytes.into();
        data["used_bytes"] = line.used_bytes.into();
        data["quota_seconds"] = line.quota_time_s.into();
        data["used_seconds"] = line.used_time_s.into();
    }
    Ok(Reply::data(data))
}

async fn own(app: &App, caller: &Caller, parts: Parts) -> Result<Card, Failure> {
    Ok(card::show(app, &caller.actor, caller.subscriber()?, parts).await?)
}

/// The newest first.
pub async fn invoices(State(app): State<App>, caller: Caller) -> Answer<Value> {
    let card = own(&app, &caller, Parts::INVOICES).await?;
    let name = &card.customer.full_name;
    let rows: Vec<Value> = card
        .invoices
        .iter()
        .map(|invoice| {
            json!({
                "id": invoice.id.0,
                "invoice_number": modules::number(&invoice.series, invoice.number),
                "subscriber_id": invoice.customer_id.0,
                "subscriber_name": name,
                "amount": caller.amount(invoice.total),
                "due_amount": caller.amount(domain::Money(invoice.total.0 - invoice.paid.0)),
                "status": invoice.status.word(),
                "invoice_status": modules::invoice_status(invoice.status),
                "description": invoice.description,
                "created_at": caller.datetime(invoice.issued_at),
            })
        })
        .collect();
    Ok(Reply::data(json!({ "total": rows.len(), "invoices": rows })))
}

/// The newest first.
pub async fn payments(State(app): State<App>, caller: Caller) -> Answer<Value> {
    let card = own(&app, &caller, Parts::PAYMENTS).await?;
    let name = &card.customer.full_name;
    let rows: Vec<Value> = card
        .payments
        .iter()
        .map(|payment| {
            json!({
                "id": payment.id.0,
                "subscriber_id": payment.customer_id.0,
                "subscriber_name": name,
                "amount": caller.amount(payment.amount),
                "payment_method": payment.method,
                "invoice_id": payment.invoice_id.map(|id| id.0),
                "reference": payment.reference,
                "status": payment.state,
                "created_at": caller.datetime(payment.created_at),
            })
        })
        .collect();
    Ok(Reply::data(json!({ "total": rows.len(), "payments": rows })))
}

#[derive(Serialize, Debug)]
pub struct Usage {
    balance: Number,
    used_bytes: i64,
    used_seconds: i64,
    quota_bytes: Option<i64>,
    quota_seconds: Option<i64>,
    /// The newest first.
    days: Vec<Value>,
}

/// Of the running period, and of the last ninety days on which there was any.
pub async fn usage(State(app): State<App>, caller: Caller) -> Answer<Usage> {
    let card = own(&app, &caller, Parts::BALANCE).await?;
    let line = card.line.ok_or(Error::NotFound { what: What::Service })?;
    let days = portal::usage(&app, &caller.actor, line.id).await?.into_iter();
    let days = days.map(|day| {
        json!({
            "date": crate::change::day_text(day.day), "upload_bytes": day.up, "download_bytes": day.down,
            "total_bytes": day.up.saturating_add(day.down), "seconds": day.seconds
        })
    });
    Ok(Reply::data(Usage {
        balance: caller.amount(card.balance),
        used_bytes: line.used_bytes,
        used_seconds: line.used_time_s,
        quota_bytes: line.quota_bytes,
        quota_seconds: line.quota_time_s,
        days: days.collect(),
    }))
}

/// The portal's password, chosen by the subscriber; other devices are signed out.
pub async fn change_password(State(app): State<App>, caller: Caller, mut body: Fields) -> Done {
    body.alias("current_password", &["old_password"]);
    body.alias("new_password", &["password"]);
    body.alias("new_password_confirmation", &["password_confirmation", "confirm_password"]);
    let old = body.required("current_password", fields::secret(1, 1000));
    let new = body.required("new_password", fields::secret(6, 128));
    let again = body.optional("new_password_confirmation", fields::secret(1, 1000)).value();
    if again.is_some_and(|again| again != new) {
        body.refuse("new_password_confirmation", Why::Not(Expected::SameAsNewPassword));
    }
    body.finish()?;
    portal::change_password(&app, &caller.actor, caller.subscriber()?, caller.token_id, old, new).await?;
    Ok(Reply::done("Password changed successfully"))
}
