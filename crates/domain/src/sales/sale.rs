//! What selling a period means: when it ends, what it costs, what it allows, which postings it makes.

use jiff::tz::TimeZone;

use crate::{
    CustomerId, Instant, InvoiceId, Limit, Money, PlanTerms, Quota, StaffId,
    billing::ledger::{Account, Entry},
    catalogue::{
        plan::MOST_QUOTA,
        validity::{self, Running, Term},
    },
    kernel::money::{TaxRate, Taxed},
};

/// Who pays for a period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payer {
    /// Paid on the spot by this method; the payment settles the period's invoice.
    Cash { method: String },
    /// Taken from the customer's wallet, which must cover it.
    Wallet,
    /// A voucher, which was paid for when it was handed out.
    Voucher,
    /// A recharge card: its distributor took its value from the customer and keeps the commission.
    Card {
        distributor: StaffId,
        /// Tax included, whatever the plan's price does.
        value: Money,
        commission: Money,
    },
    /// A reseller, at his price, from the wallet that the Isp keeps for him; the customer paid him.
    Reseller {
        seller: Reseller,
        /// Whose reseller he is, the nearest first; each earns the difference to the price below.
        above: Vec<Reseller>,
    },
    /// A bill, which has been paid: it says what was earned.
    Billed { invoice: InvoiceId, total: Money },
    /// The customer, later: what is held for it pays as far as that reaches, the rest falls due.
    Owed,
    /// A gift: a period of price zero, without payment or invoice.
    Complimentary,
}

impl Payer {
    /// How the money came, where a payment to the Isp is written down.
    pub fn method(&self) -> Option<&str> {
        match self {
            Payer::Cash { method } => Some(method),
            Payer::Voucher => Some("voucher"),
            Payer::Card { .. } => Some("recharge_card"),
            Payer::Wallet | Payer::Reseller { .. } | Payer::Owed | Payer::Billed { .. } | Payer::Complimentary => None,
        }
    }
}

/// A reseller as a sale sees him.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reseller {
    pub id: StaffId,
    /// What the plan costs him, with or without tax as the plan's price is. Below the price of the one above him it
    /// counts as that.
    pub price: Money,
    /// What the Isp holds for him; below zero is owed.
    pub wallet: Money,
    /// How far below zero a sale may take it: the collection limit of a postpaid account.
    pub limit: Money,
}

/// A seller and whose reseller he is, the nearest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    pub seller: Reseller,
    pub above: Vec<Reseller>,
}

impl Chain {
    /// What the Isp earns of a sale: the price of the highest.
    pub fn earned(&self, tax: TaxRate) -> Taxed {
        tax.split(self.above.last().unwrap_or(&self.seller).price)
    }

    /// As it sells a part of a package.
    pub fn share(mut self, part: Money, whole: Money) -> Chain {
        for reseller in std::iter::once(&mut self.seller).chain(&mut self.above) {
            reseller.price = reseller.price.share(part.0, whole.0);
        }
        self
    }

    /// The resellers' side of a sale of which the Isp earns so much.
    ///
    /// # Errors
    /// The seller's wallet does not reach.
    pub fn pay(&self, earned: Money) -> Result<Entry, Refusal> {
        resold(&self.seller, &self.above, earned)
    }
}

/// The prices of a chain of resellers from the seller up: nobody buys below the price of the one above him.
fn prices(seller: &Reseller, above: &[Reseller]) -> Vec<Money> {
    let mut prices: Vec<Money> = std::iter::once(seller).chain(above).map(|reseller| reseller.price).collect();
    for at in (1..prices.len()).rev() {
        prices[at - 1] = prices[at - 1].max(prices[at]);
    }
    prices
}

/// A sale, decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sale {
    pub term: Term,
    pub quota: Quota,
    /// What the customer pays, to whomever.
    pub price: Money,
    pub settled: Settlement,
}

/// Settled: what is posted, paid and left due.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Settlement {
    /// Money put into the customer's wallet before anything else.
    pub credit: Entry,
    /// The sale itself.
    pub sale: Entry,
    /// What was received now: a payment is written for it.
    pub received: Option<(String, Money)>,
    /// What the Isp earns and its invoice says: the price, or what it costs a reseller; zero when complimentary.
    pub earned: Taxed,
    /// Of the invoice.
    pub paid: Money,
    pub due: Money,
}

impl Settlement {
    /// Nothing is paid yet: the customer owes it.
    pub fn owed(customer: CustomerId, earned: Taxed) -> Settlement {
        let due = earned.total();
        let sale = Entry::new().debit(Account::Receivable(customer), due);
        Settlement {
            sale: sale.credit(Account::Revenue, earned.net).credit(Account::Tax, earned.tax),
            earned,
            due,
            ..Settlement::default()
        }
    }

    /// Paid whole by what this entry debits.
    pub fn whole(paid: Entry, earned: Taxed) -> Settlement {
        let sale = paid.credit(Account::Revenue, earned.net).credit(Account::Tax, earned.tax);
        Settlement { sale, earned, paid: earned.total(), ..Settlement::default() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    Insufficient { needed: Money },
}

/// What the service has when the sale is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    pub running: Option<Running>,
    pub quota: Quota,
    pub wallet: Money,
}

/// Sells one period of `terms` to the service.
pub fn recharge(
    now: Instant,
    customer: CustomerId,
    standing: &Standing,
    terms: &PlanTerms,
    payer: &Payer,
    zone: &TimeZone,
) -> Result<Sale, Refusal> {
    let term = validity::next_term(now, standing.running, terms.validity, zone);
    sell(customer, standing, terms, payer, term)
}

/// Sells the period `term` to the service, at the price and with the limits of `terms`.
pub fn sell(
    customer: CustomerId,
    standing: &Standing,
    terms: &PlanTerms,
    payer: &Payer,
    term: Term,
) -> Result<Sale, Refusal> {
    let quota = if term.extends {
        extend(standing.quota, terms.limit)
    } else {
        Quota { limit: terms.limit, ..Quota::default() }
    };
    let listed = terms.tax.split(terms.price);
    let (price, taxed) = match payer {
        Payer::Complimentary => (Money::ZERO, Taxed::default()),
        Payer::Billed { total, .. } => (*total, Taxed::default()),
        Payer::Cash { .. } | Payer::Wallet | Payer::Voucher | Payer::Owed => (listed.total(), listed),
        Payer::Card { value, .. } => (*value, TaxRate { inclusive: true, ..terms.tax }.split(*value)),
        Payer::Reseller { seller, above } => {
            let highest = above.last().unwrap_or(seller);
            (listed.total(), terms.tax.split(highest.price))
        }
    };
    let paid = match payer {
        Payer::Cash { method } => Entry::new().debit(Account::Cash(method.clone()), price),
        Payer::Voucher => Entry::new().debit(Account::Cash("voucher".into()), price),
        Payer::Wallet => {
            covers(standing.wallet, Money::ZERO, price)?;
            Entry::new().debit(Account::CustomerWallet(customer), price)
        }
        Payer::Card { distributor, value, commission } => {
            let kept = (*commission).min(*value);
            let owed = Money(value.0 - kept.0);
            Entry::new().debit(Account::Float(*distributor), owed).debit(Account::Commission, kept)
        }
        Payer::Reseller { seller, above } => resold(seller, above, taxed.total())?,
        Payer::Owed => return Ok(Sale { term, quota, price, settled: Settlement::owed(customer, taxed) }),
        Payer::Billed { .. } | Payer::Complimentary => Entry::new(),
    };
    let received = payer.method().filter(|_| price > Money::ZERO).map(|method| (method.to_string(), price));
    Ok(Sale { term, quota, price, settled: Settlement { received, ..Settlement::whole(paid, taxed) } })
}

/// Whether a wallet that may fall `limit` below zero pays so much.
fn covers(wallet: Money, limit: Money, amount: Money) -> Result<(), Refusal> {
    let missing = amount.0.saturating_sub(wallet.0.saturating_add(limit.0));
    if amount > Money::ZERO && missing > 0 { Err(Refusal::Insufficient { needed: Money(missing) }) } else { Ok(()) }
}

/// The resellers' side of a sale: the seller pays what the Isp earns and the margins of those above him.
fn resold(seller: &Reseller, above: &[Reseller], earned: Money) -> Result<Entry, Refusal> {
    let prices = prices(seller, above);
    let margin = |below: usize| Money(prices[below].0 - prices[below + 1].0);
    let margins: i64 = (0..above.len()).map(|below| margin(below).0).sum();
    let owed = Money(earned.0.saturating_add(margins));
    covers(seller.wallet, seller.limit, owed)?;
    let entry = Entry::new().debit(Account::StaffWallet(seller.id), owed);
    Ok(above
        .iter()
        .enumerate()
        .fold(entry, |entry, (below, reseller)| entry.credit(Account::StaffWallet(reseller.id), margin(below))))
}

/// Buying again before the end adds to what is left, up to what a quota may be; a limit on one side only is kept from the
/// newer purchase.
fn extend(before: Quota, bought: Limit) -> Quota {
    let add = |old: Option<i64>, new: Option<i64>| {
        new.map(|new| old.map_or(new, |old| old.saturating_add(new).min(MOST_QUOTA)))
    };
    Quota {
        limit: Limit {
            time_s: add(before.limit.time_s, bought.time_s),
            data_bytes: add(before.limit.data_bytes, bought.data_bytes),
        },
        used_time_s: before.used_time_s,
        used_bytes: before.used_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Unit, Validity, kernel::money::TaxRate};

    const NOW: Instant = Instant(1_800_000_000_000_000);
    const ALI: CustomerId = CustomerId(7);

    fn terms() -> PlanTerms {
        PlanTerms {
            price: Money(150_000),
            tax: TaxRate { ppm: 160_000, inclusive: true },
            validity: Validity { count: 30, unit: Unit::Days },
            limit: Limit::default(),
        }
    }

    fn told(entry: Entry) -> String {
        let lines = entry.balanced().expect("a sale balances");
        lines.iter().map(|(account, amount)| format!("{} {}", account.code(), amount.0)).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn money_paths_of_a_recharge() {
        let cash = Payer::Cash { method: "api".into() };
        let rows = [
            (&cash, 0, Ok("cash:api 150000, revenue -129310, tax -20690")),
            (&Payer::Wallet, 200_000, Ok("wallet:customer:7 150000, revenue -129310, tax -20690")),
            (&Payer::Wallet, 150_000, Ok("wallet:customer:7 150000, revenue -129310, tax -20690")),
            (&Payer::Wallet, 149_999, Err(Refusal::Insufficient { needed: Money(1) })),
            (&Payer::Wallet, -50_000, Err(Refusal::Insufficient { needed: Money(200_000) })),
            (&Payer::Owed, 150_000, Ok("receivable:customer:7 150000, revenue -129310, tax -20690")),
            (&Payer::Complimentary, 0, Ok("")),
        ];
        for (payer, wallet, expected) in rows {
            let standing = Standing { running: None, quota: Quota::default(), wallet: Money(wallet) };
            let got =
                recharge(NOW, ALI, &standing, &terms(), payer, &TimeZone::UTC).map(|sale| told(sale.settled.sale));
            assert_eq!(got, expected.map(str::to_string), "{payer:?} with {wallet}");
        }
    }

    #[test]
    fn money_paths_of_resellers_and_cards() {
        // docs/RULES.md: a plan of 1000.00 that costs the sub-operator 850.00 and his operator 700.00.
        let reseller = |id, price, wallet, limit| Reseller {
            id: StaffId(id),
            price: Money(price),
            wallet: Money(wallet),
            limit: Money(limit),
        };
        let alone = |seller| Payer::Reseller { seller, above: vec![] };
        let below = |seller, operator| Payer::Reseller { seller, above: vec![operator] };
        let operator = reseller(1, 70_000, 0, 0);
        let card = |value, commission| Payer::Card {
            distributor: StaffId(3),
            value: Money(value),
            commission: Money(commission),
        };
        let (none, inside, outside) = ((0, true), (160_000, true), (160_000, false));
        let sub = "wallet:staff:2 85000, wallet:staff:1 -15000, revenue";
        let rows = [
            (none, below(reseller(2, 85_000, 85_000, 0), operator), Ok(format!("{sub} -70000"))),
            (inside, below(reseller(2, 85_000, 85_000, 0), operator), Ok(format!("{sub} -60345, tax -9655"))),
            // The tax is the Isp's; the margins stay what they are.
            (
                outside,
                below(reseller(2, 85_000, 96_200, 0), operator),
                Ok("wallet:staff:2 96200, wallet:staff:1 -15000, revenue -70000, tax -11200".into()),
            ),
            (none, below(reseller(2, 85_000, 84_999, 0), operator), Err(1)),
            (none, below(reseller(2, 60_000, 70_000, 0), operator), Ok("wallet:staff:2 70000, revenue -70000".into())),
            (none, alone(reseller(1, 70_000, 70_000, 0)), Ok("wallet:staff:1 70000, revenue -70000".into())),
            // Postpaid: the limit, and not a cent further.
            (none, alone(reseller(1, 70_000, -30_000, 100_000)), Ok("wallet:staff:1 70000, revenue -70000".into())),
            (none, alone(reseller(1, 70_000, -30_001, 100_000)), Err(1)),
            (none, alone(reseller(1, 0, -5, 0)), Ok(String::new())),
            (
                inside,
                card(100_000, 5_000),
                Ok("float:staff:3 95000, commission 5000, revenue -86207, tax -13793".into()),
            ),
            (outside, card(100_000, 0), Ok("float:staff:3 100000, revenue -86207, tax -13793".into())),
            (none, Payer::Voucher, Ok("cash:voucher 100000, revenue -100000".into())),
        ];
        let standing = Standing { running: None, quota: Quota::default(), wallet: Money::ZERO };
        for ((ppm, inclusive), payer, expected) in rows {
            let terms = PlanTerms { price: Money(100_000), tax: TaxRate { ppm, inclusive }, ..terms() };
            let sale = recharge(NOW, ALI, &standing, &terms, &payer, &TimeZone::UTC);
            let expected = expected.map_err(|needed| Refusal::Insufficient { needed: Money(needed) });
            assert_eq!(sale.map(|sale| told(sale.settled.sale)), expected, "{payer:?} with tax {ppm} {inclusive}");
        }
    }

    #[test]
    fn a_free_plan_needs_no_money() {
        let standing = Standing { running: None, quota: Quota::default(), wallet: Money::ZERO };
        let free = PlanTerms { price: Money::ZERO, ..terms() };
        let sale = recharge(NOW, ALI, &standing, &free, &Payer::Wallet, &TimeZone::UTC).unwrap();
        assert_eq!(told(sale.settled.sale), "");
    }

    #[test]
    fn buying_again_adds_to_what_is_left() {
        let gb = 1_000_000_000;
        let bought = PlanTerms { limit: Limit { time_s: None, data_bytes: Some(5 * gb) }, ..terms() };
        let before = Quota { limit: bought.limit, used_bytes: 4 * gb, used_time_s: 50 };
        let running = |same_plan| Some(Running { expires_at: NOW.plus_seconds(60), anchor_day: None, same_plan });
        let rows = [(running(true), Some(6 * gb)), (running(false), Some(5 * gb)), (None, Some(5 * gb))];
        for (running, left) in rows {
            let standing = Standing { running, quota: before, wallet: Money::ZERO };
            let sale = recharge(NOW, ALI, &standing, &bought, &Payer::Complimentary, &TimeZone::UTC).unwrap();
            assert_eq!(sale.quota.data_left_bytes(), left, "{running:?}");
        }
    }
}
