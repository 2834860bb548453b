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
    kernel::app::Tenant,
    messages::{queue, words},
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
            let words = words::text(&command.template, &facts, change.now);
            let about = queue::About { kind: command.name, customer: *id, branch: owner.branch_id };
            queue::write(change, &vault, command.channel, recipient.clone(), words, about).await?;
            recipients.push(recipient);
        }
        Ok(recipients)
    })
    .await
}

/// What a template may tell.
#[derive(Clone)]
pub struct Facts {
    pub isp: String,
    pub name: String,
    pub username: String,
    pub password: Option<String>,
    pub portal: Option<(String, String)>,
    pub plan: Option<String>,
    pub expires_at: Option<Instant>,
    pub until: String,
    pub used_mb: i64,
    pub quota_mb: Option<i64>,
    pub used_minutes: i64,
    pub quota_minutes: Option<i64>,
    pub balance: String,
    pub owes: bool,
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
