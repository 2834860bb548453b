//! What selling a period means: when it ends, what it costs, what it allows, which postings it makes.

use jiff::tz::TimeZone;

use crate::{
    CustomerId, Instant, Limit, Money, PlanTerms, Quota,
    ledger::{Account, Entry},
    money::Taxed,
    validity::{self, Running, Term},
};

/// Who pays for a period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payer {
    /// Paid on the spot by this method; the payment settles the period's invoice.
    Cash { method: String },
    /// Taken from the customer's wallet, which must cover it.
    Wallet,
    /// A gift: a period of price zero, without payment or invoice.
    Complimentary,
}

/// A sale, decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sale {
    pub term: Term,
    pub quota: Quota,
    /// What the period's invoice says; zero when complimentary.
    pub taxed: Taxed,
    pub entry: Entry,
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
    let quota = if term.extends {
        extend(standing.quota, terms.limit)
    } else {
        Quota { limit: terms.limit, ..Quota::default() }
    };
    let taxed = match payer {
        Payer::Complimentary => Taxed::default(),
        Payer::Cash { .. } | Payer::Wallet => terms.tax.split(terms.price),
    };
    let source = match payer {
        Payer::Cash { method } => Account::Cash(method.clone()),
        Payer::Wallet | Payer::Complimentary => Account::CustomerWallet(customer),
    };
    if *payer == Payer::Wallet && standing.wallet < taxed.total() {
        return Err(Refusal::Insufficient { needed: Money(taxed.total().0 - standing.wallet.0) });
    }
    let entry =
        Entry::new().debit(source, taxed.total()).credit(Account::Revenue, taxed.net).credit(Account::Tax, taxed.tax);
    Ok(Sale { term, quota, taxed, entry })
}

/// Buying again before the end adds to what is left; a limit on one side only is kept from the newer purchase.
fn extend(before: Quota, bought: Limit) -> Quota {
    let add = |old: Option<i64>, new: Option<i64>| new.map(|new| old.map_or(new, |old| old.saturating_add(new)));
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
    use crate::{Unit, Validity, money::TaxRate};

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
            (&Payer::Complimentary, 0, Ok("")),
        ];
        for (payer, wallet, expected) in rows {
            let standing = Standing { running: None, quota: Quota::default(), wallet: Money(wallet) };
            let got = recharge(NOW, ALI, &standing, &terms(), payer, &TimeZone::UTC).map(|sale| told(sale.entry));
            assert_eq!(got, expected.map(str::to_string), "{payer:?} with {wallet}");
        }
    }

    #[test]
    fn a_free_plan_needs_no_money() {
        let standing = Standing { running: None, quota: Quota::default(), wallet: Money::ZERO };
        let free = PlanTerms { price: Money::ZERO, ..terms() };
        let sale = recharge(NOW, ALI, &standing, &free, &Payer::Wallet, &TimeZone::UTC).unwrap();
        assert_eq!(told(sale.entry), "");
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
