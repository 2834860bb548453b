//! Messages to customers: written with what causes them, sent afterwards.

use domain::{CustomerId, Instant, IspId};

use crate::{
    db::{Error, Tx},
    params,
    record::{record, records, text},
    sql,
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
