//! What the office works with: SMS credits, some messages, and complaints. An existing directory gets them once.

use domain::{
    StaffId,
    helpdesk::complaint::{Priority, State},
};
use service::{
    Actor, App, Filter, Order, Page,
    customers::{card::Parts, lists},
    helpdesk::complaints::{self, ComplaintChange, ComplaintFilter, NewComplaint},
    messages::sms,
};

/// Enough to try out; an empty purse is filled again at the next start.
const CREDITS: i64 = 10_000;
const FEW: i64 = 1_000;

const REPORTED: &[(&str, &str, Priority, State)] = &[
    ("No internet", "Down since the morning, the router's light is red.", Priority::High, State::InProgress),
    ("Slow in the evening", "Videos stop from eight to ten every night.", Priority::Normal, State::Open),
    ("Move to a new house", "We move on the first; please bring the line along.", Priority::Low, State::Closed),
];

pub async fn furnish(app: &App, actor: &Actor) -> anyhow::Result<()> {
    if sms::balance(app, actor).await? < FEW {
        sms::top_up(app, actor, CREDITS, Some("demo".into()), None).await?;
    }
    let (_, known) = complaints::list(app, actor, ComplaintFilter::default(), 0, 1).await?;
    if known > 0 {
        return Ok(());
    }
    let page = Page { order: Order::Created, descending: false, offset: 0, limit: REPORTED.len() as i64 };
    let (people, _) = lists::page(app, actor, Filter::default(), page, Parts::NONE).await?;
    for (person, (subject, message, priority, state)) in people.iter().zip(REPORTED) {
        let command = NewComplaint {
            customer: person.customer.id,
            subject: subject.to_string(),
            message: message.to_string(),
            category: None,
            department: None,
            priority: *priority,
            assigned_to: None::<StaffId>,
        };
        let id = complaints::create(app, actor, command, None).await?;
        if *state != State::Open {
            complaints::comment(app, actor, id, "Called back.".into(), None).await?;
            let change = ComplaintChange { state: Some(*state), ..ComplaintChange::default() };
            complaints::update(app, actor, id, change).await?;
        }
        if !person.customer.phone.is_empty() {
            let text = format!("Your report \"{subject}\" is number {id}. We look into it.");
            sms::send(app, actor, "sms_", person.customer.phone.clone(), text, None).await?;
        }
    }
    Ok(())
}
