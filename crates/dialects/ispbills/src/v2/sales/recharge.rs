//! The sale of a customer's next period.

use axum::extract::State;
use domain::{CustomerId, Money, PlanId, Scope, sales::sale::Payer};
use doors::{Given, Id, Operation, form::Body, wire::utc_seconds};
use serde::Serialize;
use serde_json::Number;
use service::{
    App, Error, Expected, Why,
    billing::receipts,
    sales::recharge::{self, Recharge},
};
use utoipa::ToSchema;

use crate::{
    envelope::{Answer, Caller, Reply},
    v2::{
        billing::payments,
        customers::customers::{Package, refused},
    },
};

const PAYERS: &[&str] = &["cash", "wallet", "operator", "complimentary"];

doors::form! {
    CustomerRecharge {
        package_id: optional Id, "The package to sell; the one that the customer has where not given.";
        payer: optional Word(PAYERS), "cash (where not given): money received now. wallet: what is held for the customer. operator: the operator whose customer it is. complimentary: nobody.";
        method: optional Text(1, 32), "cash: how it came: cash (where not given), bank, bkash …";
        send_receipt: optional Boolean, "Tell the customer by SMS.";
    }
}

#[derive(Serialize, ToSchema)]
pub struct RechargeReceipt {
    customer_id: i64,
    username: String,
    package: Package,
    payer: &'static str,
    /// What the customer paid, tax included.
    #[schema(value_type = f64)]
    amount: Number,
    currency: String,
    /// When the period ends.
    expires_at: String,
}

pub const RECHARGE: Operation = Operation::new("Customers", "Recharge a customer", Scope::BillingWrite)
    .about(
        "Sells the next period: the same package goes on from the end of a running period, another one begins now. The \
         line is active afterwards. Whoever sees an operator's branch alone sells on its account, whatever `payer` says. \
         422 where a wallet does not cover the price. Send an `Idempotency-Key`: a repeat then sells nothing.",
    )
    .body::<CustomerRecharge>()
    .creates::<RechargeReceipt>();

pub async fn recharge(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<CustomerRecharge>,
) -> Answer<RechargeReceipt> {
    let CustomerRecharge { package_id, payer, method, send_receipt } = body;
    let (customer, plan) = (CustomerId(id), package_id.value().map(PlanId));
    let (payer, tell) = (payer.or("cash"), send_receipt.or(false));
    if matches!(method, Given::Value(_)) && payer != "cash" {
        return Err(Error::invalid("method", Why::Not(Expected::LeftOutWithoutMoney)).into());
    }
    let (app, actor, key) = (&app, &caller.actor, caller.key.clone());
    let sold = async |payer: Payer| match tell {
        true => recharge::recharge_and_tell(app, actor, Recharge { customer, plan, payer }, key.clone()).await,
        false => recharge::recharge(app, actor, Recharge { customer, plan, payer }, key.clone()).await,
    };
    let receipt = match payer {
        "wallet" => sold(Payer::Wallet).await,
        "operator" => recharge::on_operators_account(app, actor, (customer, plan), tell, key.clone()).await,
        "complimentary" => sold(Payer::Complimentary).await,
        _ => {
            let method = payments::method(method, "cash")?;
            if receipts::of_the_wallet(&method) {
                return Err(Error::invalid("method", Why::Not(Expected::LeftOutForWallet)).into());
            }
            sold(Payer::Cash { method }).await
        }
    };
    let receipt = receipt.map_err(refused)?;
    Ok(Reply::created(RechargeReceipt {
        customer_id: receipt.customer_id,
        expires_at: utc_seconds(receipt.expires()),
        username: receipt.username,
        package: Package { id: receipt.plan_id, name: receipt.plan_name },
        payer,
        amount: caller.amount(Money(receipt.amount)),
        currency: caller.tenant.currency.code.clone(),
    }))
}
