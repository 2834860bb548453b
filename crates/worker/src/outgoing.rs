//! Requests to addresses that strangers have given. A target inside our own network is refused at the moment of the
//! connection, on the address that is connected to: a name cannot show one address to a check and another to us.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use reqwest::{
    Client, ClientBuilder, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_TYPE, USER_AGENT},
    redirect::Policy,
};
use service::webhooks::queue::{ANSWER_KEPT, Outcome, Outgoing};

/// So much of an answer is read; the rest is not waited for.
const ANSWER_READ: usize = 4096;
const REFUSED: &str = "the address is private or local, which is not allowed";

/// How webhooks are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Receivers may be at private and local addresses.
    pub allow_private: bool,
    /// For a whole request, from the name's resolution to the answer.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { allow_private: false, timeout: Duration::from_secs(10) }
    }
}

#[derive(Clone)]
pub struct Sender {
    client: Client,
    allow_private: bool,
}

impl Sender {
    /// The process's TLS provider has been installed before. Where the system knows no certificate authorities, only
    /// `http` receivers can be reached.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(settings: Settings) -> Result<Sender, reqwest::Error> {
        let client = builder(settings).build().or_else(|error| {
            tracing::warn!(%error, "no certificate authorities: webhooks to https addresses will fail");
            builder(settings).tls_certs_only([]).build()
        })?;
        Ok(Sender { client, allow_private: settings.allow_private })
    }

    /// One attempt. Whatever happens is an outcome.
    pub async fn send(&self, request: &Outgoing) -> Outcome {
        let began = Instant::now();
        let (status, error, answer) = match self.attempt(request).await {
            Ok((status, answer)) => (Some(status), None, Some(answer)),
            Err(error) => (None, Some(error.chars().take(300).collect()), None),
        };
        Outcome { status, error, answer, ms: began.elapsed().as_millis().try_into().unwrap_or(i64::MAX) }
    }

    async fn attempt(&self, request: &Outgoing) -> Result<(u16, String), String> {
        let url = Url::parse(&request.url).map_err(|error| format!("the URL is not valid: {error}"))?;
        may_go_to(&url, self.allow_private)?;
        let mut builder = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("Lastmile/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let mut response = builder.body(request.body.clone()).send().await.map_err(told)?;
        let status = response.status().as_u16();
        let mut answer = Vec::new();
        // The status has been said: an answer that breaks off or never ends changes nothing.
        while answer.len() < ANSWER_READ
            && let Ok(Some(chunk)) = response.chunk().await
        {
            answer.extend_from_slice(&chunk);
        }
        Ok((status, kept(&answer)))
    }
}

/// A host written as an address is not resolved, so it is looked at here.
fn may_go_to(url: &Url, allow_private: bool) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    match address {
        Some(address) if !allow_private && !is_public(address) => Err(REFUSED.into()),
        Some(_) | None => Ok(()),
    }
}

fn builder(settings: Settings) -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        // A proxy would connect for us, past the guard.
        .no_proxy()
        .timeout(settings.timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(1)
        .dns_resolver(Guard { allow_private: settings.allow_private })
}

/// The beginning of an answer as text that every database keeps.
fn kept(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(ANSWER_KEPT).collect()
}

/// The innermost cause, which is what helps.
fn told(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let mut inner: &dyn std::error::Error = &error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    match error.is_connect() {
        true => format!("no connection: {inner}"),
        false => inner.to_string(),
    }
}

/// Resolves names to public addresses only.
struct Guard {
    allow_private: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| allow_private || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(REFUSED.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is of the public internet (the IANA special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a == 10
        || a == 127
        || a >= 224
        // Shared address space, RFC 6598.
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        // Protocol assignments, documentation, 6to4 relays, benchmarks.
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // ::ffff:0:0/96: an IPv4 address that the kernel connects to; ::/96 was meant as one.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0, 0, ..] => false,
        // NAT64 and 6to4 reach the IPv4 address within.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Documentation, benchmarks, Teredo, ORCHID.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Only 2000::/3 is given out as global unicast: not fc00::/7, fe80::/10, ff00::/8, 100::/64.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However an address is written: what is connected to is what was looked at, and none of ours.
    #[test]
    fn any_address_is_looked_at_as_it_is_connected_to() {
        let seeds: [&[u8]; 7] = [
            b"https://hook.example:8443/a?b=c",
            b"http://127.0.0.1/",
            b"http://[::ffff:10.0.0.1]:80/",
            b"http://0x7f.1/",
            b"http://2130706433/",
            b"http://user:pass@169.254.169.254/latest",
            b"HTTP://localhost#@evil.example/",
        ];
        let tokens: [&[u8]; 14] = [
            b"127.1",
            b"0x",
            b"[::1]",
            b"[",
            b"]",
            b"@",
            b"#",
            b"%00",
            b"%31",
            b"\\",
            b"//",
            b"\xe3\x80\x82",
            b"017700000001",
            b":",
        ];
        inputs::run("webhooks' addresses", &seeds, &tokens, 200_000, |input| {
            let Ok(url) = Url::parse(&String::from_utf8_lossy(input)) else { return };
            if may_go_to(&url, false).is_err() {
                return;
            }
            // As the connection will take it.
            let host = url.host_str().unwrap_or_default();
            let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
            if let Ok(address) = bare.parse::<IpAddr>() {
                assert!(is_public(address), "{url}");
            }
            assert!(!host.contains(['@', '/', '\\', '#', '\0']), "{url}");
        });
    }

    #[test]
    fn addresses_that_are_public() {
        let rows = [
            ("8.8.8.8", true),
            ("100.63.255.255", true),
            ("172.32.0.1", true),
            ("192.0.1.1", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.255.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700::1111", true),
            ("::", false),
            ("::1", false),
            ("::ffff:8.8.8.8", false),
            ("::ffff:127.0.0.1", false),
            ("::127.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("64:ff9b::808:808", true),
            ("64:ff9b:1::1", false),
            ("2002:a00:1::", false),
            ("2002:808:808::", true),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2001:4860::8888", true),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("100::1", false),
        ];
        for (text, expected) in rows {
            assert_eq!(is_public(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn addresses_in_every_writing_are_seen() {
        let url = |text: &str| Url::parse(text).unwrap();
        let host = |text: &str| url(text).host_str().unwrap().to_string();
        // The parser writes them out, so that the check sees what is connected to.
        for text in ["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/"] {
            assert_eq!(host(text), "127.0.0.1", "{text}");
        }
        assert_eq!(host("http://[::ffff:7f00:1]/"), "[::ffff:7f00:1]");
    }
}
