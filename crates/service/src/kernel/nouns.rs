//! The nouns of what is not found or still in use. What they are called is for doors and pages (`doors::words`).

use store::people::place::Level;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Account,
    ApiClient,
    Attribute,
    Bandwidth,
    Bill,
    Billing,
    Binding,
    Branch,
    Collection,
    Complaint,
    Customer,
    Delivery,
    Device,
    FupTemplate,
    HeadOffice,
    Isp,
    Job,
    Network,
    Olt,
    Onu,
    Operator,
    Password,
    Payment,
    PlaceLevel,
    Plan,
    Pool,
    RechargeCard,
    Router,
    Service,
    Session,
    Staff,
    StatusCheck,
    Voucher,
    VpnAccount,
    VpnServer,
    Webhook,
    Zone,
    /// A place of this level, or a department.
    Place(Level),
}

/// What keeps it from going.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    Bill,
    Customer,
    Customers,
    FupTemplate,
    ItsApiClients,
    ItsAreas,
    ItsCustomers,
    ItsOperator,
    ItsRouters,
    ItsStaff,
    ItsWebhooks,
    Onus,
    Places,
    Plan,
    RechargeCard,
    SubOperators,
    VpnAccounts,
    WalletBalance,
    Voucher,
    /// An order for another package, for later.
    WaitingMove,
    /// A renewal that was ordered for later.
    WaitingRenewal,
    WholeIsp,
    ZonesBelow,
}
