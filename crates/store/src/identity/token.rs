//! Tokens: what a login or a client's secret was exchanged for. Opaque, kept hashed, revocable at once.

use domain::{ApiClientId, CustomerId, Instant, IspId, StaffId};

use crate::{
    db::{Error, Tx},
    kernel::record::{record, text},
    params, sql,
};

record! {
    Token of "token" {
        isp_id: IspId,
        id: i64,
        /// SHA-256, hex.
        hash: String,
        /// The dialect that gave it and that alone takes it.
        issuer: String,
        /// access, refresh.
        kind: String,
        /// The id of the first token of the login that it came from.
        family: i64,
        client_id: Option<ApiClientId>,
        staff_id: Option<StaffId>,
        created_at: Instant,
        expires_at: Instant,
        /// A refresh token's only use.
        used_at: Option<Instant>,
        revoked_at: Option<Instant>,
        /// A subscriber's own.
        customer_id: Option<CustomerId>,
        /// From where it was asked for: an IPv4 address, an IPv6 /64.
        source: Option<String>,
    }
}

/// The token with this hash, good or not, in whichever tenant.
pub async fn find(tx: &Tx, hash: &str) -> Result<Option<Token>, Error> {
    let row = tx.row(sql!(text!(Token::SELECT, "where t.hash = $1")), &params![hash]).await?;
    row.map(|row| Token::from_row(&row)).transpose()
}

/// Uses a refresh token up; `false` when somebody was faster or it is not good.
pub async fn use_up(tx: &Tx, isp: IspId, id: i64, at: Instant) -> Result<bool, Error> {
    let used = tx
        .run(
            sql!(
                "update token set used_at = $3 where isp_id = $1 and id = $2 and used_at is null \
                 and revoked_at is null and expires_at > $3"
            ),
            &params![isp, id, at],
        )
        .await?;
    Ok(used > 0)
}

pub async fn revoke(tx: &Tx, isp: IspId, id: i64, at: Instant) -> Result<(), Error> {
    tx.run(
        sql!("update token set revoked_at = $3 where isp_id = $1 and id = $2 and revoked_at is null"),
        &params![isp, id, at],
    )
    .await
    .map(drop)
}

/// Ends all that came from one login; how many there were.
pub async fn revoke_family(tx: &Tx, isp: IspId, family: i64, at: Instant) -> Result<u64, Error> {
    tx.run(
        sql!("update token set revoked_at = $3 where isp_id = $1 and family = $2 and revoked_at is null"),
        &params![isp, family, at],
    )
    .await
}

pub async fn revoke_client(tx: &Tx, isp: IspId, client: ApiClientId, at: Instant) -> Result<(), Error> {
    tx.run(
        sql!("update token set revoked_at = $3 where isp_id = $1 and client_id = $2 and revoked_at is null"),
        &params![isp, client, at],
    )
    .await
    .map(drop)
}

pub async fn revoke_staff(tx: &Tx, isp: IspId, staff: StaffId, at: Instant) -> Result<(), Error> {
    tx.run(
        sql!("update token set revoked_at = $3 where isp_id = $1 and staff_id = $2 and revoked_at is null"),
        &params![isp, staff, at],
    )
    .await
    .map(drop)
}

/// Uses up and ends a token that is refreshed with itself; `false` when somebody was faster or it has ended.
pub async fn retire(tx: &Tx, isp: IspId, id: i64, at: Instant) -> Result<bool, Error> {
    let retired = tx
        .run(
            sql!("update token set revoked_at = $3, used_at = $3 where isp_id = $1 and id = $2 and revoked_at is null"),
            &params![isp, id, at],
        )
        .await?;
    Ok(retired > 0)
}

/// Ends a subscriber's tokens, but for one where it is said.
pub async fn revoke_customer(
    tx: &Tx,
    isp: IspId,
    customer: CustomerId,
    kept: Option<i64>,
    at: Instant,
) -> Result<(), Error> {
    tx.run(
        sql!(
            "update token set revoked_at = $4 where isp_id = $1 and customer_id = $2 and id <> $3 \
             and revoked_at is null"
        ),
        // No token has the id 0.
        &params![isp, customer, kept.unwrap_or(0), at],
    )
    .await
    .map(drop)
}

/// Whose tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    Staff(StaffId),
    Client(ApiClientId),
    Customer(CustomerId),
}

/// Whether a token of theirs was asked for from there since then.
pub async fn was_from(tx: &Tx, isp: IspId, holder: Holder, source: &str, since: Instant) -> Result<bool, Error> {
    let (staff, client, customer) = match holder {
        Holder::Staff(id) => (Some(id), None, None),
        Holder::Client(id) => (None, Some(id), None),
        Holder::Customer(id) => (None, None, Some(id)),
    };
    let row = tx
        .row(
            sql!(
                "select 1 from token where isp_id = $1 and source = $2 and created_at > $3 \
                 and (staff_id = $4 or client_id = $5 or customer_id = $6) limit 1"
            ),
            &params![isp, source, since, staff, client, customer],
        )
        .await?;
    Ok(row.is_some())
}

/// Removes tokens that ended before `before`.
pub async fn forget(tx: &Tx, before: Instant) -> Result<u64, Error> {
    tx.run(sql!("delete from token where expires_at < $1"), &params![before]).await
}
