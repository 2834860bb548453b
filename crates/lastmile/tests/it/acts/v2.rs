//! How each act is done through version 2 of ISPBills's API, with what no vendor documented.

use serde_json::{Value, json};

use super::{
    Scene, Step, Way, one,
    table::Act::{self, *},
    way,
};
use crate::town::Call;

fn create(scene: &Scene, plan: i64) -> Call {
    let body = json!({
        "name": "Ali Khan", "phone": "0712345678", "package_id": plan, "connection_type": "pppoe",
        "username": scene.username, "password": "secret"
    });
    ("POST", "/api/v2/customers".into(), body)
}

fn put(scene: &Scene, body: Value) -> Call {
    ("PUT", format!("/api/v2/customers/{}", scene.id), body)
}

fn recharge(scene: &Scene, body: Value) -> Call {
    ("POST", format!("/api/v2/customers/{}/recharge", scene.id), body)
}

fn pay(scene: &Scene, amount: i64, bill: bool) -> Call {
    let mut body = json!({ "customer_id": scene.id, "amount": amount });
    if bill {
        body["bill_id"] = scene.bill.into();
    }
    ("POST", "/api/v2/billing/payments".into(), body)
}

fn settle(scene: &Scene, method: &str) -> Call {
    ("PUT", format!("/api/v2/billing/bills/{}", scene.bill), json!({ "status": "paid", "method": method }))
}

/// Money for a bill: named, or for whatever is due.
fn pays(scene: &Scene, amounts: &[i64]) -> Vec<Way> {
    let steps = |named| amounts.iter().map(|amount| Step::Ask(pay(scene, *amount, named))).collect();
    vec![Way { name: "payment", steps: steps(true) }, Way { name: "payment of what is due", steps: steps(false) }]
}

pub fn ways(act: Act, scene: &Scene) -> Vec<Way> {
    match act {
        FirstSale => vec![Way { name: "", steps: vec![Step::Make(create(scene, scene.gold))] }],
        FirstSaleDead => one(create(scene, scene.dead)),
        SellRunning | SellOver | SellSuspended | SellUsed | SellWaiting => one(recharge(scene, json!({}))),
        SellOther | SellOtherOver => one(recharge(scene, json!({ "package_id": scene.silver }))),
        SellFromWallet | SellFromWalletOver => one(recharge(scene, json!({ "payer": "wallet" }))),
        SellDead => one(recharge(scene, json!({ "package_id": scene.dead }))),
        ChangePlan => one(put(scene, json!({ "package_id": scene.silver }))),
        ChangePlanSame => one(put(scene, json!({ "package_id": scene.gold }))),
        MoveToDead => one(put(scene, json!({ "package_id": scene.dead }))),
        Suspend => one(put(scene, json!({ "status": "suspended" }))),
        Restore | RestoreOver | SwitchOn | BeginByHand => one(put(scene, json!({ "status": "active" }))),
        Disable => one(put(scene, json!({ "status": "disabled" }))),
        Delete => one(("DELETE", format!("/api/v2/customers/{}", scene.id), Value::Null)),
        Rename => one(put(scene, json!({ "name": "Ali Khan Junior" }))),
        RenameSame => one(put(scene, json!({ "name": "Ali Khan", "phone": "0712345678" }))),
        EditHalfWrong => vec![
            way("router", put(scene, json!({ "name": "Somebody Else", "router_id": 999_999 }))),
            way("package", put(scene, json!({ "name": "Somebody Else", "package_id": 999_999 }))),
        ],
        PayBill => {
            let mut all = pays(scene, &[900]);
            all.push(way("bill", settle(scene, "cash")));
            all
        }
        PayPart => pays(scene, &[400]),
        PayInParts => pays(scene, &[400, 500]),
        PayMore => pays(scene, &[1000]),
        PayBillFromWallet | PayPackageFromWallet => one(settle(scene, "wallet")),
        TopUp => one(pay(scene, 700, false)),
        PayPackage | PayPackageOver => {
            let mut all = pays(scene, &[1500]);
            all.push(way("bill", settle(scene, "cash")));
            all
        }
        PayPackageInParts => pays(scene, &[400, 1100]),
        Voucher => {
            let body = json!({ "code": scene.code, "customer_id": scene.id });
            one(("POST", "/api/v2/vouchers/redeem".into(), body))
        }
        Card => {
            let body = json!({ "code": scene.code, "customer_id": scene.id });
            one(("POST", "/api/v2/recharge-cards/redeem".into(), body))
        }
        PayNothing => one(pay(scene, 0, false)),
        PayTooMuch => one(pay(scene, 900_000_000_000, false)),
        TopUpRenewing => one(pay(scene, 1500, false)),
        PayTwiceOneReference => {
            let receipt = format!("QK{}", scene.id);
            let paid = |method: &str, receipt: &str| {
                let mut call = pay(scene, 700, false);
                call.2["method"] = method.into();
                call.2["transaction_id"] = receipt.into();
                Step::Ask(call)
            };
            let first = || paid("mpesa", &receipt);
            vec![
                Way { name: "method", steps: vec![first(), paid("M-Pesa", &receipt)] },
                Way { name: "capitals", steps: vec![first(), paid("mpesa", &receipt.to_lowercase())] },
            ]
        }
        DropPlanOfVoucher | DropPlanOfCard | DropPlanOfMove | DropPlanOfRenewal => {
            one(("DELETE", format!("/api/v2/plans/{}", scene.promised), Value::Null))
        }
        SellTwiceOneKey => vec![Way { name: "", steps: vec![Step::Twice(recharge(scene, json!({})))] }],
        PayRestOfSale => pays(scene, &[1000]),
        // No call of this version.
        Given
        | ChangePlanBilled
        | ChangePlanBilledUsed
        | ChangePlanBilledPaid
        | ChangePlanAtEnd
        | ChangePlanAtEndPaidAhead
        | ChangePlanOnDay
        | ClearUsage
        | SwitchOff
        | MakePending
        | EndLater
        | EndPast
        | EndLaterOver
        | Grace
        | GraceOver
        | Speed
        | Volume
        | VolumeSpent
        | BillPackage
        | BillPackageTwice
        | EditPriceBelowZero
        | RunsOut
        | BeginOnItsDay
        | GiveBackToReseller
        | SellPartPaid
        | SellGivingBack
        | BillPackageDiscounted
        | SellGivingBackToReseller
        | DeleteClearing => Vec::new(),
    }
}
