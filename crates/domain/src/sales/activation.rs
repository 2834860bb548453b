//! Activation with an invoice: what a subscriber pays, from where, and what stays due; discounts
//! (docs/readings.md 3.4, Z16, Z17).

use rust_decimal::Decimal;

use crate::{
    CustomerId, Instant, Money, PlanTerms,
    billing::ledger::{Account, Entry},
    kernel::{clock::HOUR, money::Taxed},
    sales::sale::{Chain, Refusal, Settlement},
};

/// What one subscriber pays less than the plan's price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Discount {
    Fixed(Money),
    /// Parts per million of the price: 10 % is 100 000.
    Share(i64),
}

impl Discount {
    /// The price that is left; never below zero, nor above the price.
    pub fn lower(self, price: Money) -> Money {
        let off = match self {
            Discount::Fixed(amount) => amount,
            Discount::Share(ppm) => price.times(Decimal::new(ppm, 6)),
        };
        Money(price.0.saturating_sub(off.0).clamp(0, price.0.max(0)))
    }
}

impl PlanTerms {
    /// As they are for a subscriber with this discount.
    pub fn less(self, discount: Option<Discount>) -> PlanTerms {
        PlanTerms { price: discount.map_or(self.price, |discount| discount.lower(self.price)), ..self }
    }
}

/// How an activation is paid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Paying {
    /// Money received now, by this method; `None` is exactly the price. Less leaves the rest due, more is kept in the
    /// subscriber's wallet.
    Received { method: String, amount: Option<Money> },
    /// From the subscriber's wallet, after what was received now has been put into it.
    Wallet { received: Option<(String, Money)> },
    /// From the wallet of the salesperson, whom the subscriber paid, at his price; those above him earn theirs.
    Salesperson(Chain),
    /// From the subscriber's wallet where that covers the price, else from the salesperson's.
    Smart(Option<Chain>),
}

/// The wallet does not cover the price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Insufficient {
    /// The whole price.
    pub price: Money,
}

/// Who pays what of an activation of `terms`; the subscriber's wallet holds `wallet` before it.
pub fn settle(
    customer: CustomerId,
    terms: &PlanTerms,
    paying: &Paying,
    wallet: Money,
) -> Result<Settlement, Insufficient> {
    let price = terms.tax.split(terms.price);
    let total = price.total();
    let own = Account::CustomerWallet(customer);
    let earned = |entry: Entry, by: Taxed| entry.credit(Account::Revenue, by.net).credit(Account::Tax, by.tax);
    let covered = |held: Money| held >= total || total == Money::ZERO;
    let from_wallet = || Settlement::whole(Entry::new().debit(own.clone(), total), price);
    let insufficient = Insufficient { price: total };
    match paying {
        Paying::Received { method, amount } => {
            let amount = amount.unwrap_or(total);
            let paid = amount.min(total);
            let (due, over) = (Money(total.0 - paid.0), Money(amount.0 - paid.0));
            let sale = Entry::new()
                .debit(Account::Cash(method.clone()), amount)
                .debit(Account::Receivable(customer), due)
                .credit(own, over);
            let received = (amount > Money::ZERO).then(|| (method.clone(), amount));
            Ok(Settlement { credit: Entry::new(), sale: earned(sale, price), received, earned: price, paid, due })
        }
        Paying::Wallet { received } => {
            let put = received.clone().filter(|(_, amount)| *amount > Money::ZERO);
            let amount = put.as_ref().map_or(Money::ZERO, |(_, amount)| *amount);
            if !covered(Money(wallet.0.saturating_add(amount.0))) {
                return Err(insufficient);
            }
            let credit = match &put {
                Some((method, amount)) => {
                    Entry::new().debit(Account::Cash(method.clone()), *amount).credit(own.clone(), *amount)
                }
                None => Entry::new(),
            };
            Ok(Settlement { credit, received: put, ..from_wallet() })
        }
        Paying::Smart(_) if covered(wallet) => Ok(from_wallet()),
        Paying::Salesperson(chain) | Paying::Smart(Some(chain)) => {
            let by = chain.earned(terms.tax);
            let paid = chain.pay(by.total()).map_err(|Refusal::Insufficient { .. }| insufficient)?;
            Ok(Settlement::whole(paid, by))
        }
        Paying::Smart(None) => Err(insufficient),
    }
}

/// An invoice that is not paid whole holds up the next activation for this long.
pub const DUE_HOLDS: i64 = HOUR;

/// Whether an invoice of `issued` that is still due stands in the way at `now`.
pub fn holds_up(issued: Instant, due: Money, now: Instant) -> bool {
    due > Money::ZERO && now.since(issued) < DUE_HOLDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limit, StaffId, Unit, Validity, kernel::money::TaxRate, sales::sale::Reseller};

    const ALI: CustomerId = CustomerId(7);

    fn told(entry: Entry) -> String {
        let lines = entry.balanced().expect("every entry balances");
        lines.iter().map(|(account, amount)| format!("{} {}", account.code(), amount.0)).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn discounts() {
        let rows = [
            (Discount::Fixed(Money(20_000)), 150_000, 130_000),
            (Discount::Fixed(Money(20_000)), 15_000, 0),
            (Discount::Fixed(Money(-1)), 15_000, 15_000),
            (Discount::Share(100_000), 150_000, 135_000),
            (Discount::Share(333_333), 100, 67),
            (Discount::Share(1_000_000), 150_000, 0),
            (Discount::Share(2_000_000), 150_000, 0),
        ];
        for (discount, price, left) in rows {
            assert_eq!(discount.lower(Money(price)), Money(left), "{discount:?} of {price}");
        }
    }

    #[test]
    fn money_paths_of_an_activation() {
        let cash = |amount: Option<i64>| Paying::Received { method: "cash".into(), amount: amount.map(Money) };
        let cut = |amount: Option<i64>| Paying::Wallet { received: amount.map(|n| ("cash".into(), Money(n))) };
        let sales = |price, wallet| Chain {
            seller: Reseller { id: StaffId(3), price: Money(price), wallet: Money(wallet), limit: Money::ZERO },
            above: vec![],
        };
        let below = |wallet| Chain {
            above: vec![Reseller { id: StaffId(1), price: Money(70_000), wallet: Money::ZERO, limit: Money::ZERO }],
            ..sales(85_000, wallet)
        };
        let (alone, smart) = (
            |price, wallet| Paying::Salesperson(sales(price, wallet)),
            |price, wallet| Paying::Smart(Some(sales(price, wallet))),
        );
        let earned = "revenue -86207, tax -13793";
        let wallet = format!("wallet:customer:7 100000, {earned}");
        let seller = format!("wallet:staff:3 100000, {earned}");
        // How it is paid, the subscriber's wallet → credit | sale | received, paid, due.
        let rows = [
            (cash(None), 0, Some(format!("|cash:cash 100000, {earned}|100000 100000 0"))),
            (cash(Some(100_000)), 0, Some(format!("|cash:cash 100000, {earned}|100000 100000 0"))),
            (
                cash(Some(100)),
                500_000,
                Some(format!("|cash:cash 100, receivable:customer:7 99900, {earned}|100 100 99900")),
            ),
            (cash(Some(0)), 0, Some(format!("|receivable:customer:7 100000, {earned}|0 0 100000"))),
            (
                cash(Some(130_000)),
                0,
                Some(format!("|cash:cash 130000, wallet:customer:7 -30000, {earned}|130000 100000 0")),
            ),
            (cut(None), 100_000, Some(format!("|{wallet}|0 100000 0"))),
            (cut(None), 99_999, None),
            (
                cut(Some(110_000)),
                0,
                Some(format!("cash:cash 110000, wallet:customer:7 -110000|{wallet}|110000 100000 0")),
            ),
            (cut(Some(100_000)), -1, None),
            (alone(100_000, 99_999), 900_000, None),
            (alone(100_000, 100_000), 0, Some(format!("|{seller}|0 100000 0"))),
            // He pays what it costs him, and that is what the Isp earns.
            (alone(70_000, 70_000), 0, Some("|wallet:staff:3 70000, revenue -60345, tax -9655|0 70000 0".into())),
            (
                Paying::Salesperson(below(85_000)),
                0,
                Some("|wallet:staff:3 85000, wallet:staff:1 -15000, revenue -60345, tax -9655|0 70000 0".into()),
            ),
            (Paying::Salesperson(below(84_999)), 0, None),
            (smart(100_000, 100_000), 100_000, Some(format!("|{wallet}|0 100000 0"))),
            (smart(100_000, 100_000), 99_999, Some(format!("|{seller}|0 100000 0"))),
            (smart(100_000, 99_999), 99_999, None),
            (Paying::Smart(None), 99_999, None),
        ];
        let terms = PlanTerms {
            price: Money(100_000),
            tax: TaxRate { ppm: 160_000, inclusive: true },
            validity: Validity { count: 30, unit: Unit::Days },
            limit: Limit::default(),
        };
        for (paying, held, expected) in rows {
            let got = settle(ALI, &terms, &paying, Money(held)).map(|settled| {
                let Settlement { credit, sale, received, paid, due, .. } = settled;
                let received = received.map_or(0, |(_, amount)| amount.0);
                format!("{}|{}|{received} {} {}", told(credit), told(sale), paid.0, due.0)
            });
            let expected = expected.ok_or(Insufficient { price: Money(100_000) });
            assert_eq!(got, expected, "{paying:?} of {held}");
        }
        // What costs nothing needs nothing.
        let free = PlanTerms { price: Money::ZERO, ..terms };
        assert!(settle(ALI, &free, &cut(None), Money(-5)).is_ok());
    }

    #[test]
    fn a_due_invoice_holds_up_for_an_hour() {
        let issued = Instant(1_900_000_000_000_000);
        let rows = [(0, 1, true), (HOUR - 1, 1, true), (HOUR, 1, false), (0, 0, false)];
        for (later, due, expected) in rows {
            assert_eq!(holds_up(issued, Money(due), issued.plus(later)), expected, "{later} {due}");
        }
    }
}
