//! Payments: their kinds, and their references. A provider's receipt pays once, however its name and number are spelt: a
//! gateway's callback and a clerk who types in the customer's message tell of one payment. Where a provider gives none we
//! make one.

use jiff::{civil, tz::TimeZone};

use crate::{Instant, PaymentId};

/// What a payment was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaymentKind {
    /// A period that was sold with it.
    Recharge,
    /// Bills, or the wallet.
    Payment,
}

impl PaymentKind {
    pub fn word(self) -> &'static str {
        match self {
            PaymentKind::Recharge => "recharge",
            PaymentKind::Payment => "payment",
        }
    }
}

/// One name for a provider: of the operator where one is said, else of the method. `M-Pesa`, `m_pesa` and `mpesa` are one.
pub fn provider(method: &str, operator: Option<&str>) -> String {
    let named = operator.map(plain).filter(|name| !name.is_empty());
    named.unwrap_or_else(|| plain(method))
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

/// One form of a reference: without what surrounds it, in capitals.
pub fn key(reference: &str) -> String {
    reference.trim_matches(' ').to_ascii_uppercase()
}

/// The reference of a payment whose provider gave none: `LM00000012`.
pub fn own(id: PaymentId) -> String {
    format!("LM{:08}", id.0)
}

/// The reference of a payment that was a collector's until it was approved: `collection:12`.
pub fn of_collection(id: i64) -> String {
    format!("collection:{id}")
}

/// Whether a reference is of the form of our own, however it is spelt: those are ours to give.
pub fn is_own(reference: &str) -> bool {
    let key = key(reference);
    let digits = |rest: &str, least: usize| rest.len() >= least && rest.bytes().all(|b| b.is_ascii_digit());
    key.strip_prefix("LM").is_some_and(|rest| digits(rest, 8))
        || key.strip_prefix("COLLECTION:").is_some_and(|rest| digits(rest, 1))
}

/// A day that has not come is no day on which something was paid.
pub fn has_come(day: civil::Date, now: Instant, zone: &TimeZone) -> bool {
    day <= now.day(zone)
}

/// The last four digits of a card's number.
pub fn end_of_card(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(4)..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_pays_on_a_day_to_come() {
        let zone = TimeZone::get("Asia/Kolkata").expect("a zone");
        let now = Instant::from_civil(civil::date(2026, 1, 10).at(0, 30, 0, 0), &zone);
        for (day, fine) in [(9, true), (10, true), (11, false)] {
            assert_eq!(has_come(civil::date(2026, 1, day), now, &zone), fine, "{day}");
        }
    }

    #[test]
    fn of_a_card_only_the_end_is_kept() {
        for (number, kept) in [("4111111111111111", "1111"), ("4111 1111 1111 1234", "1234"), ("12", "12"), ("", "")] {
            assert_eq!(end_of_card(number), kept);
        }
    }

    #[test]
    fn one_receipt_has_one_key() {
        let rows = [
            // method, operator, reference → provider, key
            ("mpesa", None, "QKA12BC", ("mpesa", "QKA12BC")),
            ("M-Pesa", None, "QKA12BC", ("mpesa", "QKA12BC")),
            ("m_pesa", None, " qka12bc ", ("mpesa", "QKA12BC")),
            ("onlinePayment", Some("mpesa"), "QKA12BC", ("mpesa", "QKA12BC")),
            ("externalGateway", Some("M Pesa"), "Qka12Bc", ("mpesa", "QKA12BC")),
            // No operator: the method.
            ("onlinePayment", None, "QKA12BC", ("onlinepayment", "QKA12BC")),
            ("onlinePayment", Some(" - "), "QKA12BC", ("onlinepayment", "QKA12BC")),
            // Another provider's may be the same.
            ("bkash", None, "QKA12BC", ("bkash", "QKA12BC")),
            // What is inside a reference is its own business.
            ("cheque", None, "City Bank 00 12", ("cheque", "CITY BANK 00 12")),
            ("mpesa", None, "qk-12", ("mpesa", "QK-12")),
        ];
        for (method, operator, reference, expected) in rows {
            let came = (provider(method, operator), key(reference));
            assert_eq!((came.0.as_str(), came.1.as_str()), expected, "{method} {operator:?} {reference}");
        }
    }

    #[test]
    fn our_own_references() {
        assert_eq!((own(PaymentId(12)).as_str(), of_collection(12).as_str()), ("LM00000012", "collection:12"));
        let rows = [
            ("LM00000012", true),
            ("lm00000012", true),
            (" LM123456789 ", true),
            ("LM1234567", false),
            ("LM0000001a", false),
            ("QK00000012", false),
            ("collection:12", true),
            (" Collection:12", true),
            ("collection:", false),
            ("collection:12a", false),
            ("collection 12", false),
        ];
        for (text, expected) in rows {
            assert_eq!(is_own(text), expected, "{text}");
        }
    }
}
