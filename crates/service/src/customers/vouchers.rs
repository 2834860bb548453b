//! The first use of a voucher by a device: it makes a line of its own, and a customer where nobody knows who bought it. What
//! is decided before, from memory, is in [`redemption`](crate::sales::redemption).

use std::sync::Arc;

use domain::{CustomerId, ServiceId, Status, sales::sale::Payer};
use store::{
    db::Class,
    people::{customer, service},
    sales::voucher::{self, Use},
};

use super::{
    beside::Beside,
    create::{First, Line, New, Owner, Person, create},
};
use crate::{
    Actor, App, Error, Fact, Refusal, What, catalogue::plans, kernel::ids::Table, sales::redemption::FirstUse,
};

/// Redeems a voucher for a device: a line of its own, sold one period of the voucher's plan that starts now. The same
/// device again changes nothing.
///
/// # Errors
/// `NotFound` when the voucher is gone, `Refused` when it has been used as often as it can be.
pub async fn redeem(app: &App, first: FirstUse) -> Result<ServiceId, Error> {
    let tenant = app.tenant(first.isp).await?;
    app.change(&Actor::system(first.isp), Class::Interactive, async move |change| {
        // Whoever changes a customer locks the customer first: whose it is is read before the voucher is locked.
        let unlocked = voucher::by_code(change.tx, change.isp, &first.key).await?;
        let owner = match unlocked.and_then(|row| row.customer_id) {
            Some(id) => customer::lock(change.tx, change.isp, id).await?,
            None => None,
        };
        let found = voucher::lock_by_code(change.tx, change.isp, &first.key).await?;
        let mut row = found.ok_or(Error::NotFound { what: What::Voucher })?;
        if let Some(before) = voucher::use_by(change.tx, change.isp, row.id, &first.client).await? {
            return Ok(before.service_id);
        }
        if row.used >= row.clients {
            return Err(Error::Refused(Refusal::VoucherUsed));
        }
        let offer = match plans::offer(change, row.plan_id).await {
            Err(Error::NotFound { .. }) => return Err(Error::Refused(Refusal::VoucherPlanGone)),
            offer => offer?,
        };
        row.used += 1;
        let name = format!("voucher-{}-{}", row.id, row.used);
        let (owner, ordinal) = match owner {
            Some(owner) => {
                let last = service::of_customer(change.tx, change.isp, owner.id).await?.pop();
                (Owner::Known(owner.id), last.map_or(1, |line| line.ordinal + 1))
            }
            // Nobody knows who bought it: the voucher stands for the person.
            None => {
                let person = Person {
                    id: CustomerId(change.id(Table::Customer).await?),
                    branch: None,
                    username: name.clone(),
                    portal_secret: None,
                    full_name: format!("Voucher {}", row.code),
                    phone: String::new(),
                    email: None,
                    address: None,
                    building: None,
                };
                (Owner::New(person), 1)
            }
        };
        let line = Line {
            id: ServiceId(change.id(Table::Service).await?),
            ordinal,
            kind: row.kind,
            status: Status::Active,
            reason: "voucher",
            username: name,
            // Only the code leads to it, and only from this device.
            secret: None,
            offer: Arc::new(offer),
            router: first.router,
            ip: None,
            mac: first.mac,
            tied: first.mac.is_some(),
            starts_at: None,
        };
        let sale = First::Sold { payer: Payer::Voucher, ends_at: None };
        let made = create(change, &tenant, New { owner, line, first: sale, beside: Beside::default() }).await?;
        row.last_client = Some(first.client.to_string());
        row.last_used_at = Some(change.now);
        voucher::mark_used(change.tx, &row).await?;
        Use {
            isp_id: change.isp,
            voucher_id: row.id,
            ordinal: row.used,
            customer_id: made.customer,
            service_id: made.line.id,
            client: first.client.to_string(),
            used_at: change.now,
        }
        .insert(change.tx)
        .await?;
        change.tell(Fact::VoucherUsed {
            customer: made.customer,
            voucher: row.id,
            ordinal: row.used,
            client: first.client.to_string(),
        });
        Ok(made.line.id)
    })
    .await
}
