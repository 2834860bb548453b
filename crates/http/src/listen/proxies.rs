//! Whose word is taken for where a caller is: proxies that the operator named, and nobody else's.
//!
//! A proxy adds the address that it was called from at the right end of `X-Forwarded-For`, or of `Forwarded` (RFC 7239);
//! whatever stands left of that the caller may have written itself. So the lists are read from the right, over named
//! proxies, to the first that is none. Where both headers come and differ, one of them was not written by the proxy:
//! neither is believed.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header::FORWARDED};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Nobody has so many proxies in a row.
const MOST: usize = 32;

/// Addresses and networks of trusted proxies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Those of `["127.0.0.0/8", "192.0.2.1"]`.
    ///
    /// # Errors
    /// The one that is neither an address nor a network.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Proxies, &'a str> {
        let one = |text: &'a str| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            address.or_else(|_| text.parse::<IpNet>()).map_err(|_| text)
        };
        texts.into_iter().map(one).collect::<Result<_, _>>().map(Proxies)
    }

    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address.to_canonical()))
    }

    /// Where a request came from that `peer` sent.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let said = self.nearest(peer, lines(headers, &X_FORWARDED_FOR).map(|item| address(item.trim())));
        let told = self.nearest(peer, lines(headers, &FORWARDED).map(told_for));
        match (said, told) {
            (None, None) => peer,
            (Some(one), None) | (None, Some(one)) => one,
            (Some(one), Some(other)) if one == other => one,
            (Some(_), Some(_)) => peer,
        }
    }

    /// Of hops from the nearest to the farthest, the first that is no named proxy; what is no address hides all before it.
    fn nearest(&self, peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        let mut last = None;
        for hop in hops.take(MOST) {
            match hop {
                Some(hop) if self.trusts(hop) => last = Some(hop),
                Some(hop) => return Some(hop),
                None => return last.or(Some(peer)),
            }
        }
        last
    }
}

/// The items of a header that may come in several lines, from the last to the first.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&str> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("?")).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(','))
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let found: Option<IpAddr> = text.parse().ok().or_else(bare).or_else(with_port);
    found.map(|address| address.to_canonical())
}

/// The `for` of one element of `Forwarded`: `for="[2001:db8::7]:4711";proto=https`. A comma within quotes cuts an element
/// in two that are no addresses, and hides what is left of it.
fn told_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address(value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(proxies: &Proxies, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            headers.append(HeaderName::from_static(name), line.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_named_proxy_is_believed_and_only_its_own_word() {
        let proxies = Proxies::new(["127.0.0.0/8", "::1", "192.0.2.1", "2001:db8:ff::/48"]).unwrap();
        const X: &str = "x-forwarded-for";
        const F: &str = "forwarded";
        let rows: &[(&str, &[(&'static str, &str)], &str)] = &[
            // peer, headers, the client
            ("198.51.100.9", &[(X, "203.0.113.7")], "198.51.100.9"),
            ("198.51.100.9", &[(F, "for=203.0.113.7")], "198.51.100.9"),
            ("::ffff:198.51.100.9", &[(X, "203.0.113.7")], "198.51.100.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &[(X, "203.0.113.7")], "203.0.113.7"),
            ("::ffff:127.0.0.1", &[(X, "203.0.113.7")], "203.0.113.7"),
            // What the caller wrote stands left of what the proxy wrote.
            ("127.0.0.1", &[(X, "10.0.0.1, 203.0.113.7")], "203.0.113.7"),
            ("127.0.0.1", &[(X, "10.0.0.1"), (X, "203.0.113.7")], "203.0.113.7"),
            ("127.0.0.1", &[(X, "10.0.0.1, 203.0.113.7, 192.0.2.1")], "203.0.113.7"),
            ("127.0.0.1", &[(X, "192.0.2.1, 127.0.0.9")], "192.0.2.1"),
            ("127.0.0.1", &[(X, "203.0.113.7, unknown")], "127.0.0.1"),
            ("127.0.0.1", &[(X, "203.0.113.7, ")], "127.0.0.1"),
            ("127.0.0.1", &[(X, "203.0.113.7, unknown, 192.0.2.1")], "192.0.2.1"),
            ("127.0.0.1", &[(X, "203.0.113.7:4711")], "203.0.113.7"),
            ("::1", &[(X, "2001:db8::7")], "2001:db8::7"),
            ("::1", &[(X, "[2001:db8::7]:4711")], "2001:db8::7"),
            ("2001:db8:ff::1", &[(X, "2001:db8::7, 2001:db8:ff::2")], "2001:db8::7"),
            ("127.0.0.1", &[(F, "for=203.0.113.7;proto=https")], "203.0.113.7"),
            ("127.0.0.1", &[(F, "for=10.0.0.1, proto=https;For=\"[2001:db8::7]:4711\"")], "2001:db8::7"),
            ("127.0.0.1", &[(F, "for=203.0.113.7, for=_hidden")], "127.0.0.1"),
            ("127.0.0.1", &[(F, "for=203.0.113.7, for=\"10.0.0.1,10.0.0.2\"")], "127.0.0.1"),
            ("127.0.0.1", &[(X, "203.0.113.7"), (F, "for=203.0.113.7")], "203.0.113.7"),
            ("127.0.0.1", &[(X, "203.0.113.7"), (F, "for=203.0.113.8")], "127.0.0.1"),
        ];
        for (peer, headers, expected) in rows {
            assert_eq!(told(&proxies, peer, headers), *expected, "{peer} {headers:?}");
        }
        assert_eq!(told(&Proxies::default(), "127.0.0.1", &[(X, "203.0.113.7")]), "127.0.0.1", "nobody is named");
        assert_eq!(Proxies::new(["127.0.0.1", "localhost"]), Err("localhost"));
    }
}
