//! Which Isp a host name is of: where several share a program, a name that two of them know is looked up in the one that was
//! called. What a caller says is believed: it chooses where it is looked for, not who it is.

use std::{collections::HashMap, sync::Arc};

use axum::http::{HeaderMap, Uri, header::HOST};
use domain::IspId;

/// Host names, each of one Isp.
#[derive(Clone, Default, Debug)]
pub struct Hosts(Arc<HashMap<String, IspId>>);

impl FromIterator<(String, IspId)> for Hosts {
    fn from_iter<I: IntoIterator<Item = (String, IspId)>>(hosts: I) -> Hosts {
        Hosts(Arc::new(hosts.into_iter().map(|(host, isp)| (key(&host), isp)).collect()))
    }
}

impl Hosts {
    /// Whose host a request is for: HTTP/2's authority, or the header (RFC 9110 section 7.2).
    pub fn isp(&self, uri: &Uri, headers: &HeaderMap) -> Option<IspId> {
        if self.0.is_empty() {
            return None;
        }
        let said = uri.host().or_else(|| headers.get(HOST)?.to_str().ok())?;
        self.0.get(&key(said)).copied()
    }
}

/// Without a port, a last dot or capitals.
fn key(host: &str) -> String {
    let host = host.trim();
    let name = match host.rsplit_once(':') {
        // In an IPv6 address colons are inside brackets.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        Some(_) | None => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_one_isps_however_it_is_written() {
        let hosts: Hosts =
            [("North.example".to_string(), IspId(1)), ("[2001:db8::1]".into(), IspId(2))].into_iter().collect();
        let rows = [
            ("/", Some("north.example"), Some(1)),
            ("/", Some("NORTH.example:8080"), Some(1)),
            ("/", Some("north.example."), Some(1)),
            ("https://north.example/x", None, Some(1)),
            // The authority is what was asked for.
            ("https://north.example/x", Some("south.example"), Some(1)),
            ("/", Some("[2001:db8::1]:443"), Some(2)),
            ("/", Some("[2001:db8::1]"), Some(2)),
            ("/", Some("south.example"), None),
            ("/", Some("north.example.evil"), None),
            ("/", Some(""), None),
            ("/", None, None),
        ];
        for (uri, host, isp) in rows {
            let headers: HeaderMap = host.iter().map(|host| (HOST, host.parse().unwrap())).collect();
            assert_eq!(hosts.isp(&uri.parse().unwrap(), &headers), isp.map(IspId), "{uri} {host:?}");
        }
    }
}
