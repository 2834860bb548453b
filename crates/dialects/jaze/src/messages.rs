//! E32, E33, E38, E40: messages by template, credentials sent again, and the log of what was sent.

use axum::extract::State;
use domain::{CustomerId, kernel::phone};
use doors::fields::{boolean, email as address, id, ids, word};
use serde_json::{Value, json};
use service::{
    App, Error, Message, Why,
    customers::{
        card::{Parts, State as Standing},
        lists::{self, Whom},
    },
    helpdesk::complaints,
    messages::{
        queue,
        templates::{self, Access, Channel, Sending, Template, To, Usage},
    },
};

use crate::envelope::{Answer, Call, Failure, Reply, short};

const SMS: &[&str] = &[
    "grantAccess",
    "verificationCode",
    "rejectUser",
    "usageAlert",
    "accountSuspension",
    "validityExpire",
    "userBalance",
    "closeTicketOtp",
    "closeTicketNotification",
];
const EMAIL: &[&str] = &[
    "userRecipt",
    "suspend",
    "rejectedUserRecipt",
    "billReminder",
    "billWarning",
    "prepaid",
    "notifyUser",
    "closeTicketOtp",
    "closedTicketNotificationClient",
];
const ACCESSES: &[&str] = &["PPPoE/Hotspot", "customerPortal"];
const USAGES: &[&str] = &["bandwidth", "duration", "vendor"];

/// The template of this name, with what it needs from the body.
async fn template(app: &App, call: &mut Call, name: &'static str) -> Result<Template, Failure> {
    let body = &mut call.body;
    let mut access = |field| match body.required(field, word(ACCESSES)) {
        "customerPortal" => Template::Granted(Access::Portal),
        _ => Template::Granted(Access::Network),
    };
    let template = match name {
        "grantAccess" => access("grantAccessType"),
        "userRecipt" => access("userReciptType"),
        "usageAlert" | "notifyUser" => Template::UsageAlert(match body.required("usageAlertType", word(USAGES)) {
            "duration" => Usage::Duration,
            "vendor" => Usage::Vendor,
            _ => Usage::Bandwidth,
        }),
        "closeTicketOtp" => {
            let (ticket, otp) = (body.required("ticketId", id), body.required("otp", short));
            body.finish()?;
            Template::TicketOtp { ticket: complaints::ticket(app, &call.actor, ticket).await?, otp }
        }
        "closeTicketNotification" | "closedTicketNotificationClient" => {
            let ticket = body.required("ticketId", id);
            body.finish()?;
            Template::TicketClosed { ticket: complaints::ticket(app, &call.actor, ticket).await? }
        }
        "verificationCode" => Template::VerificationCode,
        "rejectUser" | "rejectedUserRecipt" => Template::Rejected,
        "accountSuspension" | "suspend" => Template::Suspended,
        "validityExpire" => Template::ValidityEnds,
        "userBalance" => Template::Balance,
        "billReminder" => Template::BillReminder,
        "billWarning" => Template::BillWarning,
        _ => Template::Prepaid,
    };
    call.body.finish()?;
    Ok(template)
}

/// E32 Send SMS to one user, or to many.
pub async fn sms(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.body.required("userId", id);
    let name = call.body.required("templateName", word(SMS));
    let alternative = call.body.optional("sendSmsTo", boolean).or(false);
    let many = call.body.optional("sendMultipleSms", boolean).or(false);
    let users = call.body.optional("userIds", ids).value();
    if many && users.is_none() && !call.body.is_wrong("userIds") {
        call.body.refuse("userIds", Why::Required);
    }
    call.body.finish()?;
    let template = template(&app, &mut call, name).await?;
    let mut customers: Vec<CustomerId> = match users.filter(|_| many) {
        Some(users) => users.into_iter().map(CustomerId).collect(),
        None => vec![CustomerId(user)],
    };
    let mut seen = std::collections::HashSet::new();
    customers.retain(|id| seen.insert(*id));
    let to = if alternative { To::Alternative } else { To::Usual };
    let sending = Sending { channel: Channel::Sms, name, template, to, customers };
    let numbers = templates::send(&app, &call.actor, sending).await?;
    Ok(Reply::message(format!("{name} SMS has been dispatched to {} .", numbers.join(","))))
}

/// E33 Send email to a user.
pub async fn email(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.body.required("userId", id);
    let name = call.body.required("templateName", word(EMAIL));
    call.body.finish()?;
    let template = template(&app, &mut call, name).await?;
    let customers = vec![CustomerId(user)];
    let sending = Sending { channel: Channel::Email, name, template, to: To::Usual, customers };
    templates::send(&app, &call.actor, sending).await?;
    Ok(Reply::message("Email is sent successfully ."))
}

/// E38 Send a user its credentials again: to the phone or to the e-mail address that was named (J26).
pub async fn recover(State(app): State<App>, mut call: Call) -> Answer {
    let phone = call.body.optional("phone", short).value();
    let mail = call.body.optional("email", address).value();
    call.body.finish()?;
    let (channel, whom, place, check) = match (phone, mail) {
        (Some(phone), None) => (Channel::Sms, Whom::Phone(phone.clone()), phone, "Phone"),
        (None, Some(mail)) => (Channel::Email, Whom::Email(mail.clone()), mail, "Email"),
        _ => return Err(Failure::said("Either the phone or the email must be given, not both.")),
    };
    let found = lists::all(&app, &call.actor, whom, Parts::NONE).await?;
    let found = found.iter().filter(|one| one.state(call.now) != Standing::Deleted).map(|one| one.customer.id);
    templates::recover(&app, &call.actor, channel, found.collect()).await?;
    let place = place.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Ok(Reply::message(format!(
        "Your credentials have been sent to <strong>{place}</strong>. Please check your {check}."
    )))
}

/// The document's codes: 202 sent, 201 pending, 502 waiting for another try, 505 aborted, others failed.
fn status(row: &Message) -> (&'static str, String) {
    match (row.status.as_str(), row.attempts) {
        ("sent" | "delivered", _) => ("202", told(row, "is dispatched successfully")),
        ("queued", 0) => ("201", told(row, "is pending")),
        ("queued" | "sending", _) => ("502", row.error.clone().unwrap_or_else(|| told(row, "is waiting"))),
        ("cancelled" | "aborted", _) => ("505", told(row, "was aborted")),
        _ => ("500", row.error.clone().unwrap_or_else(|| told(row, "has failed"))),
    }
}

fn told(row: &Message, what: &str) -> String {
    format!("{} {what}", if row.channel == "email" { "Email" } else { "Sms" })
}

/// E40 What a user was sent.
pub async fn logs(State(app): State<App>, call: Call) -> Answer {
    let kind = call.segment("type").unwrap_or_else(|| "sms".into()).to_ascii_lowercase();
    let channel = match kind.as_str() {
        "sms" => "sms",
        "email" => "email",
        _ => return Err(Error::invalid("type", Why::NotOneOf(&["email", "sms"])).into()),
    };
    let rows = queue::of_customer(&app, &call.actor, call.user(), channel).await?;
    // J33: in logs a number has its country's code.
    let country = phone::country(&call.tenant.isp.time_zone);
    let number = |recipient: &str| match channel {
        "sms" => phone::international(recipient, country),
        _ => recipient.to_string(),
    };
    let row = |row: &Message| {
        let (code, message) = status(row);
        json!({
            "date_created": call.datetime(row.created_at), "number": number(&row.recipient), "content": row.body,
            "status_code": code, "error_message": message
        })
    };
    Ok(Reply::message(rows.iter().map(row).collect::<Value>()))
}
