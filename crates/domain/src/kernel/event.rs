//! What happened. Events are appended in the transaction that caused them; the directory, webhooks, messages and
//! provisioning follow from them.

use crate::Money;

/// The kinds of events, with the word kept in the database and shown to webhooks.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum EventKind { $($(#[$doc])* $name),* }

        impl EventKind {
            pub const ALL: &[EventKind] = &[$(EventKind::$name),*];
            pub const WORDS: &[&'static str] = &[$($word),*];

            pub fn word(self) -> &'static str {
                match self { $(EventKind::$name => $word),* }
            }
        }
    };
}

kinds! {
    IspCreated = "isp.created",
    StaffCreated = "staff.created",
    StaffUpdated = "staff.updated",
    StaffSuspended = "staff.suspended",
    ApiClientCreated = "api_client.created",
    ApiClientUpdated = "api_client.updated",
    ApiClientRotated = "api_client.rotated",
    ApiClientRevoked = "api_client.revoked",
    /// A refresh token came a second time: its whole family is void.
    TokenReused = "token.reused",
    BandwidthCreated = "bandwidth.created",
    BandwidthUpdated = "bandwidth.updated",
    BandwidthDeleted = "bandwidth.deleted",
    PoolCreated = "pool.created",
    PoolDeleted = "pool.deleted",
    PlanCreated = "plan.created",
    PlanUpdated = "plan.updated",
    PlanDeleted = "plan.deleted",
    FupTemplateCreated = "fup_template.created",
    FupTemplateUpdated = "fup_template.updated",
    FupTemplateDeleted = "fup_template.deleted",
    /// A line has another fair use policy than its plan's, or none.
    FupOverridden = "fup.overridden",
    /// A line has its plan's fair use policy again.
    FupCleared = "fup.cleared",
    /// A threshold was crossed: the line has another rate.
    FupCrossed = "fup.crossed",
    /// A new cycle, or a more generous policy: the line has its rate back.
    FupReset = "fup.reset",
    RouterCreated = "router.created",
    RouterUpdated = "router.updated",
    RouterDeleted = "router.deleted",
    VouchersCreated = "vouchers.created",
    VouchersDeleted = "vouchers.deleted",
    VoucherUsed = "voucher.used",
    CustomerCreated = "customer.created",
    CustomerUpdated = "customer.updated",
    CustomerDeleted = "customer.deleted",
    /// A line was made, to which nothing is sold yet.
    ServiceCreated = "service.created",
    /// A period was sold.
    ServiceRecharged = "service.recharged",
    ServiceActivated = "service.activated",
    ServiceSuspended = "service.suspended",
    ServiceDisabled = "service.disabled",
    ServiceDeactivated = "service.deactivated",
    /// Its validity ended.
    ServiceExpired = "service.expired",
    /// A hard quota was used up before the validity ended.
    ServiceQuotaUsedUp = "service.quota_used_up",
    /// Network name, secret, address, MAC or plan changed.
    ServiceChanged = "service.changed",
    /// Somebody was shown its password.
    ServiceSecretRead = "service.secret_read",
    /// A move to another plan was ordered for later.
    ServiceMoveOrdered = "service.move_ordered",
    ServiceMoved = "service.moved",
    /// A renewal was ordered for later.
    ServiceRenewalOrdered = "service.renewal_ordered",
    /// It could not be made when its time came.
    ServiceRenewalFailed = "service.renewal_failed",
    ServiceFirstUsed = "service.first_used",
    /// Its time was moved on without a sale.
    ServiceGraceGiven = "service.grace_given",
    /// The NAS fell silent for three intervals.
    SessionLost = "session.lost",
    PaymentReceived = "payment.received",
    CollectionRequested = "collection.requested",
    /// A visit: what was found, what was taken.
    CollectionMade = "collection.made",
    CollectionApproved = "collection.approved",
    CollectionDisapproved = "collection.disapproved",
    InvoiceIssued = "invoice.issued",
    /// A bill's amount or date was corrected.
    InvoiceUpdated = "invoice.updated",
    InvoicePaid = "invoice.paid",
    InvoiceVoided = "invoice.voided",
    OperatorFunded = "operator.funded",
    /// A salesperson paid in.
    StaffFunded = "staff.funded",
    ZoneCreated = "zone.created",
    ZoneUpdated = "zone.updated",
    ZoneDeleted = "zone.deleted",
    PlaceCreated = "place.created",
    PlaceUpdated = "place.updated",
    PlaceDeleted = "place.deleted",
    DepartmentCreated = "department.created",
    DepartmentUpdated = "department.updated",
    DepartmentDeleted = "department.deleted",
    ComplaintCreated = "complaint.created",
    ComplaintUpdated = "complaint.updated",
    ComplaintClosed = "complaint.closed",
    WebhookCreated = "webhook.created",
    WebhookUpdated = "webhook.updated",
    WebhookDeleted = "webhook.deleted",
    /// Its receiver failed for too long.
    WebhookDisabled = "webhook.disabled",
    OltCreated = "olt.created",
    OltUpdated = "olt.updated",
    OltDeleted = "olt.deleted",
    OnuCreated = "onu.created",
    OnuUpdated = "onu.updated",
    OnuDeleted = "onu.deleted",
    DeviceCreated = "device.created",
    DeviceUpdated = "device.updated",
    DeviceDeleted = "device.deleted",
    StatusCheckCreated = "status_check.created",
    StatusCheckUpdated = "status_check.updated",
    StatusCheckDeleted = "status_check.deleted",
    VpnAccountCreated = "vpn_account.created",
    VpnAccountUpdated = "vpn_account.updated",
    VpnAccountDeleted = "vpn_account.deleted",
    CardsGenerated = "cards.generated",
    CardsIssued = "cards.issued",
    CardUsed = "card.used",
    CoaAcknowledged = "coa.acknowledged",
    CoaRefused = "coa.refused",
    CoaUnanswered = "coa.unanswered",
}

impl EventKind {
    pub fn from_word(word: &str) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

/// What an event is about: a table's noun and the row's id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Subject {
    Isp,
    Staff(i64),
    ApiClient(i64),
    Bandwidth(i64),
    Pool(i64),
    Plan(i64),
    FupTemplate(i64),
    Router(i64),
    Customer(i64),
    Service(i64),
    Session(i64),
    Complaint(i64),
    Webhook(i64),
    Olt(i64),
    Onu(i64),
    Device(i64),
    StatusCheck(i64),
    VpnAccount(i64),
    RechargeCard(i64),
    /// A branch with its account.
    Zone(i64),
    /// Of whatever level; the event's body says which.
    Place(i64),
    Department(i64),
}

impl Subject {
    /// The nouns of [`Subject::parts`].
    pub const WORDS: &[&'static str] = &[
        "isp",
        "staff",
        "api_client",
        "bandwidth",
        "pool",
        "plan",
        "router",
        "customer",
        "service",
        "session",
        "complaint",
        "webhook",
        "olt",
        "onu",
        "device",
        "status_check",
        "vpn_account",
        "recharge_card",
        "fup_template",
        "zone",
        "place",
        "department",
    ];

    pub fn parts(self) -> (&'static str, i64) {
        match self {
            Subject::Isp => ("isp", 0),
            Subject::Staff(id) => ("staff", id),
            Subject::ApiClient(id) => ("api_client", id),
            Subject::Bandwidth(id) => ("bandwidth", id),
            Subject::Pool(id) => ("pool", id),
            Subject::Plan(id) => ("plan", id),
            Subject::FupTemplate(id) => ("fup_template", id),
            Subject::Router(id) => ("router", id),
            Subject::Customer(id) => ("customer", id),
            Subject::Service(id) => ("service", id),
            Subject::Session(id) => ("session", id),
            Subject::Complaint(id) => ("complaint", id),
            Subject::Webhook(id) => ("webhook", id),
            Subject::Olt(id) => ("olt", id),
            Subject::Onu(id) => ("onu", id),
            Subject::Device(id) => ("device", id),
            Subject::StatusCheck(id) => ("status_check", id),
            Subject::VpnAccount(id) => ("vpn_account", id),
            Subject::RechargeCard(id) => ("recharge_card", id),
            Subject::Zone(id) => ("zone", id),
            Subject::Place(id) => ("place", id),
            Subject::Department(id) => ("department", id),
        }
    }

    pub fn from_parts(noun: &str, id: i64) -> Option<Subject> {
        Some(match noun {
            "isp" => Subject::Isp,
            "staff" => Subject::Staff(id),
            "api_client" => Subject::ApiClient(id),
            "bandwidth" => Subject::Bandwidth(id),
            "pool" => Subject::Pool(id),
            "plan" => Subject::Plan(id),
            "fup_template" => Subject::FupTemplate(id),
            "router" => Subject::Router(id),
            "customer" => Subject::Customer(id),
            "service" => Subject::Service(id),
            "session" => Subject::Session(id),
            "complaint" => Subject::Complaint(id),
            "webhook" => Subject::Webhook(id),
            "olt" => Subject::Olt(id),
            "onu" => Subject::Onu(id),
            "device" => Subject::Device(id),
            "status_check" => Subject::StatusCheck(id),
            "vpn_account" => Subject::VpnAccount(id),
            "recharge_card" => Subject::RechargeCard(id),
            "zone" => Subject::Zone(id),
            "place" => Subject::Place(id),
            "department" => Subject::Department(id),
            _ => return None,
        })
    }
}

/// A fact of an event's body, in the order it was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    Id(i64),
    Text(String),
    Amount(Money),
    Number(i64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_word(kind.word()), Some(*kind));
        }
    }

    #[test]
    fn every_noun_is_a_subject() {
        for noun in Subject::WORDS {
            let id = if *noun == "isp" { 0 } else { 7 };
            assert_eq!(Subject::from_parts(noun, id).map(Subject::parts), Some((*noun, id)));
        }
    }
}
