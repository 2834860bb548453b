//! The SMS that a customer gets for what was bought. It lies with messages that wait to be sent; whoever sends them takes
//! it from there.

use domain::{Instant, Money};
use store::{messages::message::Message, people::customer::Customer};

use crate::{
    Change, Error,
    kernel::{app::Tenant, ids::Table},
};

/// Tells a customer by SMS what was bought and until when it lasts. Without a phone number there is nobody to tell.
pub(crate) async fn tell(
    change: &Change<'_>,
    tenant: &Tenant,
    customer: &Customer,
    plan: &str,
    amount: Money,
    expires_at: Instant,
) -> Result<(), Error> {
    if customer.phone.is_empty() {
        return Ok(());
    }
    let until = expires_at.in_zone(&tenant.zone).strftime("%Y-%m-%d %H:%M").to_string();
    let price = tenant.currency.format(amount);
    let body = format!(
        "Dear {}, you have {plan} for {} {price}, valid until {until}. {}",
        customer.full_name, tenant.currency.code, tenant.isp.name
    );
    Message {
        isp_id: change.isp,
        id: change.id(Table::Message).await?,
        channel: "sms".into(),
        kind: "receipt".into(),
        recipient: customer.phone.clone(),
        body,
        customer_id: Some(customer.id),
        status: "queued".into(),
        attempts: 0,
        next_at: change.now,
        provider_ref: None,
        error: None,
        created_at: change.now,
        sent_at: None,
        handle: None,
        batch: None,
        credits: 0,
        branch_id: customer.branch_id,
        sealed: None,
    }
    .insert(change.tx)
    .await?;
    Ok(())
}
