//! People who log in, and machine credentials.

use domain::{ApiClientId, BranchId, Instant, IspId, StaffId};

use crate::{
    db::{Error, Tx},
    params,
    record::{record, text},
    sql,
};

record! {
    Staff of "staff" {
        isp_id: IspId,
        id: StaffId,
        branch_id: Option<BranchId>,
        parent_id: Option<StaffId>,
        name: String,
        email: String,
        /// Lower-cased and trimmed; unique in the Isp.
        email_key: String,
        /// argon2, PHC form.
        password_hash: String,
        role: String,
        status: String,
        created_at: Instant,
    }
}

record! {
    /// A credential of one dialect.
    ApiClient of "api_client" {
        isp_id: IspId,
        id: ApiClientId,
        branch_id: Option<BranchId>,
        staff_id: Option<StaffId>,
        dialect: String,
        name: String,
        /// SHA-256 of the secret, hex.
        key_hash: String,
        /// The secret's last characters, to tell keys apart in a list.
        key_hint: String,
        tier: String,
        sandbox: bool,
        status: String,
        created_at: Instant,
        last_used_at: Option<Instant>,
    }
}

/// The live client with this secret, in whichever tenant: the secret is how the tenant is found.
pub async fn client_by_key(tx: &Tx, key_hash: &str) -> Result<Option<ApiClient>, Error> {
    let row = tx
        .row(sql!(text!(ApiClient::SELECT, "where t.key_hash = $1 and t.status = 'active'")), &params![key_hash])
        .await?;
    row.map(|row| ApiClient::from_row(&row)).transpose()
}

pub async fn touch_client(tx: &Tx, isp: IspId, id: ApiClientId, at: Instant) -> Result<(), Error> {
    tx.run(sql!("update api_client set last_used_at = $3 where isp_id = $1 and id = $2"), &params![isp, id, at])
        .await
        .map(drop)
}

pub async fn by_email(tx: &Tx, isp: IspId, email_key: &str) -> Result<Option<Staff>, Error> {
    let row = tx
        .row(sql!(text!(Staff::SELECT, "where t.isp_id = $1 and t.email_key = $2")), &params![isp, email_key])
        .await?;
    row.map(|row| Staff::from_row(&row)).transpose()
}
