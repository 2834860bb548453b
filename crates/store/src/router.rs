//! Routers: the NASes logins and accounting come from.

use domain::{BranchId, Instant, IspId, RouterId};

use crate::{
    db::{Error, Tx},
    params,
    record::{record, records, text},
    sql,
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
