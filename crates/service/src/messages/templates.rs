//! Messages by template, written to a customer by SMS or e-mail with what is true of them at that moment.

use domain::{CustomerId, Instant, Money};
use store::{
    db::Class,
    people::{customer, profile, service},
};

use crate::{
    Actor, App, Error, Refusal, Vault, What,
    catalogue::plans,
    customers::access_check::opened,
    kernel::{app::Tenant, vault::random_bytes},
    messages::queue,
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    Sms,
    Email,
}

impl Channel {
    pub fn word(self) -> &'static str {
        match self {
            Channel::Sms => "sms",
            Channel::Email => "email",
        }
    }
}

/// Which access a grant is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Network,
    Portal,
}

/// What an alert of usage is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usage {
    Bandwidth,
    Duration,
    Vendor,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Template {
    Granted(Access),
    VerificationCode,
    Rejected,
    UsageAlert(Usage),
    Suspended,
    ValidityEnds,
    Balance,
    BillReminder,
    BillWarning,
    Prepaid,
    TicketOtp { ticket: i64, otp: String },
    TicketClosed { ticket: i64 },
    Credentials,
}

/// Where a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    Usual,
    /// The customer's alternative number.
    Alternative,
}

#[derive(Clone, Debug)]
pub struct Sending {
    pub channel: Channel,
    /// As the vendor calls the template; kept with the message.
    pub name: &'static str,
    pub template: Template,
    pub to: To,
    pub customers: Vec<CustomerId>,
}

/// Writes the messages, or none where one of them cannot be: each with its recipient.
pub async fn send(app: &App, actor: &Actor, command: Sending) -> Result<Vec<String>, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let (vault, who) = (app.vault.clone(), actor.clone());
    app.change(actor, Class::Interactive, async move |change| {
        let mut recipients = Vec::with_capacity(command.customers.len());
        for id in &command.customers {
            let owner = customer::find(change.tx, change.isp, *id).await?;
            let owner = owner.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            let recipient = match (command.channel, command.to) {
                (Channel::Sms, To::Usual) => Some(owner.phone.clone()).filter(|phone| !phone.is_empty()),
                (Channel::Sms, To::Alternative) => {
                    let profile = profile::find(change.tx, change.isp, *id).await?;
                    profile.and_then(|profile| profile.alternative_phone)
                }
                (Channel::Email, _) => owner.email.clone(),
            };
            let missing = match command.channel {
                Channel::Sms => Refusal::NoSuchPhone,
                Channel::Email => Refusal::NoEmail,
            };
            let recipient = recipient.ok_or(Error::Refused(missing))?;
            let facts = facts(change, &tenant, &vault, &owner).await?;
            let body = text(&command.template, &facts, change.now);
            queue::write(change, command.channel.word(), command.name, recipient.clone(), body, *id, owner.branch_id)
                .await?;
            recipients.push(recipient);
        }
        Ok(recipients)
    })
    .await
}

/// What a template may tell.
struct Facts {
    isp: String,
    name: String,
    username: String,
    password: Option<String>,
    portal: Option<(String, String)>,
    plan: Option<String>,
    expires_at: Option<Instant>,
    until: String,
    used_mb: i64,
    quota_mb: Option<i64>,
    used_minutes: i64,
    quota_minutes: Option<i64>,
    balance: String,
    owes: bool,
}

async fn facts(
    change: &crate::Change<'_>,
    tenant: &Tenant,
    vault: &Vault,
    owner: &store::people::customer::Customer,
) -> Result<Facts, Error> {
    let line = service::of_customer(change.tx, change.isp, owner.id).await?.into_iter().next();
    let plan = match &line {
        Some(line) => match plans::offer(change, line.plan_id).await {
            Ok(offer) => Some(offer.plan.name),
            Err(Error::NotFound { .. }) => None,
            Err(other) => return Err(other),
        },
        None => None,
    };
    let owed = store::billing::collection::owed(change.tx, change.isp, &[owner.id]).await?;
    let owed = owed.first().map_or(Money::ZERO, |(_, owed)| *owed);
    let expires_at = line.as_ref().and_then(|line| line.expires_at);
    let portal = owner.portal_secret.as_deref();
    let portal = portal.and_then(|sealed| vault.open(&crate::kernel::secrets::portal_place(owner.id), sealed));
    Ok(Facts {
        isp: tenant.isp.name.clone(),
        name: owner.full_name.clone(),
        username: line.as_ref().map_or_else(|| owner.username.clone(), |line| line.username.clone()),
        password: line.as_ref().and_then(|line| opened(vault, line)),
        portal: portal.map(|password| (owner.username.clone(), password)),
        plan,
        expires_at,
        until: expires_at
            .map_or_else(String::new, |at| at.in_zone(&tenant.zone).strftime("%Y-%m-%d %H:%M").to_string()),
        used_mb: line.as_ref().map_or(0, |line| line.used_bytes / 1_000_000),
        quota_mb: line.as_ref().and_then(|line| line.quota_bytes).map(|bytes| bytes / 1_000_000),
        used_minutes: line.as_ref().map_or(0, |line| line.used_time_s / 60),
        quota_minutes: line.as_ref().and_then(|line| line.quota_time_s).map(|seconds| seconds / 60),
        balance: format!("{} {}", tenant.currency.code, tenant.currency.format(Money(owed.0.saturating_abs()))),
        owes: owed > Money::ZERO,
    })
}

fn text(template: &Template, facts: &Facts, now: Instant) -> String {
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
        Template::VerificationCode => {
            let number = u32::from_be_bytes(random_bytes()) % 1_000_000;
            format!("Your verification code for {isp} is {number:06}.")
        }
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

/// Sends everybody who is reached this way their credentials; where to.
pub async fn recover(
    app: &App,
    actor: &Actor,
    channel: Channel,
    customers: Vec<CustomerId>,
) -> Result<Vec<String>, Error> {
    if customers.is_empty() {
        return Err(Error::NotFound { what: What::Customer });
    }
    let name = "recoverPassword";
    let sending = Sending { channel, name, template: Template::Credentials, to: To::Usual, customers };
    send(app, actor, sending).await
}
