//! People who log in, and machine credentials.

use domain::{ApiClientId, BranchId, Instant, IspId, StaffId};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::{record, records, text},
    params, sql,
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
        phone: Option<String>,
        updated_at: Option<Instant>,
        last_login_at: Option<Instant>,
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
        /// Names a client that proves itself with a [`ClientSecret`].
        public_id: Option<String>,
        /// Words with spaces between them; `None` for everything.
        scopes: Option<String>,
        /// `None`: not since it was made.
        updated_at: Option<Instant>,
    }
}

record! {
    ClientSecret of "client_secret" {
        isp_id: IspId,
        id: i64,
        client_id: ApiClientId,
        secret_hash: String,
        /// Its last characters, to tell secrets apart in a list.
        secret_hint: String,
        created_at: Instant,
        /// `None`: until it is rotated.
        expires_at: Option<Instant>,
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

/// A live client by its public id, in whichever tenant.
pub async fn client_by_public_id(tx: &Tx, public_id: &str) -> Result<Option<ApiClient>, Error> {
    let row = tx
        .row(sql!(text!(ApiClient::SELECT, "where t.public_id = $1 and t.status = 'active'")), &params![public_id])
        .await?;
    row.map(|row| ApiClient::from_row(&row)).transpose()
}

/// Whether a branch is a reseller's who is not active, or one of his resellers'.
pub async fn shut(tx: &Tx, isp: IspId, branch: BranchId) -> Result<bool, Error> {
    let row = tx
        .row(
            sql!(
                "select 1 from operator o join staff s on s.isp_id = o.isp_id and s.id = o.staff_id \
                 where o.isp_id = $1 and s.status <> 'active' and o.branch_id in \
                 ($2, (select b.parent_id from branch b where b.isp_id = $1 and b.id = $2)) limit 1"
            ),
            &params![isp, branch],
        )
        .await?;
    Ok(row.is_some())
}

pub async fn client(tx: &Tx, isp: IspId, id: ApiClientId) -> Result<Option<ApiClient>, Error> {
    let row = tx.row(sql!(text!(ApiClient::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| ApiClient::from_row(&row)).transpose()
}

/// All of an Isp's clients but deleted ones, the newest first.
pub async fn clients(tx: &Tx, isp: IspId, offset: i64, limit: i64) -> Result<Vec<ApiClient>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                ApiClient::SELECT,
                "where t.isp_id = $1 and t.status <> 'deleted' order by t.id desc limit $2 offset $3"
            )),
            &params![isp, limit, offset],
        )
        .await?;
    records(rows, ApiClient::from_row)
}

pub async fn count_clients(tx: &Tx, isp: IspId) -> Result<i64, Error> {
    let row = tx
        .row(sql!("select count(*) from api_client where isp_id = $1 and status <> 'deleted'"), &params![isp])
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

pub async fn update_client(tx: &Tx, client: &ApiClient) -> Result<(), Error> {
    tx.run(
        sql!(
            "update api_client set name = $3, tier = $4, status = $5, scopes = $6, branch_id = $7, updated_at = $8 \
             where isp_id = $1 and id = $2"
        ),
        &params![
            client.isp_id,
            client.id,
            client.name.clone(),
            client.tier.clone(),
            client.status.clone(),
            client.scopes.clone(),
            client.branch_id,
            client.updated_at
        ],
    )
    .await
    .map(drop)
}

/// Another key instead of the one a client has.
pub async fn set_key(tx: &Tx, isp: IspId, id: ApiClientId, hash: &str, hint: &str, at: Instant) -> Result<(), Error> {
    tx.run(
        sql!("update api_client set key_hash = $3, key_hint = $4, updated_at = $5 where isp_id = $1 and id = $2"),
        &params![isp, id, hash, hint, at],
    )
    .await
    .map(drop)
}

/// A client's secrets that are good at `now`, the newest first.
pub async fn secrets(tx: &Tx, isp: IspId, client: ApiClientId, now: Instant) -> Result<Vec<ClientSecret>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                ClientSecret::SELECT,
                "where t.isp_id = $1 and t.client_id = $2 and (t.expires_at is null or t.expires_at > $3) \
                 order by t.id desc"
            )),
            &params![isp, client, now],
        )
        .await?;
    records(rows, ClientSecret::from_row)
}

/// Ends a client's secrets at `at`, or earlier where they end earlier.
pub async fn end_secrets(tx: &Tx, isp: IspId, client: ApiClientId, at: Instant) -> Result<(), Error> {
    tx.run(
        sql!(
            "update client_secret set expires_at = $3 where isp_id = $1 and client_id = $2 \
             and (expires_at is null or expires_at > $3)"
        ),
        &params![isp, client, at],
    )
    .await
    .map(drop)
}

pub async fn find(tx: &Tx, isp: IspId, id: StaffId) -> Result<Option<Staff>, Error> {
    let row = tx.row(sql!(text!(Staff::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Staff::from_row(&row)).transpose()
}

/// The person, locked until the transaction ends.
pub async fn lock(tx: &Tx, isp: IspId, id: StaffId) -> Result<Option<Staff>, Error> {
    let row = tx.row_locked(sql!(text!(Staff::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Staff::from_row(&row)).transpose()
}

/// People who log in with this address, of one tenant or of all: few, and told apart by their passwords.
pub async fn namesakes(tx: &Tx, isp: Option<IspId>, email_key: &str) -> Result<Vec<Staff>, Error> {
    if let Some(isp) = isp {
        return Ok(by_email(tx, isp, email_key).await?.into_iter().collect());
    }
    let rows = tx
        .rows(sql!(text!(Staff::SELECT, "where t.email_key = $1 order by t.isp_id limit 5")), &params![email_key])
        .await?;
    records(rows, Staff::from_row)
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub role: Option<&'static str>,
    pub status: Option<&'static str>,
    pub branch: Option<BranchId>,
}

/// A page of the people that match, the newest first, and how many there are in all.
pub async fn list(tx: &Tx, isp: IspId, filter: &Filter, offset: i64, limit: i64) -> Result<(Vec<Staff>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("where t.isp_id = $1 and t.status <> 'deleted'");
    let conditions = [
        ("t.role", filter.role.map(Value::from)),
        ("t.status", filter.status.map(Value::from)),
        ("t.branch_id", filter.branch.map(Value::from)),
    ];
    for (column, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            text += &format!(" and {column} = ${}", params.len());
        }
    }
    let total = tx.row(format!("select count(*) from staff t {text}"), &params).await?;
    let total = total.map_or(Ok(0), |row| row.get(0))?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page =
        format!("{}{text} order by t.id desc limit ${} offset ${}", Staff::SELECT, params.len() - 1, params.len());
    Ok((records(tx.rows(page, &params).await?, Staff::from_row)?, total))
}

pub async fn update(tx: &Tx, staff: &Staff) -> Result<(), Error> {
    tx.run(
        sql!(
            "update staff set name = $3, email = $4, email_key = $5, password_hash = $6, role = $7, status = $8, \
             phone = $9, updated_at = $10, branch_id = $11, parent_id = $12 where isp_id = $1 and id = $2"
        ),
        &params![
            staff.isp_id,
            staff.id,
            staff.name.clone(),
            staff.email.clone(),
            staff.email_key.clone(),
            staff.password_hash.clone(),
            staff.role.clone(),
            staff.status.clone(),
            staff.phone.clone(),
            staff.updated_at,
            staff.branch_id,
            staff.parent_id
        ],
    )
    .await
    .map(drop)
}

pub async fn logged_in(tx: &Tx, isp: IspId, id: StaffId, at: Instant) -> Result<(), Error> {
    tx.run(sql!("update staff set last_login_at = $3 where isp_id = $1 and id = $2"), &params![isp, id, at])
        .await
        .map(drop)
}

pub async fn by_email(tx: &Tx, isp: IspId, email_key: &str) -> Result<Option<Staff>, Error> {
    let row = tx
        .row(sql!(text!(Staff::SELECT, "where t.isp_id = $1 and t.email_key = $2")), &params![isp, email_key])
        .await?;
    row.map(|row| Staff::from_row(&row)).transpose()
}

/// Whether the subscribers of a live person may renew by themselves; `None` where there is nobody.
pub async fn renews(tx: &Tx, isp: IspId, id: StaffId) -> Result<Option<bool>, Error> {
    let row = tx
        .row(
            sql!("select auto_renew from staff where isp_id = $1 and id = $2 and status <> 'deleted'"),
            &params![isp, id],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

pub async fn set_renews(tx: &Tx, isp: IspId, id: StaffId, renews: bool) -> Result<(), Error> {
    tx.run(sql!("update staff set auto_renew = $3 where isp_id = $1 and id = $2"), &params![isp, id, renews])
        .await
        .map(drop)
}
