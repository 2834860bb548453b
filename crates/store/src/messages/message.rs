//! Messages to customers: written with what causes them, sent afterwards.

use domain::{BranchId, CustomerId, Instant, IspId};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    Message of "message" {
        isp_id: IspId,
        id: i64,
        /// sms, email.
        channel: String,
        /// What it is about: receipt, …
        kind: String,
        /// A phone number or an e-mail address.
        recipient: String,
        /// As people may read it: secrets in it are dots.
        body: String,
        customer_id: Option<CustomerId>,
        /// queued, sent, failed.
        status: String,
        attempts: i64,
        next_at: Instant,
        provider_ref: Option<String>,
        error: Option<String>,
        created_at: Instant,
        sent_at: Option<Instant>,
        /// Names it to API clients.
        handle: Option<String>,
        /// Joins those of one broadcast.
        batch: Option<String>,
        /// What it took from the Isp's credits.
        credits: i64,
        /// Whose branch it belongs to.
        branch_id: Option<BranchId>,
        /// The whole text, sealed, where `body` hides something of it.
        sealed: Option<Vec<u8>>,
    }
}

/// Messages that wait to be sent, the oldest first.
pub async fn queued(tx: &Tx, isp: IspId, limit: i64) -> Result<Vec<Message>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Message::SELECT,
                "where t.isp_id = $1 and t.status = 'queued' order by t.next_at, t.id limit $2"
            )),
            &params![isp, limit],
        )
        .await?;
    records(rows, Message::from_row)
}

/// Some of those that were written before secrets in them were hidden.
pub async fn to_seal(tx: &Tx, limit: i64) -> Result<Vec<Message>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Message::SELECT,
                "join message_to_seal m on m.isp_id = t.isp_id and m.id = t.id order by m.isp_id, m.id limit $1"
            )),
            &params![limit],
        )
        .await?;
    records(rows, Message::from_row)
}

/// One of them is.
pub async fn hide(tx: &Tx, row: &Message) -> Result<(), Error> {
    tx.run(
        sql!("update message set body = $3, sealed = $4 where isp_id = $1 and id = $2"),
        &params![row.isp_id, row.id, row.body.clone(), row.sealed.clone()],
    )
    .await?;
    let done = sql!("delete from message_to_seal where isp_id = $1 and id = $2");
    tx.run(done, &params![row.isp_id, row.id]).await.map(drop)
}

/// A customer's messages by a channel, the newest first.
pub async fn of_customer(
    tx: &Tx,
    isp: IspId,
    customer: CustomerId,
    channel: &str,
    limit: i64,
) -> Result<Vec<Message>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Message::SELECT,
                "where t.isp_id = $1 and t.customer_id = $2 and t.channel = $3 \
                 order by t.created_at desc, t.id desc limit $4"
            )),
            &params![isp, customer, channel, limit],
        )
        .await?;
    records(rows, Message::from_row)
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub branch: Option<BranchId>,
    pub recipient: Option<String>,
    /// queued, sent, failed.
    pub status: Option<&'static str>,
    pub batch: Option<String>,
    pub from: Option<Instant>,
    /// Not included.
    pub until: Option<Instant>,
}

/// A page of a channel's messages that match, newest first, and how many there are.
pub async fn list(
    tx: &Tx,
    isp: IspId,
    channel: &str,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Message>, i64), Error> {
    let mut params = vec![Value::from(isp), Value::from(channel)];
    let mut condition = String::from("t.isp_id = $1 and t.channel = $2");
    let conditions = [
        ("t.branch_id =", filter.branch.map(Value::from)),
        ("t.recipient =", filter.recipient.as_deref().map(Value::from)),
        ("t.status =", filter.status.map(Value::from)),
        ("t.batch =", filter.batch.as_deref().map(Value::from)),
        ("t.created_at >=", filter.from.map(Value::from)),
        ("t.created_at <", filter.until.map(Value::from)),
    ];
    for (text, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            condition += &format!(" and {text} ${}", params.len());
        }
    }
    let total = tx.row(format!("select count(*) from message t where {condition}"), &params).await?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!(
        "{}where {condition} order by t.created_at desc, t.id desc limit ${} offset ${}",
        Message::SELECT,
        params.len() - 1,
        params.len()
    );
    let rows = tx.rows(page, &params).await?;
    Ok((records(rows, Message::from_row)?, total.map_or(Ok(0), |row| row.get(0))?))
}

/// Many messages at once.
pub async fn insert_all(tx: &Tx, messages: &[Message]) -> Result<(), Error> {
    tx.insert_many(Message::INSERT, "", messages.iter().map(Message::values).collect()).await.map(drop)
}
