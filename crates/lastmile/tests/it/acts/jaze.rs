//! How each act is done through Jaze's API.

use serde_json::{Value, json};

use super::{
    Scene, Step, Way, one,
    table::Act::{self, *},
    way,
};
use crate::{
    app::{days, seconds},
    town::Call,
};

fn user(scene: &Scene, plan: i64, more: Value) -> Call {
    let mut body = json!({
        "firstName": "Ali", "lastName": "Khan", "phoneNumber": "0712345678", "userName": scene.username,
        "password": "secret", "userGroupId": plan
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    ("POST", "/api/v1/add_user".into(), body)
}

fn post(scene: &Scene, what: &str, mut body: Value) -> Call {
    body["userId"] = scene.id.into();
    ("POST", format!("/api/v1/{what}"), body)
}

fn edit(scene: &Scene, body: Value) -> Call {
    post(scene, "edit_user", body)
}

/// The money comes with the renewal.
fn renew(scene: &Scene, mut body: Value) -> Call {
    body["isForceMakePayment"] = "yes".into();
    post(scene, "renew", body)
}

pub fn group(scene: &Scene, plan: i64, kind: &str, billing: &str, more: Value) -> Call {
    let mut body = json!({
        "groupId": plan, "type": kind, "clearUserDataUsage": "no", "clearUserPolicies": "no", "moveBilling": billing
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    post(scene, "move_group", body)
}

/// The day and midnight, as a custom expiry is written.
fn until(scene: &Scene, days: i64) -> Value {
    let day = format!("{} 00:00", scene.jaze_day(days));
    json!({ "expirationDate": "custom", "customExpirationDate": day })
}

fn pay(scene: &Scene, amount: i64) -> Call {
    post(scene, "make_payment", json!({ "amount": amount, "method": "cash" }))
}

/// Money at the counter, and at the door.
fn pays(scene: &Scene, amounts: &[i64]) -> Vec<Way> {
    let mut collected = Vec::new();
    for amount in amounts {
        let body = json!({ "statusOfCollection": "cashCollected", "amount": amount, "method": "cash" });
        collected.push(Step::Ask(post(scene, "collect_user_payment", body)));
        collected.push(Step::Approve);
    }
    let paid = amounts.iter().map(|amount| Step::Ask(pay(scene, *amount))).collect();
    vec![Way { name: "make_payment", steps: paid }, Way { name: "collection", steps: collected }]
}

pub fn ways(act: Act, scene: &Scene) -> Vec<Way> {
    match act {
        FirstSale => vec![Way { name: "", steps: vec![Step::Make(user(scene, scene.gold, json!({})))] }],
        Given => {
            let call = user(scene, scene.gold, json!({ "createBilling": "no" }));
            vec![Way { name: "createBilling no", steps: vec![Step::Make(call)] }]
        }
        FirstSaleDead => one(user(scene, scene.dead, json!({}))),
        SellRunning | SellOver | SellSuspended | SellUsed | SellWaiting => one(renew(scene, json!({}))),
        SellOther | SellOtherOver => {
            one(renew(scene, json!({ "isChangePlan": "true", "groupId": scene.silver, "isRenewPresentDate": "true" })))
        }
        SellFromWallet | SellFromWalletOver => one(post(scene, "renew", json!({}))),
        SellDead => one(renew(scene, json!({ "isChangePlan": "true", "groupId": scene.dead }))),
        ChangePlan => vec![
            way("edit_user", edit(scene, json!({ "userGroupId": scene.silver }))),
            way("move_group", group(scene, scene.silver, "moveImmediately", "no", json!({}))),
        ],
        ChangePlanSame => one(edit(scene, json!({ "userGroupId": scene.gold }))),
        ChangePlanBilled | ChangePlanBilledUsed | ChangePlanBilledPaid => {
            one(group(scene, scene.silver, "moveImmediately", "yes", json!({})))
        }
        ChangePlanAtEnd => {
            let call = group(scene, scene.silver, "nextbillingCycle", "yes", json!({}));
            vec![Way { name: "", steps: vec![Step::Ask(call), Step::Pass(days(20) + seconds(1))] }]
        }
        ChangePlanAtEndPaidAhead => {
            let call = group(scene, scene.silver, "nextbillingCycle", "yes", json!({}));
            let steps = vec![Step::Ask(call), Step::Ask(renew(scene, json!({}))), Step::Pass(days(20) + seconds(1))];
            vec![Way { name: "", steps }]
        }
        ChangePlanOnDay => {
            let on = json!({ "customDateTo": scene.day(3) });
            let call = group(scene, scene.silver, "customDate", "no", on);
            vec![Way { name: "", steps: vec![Step::Ask(call), Step::Pass(days(3) + seconds(1))] }]
        }
        ClearUsage => one(group(scene, scene.capped, "moveImmediately", "no", json!({ "clearUserDataUsage": "yes" }))),
        MoveToDead => vec![
            way("edit_user", edit(scene, json!({ "userGroupId": scene.dead }))),
            way("move_group", group(scene, scene.dead, "moveImmediately", "no", json!({}))),
        ],
        Suspend => one(edit(scene, json!({ "userState": "suspended" }))),
        Restore | RestoreOver | SwitchOn | BeginByHand => vec![
            way("unblock", post(scene, "block_unblock_user", json!({ "state": "unblock" }))),
            way("edit_user", edit(scene, json!({ "userState": "active" }))),
        ],
        Disable => vec![
            way("block", post(scene, "block_unblock_user", json!({ "state": "block" }))),
            way("edit_user", edit(scene, json!({ "userState": "blacklisted" }))),
        ],
        Delete => one(("GET", format!("/api/v1/delete_user/{}", scene.id), Value::Null)),
        Rename => one(edit(scene, json!({ "lastName": "Khan Junior" }))),
        RenameSame => one(edit(scene, json!({ "firstName": "Ali", "lastName": "Khan", "phoneNumber": "0712345678" }))),
        EndLater => one(edit(scene, until(scene, 25))),
        EndPast => {
            let steps = vec![Step::Ask(edit(scene, until(scene, -2))), Step::Pass(seconds(1))];
            vec![Way { name: "", steps }]
        }
        EndLaterOver => one(edit(scene, until(scene, 5))),
        Grace | GraceOver => one(post(scene, "add_grace_period", json!({ "days": 3 }))),
        Speed => one(post(
            scene,
            "override_user_bandwidth",
            json!({ "bandwidthRestriction": "on", "bandwidthReset": "always", "bandwidthTemplate": scene.fast }),
        )),
        PayBill => pays(scene, &[900]),
        PayPart => pays(scene, &[400]),
        PayInParts => pays(scene, &[400, 500]),
        PayMore => pays(scene, &[1000]),
        TopUp => pays(scene, &[700]),
        PayPackage | PayPackageOver => pays(scene, &[1500]),
        PayPackageInParts => pays(scene, &[400, 1100]),
        EditHalfWrong => vec![
            way("group", edit(scene, json!({ "firstName": "Somebody", "userGroupId": 999_999 }))),
            way("building", edit(scene, json!({ "firstName": "Somebody", "collection_block_import": 999_999 }))),
            way(
                "address",
                edit(scene, json!({ "firstName": "Somebody", "staticIpAddress": ["10.0.0.5", "10.0.0.5"] })),
            ),
        ],
        EditPriceBelowZero => one(edit(scene, json!({ "overridePriceEnable": "on", "overrideAmount": -7 }))),
        PayNothing => one(pay(scene, 0)),
        PayTooMuch => one(pay(scene, 900_000_000_000)),
        RunsOut => {
            let nothing = ("GET", format!("/api/v1/get_details/{}", scene.id), Value::Null);
            vec![Way { name: "time", steps: vec![Step::Ask(nothing), Step::Pass(days(20) + seconds(1))] }]
        }
        BeginOnItsDay => {
            let nothing = ("GET", format!("/api/v1/get_details/{}", scene.id), Value::Null);
            vec![Way { name: "time", steps: vec![Step::Ask(nothing), Step::Pass(days(5) + seconds(1))] }]
        }
        TopUpRenewing => pays(scene, &[1500]),
        PayTwiceOneReference => {
            let paid = |receipt: String| {
                let mut call = pay(scene, 700);
                for (name, value) in [("method", "onlinePayment"), ("operator", "mpesa"), ("merchantTxnId", &receipt)] {
                    call.2[name] = value.into();
                }
                Step::Ask(call)
            };
            vec![Way { name: "", steps: vec![paid(format!("QJ{}", scene.id)), paid(format!("qj{}", scene.id))] }]
        }
        GiveBackToReseller => one(group(scene, scene.silver, "moveImmediately", "yes", json!({}))),
        SellTwiceOneKey => vec![Way { name: "", steps: vec![Step::Twice(renew(scene, json!({})))] }],
        SellGivingBack | SellGivingBackToReseller => {
            one(renew(scene, json!({ "isRenewPresentDate": "true", "currentInvoiceOnProrataBasis": "true" })))
        }
        PayRestOfSale => pays(scene, &[1000]),
        DeleteClearing => one(("GET", format!("/api/v1/delete_user/{}/yes", scene.id), Value::Null)),
        // No call of this document.
        SwitchOff
        | MakePending
        | Volume
        | VolumeSpent
        | PayBillFromWallet
        | PayPackageFromWallet
        | BillPackage
        | BillPackageTwice
        | Voucher
        | Card
        | DropPlanOfVoucher
        | DropPlanOfCard
        | DropPlanOfMove
        | DropPlanOfRenewal
        | SellPartPaid
        | BillPackageDiscounted => Vec::new(),
    }
}
