//! One call for everything that is done to a customer (docs/readings.md 2.10).

use axum::extract::State;
use domain::{BandwidthId, CustomerId, Instant, PlanId, Scope, Status, sales::sale::Payer};
use doors::{Given, Id, Operation, form::Body};
use service::{
    App, Error, Why,
    billing::receipts::{self, Means},
    customers::change::{self, Deletion, Edit},
    messages::queue,
    receivables::{
        bills::{self, NewBill},
        payments as paid,
    },
    sales::{
        by_hand::{self, Override},
        recharge::{self, Recharge},
        standing,
    },
};

use super::customers::{Row, seen};
use crate::{
    envelope::{Answer, Caller, Failure, Reply},
    v2::{billing::payments, customers::customers::refused},
};

/// Each with the right it needs besides that to change customers.
const ACTIONS: &[(&str, Option<Scope>)] = &[
    ("activate", None),
    ("suspend", None),
    ("disable", None),
    ("edit_suspend_date", None),
    ("recharge", Some(Scope::BillingWrite)),
    ("edit_package", None),
    ("edit_speed", None),
    ("edit_time", None),
    ("edit_volume", None),
    ("generate_bill", Some(Scope::BillingWrite)),
    ("remove_mac_bind", None),
    ("edit_mac", None),
    ("send_sms", Some(Scope::SmsSend)),
    ("advance_payment", Some(Scope::BillingWrite)),
    ("other_payment", Some(Scope::BillingWrite)),
    ("disconnect", Some(Scope::NetworkWrite)),
    ("delete", None),
];

const WORDS: &[&str] = &{
    let mut words = [""; ACTIONS.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = ACTIONS[at].0;
        at += 1;
    }
    words
};

doors::form! {
    /// What to do to a customer. Each action reads the fields that are its own.
    CustomerAction {
        action: required Word(WORDS), "What to do.";
        reason: optional Lines(500), "activate, suspend, disable: why.";
        suspend_date: optional Date, "edit_suspend_date: the last day of the period.";
        package_id: optional Id, "edit_package: the new one. recharge: another than the customer has.";
        bandwidth_id: optional Id, "edit_speed: the bandwidth; null for the package's.";
        minutes: optional Integer(0, 5_256_000), "edit_time: online time of the running period; null for no limit.";
        megabytes: optional Integer(0, 1_000_000_000), "edit_volume: data of the running period; null for no limit.";
        mac: optional Mac, "edit_mac: the only device that may log in.";
        message: optional Lines(1000), "send_sms: the text.";
        amount: optional Amount, "advance_payment, other_payment: how much, tax included.";
        method: optional Text(1, 32), "recharge, advance_payment, other_payment: how it is paid; `wallet` takes what is held for the customer.";
        transaction_id: optional Text(1, 100), "advance_payment, other_payment: the provider's reference; good once per provider.";
        description: optional Text(1, 500), "other_payment: what for.";
        due_date: optional Date, "generate_bill: the day by which it is to be paid.";
    }
}

pub const ACTION: Operation = Operation::new("Customers", "Perform an action", Scope::CustomersWrite)
    .about("Money needs the scope `billing:write` besides, messages `sms:send`, a disconnection `network:write`.")
    .body::<CustomerAction>()
    .answers::<Row>();

pub async fn action(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<CustomerAction>,
) -> Answer<Row> {
    let missing = ACTIONS.iter().find(|(word, _)| *word == body.action).and_then(|(_, scope)| *scope);
    if let Some(scope) = missing.filter(|scope| !caller.scopes.has(*scope)) {
        return Err(Failure::lacks(scope));
    }
    let id = CustomerId(id);
    // The answer to a deletion is the customer as it was.
    let before = seen(&app, &caller, id).await?;
    let is_deletion = body.action == "delete";
    perform(&app, &caller, id, body).await?;
    Ok(Reply::data(if is_deletion { before } else { seen(&app, &caller, id).await? }))
}

async fn perform(app: &App, caller: &Caller, id: CustomerId, body: CustomerAction) -> Result<(), Failure> {
    let (actor, key) = (&caller.actor, caller.key.clone());
    let done = match body.action {
        "activate" => standing::put(app, actor, id, Status::Active, body.reason.value()).await,
        "suspend" => standing::put(app, actor, id, Status::Suspended, body.reason.value()).await,
        "disable" => standing::put(app, actor, id, Status::Disabled, body.reason.value()).await,
        "edit_suspend_date" => {
            let day = needed("suspend_date", body.suspend_date)?;
            let end = Instant::from_civil(day.at(23, 59, 59, 0), &caller.tenant.zone);
            by_hand::put(app, actor, id, Override::End(Some(end))).await
        }
        "recharge" => {
            let payer = match payments::method(body.method, "api")? {
                method if receipts::of_the_wallet(&method) => Payer::Wallet,
                method => Payer::Cash { method },
            };
            let command = Recharge { customer: id, plan: body.package_id.value().map(PlanId), payer };
            recharge::recharge(app, actor, command, key).await.map(drop)
        }
        "edit_package" => {
            let plan = PlanId(needed("package_id", body.package_id)?);
            change::update(app, actor, id, Edit { plan: Some(plan), ..Edit::default() }).await
        }
        "edit_speed" => {
            let bandwidth = told("bandwidth_id", body.bandwidth_id)?.map(BandwidthId);
            by_hand::put(app, actor, id, Override::Speed(bandwidth)).await
        }
        "edit_time" => {
            let seconds = told("minutes", body.minutes)?.map(|minutes| minutes * 60);
            by_hand::put(app, actor, id, Override::Time(seconds)).await
        }
        "edit_volume" => {
            let bytes = told("megabytes", body.megabytes)?.map(|megabytes| megabytes * 1_000_000);
            by_hand::put(app, actor, id, Override::Volume(bytes)).await
        }
        "generate_bill" => bills::generate(app, actor, id, body.due_date.value(), key).await.map(drop),
        "remove_mac_bind" => by_hand::put(app, actor, id, Override::AnyDevice).await,
        "edit_mac" => by_hand::put(app, actor, id, Override::Device(needed("mac", body.mac)?)).await,
        "send_sms" => queue::to_customer(app, actor, id, needed("message", body.message)?).await,
        "advance_payment" => {
            let amount = caller.money("amount", needed("amount", body.amount)?, 1)?;
            let means = means(body.method, body.transaction_id)?;
            paid::top_up(app, actor, id, amount, means, key).await.map(drop)
        }
        "other_payment" => {
            let amount = caller.money("amount", needed("amount", body.amount)?, 1)?;
            let description = needed("description", body.description)?;
            let today = caller.now.day(&caller.tenant.zone);
            let command = NewBill { customer: id, amount, due: Some(today), description: Some(description) };
            bills::charge(app, actor, command, means(body.method, body.transaction_id)?, key).await.map(drop)
        }
        "disconnect" => by_hand::disconnect(app, actor, id).await,
        "delete" => change::delete(app, actor, id, Deletion::default()).await,
        // The form knows no other words.
        _ => Err(Error::invalid("action", Why::NotOneOf(WORDS))),
    };
    done.map_err(refused)
}

fn means(method: Given<String>, transaction_id: Given<String>) -> Result<Means, Error> {
    Ok(Means { method: payments::method(method, "cash")?, reference: transaction_id.value() })
}

fn needed<T>(field: &'static str, given: Given<T>) -> Result<T, Error> {
    given.value().ok_or(Error::invalid(field, Why::Required))
}

/// A value, or null for none.
fn told<T>(field: &'static str, given: Given<T>) -> Result<Option<T>, Error> {
    given.change().ok_or(Error::invalid(field, Why::Required))
}
