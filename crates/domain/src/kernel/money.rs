//! Money is a whole number of minor units of the Isp's currency; rates, tax and proration are exact decimals, rounded
//! once, half up (away from zero), by the functions of this file and nowhere else.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

/// Minor units (cents) of the Isp's currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Money(pub i64);

/// An ISO 4217 currency and how many decimals its minor unit has (0 for JPY, 2 for KES, 3 for KWD).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Currency {
    pub code: String,
    pub exponent: u32,
}

/// What makes a text or number no amount of this currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotMoney {
    NotANumber,
    TooManyDecimals,
    TooLarge,
}

/// The largest amount that anybody may name. Sums of nine hundred thousand such amounts are still exact.
pub const MOST: Money = Money(10_000_000_000_000);

/// What makes an amount none that somebody may name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutOfBounds {
    /// Nothing, or less.
    NotPositive,
    /// Less than nothing.
    Negative,
    /// More than [`MOST`].
    TooMuch,
}

impl Currency {
    /// The currency with its ISO 4217 minor unit; unknown codes have two decimals.
    pub fn new(code: &str) -> Currency {
        let exponent = match code {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
            | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        };
        Currency { code: code.to_string(), exponent }
    }

    /// `1500.00` → 150000 minor units. More decimals than the currency has are refused unless they are zeros.
    pub fn parse(&self, text: &str) -> Result<Money, NotMoney> {
        let text = text.trim();
        // As JSON and forms write numbers: the reader below takes more (`1_000`).
        if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E')) {
            return Err(NotMoney::NotANumber);
        }
        let value = Decimal::from_str_exact(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map_err(|_| NotMoney::NotANumber)?;
        let scaled = value.checked_mul(self.scale()).ok_or(NotMoney::TooLarge)?;
        if !scaled.fract().is_zero() {
            return Err(NotMoney::TooManyDecimals);
        }
        // 2^53 minor units: every JSON reader keeps the amount exact.
        match scaled.to_i64() {
            Some(minor) if minor.abs() < 1 << 53 => Ok(Money(minor)),
            _ => Err(NotMoney::TooLarge),
        }
    }

    /// `150000` → `1500.00`, with exactly the currency's decimals.
    pub fn format(&self, amount: Money) -> String {
        let scale = 10_i64.pow(self.exponent) as u64;
        let sign = if amount.0 < 0 { "-" } else { "" };
        let minor = amount.0.unsigned_abs();
        match self.exponent {
            0 => format!("{sign}{minor}"),
            n => format!("{sign}{}.{:0width$}", minor / scale, minor % scale, width = n as usize),
        }
    }

    fn scale(&self) -> Decimal {
        Decimal::from(10_i64.pow(self.exponent))
    }
}

impl Money {
    pub const ZERO: Money = Money(0);

    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// As something that is paid, owed or handed in: above zero.
    pub fn as_paid(self) -> Result<Money, OutOfBounds> {
        if self <= Money::ZERO { Err(OutOfBounds::NotPositive) } else { self.as_balance() }
    }

    /// As a price or a limit: zero or more.
    pub fn as_price(self) -> Result<Money, OutOfBounds> {
        if self.is_negative() { Err(OutOfBounds::Negative) } else { self.as_balance() }
    }

    /// As what somebody has or owes.
    pub fn as_balance(self) -> Result<Money, OutOfBounds> {
        match (-MOST..=MOST).contains(&self) {
            true => Ok(self),
            false => Err(OutOfBounds::TooMuch),
        }
    }

    /// Whether every reader of JSON has it exactly: no balance may be larger.
    pub fn is_exact(self) -> bool {
        self.0.unsigned_abs() < 1 << 53
    }

    /// `None` past the range of an amount.
    pub fn plus(self, other: Money) -> Option<Money> {
        self.0.checked_add(other.0).map(Money)
    }

    pub fn minus(self, other: Money) -> Option<Money> {
        self.0.checked_sub(other.0).map(Money)
    }

    /// This amount times an exact rate, rounded once half up.
    pub fn times(self, rate: Decimal) -> Money {
        Money(round_half_up(Decimal::from(self.0) * rate))
    }

    /// The share `part/whole` of this amount, rounded once half up; `whole` 0 gives nothing.
    pub fn share(self, part: i64, whole: i64) -> Money {
        match whole {
            0 => Money::ZERO,
            _ => Money(round_half_up(Decimal::from(self.0) * Decimal::from(part) / Decimal::from(whole))),
        }
    }
}

impl std::ops::Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(self.0.saturating_neg())
    }
}

/// Half up, that is away from zero, to a whole number.
pub fn round_half_up(value: Decimal) -> i64 {
    value
        .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
        .to_i64()
        .unwrap_or(if value.is_sign_negative() { i64::MIN } else { i64::MAX })
}

/// A tax rate in parts per million: 16 % is 160 000.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct TaxRate {
    pub ppm: i64,
    /// The price contains the tax.
    pub inclusive: bool,
}

/// An amount taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Taxed {
    pub net: Money,
    pub tax: Money,
}

impl Taxed {
    pub fn total(self) -> Money {
        Money(self.net.0 + self.tax.0)
    }
}

impl TaxRate {
    pub const NONE: TaxRate = TaxRate { ppm: 0, inclusive: true };

    /// Tax of the sum of one rate's lines on one invoice: once per rate per invoice, not per line.
    pub fn split(self, sum: Money) -> Taxed {
        let rate = Decimal::new(self.ppm, 6);
        match self.inclusive {
            true => {
                let net = Money(round_half_up(Decimal::from(sum.0) / (Decimal::ONE + rate)));
                Taxed { net, tax: Money(sum.0 - net.0) }
            }
            false => Taxed { net: sum, tax: sum.times(rate) },
        }
    }
}

/// A reduction of a price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Discount {
    /// Parts per million of the price.
    Percent {
        ppm: i64,
    },
    Fixed(Money),
}

impl Discount {
    /// How much this takes off `price`: never more than the price, never negative.
    pub fn off(self, price: Money) -> Money {
        let off = match self {
            Discount::Percent { ppm } => price.times(Decimal::new(ppm, 6)),
            Discount::Fixed(amount) => amount,
        };
        Money(off.0.clamp(0, price.0.max(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_exactly() {
        let rows: &[(&str, &str, Result<i64, NotMoney>)] = &[
            ("KES", "1500", Ok(150_000)),
            ("KES", "1500.00", Ok(150_000)),
            ("KES", "1500.5", Ok(150_050)),
            ("KES", "0.01", Ok(1)),
            ("KES", "-200.00", Ok(-20_000)),
            ("KES", "1e3", Ok(100_000)),
            ("KES", "1.005", Err(NotMoney::TooManyDecimals)),
            ("KES", "1.0000", Ok(100)),
            ("KES", "", Err(NotMoney::NotANumber)),
            ("KES", "1_000", Err(NotMoney::NotANumber)),
            ("KES", "_1", Err(NotMoney::NotANumber)),
            ("KES", "1e1_0", Err(NotMoney::NotANumber)),
            ("KES", "0x10", Err(NotMoney::NotANumber)),
            ("KES", "٣", Err(NotMoney::NotANumber)),
            ("KES", "+5", Ok(500)),
            ("KES", "1 000", Err(NotMoney::NotANumber)),
            ("KES", "12,5", Err(NotMoney::NotANumber)),
            ("KES", "NaN", Err(NotMoney::NotANumber)),
            ("KES", "99999999999999999", Err(NotMoney::TooLarge)),
            ("KES", "1e40", Err(NotMoney::NotANumber)),
            ("JPY", "1000", Ok(1000)),
            ("JPY", "1000.5", Err(NotMoney::TooManyDecimals)),
            ("KWD", "1.234", Ok(1234)),
        ];
        for (code, text, expected) in rows {
            assert_eq!(Currency::new(code).parse(text).map(|m| m.0), *expected, "{code} {text}");
        }
        assert_eq!(Currency::new("KES").format(Money(-150_005)), "-1500.05");
        assert_eq!(Currency::new("JPY").format(Money(1000)), "1000");
        assert_eq!(Currency::new("KWD").format(Money(5)), "0.005");
    }

    /// Whatever is written: an amount that is read is written again as one that reads the same.
    #[test]
    fn any_text_is_an_amount_or_refused() {
        let seeds: [&[u8]; 9] =
            [b"1500", b"1500.00", b"-0.01", b"1e3", b"+5", b"90071992547409.91", b"0.1e-2", b"1E+10", b"000.000"];
        let tokens: [&[u8]; 10] =
            [b"e", b"E-", b".", b"-", b"+", b"_", b"999999999999999999", b"\xd9\xa3", b"NaN", b"0x"];
        inputs::run("amounts", &seeds, &tokens, 1_000_000, |input| {
            let text = String::from_utf8_lossy(input);
            for code in ["KES", "JPY", "KWD"] {
                let currency = Currency::new(code);
                let Ok(amount) = currency.parse(&text) else { continue };
                assert!(amount.is_exact(), "{text}");
                assert_eq!(currency.parse(&currency.format(amount)), Ok(amount), "{text}");
            }
        });
    }

    #[test]
    fn amounts_have_their_bounds() {
        use OutOfBounds::{Negative, NotPositive, TooMuch};
        let most = MOST.0;
        let rows = [
            // amount → as something paid, as a price, as a balance
            (1, Ok(1), Ok(1), Ok(1)),
            (0, Err(NotPositive), Ok(0), Ok(0)),
            (-1, Err(NotPositive), Err(Negative), Ok(-1)),
            (most, Ok(most), Ok(most), Ok(most)),
            (most + 1, Err(TooMuch), Err(TooMuch), Err(TooMuch)),
            (-most, Err(NotPositive), Err(Negative), Ok(-most)),
            (-most - 1, Err(NotPositive), Err(Negative), Err(TooMuch)),
            (i64::MAX, Err(TooMuch), Err(TooMuch), Err(TooMuch)),
            (i64::MIN, Err(NotPositive), Err(Negative), Err(TooMuch)),
        ];
        for (amount, paid, price, balance) in rows {
            let money = Money(amount);
            let came = (money.as_paid(), money.as_price(), money.as_balance());
            assert_eq!(came, (paid.map(Money), price.map(Money), balance.map(Money)), "{amount}");
        }
        for (amount, exact) in [(0, true), ((1 << 53) - 1, true), (1 << 53, false), (i64::MIN, false)] {
            assert_eq!(Money(amount).is_exact(), exact, "{amount}");
        }
        assert!(MOST.0.checked_mul(900_000).is_some(), "the sum of so many");
    }

    #[test]
    fn tax_is_taken_once_per_rate() {
        let rows = [
            // sum, ppm, inclusive → net, tax
            (150_000, 160_000, true, 129_310, 20_690),
            (150_000, 160_000, false, 150_000, 24_000),
            (3 * 3_335, 180_000, false, 10_005, 1_801),
            (0, 160_000, true, 0, 0),
            (1, 160_000, true, 1, 0),
            (100, 0, true, 100, 0),
            ((1 << 53) - 1, 160_000, true, 7_764_826_943_742_234, 1_242_372_310_998_757),
        ];
        for (sum, ppm, inclusive, net, tax) in rows {
            let got = TaxRate { ppm, inclusive }.split(Money(sum));
            assert_eq!((got.net.0, got.tax.0), (net, tax), "{sum} at {ppm} inclusive {inclusive}");
        }
    }

    #[test]
    fn shares_are_rounded_half_up() {
        let rows = [
            // amount, part, whole → share
            (300_000, 21, 31, 203_226),
            (500_000, 21, 31, 338_710),
            (120_000, 14, 28, 60_000),
            (120_000, 15, 29, 62_069),
            (120_000, 14, 29, 57_931),
            (1000, 17, 30, 567),
            (1, 1, 2, 1),
            (-1, 1, 2, -1),
            (100, 1, 0, 0),
        ];
        for (amount, part, whole, expected) in rows {
            assert_eq!(Money(amount).share(part, whole).0, expected, "{amount} * {part}/{whole}");
        }
    }

    #[test]
    fn a_discount_never_makes_a_price_negative() {
        let rows = [
            (Discount::Percent { ppm: 100_000 }, 150_000, 15_000),
            (Discount::Fixed(Money(20_000)), 15_000, 15_000),
            (Discount::Fixed(Money(-5)), 15_000, 0),
            (Discount::Percent { ppm: 2_000_000 }, 100, 100),
        ];
        for (discount, price, off) in rows {
            assert_eq!(discount.off(Money(price)).0, off, "{discount:?} on {price}");
        }
    }
}
