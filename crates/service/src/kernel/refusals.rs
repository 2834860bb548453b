//! Why something is not done as things stand: the cases, in the order of their subjects. What is said of each is for doors
//! and pages (`doors::words`).

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Refusal { $($(#[$doc])* $name),* }

        impl Refusal {
            pub const ALL: &[Refusal] = &[$(Refusal::$name),*];

            /// As it is stored where it is what became of an order.
            pub fn word(self) -> &'static str {
                match self { $(Refusal::$name => $word),* }
            }
        }
    };
}

refusals! {
    // ---- identity ----
    /// An owner keeps that role.
    OwnerStays = "owner_stays",
    /// An owner is not suspended.
    OwnerNotSuspended = "owner_not_suspended",
    /// Only a client of version 1 has tokens that are generated.
    OnlyVersion1 = "only_version1",
    /// Of this client tokens are generated, not credentials.
    HasTokens = "has_tokens",
    /// Two Isps know the name, and with this password: whose it is, the host tells.
    NameOfTwo = "name_of_two",
    /// Its customer is disabled, and may not sign in.
    AccountBarred = "account_barred",
    // ---- webhooks and jobs ----
    /// As many webhooks as are possible.
    TooManyWebhooks = "too_many_webhooks",
    /// Nothing is sent to it.
    WebhookInactive = "webhook_inactive",
    /// It has not been tried to the end.
    DeliveryWaits = "delivery_waits",
    /// Only a failed one is tried again.
    JobNotFailed = "job_not_failed",
    // ---- the network ----
    /// Nothing is ordered of what is over.
    SessionEnded = "session_ended",
    /// There is no line whose rights it could follow.
    SessionNobodys = "session_nobodys",
    /// Only such a line has a session that is kept alive.
    OnlyPppoe = "only_pppoe",
    /// Two of its overrides would change at two limits; a line has one policy.
    OtherLimit = "other_limit",
    /// Its attributes change at another limit than is wished.
    AttributesAtOtherLimit = "attributes_at_other_limit",
    /// No host of its network is free.
    VpnFull = "vpn_full",
    /// There is no address to put into a configuration.
    VpnWithoutEndpoint = "vpn_without_endpoint",
    // ---- sales ----
    /// The plan is there for who has it, and sold to nobody.
    NotForSale = "not_for_sale",
    /// It would end before it begins.
    PeriodOver = "period_over",
    /// It would end after the calendar does.
    PeriodBeyond = "period_beyond",
    /// A moment or an amount would come of it that no row may have; whoever asked named none that is itself so.
    Beyond = "beyond",
    /// What has ended is sold anew, not switched on.
    RechargeFirst = "recharge_first",
    /// Staff took the line off; time would not bring it back.
    SwitchedOff = "switched_off",
    /// An end that is asked for lies behind now.
    ExpiryPast = "expiry_past",
    /// One of the last hour is unpaid yet.
    InvoiceDue = "invoice_due",
    /// The package is another branch's.
    OtherBranch = "other_branch",
    /// The package is none of the salesperson's.
    SellerMayNot = "seller_may_not",
    /// The order was for who has paid, and bills are open.
    Unpaid = "unpaid",
    /// It would be sold twice.
    PackageBillOpen = "package_bill_open",
    // ---- codes ----
    VoucherUsed = "voucher_used",
    VoucherOfAnother = "voucher_of_another",
    VoucherPlanGone = "voucher_plan_gone",
    /// Guessing is slowed down.
    TooManyWrongCodes = "too_many_wrong_codes",
    CardUsed = "card_used",
    CardExpired = "card_expired",
    /// No distributor has it yet.
    CardNotIssued = "card_not_issued",
    CardPlanGone = "card_plan_gone",
    // ---- resellers ----
    OperatorSuspended = "operator_suspended",
    /// What a reseller's customer gets is sold, never given.
    NotByAnEdit = "not_by_an_edit",
    /// No reseller has the customer.
    NobodysCustomer = "nobodys_customer",
    NotASalesperson = "not_a_salesperson",
    // ---- money ----
    HotspotNotBilled = "hotspot_not_billed",
    /// A bill of it would be of nothing.
    CostsNothing = "costs_nothing",
    BillNotDeletable = "bill_not_deletable",
    /// It cannot be changed so any more.
    BillPaidFor = "bill_paid_for",
    MoreThanHeld = "more_than_held",
    CollectionDecided = "collection_decided",
    // ---- messages ----
    NoPhone = "no_phone",
    /// The one that was asked for is not there.
    NoSuchPhone = "no_such_phone",
    NoEmail = "no_email",
    NobodyWithPhone = "nobody_with_phone",
    TooManyRecipients = "too_many_recipients",
    /// There are fewer SMS credits than messages.
    NoCredits = "no_credits",
}

impl Refusal {
    pub fn from_word(word: &str) -> Option<Refusal> {
        Refusal::ALL.iter().copied().find(|refusal| refusal.word() == word)
    }
}
