//! What a credential may do: scopes, and the roles that bundle them (docs/readings.md 2.4).

/// A right, with the word it has in tokens and documents.
macro_rules! scopes {
    ($($name:ident = $word:literal, $what:literal;)*) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Scope { $($name),* }

        impl Scope {
            pub const ALL: &[Scope] = &[$(Scope::$name),*];
            pub const WORDS: &[&'static str] = &[$($word),*];

            pub fn word(self) -> &'static str {
                match self { $(Scope::$name => $word),* }
            }

            /// What it allows, for people.
            pub fn allows(self) -> &'static str {
                match self { $(Scope::$name => $what),* }
            }
        }
    };
}

scopes! {
    DashboardRead = "dashboard:read", "see the figures of the whole business";
    NocRead = "noc:read", "see the figures of the network";
    CustomersRead = "customers:read", "see customers and their lines";
    CustomersWrite = "customers:write", "create, change, suspend, activate and delete customers";
    BillingRead = "billing:read", "see bills, payments and subscriptions";
    BillingWrite = "billing:write", "write bills and record payments";
    PlansRead = "plans:read", "see packages";
    PlansWrite = "plans:write", "create and change packages and bandwidths";
    VouchersRead = "vouchers:read", "see vouchers, with their codes";
    VouchersWrite = "vouchers:write", "generate, redeem and delete vouchers";
    CardsRead = "cards:read", "see recharge cards";
    CardsWrite = "cards:write", "generate, issue and redeem recharge cards";
    NetworkRead = "network:read", "see routers, pools, OLTs, ONUs and sessions";
    NetworkWrite = "network:write", "create, change and delete network equipment, disconnect sessions";
    MonitoringRead = "monitoring:read", "see devices and status checks";
    MonitoringWrite = "monitoring:write", "create, change and delete devices and status checks";
    VpnRead = "vpn:read", "see VPN accounts and download their configurations";
    VpnWrite = "vpn:write", "create and delete VPN accounts";
    SmsRead = "sms:read", "see messages and credits";
    SmsSend = "sms:send", "send messages";
    SmsCredits = "sms:credits", "top up SMS credits";
    ComplaintsRead = "complaints:read", "see complaints";
    ComplaintsWrite = "complaints:write", "submit and work on complaints";
    OperatorsRead = "operators:read", "see operators and their wallets";
    OperatorsWrite = "operators:write", "create, change, suspend and fund operators";
    StaffRead = "staff:read", "see staff";
    StaffWrite = "staff:write", "create, change and suspend staff";
    ClientsRead = "clients:read", "see API clients and the log of their requests";
    ClientsWrite = "clients:write", "create, rotate and revoke API clients";
    ZonesRead = "zones:read", "see zones and their accounts";
    ZonesWrite = "zones:write", "create, change and delete zones";
    PlacesRead = "places:read", "see places and departments";
    PlacesWrite = "places:write", "create, change and delete places and departments";
    WebhooksRead = "webhooks:read", "see webhooks and their deliveries";
    WebhooksWrite = "webhooks:write", "create, change, rotate, replay and delete webhooks";
    LogsRead = "logs:read", "see the logs of routers, logins and suspensions";
    LedgerRead = "ledger:read", "see accounts and postings";
    EventsRead = "events:read", "see what happened";
    JobsRead = "jobs:read", "see background work";
    JobsWrite = "jobs:write", "run background work again";
}

impl Scope {
    pub fn from_word(word: &str) -> Option<Scope> {
        Scope::ALL.iter().copied().find(|scope| scope.word() == word)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Scopes(u64);

impl Scopes {
    pub const NONE: Scopes = Scopes(0);
    pub const ALL: Scopes = Scopes((1 << Scope::ALL.len()) - 1);

    pub const fn of(scopes: &[Scope]) -> Scopes {
        let (mut set, mut at) = (0, 0);
        while at < scopes.len() {
            set |= 1 << scopes[at] as u64;
            at += 1;
        }
        Scopes(set)
    }

    pub fn has(self, scope: Scope) -> bool {
        self.0 & 1 << scope as u64 != 0
    }

    /// Words with spaces between them; unknown ones are left out.
    pub fn from_words(words: &str) -> Scopes {
        Scopes::of(&words.split_whitespace().filter_map(Scope::from_word).collect::<Vec<_>>())
    }

    pub fn words(self) -> String {
        let words: Vec<&str> = Scope::ALL.iter().filter(|scope| self.has(**scope)).map(|scope| scope.word()).collect();
        words.join(" ")
    }

    /// Whether all of these are among `other`.
    pub fn within(self, other: Scopes) -> bool {
        self.and(other) == self
    }

    pub fn with(self, other: Scopes) -> Scopes {
        Scopes(self.0 | other.0)
    }

    pub fn and(self, other: Scopes) -> Scopes {
        Scopes(self.0 & other.0)
    }
}

/// What a person is in the Isp.
macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Role { $($(#[$doc])* $name),* }

        impl Role {
            pub const ALL: &[Role] = &[$(Role::$name),*];
            pub const WORDS: &[&'static str] = &[$($word),*];

            pub fn word(self) -> &'static str {
                match self { $(Role::$name => $word),* }
            }
        }
    };
}

roles! {
    /// Everything.
    Owner = "owner";
    /// A reseller with customers of his own.
    Operator = "operator";
    /// A reseller's reseller.
    SubOperator = "sub_operator";
    /// An office worker.
    Manager = "manager";
    /// Watches the network; sees no money.
    Noc = "noc";
    Salesperson = "salesperson";
    /// Takes cash at the door.
    Collector = "collector";
    /// Sells recharge cards.
    CardDistributor = "card_distributor";
}

impl Role {
    pub fn from_word(word: &str) -> Option<Role> {
        Role::ALL.iter().copied().find(|role| role.word() == word)
    }

    pub fn scopes(self) -> Scopes {
        use Scope::*;
        // Resellers have no right to vouchers, which are codes of the whole Isp, paid for by nobody of theirs.
        const OPERATOR: &[Scope] = &[
            DashboardRead,
            CustomersRead,
            CustomersWrite,
            BillingRead,
            BillingWrite,
            PlansRead,
            CardsRead,
            SmsRead,
            SmsSend,
            ComplaintsRead,
            ComplaintsWrite,
            LogsRead,
        ];
        const SUB_OPERATOR: &[Scope] = &[
            DashboardRead,
            CustomersRead,
            CustomersWrite,
            BillingRead,
            PlansRead,
            CardsRead,
            SmsRead,
            SmsSend,
            ComplaintsRead,
            ComplaintsWrite,
        ];
        const MANAGER: &[Scope] = &[
            CustomersRead,
            CustomersWrite,
            BillingRead,
            BillingWrite,
            PlansRead,
            VouchersRead,
            CardsRead,
            SmsRead,
            SmsSend,
            ComplaintsRead,
            ComplaintsWrite,
            LogsRead,
            NetworkRead,
            MonitoringRead,
            PlacesRead,
        ];
        const NOC: &[Scope] = &[
            NocRead,
            CustomersRead,
            NetworkRead,
            NetworkWrite,
            MonitoringRead,
            MonitoringWrite,
            VpnRead,
            LogsRead,
            SmsSend,
            ComplaintsRead,
            ComplaintsWrite,
        ];
        match self {
            Role::Owner => Scopes::ALL,
            Role::Operator => Scopes::of(OPERATOR),
            Role::SubOperator => Scopes::of(SUB_OPERATOR),
            Role::Manager => Scopes::of(MANAGER),
            Role::Noc => Scopes::of(NOC),
            Role::Salesperson => Scopes::of(&[CustomersRead, PlansRead, SmsRead, SmsSend, ComplaintsRead]),
            Role::Collector => Scopes::of(&[CustomersRead, BillingRead, BillingWrite]),
            Role::CardDistributor => Scopes::of(&[CardsRead]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_sets_are_one() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_word(scope.word()), Some(*scope));
            assert!(Scopes::ALL.has(*scope) && !Scopes::NONE.has(*scope));
        }
        let some = Scopes::from_words("billing:read nothing:at_all customers:write");
        assert_eq!(some.words(), "customers:write billing:read");
        assert_eq!(Scopes::from_words(&Scopes::ALL.words()), Scopes::ALL);
        assert!(some.within(Scopes::ALL) && some.within(some) && Scopes::NONE.within(some));
        assert!(!Scopes::ALL.within(some));
        assert!(some.within(Scopes::ALL) && some.within(some) && Scopes::NONE.within(some));
        assert!(!Scopes::from_words("billing:read staff:read").within(some));
    }

    #[test]
    fn what_a_role_may() {
        let rows = [
            (Role::Owner, Scope::OperatorsWrite, true),
            (Role::Operator, Scope::OperatorsRead, false),
            (Role::Operator, Scope::CustomersWrite, true),
            (Role::Operator, Scope::NetworkRead, false),
            (Role::Operator, Scope::VouchersRead, false),
            (Role::SubOperator, Scope::BillingWrite, false),
            (Role::Noc, Scope::BillingRead, false),
            (Role::Noc, Scope::PlansRead, false),
            (Role::Noc, Scope::CustomersWrite, false),
            (Role::Noc, Scope::NetworkWrite, true),
            (Role::Collector, Scope::SmsSend, false),
            (Role::CardDistributor, Scope::CardsRead, true),
        ];
        for (role, scope, may) in rows {
            assert_eq!(role.scopes().has(scope), may, "{role:?} {scope:?}");
        }
    }
}
