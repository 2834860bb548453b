//! What has happened, as it is stored. These rows are what builds wrote and what this one reads; a row never changes.

use domain::{Instant, IspId, kernel::event::EventKind};
use service::Fact;
use store::kernel::event::Event;

/// Kind, noun and id of the subject, body; as this build writes it.
const NOW: &[(&str, &str, i64, &str)] = &[
    ("isp.created", "isp", 0, r#"{"name":"Hill Net"}"#),
    ("staff.created", "staff", 3, r#"{"name":"Asha","role":"manager"}"#),
    ("staff.suspended", "staff", 3, r#"{"status":"suspended"}"#),
    ("staff.updated", "staff", 3, r#"{"status":"active"}"#),
    ("staff.updated", "staff", 3, r#"{"status":"deleted"}"#),
    ("staff.updated", "staff", 3, r#"{"name":"Asha"}"#),
    ("staff.updated", "staff", 3, r#"{"plan":2,"price":150000}"#),
    ("staff.updated", "staff", 3, r#"{"plan":2,"price":null}"#),
    ("staff.updated", "staff", 3, r#"{"handed_in":40000,"held":1000,"method":"cash"}"#),
    ("staff.updated", "staff", 3, r#"{"plans":[1,2]}"#),
    ("staff.updated", "staff", 3, r#"{"auto_renew":true}"#),
    ("api_client.created", "api_client", 4, r#"{"name":"till"}"#),
    ("api_client.updated", "api_client", 4, r#"{"name":"till"}"#),
    ("api_client.rotated", "api_client", 4, r#"{"overlap_us":0}"#),
    ("api_client.rotated", "api_client", 4, r#"{}"#),
    ("api_client.revoked", "api_client", 4, r#"{"name":"till"}"#),
    ("token.reused", "isp", 0, r#"{"family":9}"#),
    ("zone.created", "zone", 5, r#"{"account":"north","name":"North"}"#),
    ("zone.updated", "zone", 5, r#"{"account":null,"name":"North"}"#),
    ("zone.deleted", "zone", 5, r#"{"name":"North"}"#),
    ("bandwidth.created", "bandwidth", 6, r#"{"name":"10M"}"#),
    ("bandwidth.updated", "bandwidth", 6, r#"{"name":"10M"}"#),
    ("bandwidth.deleted", "bandwidth", 6, r#"{"name":"10M"}"#),
    ("pool.created", "pool", 7, r#"{"name":"p"}"#),
    ("pool.deleted", "pool", 7, r#"{"name":"p"}"#),
    ("plan.created", "plan", 2, r#"{"copy_of":1,"name":"gold"}"#),
    ("plan.created", "plan", 2, r#"{"name":"gold"}"#),
    ("plan.updated", "plan", 2, r#"{"fup_template":null,"name":"gold"}"#),
    ("plan.updated", "plan", 2, r#"{"fup_template":8,"name":"gold"}"#),
    ("plan.updated", "plan", 2, r#"{"auto_renew":false,"name":"gold"}"#),
    ("plan.updated", "plan", 2, r#"{"name":"gold"}"#),
    ("plan.deleted", "plan", 2, r#"{"name":"gold"}"#),
    ("fup_template.created", "fup_template", 8, r#"{"service":21}"#),
    ("fup_template.deleted", "fup_template", 8, r#"{"service":21}"#),
    ("fup_template.created", "fup_template", 8, r#"{"name":"fair"}"#),
    ("fup_template.updated", "fup_template", 8, r#"{"name":"fair"}"#),
    ("fup_template.deleted", "fup_template", 8, r#"{"name":"fair"}"#),
    ("fup.overridden", "service", 21, r#"{"customer":11,"own":false,"template":null}"#),
    ("fup.cleared", "service", 21, r#"{"customer":11}"#),
    (
        "fup.crossed",
        "service",
        21,
        r#"{"carried_bytes":0,"customer":11,"cycle_ends_at":null,"cycle_started_at":5,"from_down_kbps":10000,"from_up_kbps":10000,"level":1,"measure":"total","name":"fair","template":8,"threshold_bytes":100,"to_down_kbps":null,"to_up_kbps":null,"used_bytes":101}"#,
    ),
    (
        "fup.reset",
        "service",
        21,
        r#"{"carried_bytes":0,"customer":11,"cycle_ends_at":9,"cycle_started_at":5,"from_down_kbps":2000,"from_up_kbps":2000,"level":0,"measure":"down","name":"fair","reason":"policy","template":8,"threshold_bytes":100,"to_down_kbps":10000,"to_up_kbps":10000,"used_bytes":101}"#,
    ),
    (
        "fup.reset",
        "service",
        21,
        r#"{"carried_bytes":0,"customer":11,"cycle_ends_at":9,"cycle_started_at":5,"from_down_kbps":2000,"from_up_kbps":2000,"level":0,"measure":"down","name":"fair","reason":"cycle","template":8,"threshold_bytes":100,"to_down_kbps":10000,"to_up_kbps":10000,"used_bytes":101}"#,
    ),
    ("router.created", "router", 12, r#"{"name":"bras"}"#),
    ("router.updated", "router", 12, r#"{"coa_port":3799}"#),
    ("router.updated", "router", 12, r#"{"ma_seen":true}"#),
    ("router.updated", "router", 12, r#"{"name":"bras"}"#),
    ("router.deleted", "router", 12, r#"{"name":"bras"}"#),
    ("session.lost", "session", 13, r#"{"service":null,"silent_since":7}"#),
    ("coa.acknowledged", "session", 13, r#"{"error_cause":null,"job":1,"request":"coa","service":21}"#),
    ("coa.refused", "session", 13, r#"{"error_cause":503,"job":1,"request":"disconnect","service":null}"#),
    ("coa.unanswered", "session", 13, r#"{"error_cause":null,"job":1,"request":"disconnect","service":21}"#),
    ("olt.created", "olt", 14, r#"{"name":"o","status":"active"}"#),
    ("olt.updated", "olt", 14, r#"{"name":"o","status":"active"}"#),
    ("olt.deleted", "olt", 14, r#"{"name":"o"}"#),
    ("onu.created", "onu", 15, r#"{"customer":11,"name":"u","olt":14,"status":"online"}"#),
    ("onu.updated", "onu", 15, r#"{"customer":null,"name":"u","olt":14,"status":"online"}"#),
    ("onu.deleted", "onu", 15, r#"{"name":"u"}"#),
    ("device.created", "device", 16, r#"{"name":"d","status":"active"}"#),
    ("device.updated", "device", 16, r#"{"name":"d","status":"active"}"#),
    ("device.deleted", "device", 16, r#"{"name":"d"}"#),
    ("status_check.created", "status_check", 17, r#"{"name":"s","target":"10.0.0.1"}"#),
    ("status_check.updated", "status_check", 17, r#"{"name":"s","target":"10.0.0.1"}"#),
    ("status_check.deleted", "status_check", 17, r#"{"name":"s"}"#),
    ("vpn_account.created", "vpn_account", 18, r#"{"name":"v","protocol":"wireguard","username":"r1"}"#),
    ("vpn_account.updated", "vpn_account", 18, r#"{"enabled":false,"name":"v"}"#),
    ("vpn_account.deleted", "vpn_account", 18, r#"{"name":"v"}"#),
    ("customer.created", "customer", 11, r#"{"username":"ali"}"#),
    ("customer.updated", "customer", 11, r#"{"password":true,"username":"ali"}"#),
    ("customer.updated", "customer", 11, r#"{"username":"ali"}"#),
    ("customer.deleted", "customer", 11, r#"{"username":"ali"}"#),
    ("place.created", "place", 19, r#"{"level":"collection area","name":"West","parent":null}"#),
    ("place.updated", "place", 19, r#"{"level":"street","name":"Moi Avenue","parent":2}"#),
    ("place.deleted", "place", 19, r#"{"level":"city","name":"Nairobi","parent":2}"#),
    ("department.created", "department", 20, r#"{"level":"department","name":"Sales","parent":null}"#),
    ("department.updated", "department", 20, r#"{"level":"department","name":"Sales","parent":null}"#),
    ("department.deleted", "department", 20, r#"{"level":"department","name":"Sales","parent":null}"#),
    ("service.created", "service", 21, r#"{"customer":11,"plan":2}"#),
    (
        "service.recharged",
        "service",
        21,
        r#"{"amount":150000,"before":"expired","customer":11,"expires_at":9,"period":22,"plan":2,"plan_before":null,"runs":true}"#,
    ),
    ("service.activated", "service", 21, r#"{"customer":11,"reason":"paid","status":"active"}"#),
    ("service.suspended", "service", 21, r#"{"customer":11,"reason":"unpaid","status":"suspended"}"#),
    ("service.disabled", "service", 21, r#"{"customer":11,"reason":"abuse","status":"disabled"}"#),
    ("service.deactivated", "service", 21, r#"{"customer":11,"reason":"moved","status":"awaiting_approval"}"#),
    ("service.expired", "service", 21, r#"{"customer":11,"expired_at":9,"status":"active","used_up":false}"#),
    (
        "service.quota_used_up",
        "service",
        21,
        r#"{"customer":11,"quota_bytes":10,"quota_time_s":null,"used_bytes":11,"used_time_s":0}"#,
    ),
    ("service.changed", "service", 21, r#"{"customer":11,"deleted":true}"#),
    ("service.changed", "service", 21, r#"{"learnt":true,"mac":"aa:bb:cc:dd:ee:ff"}"#),
    ("service.changed", "service", 21, r#"{"attributes":true,"customer":11}"#),
    ("service.changed", "service", 21, r#"{"attributes":2,"customer":11}"#),
    ("service.changed", "service", 21, r#"{"customer":11,"price":null}"#),
    ("service.changed", "service", 21, r#"{"customer":11,"terms":true}"#),
    ("service.changed", "service", 21, r#"{"customer":11,"site":true}"#),
    ("service.changed", "service", 21, r#"{"customer":11,"plan_before":2}"#),
    ("service.changed", "service", 21, r#"{"customer":11}"#),
    ("service.secret_read", "service", 21, r#"{"customer":11}"#),
    ("service.move_ordered", "service", 21, r#"{"at":9,"customer":11,"plan":2}"#),
    (
        "service.moved",
        "service",
        21,
        r#"{"charge":0,"credit":100,"customer":11,"expires_at":9,"from":1,"kind":"migration","plan":2,"plan_before":null}"#,
    ),
    ("service.renewal_ordered", "service", 21, r#"{"at":9,"customer":11,"plan":null}"#),
    ("service.renewal_failed", "service", 21, r#"{"customer":11,"outcome":"unpaid"}"#),
    ("service.first_used", "service", 21, r#"{"customer":11}"#),
    ("service.grace_given", "service", 21, r#"{"customer":11,"days":3,"from":5,"until":9}"#),
    ("vouchers.created", "plan", 2, r#"{"count":2,"router":12,"vouchers":[1,2]}"#),
    ("vouchers.deleted", "isp", 0, r#"{"vouchers":[1]}"#),
    ("voucher.used", "customer", 11, r#"{"client":"aa:bb:cc:dd:ee:ff","use":1,"voucher":1}"#),
    ("voucher.used", "customer", 11, r#"{"use":1,"voucher":1}"#),
    ("cards.generated", "plan", 2, r#"{"batch":1,"count":5,"plan":2}"#),
    ("cards.issued", "staff", 3, r#"{"cards":[1,2],"count":2,"distributor":3}"#),
    ("card.used", "recharge_card", 1, r#"{"customer":11,"distributor":3,"value":50000}"#),
    (
        "payment.received",
        "customer",
        11,
        r#"{"amount":150000,"customer":11,"method":"mpesa","payment":31,"reference":"LM00000031"}"#,
    ),
    (
        "invoice.issued",
        "customer",
        11,
        r#"{"customer":11,"due_at":9,"invoice":32,"number":7,"paid":true,"total":150000}"#,
    ),
    ("invoice.issued", "customer", 11, r#"{"customer":11,"due_at":9,"invoice":32,"number":7,"total":150000}"#),
    ("invoice.updated", "customer", 11, r#"{"customer":11,"due_at":9,"invoice":32,"number":7,"total":150000}"#),
    ("invoice.paid", "customer", 11, r#"{"customer":11,"due_at":9,"invoice":32,"number":7,"total":150000}"#),
    ("invoice.voided", "customer", 11, r#"{"customer":11,"due_at":9,"invoice":32,"number":7,"total":150000}"#),
    ("collection.requested", "customer", 11, r#"{"change_for":"1000"}"#),
    ("collection.made", "customer", 11, r#"{"amount":5,"collection":1,"outcome":"collected"}"#),
    ("collection.approved", "customer", 11, r#"{"amount":5,"collection":1,"payment":31}"#),
    ("collection.disapproved", "customer", 11, r#"{"amount":5,"collection":1}"#),
    ("operator.funded", "staff", 3, r#"{"amount":5,"balance":6,"method":"cash","reference":"f1"}"#),
    ("staff.funded", "staff", 3, r#"{"amount":5,"balance":6,"method":"cash","reference":"f1"}"#),
    ("complaint.created", "complaint", 33, r#"{"customer":11,"priority":"high","subject":"slow"}"#),
    ("complaint.updated", "complaint", 33, r#"{"comment":1}"#),
    ("complaint.updated", "complaint", 33, r#"{"customer":11,"priority":"high","status":"open"}"#),
    ("complaint.closed", "complaint", 33, r#"{"customer":11,"priority":"high","status":"closed"}"#),
    ("webhook.created", "webhook", 34, r#"{"url":"https://example.com"}"#),
    ("webhook.updated", "webhook", 34, r#"{"overlap_us":0,"rotated":true}"#),
    ("webhook.updated", "webhook", 34, r#"{"active":true,"url":"https://example.com"}"#),
    ("webhook.deleted", "webhook", 34, r#"{"url":"https://example.com"}"#),
    ("webhook.disabled", "webhook", 34, r#"{"reason":"no answer","url":"https://example.com"}"#),
];

/// As only older builds wrote it, with the fact that it is.
const BEFORE: &[(&str, &str, i64, &str, &str)] = &[
    ("payment.received", "customer", 11, r#"{"amount":5,"method":"cash","payment":31}"#, "PaymentReceived"),
    ("invoice.issued", "customer", 11, r#"{"invoice":32,"number":7,"total":5}"#, "InvoiceIssued"),
    ("invoice.issued", "customer", 11, r#"{"invoice":32,"number":7,"paid":true,"total":5}"#, "InvoiceIssuedPaid"),
    (
        "service.recharged",
        "service",
        21,
        r#"{"amount":0,"customer":11,"expires_at":9,"period":22,"plan":2}"#,
        "ServiceRecharged",
    ),
    ("service.expired", "service", 21, r#"{"customer":11,"expired_at":9}"#, "ServiceExpired"),
    ("service.expired", "service", 21, r#"{"customer":11,"expired_at":9,"status":"active"}"#, "ServiceExpired"),
    ("service.changed", "service", 21, r#"{"deleted":true}"#, "LineDeleted"),
    ("service.changed", "service", 21, r#"{"bandwidth":6,"customer":11}"#, "LineChanged"),
    ("service.changed", "service", 21, r#"{"customer":11,"plan":2}"#, "LineChanged"),
    ("vouchers.created", "plan", 2, r#"{"count":2,"router":12}"#, "VouchersCreated"),
    ("coa.refused", "session", 13, r#"{"error_cause":503,"request":"coa","service":21}"#, "CoaRefused"),
];

fn event(kind: &str, noun: &str, id: i64, body: &str) -> Event {
    Event {
        isp_id: IspId(1),
        seq: 1,
        at: Instant(1),
        kind: EventKind::from_word(kind).unwrap_or_else(|| panic!("no such kind: {kind}")),
        version: 1,
        subject: noun.into(),
        subject_id: id,
        actor: "system".into(),
        body: body.into(),
    }
}

#[test]
fn what_is_told_is_read_back_as_it_was_stored() {
    let mut seen = std::collections::BTreeSet::new();
    for (kind, noun, id, body) in NOW {
        let event = event(kind, noun, *id, body);
        let fact = Fact::read(&event).unwrap_or_else(|| panic!("cannot be read: {kind} {body}"));
        seen.insert(fact.name());
        assert_eq!((fact.kind(), fact.subject().parts()), (event.kind, (*noun, *id)), "{body}");
        assert_eq!(fact.body().to_string(), *body, "{kind}");
    }
    let missing: Vec<_> = Fact::NAMES.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "facts without a stored form here: {missing:?}");
    let unheard: Vec<_> = EventKind::WORDS.iter().filter(|word| !NOW.iter().any(|(kind, ..)| kind == *word)).collect();
    assert!(unheard.is_empty(), "kinds that nobody tells: {unheard:?}");
}

#[test]
fn what_older_builds_stored_is_read() {
    for (kind, noun, id, body, name) in BEFORE {
        let fact = Fact::read(&event(kind, noun, *id, body));
        assert_eq!(fact.map(|fact| fact.name()), Some(*name), "{kind} {body}");
    }
}

#[test]
fn what_is_not_understood_is_no_fact() {
    let version = Event { version: 2, ..event("router.created", "router", 12, r#"{"name":"bras"}"#) };
    assert_eq!(Fact::read(&version), None, "another version");
    for (kind, noun, body) in [
        ("router.created", "router", r#"{}"#),
        ("router.created", "router", "no JSON"),
        ("router.created", "plan", r#"{"name":"bras"}"#),
        ("service.suspended", "service", r#"{"customer":11,"reason":"r","status":"asleep"}"#),
    ] {
        assert_eq!(Fact::read(&event(kind, noun, 1, body)), None, "{kind} {noun} {body}");
    }
}
