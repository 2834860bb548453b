//! VPN accounts, their configurations, and the server they come to.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::Scope;
use doors::{
    Operation,
    form::{Body, Query},
    routes::Id,
    wire::utc_seconds,
};
use serde::Serialize;
use service::{
    App,
    plant::vpn::{
        self, AccountChange as Change, File, Filter, NewAccount, PROTOCOLS, Server, ServerChange, Shown, TRANSPORTS,
    },
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};

doors::form! {
    VpnAccountFilter {
        protocol: optional Word(PROTOCOLS), "Only of this protocol.";
        enabled: optional Boolean, "Only those that are let in, or are not.";
        search: optional Text(1, 100), "Part of a name or username.";
    }
}

doors::form! {
    NewVpnAccount {
        name: required Text(1, 100), "Whose it is or what for.";
        protocol: required Word(PROTOCOLS), "What it speaks.";
        username: optional Text(1, 60), "Letters, digits, dots, dashes and underscores; unique. Made from the name where it is not given.";
        enabled: optional Boolean, "Whether the server lets it in; yes where it is not given.";
    }
}

doors::form! {
    VpnAccountChange {
        name: optional Text(1, 100), "Whose it is or what for.";
        enabled: optional Boolean, "Whether the server lets it in.";
    }
}

doors::form! {
    VpnServerChange {
        endpoint: optional Text(1, 253), "The host name or address clients connect to, without a port.";
        dns: optional Text(1, 200), "IP addresses of name servers, with commas; null for none.";
        routes: optional Text(1, 1000), "Networks clients reach beside the tunnel's own, with commas; null for none.";
        wireguard_port: optional Integer(1, 65535), "WireGuard's UDP port.";
        wireguard_network: optional Text(1, 18), "Fixed as soon as somebody has an address of it.";
        openvpn_port: optional Integer(1, 65535), "OpenVPN's port.";
        openvpn_protocol: optional Word(TRANSPORTS), "What OpenVPN goes over.";
        openvpn_network: optional Text(1, 18), "Fixed as soon as somebody has an address of it.";
    }
}

doors::form! {
    VpnSide {
        protocol: required Word(PROTOCOLS), "Which server's file.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = VpnAccount)]
pub struct Row {
    id: i64,
    name: String,
    username: String,
    protocol: String,
    /// In the tunnel.
    address: Option<String>,
    enabled: bool,
    /// WireGuard's.
    public_key: Option<String>,
    /// When OpenVPN's certificate ends.
    certificate_expires_at: Option<String>,
    last_download_at: Option<String>,
    created_at: String,
    updated_at: String,
}

fn row(Shown { account, address }: Shown) -> Row {
    Row {
        id: account.id,
        name: account.name,
        username: account.username,
        protocol: account.protocol,
        address,
        enabled: account.enabled,
        public_key: account.public_key,
        certificate_expires_at: account.certificate_ends_at.map(utc_seconds),
        last_download_at: account.last_download_at.map(utc_seconds),
        created_at: utc_seconds(account.created_at),
        updated_at: utc_seconds(account.updated_at),
    }
}

pub const LIST: Operation =
    Operation::new("VPN", "List VPN accounts", Scope::VpnRead).query::<VpnAccountFilter>().lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<VpnAccountFilter>,
) -> Result<Listing<Row>, Failure> {
    let VpnAccountFilter { protocol, enabled, search } = filter;
    let filter =
        Filter { protocol: protocol.value().map(str::to_string), enabled: enabled.value(), search: search.value() };
    let (rows, total) = vpn::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(row).collect(), total))
}

pub const CONFIG: Operation = Operation::new("VPN", "Download VPN config file", Scope::VpnRead)
    .about("Holds the account's private key; the access log says who took it. The server's endpoint must be set.")
    .file("text/plain")
    .refuses(&[422]);

pub async fn config(State(app): State<App>, caller: Caller, Id(id): Id) -> Result<Response, Failure> {
    Ok(attached(vpn::config(&app, &caller.actor, id).await?))
}

/// A file to be saved, which nothing on the way keeps.
fn attached(File { name, text }: File) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Names are letters, digits, dots, dashes and underscores.
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

pub const CREATE: Operation = Operation::new("VPN", "Create a VPN account", Scope::VpnWrite)
    .about("Its keys are made here, and it has the lowest free address.")
    .body::<NewVpnAccount>()
    .creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewVpnAccount>) -> Answer<Row> {
    let NewVpnAccount { name, protocol, username, enabled } = body;
    let command = NewAccount { protocol, name, username: username.value(), enabled: enabled.or(true) };
    let made = vpn::create(&app, &caller.actor, command).await?;
    let changed = made.account.updated_at;
    Ok(Reply::created(row(made)).tagged(changed))
}

pub const SHOW: Operation = Operation::new("VPN", "Retrieve a VPN account", Scope::VpnRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let found = vpn::show(&app, &caller.actor, id).await?;
    let changed = found.account.updated_at;
    Ok(Reply::data(row(found)).tagged(changed))
}

pub const UPDATE: Operation = Operation::new("VPN", "Update a VPN account", Scope::VpnWrite)
    .body::<VpnAccountChange>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<VpnAccountChange>,
) -> Answer<Row> {
    let VpnAccountChange { name, enabled } = body;
    let wish = Change { name: name.value(), enabled: enabled.value() };
    let written = vpn::update(&app, &caller.actor, id, caller.unchanged_since()?, wish).await?;
    let changed = written.account.updated_at;
    Ok(Reply::data(row(written)).tagged(changed))
}

pub const DELETE: Operation = Operation::new("VPN", "Delete a VPN account", Scope::VpnWrite)
    .about("The server lets it in until it has its new file.")
    .no_content()
    .refuses(&[412]);

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    vpn::delete(&app, &caller.actor, id, caller.unchanged_since()?).await?;
    NO_CONTENT
}

#[derive(Serialize, ToSchema)]
#[schema(as = VpnServer)]
pub struct ServerRow {
    /// None until it is set; without it there are no configurations.
    endpoint: Option<String>,
    dns: Option<String>,
    routes: Option<String>,
    wireguard_port: i64,
    wireguard_network: String,
    wireguard_public_key: String,
    openvpn_port: i64,
    openvpn_protocol: String,
    openvpn_network: String,
    /// PEM.
    openvpn_ca: String,
    created_at: String,
    updated_at: String,
}

fn server_row(server: Server) -> Reply<ServerRow> {
    let changed = server.updated_at;
    Reply::data(ServerRow {
        endpoint: server.endpoint,
        dns: server.dns,
        routes: server.routes,
        wireguard_port: server.wireguard_port,
        wireguard_network: server.wireguard_network,
        wireguard_public_key: server.wireguard_public,
        openvpn_port: server.openvpn_port,
        openvpn_protocol: server.openvpn_protocol,
        openvpn_network: server.openvpn_network,
        openvpn_ca: server.ca_certificate,
        created_at: utc_seconds(server.created_at),
        updated_at: utc_seconds(server.updated_at),
    })
    .tagged(changed)
}

pub const SERVER: Operation = Operation::new("VPN", "The VPN server's settings", Scope::VpnRead)
    .about("Its keys are made when it is first asked for.")
    .answers::<ServerRow>();

pub async fn server(State(app): State<App>, caller: Caller) -> Answer<ServerRow> {
    Ok(server_row(vpn::server(&app, &caller.actor).await?))
}

pub const SET_SERVER: Operation = Operation::new("VPN", "Update the VPN server's settings", Scope::VpnWrite)
    .body::<VpnServerChange>()
    .answers::<ServerRow>()
    .refuses(&[412]);

pub async fn set_server(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<VpnServerChange>,
) -> Answer<ServerRow> {
    let VpnServerChange {
        endpoint,
        dns,
        routes,
        wireguard_port,
        wireguard_network,
        openvpn_port,
        openvpn_protocol,
        openvpn_network,
    } = body;
    let wish = ServerChange {
        endpoint: endpoint.change(),
        dns: dns.change(),
        routes: routes.change(),
        wireguard_port: wireguard_port.value(),
        wireguard_network: wireguard_network.value(),
        openvpn_port: openvpn_port.value(),
        openvpn_protocol: openvpn_protocol.value(),
        openvpn_network: openvpn_network.value(),
    };
    Ok(server_row(vpn::set_server(&app, &caller.actor, caller.unchanged_since()?, wish).await?))
}

pub const SERVER_CONFIG: Operation =
    Operation::new("VPN", "Download the VPN server's config file, with everybody it lets in", Scope::VpnWrite)
        .about("Holds the server's private key; the access log says who took it.")
        .query::<VpnSide>()
        .file("text/plain");

pub async fn server_config(
    State(app): State<App>,
    caller: Caller,
    Query(side): Query<VpnSide>,
) -> Result<Response, Failure> {
    let text = vpn::server_config(&app, &caller.actor, side.protocol).await?;
    let name = if side.protocol == "openvpn" { "server.conf" } else { "wg0.conf" };
    Ok(attached(File { name: name.into(), text }))
}
