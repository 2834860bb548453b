//! Routers: the NASes logins and accounting come from.

use domain::{BranchId, Instant, IspId, RouterId};

use crate::{
    db::{Error, Row, Tx},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    Router of "router" {
        isp_id: IspId,
        id: RouterId,
        branch_id: Option<BranchId>,
        name: String,
        /// Lower-cased name while live, null once deleted.
        name_key: Option<String>,
        /// mikrotik, cisco, chillispot, wispr, huawei, juniper, other.
        vendor: String,
        /// Source addresses of its packets, as an address or CIDR; the longest prefix wins.
        network: String,
        /// Tells sites behind one address apart.
        nas_identifier: Option<String>,
        /// The RADIUS secret, sealed.
        secret: Vec<u8>,
        /// UDP port of CoA and Disconnect.
        coa_port: i64,
        /// require, learn or legacy: what is asked of Message-Authenticator.
        ma_policy: String,
        /// `learn` has seen a valid one.
        ma_seen: bool,
        api_address: Option<String>,
        api_user: Option<String>,
        api_secret: Option<Vec<u8>>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

pub async fn find(tx: &Tx, isp: IspId, id: RouterId) -> Result<Option<Router>, Error> {
    let row = tx
        .row(
            sql!(text!(Router::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Router::from_row(&row)).transpose()
}

pub async fn of_isp(tx: &Tx, isp: IspId) -> Result<Vec<Router>, Error> {
    let rows = tx
        .rows(sql!(text!(Router::SELECT, "where t.isp_id = $1 and t.deleted_at is null order by t.id")), &params![isp])
        .await?;
    records(rows, Router::from_row)
}

/// Every live router of every tenant, for the directory.
pub async fn all(tx: &Tx) -> Result<Vec<Router>, Error> {
    let rows =
        tx.rows(sql!(text!(Router::SELECT, "where t.deleted_at is null order by t.isp_id, t.id")), &params![]).await?;
    records(rows, Router::from_row)
}

/// Where CoA and Disconnect go from now on.
pub async fn set_coa_port(tx: &Tx, isp: IspId, id: RouterId, port: i64, now: Instant) -> Result<(), Error> {
    tx.run(
        sql!("update router set coa_port = $3, updated_at = $4 where isp_id = $1 and id = $2"),
        &params![isp, id, port, now],
    )
    .await
    .map(drop)
}

/// A valid Message-Authenticator has been seen: from now on it is required.
pub async fn remember_ma(tx: &Tx, isp: IspId, id: RouterId) -> Result<(), Error> {
    tx.run(sql!("update router set ma_seen = true where isp_id = $1 and id = $2"), &params![isp, id]).await.map(drop)
}

pub async fn update(tx: &Tx, row: &Router) -> Result<(), Error> {
    tx.run(
        sql!(
            "update router set name = $3, name_key = $4, vendor = $5, network = $6, nas_identifier = $7, secret = $8, \
             coa_port = $9, ma_policy = $10, ma_seen = $11, updated_at = $12, deleted_at = $13 \
             where isp_id = $1 and id = $2"
        ),
        &params![
            row.isp_id,
            row.id,
            &row.name,
            &row.name_key,
            &row.vendor,
            &row.network,
            &row.nas_identifier,
            row.secret.clone(),
            row.coa_port,
            &row.ma_policy,
            row.ma_seen,
            row.updated_at,
            row.deleted_at
        ],
    )
    .await
    .map(drop)
}

/// Live lines and vouchers of a router.
pub async fn used_by(tx: &Tx, isp: IspId, id: RouterId) -> Result<(i64, i64), Error> {
    let lines = tx
        .row(
            sql!("select count(*) from service where isp_id = $1 and router_id = $2 and deleted_at is null"),
            &params![isp, id],
        )
        .await?;
    let vouchers = tx
        .row(
            sql!(
                "select count(*) from voucher where isp_id = $1 and router_id = $2 and deleted_at is null \
                 and used < clients"
            ),
            &params![isp, id],
        )
        .await?;
    let read = |row: Option<Row>| row.map_or(Ok(0), |row| row.get(0));
    Ok((read(lines)?, read(vouchers)?))
}
