//! How each act is done through version 1 of ISPBills's API: one call does it all.

use serde_json::{Value, json};

use super::{
    Scene, Step, Way, one,
    table::Act::{self, *},
};
use crate::{app::seconds, town::Call};

pub fn create(scene: &Scene, plan: i64) -> Call {
    let body = json!({
        "name": "Ali Khan", "phone": "0712345678", "package_id": plan, "connection_type": "pppoe",
        "username": scene.username, "password": "secret"
    });
    ("POST", "/api/v1/customers".into(), body)
}

fn action(scene: &Scene, action: &str, mut body: Value) -> Call {
    body["action"] = action.into();
    ("POST", format!("/api/v1/customers/{}/action", scene.id), body)
}

pub fn ways(act: Act, scene: &Scene) -> Vec<Way> {
    let bare = |word: &str| one(action(scene, word, json!({})));
    match act {
        FirstSale => vec![Way { name: "", steps: vec![Step::Make(create(scene, scene.gold))] }],
        FirstSaleDead => one(create(scene, scene.dead)),
        SellRunning | SellOver | SellSuspended | SellUsed | SellWaiting => bare("recharge"),
        SellOther | SellOtherOver => one(action(scene, "recharge", json!({ "package_id": scene.silver }))),
        SellFromWallet | SellFromWalletOver => one(action(scene, "recharge", json!({ "method": "wallet" }))),
        SellDead => one(action(scene, "recharge", json!({ "package_id": scene.dead }))),
        ChangePlan => one(action(scene, "edit_package", json!({ "package_id": scene.silver }))),
        ChangePlanSame => one(action(scene, "edit_package", json!({ "package_id": scene.gold }))),
        MoveToDead => one(action(scene, "edit_package", json!({ "package_id": scene.dead }))),
        Suspend => bare("suspend"),
        Restore | RestoreOver | SwitchOn | BeginByHand => bare("activate"),
        Disable => bare("disable"),
        Delete => bare("delete"),
        EndLater => one(action(scene, "edit_suspend_date", json!({ "suspend_date": scene.day(24) }))),
        EndPast => {
            let call = action(scene, "edit_suspend_date", json!({ "suspend_date": scene.day(-3) }));
            vec![Way { name: "", steps: vec![Step::Ask(call), Step::Pass(seconds(1))] }]
        }
        EndLaterOver => one(action(scene, "edit_suspend_date", json!({ "suspend_date": scene.day(4) }))),
        Speed => one(action(scene, "edit_speed", json!({ "bandwidth_id": scene.fast }))),
        Volume => one(action(scene, "edit_volume", json!({ "megabytes": 5000 }))),
        VolumeSpent => {
            let call = action(scene, "edit_volume", json!({ "megabytes": 2000 }));
            vec![Way { name: "", steps: vec![Step::Ask(call), Step::Pass(seconds(1))] }]
        }
        BillPackage | BillPackageTwice => bare("generate_bill"),
        TopUp => one(action(scene, "advance_payment", json!({ "amount": 700 }))),
        PayNothing => one(action(scene, "advance_payment", json!({ "amount": 0 }))),
        PayTooMuch => one(action(scene, "advance_payment", json!({ "amount": 900_000_000_000_i64 }))),
        TopUpRenewing => one(action(scene, "advance_payment", json!({ "amount": 1500 }))),
        SellTwiceOneKey => vec![Way { name: "", steps: vec![Step::Twice(action(scene, "recharge", json!({})))] }],
        BillPackageDiscounted => bare("generate_bill"),
        // No action of this call.
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
        | Rename
        | RenameSame
        | Grace
        | GraceOver
        | PayBill
        | PayPart
        | PayInParts
        | PayMore
        | PayBillFromWallet
        | PayPackage
        | PayPackageOver
        | PayPackageInParts
        | PayPackageFromWallet
        | Voucher
        | Card
        | EditHalfWrong
        | EditPriceBelowZero
        | RunsOut
        | BeginOnItsDay
        | PayTwiceOneReference
        | GiveBackToReseller
        | DropPlanOfVoucher
        | DropPlanOfCard
        | DropPlanOfMove
        | DropPlanOfRenewal
        | SellPartPaid
        | SellGivingBack
        | PayRestOfSale
        | SellGivingBackToReseller
        | DeleteClearing => Vec::new(),
    }
}
