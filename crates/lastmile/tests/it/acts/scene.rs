//! What there is before an act: a customer of its own for each, in the state that the act is about.

use domain::Instant;
use serde_json::{Value, json};

use super::table::{Act, Line};
use crate::{
    app::{TestApp, bandwidth, days, seconds},
    nas::{interim, started},
    town::{Alternet, Call, Jaze, Town, V1, V2, Zal, credentials},
};

/// Where acts take place: the town, and what is sold there.
pub struct Hall<'a> {
    pub town: Town<'a>,
    /// 3000.00, 20 Mbit/s, 30 days.
    silver: i64,
    /// No longer for sale.
    dead: i64,
    /// 1500.00 for 10 GB, with fair use counted by the period.
    capped: i64,
    fast: i64,
    count: u32,
    /// Until when the credentials are good.
    signed: i64,
}

/// What ways speak of.
#[derive(Clone, Default, Debug)]
pub struct Scene {
    pub id: i64,
    pub username: String,
    pub gold: i64,
    pub silver: i64,
    pub dead: i64,
    pub capped: i64,
    pub fast: i64,
    pub router: i64,
    /// A bill that is open.
    pub bill: i64,
    /// Of a voucher or a card.
    pub code: String,
    /// A plan of its own, which something has been promised of.
    pub promised: i64,
    /// Days from now, as dialects write them: `2030-01-11`, `11-01-2030`.
    pub today: Option<jiff::civil::Date>,
}

impl Scene {
    pub fn blank() -> Scene {
        Scene { code: "0".into(), ..Scene::default() }
    }

    /// So many days from now: `2030-01-11`.
    pub fn day(&self, days: i64) -> String {
        self.date(days).to_string()
    }

    /// `11-01-2030`.
    pub fn jaze_day(&self, days: i64) -> String {
        self.date(days).strftime("%d-%m-%Y").to_string()
    }

    fn date(&self, days: i64) -> jiff::civil::Date {
        let today = self.today.unwrap_or(jiff::civil::date(2030, 1, 1));
        today.checked_add(jiff::Span::new().days(days)).expect("a day")
    }
}

impl Hall<'_> {
    pub async fn over(app: &TestApp) -> Hall<'_> {
        let town = Town::over(app).await;
        let made =
            service::catalogue::plans::create_bandwidth(&app.app, &app.actor, bandwidth("20M", 20_000, 20_000)).await;
        let fast = made.expect("a bandwidth").id;
        let silver = app.plan("silver", |plan| (plan.bandwidth, plan.price) = (fast, domain::Money(300_000))).await;
        let dead = app.plan("dead", |plan| plan.enabled = false).await;
        let capped = app
            .plan("capped", |plan| {
                plan.limited = true;
                plan.limit_type = Some("Data_Limit".into());
                (plan.data_limit, plan.data_unit) = (Some(10), Some("GB".into()));
            })
            .await;
        let policy = json!({
            "name": "fair", "reset": "period", "tiers": [{ "after_bytes": 100_000_000_000_i64, "bandwidth_id": fast.0 }]
        });
        let policy = town.done(V2, ("POST", "/api/v2/fup-templates".into(), policy)).await["data"]["id"].clone();
        let attach = json!({ "template_id": policy });
        town.done(V2, ("PUT", format!("/api/v2/packages/{}/fup", capped.0), attach)).await;
        let names = town.done(V2, ("GET", "/api/v2/webhooks/events?per_page=100".into(), Value::Null)).await;
        let all: Vec<Value> = names["data"].as_array().expect("names").iter().map(|row| row["event"].clone()).collect();
        let hook = json!({ "url": "https://hooks.example/all", "events": all, "active": true });
        town.done(V2, ("POST", "/api/v2/webhooks".into(), hook)).await;
        let signed = app.app.clock.now().unix();
        Hall { town, silver: silver.0, dead: dead.0, capped: capped.0, fast: fast.0, count: 0, signed }
    }

    /// A customer as the act finds it.
    pub async fn scene(&mut self, act: Act) -> Scene {
        let app = self.town.app;
        // From midnight on, so that days are whole. Rate limits are other tests'.
        app.pass(self.until_midnight(seconds(61))).await;
        self.sign_in().await;
        self.count += 1;
        let username = format!("user-{}", self.count);
        let mut scene = Scene {
            username,
            gold: app.gold.0,
            silver: self.silver,
            dead: self.dead,
            capped: self.capped,
            fast: self.fast,
            router: app.router.0,
            ..Scene::blank()
        };
        let (before, made_at) = (act.before(), app.app.clock.now());
        let plan = if before.used { self.capped } else { app.gold.0 };
        let (make, age) = match before.line {
            Line::Nobody => (None, 0),
            Line::Runs => (Some(Alternet), 10),
            Line::Over => (Some(Alternet), 31),
            Line::Suspended | Line::Off => (Some(Alternet), 10),
            Line::Waits => (Some(Jaze), 0),
            Line::RenewsOver => (Some(Alternet), 31),
            Line::Discounted | Line::PartPaid => (Some(Alternet), 10),
            Line::Resold => (Some(V1), 10),
        };
        if let Some(door) = make {
            let call = match before.line {
                Line::Waits => self.waiting(&scene, plan),
                Line::Resold => super::v1::create(&scene, plan),
                _ => super::alternet::create(&scene, plan),
            };
            let owner = self.town.credentials[door as usize].clone();
            if before.line == Line::Resold {
                self.town.credentials[door as usize] = self.reseller(&scene).await;
            }
            let made = self.town.done(door, call).await;
            self.town.credentials[door as usize] = owner;
            scene.id = super::made(door, &made);
            let own = match before.line {
                Line::RenewsOver => Some(json!({ "id": scene.id, "auto_renew_status": 1 })),
                Line::Discounted => Some(json!({ "id": scene.id, "discount": 100, "discount_type": 0 })),
                _ => None,
            };
            if let Some(body) = own {
                self.town.done(Zal, ("PUT", "/api/v1/subscribers/update".into(), body)).await;
            }
        }
        let status = match before.line {
            Line::Suspended => Some(("POST", format!("/api/v1/customers/{}/suspend", scene.id), json!({}))),
            Line::Off => Some(("PUT", format!("/api/v1/customers/{}", scene.id), json!({ "status": "Inactive" }))),
            Line::Nobody | Line::Runs | Line::Over | Line::Waits | Line::RenewsOver | Line::Resold => None,
            Line::Discounted | Line::PartPaid => None,
        };
        if let Some(call) = status {
            self.town.done(Alternet, call).await;
        }
        let gone = app.app.clock.now().since(made_at);
        if before.used {
            // On the day of the act: what counts anew leaves out what the same day has seen before it.
            app.pass(days(age) - gone - seconds(300)).await;
            self.uses(&scene).await;
        } else {
            app.pass(days(age) - gone).await;
        }
        self.sign_in().await;
        if before.wallet > 0 {
            let body = json!({ "customer_id": scene.id, "amount": before.wallet });
            self.town.done(V2, ("POST", "/api/v2/billing/payments".into(), body)).await;
        }
        if before.line == Line::PartPaid {
            let body = json!({ "subscriber_id": scene.id, "payment_amount": 500 });
            self.town.done(Zal, ("POST", "/api/v1/subscribers/activation".into(), body)).await;
        }
        scene.bill = match before.line {
            Line::PartPaid => self.open(&scene, "partial").await,
            _ => self.bill(&scene, before.bill).await,
        };
        scene.code = self.code(&scene, act).await;
        scene.promised = self.promised(&scene, act).await;
        scene.today = Some(app.app.clock.now().in_zone(&self.town.zone).date());
        scene
    }

    /// At least so long.
    fn until_midnight(&self, least: i64) -> i64 {
        let now = self.town.app.app.clock.now();
        let day = now.plus(least).in_zone(&self.town.zone).date().tomorrow().expect("a day");
        Instant::from_civil(day.at(0, 0, 0, 0), &self.town.zone).since(now)
    }

    /// Tokens live shorter than the table takes.
    pub async fn sign_in(&mut self) {
        let now = self.town.app.app.clock.now().unix();
        if now > self.signed + 900 {
            self.town.credentials = credentials(self.town.app).await;
            self.signed = now;
        }
    }

    fn waiting(&self, scene: &Scene, plan: i64) -> Call {
        let now = self.town.app.app.clock.now();
        let at = now.plus(days(5)).in_zone(&self.town.zone).strftime("%d-%m-%Y %H:%M:%S").to_string();
        let body = json!({
            "firstName": "Ali", "lastName": "Khan", "phoneNumber": "0712345678", "userName": scene.username,
            "password": "secret", "userGroupId": plan, "activationDate": "custom", "customActivationDate": at
        });
        ("POST", "/api/v1/add_user".into(), body)
    }

    /// 3 GB, and the session goes on.
    async fn uses(&self, scene: &Scene) {
        let nas = &self.town.app.nas;
        nas.report(started(&scene.username, &scene.username)).await;
        self.town.app.app.clock.pass(seconds(300));
        nas.report(interim(&scene.username, &scene.username, 300, 1_000_000_000, 2_000_000_000)).await;
    }

    async fn bill(&self, scene: &Scene, bill: Bill) -> i64 {
        match bill {
            Bill::None => return 0,
            Bill::Other(amount) => {
                let body = json!({ "customer_id": scene.id, "amount": amount, "description": "Cable" });
                self.town.done(V2, ("POST", "/api/v2/billing/bills".into(), body)).await;
            }
            Bill::Package => {
                let path = format!("/api/v1/customers/{}/action", scene.id);
                self.town.done(V1, ("POST", path, json!({ "action": "generate_bill" }))).await;
            }
        }
        self.open(scene, "unpaid").await
    }

    /// The bill that is so far paid.
    async fn open(&self, scene: &Scene, status: &str) -> i64 {
        let path = format!("/api/v2/billing/bills?customer_id={}&status={status}", scene.id);
        let listed = self.town.done(V2, ("GET", path, Value::Null)).await;
        listed["data"][0]["id"].as_i64().expect("a bill")
    }

    /// A voucher's or a card's, where the act is about one.
    async fn code(&self, scene: &Scene, act: Act) -> String {
        match act {
            Act::Voucher => {
                let body = json!({
                    "plan_id": scene.gold, "router_id": scene.router, "count": 1, "connection_type": "pppoe"
                });
                let made = self.town.done(V2, ("POST", "/api/v2/vouchers".into(), body)).await;
                made["data"]["vouchers"][0]["code"].as_str().expect("a code").into()
            }
            Act::Card => {
                let name = format!("shop-{}", scene.username);
                let body = json!({
                    "name": name, "email": format!("{name}@example.com"), "role": "card_distributor"
                });
                let shop = self.town.done(V2, ("POST", "/api/v2/staff".into(), body)).await["data"]["id"].clone();
                let body = json!({ "package_id": scene.gold, "quantity": 1, "distributor_id": shop });
                let batch = self.town.done(V2, ("POST", "/api/v2/recharge-cards".into(), body)).await;
                let body = json!({ "batch_id": batch["data"]["id"], "distributor_id": shop });
                self.town.done(V2, ("POST", "/api/v2/recharge-cards/issue".into(), body)).await;
                batch["data"]["cards"][0]["code"].as_str().expect("a code").into()
            }
            _ => "0".into(),
        }
    }

    /// A reseller to whom gold costs 1000.00, and who has paid 5000.00 in.
    async fn reseller(&self, scene: &Scene) -> (&'static str, String) {
        let email = format!("op-{}@example.com", scene.username);
        let body = json!({ "name": "Reseller", "email": email, "password": "correct horse" });
        let id = self.town.done(V2, ("POST", "/api/v2/operators".into(), body)).await["data"]["id"].clone();
        let price = json!({ "package_id": scene.gold, "price": 1000 });
        self.town.done(V2, ("PUT", format!("/api/v2/operators/{id}/prices"), price)).await;
        self.town.done(V2, ("POST", format!("/api/v2/operators/{id}/fund"), json!({ "amount": 5000 }))).await;
        let login = json!({ "email": email, "password": "correct horse" });
        let token = self.town.done(V1, ("POST", "/api/auth/login".into(), login)).await;
        ("authorization", format!("Bearer {}", token["access_token"].as_str().expect("a token")))
    }

    /// A plan that nobody has, and what is promised of it.
    async fn promised(&self, scene: &Scene, act: Act) -> i64 {
        if !matches!(act, Act::DropPlanOfVoucher | Act::DropPlanOfCard | Act::DropPlanOfMove | Act::DropPlanOfRenewal) {
            return 0;
        }
        let plan = self.town.app.plan(&format!("plan-{}", scene.username), |_| {}).await.0;
        let scene = Scene { gold: plan, ..scene.clone() };
        match act {
            Act::DropPlanOfVoucher => drop(self.code(&scene, Act::Voucher).await),
            Act::DropPlanOfCard => drop(self.code(&scene, Act::Card).await),
            Act::DropPlanOfMove => {
                let call = super::jaze::group(&scene, plan, "nextbillingCycle", "yes", json!({}));
                self.town.done(Jaze, call).await;
            }
            _ => {
                let body = json!({
                    "userId": scene.id, "isChangePlan": "true", "groupId": plan, "scheduleRenew": "true",
                    "scheduleBasedOn": "nextBilling"
                });
                self.town.done(Jaze, ("POST", "/api/v1/renew".into(), body)).await;
            }
        }
        plan
    }

    /// The approval of what has been collected of a customer and waits.
    pub async fn approval(&self, id: i64) -> Call {
        let waiting = self.town.done(Jaze, ("POST", "/api/v1/get_collection_approval_users".into(), json!({}))).await;
        let wanted = id.to_string();
        let rows = waiting["data"].as_array().expect("areas").iter().filter_map(Value::as_array).flatten();
        let row = rows.into_iter().find(|row| row["UserLocation"]["user_id"] == wanted.as_str()).expect("a collection");
        let mode = &row["PaymentCollectionMode"];
        let body = json!({ "userId": id, "modelId": mode["paymentcollectionId"], "amount": mode["amount"] });
        ("POST", "/api/v1/collection_approval".into(), body)
    }
}

/// What the customer owes before the act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bill {
    None,
    /// Something that is no package.
    Other(i64),
    /// The next period of its package.
    Package,
}
