//! Whose packets come from where. A sender belongs to one provider: what a network's row says decides which secret a packet
//! is read with and whose subscribers it asks for, so no provider's row may cover what another's covers.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::{IpNet, Ipv4Net};

use crate::IspId;

/// Networks by who came first. Two providers' never overlap in it; those of one may.
#[derive(Default, Debug)]
pub struct Senders(BTreeMap<(IpAddr, u8), IspId>);

impl Senders {
    /// Takes a network for a provider where nothing of it is another's. `false`: it stays the other's.
    pub fn claim(&mut self, isp: IspId, network: IpNet) -> bool {
        let network = plain(network);
        if self.is_anothers(isp, network) {
            return false;
        }
        self.0.insert((network.addr(), network.prefix_len()), isp);
        true
    }

    /// Two networks share an address only where one is inside the other.
    fn is_anothers(&self, isp: IspId, network: IpNet) -> bool {
        let around = std::iter::successors(Some(network), IpNet::supernet);
        let mut around = around.filter_map(|wider| self.0.get(&(wider.addr(), wider.prefix_len())));
        let inside = self.0.range((network.addr(), network.prefix_len())..=(network.broadcast(), u8::MAX));
        around.any(|holder| *holder != isp) || inside.into_iter().any(|(_, holder)| *holder != isp)
    }
}

/// Without host bits, and an IPv4 network written as IPv6 (`::ffff:10.0.0.0/104`) as the IPv4 one: its packets are the same.
fn plain(network: IpNet) -> IpNet {
    let network = network.trunc();
    let IpNet::V6(six) = network else { return network };
    let Some(four) = six.addr().to_ipv4_mapped() else { return network };
    let mapped = six.prefix_len().checked_sub(96).and_then(|prefix| Ipv4Net::new(four, prefix).ok());
    mapped.map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).unwrap()
    }

    #[test]
    fn a_sender_is_of_one_provider() {
        // What one has, what another asks for, whether it may.
        let cases = [
            ("10.0.0.1", "10.0.0.1", false),
            ("10.0.0.1/32", "10.0.0.1", false),
            ("10.0.0.0/24", "10.0.0.7", false),
            ("10.0.0.7", "10.0.0.0/24", false),
            ("10.0.0.255", "10.0.0.0/24", false),
            ("10.0.0.0/24", "0.0.0.0/0", false),
            ("0.0.0.0/0", "10.0.0.0/24", false),
            ("10.0.0.9/24", "10.0.0.200", false),
            ("10.0.0.0/24", "10.0.0.3/24", false),
            ("10.0.0.0/24", "10.0.1.0/24", true),
            ("10.0.0.0/24", "10.0.1.1", true),
            ("10.0.0.0/24", "9.255.255.255", true),
            ("10.0.0.1", "::ffff:10.0.0.1", false),
            ("::ffff:10.0.0.0/120", "10.0.0.9", false),
            ("2001:db8::/32", "2001:db8:1::1", false),
            ("2001:db8:1::1", "2001:db8::/32", false),
            ("2001:db8::/32", "::/0", false),
            ("2001:db8::/32", "2001:db9::/32", true),
            ("0.0.0.0/0", "2001:db8::1", true),
        ];
        for (has, asks, may) in cases {
            let mut senders = Senders::default();
            assert!(senders.claim(IspId(1), net(has)), "{has}");
            assert!(senders.claim(IspId(1), net(asks)), "one's own may overlap: {has} {asks}");
            let mut senders = Senders::default();
            assert!(senders.claim(IspId(1), net(has)), "{has}");
            assert_eq!(senders.claim(IspId(2), net(asks)), may, "{has} and {asks}");
        }
    }

    #[test]
    fn what_was_refused_holds_nothing() {
        let mut senders = Senders::default();
        assert!(senders.claim(IspId(1), net("10.0.0.1")));
        assert!(!senders.claim(IspId(2), net("10.0.0.0/8")));
        assert!(senders.claim(IspId(3), net("10.1.0.0/16")));
    }
}
