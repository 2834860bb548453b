//! Ranges of addresses as people write them.

use std::net::Ipv4Addr;

/// `10.0.0.0/24, 10.1.0.5-10.1.0.9, 10.2.0.1` as first and last addresses; `None` when a part is no such thing.
pub fn parse_ranges(text: &str) -> Option<Vec<(Ipv4Addr, Ipv4Addr)>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let ranges: Option<Vec<_>> = parts
        .map(|part| {
            if let Some((first, last)) = part.split_once('-') {
                let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
                return (first <= last).then_some((first, last));
            }
            match part.split_once('/') {
                None => part.parse().ok().map(|address| (address, address)),
                Some(_) => {
                    let net: ipnet::Ipv4Net = part.parse().ok()?;
                    // Network and broadcast addresses are nobody's.
                    let spare = u32::from(net.prefix_len() < 31);
                    let (first, last) = (u32::from(net.network()) + spare, u32::from(net.broadcast()) - spare);
                    Some((first.into(), last.into()))
                }
            }
        })
        .collect();
    ranges.filter(|ranges| !ranges.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_written_in_three_ways() {
        let rows = [
            ("10.0.0.0/30", Some("10.0.0.1-10.0.0.2")),
            ("10.0.0.5-10.0.0.9", Some("10.0.0.5-10.0.0.9")),
            ("10.0.0.5 - 10.0.0.9, 10.1.0.1", Some("10.0.0.5-10.0.0.9 10.1.0.1-10.1.0.1")),
            ("10.0.0.9-10.0.0.5", None),
            ("10.0.0.0/33", None),
            ("", None),
            ("pool", None),
        ];
        for (text, expected) in rows {
            let got = parse_ranges(text).map(|ranges| {
                ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect::<Vec<_>>().join(" ")
            });
            assert_eq!(got.as_deref(), expected, "{text}");
        }
    }
}
