//! The facts and how each is stored. A stored form stays readable: a datum that came later is an `Option`.

use domain::{
    ApiClientId, BandwidthId, BranchId, CustomerId, FupTemplateId, Instant, InvoiceId, JobId, Money, PaymentId,
    PeriodId, PlanId, PoolId, Role, RouterId, ServiceId, SessionId, StaffId, Status,
    catalogue::fup::Measure,
    helpdesk::complaint::{Priority, State},
    kernel::event::{EventKind, Subject},
};
use serde_json::{Map, Value as Json};

use super::{Before, Datum, Key, Part, facts, key, parts, said, subject};

parts! {
    /// A bill as it is told.
    Invoiced {
        invoice: InvoiceId,
        number: i64,
        total: Money,
        due_at: Option<Instant>,
    }
    /// A line's rate before and after a threshold, or the end of its cycle.
    Turned {
        customer: CustomerId,
        template: FupTemplateId,
        name: String,
        measure: Measure,
        used_bytes: u64,
        threshold_bytes: Option<u64>,
        carried_bytes: u64,
        /// Of the policy's thresholds, how many are crossed now.
        level: u64,
        cycle_started_at: Instant,
        cycle_ends_at: Option<Instant>,
        /// `None`: without a limit.
        from_down_kbps: Option<u32>,
        from_up_kbps: Option<u32>,
        to_down_kbps: Option<u32>,
        to_up_kbps: Option<u32>,
    }
    /// An order to a router about one session, and what came of it.
    CoaAnswer {
        /// `disconnect` or `coa`.
        request: String,
        /// RFC 5176 §3.5.
        error_cause: Option<u32>,
        service: Option<ServiceId>,
        job: Option<JobId>,
    }
}

facts! {
    // ---- identity ----
    IspCreated = IspCreated of Isp { name: String };
    StaffCreated = StaffCreated of Staff(staff: StaffId) { name: String, role: Role };
    StaffSuspended = StaffSuspended of Staff(staff: StaffId), is "status": "suspended";
    StaffRestored = StaffUpdated of Staff(staff: StaffId), is "status": "active";
    StaffDeleted = StaffUpdated of Staff(staff: StaffId), is "status": "deleted";
    StaffUpdated = StaffUpdated of Staff(staff: StaffId) { name: String };
    ApiClientCreated = ApiClientCreated of ApiClient(client: ApiClientId) { name: String };
    ApiClientUpdated = ApiClientUpdated of ApiClient(client: ApiClientId) { name: String };
    /// It has new credentials; the old ones hold so long beside them.
    ApiClientRotated = ApiClientRotated of ApiClient(client: ApiClientId) { overlap_us: i64 };
    /// A client of version 1 has new tokens.
    ApiClientTokensMade = ApiClientRotated of ApiClient(client: ApiClientId);
    ApiClientRevoked = ApiClientRevoked of ApiClient(client: ApiClientId) { name: String };
    /// A refresh token came a second time: its whole family is void.
    TokenReused = TokenReused of Isp { family: i64 };
    ZoneCreated = ZoneCreated of Zone(zone: BranchId) { name: String, account: Option<String> };
    ZoneUpdated = ZoneUpdated of Zone(zone: BranchId) { name: String, account: Option<String> };
    ZoneDeleted = ZoneDeleted of Zone(zone: BranchId) { name: String };

    // ---- catalogue ----
    BandwidthCreated = BandwidthCreated of Bandwidth(bandwidth: BandwidthId) { name: String };
    BandwidthUpdated = BandwidthUpdated of Bandwidth(bandwidth: BandwidthId) { name: String };
    BandwidthDeleted = BandwidthDeleted of Bandwidth(bandwidth: BandwidthId) { name: String };
    PoolCreated = PoolCreated of Pool(pool: PoolId) { name: String };
    PoolDeleted = PoolDeleted of Pool(pool: PoolId) { name: String };
    PlanCopied = PlanCreated of Plan(plan: PlanId) { name: String, copy_of: PlanId };
    PlanCreated = PlanCreated of Plan(plan: PlanId) { name: String };
    PlanFupChosen = PlanUpdated of Plan(plan: PlanId) { name: String, fup_template: Option<FupTemplateId> },
        with "fup_template";
    /// Its lines may renew by themselves, or never do.
    PlanRenews = PlanUpdated of Plan(plan: PlanId) { name: String, auto_renew: bool };
    PlanUpdated = PlanUpdated of Plan(plan: PlanId) { name: String };
    PlanDeleted = PlanDeleted of Plan(plan: PlanId) { name: String };

    // ---- fair use ----
    /// A line has a policy of its own.
    OwnFupCreated = FupTemplateCreated of FupTemplate(template: FupTemplateId) { service: ServiceId };
    OwnFupDeleted = FupTemplateDeleted of FupTemplate(template: FupTemplateId) { service: ServiceId };
    FupTemplateCreated = FupTemplateCreated of FupTemplate(template: FupTemplateId) { name: String };
    FupTemplateUpdated = FupTemplateUpdated of FupTemplate(template: FupTemplateId) { name: String };
    FupTemplateDeleted = FupTemplateDeleted of FupTemplate(template: FupTemplateId) { name: String };
    /// A line has another policy than its plan's, or none.
    FupOverridden = FupOverridden of Service(line: ServiceId) {
        customer: CustomerId, template: Option<FupTemplateId>, own: bool
    };
    /// A line has its plan's policy again.
    FupCleared = FupCleared of Service(line: ServiceId) { customer: CustomerId };
    /// A threshold was crossed: the line has another rate.
    FupCrossed = FupCrossed of Service(line: ServiceId) + turned: Turned;
    /// A policy has become more generous: the line has a better rate again.
    FupRelaxed = FupReset of Service(line: ServiceId) + turned: Turned, is "reason": "policy";
    /// A new cycle: the line has its rate back.
    FupReset = FupReset of Service(line: ServiceId) + turned: Turned, is "reason": "cycle";

    // ---- the network ----
    RouterCreated = RouterCreated of Router(router: RouterId) { name: String };
    RouterCoaPortSet = RouterUpdated of Router(router: RouterId) { coa_port: i64 };
    /// It signs its packets: Message-Authenticator is required of it from now on.
    RouterSigns = RouterUpdated of Router(router: RouterId), is "ma_seen": true;
    RouterUpdated = RouterUpdated of Router(router: RouterId) { name: String };
    RouterDeleted = RouterDeleted of Router(router: RouterId) { name: String };
    /// It fell silent for three intervals.
    SessionLost = SessionLost of Session(session: SessionId) { service: Option<ServiceId>, silent_since: Instant };
    CoaAcknowledged = CoaAcknowledged of Session(session: SessionId) + order: CoaAnswer;
    CoaRefused = CoaRefused of Session(session: SessionId) + order: CoaAnswer;
    CoaUnanswered = CoaUnanswered of Session(session: SessionId) + order: CoaAnswer;

    // ---- plant ----
    OltCreated = OltCreated of Olt(olt: i64) { name: String, status: String };
    OltUpdated = OltUpdated of Olt(olt: i64) { name: String, status: String };
    OltDeleted = OltDeleted of Olt(olt: i64) { name: String };
    OnuCreated = OnuCreated of Onu(onu: i64) {
        name: String, olt: i64, customer: Option<CustomerId>, status: String
    };
    OnuUpdated = OnuUpdated of Onu(onu: i64) {
        name: String, olt: i64, customer: Option<CustomerId>, status: String
    };
    OnuDeleted = OnuDeleted of Onu(onu: i64) { name: String };
    DeviceCreated = DeviceCreated of Device(device: i64) { name: String, status: String };
    DeviceUpdated = DeviceUpdated of Device(device: i64) { name: String, status: String };
    DeviceDeleted = DeviceDeleted of Device(device: i64) { name: String };
    StatusCheckCreated = StatusCheckCreated of StatusCheck(check: i64) { name: String, target: String };
    StatusCheckUpdated = StatusCheckUpdated of StatusCheck(check: i64) { name: String, target: String };
    StatusCheckDeleted = StatusCheckDeleted of StatusCheck(check: i64) { name: String };
    VpnAccountCreated = VpnAccountCreated of VpnAccount(account: i64) {
        name: String, username: String, protocol: String
    };
    VpnAccountUpdated = VpnAccountUpdated of VpnAccount(account: i64) { name: String, enabled: bool };
    VpnAccountDeleted = VpnAccountDeleted of VpnAccount(account: i64) { name: String };

    // ---- customers ----
    CustomerCreated = CustomerCreated of Customer(customer: CustomerId) { username: String };
    CustomerPasswordSet = CustomerUpdated of Customer(customer: CustomerId) { username: String }, is "password": true;
    CustomerUpdated = CustomerUpdated of Customer(customer: CustomerId) { username: String };
    CustomerDeleted = CustomerDeleted of Customer(customer: CustomerId) { username: String };
    PlaceCreated = PlaceCreated of Place(place: i64) { level: String, name: String, parent: Option<i64> };
    PlaceUpdated = PlaceUpdated of Place(place: i64) { level: String, name: String, parent: Option<i64> };
    PlaceDeleted = PlaceDeleted of Place(place: i64) { level: String, name: String, parent: Option<i64> };
    DepartmentCreated = DepartmentCreated of Department(department: i64) {
        level: String, name: String, parent: Option<i64>
    };
    DepartmentUpdated = DepartmentUpdated of Department(department: i64) {
        level: String, name: String, parent: Option<i64>
    };
    DepartmentDeleted = DepartmentDeleted of Department(department: i64) {
        level: String, name: String, parent: Option<i64>
    };

    // ---- lines ----
    /// A line was made, to which nothing is sold yet.
    ServiceCreated = ServiceCreated of Service(line: ServiceId) { customer: CustomerId, plan: PlanId };
    /// A period was sold.
    ServiceRecharged = ServiceRecharged of Service(line: ServiceId) {
        customer: CustomerId, plan: PlanId, period: PeriodId, expires_at: Instant, amount: Money,
        /// How the line stood; older builds did not say.
        before: Option<Before>,
        /// The package that it had, where it was another one.
        plan_before: Option<PlanId>,
        /// Whether it runs now; older builds did not say: what they sold to ran then.
        runs: Option<bool>
    };
    ServiceActivated = ServiceActivated of Service(line: ServiceId) {
        customer: CustomerId, status: Status, reason: String
    };
    ServiceSuspended = ServiceSuspended of Service(line: ServiceId) {
        customer: CustomerId, status: Status, reason: String
    };
    ServiceDisabled = ServiceDisabled of Service(line: ServiceId) {
        customer: CustomerId, status: Status, reason: String
    };
    ServiceDeactivated = ServiceDeactivated of Service(line: ServiceId) {
        customer: CustomerId, status: Status, reason: String
    };
    /// Its validity ended; how it stood at that moment (older builds did not say).
    ServiceExpired = ServiceExpired of Service(line: ServiceId) {
        customer: CustomerId, expired_at: Option<Instant>, status: Option<Status>,
        /// Its quota had ended it before.
        used_up: Option<bool>
    };
    /// A hard quota was used up before the validity ended.
    ServiceQuotaUsedUp = ServiceQuotaUsedUp of Service(line: ServiceId) {
        customer: CustomerId, used_bytes: i64, quota_bytes: Option<i64>, used_time_s: i64, quota_time_s: Option<i64>
    };
    /// It has gone with its customer (whom older builds did not name).
    LineDeleted = ServiceChanged of Service(line: ServiceId) { customer: Option<CustomerId> }, is "deleted": true;
    /// It is tied to the device that it was first used with.
    LineMacLearnt = ServiceChanged of Service(line: ServiceId) { mac: String }, is "learnt": true;
    /// Its RADIUS attributes changed.
    LineAttributesChanged = ServiceChanged of Service(line: ServiceId) { customer: CustomerId }, is "attributes": true;
    /// It has so many attributes of its own.
    LineAttributesPut = ServiceChanged of Service(line: ServiceId) { customer: CustomerId, attributes: i64 };
    /// It has a price of its own, or its plan's again.
    LinePriced = ServiceChanged of Service(line: ServiceId) { customer: CustomerId, price: Option<Money> },
        with "price";
    /// It has another price, discount or quota of its own, or its plan's again.
    LineTermsChanged = ServiceChanged of Service(line: ServiceId) { customer: CustomerId }, is "terms": true;
    /// What is written down of where it ends changed.
    LineSiteChanged = ServiceChanged of Service(line: ServiceId) { customer: CustomerId }, is "site": true;
    /// It has another package, without a sale.
    LinePlanChanged = ServiceChanged of Service(line: ServiceId) { customer: CustomerId, plan_before: PlanId };
    /// Its network name, secret, address, device, router or terms changed.
    LineChanged = ServiceChanged of Service(line: ServiceId) { customer: CustomerId };
    /// Somebody was shown its password.
    ServiceSecretRead = ServiceSecretRead of Service(line: ServiceId) { customer: CustomerId };
    /// A move to another package was ordered for later.
    ServiceMoveOrdered = ServiceMoveOrdered of Service(line: ServiceId) {
        customer: CustomerId, plan: PlanId, at: Instant
    };
    ServiceMoved = ServiceMoved of Service(line: ServiceId) {
        customer: CustomerId, from: PlanId, plan: PlanId,
        /// How the move is settled: a move's kind, or `migration`.
        kind: String,
        credit: Money, charge: Money, expires_at: Option<Instant>,
        /// The package before, where no sale of the new one tells of it.
        plan_before: Option<PlanId>
    };
    /// A renewal was ordered for later.
    ServiceRenewalOrdered = ServiceRenewalOrdered of Service(line: ServiceId) {
        customer: CustomerId, plan: Option<PlanId>, at: Instant
    };
    /// It could not be made when its time came.
    ServiceRenewalFailed = ServiceRenewalFailed of Service(line: ServiceId) { customer: CustomerId, outcome: String };
    ServiceFirstUsed = ServiceFirstUsed of Service(line: ServiceId) { customer: CustomerId };
    /// Its time was moved on without a sale.
    ServiceGraceGiven = ServiceGraceGiven of Service(line: ServiceId) {
        customer: CustomerId, days: i64, from: Instant, until: Instant
    };

    // ---- codes ----
    /// Older builds did not name them.
    VouchersCreated = VouchersCreated of Plan(plan: PlanId) { count: u64, router: RouterId, vouchers: Vec<i64> };
    VouchersDeleted = VouchersDeleted of Isp { vouchers: Vec<i64> };
    /// A device has come in with it.
    VoucherUsed = VoucherUsed of Customer(customer: CustomerId) {
        voucher: i64, ordinal["use"]: i64, client: String
    };
    /// A customer has redeemed it for a line of theirs.
    VoucherRedeemed = VoucherUsed of Customer(customer: CustomerId) { voucher: i64, ordinal["use"]: i64 };
    CardsGenerated = CardsGenerated of Plan(plan: PlanId, said) { batch: i64, count: u64 };
    CardsIssued = CardsIssued of Staff(distributor: StaffId, said) { count: u64, cards: Vec<i64> };
    CardUsed = CardUsed of RechargeCard(card: i64) {
        customer: CustomerId, distributor: Option<StaffId>, value: Money
    };

    // ---- money ----
    PaymentReceived = PaymentReceived of Customer(customer: CustomerId, said) {
        payment: PaymentId, amount: Money, method: String,
        /// Older builds did not say it.
        reference: Option<String>
    };
    /// As older builds told a bill that was paid as it was issued; now `InvoicePaid` follows.
    InvoiceIssuedPaid = InvoiceIssued of Customer(customer: CustomerId, said) + bill: Invoiced, is "paid": true;
    InvoiceIssued = InvoiceIssued of Customer(customer: CustomerId, said) + bill: Invoiced;
    /// A bill's amount or date was corrected.
    InvoiceUpdated = InvoiceUpdated of Customer(customer: CustomerId, said) + bill: Invoiced;
    InvoicePaid = InvoicePaid of Customer(customer: CustomerId, said) + bill: Invoiced;
    InvoiceVoided = InvoiceVoided of Customer(customer: CustomerId, said) + bill: Invoiced;
    CollectionRequested = CollectionRequested of Customer(customer: CustomerId) { change_for: String };
    /// A visit: what was found, what was taken.
    CollectionMade = CollectionMade of Customer(customer: CustomerId) {
        collection: i64, outcome: String, amount: Money
    };
    CollectionApproved = CollectionApproved of Customer(customer: CustomerId) {
        collection: i64, amount: Money, payment: PaymentId
    };
    CollectionDisapproved = CollectionDisapproved of Customer(customer: CustomerId) { collection: i64, amount: Money };
    OperatorFunded = OperatorFunded of Staff(staff: StaffId) {
        amount: Money, balance: Money, method: String, reference: Option<String>
    };
    /// A salesperson paid in.
    StaffFunded = StaffFunded of Staff(staff: StaffId) {
        amount: Money, balance: Money, method: String, reference: Option<String>
    };
    /// What a seller asks for a package, or that the plan's price is asked again.
    OperatorPriced = StaffUpdated of Staff(staff: StaffId) { plan: PlanId, price: Option<Money> };
    /// Cash that a collector held was handed in.
    FloatHandedIn = StaffUpdated of Staff(staff: StaffId) { handed_in: Money, held: Money, method: String };
    /// The packages that a salesperson may sell.
    SalespersonPlans = StaffUpdated of Staff(staff: StaffId) { plans: Vec<PlanId> }, with "plans";
    SalespersonRenews = StaffUpdated of Staff(staff: StaffId) { auto_renew: bool };

    // ---- the help desk, messages out ----
    ComplaintCreated = ComplaintCreated of Complaint(complaint: i64) {
        customer: CustomerId, subject: String, priority: Priority
    };
    ComplaintCommented = ComplaintUpdated of Complaint(complaint: i64) { comment: i64 };
    ComplaintUpdated = ComplaintUpdated of Complaint(complaint: i64) {
        customer: CustomerId, status: State, priority: Priority
    };
    ComplaintClosed = ComplaintClosed of Complaint(complaint: i64) {
        customer: CustomerId, status: State, priority: Priority
    };
    WebhookCreated = WebhookCreated of Webhook(webhook: i64) { url: String };
    WebhookRotated = WebhookUpdated of Webhook(webhook: i64) { overlap_us: i64 }, is "rotated": true;
    WebhookUpdated = WebhookUpdated of Webhook(webhook: i64) { url: String, active: bool };
    WebhookDeleted = WebhookDeleted of Webhook(webhook: i64) { url: String };
    /// Its receiver failed for too long.
    WebhookDisabled = WebhookDisabled of Webhook(webhook: i64) { url: String, reason: String };
}
