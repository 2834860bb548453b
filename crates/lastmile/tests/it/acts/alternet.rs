//! How each act is done through Alternet's API.

use serde_json::{Value, json};

use super::{
    Scene, Step, Way, one,
    table::Act::{self, *},
    way,
};
use crate::town::Call;

pub fn create(scene: &Scene, plan: i64) -> Call {
    let body = json!({
        "fullname": "Ali Khan", "phonenumber": "0712345678", "service_type": "PPPoE", "plan_id": plan,
        "router_id": scene.router, "password": "portal", "username": scene.username,
        "pppoe_username": scene.username, "pppoe_password": "secret"
    });
    ("POST", "/api/v1/customers".into(), body)
}

fn customer(scene: &Scene) -> String {
    format!("/api/v1/customers/{}", scene.id)
}

fn put(scene: &Scene, body: Value) -> Call {
    ("PUT", customer(scene), body)
}

fn post(scene: &Scene, what: &str, body: Value) -> Call {
    ("POST", format!("{}/{what}", customer(scene)), body)
}

/// One customer's recharge, and the same among many.
fn recharges(scene: &Scene, mut body: Value) -> Vec<Way> {
    let alone = way("", post(scene, "recharge", body.clone()));
    body["customer_ids"] = json!([scene.id]);
    vec![alone, way("bulk", ("POST", "/api/v1/customers/bulk/recharge".into(), body))]
}

pub fn ways(act: Act, scene: &Scene) -> Vec<Way> {
    match act {
        FirstSale => vec![Way { name: "", steps: vec![Step::Make(create(scene, scene.gold))] }],
        FirstSaleDead => one(create(scene, scene.dead)),
        SellRunning | SellOver | SellSuspended | SellUsed | SellWaiting => recharges(scene, json!({})),
        SellOther | SellOtherOver => recharges(scene, json!({ "plan_id": scene.silver })),
        // Among many a customer's refusal is a result.
        SellDead => one(post(scene, "recharge", json!({ "plan_id": scene.dead }))),
        ChangePlan => one(put(scene, json!({ "plan_id": scene.silver }))),
        ChangePlanSame => one(put(scene, json!({ "plan_id": scene.gold }))),
        MoveToDead => one(put(scene, json!({ "plan_id": scene.dead }))),
        Suspend => one(post(scene, "suspend", json!({ "notes": "unpaid" }))),
        Restore | RestoreOver | SwitchOn | BeginByHand => {
            vec![way("", post(scene, "activate", json!({}))), way("status", put(scene, json!({ "status": "Active" })))]
        }
        Disable => one(put(scene, json!({ "status": "Deactivated" }))),
        SwitchOff => one(put(scene, json!({ "status": "Inactive" }))),
        Delete => one(("DELETE", customer(scene), Value::Null)),
        Rename => one(put(scene, json!({ "fullname": "Ali Khan Junior" }))),
        RenameSame => one(put(scene, json!({ "fullname": "Ali Khan", "phonenumber": "0712345678" }))),
        EditHalfWrong => vec![
            way("router", put(scene, json!({ "fullname": "Somebody Else", "router_id": 999_999 }))),
            way("plan", put(scene, json!({ "fullname": "Somebody Else", "plan_id": 999_999 }))),
        ],
        DropPlanOfVoucher | DropPlanOfCard | DropPlanOfMove | DropPlanOfRenewal => {
            one(("DELETE", format!("/api/v1/plans/{}", scene.promised), Value::Null))
        }
        SellTwiceOneKey => vec![Way { name: "", steps: vec![Step::Twice(post(scene, "recharge", json!({})))] }],
        // No call of this document.
        Given
        | SellFromWallet
        | SellFromWalletOver
        | ChangePlanBilled
        | ChangePlanBilledUsed
        | ChangePlanBilledPaid
        | ChangePlanAtEnd
        | ChangePlanAtEndPaidAhead
        | ChangePlanOnDay
        | ClearUsage
        | MakePending
        | EndLater
        | EndPast
        | EndLaterOver
        | Grace
        | GraceOver
        | Speed
        | Volume
        | VolumeSpent
        | PayBill
        | PayPart
        | PayInParts
        | PayMore
        | PayBillFromWallet
        | TopUp
        | BillPackage
        | BillPackageTwice
        | PayPackage
        | PayPackageOver
        | PayPackageInParts
        | PayPackageFromWallet
        | Voucher
        | Card
        | EditPriceBelowZero
        | PayNothing
        | PayTooMuch
        | RunsOut
        | BeginOnItsDay
        | TopUpRenewing
        | PayTwiceOneReference
        | GiveBackToReseller
        | SellPartPaid
        | SellGivingBack
        | PayRestOfSale
        | BillPackageDiscounted
        | SellGivingBackToReseller
        | DeleteClearing => Vec::new(),
    }
}
