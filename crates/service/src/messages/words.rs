//! What subscribers and owners are told in messages, in English: all that the core says in sentences, because a message is
//! written with the change that sends it. Another language is another file with the same functions.

use domain::{Instant, access::decide::Reason};

use super::templates::{Access, Facts, Template, Usage};
use crate::kernel::vault::random_bytes;

/// Reply-Message (RFC 2865 section 5.18): what a refused device may show its subscriber. An unknown
/// user and a wrong password read alike: nobody learns which names exist.
pub fn refused(reason: Reason) -> &'static str {
    match reason {
        Reason::UnknownUser | Reason::WrongPassword => "Wrong username or password",
        Reason::Suspended => "Your service is suspended, please contact us",
        Reason::Disabled => "Your service is disabled, please contact us",
        Reason::Inactive => "Your service is switched off, please contact us",
        Reason::Pending => "Your service has not started yet",
        Reason::AwaitingApproval => "Your registration awaits approval",
        Reason::Rejected => "Your registration was not accepted",
        Reason::Terminated => "Your service has ended",
        Reason::Expired => "Your package has expired, please recharge",
        Reason::QuotaUsedUp => "Your package is used up, please recharge",
        Reason::TooManySessions => "Too many devices are connected",
        Reason::WrongMac => "This device is not registered for your service",
        Reason::NoMac => "Your device could not be identified",
        Reason::WrongRouter => "Your service belongs to another access point",
        Reason::CheckFailed => "This connection is not allowed for your service",
        Reason::NoAddressLeft => "No address is free, please try again later",
        Reason::VoucherUsed => "This voucher has been used by another device",
    }
}

/// To whom a webhook belongs, when its receiver has failed for a day.
pub fn webhook_switched_off(id: i64, url: &str, since: &str, last: &str) -> String {
    format!(
        "Webhook {id} to {url} was switched off: since {since} no delivery has arrived (the last answer: {last}). What waits is \
         kept. Put the receiver right, then activate the webhook again."
    )
}

/// In the place of a secret where people may read a message.
pub const HIDDEN: &str = "••••••";

/// A message's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// For its recipient.
    pub whole: String,
    /// With secrets hidden, where it tells any.
    pub shown: Option<String>,
}

pub fn text(template: &Template, facts: &Facts, now: Instant) -> Words {
    let code = u32::from_be_bytes(random_bytes()) % 1_000_000;
    let whole = written(template, facts, now, &format!("{code:06}"));
    let password = facts.password.as_ref().map(|_| HIDDEN.to_string());
    let portal = facts.portal.clone().map(|(user, _)| (user, HIDDEN.to_string()));
    let hidden = match template.clone() {
        Template::TicketOtp { ticket, otp: _ } => Template::TicketOtp { ticket, otp: HIDDEN.into() },
        other => other,
    };
    let shown = written(&hidden, &Facts { password, portal, ..facts.clone() }, now, HIDDEN);
    let shown = (shown != whole).then_some(shown);
    Words { whole, shown }
}

/// What was written before secrets were hidden, with them hidden: each stands behind one of these words.
pub fn hide(whole: &str) -> String {
    for before in ["\nPassword: ", " is "] {
        if let Some((words, secret)) = whole.rsplit_once(before) {
            let end = if before == " is " && secret.ends_with('.') { "." } else { "" };
            return format!("{words}{before}{HIDDEN}{end}");
        }
    }
    HIDDEN.into()
}

/// `code`: of a verification.
fn written(template: &Template, facts: &Facts, now: Instant, code: &str) -> String {
    let Facts { isp, name, username, .. } = facts;
    let password = facts.password.as_deref().unwrap_or("the one you chose");
    let plan = facts.plan.as_deref().unwrap_or("your package");
    let of = |limit: Option<i64>, unit: &str| limit.map_or(String::new(), |limit| format!(" of {limit} {unit}"));
    match template {
        Template::Granted(Access::Network) => {
            format!(
                "You have been granted access to the internet at {isp} -\nUsername: {username}\nPassword: {password}"
            )
        }
        Template::Granted(Access::Portal) => {
            let (user, password) = match &facts.portal {
                Some((user, password)) => (user.as_str(), password.as_str()),
                None => (username.as_str(), password),
            };
            format!(
                "You have been granted access to the customer portal of {isp} -\nUsername: {user}\nPassword: {password}"
            )
        }
        Template::VerificationCode => format!("Your verification code for {isp} is {code}."),
        Template::Rejected => format!("Dear {name}, your registration at {isp} was not accepted."),
        Template::UsageAlert(Usage::Bandwidth) => {
            format!("Dear {name}, you have used {} MB{} of {plan}. {isp}", facts.used_mb, of(facts.quota_mb, "MB"))
        }
        Template::UsageAlert(Usage::Duration) => {
            let limit = of(facts.quota_minutes, "minutes");
            format!("Dear {name}, you have used {} minutes{limit} of {plan}. {isp}", facts.used_minutes)
        }
        Template::UsageAlert(Usage::Vendor) => {
            format!("Dear {name}, the settings of {plan} have changed with your use of {} MB. {isp}", facts.used_mb)
        }
        Template::Suspended => format!("Dear {name}, your account {username} at {isp} has been suspended."),
        Template::ValidityEnds => match facts.expires_at.filter(|at| *at > now) {
            Some(at) => {
                let days = (at.seconds_since(now) + 43_200) / 86_400;
                format!("Your validity expires in {days} days. Please recharge to enjoy uninterrupted service.")
            }
            None => "Your validity has expired. Please recharge to enjoy uninterrupted service.".into(),
        },
        Template::Balance => match facts.owes {
            true => format!("Dear {name}, you owe {} to {isp}.", facts.balance),
            false => format!("Dear {name}, your balance at {isp} is {}.", facts.balance),
        },
        Template::BillReminder => match facts.owes {
            true => format!("Dear {name}, please remember your bill of {} at {isp}.", facts.balance),
            false => format!("Dear {name}, nothing is owed to {isp}; {plan} lasts until {}.", facts.until),
        },
        Template::BillWarning => match facts.owes {
            true => format!("Dear {name}, {} is owed to {isp}. Unpaid accounts are suspended.", facts.balance),
            false => format!("Dear {name}, nothing is owed to {isp}; {plan} lasts until {}.", facts.until),
        },
        Template::Prepaid => format!("Dear {name}, {plan} at {isp} lasts until {}.", facts.until),
        Template::TicketOtp { ticket, otp } => {
            format!("Dear {name}, the code to close your ticket {ticket} at {isp} is {otp}.")
        }
        Template::TicketClosed { ticket } => format!("Dear {name}, your ticket {ticket} at {isp} has been closed."),
        Template::Credentials => format!("Your credentials at {isp} -\nUsername: {username}\nPassword: {password}"),
    }
}
