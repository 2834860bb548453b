//! The VPN: one server an Isp, and who may come in.

use domain::{Instant, IspId};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions::Conditions,
        record::{record, records, text},
    },
    params, sql,
};

record! {
    Server of "vpn_server" {
        isp_id: IspId,
        /// The name or address clients connect to; unknown until somebody says it.
        endpoint: Option<String>,
        /// What clients ask for names; none leaves them their own.
        dns: Option<String>,
        /// Networks that clients reach through the tunnel, with commas; none is the tunnel's own.
        routes: Option<String>,
        wireguard_port: i64,
        wireguard_network: String,
        wireguard_public: String,
        /// Private keys are sealed.
        wireguard_private: Vec<u8>,
        openvpn_port: i64,
        /// udp, tcp.
        openvpn_protocol: String,
        openvpn_network: String,
        ca_certificate: String,
        ca_key: Vec<u8>,
        server_certificate: String,
        server_key: Vec<u8>,
        tls_crypt: Vec<u8>,
        created_at: Instant,
        updated_at: Instant,
    }
}

record! {
    Account of "vpn_account" {
        isp_id: IspId,
        id: i64,
        /// wireguard, openvpn.
        protocol: String,
        name: String,
        username: String,
        username_key: Option<String>,
        /// Its address, counted from the network's first; 1 is the server's.
        host: i64,
        host_key: Option<i64>,
        enabled: bool,
        /// WireGuard's.
        public_key: Option<String>,
        private_key: Vec<u8>,
        preshared_key: Option<Vec<u8>>,
        /// OpenVPN's.
        certificate: Option<String>,
        certificate_ends_at: Option<Instant>,
        last_download_at: Option<Instant>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

pub async fn server(tx: &Tx, isp: IspId) -> Result<Option<Server>, Error> {
    let row = tx.row(sql!(text!(Server::SELECT, "where t.isp_id = $1")), &params![isp]).await?;
    row.map(|row| Server::from_row(&row)).transpose()
}

/// Keeps the one that is there.
pub async fn add_server(tx: &Tx, row: &Server) -> Result<(), Error> {
    tx.insert_many(Server::INSERT, "on conflict (isp_id) do nothing", vec![row.values()]).await.map(drop)
}

/// The settings; keys stay as they are.
pub async fn update_server(tx: &Tx, row: &Server) -> Result<(), Error> {
    tx.run(
        sql!(
            "update vpn_server set endpoint = $2, dns = $3, routes = $4, wireguard_port = $5, \
             wireguard_network = $6, openvpn_port = $7, openvpn_protocol = $8, openvpn_network = $9, \
             updated_at = $10 where isp_id = $1"
        ),
        &params![
            row.isp_id,
            row.endpoint.clone(),
            row.dns.clone(),
            row.routes.clone(),
            row.wireguard_port,
            &row.wireguard_network,
            row.openvpn_port,
            &row.openvpn_protocol,
            &row.openvpn_network,
            row.updated_at
        ],
    )
    .await
    .map(drop)
}

pub async fn account(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Account>, Error> {
    let row = tx
        .row(
            sql!(text!(Account::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Account::from_row(&row)).transpose()
}

pub async fn account_named(tx: &Tx, isp: IspId, username_key: &str) -> Result<Option<i64>, Error> {
    let row = tx
        .row(sql!("select id from vpn_account where isp_id = $1 and username_key = $2"), &params![isp, username_key])
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// The lowest address from 2 on that nobody of this protocol has. The Isp's plant is locked.
pub async fn free_host(tx: &Tx, isp: IspId, protocol: &str) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!(
                "select coalesce(min(t.host_key), 1) from vpn_account t where t.isp_id = $1 and t.protocol = $2 \
                 and t.host_key is not null and t.host_key <= 2"
            ),
            &params![isp, protocol],
        )
        .await?;
    let first: i64 = row.map_or(Ok(1), |row| row.get(0))?;
    if first != 2 {
        return Ok(2);
    }
    // Somebody has 2: the first gap behind somebody.
    let row = tx
        .row(
            sql!(
                "select min(t.host_key) + 1 from vpn_account t where t.isp_id = $1 and t.protocol = $2 \
                 and t.host_key is not null and not exists (select 1 from vpn_account n where n.isp_id = t.isp_id \
                 and n.protocol = t.protocol and n.host_key = t.host_key + 1)"
            ),
            &params![isp, protocol],
        )
        .await?;
    row.map_or(Ok(2), |row| row.get(0))
}

pub async fn save_account(tx: &Tx, row: &Account) -> Result<(), Error> {
    tx.insert_many(
        Account::INSERT,
        "on conflict (isp_id, id) do update set name = excluded.name, username = excluded.username, \
         username_key = excluded.username_key, host_key = excluded.host_key, enabled = excluded.enabled, \
         private_key = excluded.private_key, preshared_key = excluded.preshared_key, \
         updated_at = excluded.updated_at, deleted_at = excluded.deleted_at",
        vec![row.values()],
    )
    .await
    .map(drop)
}

pub async fn downloaded(tx: &Tx, isp: IspId, id: i64, at: Instant) -> Result<(), Error> {
    tx.run(sql!("update vpn_account set last_download_at = $3 where isp_id = $1 and id = $2"), &params![isp, id, at])
        .await
        .map(drop)
}

/// Conditions of a list; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub protocol: Option<String>,
    pub enabled: Option<bool>,
    /// Part of a name or username.
    pub search: Option<String>,
}

pub async fn accounts(tx: &Tx, isp: IspId, filter: &Filter, page: (i64, i64)) -> Result<(Vec<Account>, i64), Error> {
    const SELECT: &str = text!("select ", Account::COLUMNS);
    let mut conditions = Conditions::of(isp);
    conditions.and("t.deleted_at is null");
    conditions.given("t.protocol =", filter.protocol.as_deref());
    conditions.given("t.enabled =", filter.enabled);
    conditions.contains(&["lower(t.name)", "t.username_key"], filter.search.as_deref());
    conditions.page(tx, (SELECT, "vpn_account t"), "t.id", page, None, Account::from_row).await
}

/// Those the server lets in, by address.
pub async fn peers(tx: &Tx, isp: IspId, protocol: &str) -> Result<Vec<Account>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Account::SELECT,
                "where t.isp_id = $1 and t.protocol = $2 and t.deleted_at is null and t.enabled order by t.host"
            )),
            &params![isp, protocol],
        )
        .await?;
    records(rows, Account::from_row)
}

/// Live accounts of a protocol, and the highest address one of them has.
pub async fn taken(tx: &Tx, isp: IspId, protocol: &str) -> Result<(i64, i64), Error> {
    let row = tx
        .row(
            sql!(
                "select count(*), coalesce(max(host_key), 0) from vpn_account \
                 where isp_id = $1 and protocol = $2 and host_key is not null"
            ),
            &params![isp, protocol],
        )
        .await?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}
