//! Phone numbers as messages carry them: with the country's calling code (E.164 digits, without `+`). A provider's country
//! is that of its time zone.

/// A country as its numbers are dialled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Country {
    /// ISO 3166-1.
    pub code: &'static str,
    pub calling_code: &'static str,
    /// Digits of a mobile number behind the calling code, at least and at most.
    digits: (usize, usize),
}

#[rustfmt::skip]
const COUNTRIES: &[(&[&str], Country)] = &[
    (&["Asia/Kolkata", "Asia/Calcutta"], of("IN", "91", 10, 10)),
    (&["Asia/Dhaka"], of("BD", "880", 10, 10)),
    (&["Africa/Nairobi"], of("KE", "254", 9, 9)),
    (&["Asia/Karachi"], of("PK", "92", 10, 10)),
    (&["Asia/Kathmandu", "Asia/Katmandu"], of("NP", "977", 10, 10)),
    (&["Asia/Colombo"], of("LK", "94", 9, 9)),
    (&["Asia/Thimphu"], of("BT", "975", 8, 8)),
    (&["Indian/Maldives"], of("MV", "960", 7, 7)),
    (&["Asia/Yangon", "Asia/Rangoon"], of("MM", "95", 8, 10)),
    (&["Asia/Kabul"], of("AF", "93", 9, 9)),
    (&["Asia/Manila"], of("PH", "63", 10, 10)),
    (&["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"], of("ID", "62", 9, 12)),
    (&["Asia/Kuala_Lumpur"], of("MY", "60", 9, 10)),
    (&["Asia/Dubai"], of("AE", "971", 9, 9)),
    (&["Asia/Riyadh"], of("SA", "966", 9, 9)),
    (&["Asia/Qatar"], of("QA", "974", 8, 8)),
    (&["Asia/Baghdad"], of("IQ", "964", 10, 10)),
    (&["Africa/Lagos"], of("NG", "234", 10, 10)),
    (&["Africa/Accra"], of("GH", "233", 9, 9)),
    (&["Africa/Kampala"], of("UG", "256", 9, 9)),
    (&["Africa/Dar_es_Salaam"], of("TZ", "255", 9, 9)),
    (&["Africa/Kigali"], of("RW", "250", 9, 9)),
    (&["Africa/Addis_Ababa"], of("ET", "251", 9, 9)),
    (&["Africa/Lusaka"], of("ZM", "260", 9, 9)),
    (&["Africa/Harare"], of("ZW", "263", 9, 9)),
    (&["Africa/Maputo"], of("MZ", "258", 9, 9)),
    (&["Africa/Kinshasa", "Africa/Lubumbashi"], of("CD", "243", 9, 9)),
    (&["Africa/Johannesburg"], of("ZA", "27", 9, 9)),
    (&["Africa/Cairo"], of("EG", "20", 10, 10)),
    (&["America/Sao_Paulo"], of("BR", "55", 10, 11)),
    (&["America/Mexico_City"], of("MX", "52", 10, 10)),
    (&["America/Bogota"], of("CO", "57", 10, 10)),
    (&["America/Lima"], of("PE", "51", 9, 9)),
    (&["America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"], of("US", "1", 10, 10)),
    (&["Europe/London"], of("GB", "44", 10, 10)),
    (&["Europe/Berlin"], of("DE", "49", 10, 11)),
    (&["Europe/Istanbul"], of("TR", "90", 10, 10)),
];

const fn of(code: &'static str, calling_code: &'static str, least: usize, most: usize) -> Country {
    Country { code, calling_code, digits: (least, most) }
}

/// The country of a time zone; `None` for zones that are in no table here.
pub fn country(time_zone: &str) -> Option<Country> {
    COUNTRIES.iter().find(|(zones, _)| zones.contains(&time_zone)).map(|(_, country)| *country)
}

/// A number's digits with the calling code; what has one already, in whatever form, keeps it. Where the country is not
/// known, or the number is none of a subscriber's, its digits are all there is to say.
pub fn international(number: &str, country: Option<Country>) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if number.trim_start().starts_with('+') {
        return digits;
    }
    if let Some(abroad) = digits.strip_prefix("00") {
        return abroad.into();
    }
    let Some(country) = country else { return digits };
    let (least, most) = country.digits;
    let fits = |national: &str| (least..=most).contains(&national.len());
    if digits.strip_prefix(country.calling_code).is_some_and(fits) {
        return digits;
    }
    let local = digits.strip_prefix('0').unwrap_or(&digits);
    if fits(local) {
        return format!("{}{local}", country.calling_code);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_their_country() {
        let rows = [
            ("Asia/Kolkata", "9999999999", "919999999999"),
            ("Asia/Kolkata", "09999999999", "919999999999"),
            ("Asia/Kolkata", "9123456789", "919123456789"),
            ("Asia/Kolkata", "919999999999", "919999999999"),
            ("Asia/Kolkata", "+91 99999-99999", "919999999999"),
            ("Asia/Kolkata", "0044 7700 900123", "447700900123"),
            ("Africa/Nairobi", "0758877699", "254758877699"),
            ("Africa/Nairobi", "254758877699", "254758877699"),
            ("Asia/Dhaka", "01711000000", "8801711000000"),
            ("Asia/Jakarta", "628123456789", "628123456789"),
            ("Asia/Jakarta", "08123456789", "628123456789"),
            ("Etc/UTC", "0758877699", "0758877699"),
            ("Asia/Kolkata", "1909", "1909"),
            ("Asia/Kolkata", "", ""),
        ];
        for (zone, number, expected) in rows {
            assert_eq!(international(number, country(zone)), expected, "{number} in {zone}");
        }
    }

    #[test]
    fn every_zone_is_one() {
        for (zones, country) in COUNTRIES {
            for zone in *zones {
                assert!(jiff::tz::TimeZone::get(zone).is_ok(), "{zone}");
            }
            assert_eq!(country.code.len(), 2);
        }
    }
}
