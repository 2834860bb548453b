//! Double entry: every entry balances (worked examples: docs/RULES.md, "Money paths").

use crate::{CustomerId, Money, StaffId};

/// What an entry is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A period was sold: at once, with its bill, as a part of one.
    Recharge,
    Activation,
    Migration,
    /// A bill was written, corrected, taken back or given back in part.
    Bill,
    Correction,
    CreditNote,
    /// Money came for bills and for a wallet.
    Payment,
    TopUp,
    /// What a customer came with.
    Opening,
    /// Cash was handed in.
    HandIn,
    /// An operator, or one of the staff, paid in.
    OperatorFunding,
    StaffFunding,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Recharge => "recharge",
            Kind::Activation => "activation",
            Kind::Migration => "migration",
            Kind::Bill => "bill",
            Kind::Correction => "correction",
            Kind::CreditNote => "credit_note",
            Kind::Payment => "payment",
            Kind::TopUp => "top_up",
            Kind::Opening => "opening",
            Kind::HandIn => "hand_in",
            Kind::OperatorFunding => "operator_funding",
            Kind::StaffFunding => "staff_funding",
        }
    }
}

/// An account of the Isp's ledger. `code()` is its name in the database.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Account {
    /// Money held for a customer; below zero is owed.
    CustomerWallet(CustomerId),
    /// Invoiced and not yet paid.
    Receivable(CustomerId),
    /// A reseller's prepaid balance.
    StaffWallet(StaffId),
    /// Cash a collector has taken and not handed in.
    Float(StaffId),
    /// Money received, by method: `cash:mpesa`, `cash:api`, `cash:office`.
    Cash(String),
    Revenue,
    Tax,
    Commission,
}

impl Account {
    pub fn code(&self) -> String {
        match self {
            Account::CustomerWallet(id) => format!("wallet:customer:{id}"),
            Account::Receivable(id) => format!("receivable:customer:{id}"),
            Account::StaffWallet(id) => format!("wallet:staff:{id}"),
            Account::Float(id) => format!("float:staff:{id}"),
            Account::Cash(method) => format!("cash:{method}"),
            Account::Revenue => "revenue".into(),
            Account::Tax => "tax".into(),
            Account::Commission => "commission".into(),
        }
    }

    /// Accounts of one owner keep a running balance; the Isp's own are summed from their postings, so that two sales
    /// never wait for each other.
    pub fn keeps_balance(&self) -> bool {
        match self {
            Account::CustomerWallet(_) | Account::Receivable(_) | Account::StaffWallet(_) | Account::Float(_) => true,
            Account::Cash(_) | Account::Revenue | Account::Tax | Account::Commission => false,
        }
    }
}

/// Postings that belong together. Debits are positive, credits negative; zero lines are left out.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Entry {
    /// Wide enough for any sum of amounts.
    lines: Vec<(Account, i128)>,
}

impl Entry {
    pub fn new() -> Entry {
        Entry::default()
    }

    pub fn debit(mut self, account: Account, amount: Money) -> Entry {
        self.add(account, i128::from(amount.0));
        self
    }

    pub fn credit(mut self, account: Account, amount: Money) -> Entry {
        self.add(account, -i128::from(amount.0));
        self
    }

    fn add(&mut self, account: Account, amount: i128) {
        match self.lines.iter_mut().find(|(known, _)| *known == account) {
            Some((_, sum)) => *sum += amount,
            None => self.lines.push((account, amount)),
        }
    }

    /// The lines that change something, or `None` when they do not balance or one is no amount.
    pub fn balanced(self) -> Option<Vec<(Account, Money)>> {
        if self.lines.iter().map(|(_, amount)| amount).sum::<i128>() != 0 {
            return None;
        }
        let moving = self.lines.into_iter().filter(|(_, amount)| *amount != 0);
        moving.map(|(account, amount)| Some((account, Money(i64::try_from(amount).ok()?)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_balanced_entries_have_lines() {
        let sale = Entry::new()
            .debit(Account::Cash("api".into()), Money(100_000))
            .credit(Account::Revenue, Money(86_207))
            .credit(Account::Tax, Money(13_793))
            .debit(Account::Commission, Money::ZERO);
        assert_eq!(sale.balanced().map(|lines| lines.len()), Some(3));
        assert_eq!(Entry::new().debit(Account::Revenue, Money(1)).balanced(), None);
        assert_eq!(Entry::new().balanced(), Some(vec![]));
        let undone = Entry::new().debit(Account::Revenue, Money(5)).credit(Account::Revenue, Money(5));
        assert_eq!(undone.balanced(), Some(vec![]));
        // What would not be an amount any more is no line, however it balances.
        let most = Money(i64::MAX);
        let twice = |entry: Entry| entry.debit(Account::Revenue, most).credit(Account::Tax, most);
        assert_eq!(twice(twice(Entry::new())).balanced(), None);
        assert_eq!(twice(Entry::new()).balanced().map(|lines| lines.len()), Some(2));
    }
}
