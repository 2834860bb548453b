//! Bills: what issuing, correcting, paying and taking back an invoice means in postings (worked examples:
//! docs/RULES.md, "Money paths"). An amount on a bill includes its tax, which is computed once, on the whole.

use crate::{
    CustomerId, Money, StaffId,
    billing::ledger::{Account, Entry},
    kernel::money::{TaxRate, Taxed},
};

/// How far an invoice is paid.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BillStatus {
    Unpaid,
    Partial,
    Paid,
    /// Taken back by a credit note.
    Void,
}

impl BillStatus {
    pub const ALL: [BillStatus; 4] = [BillStatus::Unpaid, BillStatus::Partial, BillStatus::Paid, BillStatus::Void];

    pub fn word(self) -> &'static str {
        match self {
            BillStatus::Unpaid => "unpaid",
            BillStatus::Partial => "partial",
            BillStatus::Paid => "paid",
            BillStatus::Void => "void",
        }
    }

    pub fn from_word(word: &str) -> Option<BillStatus> {
        BillStatus::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Of an invoice of which so much is paid.
    pub fn of(total: Money, paid: Money) -> BillStatus {
        match paid {
            paid if paid >= total => BillStatus::Paid,
            Money(0) => BillStatus::Unpaid,
            _ => BillStatus::Partial,
        }
    }
}

/// A line as an invoice says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    pub amount: Money,
    pub rate: TaxRate,
}

impl Line {
    /// Of a package that is sold: its price as it is listed; what was earned otherwise stands with its tax.
    pub fn of(price: Money, rate: TaxRate, earned: Taxed) -> Line {
        match rate.split(price) == earned {
            true => Line { amount: price, rate },
            false => Line::with_tax(earned.total(), rate.ppm),
        }
    }

    /// An amount that includes its tax.
    pub fn with_tax(amount: Money, ppm: i64) -> Line {
        Line { amount, rate: TaxRate { ppm, inclusive: true } }
    }

    pub fn taxed(self) -> Taxed {
        self.rate.split(self.amount)
    }
}

/// A bill as the rules see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bill {
    pub customer: CustomerId,
    /// Parts per million of the net.
    pub tax_ppm: i64,
    pub taxed: Taxed,
    pub paid: Money,
    pub status: BillStatus,
}

impl Bill {
    /// What is still owed.
    pub fn open(&self) -> Money {
        match self.status {
            BillStatus::Unpaid | BillStatus::Partial => Money(self.taxed.total().0 - self.paid.0),
            BillStatus::Paid | BillStatus::Void => Money::ZERO,
        }
    }
}

/// Where money for a bill comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// Received by this method.
    Cash { method: String },
    /// Taken by a collector, who has it until it is handed in.
    Collected { collector: StaffId },
    /// Held for the customer already, who has so much.
    Wallet { holds: Money },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// A payment has been applied: what was paid for is neither changed nor taken back.
    Paid,
    Insufficient {
        needed: Money,
    },
}

/// The bill with another amount; the entry is the difference. Nothing that was posted is changed.
pub fn correct(bill: &Bill, amount: Money) -> Result<(Bill, Entry), Refusal> {
    if bill.status != BillStatus::Unpaid {
        return Err(Refusal::Paid);
    }
    // On the whole, not on the difference: two roundings could be a cent apart from one.
    let taxed = TaxRate { ppm: bill.tax_ppm, inclusive: true }.split(amount);
    let difference = Taxed { net: Money(taxed.net.0 - bill.taxed.net.0), tax: Money(taxed.tax.0 - bill.taxed.tax.0) };
    Ok((Bill { taxed, ..*bill }, owed(bill.customer, difference)))
}

/// Takes a bill back.
pub fn void(bill: &Bill) -> Result<(Bill, Entry), Refusal> {
    if bill.status != BillStatus::Unpaid {
        return Err(Refusal::Paid);
    }
    let back = Taxed { net: -bill.taxed.net, tax: -bill.taxed.tax };
    Ok((Bill { status: BillStatus::Void, ..*bill }, owed(bill.customer, back)))
}

/// A new bill, or what changes about one: owed by the customer.
pub fn owed(customer: CustomerId, taxed: Taxed) -> Entry {
    Entry::new()
        .debit(Account::Receivable(customer), taxed.total())
        .credit(Account::Revenue, taxed.net)
        .credit(Account::Tax, taxed.tax)
}

/// Money spread over bills.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settlement {
    /// What each bill got, in the order given; those that got nothing are among them with zero.
    pub applied: Vec<Money>,
    /// What no bill needed: held for the customer.
    pub to_wallet: Money,
    pub entry: Entry,
}

/// Spreads `amount` over a customer's bills, the first one first.
pub fn settle(customer: CustomerId, bills: &mut [Bill], amount: Money, source: &Source) -> Result<Settlement, Refusal> {
    let mut left = amount;
    let mut applied = Vec::with_capacity(bills.len());
    for bill in bills {
        let part = Money(left.0.min(bill.open().0));
        if part > Money::ZERO {
            bill.paid = Money(bill.paid.0 + part.0);
            bill.status = BillStatus::of(bill.taxed.total(), bill.paid);
            left = Money(left.0 - part.0);
        }
        applied.push(part);
    }
    let settled = Money(amount.0 - left.0);
    let received = |into: Account| {
        Entry::new()
            .debit(into, amount)
            .credit(Account::Receivable(customer), settled)
            .credit(Account::CustomerWallet(customer), left)
    };
    let entry = match source {
        Source::Cash { method } => received(Account::Cash(method.clone())),
        Source::Collected { collector } => received(Account::Float(*collector)),
        Source::Wallet { holds } if *holds < settled => {
            return Err(Refusal::Insufficient { needed: Money(settled.0 - holds.0) });
        }
        // What no bill needs stays where it is.
        Source::Wallet { .. } => Entry::new()
            .debit(Account::CustomerWallet(customer), settled)
            .credit(Account::Receivable(customer), settled),
    };
    let to_wallet = if matches!(source, Source::Wallet { .. }) { Money::ZERO } else { left };
    Ok(Settlement { applied, to_wallet, entry })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ALI: CustomerId = CustomerId(7);
    const VAT: TaxRate = TaxRate { ppm: 160_000, inclusive: true };

    fn issue(customer: CustomerId, amount: Money, tax: TaxRate) -> (Bill, Entry) {
        let taxed = Line::with_tax(amount, tax.ppm).taxed();
        let bill = Bill { customer, tax_ppm: tax.ppm, taxed, paid: Money::ZERO, status: BillStatus::Unpaid };
        (bill, owed(customer, taxed))
    }

    fn told(entry: Entry) -> String {
        let lines = entry.balanced().expect("an entry balances");
        lines.iter().map(|(account, amount)| format!("{} {}", account.code(), amount.0)).collect::<Vec<_>>().join(", ")
    }

    fn mpesa() -> Source {
        Source::Cash { method: "mpesa".into() }
    }

    #[test]
    fn money_paths_of_a_bill() {
        let (bill, entry) = issue(ALI, Money(174_000), VAT);
        assert_eq!(told(entry), "receivable:customer:7 174000, revenue -150000, tax -24000");
        // The Isp's prices may be without tax; a bill's amount never is.
        let (same, _) = issue(ALI, Money(174_000), TaxRate { inclusive: false, ..VAT });
        assert_eq!(same.taxed, bill.taxed);
        let rows = [
            // paid, source → postings, status, to the wallet
            (
                200_000,
                mpesa(),
                Ok(("cash:mpesa 200000, receivable:customer:7 -174000, wallet:customer:7 -26000", "paid", 26_000)),
            ),
            (
                200_000,
                Source::Collected { collector: StaffId(9) },
                Ok(("float:staff:9 200000, receivable:customer:7 -174000, wallet:customer:7 -26000", "paid", 26_000)),
            ),
            (174_000, mpesa(), Ok(("cash:mpesa 174000, receivable:customer:7 -174000", "paid", 0))),
            (100_000, mpesa(), Ok(("cash:mpesa 100000, receivable:customer:7 -100000", "partial", 0))),
            (
                200_000,
                Source::Wallet { holds: Money(174_000) },
                Ok(("wallet:customer:7 174000, receivable:customer:7 -174000", "paid", 0)),
            ),
            (174_000, Source::Wallet { holds: Money(173_999) }, Err(Refusal::Insufficient { needed: Money(1) })),
        ];
        for (amount, source, expected) in rows {
            let mut bills = [bill];
            let got = settle(ALI, &mut bills, Money(amount), &source)
                .map(|settled| (told(settled.entry), bills[0].status.word(), settled.to_wallet.0));
            let expected = expected.map(|(lines, status, wallet)| (lines.to_string(), status, wallet));
            assert_eq!(got, expected, "{amount} by {source:?}");
        }
    }

    #[test]
    fn how_far_an_invoice_is_paid() {
        let rows = [(150, 0, "unpaid"), (150, 1, "partial"), (150, 149, "partial"), (150, 150, "paid"), (0, 0, "paid")];
        for (total, paid, expected) in rows {
            assert_eq!(BillStatus::of(Money(total), Money(paid)).word(), expected, "{paid} of {total}");
        }
    }

    #[test]
    fn a_line_says_the_price_as_it_is_listed() {
        let without = TaxRate { inclusive: false, ..VAT };
        let rows = [
            // price, rate, earned → amount, tax in it
            (150_000, VAT, VAT.split(Money(150_000)), 150_000, true),
            (150_000, without, without.split(Money(150_000)), 150_000, false),
            // A reseller's price, or a card's value, is no list price.
            (150_000, without, without.split(Money(100_000)), 116_000, true),
            (150_000, VAT, VAT.split(Money(100_000)), 100_000, true),
        ];
        for (price, rate, earned, amount, inclusive) in rows {
            let line = Line::of(Money(price), rate, earned);
            assert_eq!((line.amount.0, line.rate.inclusive), (amount, inclusive), "{price} {rate:?} {earned:?}");
            assert_eq!(line.taxed(), earned);
        }
    }

    #[test]
    fn a_top_up_is_a_payment_for_no_bill() {
        let top_up = settle(ALI, &mut [], Money(200_000), &mpesa()).unwrap();
        assert_eq!(told(top_up.entry), "cash:mpesa 200000, wallet:customer:7 -200000");
    }

    #[test]
    fn a_correction_posts_the_difference() {
        let rows = [
            // before → after, postings
            (150_000, 175_000, "receivable:customer:7 25000, revenue -21552, tax -3448"),
            (175_000, 150_000, "receivable:customer:7 -25000, revenue 21552, tax 3448"),
            (150_000, 150_000, ""),
            (150_000, 150_001, "receivable:customer:7 1, revenue -1"),
        ];
        for (before, after, expected) in rows {
            let (bill, _) = issue(ALI, Money(before), VAT);
            let (bill, entry) = correct(&bill, Money(after)).unwrap();
            assert_eq!(told(entry), expected, "{before} to {after}");
            assert_eq!(bill, issue(ALI, Money(after), VAT).0, "as if it had been {after} from the beginning");
        }
    }

    #[test]
    fn what_was_paid_for_is_neither_changed_nor_taken_back() {
        let (mut bill, _) = issue(ALI, Money(150_000), VAT);
        settle(ALI, std::slice::from_mut(&mut bill), Money(1), &mpesa()).unwrap();
        assert_eq!((bill.status, bill.open()), (BillStatus::Partial, Money(149_999)));
        assert_eq!(correct(&bill, Money(1)), Err(Refusal::Paid));
        assert_eq!(void(&bill), Err(Refusal::Paid));
        let (unpaid, _) = issue(ALI, Money(150_000), VAT);
        let (gone, entry) = void(&unpaid).unwrap();
        assert_eq!(told(entry), "receivable:customer:7 -150000, revenue 129310, tax 20690");
        assert_eq!(
            (gone.open(), void(&gone), correct(&gone, Money(5))),
            (Money(0), Err(Refusal::Paid), Err(Refusal::Paid))
        );
    }

    #[test]
    fn the_oldest_bill_is_paid_first() {
        let bill = |amount| issue(ALI, Money(amount), VAT).0;
        let rows = [
            // amount → applied, to the wallet
            (50, [50, 0, 0], 0),
            (150, [100, 50, 0], 0),
            (600, [100, 200, 300], 0),
            (601, [100, 200, 300], 1),
        ];
        for (amount, applied, wallet) in rows {
            let mut bills = [bill(100), bill(200), bill(300)];
            let settled = settle(ALI, &mut bills, Money(amount), &mpesa()).unwrap();
            assert_eq!(settled.applied, applied.map(Money), "{amount}");
            assert_eq!(settled.to_wallet, Money(wallet), "{amount}");
            assert!(settled.entry.balanced().is_some());
        }
    }

    /// Random lives of bills: every entry balances, and what is receivable is what is open.
    #[test]
    fn receivable_is_the_sum_of_open_bills() {
        for seed in 0..200_u64 {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut any = |below: i64| {
                // xorshift64
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state % below as u64) as i64
            };
            let mut bills: Vec<Bill> = Vec::new();
            let mut sums: BTreeMap<String, i64> = BTreeMap::new();
            for _ in 0..60 {
                let amount = Money(1 + any(100_000));
                let entry = match (any(5), bills.len() as i64) {
                    (0, _) | (_, 0) => {
                        let rate = TaxRate { ppm: any(4) * 60_000, inclusive: any(2) == 0 };
                        let (bill, entry) = issue(ALI, amount, rate);
                        bills.push(bill);
                        Some(entry)
                    }
                    (1, count) => {
                        let at = any(count) as usize;
                        correct(&bills[at], amount).ok().map(|(bill, entry)| {
                            bills[at] = bill;
                            entry
                        })
                    }
                    (2, count) => {
                        let at = any(count) as usize;
                        void(&bills[at]).ok().map(|(bill, entry)| {
                            bills[at] = bill;
                            entry
                        })
                    }
                    (3, _) => {
                        let holds = Money(-sums.get("wallet:customer:7").copied().unwrap_or(0));
                        settle(ALI, &mut bills.clone(), amount, &Source::Wallet { holds }).ok().map(|_| {
                            settle(ALI, &mut bills, amount, &Source::Wallet { holds }).expect("as before").entry
                        })
                    }
                    _ => Some(settle(ALI, &mut bills, amount, &mpesa()).expect("cash settles").entry),
                };
                for (account, amount) in entry.unwrap_or_default().balanced().expect("every entry balances") {
                    *sums.entry(account.code()).or_default() += amount.0;
                }
                let open: i64 = bills.iter().map(|bill| bill.open().0).sum();
                assert_eq!(sums.get("receivable:customer:7").copied().unwrap_or(0), open, "seed {seed}");
                assert!(sums.get("wallet:customer:7").copied().unwrap_or(0) <= 0, "no wallet is overdrawn");
                for bill in &bills {
                    assert!(bill.taxed.total() >= bill.paid, "nothing is paid twice");
                }
            }
        }
    }
}
