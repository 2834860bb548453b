//! Refusals in English: one function for each enum of the core, every variant named. Another language is another file with
//! the same functions; a vendor's own wording is in its dialect's envelope.

use service::{By, Expected, Items, Refusal, What, customers::places::Level, kernel::work::Outcome};

/// Why something is not done as things stand.
pub fn refusal(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::OwnerStays => "An owner stays an owner",
        Refusal::OwnerNotSuspended => "An owner cannot be suspended",
        Refusal::OnlyVersion1 => "Only clients of version 1 have generated tokens",
        Refusal::HasTokens => "This client has tokens: generate new ones",
        Refusal::NameOfTwo => {
            "Several providers here know this name and password: sign in at your provider's own address"
        }
        Refusal::AccountBarred => "The account is disabled",
        Refusal::TooManyWebhooks => "No more than 50 webhooks are possible: delete one first",
        Refusal::WebhookInactive => "The webhook is not active: activate it first",
        Refusal::DeliveryWaits => "The delivery is still waiting to be sent",
        Refusal::JobNotFailed => "Only a failed job can be tried again",
        Refusal::SessionEnded => "This session has ended",
        Refusal::SessionNobodys => "This session belongs to no subscriber",
        Refusal::OnlyPppoe => "Only PPPoE customers can be disconnected",
        Refusal::OtherLimit => "The user has a limit of its own already: give both overrides the same limit",
        Refusal::AttributesAtOtherLimit => {
            "The user's vendor attributes change beyond another limit: give both the same"
        }
        Refusal::VpnFull => "The VPN's network has no free address: delete accounts that are not used.",
        Refusal::VpnWithoutEndpoint => "Say first where the VPN server is: set its endpoint.",
        Refusal::NotForSale => "This plan is not for sale",
        Refusal::PeriodOver => "This period would be over already",
        Refusal::PeriodBeyond => "This period would end after the year 2100",
        Refusal::Beyond => "This would lead past the year 2100, or to an amount larger than any may be",
        Refusal::RechargeFirst => "The package has expired: recharge first",
        Refusal::SwitchedOff => "A line that was switched off gets no grace",
        Refusal::ExpiryPast => "The expiry must be in the future",
        Refusal::InvoiceDue => "An invoice of the last hour is still due",
        Refusal::OtherBranch => "The package does not belong to the subscriber's branch",
        Refusal::SellerMayNot => "The salesperson may not sell this package",
        Refusal::Unpaid => "The user has unpaid invoices",
        Refusal::PackageBillOpen => "A bill of this package is open: it is to be paid or taken back first",
        Refusal::VoucherUsed => "This voucher has been used",
        Refusal::VoucherOfAnother => "This voucher belongs to somebody else",
        Refusal::VoucherPlanGone => "This voucher's plan is no longer sold",
        Refusal::TooManyWrongCodes => "Too many wrong codes: try again in a minute",
        Refusal::CardUsed => "This card has been used",
        Refusal::CardExpired => "This card has expired",
        Refusal::CardNotIssued => "This card has not been issued to a distributor",
        Refusal::CardPlanGone => "This card's package is no longer sold",
        Refusal::OperatorSuspended => "This operator is suspended and sells nothing",
        Refusal::NotByAnEdit => {
            "An operator gives a customer more, or another plan, by a recharge, and takes back or lowers no bill"
        }
        Refusal::NobodysCustomer => "No operator has this customer",
        Refusal::NotASalesperson => "Only a salesperson has a wallet and packages to sell here",
        Refusal::HotspotNotBilled => "Hotspot customers are not billed: they recharge",
        Refusal::CostsNothing => "The package costs nothing",
        Refusal::BillNotDeletable => "A payment has been applied to this bill: it cannot be deleted",
        Refusal::BillPaidFor => "a payment has been applied to this bill",
        Refusal::MoreThanHeld => "This is more than the person holds",
        Refusal::CollectionDecided => "This collection has been decided already",
        Refusal::NoPhone => "The customer has no telephone number",
        Refusal::NoSuchPhone => "The user has no such phone number",
        Refusal::NoEmail => "The user has no email address",
        Refusal::NobodyWithPhone => "No customer with a phone number is meant",
        Refusal::TooManyRecipients => "More than 10000 customers are meant: send to fewer at once",
        Refusal::NoCredits => "There are not enough SMS credits: top up first",
    }
}

/// What a field is expected to be: "The port must be ….".
pub fn expected(expected: Expected) -> String {
    let said = match expected {
        Expected::ListOf { most, what } => return format!("a list of at most {most} {}", items(what)),
        Expected::Most { most, what } => return format!("at most {most} {}", items(what)),
        Expected::OneOf { most, what } => return format!("one of at most {most} {}", items(what)),
        Expected::NumberFrom { least, most } => return format!("a number from {least} to {most}"),
        Expected::LettersAndDigits => "a name of letters and digits",
        Expected::ListOfCards => "a list of cards that are unissued and not expired",
        Expected::Dbm => "between -99.99 and 40 dBm",
        Expected::DayNotAfterTo => "a day not later than to",
        Expected::ResetDay => "0 to 6 of a week or 1 to 31 of a month",
        Expected::LeftOutWithoutTiers => "left out without tiers",
        Expected::PolicyAlone => "alone, or exempt or tiers instead",
        Expected::LeftOutUnderExpiryAction => "left out under this expiry_action",
        Expected::LeftOutWithoutMoney => "left out where no money is received",
        Expected::LeftOutForWallet => "left out: the payer is the wallet",
        Expected::WithCardIds => "given together with card_ids",
        Expected::DayNotBeforeFirst => "a day that is not before the first one",
        Expected::WithinAYear => "on or behind FromDate, within a year",
        Expected::AttributeList => "a list of attributes",
        Expected::LeftOutUnlessCustom => "left out, but where custom is chosen",
        Expected::MomentToCome => "a moment to come",
        Expected::BehindActivation => "behind customActivationDate",
        Expected::LeftOutForDays => "left out: isRenewWithDays says for how long",
        Expected::FalseForOther => "false: another setting says for how long",
        Expected::LeftOutUnlessForced => "left out, where isForceMakePayment is not true",
        Expected::LeftOutForPaymentType => "left out: this paymentType has no such value",
        Expected::PhoneNumber => "a telephone number",
        Expected::PaidIn => "2: what users pay in stands on their ledger",
        Expected::SubscribersAttribute => "one that a subscriber can have: the server says this one itself",
        Expected::AttributesValue => "a value of this attribute",
        Expected::SameAsNewPassword => "the same as the new password",
        Expected::DateInFuture => "a date in the future",
        Expected::SubscriberIds => "a list of subscriber ids",
        Expected::SellersPackage => "a package that the salesperson may sell",
        Expected::BranchsPackage => "a package of the subscriber's branch",
        Expected::Rate => "a rate such as 10M",
        Expected::SameKind => "what it was: lines are made of this kind",
        Expected::Object => "an object",
        Expected::FupTiers => "a list of {after_bytes, bandwidth_id}",
        Expected::FupWindows => "a list of {from, until, counted, bandwidth_id} with times as HH:MM",
        Expected::PhoneDigits => "a telephone number of 3 to 20 digits",
        Expected::Url => "a valid URL",
        Expected::PlainText => "text without control characters",
        Expected::EmailAddress => "a valid email address",
        Expected::Email => "an e-mail address",
        Expected::Ipv4 => "a valid IPv4 address",
        Expected::MacAddress => "a valid MAC address",
        Expected::LeftOutForHeadOffice => "left out: the head office sees the whole provider",
        Expected::LeftOutForKey => "left out: a key is limited by its tier alone",
        Expected::NoOverlap => "0: a key is exchanged at once",
        Expected::WithinSevenDays => "at most seven days before the end of what is looked through",
        Expected::AccountName => "an account's name",
        Expected::AccountLetters => "a name of letters, digits, '.', '_' and '-'",
        Expected::ZoneOutside => "a zone that does not lie in this one",
        Expected::ZoneHigher => "a zone with fewer zones above it",
        Expected::NotGivenForHeadOffice => "given for the head office, which lies in nothing",
        Expected::RoleWithoutAccount => "the role of a person without an account: operators are made with one",
        Expected::DayToCome => "a day to come",
        Expected::InFuture => "in the future",
        Expected::CardsValue => "at most the card's value",
        Expected::LongerCodes => "longer: too few codes of this length are left",
        Expected::DayNotOver => "a day that is not over",
        Expected::LeftOutHasStarted => "left out: the line has started",
        Expected::NotGivenForTop => "given for what lies in nothing",
        Expected::PresentPassword => "your present password",
        Expected::BehindStart => "a moment to come, behind the start",
        Expected::LeftOutExpired => "left out: the package has expired, recharge it first",
        Expected::AddressForEach => "complete: of several addresses each needs one",
        Expected::DifferentAddresses => "a list of different addresses",
        Expected::FupThresholds => "up to 16 different thresholds from 0 to 2^53 bytes",
        Expected::FupTimes => "up to 8 windows of different times of day",
        Expected::Pattern => "a pattern of plain characters, `.`, `*`, `^` and `$`, at most 64 long",
        Expected::Network => "an address or network",
        Expected::DayThatHasCome => "a day that has come",
        Expected::HowMoneyCame => "how the money came",
        Expected::AtMostCollected => "at most what was collected",
        Expected::PaidOrAsItIs => "paid, or what it is",
        Expected::AsPaid => "what it was: a payment has been applied to this bill",
        Expected::SmallerAmount => "a smaller amount",
        Expected::Seconds => "10 to 86400 seconds",
        Expected::Host => "a host name or an IP address",
        Expected::HostAndPort => "a host and a port like 10.0.0.1:443",
        Expected::HttpUrl => "a URL with http or https",
        Expected::Port => "a port from 1 to 65535",
        Expected::HostWithoutPort => "a host name or an IP address, without a port",
        Expected::AddressesWithCommas => "IP addresses with commas between them",
        Expected::NetworksWithCommas => "networks like 10.0.0.0/24 with commas between them",
        Expected::PrivateNetwork => "a private network like 10.66.0.0/22, between /8 and /29",
        Expected::ApartFromWireguard => "apart from WireGuard's network",
        Expected::VpnName => "up to 60 letters, digits, dots, dashes or underscores",
        Expected::OneLine => "one line",
        Expected::PrepaidOnly => "given for a prepaid account",
        Expected::Ranges => "a list of networks or first-last ranges",
        Expected::OtherPlan => "another plan than this one",
    };
    said.into()
}

/// Why an order that nobody waited for could not be carried out, by its word (`Error::word`); older builds stored words
/// for people, which stay as they are.
pub fn failure(word: &str) -> &str {
    if let Some(known) = Refusal::from_word(word) {
        return refusal(known);
    }
    match word {
        "invalid" => "something about it is wrong",
        "not_found" => "something that it needs is gone",
        "unauthenticated" | "forbidden" => "who ordered it may not do this any more",
        "in_use" => "something is in use",
        "insufficient" => "the balance is not sufficient",
        "key_reused" | "changed" => "it was changed meanwhile",
        "busy" | "unavailable" => "the server was busy",
        "internal" => "a fault of the server",
        "customer_gone" => "the customer is gone",
        "line_gone" => "the line is gone",
        said => said,
    }
}

/// What came of a job.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered { acknowledged, refused, unanswered } => {
            format!("{acknowledged} acknowledged, {refused} refused, {unanswered} unanswered")
        }
        Outcome::Said(each) => {
            let words: Vec<&str> =
                each.iter().map(|yes| if *yes { "acknowledged" } else { "not acknowledged" }).collect();
            words.join(", ")
        }
        Outcome::NotUnderstood => "not understood".into(),
        Outcome::Words(words) => words.clone(),
    }
}

fn items(items: Items) -> &'static str {
    match items {
        Items::Items => "items",
        Items::Addresses => "addresses",
        Items::Attributes => "attributes",
        Items::Subscribers => "subscribers",
        Items::SubscribersAttributes => "attributes of a subscriber",
    }
}

/// A noun: "customer", "API client".
pub fn what(what: What) -> &'static str {
    match what {
        What::Account => "account",
        What::ApiClient => "api client",
        What::Attribute => "attribute",
        What::Bandwidth => "bandwidth",
        What::Bill => "bill",
        What::Billing => "billing",
        What::Binding => "binding",
        What::Branch => "branch",
        What::Collection => "collection",
        What::Complaint => "complaint",
        What::Customer => "customer",
        What::Delivery => "delivery",
        What::Device => "device",
        What::FupTemplate => "fair use template",
        What::HeadOffice => "head office",
        What::Isp => "isp",
        What::Job => "job",
        What::Network => "network",
        What::Olt => "olt",
        What::Onu => "onu",
        What::Operator => "operator",
        What::Password => "password",
        What::Payment => "payment",
        What::PlaceLevel => "level of places",
        What::Plan => "plan",
        What::Pool => "pool",
        What::RechargeCard => "recharge card",
        What::Router => "router",
        What::Service => "service",
        What::Session => "session",
        What::Staff => "staff",
        What::StatusCheck => "status check",
        What::Voucher => "voucher",
        What::VpnAccount => "vpn account",
        What::VpnServer => "vpn server",
        What::Webhook => "webhook",
        What::Zone => "zone",
        What::Place(level) => place(level),
    }
}

fn place(level: Level) -> &'static str {
    match level {
        Level::Country => "country",
        Level::Province => "province",
        Level::City => "city",
        Level::Area => "area",
        Level::Subarea => "subarea",
        Level::CollectionArea => "collection area",
        Level::Street => "street",
        Level::Building => "building",
        Level::Department => "department",
    }
}

/// "The plan is in use by customer".
pub fn in_use(in_use: What, used_by: By) -> String {
    let noun = match in_use {
        // As it is called where it is written by itself.
        What::Olt => "OLT",
        other => what(other),
    };
    format!("The {noun} is in use by {}", by(used_by))
}

/// What keeps it from going: "The plan is in use by ….".
pub fn by(by: By) -> &'static str {
    match by {
        By::Bill => "bill",
        By::Customer => "customer",
        By::Customers => "customers",
        By::FupTemplate => "fair use template",
        By::ItsApiClients => "its API clients",
        By::ItsAreas => "its areas",
        By::ItsCustomers => "its customers",
        By::ItsOperator => "its operator",
        By::ItsRouters => "its routers",
        By::ItsStaff => "its staff",
        By::ItsWebhooks => "its webhooks",
        By::Onus => "ONUs",
        By::Places => "places in it",
        By::Plan => "plan",
        By::SubOperators => "its sub-operators",
        By::VpnAccounts => "VPN accounts",
        By::WalletBalance => "the balance of its wallet",
        By::Voucher => "voucher",
        By::RechargeCard => "recharge card",
        By::WaitingMove => "move that waits",
        By::WaitingRenewal => "renewal that waits",
        By::WholeIsp => "the whole provider",
        By::ZonesBelow => "zones below it",
    }
}
