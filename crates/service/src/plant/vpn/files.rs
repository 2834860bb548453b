//! Configuration files, as WireGuard's and OpenVPN's own tools read them.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// A tunnel's network: address 1 is the server's, the others are handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network(Ipv4Net);

impl Network {
    /// Of private addresses, between /8 and /29.
    pub fn parse(text: &str) -> Option<Network> {
        let net: Ipv4Net = text.trim().parse().ok()?;
        let (first, last) = (net.network(), net.broadcast());
        let shared = |at: Ipv4Addr| at.octets()[0] == 100 && at.octets()[1] & 0xc0 == 64;
        let own = (first.is_private() && last.is_private()) || (shared(first) && shared(last));
        (own && (8..=29).contains(&net.prefix_len())).then(|| Network(net.trunc()))
    }

    /// The address counted from the network's first; `None` for the network's own, the broadcast address and beyond.
    pub fn address(self, host: i64) -> Option<Ipv4Addr> {
        let (first, last) = (u32::from(self.0.network()), u32::from(self.0.broadcast()));
        let at = u32::try_from(host).ok().and_then(|host| first.checked_add(host))?;
        (host >= 1 && at < last).then(|| at.into())
    }

    pub fn overlaps(self, other: Network) -> bool {
        self.0.contains(&other.0.network()) || other.0.contains(&self.0.network())
    }

    pub fn netmask(self) -> Ipv4Addr {
        self.0.netmask()
    }

    pub fn base(self) -> Ipv4Addr {
        self.0.network()
    }

    pub fn prefix(self) -> u8 {
        self.0.prefix_len()
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// `10.0.0.0/8, 192.168.4.0/24` as networks; `None` when a part is none.
pub fn networks(text: &str) -> Option<Vec<Ipv4Net>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let nets: Option<Vec<Ipv4Net>> = parts.map(|part| part.parse::<Ipv4Net>().ok().map(|net| net.trunc())).collect();
    nets.filter(|nets| !nets.is_empty())
}

/// What both sides of WireGuard are told.
#[derive(Clone, Copy)]
pub struct Wireguard<'a> {
    pub endpoint: &'a str,
    pub port: i64,
    pub network: Network,
    pub dns: Option<&'a str>,
    /// Beside the tunnel's own.
    pub routes: &'a [Ipv4Net],
    pub server_public: &'a str,
}

impl Wireguard<'_> {
    /// A client's file for `wg-quick`.
    pub fn client(&self, name: &str, address: Ipv4Addr, private: &str, preshared: &str) -> String {
        let Wireguard { endpoint, port, network, dns, routes, server_public } = *self;
        let mut reached = vec![network.to_string()];
        reached.extend(routes.iter().map(Ipv4Net::to_string));
        let dns = dns.map(|dns| format!("DNS = {dns}\n")).unwrap_or_default();
        format!(
            "# {name}\n[Interface]\nPrivateKey = {private}\nAddress = {address}/32\n{dns}\n[Peer]\n\
             PublicKey = {server_public}\nPresharedKey = {preshared}\nEndpoint = {}:{port}\n\
             AllowedIPs = {}\nPersistentKeepalive = 25\n",
            bracketed(endpoint),
            reached.join(", ")
        )
    }

    /// The server's file, with its peers: name, address, public key, preshared key.
    pub fn server(&self, private: &str, peers: &[(String, Ipv4Addr, String, String)]) -> String {
        let address = self.network.address(1).unwrap_or(self.network.base());
        let mut text = format!(
            "[Interface]\nPrivateKey = {private}\nAddress = {address}/{}\nListenPort = {}\n",
            self.network.prefix(),
            self.port
        );
        for (name, address, public, preshared) in peers {
            text += &format!(
                "\n# {name}\n[Peer]\nPublicKey = {public}\nPresharedKey = {preshared}\nAllowedIPs = {address}/32\n"
            );
        }
        text
    }
}

/// What both sides of OpenVPN are told.
#[derive(Clone, Copy)]
pub struct Openvpn<'a> {
    pub endpoint: &'a str,
    pub port: i64,
    /// udp, tcp.
    pub protocol: &'a str,
    pub network: Network,
    pub dns: Option<&'a str>,
    pub routes: &'a [Ipv4Net],
    pub authority: &'a str,
    pub tls_crypt: &'a str,
}

const CIPHERS: &str = "data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305\nauth SHA256\ntls-version-min 1.2\n";

fn inline(tag: &str, text: &str) -> String {
    format!("<{tag}>\n{}\n</{tag}>\n", text.trim_end())
}

impl Openvpn<'_> {
    /// A client's file, with everything in it.
    pub fn client(&self, name: &str, server_name: &str, certificate: &str, key: &str) -> String {
        let Openvpn { endpoint, port, protocol, network: _, dns, routes, authority, tls_crypt } = *self;
        let protocol = if protocol == "tcp" { "tcp-client" } else { "udp" };
        let mut text = format!(
            "# {name}\nclient\ndev tun\nproto {protocol}\nremote {endpoint} {port}\nresolv-retry infinite\nnobind\n\
             persist-key\npersist-tun\nremote-cert-tls server\nverify-x509-name {server_name} name\n{CIPHERS}verb 3\n"
        );
        text += &routes.iter().map(|net| format!("route {} {}\n", net.network(), net.netmask())).collect::<String>();
        if let Some(dns) = dns {
            text += &dns.split(',').map(|dns| format!("dhcp-option DNS {}\n", dns.trim())).collect::<String>();
        }
        text + &inline("ca", authority)
            + &inline("cert", certificate)
            + &inline("key", key)
            + &inline("tls-crypt", tls_crypt)
    }

    /// The server's file. Peers (name, address) have a file each in the directory `ccd`; who has none is not let in.
    pub fn server(&self, certificate: &str, key: &str, peers: &[(String, Ipv4Addr)]) -> String {
        let protocol = if self.protocol == "tcp" { "tcp-server" } else { "udp" };
        let (base, mask) = (self.network.base(), self.network.netmask());
        let mut text = format!(
            "# Whom it lets in stands at the end: `# ccd/NAME: LINE` is a file NAME in the directory ccd that holds\n\
             # LINE. This makes them:\n\
             #   mkdir -p ccd && sed -n 's|^# ccd/\\([^:]*\\): \\(.*\\)|\\1 \\2|p' server.conf |\n\
             #     while read -r name line; do echo \"$line\" > \"ccd/$name\"; done\n\
             port {}\nproto {protocol}\ndev tun\ntopology subnet\nserver {base} {mask}\n\
             client-config-dir ccd\nccd-exclusive\ndh none\nkeepalive 10 60\npersist-key\npersist-tun\n\
             remote-cert-tls client\n{CIPHERS}verb 3\n",
            self.port
        );
        text += &inline("ca", self.authority);
        text += &inline("cert", certificate);
        text += &inline("key", key);
        text += &inline("tls-crypt", self.tls_crypt);
        for (name, address) in peers {
            text += &format!("# ccd/{name}: ifconfig-push {address} {mask}\n");
        }
        text
    }
}

/// IPv6 addresses stand in brackets before a port.
fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.into() }
}
