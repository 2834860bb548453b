//! Facts as people say them. Whoever adds a reason or a fact finds here what does not compile yet.

use domain::{
    Currency, Instant, Money,
    access::decide::Reason,
    kernel::clock::{DAY, HOUR, MINUTE, SECOND},
};
use jiff::tz::TimeZone;

use super::failure;
use service::{
    Fact,
    kernel::{events::Event, facts::CoaAnswer},
};

/// Why a login was refused, for whoever must help.
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::UnknownUser => "no such username",
        Reason::WrongPassword => "wrong password",
        Reason::Suspended => "suspended",
        Reason::Disabled => "disabled by staff",
        Reason::Inactive => "switched off by staff",
        Reason::Pending => "not started yet",
        Reason::AwaitingApproval => "awaits approval",
        Reason::Rejected => "registration rejected",
        Reason::Terminated => "service ended",
        Reason::Expired => "package expired",
        Reason::QuotaUsedUp => "package used up",
        Reason::TooManySessions => "too many devices online",
        Reason::WrongMac => "another device than the registered one",
        Reason::NoMac => "the router named no device",
        Reason::WrongRouter => "bound to another router",
        Reason::CheckFailed => "a check attribute did not match",
        Reason::NoAddressLeft => "no address left in the pool",
        Reason::VoucherUsed => "voucher used by another device",
    }
}

/// The ISP's own way to write times and amounts.
pub struct Local<'a> {
    pub zone: &'a TimeZone,
    pub currency: &'a Currency,
}

impl Local<'_> {
    pub fn time(&self, at: Instant) -> String {
        at.in_zone(self.zone).strftime("%H:%M:%S").to_string()
    }

    pub fn moment(&self, at: Instant) -> String {
        at.in_zone(self.zone).strftime("%-d %b %H:%M").to_string()
    }

    pub fn amount(&self, amount: Money) -> String {
        format!("{} {}", self.currency.format(amount), self.currency.code)
    }
}

/// What happened, in one sentence. `who` is the subject's name.
pub fn event(event: &Event, who: &str, local: &Local<'_>) -> String {
    match Fact::read(event) {
        Some(fact) => self::fact(&fact, who, local),
        // Of another build: its kind at least is known.
        None => format!("{who}: {}", event.kind.word().replace(['.', '_'], " ")),
    }
}

/// The same of a fact.
pub fn fact(fact: &Fact, who: &str, local: &Local<'_>) -> String {
    let speed = |down: Option<u32>, up: Option<u32>| match down {
        Some(down) => rate(down.into(), up.unwrap_or(0).into()),
        None => "without a limit".into(),
    };
    let order = |order: &CoaAnswer| match order.request.as_str() {
        "disconnect" => format!("The router was told to hang up {who}"),
        _ => format!("The router was told to change the session of {who}"),
    };
    match fact {
        Fact::IspCreated { name } => format!("{name} opened"),
        Fact::StaffCreated { .. } => "A staff member was added".into(),
        Fact::StaffUpdated { .. }
        | Fact::StaffRestored { .. }
        | Fact::StaffDeleted { .. }
        | Fact::OperatorPriced { .. }
        | Fact::FloatHandedIn { .. }
        | Fact::SalespersonPlans { .. }
        | Fact::SalespersonRenews { .. } => "A staff member's details were changed".into(),
        Fact::StaffSuspended { .. } => "A staff member was suspended".into(),
        Fact::ApiClientCreated { name, .. } => format!("API client “{name}” was made"),
        Fact::ApiClientUpdated { name, .. } => format!("API client “{name}” was changed"),
        Fact::ApiClientRotated { .. } | Fact::ApiClientTokensMade { .. } => "An API client got new credentials".into(),
        Fact::ApiClientRevoked { name, .. } => format!("API client “{name}” was revoked"),
        Fact::TokenReused { .. } => "A used-up refresh token came again: its login was ended".into(),
        Fact::BandwidthCreated { name, .. } => format!("Bandwidth “{name}” was added"),
        Fact::BandwidthUpdated { name, .. } => format!("Bandwidth “{name}” was changed"),
        Fact::BandwidthDeleted { name, .. } => format!("Bandwidth “{name}” was removed"),
        Fact::PoolCreated { name, .. } => format!("Address pool “{name}” was added"),
        Fact::PoolDeleted { name, .. } => format!("Address pool “{name}” was removed"),
        Fact::PlanCreated { name, .. } | Fact::PlanCopied { name, .. } => format!("Plan “{name}” was added"),
        Fact::PlanUpdated { name, .. } | Fact::PlanFupChosen { name, .. } | Fact::PlanRenews { name, .. } => {
            format!("Plan “{name}” was changed")
        }
        Fact::PlanDeleted { name, .. } => format!("Plan “{name}” was removed"),
        Fact::OwnFupCreated { .. } | Fact::OwnFupDeleted { .. } => "A line's own fair use policy was changed".into(),
        Fact::FupTemplateCreated { name, .. } => format!("Fair use policy “{name}” was added"),
        Fact::FupTemplateUpdated { name, .. } => format!("Fair use policy “{name}” was changed"),
        Fact::FupTemplateDeleted { name, .. } => format!("Fair use policy “{name}” was removed"),
        Fact::FupOverridden { template: None, .. } => format!("{who} was exempted from fair use"),
        Fact::FupOverridden { template: Some(_), .. } => {
            format!("{who} was given another fair use policy than the plan's")
        }
        Fact::FupCleared { .. } => format!("{who} has the plan's fair use policy again"),
        Fact::FupCrossed { turned, .. } => format!(
            "{who} has used {} of {}: now {}",
            bytes(turned.used_bytes),
            bytes(turned.threshold_bytes.unwrap_or(0).saturating_add(turned.carried_bytes)),
            speed(turned.to_down_kbps, turned.to_up_kbps)
        ),
        Fact::FupRelaxed { turned, .. } => format!(
            "{who} is below the limits of a changed policy: {} again",
            speed(turned.to_down_kbps, turned.to_up_kbps)
        ),
        Fact::FupReset { turned, .. } => format!(
            "A new cycle began for {who}, who had used {}: {} again",
            bytes(turned.used_bytes),
            speed(turned.to_down_kbps, turned.to_up_kbps)
        ),
        Fact::RouterCreated { name, .. } => format!("Router “{name}” was added"),
        Fact::RouterUpdated { .. } | Fact::RouterCoaPortSet { .. } | Fact::RouterSigns { .. } => {
            format!("Router {who} was changed")
        }
        Fact::RouterDeleted { .. } => format!("Router {who} was removed"),
        Fact::VouchersCreated { count, .. } => format!("{count} vouchers were made"),
        Fact::VouchersDeleted { vouchers } => format!("{} vouchers were removed", vouchers.len()),
        Fact::VoucherUsed { .. } | Fact::VoucherRedeemed { .. } => format!("{who} used a voucher"),
        Fact::CustomerCreated { username, .. } => format!("{username} became a customer"),
        Fact::CustomerUpdated { username, .. } | Fact::CustomerPasswordSet { username, .. } => {
            format!("{username}'s details were changed")
        }
        Fact::CustomerDeleted { username, .. } => format!("{username} was deleted"),
        Fact::ServiceCreated { .. } => format!("{who} waits to be activated"),
        Fact::ServiceRecharged { expires_at, amount, .. } => {
            let until = local.moment(*expires_at);
            match *amount {
                Money::ZERO => format!("{who} may go on until {until}, complimentary"),
                amount => format!("{who} may go on until {until} for {}", local.amount(amount)),
            }
        }
        Fact::ServiceActivated { .. } => format!("{who} was activated"),
        Fact::ServiceSuspended { reason, .. } => format!("{who} was suspended: {reason}"),
        Fact::ServiceDisabled { reason, .. } => format!("{who} was disabled: {reason}"),
        Fact::ServiceDeactivated { reason, .. } => format!("{who} was switched off: {reason}"),
        Fact::ServiceExpired { .. } => format!("{who}'s package expired"),
        Fact::ServiceQuotaUsedUp { .. } => format!("{who}'s package is used up"),
        Fact::LineMacLearnt { mac, .. } => format!("{who} is now tied to {mac}"),
        Fact::LineDeleted { .. }
        | Fact::LineAttributesChanged { .. }
        | Fact::LineAttributesPut { .. }
        | Fact::LinePriced { .. }
        | Fact::LineTermsChanged { .. }
        | Fact::LineSiteChanged { .. }
        | Fact::LinePlanChanged { .. }
        | Fact::LineChanged { .. } => format!("{who}'s line was changed"),
        Fact::ServiceGraceGiven { days, .. } => format!("{who} was given {days} days of grace"),
        Fact::ServiceSecretRead { .. } => format!("{who}'s password was shown"),
        Fact::ServiceMoveOrdered { .. } => format!("{who} is to be moved to another plan"),
        Fact::ServiceMoved { .. } => format!("{who} was moved to another plan"),
        Fact::ServiceRenewalOrdered { at, .. } => format!("{who} is to be renewed at {}", local.moment(*at)),
        Fact::ServiceRenewalFailed { outcome, .. } => {
            format!("{who} could not be renewed as ordered: {}", failure(outcome))
        }
        Fact::ServiceFirstUsed { .. } => format!("{who} came online for the first time"),
        Fact::SessionLost { .. } => format!("The router has been silent about {who}: the session counts as lost"),
        Fact::PaymentReceived { amount, method, .. } => format!("{who} paid {} by {method}", local.amount(*amount)),
        Fact::InvoiceIssued { bill, .. } | Fact::InvoiceIssuedPaid { bill, .. } => {
            format!("Invoice {} for {who}: {}", bill.number, local.amount(bill.total))
        }
        Fact::InvoiceUpdated { bill, .. } => format!("Invoice {} of {who} was corrected", bill.number),
        Fact::InvoicePaid { bill, .. } => format!("Invoice {} of {who} is paid", bill.number),
        Fact::InvoiceVoided { bill, .. } => format!("Invoice {} of {who} was cancelled", bill.number),
        Fact::CollectionRequested { .. } => format!("{who} asked for a collector"),
        Fact::CollectionMade { .. } => format!("A collector visited {who}"),
        Fact::CollectionApproved { .. } => format!("What {who} gave the collector was approved"),
        Fact::CollectionDisapproved { .. } => format!("What {who} gave the collector was not approved"),
        Fact::StaffFunded { amount, .. } => format!("A salesperson was funded with {}", local.amount(*amount)),
        Fact::OperatorFunded { amount, .. } => format!("An operator was funded with {}", local.amount(*amount)),
        Fact::ZoneCreated { name, .. } => format!("Zone “{name}” was opened"),
        Fact::ZoneUpdated { name, .. } => format!("Zone “{name}” was changed"),
        Fact::ZoneDeleted { name, .. } => format!("Zone “{name}” was closed"),
        Fact::PlaceCreated { level, name, .. } => format!("The {level} “{name}” was entered"),
        Fact::PlaceUpdated { level, name, .. } => format!("The {level} “{name}” was changed"),
        Fact::PlaceDeleted { level, name, .. } => format!("The {level} “{name}” was deleted"),
        Fact::DepartmentCreated { name, .. } => format!("Department “{name}” was entered"),
        Fact::DepartmentUpdated { name, .. } => format!("Department “{name}” was changed"),
        Fact::DepartmentDeleted { name, .. } => format!("Department “{name}” was deleted"),
        Fact::ComplaintCreated { subject, .. } => format!("A complaint came in: {subject}"),
        Fact::ComplaintUpdated { .. } | Fact::ComplaintCommented { .. } => "A complaint was worked on".into(),
        Fact::ComplaintClosed { .. } => "A complaint was closed".into(),
        Fact::WebhookCreated { .. } => "A webhook was added".into(),
        Fact::WebhookUpdated { .. } | Fact::WebhookRotated { .. } => "A webhook was changed".into(),
        Fact::WebhookDeleted { .. } => "A webhook was removed".into(),
        Fact::WebhookDisabled { url, .. } => format!("The webhook to {url} failed for too long and was disabled"),
        Fact::OltCreated { name, .. } => format!("OLT “{name}” was added"),
        Fact::OltUpdated { name, .. } => format!("OLT “{name}” was changed"),
        Fact::OltDeleted { name, .. } => format!("OLT “{name}” was removed"),
        Fact::OnuCreated { name, .. } => format!("ONU “{name}” was added"),
        Fact::OnuUpdated { name, .. } => format!("ONU “{name}” was changed"),
        Fact::OnuDeleted { name, .. } => format!("ONU “{name}” was removed"),
        Fact::DeviceCreated { name, .. } => format!("Device “{name}” was added"),
        Fact::DeviceUpdated { name, .. } => format!("Device “{name}” was changed"),
        Fact::DeviceDeleted { name, .. } => format!("Device “{name}” was removed"),
        Fact::StatusCheckCreated { name, .. } => format!("Status check “{name}” was added"),
        Fact::StatusCheckUpdated { name, .. } => format!("Status check “{name}” was changed"),
        Fact::StatusCheckDeleted { name, .. } => format!("Status check “{name}” was removed"),
        Fact::VpnAccountCreated { name, .. } => format!("VPN account “{name}” was added"),
        Fact::VpnAccountUpdated { name, .. } => format!("VPN account “{name}” was changed"),
        Fact::VpnAccountDeleted { name, .. } => format!("VPN account “{name}” was removed"),

        Fact::CardsGenerated { count, .. } => format!("{count} recharge cards were generated"),
        Fact::CardsIssued { count, .. } => format!("{count} recharge cards were issued"),
        Fact::CardUsed { .. } => format!("{who} used a recharge card"),
        Fact::CoaAcknowledged { order: said, .. } => format!("{}, and did", order(said)),
        Fact::CoaRefused { order: said, .. } => match said.error_cause {
            Some(503) => format!("{}, but knew no such session", order(said)),
            Some(cause) => format!("{}, and refused (cause {cause})", order(said)),
            None => format!("{}, and refused", order(said)),
        },
        Fact::CoaUnanswered { order: said, .. } => format!("{}, and kept silent", order(said)),
    }
}

/// `2M down, 512k up`.
pub fn rate(down_kbps: u64, up_kbps: u64) -> String {
    let short = |kbps: u64| match kbps {
        0 => "unlimited".into(),
        kbps if kbps.is_multiple_of(1000) => format!("{}M", kbps / 1000),
        kbps => format!("{kbps}k"),
    };
    format!("{} down, {} up", short(down_kbps), short(up_kbps))
}

/// `3 h 12 min`; the two largest units.
pub fn length(micros: i64) -> String {
    match micros.max(0) {
        m if m < MINUTE => format!("{} s", m / SECOND),
        m if m < HOUR => format!("{} min", m / MINUTE),
        m if m < DAY => format!("{} h {:02} min", m / HOUR, m % HOUR / MINUTE),
        m => format!("{} d {} h", m / DAY, m % DAY / HOUR),
    }
}

/// Decimal units, as plans and routers count.
pub fn bytes(bytes: u64) -> String {
    let scaled = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", scaled(1_000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", scaled(1_000_000)),
        1_000_000_000..1_000_000_000_000 => format!("{:.2} GB", scaled(1_000_000_000)),
        _ => format!("{:.2} TB", scaled(1_000_000_000_000)),
    }
}

/// Why a webhook is off; `last` is what its receiver answered last. Rows of earlier programs hold the whole sentence.
pub fn webhook_disabled(last: &str) -> String {
    match last.starts_with("Every delivery has failed") {
        true => last.into(),
        false => format!("Every delivery has failed for a day; the last one: {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_sizes_are_short() {
        let rows = [
            (0, "0 s"),
            (59 * SECOND, "59 s"),
            (12 * MINUTE + SECOND, "12 min"),
            (3 * HOUR + 2 * MINUTE, "3 h 02 min"),
            (2 * DAY + 5 * HOUR, "2 d 5 h"),
            (-5, "0 s"),
        ];
        for (micros, expected) in rows {
            assert_eq!(length(micros), expected);
        }
        let rows =
            [(0, "0 B"), (999, "999 B"), (1_500, "2 kB"), (5_100_000_000, "5.10 GB"), (u64::MAX, "18446744.07 TB")];
        for (size, expected) in rows {
            assert_eq!(bytes(size), expected);
        }
    }
}
