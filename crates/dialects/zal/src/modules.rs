//! What a list brings along: each module asked for adds its key to every subscriber, and it is absent otherwise
//! (docs/readings.md Z11).

use domain::{InvoiceId, billing::bill::BillStatus};
use doors::Fields;
use serde_json::{Value, json};
use service::{
    Invoice, Payment, Session,
    access::attributes::compares,
    customers::{
        card::{Card, Parts, place_of},
        subscribers::{HOMES, Posted},
    },
};

use crate::{
    envelope::{Caller, flag},
    list::LISTED,
};

#[derive(Clone, Copy, Default, Debug)]
pub struct Modules {
    package: bool,
    salesperson: bool,
    nas: bool,
    radacct: bool,
    radchecks: bool,
    radreply: bool,
    radusergroup: bool,
    ip_pool: bool,
    balance: bool,
    area: bool,
    invoice: bool,
    ledger: bool,
    payment: bool,
}

impl Modules {
    pub fn read(asked: &mut Fields) -> Modules {
        let all = asked.optional("all_module_status", flag).or(false);
        let mut wants = |name| asked.optional(name, flag).or(false) || all;
        Modules {
            package: wants("package_module"),
            salesperson: wants("salesperson_module"),
            nas: wants("nas_module"),
            radacct: wants("radacct_module"),
            radchecks: wants("radchecks_module"),
            radreply: wants("radreply_module"),
            radusergroup: wants("radusergroup_module"),
            ip_pool: wants("ip_pool_module"),
            balance: wants("balance_module"),
            area: wants("area_module"),
            invoice: wants("invoice_module"),
            ledger: wants("ledger_module"),
            payment: wants("payment_module"),
        }
    }

    /// What is read for the list, with what every row shows.
    pub fn parts(&self) -> Parts {
        LISTED
            .with_if(self.package, Parts::VERSION)
            .with_if(self.salesperson, Parts::SELLER)
            .with_if(self.nas, Parts::ROUTER)
            .with_if(self.ip_pool, Parts::POOL)
            .with_if(self.radacct, Parts::SESSIONS)
            .with_if(self.radchecks || self.radreply, Parts::ATTRIBUTES)
            .with_if(self.area, Parts::HOMES)
            .with_if(self.invoice, Parts::INVOICES)
            .with_if(self.ledger, Parts::POSTINGS)
            .with_if(self.payment, Parts::PAYMENTS)
    }

    /// Adds the keys to one subscriber's row.
    pub fn add(&self, caller: &Caller, card: &Card, row: &mut Value) {
        let keys: [(bool, &str, fn(&Caller, &Card) -> Value); 13] = [
            (self.package, "package", package),
            (self.salesperson, "salesperson", salesperson),
            (self.nas, "nas", nas),
            (self.radacct, "radacct", radacct),
            (self.radchecks, "radchecks", radchecks),
            (self.radreply, "radreply", radreply),
            (self.radusergroup, "radusergroup", radusergroup),
            (self.ip_pool, "ip_pool", ip_pool),
            (self.balance, "current_balance", |caller, card| caller.amount(card.balance).into()),
            (self.area, "area_data", area_data),
            (self.invoice, "invoices", invoices),
            (self.ledger, "ledger", ledger),
            (self.payment, "payments", payments),
        ];
        for (wanted, key, make) in keys {
            if wanted {
                row[key] = make(caller, card);
            }
        }
    }
}

pub fn package(caller: &Caller, card: &Card) -> Value {
    let Some((plan, version)) = card.sold() else { return Value::Null };
    json!({
        "id": plan.id.0,
        "name": plan.name,
        "price": caller.amount(version.price),
        "duration": version.validity,
        "duration_type": version.validity_unit,
        "connection_type": crate::change::connection_type(plan.kind),
        "data_limit": version.data_limit.filter(|_| version.limited),
        "data_unit": version.data_unit.as_ref().filter(|_| version.limited),
        "status": u8::from(plan.enabled),
    })
}

fn salesperson(_: &Caller, card: &Card) -> Value {
    let Some(person) = &card.seller else { return Value::Null };
    json!({ "id": person.id.0, "name": person.name, "email": person.email, "phone": person.phone, "status": person.status })
}

fn nas(_: &Caller, card: &Card) -> Value {
    let Some(router) = &card.router else { return Value::Null };
    json!({
        "id": router.id.0,
        "shortname": router.name,
        "nasname": router.network,
        "type": router.vendor,
        // Never shown, as with passwords (docs/readings.md 3.5).
        "secret": HIDDEN,
        "coa_port": router.coa_port,
    })
}

pub const HIDDEN: &str = "***hidden***";

fn radacct(caller: &Caller, card: &Card) -> Value {
    let row = |session: &Session| {
        json!({
            "radacctid": session.id.0,
            "acctsessionid": session.acct_session_id,
            "username": session.username,
            "acctstarttime": caller.datetime(session.started_at),
            "acctupdatetime": caller.datetime(session.reported_at),
            "acctstoptime": session.ended_at.map(|at| caller.datetime(at)),
            "acctsessiontime": session.session_time_s,
            "acctinputoctets": session.up_total,
            "acctoutputoctets": session.down_total,
            "callingstationid": session.mac,
            "framedipaddress": session.address,
            "acctterminatecause": session.end_cause,
        })
    };
    card.sessions.iter().map(row).collect()
}

/// What a login must meet: the password and the expiry of every subscriber, and `==` attributes of its own.
pub fn radchecks(caller: &Caller, card: &Card) -> Value {
    let Some(line) = &card.line else { return json!([]) };
    let mut rows = Vec::new();
    if line.secret.is_some() {
        rows.push(json!({ "id": null, "attribute": "Cleartext-Password", "op": ":=", "value": HIDDEN }));
    }
    if let Some(at) = line.expires_at {
        rows.push(json!({ "id": null, "attribute": "Expiration", "op": ":=", "value": caller.datetime(at) }));
    }
    rows.extend(attributes(card, true));
    rows.into()
}

pub fn radreply(_: &Caller, card: &Card) -> Value {
    let Some(line) = &card.line else { return json!([]) };
    let mut rows = Vec::new();
    if let Some(address) = &line.address {
        rows.push(json!({ "id": null, "attribute": "Framed-IP-Address", "op": ":=", "value": address }));
    }
    rows.extend(attributes(card, false));
    rows.into()
}

fn attributes(card: &Card, checks: bool) -> impl Iterator<Item = Value> + '_ {
    let own = card.attributes.iter().filter(move |row| compares(&row.op) == checks);
    own.map(|row| json!({ "id": row.id, "attribute": row.attribute, "op": row.op, "value": row.value }))
}

fn radusergroup(_: &Caller, card: &Card) -> Value {
    match (&card.line, &card.plan) {
        (Some(line), Some(plan)) => {
            json!([{ "username": line.username, "groupname": plan.name, "priority": 1 }])
        }
        _ => json!([]),
    }
}

fn ip_pool(_: &Caller, card: &Card) -> Value {
    let Some(pool) = &card.pool else { return Value::Null };
    let address = card.line.as_ref().and_then(|line| line.address.clone());
    json!({ "id": pool.id.0, "name": pool.name, "ranges": pool.ranges, "address": address })
}

fn area_data(_: &Caller, card: &Card) -> Value {
    let Some(profile) = &card.profile else { return Value::Null };
    let mut data = json!({});
    for (level, name) in HOMES.into_iter().zip(&card.homes) {
        data[level.word()] = match place_of(profile, level) {
            Some(id) => json!({ "id": id, "name": name }),
            None => Value::Null,
        };
    }
    data
}

/// 1 Paid, 2 Unpaid, 3 Cancelled, 5 Partial (docs/readings.md Z6). What is owed for a running period reads as 6, Due.
pub fn invoice_status(status: BillStatus) -> u8 {
    match status {
        BillStatus::Paid => 1,
        BillStatus::Unpaid => 6,
        BillStatus::Partial => 5,
        BillStatus::Void => 3,
    }
}

fn invoices(caller: &Caller, card: &Card) -> Value {
    let row = |invoice: &Invoice| {
        json!({
            "id": invoice.id.0,
            "invoice_number": number(&invoice.series, invoice.number),
            "billing_total_amount": caller.amount(invoice.total),
            "billing_due_amount": caller.amount(domain::Money(invoice.total.0 - invoice.paid.0)),
            "invoice_status": invoice_status(invoice.status),
            "created_at": caller.datetime(invoice.issued_at),
        })
    };
    card.invoices.iter().map(row).collect()
}

pub fn number(series: &str, number: i64) -> String {
    format!("{series}-{number:06}")
}

/// docs/readings.md 3.3: 1 Payment or top-up, 2 Withdraw, 3 Invoice. Profile type 2 is a subscriber.
fn ledger(caller: &Caller, card: &Card) -> Value {
    let row = |posted: &Posted| {
        let ledger_type = match posted.kind.as_str() {
            "activation" | "recharge" | "invoice" | "bill" => 3,
            _ if posted.amount.is_negative() => 2,
            _ => 1,
        };
        json!({
            "transaction_id": posted.entry,
            "ledger_type": ledger_type,
            "to_profile_type": 2,
            "to_id": card.customer.id.0,
            "to_username": card.customer.username,
            "account": if posted.wallet { "balance" } else { "due" },
            "amount": caller.amount(posted.amount),
            "previous_balance": caller.amount(domain::Money(posted.balance.0 - posted.amount.0)),
            "balance": caller.amount(posted.balance),
            "reference": posted.reference,
            "action_by": posted.actor,
            "created_at": caller.datetime(posted.at),
        })
    };
    card.postings.iter().map(row).collect()
}

fn payments(caller: &Caller, card: &Card) -> Value {
    let row = |payment: &Payment| {
        json!({
            "id": payment.id.0,
            "amount": caller.amount(payment.amount),
            "payment_method": payment.method,
            "reference": payment.reference,
            "status": payment.state,
            "invoice_id": payment.invoice_id.map(|InvoiceId(id)| id),
            "created_at": caller.datetime(payment.created_at),
        })
    };
    card.payments.iter().map(row).collect()
}
