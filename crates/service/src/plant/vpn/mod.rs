//! The VPN by which routers behind NAT and the people who tend them reach the provider's network: one server an Isp,
//! which the operator runs with the file given here, and accounts of WireGuard or OpenVPN.
//!
//! Keys are made here and private ones sealed. A configuration is a secret: each time one is taken, a row of the
//! access log says who took it.

pub mod files;
pub mod keys;

use domain::{Instant, IspId};
use store::{
    db::Class,
    plant::{plant as rows, vpn},
};

use crate::{
    Actor, App, By, Error, Expected, Fact, Refusal, What, Why,
    kernel::{
        ids::Table,
        secrets::{vpn_account_place, vpn_server_place},
        vault::{hex, random_bytes},
    },
    plant::{self, Checks, whole},
};
use domain::{kernel::names::name_key, plant::reach::is_host};
use files::{Network, Openvpn, Wireguard, networks};
use keys::{For, SERVER_NAME, WireguardPair};

pub use store::plant::vpn::{Account, Filter, Server};

pub const PROTOCOLS: &[&str] = &["wireguard", "openvpn"];
pub const TRANSPORTS: &[&str] = &["udp", "tcp"];

const WIREGUARD_NETWORK: &str = "10.66.0.0/22";
const OPENVPN_NETWORK: &str = "10.67.0.0/22";

fn authority_name(isp: IspId) -> String {
    format!("Lastmile VPN {isp}")
}

fn opened(app: &App, place: &str, sealed: &[u8]) -> Result<String, Error> {
    app.vault.open(place, sealed).ok_or_else(|| Error::Internal(format!("{place} does not open with this key")))
}

// ---- the server ----

/// The Isp's server; its keys are made when it is first asked for.
pub async fn server(app: &App, actor: &Actor) -> Result<Server, Error> {
    whole(actor)?;
    made(app, actor.isp).await
}

async fn made(app: &App, isp: IspId) -> Result<Server, Error> {
    let known = app.db.read(async move |tx| vpn::server(tx, isp).await).await?;
    if let Some(server) = known {
        return Ok(server);
    }
    let now = app.clock.now();
    let pair = WireguardPair::random();
    let authority = keys::authority(&authority_name(isp), now)?;
    let own = keys::certify((&authority_name(isp), &authority.key), SERVER_NAME, For::Server, now)?;
    let seal = |what: &str, clear: &str| app.vault.seal(&vpn_server_place(isp, what), clear);
    let server = Server {
        isp_id: isp,
        endpoint: None,
        dns: None,
        routes: None,
        wireguard_port: 51820,
        wireguard_network: WIREGUARD_NETWORK.into(),
        wireguard_public: pair.public,
        wireguard_private: seal("wireguard", &pair.private),
        openvpn_port: 1194,
        openvpn_protocol: "udp".into(),
        openvpn_network: OPENVPN_NETWORK.into(),
        ca_certificate: authority.certificate,
        ca_key: seal("ca", &authority.key),
        server_certificate: own.certificate,
        server_key: seal("server", &own.key),
        tls_crypt: seal("tls_crypt", &keys::tls_crypt()),
        created_at: now,
        updated_at: now,
    };
    // Two that ask at once get the same one.
    app.change(&Actor::system(isp), Class::Interactive, async move |change| {
        vpn::add_server(change.tx, &server).await?;
        vpn::server(change.tx, isp).await?.ok_or_else(|| Error::Internal("the VPN server was not kept".into()))
    })
    .await
}

/// What of the server can be set; `None` leaves it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ServerChange {
    pub endpoint: Option<Option<String>>,
    pub dns: Option<Option<String>>,
    pub routes: Option<Option<String>>,
    pub wireguard_port: Option<i64>,
    pub wireguard_network: Option<String>,
    pub openvpn_port: Option<i64>,
    pub openvpn_protocol: Option<&'static str>,
    pub openvpn_network: Option<String>,
}

/// Changes the settings. A network that somebody has an address of stays.
pub async fn set_server(
    app: &App,
    actor: &Actor,
    unchanged_since: Option<Instant>,
    wish: ServerChange,
) -> Result<Server, Error> {
    actor.writes()?;
    whole(actor)?;
    made(app, actor.isp).await?;
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let found = vpn::server(change.tx, change.isp).await?;
        let before = found.ok_or(Error::NotFound { what: What::VpnServer })?;
        plant::unchanged(unchanged_since, before.updated_at)?;
        let after = wished(&before, &wish)?;
        for (protocol, moved) in [
            ("wireguard", after.wireguard_network != before.wireguard_network),
            ("openvpn", after.openvpn_network != before.openvpn_network),
        ] {
            if moved && vpn::taken(change.tx, change.isp, protocol).await?.0 > 0 {
                return Err(Error::InUse { what: What::Network, by: By::VpnAccounts });
            }
        }
        let after = Server { updated_at: plant::later(change.now, before.updated_at), ..after };
        vpn::update_server(change.tx, &after).await?;
        plant::log(change, "changed", "vpn_server", 0, "VPN server").await?;
        Ok(after)
    })
    .await
}

fn wished(before: &Server, wish: &ServerChange) -> Result<Server, Error> {
    let ServerChange {
        endpoint,
        dns,
        routes,
        wireguard_port,
        wireguard_network,
        openvpn_port,
        openvpn_protocol,
        openvpn_network,
    } = wish.clone();
    let mut server = before.clone();
    let mut checks = Checks::default();
    if let Some(endpoint) = endpoint {
        checks.must(endpoint.as_deref().is_none_or(is_host), "endpoint", Why::Not(Expected::HostWithoutPort));
        server.endpoint = endpoint;
    }
    if let Some(dns) = dns {
        let right = |list: &str| list.split(',').all(|part| part.trim().parse::<std::net::IpAddr>().is_ok());
        checks.must(dns.as_deref().is_none_or(right), "dns", Why::Not(Expected::AddressesWithCommas));
        server.dns = dns.map(|list| list.split(',').map(str::trim).collect::<Vec<_>>().join(", "));
    }
    if let Some(routes) = routes {
        let read = routes.as_deref().map(networks);
        checks.must(!matches!(read, Some(None)), "routes", Why::Not(Expected::NetworksWithCommas));
        server.routes = read.flatten().map(|nets| nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    }
    const NETWORK: Why = Why::Not(Expected::PrivateNetwork);
    for (given, field, kept) in [
        (wireguard_network, "wireguard_network", &mut server.wireguard_network),
        (openvpn_network, "openvpn_network", &mut server.openvpn_network),
    ] {
        if let Some(text) = given {
            let network = Network::parse(&text);
            checks.must(network.is_some(), field, NETWORK);
            *kept = network.map_or(text, |network| network.to_string());
        }
    }
    let both = Network::parse(&server.wireguard_network).zip(Network::parse(&server.openvpn_network));
    checks.must(
        both.is_none_or(|(one, other)| !one.overlaps(other)),
        "openvpn_network",
        Why::Not(Expected::ApartFromWireguard),
    );
    server.wireguard_port = wireguard_port.unwrap_or(server.wireguard_port);
    server.openvpn_port = openvpn_port.unwrap_or(server.openvpn_port);
    server.openvpn_protocol = openvpn_protocol.map_or(server.openvpn_protocol, str::to_string);
    checks.done()?;
    Ok(server)
}

/// The server's side of a protocol with all that it lets in, for who runs it.
pub async fn server_config(app: &App, actor: &Actor, protocol: &'static str) -> Result<String, Error> {
    whole(actor)?;
    let server = made(app, actor.isp).await?;
    let isp = actor.isp;
    let peers = app
        .change(actor, Class::Interactive, async move |change| {
            plant::log(change, "downloaded", "vpn_server", 0, protocol).await?;
            Ok(vpn::peers(change.tx, change.isp, protocol).await?)
        })
        .await?;
    let told = Told::of(&server)?;
    if protocol == "openvpn" {
        let list: Vec<_> = peers
            .into_iter()
            .filter_map(|peer| Some((peer.username, told.openvpn_network.address(peer.host)?)))
            .collect();
        let tls_crypt = opened(app, &vpn_server_place(isp, "tls_crypt"), &server.tls_crypt)?;
        let key = opened(app, &vpn_server_place(isp, "server"), &server.server_key)?;
        return Ok(told.openvpn("", &tls_crypt).server(&server.server_certificate, &key, &list));
    }
    let mut list = Vec::with_capacity(peers.len());
    for peer in peers {
        let (Some(address), Some(public), Some(sealed)) =
            (told.wireguard_network.address(peer.host), peer.public_key, peer.preshared_key)
        else {
            continue;
        };
        let preshared = opened(app, &vpn_account_place(peer.id, "preshared"), &sealed)?;
        list.push((peer.username, address, public, preshared));
    }
    let private = opened(app, &vpn_server_place(isp, "wireguard"), &server.wireguard_private)?;
    Ok(told.wireguard("").server(&private, &list))
}

/// A server's settings read.
struct Told<'a> {
    server: &'a Server,
    wireguard_network: Network,
    openvpn_network: Network,
    routes: Vec<ipnet::Ipv4Net>,
}

impl<'a> Told<'a> {
    fn of(server: &'a Server) -> Result<Told<'a>, Error> {
        let network = |text: &str| {
            Network::parse(text).ok_or_else(|| Error::Internal(format!("the VPN's network {text} is none")))
        };
        Ok(Told {
            wireguard_network: network(&server.wireguard_network)?,
            openvpn_network: network(&server.openvpn_network)?,
            routes: server.routes.as_deref().and_then(networks).unwrap_or_default(),
            server,
        })
    }

    fn wireguard<'b>(&'b self, endpoint: &'b str) -> Wireguard<'b> {
        Wireguard {
            endpoint,
            port: self.server.wireguard_port,
            network: self.wireguard_network,
            dns: self.server.dns.as_deref(),
            routes: &self.routes,
            server_public: &self.server.wireguard_public,
        }
    }

    fn openvpn<'b>(&'b self, endpoint: &'b str, tls_crypt: &'b str) -> Openvpn<'b> {
        Openvpn {
            endpoint,
            port: self.server.openvpn_port,
            protocol: &self.server.openvpn_protocol,
            network: self.openvpn_network,
            dns: self.server.dns.as_deref(),
            routes: &self.routes,
            authority: &self.server.ca_certificate,
            tls_crypt,
        }
    }

    fn address(&self, account: &Account) -> Option<String> {
        let network = if account.protocol == "openvpn" { self.openvpn_network } else { self.wireguard_network };
        network.address(account.host).map(|address| address.to_string())
    }
}

// ---- accounts ----

/// An account with its address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    pub account: Account,
    pub address: Option<String>,
}

pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Shown>, i64), Error> {
    let server = server(app, actor).await?;
    let isp = actor.isp;
    let (accounts, total) = app.db.read(async move |tx| vpn::accounts(tx, isp, &filter, (offset, limit)).await).await?;
    let told = Told::of(&server)?;
    let shown = |account| Shown { address: told.address(&account), account };
    Ok((accounts.into_iter().map(shown).collect(), total))
}

pub async fn show(app: &App, actor: &Actor, id: i64) -> Result<Shown, Error> {
    whole(actor)?;
    let isp = actor.isp;
    let found = app.db.read(async move |tx| vpn::account(tx, isp, id).await).await?;
    let account = found.ok_or(Error::NotFound { what: What::VpnAccount })?;
    let server = made(app, isp).await?;
    Ok(Shown { address: Told::of(&server)?.address(&account), account })
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAccount {
    /// One of [`PROTOCOLS`].
    pub protocol: &'static str,
    pub name: String,
    /// Made from the name where it is not given.
    pub username: Option<String>,
    pub enabled: bool,
}

/// Letters, digits, dots, dashes and underscores: it is a certificate's name and a file's.
/// Goes into file names and certificates: letters, digits and `.-_`, and never the server's own.
pub fn is_username(text: &str) -> bool {
    (1..=60).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && !text.starts_with(['.', '-'])
        && !text.eq_ignore_ascii_case(SERVER_NAME)
}

/// What an account called so logs in as.
pub fn username_of(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let text: String = name.trim().chars().map(plain).take(50).collect();
    let text = text.trim_matches('-').to_string();
    if is_username(&text) { text } else { format!("vpn-{}", hex(&random_bytes::<4>())) }
}

/// Makes an account with its keys and the lowest free address.
pub async fn create(app: &App, actor: &Actor, command: NewAccount) -> Result<Shown, Error> {
    actor.writes()?;
    whole(actor)?;
    let NewAccount { protocol, name, username, enabled } = command;
    let username = username.unwrap_or_else(|| username_of(&name));
    let mut checks = Checks::default();
    checks.must(PROTOCOLS.contains(&protocol), "protocol", Why::NotOneOf(PROTOCOLS));
    checks.line(&name, "name");
    checks.must(is_username(&username), "username", Why::Not(Expected::VpnName));
    checks.done()?;
    let server = made(app, actor.isp).await?;
    let id = app.new_id(Table::VpnAccount).await?;
    let now = app.clock.now();
    let seal = |what: &str, clear: &str| app.vault.seal(&vpn_account_place(id, what), clear);
    let (mut public_key, mut preshared_key, mut certificate, mut certificate_ends_at) = (None, None, None, None);
    let private_key = if protocol == "openvpn" {
        let authority = opened(app, &vpn_server_place(actor.isp, "ca"), &server.ca_key)?;
        let made = keys::certify((&authority_name(actor.isp), &authority), &username, For::Client, now)?;
        (certificate, certificate_ends_at) = (Some(made.certificate), Some(made.ends_at));
        seal("private", &made.key)
    } else {
        let pair = WireguardPair::random();
        public_key = Some(pair.public);
        preshared_key = Some(seal("preshared", &keys::preshared()));
        seal("private", &pair.private)
    };
    let account = Account {
        isp_id: actor.isp,
        id,
        protocol: protocol.into(),
        name: name.trim().into(),
        username_key: Some(name_key(&username)),
        username,
        host: 0,
        host_key: None,
        enabled,
        public_key,
        private_key,
        preshared_key,
        certificate,
        certificate_ends_at,
        last_download_at: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let key = name_key(&account.username);
        if vpn::account_named(change.tx, change.isp, &key).await?.is_some() {
            return Err(Error::invalid("username", Why::Taken));
        }
        // Under the lock: its networks are those of now.
        let found = vpn::server(change.tx, change.isp).await?;
        let server = found.ok_or(Error::NotFound { what: What::VpnServer })?;
        let host = vpn::free_host(change.tx, change.isp, protocol).await?;
        let account = Account { host, host_key: Some(host), ..account.clone() };
        let Some(address) = Told::of(&server)?.address(&account) else {
            return Err(Error::Refused(Refusal::VpnFull));
        };
        vpn::save_account(change.tx, &account).await?;
        change.tell(Fact::VpnAccountCreated {
            account: id,
            name: account.name.clone(),
            username: account.username.clone(),
            protocol: protocol.into(),
        });
        plant::log(change, "created", "vpn_account", id, &account.name).await?;
        Ok(Shown { address: Some(address), account })
    })
    .await
}

/// What of an account can be changed; `None` leaves it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AccountChange {
    pub name: Option<String>,
    pub enabled: Option<bool>,
}

pub async fn update(
    app: &App,
    actor: &Actor,
    id: i64,
    unchanged_since: Option<Instant>,
    wish: AccountChange,
) -> Result<Shown, Error> {
    actor.writes()?;
    whole(actor)?;
    let mut checks = Checks::default();
    if let Some(name) = &wish.name {
        checks.line(name, "name");
    }
    checks.done()?;
    let server = made(app, actor.isp).await?;
    let account = app
        .change(actor, Class::Interactive, async move |change| {
            rows::lock(change.tx, change.isp).await?;
            let before =
                vpn::account(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::VpnAccount })?;
            plant::unchanged(unchanged_since, before.updated_at)?;
            let AccountChange { name, enabled } = wish.clone();
            let mut after = before.clone();
            after.name = name.map_or(after.name, |name| name.trim().into());
            after.enabled = enabled.unwrap_or(after.enabled);
            if after != before {
                after.updated_at = plant::later(change.now, before.updated_at);
                vpn::save_account(change.tx, &after).await?;
                change.tell(Fact::VpnAccountUpdated { account: id, name: after.name.clone(), enabled: after.enabled });
                plant::log(change, "changed", "vpn_account", id, &after.name).await?;
            }
            Ok(after)
        })
        .await?;
    Ok(Shown { address: Told::of(&server)?.address(&account), account })
}

/// The server lets it in no more once it has the new file; keys are forgotten at once, name and address are free.
pub async fn delete(app: &App, actor: &Actor, id: i64, unchanged_since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    whole(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let before =
            vpn::account(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::VpnAccount })?;
        plant::unchanged(unchanged_since, before.updated_at)?;
        let gone = Account {
            username_key: None,
            host_key: None,
            enabled: false,
            private_key: Vec::new(),
            preshared_key: None,
            updated_at: change.now,
            deleted_at: Some(change.now),
            ..before
        };
        vpn::save_account(change.tx, &gone).await?;
        change.tell(Fact::VpnAccountDeleted { account: id, name: gone.name.clone() });
        plant::log(change, "deleted", "vpn_account", id, &gone.name).await
    })
    .await
}

/// A configuration to be saved under a name.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub text: String,
}

/// The client's configuration, with its private key. The access log says who took it.
pub async fn config(app: &App, actor: &Actor, id: i64) -> Result<File, Error> {
    let Shown { account, .. } = show(app, actor, id).await?;
    let server = made(app, actor.isp).await?;
    let Some(endpoint) = server.endpoint.clone() else {
        return Err(Error::Refused(Refusal::VpnWithoutEndpoint));
    };
    let told = Told::of(&server)?;
    let key = opened(app, &vpn_account_place(id, "private"), &account.private_key)?;
    let file = match (account.protocol.as_str(), &account.certificate, &account.preshared_key) {
        ("openvpn", Some(certificate), _) => {
            let tls_crypt = opened(app, &vpn_server_place(actor.isp, "tls_crypt"), &server.tls_crypt)?;
            let text = told.openvpn(&endpoint, &tls_crypt).client(&account.name, SERVER_NAME, certificate, &key);
            File { name: format!("{}.ovpn", account.username), text }
        }
        ("wireguard", _, Some(sealed)) => {
            let preshared = opened(app, &vpn_account_place(id, "preshared"), sealed)?;
            let address = told.wireguard_network.address(account.host);
            let address = address.ok_or_else(|| Error::Internal(format!("VPN account {id} has no address")))?;
            let text = told.wireguard(&endpoint).client(&account.name, address, &key, &preshared);
            File { name: format!("{}.conf", account.username), text }
        }
        _ => return Err(Error::Internal(format!("VPN account {id} has no keys"))),
    };
    app.change(actor, Class::Interactive, async move |change| {
        vpn::downloaded(change.tx, change.isp, id, change.now).await?;
        plant::log(change, "downloaded", "vpn_account", id, &account.name).await
    })
    .await?;
    Ok(file)
}
