//! Where the call that is being worked on came from: the caller's own address, behind whatever proxies the operator
//! named, and the Isp whose host was called. The listener sets it around everything it serves, so that no use case has to
//! be told and no door can forget.

use std::net::{IpAddr, Ipv6Addr};

use domain::IspId;

tokio::task_local! {
    static ORIGIN: Origin;
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Origin {
    pub address: Option<IpAddr>,
    /// Whose host name was called, where the operator has given hosts to Isps.
    pub isp: Option<IspId>,
}

/// Works on a call from there.
pub async fn from<F: Future>(origin: Origin, call: F) -> F::Output {
    ORIGIN.scope(origin, call).await
}

/// The present call's; nothing is known of what no network asked for: commands, tasks, tests of use cases.
pub fn present() -> Origin {
    ORIGIN.try_with(|origin| *origin).unwrap_or_default()
}

/// The Isp whose host was called: names are looked up in it alone.
pub fn isp() -> Option<IspId> {
    present().isp
}

/// `None` for what no network asked for.
pub fn current() -> Option<IpAddr> {
    present().address
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
        let origin = Origin { address: "192.0.2.7".parse().ok(), isp: Some(IspId(2)) };
        assert_eq!((present(), from(origin, async { present() }).await), (Origin::default(), origin));
        assert_eq!((current(), isp()), (None, None));
    }
}
