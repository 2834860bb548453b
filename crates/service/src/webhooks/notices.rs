//! What webhooks are told: the document's six events and the further ones that the core can say truly (docs/readings.md
//! 2.9), made from its events and the rows they name. Status words are those of the document.

use std::collections::HashMap;

use domain::{BranchId, CustomerId, Instant, InvoiceId, Money, PaymentId, PlanId, Scope, Scopes, ServiceId, Status};
use serde_json::{Map, Value as Json, json};
use store::{
    billing::invoice::{Invoice, Payment},
    db::Tx,
    helpdesk::complaint::{self, Complaint},
    kernel::event::Event,
    people::{
        customer::{self, Customer},
        service::Service,
    },
    webhooks::webhook,
};

use crate::{
    Error,
    kernel::{
        app::Tenant,
        facts::{Before, Fact},
    },
};

macro_rules! names {
    ($($name:literal, $reads:ident, $when:literal;)*) => {
        /// Every name that can be subscribed to.
        pub const NAMES: &[&str] = &[$($name),*];
        /// When each is sent.
        pub const INDEX: &[(&str, &str)] = &[$(($name, $when)),*];
        /// What must be read to be told of each.
        const READS: &[(&str, Scope)] = &[$(($name, Scope::$reads)),*];
    };
}

names! {
    "customer.created", CustomersRead, "A new customer is registered.";
    "customer.suspended", CustomersRead, "A customer's connection is suspended or disabled by staff, or its validity or its quota has ended.";
    "customer.activated", CustomersRead, "A customer's connection is activated again, by staff or by a payment.";
    "payment.received", BillingRead, "A payment is recorded or verified.";
    "bill.generated", BillingRead, "A new bill is generated.";
    "complaint.created", ComplaintsRead, "A new support complaint is submitted.";
    "customer.updated", CustomersRead, "A customer's name or contact has changed.";
    "customer.deleted", CustomersRead, "A customer is deleted.";
    "invoice.generated", BillingRead, "An invoice is issued: a bill's printable form, with the bill's id.";
    "invoice.paid", BillingRead, "An invoice is paid in full.";
    "connection.activated", CustomersRead, "A connection is made or activated again.";
    "connection.suspended", CustomersRead, "A connection is suspended, disabled or expired, or its quota is used up.";
    "connection.terminated", CustomersRead, "A connection is ended for good.";
    "package.assigned", CustomersRead, "A connection gets its first package.";
    "package.changed", CustomersRead, "A connection gets another package.";
    "package.expired", CustomersRead, "The validity of a connection's package has ended.";
}

/// The rights without which nobody is told of these: a webhook is reading.
pub fn reads<'a>(names: impl IntoIterator<Item = &'a str>) -> Scopes {
    let wanted: Vec<&str> = names.into_iter().collect();
    // A name that is not known any more is told to nobody.
    let scopes = READS.iter().filter(|(name, _)| wanted.contains(name)).map(|(_, scope)| *scope);
    Scopes::of(&scopes.collect::<Vec<_>>())
}

/// Something to be told under one name.
#[derive(Clone, Debug)]
pub struct Notice {
    pub seq: i64,
    pub at: Instant,
    pub name: &'static str,
    pub data: Json,
    /// Of the customer it is about.
    pub branch: Option<BranchId>,
}

/// What the events say under the names that somebody wants, in order.
pub async fn of(tx: &Tx, tenant: &Tenant, events: &[Event], wanted: &[String]) -> Result<Vec<Notice>, Error> {
    let mut said: Vec<Said> = Vec::new();
    for event in events {
        let Some(fact) = Fact::read(event) else {
            tracing::error!(isp = event.isp_id.0, seq = event.seq, kind = event.kind.word(), "an event cannot be read");
            continue;
        };
        let wanted = told(&fact).into_iter().filter(|(name, _)| wanted.iter().any(|w| w == name));
        said.extend(wanted.map(|(name, about)| Said { seq: event.seq, at: event.at, name, about }));
    }
    if said.is_empty() {
        return Ok(Vec::new());
    }
    let rows = Rows::read(tx, tenant, &said).await?;
    Ok(said.into_iter().filter_map(|said| rows.notice(tenant, said)).collect())
}

/// A name and what it is to be said of.
struct Said {
    seq: i64,
    at: Instant,
    name: &'static str,
    about: About,
}

/// What a notice speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
enum About {
    /// A customer's account; its status where the fact says it, else as the line stands.
    Customer {
        id: CustomerId,
        status: Option<&'static str>,
        reason: Option<String>,
    },
    /// The account whose primary line this is; of a further line nothing is said.
    Account {
        line: ServiceId,
        status: &'static str,
        reason: Option<String>,
    },
    Connection {
        line: ServiceId,
        status: &'static str,
        reason: Option<String>,
    },
    /// The line's plan and end where `plan` and `ends_at` are not given.
    Package {
        line: ServiceId,
        plan: Option<PlanId>,
        before: Option<PlanId>,
        ends_at: Option<Instant>,
    },
    Payment(PaymentId),
    Bill(InvoiceId),
    Complaint(i64),
}

type Told = Vec<(&'static str, About)>;

/// The names a fact is told under. A new fact has to be put among them.
fn told(fact: &Fact) -> Told {
    match fact {
        Fact::CustomerCreated { customer, .. } => account("customer.created", *customer, None),
        Fact::CustomerUpdated { customer, .. } | Fact::CustomerPasswordSet { customer, .. } => {
            account("customer.updated", *customer, None)
        }
        Fact::CustomerDeleted { customer, .. } => account("customer.deleted", *customer, Some("deleted")),
        Fact::ServiceActivated { line, reason, .. } => runs(*line, reason),
        Fact::ServiceSuspended { line, status, reason, .. } | Fact::ServiceDisabled { line, status, reason, .. } => {
            stands_still(*line, *status, reason)
        }
        Fact::ServiceDeactivated { line, status, reason, .. } => match status {
            // Staff took it off, whether they will put it on again by hand or by a day to come.
            Status::Inactive | Status::Pending => stands_still(*line, *status, reason),
            Status::Terminated => vec![
                off(*line, *status, reason),
                (
                    "connection.terminated",
                    About::Connection { line: *line, status: "terminated", reason: Some(reason.clone()) },
                ),
            ],
            // It does not run yet, or never will.
            Status::AwaitingApproval | Status::Rejected | Status::Active | Status::Suspended | Status::Disabled => {
                Vec::new()
            }
        },
        Fact::ServiceExpired { line, expired_at, status, used_up, .. } => {
            let ended = About::Package { line: *line, plan: None, before: None, ends_at: *expired_at };
            let mut told = vec![("package.expired", ended)];
            // One that was off already: only its package ended.
            let off = status.is_some_and(|status| status != Status::Active) || *used_up == Some(true);
            if !off {
                told.extend(stands_still(*line, status.unwrap_or(Status::Suspended), "expired"));
            }
            told
        }
        Fact::ServiceCreated { line, plan, .. } => {
            vec![("package.assigned", About::Package { line: *line, plan: Some(*plan), before: None, ends_at: None })]
        }
        Fact::ServiceRecharged { line, plan, expires_at, before, plan_before, runs: now, .. } => {
            let now = now.unwrap_or(true);
            let package =
                |before| About::Package { line: *line, plan: Some(*plan), before, ends_at: Some(*expires_at) };
            let mut told = match before {
                Some(Before::New) => {
                    let mut told = if now { vec![connected(*line, RECHARGED)] } else { Vec::new() };
                    told.push(("package.assigned", package(None)));
                    told
                }
                Some(Before::Made) if now => vec![connected(*line, RECHARGED)],
                // It ran before; or older builds did not say.
                Some(Before::Stood(Status::Active)) | None => Vec::new(),
                Some(Before::Expired | Before::UsedUp | Before::Stood(_)) if now => runs(*line, RECHARGED),
                Some(Before::Made | Before::Expired | Before::UsedUp | Before::Stood(_)) => Vec::new(),
            };
            told.extend(plan_before.map(|before| ("package.changed", package(Some(before)))));
            told
        }
        Fact::ServiceQuotaUsedUp { line, .. } => stands_still(*line, Status::Active, "used up"),
        Fact::ServiceMoved { line, plan, expires_at, plan_before, .. } => {
            let package =
                |before| About::Package { line: *line, plan: Some(*plan), before: Some(before), ends_at: *expires_at };
            plan_before.map(|before| ("package.changed", package(before))).into_iter().collect()
        }
        Fact::LineDeleted { line, .. } => {
            vec![("connection.terminated", About::Connection { line: *line, status: "terminated", reason: None })]
        }
        Fact::LinePlanChanged { line, plan_before, .. } => {
            let about = About::Package { line: *line, plan: None, before: Some(*plan_before), ends_at: None };
            vec![("package.changed", about)]
        }
        Fact::PaymentReceived { payment, .. } => vec![("payment.received", About::Payment(*payment))],
        Fact::InvoiceIssued { bill, .. } => issued(bill.invoice),
        Fact::InvoiceIssuedPaid { bill, .. } => {
            let mut told = issued(bill.invoice);
            told.push(("invoice.paid", About::Bill(bill.invoice)));
            told
        }
        Fact::InvoicePaid { bill, .. } => vec![("invoice.paid", About::Bill(bill.invoice))],
        Fact::ComplaintCreated { complaint, .. } => vec![("complaint.created", About::Complaint(*complaint))],
        Fact::IspCreated { .. }
        | Fact::StaffCreated { .. }
        | Fact::StaffSuspended { .. }
        | Fact::StaffRestored { .. }
        | Fact::StaffDeleted { .. }
        | Fact::StaffUpdated { .. }
        | Fact::ApiClientCreated { .. }
        | Fact::ApiClientUpdated { .. }
        | Fact::ApiClientRotated { .. }
        | Fact::ApiClientTokensMade { .. }
        | Fact::ApiClientRevoked { .. }
        | Fact::TokenReused { .. }
        | Fact::ZoneCreated { .. }
        | Fact::ZoneUpdated { .. }
        | Fact::ZoneDeleted { .. }
        | Fact::BandwidthCreated { .. }
        | Fact::BandwidthUpdated { .. }
        | Fact::BandwidthDeleted { .. }
        | Fact::PoolCreated { .. }
        | Fact::PoolDeleted { .. }
        | Fact::PlanCopied { .. }
        | Fact::PlanCreated { .. }
        | Fact::PlanFupChosen { .. }
        | Fact::PlanRenews { .. }
        | Fact::PlanUpdated { .. }
        | Fact::PlanDeleted { .. }
        | Fact::OwnFupCreated { .. }
        | Fact::OwnFupDeleted { .. }
        | Fact::FupTemplateCreated { .. }
        | Fact::FupTemplateUpdated { .. }
        | Fact::FupTemplateDeleted { .. }
        | Fact::FupOverridden { .. }
        | Fact::FupCleared { .. }
        | Fact::FupCrossed { .. }
        | Fact::FupRelaxed { .. }
        | Fact::FupReset { .. }
        | Fact::RouterCreated { .. }
        | Fact::RouterCoaPortSet { .. }
        | Fact::RouterSigns { .. }
        | Fact::RouterUpdated { .. }
        | Fact::RouterDeleted { .. }
        | Fact::SessionLost { .. }
        | Fact::CoaAcknowledged { .. }
        | Fact::CoaRefused { .. }
        | Fact::CoaUnanswered { .. }
        | Fact::OltCreated { .. }
        | Fact::OltUpdated { .. }
        | Fact::OltDeleted { .. }
        | Fact::OnuCreated { .. }
        | Fact::OnuUpdated { .. }
        | Fact::OnuDeleted { .. }
        | Fact::DeviceCreated { .. }
        | Fact::DeviceUpdated { .. }
        | Fact::DeviceDeleted { .. }
        | Fact::StatusCheckCreated { .. }
        | Fact::StatusCheckUpdated { .. }
        | Fact::StatusCheckDeleted { .. }
        | Fact::VpnAccountCreated { .. }
        | Fact::VpnAccountUpdated { .. }
        | Fact::VpnAccountDeleted { .. }
        | Fact::PlaceCreated { .. }
        | Fact::PlaceUpdated { .. }
        | Fact::PlaceDeleted { .. }
        | Fact::DepartmentCreated { .. }
        | Fact::DepartmentUpdated { .. }
        | Fact::DepartmentDeleted { .. }
        | Fact::LineMacLearnt { .. }
        | Fact::LineAttributesChanged { .. }
        | Fact::LineAttributesPut { .. }
        | Fact::LinePriced { .. }
        | Fact::LineTermsChanged { .. }
        | Fact::LineSiteChanged { .. }
        | Fact::LineChanged { .. }
        | Fact::ServiceSecretRead { .. }
        | Fact::ServiceMoveOrdered { .. }
        | Fact::ServiceRenewalOrdered { .. }
        | Fact::ServiceRenewalFailed { .. }
        | Fact::ServiceFirstUsed { .. }
        | Fact::ServiceGraceGiven { .. }
        | Fact::VouchersCreated { .. }
        | Fact::VouchersDeleted { .. }
        | Fact::VoucherUsed { .. }
        | Fact::VoucherRedeemed { .. }
        | Fact::CardsGenerated { .. }
        | Fact::CardsIssued { .. }
        | Fact::CardUsed { .. }
        | Fact::InvoiceUpdated { .. }
        | Fact::InvoiceVoided { .. }
        | Fact::CollectionRequested { .. }
        | Fact::CollectionMade { .. }
        | Fact::CollectionApproved { .. }
        | Fact::CollectionDisapproved { .. }
        | Fact::OperatorFunded { .. }
        | Fact::StaffFunded { .. }
        | Fact::OperatorPriced { .. }
        | Fact::FloatHandedIn { .. }
        | Fact::SalespersonPlans { .. }
        | Fact::SalespersonRenews { .. }
        | Fact::ComplaintCommented { .. }
        | Fact::ComplaintUpdated { .. }
        | Fact::ComplaintClosed { .. }
        | Fact::WebhookCreated { .. }
        | Fact::WebhookRotated { .. }
        | Fact::WebhookUpdated { .. }
        | Fact::WebhookDeleted { .. }
        | Fact::WebhookDisabled { .. } => Vec::new(),
    }
}

const RECHARGED: &str = "recharged";

fn account(name: &'static str, id: CustomerId, status: Option<&'static str>) -> Told {
    vec![(name, About::Customer { id, status, reason: None })]
}

fn connected(line: ServiceId, reason: &str) -> (&'static str, About) {
    ("connection.activated", About::Connection { line, status: "active", reason: Some(reason.into()) })
}

fn runs(line: ServiceId, reason: &str) -> Told {
    let account = About::Account { line, status: "active", reason: Some(reason.into()) };
    vec![("customer.activated", account), connected(line, reason)]
}

fn off(line: ServiceId, status: Status, reason: &str) -> (&'static str, About) {
    ("customer.suspended", About::Account { line, status: status_word(status), reason: Some(reason.into()) })
}

fn stands_still(line: ServiceId, status: Status, reason: &str) -> Told {
    let connection = About::Connection { line, status: status_word(status), reason: Some(reason.into()) };
    vec![off(line, status, reason), ("connection.suspended", connection)]
}

fn issued(invoice: InvoiceId) -> Told {
    vec![("bill.generated", About::Bill(invoice)), ("invoice.generated", About::Bill(invoice))]
}

/// Rows that the facts of a batch name: a few queries, however many facts.
struct Rows {
    customers: HashMap<i64, (Customer, Option<Service>)>,
    services: HashMap<i64, Service>,
    plans: HashMap<i64, String>,
    payments: HashMap<i64, Payment>,
    invoices: HashMap<i64, Invoice>,
    complaints: HashMap<i64, Complaint>,
}

impl Rows {
    async fn read(tx: &Tx, tenant: &Tenant, said: &[Said]) -> Result<Rows, Error> {
        let isp = tenant.isp.isp_id;
        let (mut people, mut lines, mut plans) = (Vec::new(), Vec::new(), Vec::new());
        let (mut payments, mut bills, mut complaints) = (Vec::new(), Vec::new(), Vec::new());
        for said in said {
            match &said.about {
                About::Customer { id, .. } => people.push(id.0),
                About::Account { line, .. } | About::Connection { line, .. } => lines.push(line.0),
                About::Package { line, plan, before, .. } => {
                    lines.push(line.0);
                    plans.extend([plan, before].into_iter().flatten().map(|id| id.0));
                }
                About::Payment(id) => payments.push(id.0),
                About::Bill(id) => bills.push(id.0),
                About::Complaint(id) => complaints.push(*id),
            }
        }
        let services = webhook::services(tx, isp, &sorted(lines)).await?;
        let payments = webhook::payments(tx, isp, &sorted(payments)).await?;
        let invoices = webhook::invoices(tx, isp, &sorted(bills)).await?;
        let complaints = complaint::some(tx, isp, &sorted(complaints)).await?;
        people.extend(services.values().map(|row| row.customer_id.0));
        people.extend(payments.values().map(|row| row.customer_id.0));
        people.extend(invoices.values().map(|row| row.customer_id.0));
        people.extend(complaints.iter().map(|row| row.customer_id.0));
        let people: Vec<CustomerId> = sorted(people).into_iter().map(CustomerId).collect();
        let customers = customer::with_services(tx, isp, &people).await?;
        plans.extend(services.values().map(|row| row.plan_id.0));
        plans.extend(customers.iter().filter_map(|(_, line)| line.as_ref()).map(|line| line.plan_id.0));
        let plans = webhook::plan_names(tx, isp, &sorted(plans)).await?;
        Ok(Rows {
            customers: customers.into_iter().map(|row| (row.0.id.0, row)).collect(),
            services,
            plans,
            payments,
            invoices,
            complaints: complaints.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    /// `None` where it is not about what the name speaks of: a further line of a customer, say.
    fn notice(&self, tenant: &Tenant, said: Said) -> Option<Notice> {
        let Said { seq, at, name, about } = said;
        let (customer, data) = match about {
            About::Customer { id, status, reason } => self.customer(id, status, reason, at)?,
            // A customer's account is its primary line.
            About::Account { line, status, reason } => {
                let line = self.services.get(&line.0).filter(|line| line.ordinal == 1)?;
                self.customer(line.customer_id, Some(status), reason, at)?
            }
            About::Connection { line, status, reason } => {
                let line = self.services.get(&line.0)?;
                let data = json!({
                    "customer_id": line.customer_id.0, "connection_id": line.id.0, "username": line.username,
                    "connection_type": line.kind.word(), "status": status, "reason": reason
                });
                (line.customer_id, data)
            }
            About::Package { line, plan, before, ends_at } => {
                let line = self.services.get(&line.0)?;
                let mut data = json!({
                    "customer_id": line.customer_id.0, "connection_id": line.id.0,
                    "package": self.plan(plan.unwrap_or(line.plan_id)), "expires_at": ends_at.or(line.expires_at).map(utc)
                });
                if let Some(before) = before {
                    data["previous_package"] = self.plan(before);
                }
                (line.customer_id, data)
            }
            About::Payment(id) => {
                let row = self.payments.get(&id.0)?;
                (row.customer_id, payment(tenant, row))
            }
            About::Bill(id) => {
                let row = self.invoices.get(&id.0)?;
                (row.customer_id, invoice(tenant, row, name))
            }
            About::Complaint(id) => {
                let row = self.complaints.get(&id)?;
                let data = json!({
                    "customer_id": row.customer_id.0, "complaint_id": row.id, "subject": row.subject,
                    "message": row.message, "category": row.category, "priority": row.priority
                });
                (row.customer_id, data)
            }
        };
        let branch = self.customers.get(&customer.0).and_then(|(row, _)| row.branch_id);
        Some(Notice { seq, at, name, data, branch })
    }

    fn customer(
        &self,
        id: CustomerId,
        status: Option<&'static str>,
        reason: Option<String>,
        at: Instant,
    ) -> Option<(CustomerId, Json)> {
        let (row, line) = self.customers.get(&id.0)?;
        let status = status.unwrap_or_else(|| line.as_ref().map_or("disabled", |line| shown(line, at)));
        let mut data = Map::new();
        data.insert("customer_id".into(), id.0.into());
        data.insert("name".into(), row.full_name.clone().into());
        data.insert("username".into(), row.username.clone().into());
        data.insert("email".into(), row.email.clone().into());
        data.insert("phone".into(), row.phone.clone().into());
        data.insert("status".into(), status.into());
        data.insert("package".into(), line.as_ref().map_or(Json::Null, |line| self.plan(line.plan_id)));
        if let Some(reason) = reason {
            data.insert("reason".into(), reason.into());
        }
        Some((id, data.into()))
    }

    fn plan(&self, id: PlanId) -> Json {
        json!({ "id": id.0, "name": self.plans.get(&id.0) })
    }
}

fn payment(tenant: &Tenant, row: &Payment) -> Json {
    json!({
        "customer_id": row.customer_id.0, "payment_id": row.id.0, "amount": amount(row.amount, tenant),
        "currency": tenant.currency.code, "method": row.method, "transaction_id": row.reference,
        "bill_id": row.invoice_id.map(|id| id.0)
    })
}

fn invoice(tenant: &Tenant, row: &Invoice, name: &str) -> Json {
    let mut data = json!({
        "customer_id": row.customer_id.0, "bill_id": row.id.0, "amount": amount(row.total, tenant),
        "currency": tenant.currency.code, "due_date": row.due_at.day(&tenant.zone).to_string(),
        "number": format!("{}-{:06}", row.series, row.number)
    });
    if name.starts_with("invoice") {
        data["invoice_id"] = row.id.0.into();
    }
    data
}

/// The document knows active, suspended and disabled (docs/readings.md 7.0).
fn status_word(core: Status) -> &'static str {
    match core {
        Status::Suspended | Status::Pending | Status::AwaitingApproval | Status::Active => "suspended",
        Status::Disabled | Status::Inactive | Status::Rejected | Status::Terminated => "disabled",
    }
}

fn shown(line: &Service, at: Instant) -> &'static str {
    match line.status {
        Status::Active if line.expires_at.is_none_or(|end| end > at) => "active",
        other => status_word(other),
    }
}

/// `2026-03-15T10:30:00Z`.
pub(super) fn utc(at: Instant) -> String {
    at.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// As a JSON number: `500`, `500.5`.
fn amount(money: Money, tenant: &Tenant) -> Json {
    let scale = 10_i64.pow(tenant.currency.exponent);
    match money.0 % scale {
        0 => (money.0 / scale).into(),
        _ => json!(money.0 as f64 / scale as f64),
    }
}

fn sorted(mut ids: Vec<i64>) -> Vec<i64> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use domain::kernel::event::{EventKind, Subject};

    use super::*;

    /// The names under which a stored event is told.
    fn names(kind: EventKind, subject: Subject, body: Json) -> Vec<&'static str> {
        let fact = Fact::of(kind, subject, &body).unwrap_or_else(|| panic!("{kind:?} {body}"));
        told(&fact).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn names_of_facts() {
        let line = Subject::Service(7);
        let stands = |status: &str| json!({ "customer": 1, "status": status, "reason": "r" });
        let used = json!({
            "customer": 1, "quota_bytes": 10, "quota_time_s": null, "used_bytes": 11, "used_time_s": 0
        });
        let moved = |plan_before: Json| {
            json!({
                "customer": 1, "from": 1, "plan": 2, "kind": "migration", "credit": 0, "charge": 0, "expires_at": 9,
                "plan_before": plan_before
            })
        };
        let beginning = |before: &str, runs: bool| {
            json!({
                "customer": 1, "plan": 3, "period": 4, "expires_at": 9, "amount": 5, "before": before, "runs": runs
            })
        };
        let sold = |before: Json, plan_before: Json| {
            json!({
                "customer": 1, "plan": 3, "period": 4, "expires_at": 9, "amount": 5, "before": before,
                "plan_before": plan_before
            })
        };
        let bill = json!({ "customer": 1, "invoice": 2, "number": 3, "total": 4, "due_at": 5 });
        let mut paid = bill.clone();
        paid["paid"] = true.into();
        let rows = [
            (EventKind::CustomerCreated, Subject::Customer(1), json!({ "username": "u" }), vec!["customer.created"]),
            (
                EventKind::ServiceSuspended,
                line,
                stands("suspended"),
                vec!["customer.suspended", "connection.suspended"],
            ),
            (
                EventKind::ServiceDeactivated,
                line,
                stands("pending"),
                vec!["customer.suspended", "connection.suspended"],
            ),
            (EventKind::ServiceDeactivated, line, stands("rejected"), vec![]),
            (
                EventKind::ServiceDeactivated,
                line,
                stands("terminated"),
                vec!["customer.suspended", "connection.terminated"],
            ),
            (
                EventKind::ServiceExpired,
                line,
                json!({ "customer": 1, "expired_at": 9, "status": "suspended" }),
                vec!["package.expired"],
            ),
            (
                EventKind::ServiceExpired,
                line,
                json!({ "customer": 1, "expired_at": 9 }),
                vec!["package.expired", "customer.suspended", "connection.suspended"],
            ),
            (EventKind::ServiceCreated, line, json!({ "customer": 1, "plan": 2 }), vec!["package.assigned"]),
            (EventKind::ServiceChanged, line, json!({ "customer": 1, "terms": true }), vec![]),
            (EventKind::ServiceRecharged, line, sold(Json::Null, Json::Null), vec![]),
            (EventKind::ServiceRecharged, line, sold("active".into(), Json::Null), vec![]),
            (EventKind::ServiceRecharged, line, sold("active".into(), 2.into()), vec!["package.changed"]),
            (
                EventKind::ServiceRecharged,
                line,
                sold("new".into(), Json::Null),
                vec!["connection.activated", "package.assigned"],
            ),
            (
                EventKind::ServiceRecharged,
                line,
                sold("expired".into(), Json::Null),
                vec!["customer.activated", "connection.activated"],
            ),
            (EventKind::ServiceRecharged, line, beginning("new", false), vec!["package.assigned"]),
            (EventKind::ServiceRecharged, line, beginning("made", true), vec!["connection.activated"]),
            (EventKind::ServiceRecharged, line, beginning("pending", false), vec![]),
            (
                EventKind::ServiceRecharged,
                line,
                beginning("used_up", true),
                vec!["customer.activated", "connection.activated"],
            ),
            (EventKind::ServiceMoved, line, moved(Json::Null), vec![]),
            (EventKind::ServiceMoved, line, moved(1.into()), vec!["package.changed"]),
            (EventKind::ServiceQuotaUsedUp, line, used, vec!["customer.suspended", "connection.suspended"]),
            (
                EventKind::ServiceExpired,
                line,
                json!({ "customer": 1, "expired_at": 9, "status": "active", "used_up": true }),
                vec!["package.expired"],
            ),
            (EventKind::ServiceChanged, line, json!({ "customer": 1 }), vec![]),
            (EventKind::ServiceChanged, line, json!({ "deleted": true }), vec!["connection.terminated"]),
            (EventKind::ServiceChanged, line, json!({ "customer": 1, "plan_before": 2 }), vec!["package.changed"]),
            (EventKind::InvoiceIssued, Subject::Customer(1), bill, vec!["bill.generated", "invoice.generated"]),
            (
                EventKind::InvoiceIssued,
                Subject::Customer(1),
                paid,
                vec!["bill.generated", "invoice.generated", "invoice.paid"],
            ),
            (EventKind::RouterCreated, Subject::Router(1), json!({ "name": "r" }), vec![]),
        ];
        for (kind, subject, body, expected) in rows {
            assert_eq!(names(kind, subject, body.clone()), expected, "{kind:?} {body}");
        }
    }
}
