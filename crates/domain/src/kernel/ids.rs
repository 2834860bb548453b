//! Ids are types: positive, below 2⁵³ so that every JSON reader keeps them exact, unique over all tenants.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}

ids! {
    /// A tenant.
    IspId,
    /// A part of an Isp: town, zone, franchise.
    BranchId,
    /// A person who logs in.
    StaffId,
    /// A machine credential of one dialect.
    ApiClientId,
    /// A person or company that buys service.
    CustomerId,
    /// One line of a customer.
    ServiceId,
    /// What is sold.
    PlanId,
    /// Down and up rates with burst.
    BandwidthId,
    /// How fast a line is by what it has used.
    FupTemplateId,
    /// A range of addresses.
    PoolId,
    /// A NAS.
    RouterId,
    /// One network session as accounting reports it.
    SessionId,
    /// A sold stretch of time of one service.
    PeriodId,
    /// A legal document about money owed.
    InvoiceId,
    /// Money received.
    PaymentId,
    /// Background work.
    JobId,
}
