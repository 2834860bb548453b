//! What is given back of something that was sold (worked examples: docs/RULES.md, "Given back"): a share of what its sale
//! moved, to whoever paid it. Which share, the part that is left by the scarcer of time and data, is the sale's business.

use crate::{
    CustomerId, Money, StaffId,
    billing::ledger::{Account, Entry},
    kernel::money::Taxed,
};

/// What a sale has moved, and who paid it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// By the Isp.
    pub earned: Taxed,
    /// Whose wallet paid; `None`: the customer.
    pub seller: Option<StaffId>,
    /// What those above the seller earned.
    pub margins: Vec<(StaffId, Money)>,
}

/// A part of a whole, between nothing and all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    left: i64,
    whole: i64,
}

impl Share {
    pub const ALL: Share = Share { left: 1, whole: 1 };
    pub const NOTHING: Share = Share { left: 0, whole: 1 };

    /// `left` of `whole`; nothing of a whole that is nothing.
    pub fn of(left: i64, whole: i64) -> Share {
        match whole {
            whole if whole <= 0 => Share::NOTHING,
            whole => Share { left: left.clamp(0, whole), whole },
        }
    }

    /// The scarcer of two.
    pub fn least(self, other: Share) -> Share {
        let (one, two) = (i128::from(self.left), i128::from(other.left));
        if two * i128::from(self.whole) < one * i128::from(other.whole) { other } else { self }
    }

    /// So much of an amount, rounded once.
    pub fn of_money(self, amount: Money) -> Money {
        amount.share(self.left, self.whole)
    }
}

/// What the Isp gives back, and the entry: to the customer's wallet, or to the reseller's or salesperson's who paid; those
/// above him give their margins back. `None`: nothing.
pub fn back(customer: CustomerId, moved: &Moved, share: Share) -> Option<(Taxed, Entry)> {
    let total = share.of_money(moved.earned.total());
    let tax = share.of_money(moved.earned.tax);
    let back = Taxed { net: Money(total.0 - tax.0), tax };
    let mut entry = Entry::new().debit(Account::Revenue, back.net).debit(Account::Tax, back.tax);
    let mut sum = total;
    for (above, margin) in &moved.margins {
        let margin = share.of_money(*margin);
        entry = entry.debit(Account::StaffWallet(*above), margin);
        sum = Money(sum.0.saturating_add(margin.0));
    }
    let payer = moved.seller.map_or(Account::CustomerWallet(customer), Account::StaffWallet);
    (sum > Money::ZERO).then(|| (back, entry.credit(payer, sum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALI: CustomerId = CustomerId(7);

    fn told(entry: Entry) -> String {
        let lines = entry.balanced().expect("every entry balances");
        lines.iter().map(|(account, amount)| format!("{} {}", account.code(), amount.0)).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn who_paid_gets_back() {
        let earned = |net, tax| Taxed { net: Money(net), tax: Money(tax) };
        let by = |seller| Moved { earned: earned(129_310, 20_690), seller, margins: vec![] };
        let chain =
            Moved { earned: earned(70_000, 0), seller: Some(StaffId(1)), margins: vec![(StaffId(2), Money(15_000))] };
        let rows = [
            // who paid, share → postings
            (by(None), Share::ALL, "revenue 129310, tax 20690, wallet:customer:7 -150000"),
            (by(None), Share::of(1, 3), "revenue 43103, tax 6897, wallet:customer:7 -50000"),
            (by(Some(StaffId(1))), Share::ALL, "revenue 129310, tax 20690, wallet:staff:1 -150000"),
            (by(Some(StaffId(1))), Share::of(1, 2), "revenue 64655, tax 10345, wallet:staff:1 -75000"),
            (chain.clone(), Share::ALL, "revenue 70000, wallet:staff:2 15000, wallet:staff:1 -85000"),
            (chain.clone(), Share::of(1, 2), "revenue 35000, wallet:staff:2 7500, wallet:staff:1 -42500"),
            (by(None), Share::NOTHING, ""),
            (by(None), Share::of(5, 0), ""),
            // Staff took time away, or gave more: never more than was paid, never less than nothing.
            (by(None), Share::of(7, 3), "revenue 129310, tax 20690, wallet:customer:7 -150000"),
            (by(None), Share::of(-7, 3), ""),
        ];
        for (moved, share, expected) in rows {
            let came = back(ALI, &moved, share).map(|(_, entry)| told(entry)).unwrap_or_default();
            assert_eq!(came, expected, "{share:?} of {moved:?}");
        }
    }

    #[test]
    fn the_scarcer_of_two_counts() {
        let rows = [
            ((1, 2), (1, 3), (1, 3)),
            ((1, 3), (1, 2), (1, 3)),
            ((1, 2), (2, 4), (1, 2)),
            ((0, 5), (1, 9), (0, 5)),
            ((i64::MAX, i64::MAX), (i64::MAX - 1, i64::MAX), (i64::MAX - 1, i64::MAX)),
        ];
        for (one, other, expected) in rows {
            let share = |(left, whole)| Share::of(left, whole);
            assert_eq!(share(one).least(share(other)), share(expected), "{one:?} and {other:?}");
        }
    }
}
