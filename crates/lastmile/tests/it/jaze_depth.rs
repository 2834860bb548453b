//! What the Jaze door's options mean for money, access and time: renewals, payments, users that begin later, several
//! devices, prices that are kept, checks.

use domain::Money;
use serde_json::Value;

use crate::{
    app::{Line, TestApp, days, seconds},
    both,
    jaze::Door,
    nas::{Login, interim, login, started},
};

async fn wallet(app: &TestApp, line: Line) -> i64 {
    let code = format!("wallet:customer:{} ", line.customer);
    let ledger = app.ledger().await;
    let held = ledger.split(", ").find_map(|row| row.strip_prefix(&code)).and_then(|sum| sum.parse::<i64>().ok());
    held.map_or(0, |sum| -sum)
}

async fn left(app: &TestApp, line: Line) -> i64 {
    app.row(line).await.expires_at.expect("an end").since(app.app.clock.now()) / days(1)
}

/// 1500.00 for 30 days.
async fn a_renewal_begins_lasts_and_costs_as_asked(app: TestApp) {
    let door = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    let user = ali.customer;
    door.done("make_payment", &format!("userId={user}&amount=10000&method=cash")).await;
    let renew = async |form: &str| door.post("renew", &format!("userId={user}{form}")).await;
    #[rustfmt::skip]
    let rows = [
        // settings → days left, wallet
        ("", 60, 850_000),
        ("&isRenewWithDays=true&payAsYouGoDays=10", 70, 800_000),
        ("&renewPeriod=days&renewTimes=20", 90, 700_000),
        ("&renewTimes=2", 150, 400_000),
        // All that was bought comes back but what was paid when the user came: that was paid, too, and so comes back.
        ("&isRenewPresentDate=true&currentInvoiceOnProrataBasis=true", 30, 1_000_000),
        ("&isRenewPresentDate=true", 30, 850_000),
        ("&renewDefaultSettings=true&isRenewPresentDate=true&renewTimes=3", 60, 700_000),
    ];
    for (form, days_left, held) in rows {
        let (status, body) = renew(form).await;
        assert_eq!((status, &body["message"]), (200, &"User renewed successfully".into()), "{form}: {body}");
        assert_eq!((left(&app, ali).await, wallet(&app, ali).await), (days_left, held), "{form}");
    }
    for (form, field) in [
        ("&isRenewWithDays=true", "pay as you go days"),
        ("&isRenewWithDays=true&payAsYouGoDays=0", "pay as you go days"),
        ("&isRenewWithDays=true&payAsYouGoDays=3&renewPeriod=days&renewTimes=3", "renew period"),
        ("&newInvoiceOnProrataBasis=true&renewTimes=2", "new invoice on prorata basis"),
        ("&renewTimes=13", "renew times"),
        ("&isRenewPresentDate=maybe", "is renew present date"),
        ("&paymentType=cash", "payment type"),
        ("&isForceMakePayment=true&paymentType=cheque", "payment type val1"),
        ("&isForceMakePayment=true&paymentType=cash&paymentTypeVal1=x", "payment type val1"),
        ("&isChangePlan=true", "group id"),
        ("&scheduleRenew=true&scheduleBasedOn=customDate", "schedule date"),
        ("&scheduleRenew=true&scheduleBasedOn=customDate&scheduleDate=2030-01-01", "schedule date"),
    ] {
        let (status, body) = renew(form).await;
        let told = body["message"].as_str().unwrap_or_default().to_string();
        assert!(status == 400 && told.contains(field), "{form}: {status} {body}");
    }
    assert_eq!((left(&app, ali).await, wallet(&app, ali).await), (60, 700_000), "what is refused has done nothing");

    // Ten days late: the period begins where the last one ended.
    app.pass(days(70)).await;
    let (status, _) = renew("&isRenewPresentDate=previous").await;
    assert_eq!((status, left(&app, ali).await), (200, 20));
    app.pass(days(60)).await;
    let (status, body) = renew("&isRenewPresentDate=previous").await;
    assert_eq!((status, &body["message"]), (400, &"This period would be over already".into()));
    // Paid on the spot, with what is known of the payment.
    let cheque = "paymentType=cheque&paymentTypeVal1=SBI&paymentTypeVal2=77&paymentTypeVal3=2030-04-01";
    let (status, body) = renew(&format!("&isForceMakePayment=true&{cheque}")).await;
    assert_eq!(status, 200, "{body}");
    let (_, body) = door.get(&format!("get_payment_details/{user}")).await;
    let newest = &body["data"][0]["Payment"];
    assert_eq!(
        (&newest["bank"], &newest["cheque_number"], &newest["cheque_date"], &newest["amount"]),
        (&"SBI".into(), &"77".into(), &"2030-04-01".into(), &"1500".into())
    );
    let (status, _) = renew(&format!("&isForceMakePayment=true&{cheque}")).await;
    assert_eq!(status, 400, "a cheque pays once");

    // Who owes is not renewed where only those are who do not.
    let bill =
        service::receivables::bills::NewBill { customer: user, amount: Money(100), due: None, description: None };
    service::receivables::bills::create(&app.app, &app.actor, bill, None).await.expect("a bill");
    assert_eq!(renew("&isRenewPaidUsers=true").await.0, 400);
    assert_eq!(renew("&isRenewPaidUsers=false").await.0, 200);
}

/// What is ordered is sold when its time comes, from what the wallet has then.
async fn renewals_wait_for_their_time(app: TestApp) {
    let door = Door::open(&app).await;
    let fast = app.plan("fast", |plan| plan.price = Money(300_000)).await;
    let (ali, bea) = (app.customer("ali", app.gold).await, app.customer("bea", app.gold).await);
    for line in [ali, bea] {
        let said = door.done("renew", &format!("userId={}&scheduleRenew=true", line.customer)).await;
        assert_eq!(said["message"], "User renewal scheduled successfully");
    }
    let billing = door.get("get_user_by_username/ali").await.1["data"][0]["billing_id"].clone();
    let billing = billing.as_str().expect("a billing").to_string();
    let said = door.done("renew_default_settings", &format!("userBillingId={billing}")).await;
    assert_eq!(
        (&said["data"]["amount"], &said["data"]["scheduledAt"]),
        (&"1500".into(), &"2030-01-31 00:00:00".into())
    );
    door.done("make_payment", &format!("userId={}&amount=4600&method=cash", ali.customer)).await;
    app.pass(days(29)).await;
    assert_eq!((left(&app, ali).await, wallet(&app, ali).await), (1, 460_000), "nothing is sold before");
    app.pass(days(1)).await;
    assert_eq!((left(&app, ali).await, wallet(&app, ali).await), (30, 310_000));
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Accept"));
    assert!(app.events().await.contains(&"service.renewal_failed".to_string()), "bea has no money");
    assert!(app.nas.login(login("bea")).await.starts_with("Access-Reject"));

    // Another group behind the present one waits for its end; a newer order takes its place.
    let user = ali.customer;
    let to = format!("userId={user}&isChangePlan=true&groupId={fast}");
    let said = door.done("renew", &format!("{to}&isRenewPresentDate=false")).await;
    assert_eq!(said["message"], "User renewal scheduled successfully");
    assert_eq!(app.row(ali).await.plan_id, app.gold);
    door.done("renew", &format!("{to}&scheduleRenew=true&scheduleBasedOn=customDate&scheduleDate=2030-02-10&currentInvoiceOnProrataBasis=true")).await;
    app.pass(days(10)).await;
    // 20 of 30 days come back: 1000.00; the new group costs 3000.00.
    let row = app.row(ali).await;
    assert_eq!((row.plan_id, left(&app, ali).await, wallet(&app, ali).await), (fast, 30, 110_000));
    // Ordered for a day within the period, behind which it is to begin: it waits for the end, also for a later one.
    let back =
        format!("userId={user}&isChangePlan=true&groupId={}&isRenewPresentDate=false&scheduleRenew=true", app.gold);
    door.done("renew", &format!("{back}&scheduleBasedOn=customDate&scheduleDate=2030-02-20")).await;
    app.pass(days(25)).await;
    assert_eq!(app.row(ali).await.plan_id, fast);
    door.done("add_grace_period", &format!("userId={user}&days=3")).await;
    app.pass(days(7)).await;
    assert_eq!((app.row(ali).await.plan_id, wallet(&app, ali).await), (fast, 110_000));
    door.done("make_payment", &format!("userId={user}&amount=400&method=cash")).await;
    app.pass(days(1)).await;
    assert_eq!((app.row(ali).await.plan_id, wallet(&app, ali).await), (app.gold, 0), "and no replaced order is made");
}

/// Of 1200.00 a month, what is left to the cycle's day.
async fn a_renewal_up_to_the_cycles_day(app: TestApp) {
    let door = Door::open(&app).await;
    let month = app
        .plan("month", |plan| {
            (plan.price, plan.validity, plan.validity_unit) = (Money(120_000), 1, "Months".into());
        })
        .await;
    let ali = app.customer("ali", month).await;
    let user = ali.customer;
    door.done("make_payment", &format!("userId={user}&amount=2000&method=cash")).await;
    // The first period was 1 January to 1 February; on 15 February 14 of 28 days are left.
    app.pass(days(45)).await;
    door.done("renew", &format!("userId={user}&newInvoiceOnProrataBasis=true")).await;
    assert_eq!((left(&app, ali).await, wallet(&app, ali).await), (14, 140_000));
}

/// What is known of a payment comes back, and lists go by the day on which it was made.
async fn payments_are_of_their_day(app: TestApp) {
    let door = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    let user = ali.customer;
    app.pass(days(20)).await;
    let said = "method=bankTransfer&paymentDate=05-01-2030&bank=SBI&bankTransferMethod=NEFT&operator=counter&notes=by%20hand&merchantTxnId=T1";
    door.done("make_payment", &format!("userId={user}&amount=100&{said}")).await;
    let card = "method=creditCard&cardNumber=4111111111111234&cardExpiration=12/31";
    door.done("make_payment", &format!("userId={user}&amount=7&{card}")).await;
    for (form, field) in [
        ("amount=1&method=cash&paymentDate=22-01-2030", "payment date"),
        ("amount=1&method=cash&paymentDate=yesterday", "payment date"),
        ("amount=1&method=cheque&bank=SBI", "cheque number"),
        ("amount=0&method=cash", "amount"),
    ] {
        let (status, body) = door.post("make_payment", &format!("userId={user}&{form}")).await;
        assert!(status == 400 && body["message"].as_str().is_some_and(|told| told.contains(field)), "{form}: {body}");
    }
    let of = async |path: &str| -> Vec<Value> {
        let (status, body) = door.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body["data"].as_array().expect("rows").clone()
    };
    let on_the_day = of("get_payment_details_by_date/2030-01-05/2030-01-05").await;
    assert_eq!(on_the_day.len(), 1);
    let shown = &on_the_day[0]["Payment"];
    for (key, value) in [
        ("amount", "100"),
        ("method", "bankTransfer"),
        ("merchantTxnId", "T1"),
        ("payment_date", "2030-01-05"),
        ("date_created", "2030-01-21 00:00:00"),
        ("bank", "SBI"),
        ("bank_transfer_method", "NEFT"),
        ("operator", "counter"),
        ("notes", "by hand"),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    let id = shown["id"].as_str().expect("an id");
    assert_eq!(of("get_all_payment_ids/2030-01-05/2030-01-05").await, [Value::from(id)]);
    assert_eq!(of(&format!("get_payment_details_by_userid_and_date/{user}/05-01-2030/21-01-2030")).await.len(), 2);
    let today = of(&format!("get_payment_details_by_userid_and_date/{user}/2030-01-21/2030-01-21")).await;
    assert_eq!(
        (&today[0]["Payment"]["card_number"], &today[0]["Payment"]["card_expiration"]),
        (&"1234".into(), &"12/31".into())
    );
    assert_eq!(door.get(&format!("get_payment_details_by_paymentid/{id}")).await.1["data"]["Payment"], *shown);
    let (status, receipt) = door.get(&format!("get_payment_receipt/{user}/{id}")).await;
    assert_eq!((status, &receipt["data"]["Payment"]["amount"]), (200, &"100".into()));
    let bea = app.customer("bea", app.gold).await;
    for path in [
        format!("get_payment_receipt/{}/{id}", bea.customer),
        "get_payment_details_by_paymentid/999999".into(),
        "get_payment_details/999999".into(),
    ] {
        assert_eq!(door.get(&path).await.0, 404, "{path}");
    }
}

const NEW: &str = "password=secret&connectionType=PPPoE&firstName=New";

/// Refused before its day, let in on it, and its time begins then.
async fn a_user_begins_when_it_is_said(app: TestApp) {
    let door = Door::open(&app).await;
    let gold = app.gold;
    let make = async |form: &str| door.post("add_user", &format!("{NEW}&userGroupId={gold}&{form}")).await;
    for (form, field) in [
        ("userName=x&activationDate=custom", "custom activation date"),
        ("userName=x&activationDate=now&customActivationDate=11-01-2030 00:00", "custom activation date"),
        ("userName=x&activationDate=custom&customActivationDate=31-12-2029 00:00", "custom activation date"),
        ("userName=x&activationDate=soon", "activation date"),
        ("userName=x&expirationDate=custom", "custom expiration date"),
        ("userName=x&expirationDate=never&customExpirationDate=11-01-2030 00:00", "custom expiration date"),
        ("userName=x&expirationDate=custom&customExpirationDate=31-12-2029 00:00", "custom expiration date"),
        (
            "userName=x&activationDate=custom&customActivationDate=11-01-2030 00:00\
             &expirationDate=custom&customExpirationDate=10-01-2030 00:00",
            "custom expiration date",
        ),
        ("userName=x&overridePriceEnable=on", "override amount"),
        ("userName=x&overrideAmount=5", "override price enable"),
        ("userName=x&staticIpAddress[]=10.9.0.1&staticIpAddress[]=10.9.0.2", "static ip bound mac"),
        ("userName=x&staticIpAddress[]=10.9.0.1&staticIpAddress[]=here", "static ip address"),
    ] {
        let (status, body) = make(form).await;
        let told = body["message"].as_str().unwrap_or_default().to_string();
        assert!(status == 400 && told.contains(field), "{form}: {status} {body}");
    }
    let later = "activationDate=custom&customActivationDate=11-01-2030 12:00";
    let (status, body) = make(&format!("userName=later&{later}")).await;
    assert_eq!(status, 200, "{body}");
    let user = body["message"]["userId"].as_str().expect("an id").to_string();
    let shown = async || door.get(&format!("get_details/{user}")).await.1["data"][0]["User"].clone();
    let (one, status) = (shown().await, "pending");
    assert_eq!((&one["status"], &one["activationTime"]), (&status.into(), &"2030-01-11 12:00:00".into()));
    assert_eq!(one["expirationTime"], "2030-02-10 12:00:00");
    assert!(app.nas.login(login("later")).await.starts_with("Access-Reject"));
    // Put off by a day; money for more time does not start it.
    let put_off = "activationDate=custom&customActivationDate=12-01-2030 12:00&userState=active";
    door.done("edit_user", &format!("userId={user}&{put_off}")).await;
    door.done("renew", &format!("userId={user}&isForceMakePayment=true")).await;
    app.pass(days(11)).await;
    assert!(app.nas.login(login("later")).await.starts_with("Access-Reject"));
    assert_eq!(shown().await["expirationTime"], "2030-03-13 12:00:00");
    app.pass(days(1) / 2).await;
    assert!(app.nas.login(login("later")).await.starts_with("Access-Accept"));
    assert_eq!(shown().await["status"], "active");
    let (status, _) = door.post("edit_user", &format!("userId={user}&{put_off}")).await;
    assert_eq!(status, 400, "it has started");

    // Suspended from its start on; with an end and a price of its own, net of 16 % tax.
    let own = "overridePriceEnable=on&overrideAmount=1000&overrideAmountBasedOn=withOutTax";
    let form = "userState=suspended&expirationDate=custom&customExpirationDate=20-01-2030 00:00";
    let (status, body) = make(&format!("userName=own&{form}&{own}")).await;
    assert_eq!(status, 200, "{body}");
    let user = body["message"]["userId"].as_str().expect("an id").to_string();
    let one = door.get(&format!("get_details/{user}")).await.1["data"][0]["User"].clone();
    assert_eq!((&one["status"], &one["expirationTime"]), (&"suspended".into(), &"2030-01-20 00:00:00".into()));
    let (_, invoices) = door.get(&format!("get_all_invoices_from_userid/{user}")).await;
    assert_eq!(invoices["data"][0]["Invoice"]["total_amount"], "1160");
    // It counts on later sales too, until it is taken away.
    door.done("renew", &format!("userId={user}&isForceMakePayment=true")).await;
    door.done("edit_user", &format!("userId={user}&overridePriceEnable=off")).await;
    door.done("renew", &format!("userId={user}&isForceMakePayment=true")).await;
    let (_, invoices) = door.get(&format!("get_all_invoices_from_userid/{user}")).await;
    let totals: Vec<&str> = invoices["data"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["Invoice"]["total_amount"].as_str())
        .collect();
    assert_eq!(totals, ["1500", "1160", "1160"]);
    // A gift has no invoice.
    let (_, body) = make("userName=gift&createBilling=no").await;
    let user = body["message"]["userId"].as_str().expect("an id").to_string();
    assert_eq!(door.get(&format!("get_all_invoices_from_userid/{user}")).await.1["data"], serde_json::json!([]));
}

/// Any of a line's devices logs in, and gets its own address.
async fn a_line_has_several_devices(app: TestApp) {
    let door = Door::open(&app).await;
    // An answer holds a place for its session's beginning.
    let many = app.plan("many", |plan| plan.shared_users = 0).await;
    let rows = "staticIpAddress[]=10.9.0.1&staticIpBoundMac[]=02:00:00:00:00:01&staticIpAddress[]=10.9.0.2\
                &staticIpBoundMac[]=02:00:00:00:00:02&staticIpAddress[]=&staticIpBoundMac[]=02:00:00:00:00:03";
    let body = door.done("add_user", &format!("{NEW}&userGroupId={many}&userName=ali&{rows}")).await;
    let user = body["message"]["userId"].as_str().expect("an id").to_string();
    let from = async |mac: &'static str| app.nas.login(Login { mac: Some(mac), ..login("ali") }).await;
    let [first, second, third, other] =
        ["02-00-00-00-00-01", "02-00-00-00-00-02", "02-00-00-00-00-03", "02-00-00-00-00-04"];
    for (mac, address) in [(first, "10.9.0.1"), (second, "10.9.0.2")] {
        let said = from(mac).await;
        assert!(said.starts_with("Access-Accept") && said.contains(address), "{mac}: {said}");
    }
    let said = from(third).await;
    assert!(said.starts_with("Access-Accept") && !said.contains("10.9.0."), "{said}");
    assert!(from(other).await.starts_with("Access-Reject"));
    let table = async || door.get(&format!("get_details/{user}")).await.1["data"][2]["staticIpMac"].clone();
    assert_eq!(table().await.as_array().map(Vec::len), Some(3));

    // Row 0 goes: the one behind it is the first now.
    door.done("release_ip_mac", &format!("userId={user}&whichIpMacRow=0")).await;
    assert!(from(first).await.starts_with("Access-Reject"));
    assert!(from(second).await.contains("10.9.0.2"));
    door.done("release_ip_mac", &format!("userId={user}&whichIpMacRow=0&toRemove=ip")).await;
    let said = from(second).await;
    assert!(said.starts_with("Access-Accept") && !said.contains("10.9.0."), "{said}");
    assert_eq!(door.post("release_ip_mac", &format!("userId={user}&whichIpMacRow=2")).await.0, 400);
    let both = "staticIpAddress[]=10.9.0.7&staticIpBoundMac[]=02:00:00:00:00:04";
    door.done("edit_user", &format!("userId={user}&{both}")).await;
    assert_eq!(
        table().await,
        serde_json::json!([{ "staticIpAddress": "10.9.0.7", "staticIpBoundMac": "02:00:00:00:00:04" }])
    );
    assert!(from(other).await.contains("10.9.0.7"));
    assert!(from(second).await.starts_with("Access-Reject"));
    // Read anew from the database, it is the same.
    let again = aaa_again(&app).await;
    assert!(again.contains("10.9.0.7"), "{again}");
}

/// The answer of a second RADIUS server over the same database, which has just loaded it.
async fn aaa_again(app: &TestApp) -> String {
    let loopback: std::net::SocketAddr = ([127, 0, 0, 1], 0).into();
    let settings =
        aaa::Settings { auth: loopback, acct: loopback, threads: 1, strip_realm: true, held: aaa::Held::default() };
    let second = aaa::start(app.app.clone(), settings).await.expect("RADIUS ports");
    second.ready().await;
    let nas = crate::nas::Nas::new(second.auth_addr(), second.acct_addr(), crate::app::SECRET).await;
    nas.login(Login { mac: Some("02-00-00-00-00-04"), ..login("ali") }).await
}

/// `moveBilling=no`: the line is on the new group and pays the old one's price, until billing moves.
async fn a_move_without_billing_keeps_the_price(app: TestApp) {
    let door = Door::open(&app).await;
    let fast = app
        .plan("fast", |plan| {
            (plan.price, plan.validity) = (Money(300_000), 60);
        })
        .await;
    let ali = app.customer("ali", app.gold).await;
    let user = ali.customer;
    door.done("make_payment", &format!("userId={user}&amount=6000&method=cash")).await;
    let flags = "clearUserDataUsage=no&clearUserPolicies=no";
    let mv = async |group: domain::PlanId, how: &str, billing: &str| {
        let form = format!("userId={user}&groupId={group}&type={how}&{flags}&moveBilling={billing}");
        door.done("move_group", &form).await
    };
    mv(fast, "moveImmediately", "no").await;
    assert_eq!(app.row(ali).await.plan_id, fast);
    assert_eq!((left(&app, ali).await, wallet(&app, ali).await), (30, 600_000));
    door.done("renew", &format!("userId={user}")).await;
    assert_eq!((left(&app, ali).await, wallet(&app, ali).await), (60, 450_000), "as it was billed before");
    app.pass(days(59)).await;
    mv(fast, "nextbillingCycle", "yes").await;
    app.pass(days(2)).await;
    door.done("renew", &format!("userId={user}")).await;
    assert_eq!((left(&app, ali).await, wallet(&app, ali).await), (60, 150_000), "as the new one is");
}

/// A request that a check does not let pass is refused, whatever the operator.
async fn checks_compare(app: TestApp) {
    let door = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    let put = async |attribute: &str, op: &str, value: &str| {
        let row = [("type", "check"), ("vendor", "x"), ("attribute", attribute), ("equals", op), ("value", value)];
        let row = row.map(|(name, value)| format!("&vendorData[0][{name}]={}", value.replace('+', "%2B")));
        let form = format!("userId={}&vendorRestriction=on&vendorReset=always{}", ali.customer, row.concat());
        door.post("override_user_vendor_attributes", &form).await
    };
    // The router sends NAS-Port 7 and Calling-Station-Id 02-00-00-00-00-01.
    for (attribute, op, value, passes) in [
        ("NAS-Port", "==", "7", true),
        ("NAS-Port", "!=", "7", false),
        ("NAS-Port", ">=", "7", true),
        ("NAS-Port", ">", "7", false),
        ("NAS-Port", "<=", "10", true),
        ("NAS-Port", "<", "7", false),
        ("Calling-Station-Id", "=~", "^02-00", true),
        ("Calling-Station-Id", "!~", "^02-00", false),
        ("Calling-Station-Id", "=*", "", true),
        ("Filter-Id", "=*", "", false),
        ("Filter-Id", "!*", "", true),
        ("NAS-Port", "!", "", false),
    ] {
        let (status, body) = put(attribute, op, value).await;
        assert_eq!(status, 200, "{attribute} {op} {value}: {body}");
        let said = app.nas.login(login("ali")).await;
        assert_eq!(said.starts_with("Access-Accept"), passes, "{attribute} {op} {value}: {said}");
    }
    for (attribute, op, value) in [
        ("NAS-Port", "+=", "7"),
        ("NAS-Port", "==", "seven"),
        ("Calling-Station-Id", "=~", "(02|03)"),
        ("No-Such", "=*", ""),
        ("NAS-Port", "==", ""),
    ] {
        assert_eq!(put(attribute, op, value).await.0, 400, "{attribute} {op} {value}");
    }
    app.pass(seconds(1)).await;
}

/// Everybody in one answer that is written as it is read: whole, in order, and valid; more than one piece of 500.
async fn lists_without_pages_are_whole(app: TestApp) {
    let door = Door::open(&app).await;
    assert_eq!(
        door.get("get_all").await,
        (200, serde_json::json!({ "status": "success", "errorCode": 200, "data": [] }))
    );
    let rows = (0..1203).map(|n| service::customers::import::Row {
        line: n,
        fullname: format!("User {n}"),
        phonenumber: format!("07{n:08}"),
        service_type: "PPPoE".into(),
        username: format!("u{n:05}"),
        password: "secret".into(),
        plan: "gold".into(),
        router: "bras".into(),
        ..service::customers::import::Row::default()
    });
    let done =
        service::customers::import::import(&app.app, &app.actor, rows.collect(), false).await.expect("an import");
    assert_eq!((done.imported, done.refused.len()), (1203, 0));
    let (status, all) = door.get("get_all").await;
    let all = all["data"].as_array().expect("rows").clone();
    assert_eq!((status, all.len()), (200, 3 * 1203));
    let ids: Vec<i64> =
        all.iter().filter_map(|row| row["User"]["id"].as_str()).map(|id| id.parse().expect("an id")).collect();
    assert!(ids.is_sorted() && ids.len() == 1203);
    assert_eq!(door.get("get_basic_user_details").await.1["data"].as_array().map(Vec::len), Some(1203));
    let today = door.get("get_users_by_date/2030-01-01/2030-01-01/created").await.1;
    assert_eq!(today["data"].as_array().map(Vec::len), Some(1203));
    let never = door.get("get_users_by_date/2029-01-01/2029-01-01/modified").await.1;
    assert_eq!(never["data"], serde_json::json!([]));
}

/// What else clients ask about: usage by day, fair use, profiles, accounts, people, new passwords.
async fn the_other_sections_answer_from_what_is_there(app: TestApp) {
    let door = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    let user = ali.customer;
    app.nas.login(login("ali")).await;
    app.nas.report(started("ali", "s1")).await;
    app.nas.report(interim("ali", "s1", 60, 400_000, 1_600_000)).await;
    let asked = format!("userId={user}&FromDate=01-01-2030&ToDate=02-01-2030");
    assert_eq!(
        door.post("day_wise_data", &asked).await.1,
        serde_json::json!([[{ "download": "1.6 MB", "upload": "400.0 KB", "total": "2.0 MB", "date": "01-01-2030" }]])
    );
    for form in ["", "&FromDate=02-01-2030&ToDate=01-01-2030", "&FromDate=x&ToDate=01-01-2030"] {
        assert_eq!(door.post("day_wise_data", &format!("userId={user}{form}")).await.0, 400, "{form}");
    }
    let (status, fair) = door.get(&format!("get_fup_details/{user}/2030-01-01/2030-01-02")).await;
    assert_eq!(
        (status, &fair["data"]["template"], &fair["data"]["history"]),
        (200, &Value::Null, &serde_json::json!([]))
    );
    assert_eq!(door.get("get_fup_templates").await.1["data"], serde_json::json!([]));
    let gold = app.gold;
    let (_, profile) = door.get(&format!("get_profile_details/{gold}")).await;
    assert_eq!(
        (&profile["data"]["Profile"]["price"], &profile["data"]["Profile"]["validity"]),
        (&"1500".into(), &"30".into())
    );
    assert_eq!(door.get("get_profile_details/999999").await.0, 404);
    assert_eq!(door.get("get_all_profile_ids/yes").await.1["data"][0]["Profile_id"], gold.to_string());
    assert_eq!(door.get("get_all_profile_ids/no").await.1["data"], serde_json::json!([]));
    assert_eq!(door.get("get_bandwidth_details").await.1["data"][0]["BandwidthTemplate"]["download"], "10000");
    service::identity::branches::open(&app.app, &app.actor, "North", "north").await.expect("a branch");
    assert_eq!(door.get("get_account_details").await.1["data"]["Account"]["total_users"], "1");
    let (_, north) = door.get("get_account_details/north").await;
    assert_eq!(
        (&north["data"]["Account"]["parent_account_id"], &north["data"]["Account"]["total_users"]),
        (&"top".into(), &"0".into())
    );
    assert_eq!(
        door.get("get_sub_account_apis").await.1["data"],
        serde_json::json!([{ "account_id": "north", "api_tokens": [] }])
    );
    let (_, admins) = door.get("get_all_admins").await;
    assert_eq!(admins["data"][0]["Admin"]["email"], "owner@example.com");
    assert!(!admins.to_string().contains("argon2"));

    let said = door.done("reset_password", &format!("userId={user}&complexity=numeric&length=6")).await;
    let password = said["message"]["password"].as_str().expect("a password");
    assert!(password.len() == 6 && password.bytes().all(|b| b.is_ascii_digit()), "{password}");
    assert!(app.nas.login(Login { password: "secret", ..login("ali") }).await.starts_with("Access-Reject"));
    assert!(app.nas.login(Login { password, ..login("ali") }).await.starts_with("Access-Accept"));
    for form in ["&complexity=hard", "&length=3", "&length=65"] {
        assert_eq!(door.post("reset_password", &format!("userId={user}{form}")).await.0, 400, "{form}");
    }
}

both!(
    lists_without_pages_are_whole,
    the_other_sections_answer_from_what_is_there,
    a_renewal_begins_lasts_and_costs_as_asked,
    renewals_wait_for_their_time,
    a_renewal_up_to_the_cycles_day,
    payments_are_of_their_day,
    a_user_begins_when_it_is_said,
    a_line_has_several_devices,
    a_move_without_billing_keeps_the_price,
    checks_compare,
);
