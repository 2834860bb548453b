//! A plan is what is sold. Price, validity, tax and quota are versioned: a sold period keeps the version it was sold
//! under. Bandwidth, pools and lists are live by reference: changing them reaches everybody on the plan.

use crate::{Money, Validity, kernel::money::TaxRate};

/// The versioned part of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlanTerms {
    pub price: Money,
    pub tax: TaxRate,
    pub validity: Validity,
    pub limit: Limit,
}

/// What ends a period before its time does. Validity runs beside both.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Limit {
    /// Accumulated online time.
    pub time_s: Option<i64>,
    /// Bytes up and down together, GB = 10⁹.
    pub data_bytes: Option<i64>,
}

/// What a running period still allows; `used` counts within it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Quota {
    pub limit: Limit,
    pub used_time_s: i64,
    pub used_bytes: i64,
}

impl Quota {
    pub fn time_left_s(&self) -> Option<i64> {
        self.limit.time_s.map(|limit| limit.saturating_sub(self.used_time_s).max(0))
    }

    pub fn data_left_bytes(&self) -> Option<i64> {
        self.limit.data_bytes.map(|limit| limit.saturating_sub(self.used_bytes).max(0))
    }

    pub fn is_used_up(&self) -> bool {
        self.time_left_s() == Some(0) || self.data_left_bytes() == Some(0)
    }
}

/// What a login meets once the period or its quota is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExpiryAction {
    Reject,
    /// Another pool or address list: the walled garden with the way to pay.
    Restrict,
    /// Another plan's bandwidth and pool.
    Fallback,
}

impl ExpiryAction {
    pub fn word(self) -> &'static str {
        match self {
            ExpiryAction::Reject => "reject",
            ExpiryAction::Restrict => "restrict",
            ExpiryAction::Fallback => "fallback",
        }
    }

    pub fn from_word(word: &str) -> Option<ExpiryAction> {
        [ExpiryAction::Reject, ExpiryAction::Restrict, ExpiryAction::Fallback].into_iter().find(|a| a.word() == word)
    }
}

/// A quota has at most so many bytes, or seconds: what every reader of JSON has exactly.
pub const MOST_QUOTA: i64 = 1 << 53;

/// What a subscriber's own quota puts in the place of its package's.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum OwnQuota {
    /// Nothing: the package's counts.
    #[default]
    OfPackage,
    Unlimited,
    /// Above zero.
    Of(i64),
}

impl OwnQuota {
    /// As a row keeps it: nothing, 0 for unlimited, or the quota.
    pub fn kept(self) -> Option<i64> {
        match self {
            OwnQuota::OfPackage => None,
            OwnQuota::Unlimited => Some(0),
            OwnQuota::Of(quota) => Some(quota),
        }
    }

    pub fn from_kept(kept: Option<i64>) -> OwnQuota {
        match kept {
            None => OwnQuota::OfPackage,
            Some(quota) if quota > 0 => OwnQuota::Of(quota),
            Some(_) => OwnQuota::Unlimited,
        }
    }

    /// The limit that counts.
    pub fn or(self, package: Option<i64>) -> Option<i64> {
        match self {
            OwnQuota::OfPackage => package,
            OwnQuota::Unlimited => None,
            OwnQuota::Of(quota) => Some(quota),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_of_ones_own() {
        let rows = [
            // own, the package's → what counts
            (OwnQuota::OfPackage, Some(5), Some(5)),
            (OwnQuota::OfPackage, None, None),
            (OwnQuota::Unlimited, Some(5), None),
            (OwnQuota::Unlimited, None, None),
            (OwnQuota::Of(7), Some(5), Some(7)),
            (OwnQuota::Of(7), None, Some(7)),
        ];
        for (own, package, expected) in rows {
            assert_eq!(own.or(package), expected, "{own:?} {package:?}");
            assert_eq!(OwnQuota::from_kept(own.kept()), own);
        }
    }
}
