//! Where the call that is being worked on came from: the caller's own address, behind whatever proxies the operator
//! named. The listener sets it around everything it serves, so that no use case has to be told and no door can forget.

use std::net::{IpAddr, Ipv6Addr};

tokio::task_local! {
    static ORIGIN: Option<IpAddr>;
}

/// Works on a call from there.
pub async fn from<F: Future>(address: Option<IpAddr>, call: F) -> F::Output {
    ORIGIN.scope(address, call).await
}

/// `None` for what no network asked for: commands, tasks, tests of use cases.
pub fn current() -> Option<IpAddr> {
    ORIGIN.try_with(|address| *address).ok().flatten()
}

/// The present call's sender, as it is kept.
pub fn kept() -> Option<String> {
    current().map(|address| sender(address).to_string())
}

/// Who counts as one sender: an IPv4 address, or an IPv6 /64, which is the least that anybody is given (RFC 6177).
pub fn sender(address: IpAddr) -> IpAddr {
    narrowed(address, 64)
}

/// Who counts as one site: an IPv4 address, or an IPv6 /48.
pub fn site(address: IpAddr) -> IpAddr {
    narrowed(address, 48)
}

fn narrowed(address: IpAddr, bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> bits)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sender_whatever_it_rotates() {
        let rows = [
            ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1::"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::", "2001:db8:1::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::", "2001:db8:1::"),
        ];
        for (address, one, other) in rows {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(
                (sender(address).to_string(), site(address).to_string()),
                (one.into(), other.into()),
                "{address}"
            );
        }
    }

    #[tokio::test]
    async fn a_call_knows_where_it_came_from() {
        let address = "192.0.2.7".parse().ok();
        assert_eq!((current(), from(address, async { current() }).await, current()), (None, address, None));
    }
}
