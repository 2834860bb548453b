//! Facts as people say them. Whoever adds a reason or a kind of event finds here what does not compile yet.

use domain::{
    Currency, Instant, Money,
    access::decide::Reason,
    kernel::{
        clock::{DAY, HOUR, MINUTE, SECOND},
        event::EventKind,
    },
};
use jiff::tz::TimeZone;
use serde_json::Value as Json;

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

    pub fn amount(&self, amount: i64) -> String {
        format!("{} {}", self.currency.format(Money(amount)), self.currency.code)
    }
}

/// What happened, in one sentence. `who` is the subject's name.
pub fn event(kind: EventKind, who: &str, body: &str, local: &Local<'_>) -> String {
    let body: Json = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or("?").to_string();
    let number = |name: &str| body[name].as_i64().unwrap_or(0);
    let size = |name: &str| body[name].as_u64().unwrap_or(0);
    let speed = |which: &str| match body[format!("{which}_down_kbps")].as_u64() {
        Some(down) => rate(down, size(&format!("{which}_up_kbps"))),
        None => "without a limit".into(),
    };
    let order = || if body["request"] == "disconnect" { "to hang up" } else { "to change the session of" };
    match kind {
        EventKind::IspCreated => format!("{} opened", text("name")),
        EventKind::StaffCreated => "A staff member was added".into(),
        EventKind::StaffUpdated => "A staff member's details were changed".into(),
        EventKind::StaffSuspended => "A staff member was suspended".into(),
        EventKind::ApiClientUpdated => format!("API client “{}” was changed", text("name")),
        EventKind::ApiClientRotated => "An API client got new credentials".into(),
        EventKind::ApiClientRevoked => format!("API client “{}” was revoked", text("name")),
        EventKind::TokenReused => "A used-up refresh token came again: its login was ended".into(),
        EventKind::ApiClientCreated => format!("API client “{}” was made", text("name")),
        EventKind::BandwidthCreated => format!("Bandwidth “{}” was added", text("name")),
        EventKind::BandwidthUpdated => format!("Bandwidth “{}” was changed", text("name")),
        EventKind::BandwidthDeleted => format!("Bandwidth “{}” was removed", text("name")),
        EventKind::PoolCreated => format!("Address pool “{}” was added", text("name")),
        EventKind::PoolDeleted => format!("Address pool “{}” was removed", text("name")),
        EventKind::PlanCreated => format!("Plan “{}” was added", text("name")),
        EventKind::PlanUpdated => format!("Plan “{}” was changed", text("name")),
        EventKind::PlanDeleted => format!("Plan “{}” was removed", text("name")),
        EventKind::FupTemplateCreated | EventKind::FupTemplateUpdated | EventKind::FupTemplateDeleted
            if body["service"].is_number() =>
        {
            "A line's own fair use policy was changed".into()
        }
        EventKind::FupTemplateCreated => format!("Fair use policy “{}” was added", text("name")),
        EventKind::FupTemplateUpdated => format!("Fair use policy “{}” was changed", text("name")),
        EventKind::FupTemplateDeleted => format!("Fair use policy “{}” was removed", text("name")),
        EventKind::FupOverridden if body["template"].is_null() => format!("{who} was exempted from fair use"),
        EventKind::FupOverridden => format!("{who} was given another fair use policy than the plan's"),
        EventKind::FupCleared => format!("{who} has the plan's fair use policy again"),
        EventKind::FupCrossed => format!(
            "{who} has used {} of {}: now {}",
            bytes(size("used_bytes")),
            bytes(size("threshold_bytes").saturating_add(size("carried_bytes"))),
            speed("to")
        ),
        EventKind::FupReset if body["reason"] == "policy" => {
            format!("{who} is below the limits of a changed policy: {} again", speed("to"))
        }
        EventKind::FupReset => {
            format!("A new cycle began for {who}, who had used {}: {} again", bytes(size("used_bytes")), speed("to"))
        }
        EventKind::RouterCreated => format!("Router “{}” was added", text("name")),
        EventKind::RouterUpdated => format!("Router {who} was changed"),
        EventKind::RouterDeleted => format!("Router {who} was removed"),
        EventKind::VouchersCreated => format!("{} vouchers were made", number("count")),
        EventKind::VouchersDeleted => {
            format!("{} vouchers were removed", body["vouchers"].as_array().map_or(0, Vec::len))
        }
        EventKind::VoucherUsed => format!("{who} used a voucher"),
        EventKind::CustomerCreated => format!("{} became a customer", text("username")),
        EventKind::CustomerUpdated => format!("{}'s details were changed", text("username")),
        EventKind::CustomerDeleted => format!("{} was deleted", text("username")),
        EventKind::ServiceRecharged => {
            let until = local.moment(Instant(number("expires_at")));
            match number("amount") {
                0 => format!("{who} may go on until {until}, complimentary"),
                amount => format!("{who} may go on until {until} for {}", local.amount(amount)),
            }
        }
        EventKind::ServiceActivated => format!("{who} was activated"),
        EventKind::ServiceSuspended => format!("{who} was suspended: {}", text("reason")),
        EventKind::ServiceDisabled => format!("{who} was disabled: {}", text("reason")),
        EventKind::ServiceDeactivated => format!("{who} was switched off: {}", text("reason")),
        EventKind::ServiceExpired => format!("{who}'s package expired"),
        EventKind::ServiceQuotaUsedUp => format!("{who}'s package is used up"),
        EventKind::ServiceChanged if body["learnt"] == true => format!("{who} is now tied to {}", text("mac")),
        EventKind::ServiceChanged => format!("{who}'s line was changed"),
        EventKind::ServiceGraceGiven => format!("{who} was given {} days of grace", number("days")),
        EventKind::ServiceSecretRead => format!("{who}'s password was shown"),
        EventKind::ServiceMoveOrdered => format!("{who} is to be moved to another plan"),
        EventKind::ServiceMoved => format!("{who} was moved to another plan"),
        EventKind::ServiceRenewalOrdered => {
            format!("{who} is to be renewed at {}", local.moment(Instant(number("at"))))
        }
        EventKind::ServiceRenewalFailed => format!("{who} could not be renewed as ordered: {}", text("outcome")),
        EventKind::CollectionRequested => format!("{who} asked for a collector"),
        EventKind::CollectionMade => format!("A collector visited {who}"),
        EventKind::CollectionApproved => format!("What {who} gave the collector was approved"),
        EventKind::CollectionDisapproved => format!("What {who} gave the collector was not approved"),
        EventKind::ServiceFirstUsed => format!("{who} came online for the first time"),
        EventKind::SessionLost => format!("The router has been silent about {who}: the session counts as lost"),
        EventKind::PaymentReceived => {
            format!("{who} paid {} by {}", local.amount(number("amount")), text("method"))
        }
        EventKind::InvoiceIssued => {
            format!("Invoice {} for {who}: {}", number("number"), local.amount(number("total")))
        }
        EventKind::InvoiceUpdated => format!("Invoice {} of {who} was corrected", number("number")),
        EventKind::InvoicePaid => format!("Invoice {} of {who} is paid", number("number")),
        EventKind::InvoiceVoided => format!("Invoice {} of {who} was cancelled", number("number")),
        EventKind::StaffFunded => format!("A salesperson was funded with {}", local.amount(number("amount"))),
        EventKind::ZoneCreated => format!("Zone “{}” was opened", text("name")),
        EventKind::ZoneUpdated => format!("Zone “{}” was changed", text("name")),
        EventKind::ZoneDeleted => format!("Zone “{}” was closed", text("name")),
        EventKind::PlaceCreated => format!("The {} “{}” was entered", text("level"), text("name")),
        EventKind::PlaceUpdated => format!("The {} “{}” was changed", text("level"), text("name")),
        EventKind::PlaceDeleted => format!("The {} “{}” was deleted", text("level"), text("name")),
        EventKind::DepartmentCreated => format!("Department “{}” was entered", text("name")),
        EventKind::DepartmentUpdated => format!("Department “{}” was changed", text("name")),
        EventKind::DepartmentDeleted => format!("Department “{}” was deleted", text("name")),
        EventKind::OperatorFunded => format!("An operator was funded with {}", local.amount(number("amount"))),
        EventKind::ComplaintCreated => format!("A complaint came in: {}", text("subject")),
        EventKind::ComplaintUpdated => format!("A complaint was worked on: {}", text("subject")),
        EventKind::ComplaintClosed => format!("A complaint was closed: {}", text("subject")),
        EventKind::WebhookCreated => "A webhook was added".into(),
        EventKind::WebhookUpdated => "A webhook was changed".into(),
        EventKind::WebhookDeleted => "A webhook was removed".into(),
        EventKind::WebhookDisabled => format!("The webhook to {} failed for too long and was disabled", text("url")),
        EventKind::OltCreated => format!("OLT “{}” was added", text("name")),
        EventKind::OltUpdated => format!("OLT “{}” was changed", text("name")),
        EventKind::OltDeleted => format!("OLT “{}” was removed", text("name")),
        EventKind::OnuCreated => format!("ONU “{}” was added", text("name")),
        EventKind::OnuUpdated => format!("ONU “{}” was changed", text("name")),
        EventKind::OnuDeleted => format!("ONU “{}” was removed", text("name")),
        EventKind::DeviceCreated => format!("Device “{}” was added", text("name")),
        EventKind::DeviceUpdated => format!("Device “{}” was changed", text("name")),
        EventKind::DeviceDeleted => format!("Device “{}” was removed", text("name")),
        EventKind::StatusCheckCreated => format!("Status check “{}” was added", text("name")),
        EventKind::StatusCheckUpdated => format!("Status check “{}” was changed", text("name")),
        EventKind::StatusCheckDeleted => format!("Status check “{}” was removed", text("name")),
        EventKind::VpnAccountCreated => format!("VPN account “{}” was added", text("name")),
        EventKind::VpnAccountUpdated => format!("VPN account “{}” was changed", text("name")),
        EventKind::VpnAccountDeleted => format!("VPN account “{}” was removed", text("name")),
        EventKind::CardsGenerated => format!("{} recharge cards were generated", number("count")),
        EventKind::CardsIssued => format!("{} recharge cards were issued", number("count")),
        EventKind::CardUsed => format!("{who} used a recharge card"),
        EventKind::CoaAcknowledged => format!("The router was told {} {who}, and did", order()),
        EventKind::CoaRefused => match body["error_cause"].as_i64() {
            Some(503) => format!("The router was told {} {who}, but knew no such session", order()),
            Some(cause) => format!("The router was told {} {who}, and refused (cause {cause})", order()),
            None => format!("The router was told {} {who}, and refused", order()),
        },
        EventKind::CoaUnanswered => format!("The router was told {} {who}, and kept silent", order()),
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

    #[test]
    fn every_event_can_be_said_whatever_its_body_holds() {
        let local = Local { zone: &TimeZone::UTC, currency: &Currency::new("KES") };
        for kind in EventKind::ALL {
            for body in ["{}", "", "null", r#"{"name":"x","amount":5,"expires_at":9}"#, r#"{"vouchers":[1,2]}"#] {
                assert!(!event(*kind, "ali", body, &local).is_empty());
            }
        }
        let paid = event(EventKind::PaymentReceived, "ali", r#"{"amount":150000,"method":"mpesa"}"#, &local);
        assert_eq!(paid, "ali paid 1500.00 KES by mpesa");
    }
}
