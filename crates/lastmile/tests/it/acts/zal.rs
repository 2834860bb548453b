//! How each act is done through Zal's API.

use serde_json::{Value, json};

use super::{
    Scene, Step, Way, one,
    table::Act::{self, *},
    way,
};
use crate::{app::seconds, town::Call};

/// Creating sells nothing.
pub fn create(scene: &Scene, plan: i64, more: Value) -> Call {
    let mut body = json!({
        "fullname": "Ali Khan", "phone": "0712345678", "username": scene.username, "password": "portal",
        "connection_password": "secret", "package_id": plan, "connection_type": 0
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    ("POST", "/api/v1/subscribers/create".into(), body)
}

fn update(scene: &Scene, mut body: Value) -> Call {
    body["id"] = scene.id.into();
    ("PUT", "/api/v1/subscribers/update".into(), body)
}

fn activation(scene: &Scene, mut body: Value) -> Call {
    body["subscriber_id"] = scene.id.into();
    ("POST", "/api/v1/subscribers/activation".into(), body)
}

/// Midnight, so many days from now.
fn moment(scene: &Scene, days: i64) -> Value {
    format!("{} 00:00:00", scene.day(days)).into()
}

fn migration(scene: &Scene, plan: i64) -> Call {
    let body = json!({ "subscriber_id": scene.id, "new_package_id": plan });
    ("POST", "/api/v1/subscribers/migration".into(), body)
}

pub fn ways(act: Act, scene: &Scene) -> Vec<Way> {
    match act {
        FirstSale => {
            let sell = |id| ("POST", "/api/v1/subscribers/activation".into(), json!({ "subscriber_id": id }));
            let steps = vec![Step::Make(create(scene, scene.gold, json!({}))), Step::With(sell)];
            vec![Way { name: "create, activation", steps }]
        }
        Given => {
            let call = create(scene, scene.gold, json!({ "expiration_date": moment(scene, 30) }));
            vec![Way { name: "create", steps: vec![Step::Make(call)] }]
        }
        FirstSaleDead => one(create(scene, scene.dead, json!({}))),
        SellRunning | SellOver | SellSuspended | SellUsed | SellWaiting => one(activation(scene, json!({}))),
        SellOther | SellOtherOver => one(activation(scene, json!({ "package_id": scene.silver }))),
        SellFromWallet | SellFromWalletOver => {
            let body = json!({
                "selected_subscribers": scene.id.to_string(), "package_id": "current_package", "payment_type": 1
            });
            vec![
                way("method 4", activation(scene, json!({ "payment_method": 4 }))),
                way("cut", activation(scene, json!({ "cut_subscriber_balance": 1 }))),
                way("mass", ("POST", "/api/v1/subscribers/mass-activation".into(), body)),
            ]
        }
        SellDead => one(activation(scene, json!({ "package_id": scene.dead }))),
        ChangePlan => one(update(scene, json!({ "package_id": scene.silver }))),
        ChangePlanSame => vec![
            way("", update(scene, json!({ "package_id": scene.gold }))),
            way("migration", migration(scene, scene.gold)),
        ],
        ChangePlanBilled | ChangePlanBilledUsed | ChangePlanBilledPaid => one(migration(scene, scene.silver)),
        MoveToDead => vec![
            way("", update(scene, json!({ "package_id": scene.dead }))),
            way("migration", migration(scene, scene.dead)),
        ],
        Restore | RestoreOver | SwitchOn | BeginByHand => one(update(scene, json!({ "profile_status": 2 }))),
        SwitchOff => one(update(scene, json!({ "profile_status": 0 }))),
        MakePending => one(update(scene, json!({ "profile_status": 1 }))),
        Delete => one(("DELETE", format!("/api/v1/subscribers/delete?id={}", scene.id), Value::Null)),
        Rename => one(update(scene, json!({ "fullname": "Ali Khan Junior" }))),
        RenameSame => one(update(scene, json!({ "fullname": "Ali Khan", "phone": "0712345678" }))),
        EditHalfWrong => vec![
            way("nas", update(scene, json!({ "fullname": "Somebody Else", "nas_id": 999_999 }))),
            way("package", update(scene, json!({ "fullname": "Somebody Else", "package_id": 999_999 }))),
            way("department", update(scene, json!({ "fullname": "Somebody Else", "department": 999_999 }))),
        ],
        EndLater => one(update(scene, json!({ "expiration_date": moment(scene, 25) }))),
        EndPast => {
            let call = update(scene, json!({ "expiration_date": moment(scene, -2) }));
            vec![Way { name: "", steps: vec![Step::Ask(call), Step::Pass(seconds(1))] }]
        }
        EndLaterOver => one(update(scene, json!({ "expiration_date": moment(scene, 5) }))),
        Volume => one(update(scene, json!({ "total_data_quota": 5000 }))),
        VolumeSpent => {
            let call = update(scene, json!({ "total_data_quota": 2000 }));
            vec![Way { name: "", steps: vec![Step::Ask(call), Step::Pass(seconds(1))] }]
        }
        GiveBackToReseller => one(migration(scene, scene.silver)),
        DropPlanOfVoucher | DropPlanOfCard | DropPlanOfMove | DropPlanOfRenewal => {
            one(("DELETE", format!("/api/v1/packages/{}", scene.promised), Value::Null))
        }
        SellTwiceOneKey => vec![Way { name: "", steps: vec![Step::Twice(activation(scene, json!({})))] }],
        SellPartPaid => one(activation(scene, json!({ "payment_amount": 500 }))),
        // No call of this document: payments are taken with an activation.
        Suspend
        | Disable
        | ChangePlanAtEnd
        | ChangePlanAtEndPaidAhead
        | ChangePlanOnDay
        | ClearUsage
        | Grace
        | GraceOver
        | Speed
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
        | SellGivingBack
        | PayRestOfSale
        | BillPackageDiscounted
        | SellGivingBackToReseller
        | DeleteClearing => Vec::new(),
    }
}
