//! E28, E30, E31: a user's own bandwidth and attributes, and words to its router.

use axum::extract::State;
use domain::{
    BandwidthId, CustomerId,
    access::compare::Compare,
    catalogue::fup::{Measure, Reset},
};
use doors::fields::{boolean, id, integer, word};
use radius::dictionary;
use serde_json::Value;
use service::{
    App, Expected, Items, Why,
    access::{
        attribute_stages,
        attributes::{NewAttribute, OPERATORS, is_understood},
        fup::{Chosen, Draft},
        orders,
    },
    customers::change::{self, Edit},
};

use crate::envelope::{Answer, Call, Failure, Reply, short};

const RESETS: &[&str] = &["always", "data", "uploadDownload"];
const EVERY: &[&str] = &["daily", "weekly", "monthly", "never", "billing"];
/// So many attributes one override may have.
const MAX_ATTRIBUTES: usize = 50;

/// A limit of E28 or E30: their fields differ by their beginning.
struct Limit {
    measure: Measure,
    bytes: i64,
    reset: Reset,
}

/// The names of a limit's fields.
struct Names {
    reset: &'static str,
    limit: &'static str,
    unit: &'static str,
    every: &'static str,
    day_of_month: &'static str,
    day_of_week: &'static str,
    second: &'static str,
}

const BANDWIDTH: Names = Names {
    reset: "bandwidthReset",
    limit: "bandwidthResetLimit",
    unit: "bandwidthResetUnitData",
    every: "bandwidthResetEvery",
    day_of_month: "bandwidthResetEveryValue",
    day_of_week: "bandwidthResetEveryValueDay",
    second: "bandwidthReset2",
};

const VENDOR: Names = Names {
    reset: "vendorReset",
    limit: "vendorResetLimit",
    unit: "vendorResetUnitData",
    every: "vendorResetEvery",
    day_of_month: "vendorResetEveryValue",
    day_of_week: "vendorResetEveryValueDay",
    second: "vendorReset2",
};

/// `None` where there is no limit: `always`. A day is needed only where it is the week's or the month's (J18).
fn limit(call: &mut Call, names: &Names) -> Option<Limit> {
    let body = &mut call.body;
    let reset = body.required(names.reset, word(RESETS));
    let exclude_upload = body.optional("excludeUpload", boolean).or(false);
    if reset == "always" || reset.is_empty() {
        return None;
    }
    let limit = body.required(names.limit, integer(1, 9_000_000));
    let unit = body.required(names.unit, word(&["mb", "gb"]));
    let every = body.required(names.every, word(EVERY));
    // Beyond the limit the second set counts always: the document knows nothing else.
    body.required(names.second, word(&["always"]));
    let reset_at = match every {
        "daily" => Reset::Daily,
        "weekly" => Reset::Weekly { day: body.required(names.day_of_week, integer(0, 6)) as u8 },
        "monthly" => Reset::Monthly { day: body.required(names.day_of_month, integer(1, 31)) as u8 },
        "billing" => Reset::Period,
        _ => Reset::Never,
    };
    let measure = match (reset, exclude_upload) {
        ("uploadDownload", _) => Measure::Either,
        (_, true) => Measure::Down,
        (_, false) => Measure::Total,
    };
    let bytes = limit.saturating_mul(if unit == "gb" { 1_000_000_000 } else { 1_000_000 });
    Some(Limit { measure, bytes, reset: reset_at })
}

/// E28 A user's own bandwidth, with a second one beyond a limit; without `bandwidthRestriction` the group's again.
pub async fn bandwidth(State(app): State<App>, mut call: Call) -> Answer {
    let user = CustomerId(call.body.required("userId", id));
    let on = call.body.optional("bandwidthRestriction", boolean).or(false);
    const DONE: &str = "Profile values overriden for user";
    if !on {
        call.body.finish()?;
        same_limit(&app, &call, user, None).await?;
        let edit = Edit { speed: Some(None), fair_use: Some(None), ..Edit::default() };
        change::update(&app, &call.actor, user, edit).await?;
        return Ok(Reply::message(DONE));
    }
    let limit = limit(&mut call, &BANDWIDTH);
    let first = BandwidthId(call.body.required("bandwidthTemplate", id));
    let second = match limit {
        Some(_) => Some(BandwidthId(call.body.required("bandwidthTemplate2", id))),
        None => None,
    };
    let carry_forward = call.body.optional("carryForwardPreviousData", boolean).or(false);
    call.body.finish()?;
    same_limit(&app, &call, user, limit.as_ref().map(|limit| limit.bytes)).await?;
    let chosen = match limit.zip(second) {
        // "Always" means no limit, not even the group's.
        None => Chosen::Exempt,
        Some((limit, second)) => Chosen::Own(Draft {
            measure: limit.measure,
            reset: limit.reset,
            carry_forward,
            tiers: vec![(limit.bytes, second)],
            windows: Vec::new(),
        }),
    };
    let edit = Edit { speed: Some(Some(first)), fair_use: Some(Some(chosen)), ..Edit::default() };
    change::update(&app, &call.actor, user, edit).await?;
    Ok(Reply::message(DONE))
}

/// A line has one policy: attributes that change beyond a limit keep it, so that another one for the bandwidth is refused
/// rather than put in its place.
async fn same_limit(app: &App, call: &Call, user: CustomerId, wanted: Option<i64>) -> Result<(), Failure> {
    match attribute_stages::limit(app, &call.actor, user).await? {
        Some(bytes) if wanted != Some(bytes) => Err(Failure::said(format!(
            "The user's vendor attributes change beyond {bytes} bytes: give both overrides the same limit, or take \
             that one away first"
        ))),
        _ => Ok(()),
    }
}

/// A list of objects, as a form or JSON writes it.
fn objects(value: &Value) -> Result<Vec<Value>, Why> {
    let items: Vec<Value> = match value {
        Value::Array(items) => items.clone(),
        Value::Object(items) if items.keys().all(|name| name.bytes().all(|b| b.is_ascii_digit())) => {
            items.values().cloned().collect()
        }
        _ => return Err(Why::NotAList),
    };
    match items.len() {
        0 => Err(Why::Required),
        n if n > MAX_ATTRIBUTES => Err(Why::Not(Expected::ListOf { most: 50, what: Items::Attributes })),
        _ if items.iter().all(Value::is_object) => Ok(items),
        _ => Err(Why::Not(Expected::AttributeList)),
    }
}

fn text(item: &Value, name: &str) -> Result<String, Failure> {
    let told = |what: &str| Failure::said(format!("The {name} of an attribute {what}."));
    match short(&item[name]) {
        Ok(text) if !text.is_empty() => Ok(text),
        Ok(_) => Err(told("is required")),
        Err(_) if item[name].is_null() => Err(told("is required")),
        Err(_) => Err(told("must be text without control characters")),
    }
}

/// An attribute that the dictionary knows, with a value of its kind.
fn known(name: &str, value: &str) -> Result<(), Failure> {
    let entry = dictionary::by_name(name);
    let entry = entry.ok_or_else(|| Failure::said(format!("{name} is in no dictionary")))?;
    dictionary::encode(entry, value).map_err(|error| Failure::said(error.to_string()))?;
    Ok(())
}

/// Attributes of one stage, checked (J20). A check compares with the request; a reply has nothing to compare with.
fn vendor_data(items: Vec<Value>) -> Result<Vec<NewAttribute>, Failure> {
    let mut attributes = Vec::with_capacity(items.len());
    for item in &items {
        let kind = text(item, "type")?.to_ascii_lowercase();
        let name = text(item, "attribute")?;
        let op = text(item, "equals")?;
        text(item, "vendor")?;
        if !OPERATORS.contains(&op.as_str()) {
            return Err(Failure::said(format!("{op} is no operator")));
        }
        let op = match (kind.as_str(), op.as_str()) {
            ("check", "=" | ":=") => "==",
            ("check", "!") => "!*",
            ("check", "+=") => return Err(Failure::said("A check compares: += does not")),
            ("check", compares) => compares,
            ("reply", "==") => "=",
            ("reply", "=" | ":=" | "+=") => op.as_str(),
            ("reply", _) => return Err(Failure::said("A reply is set with =, := or += only")),
            _ => return Err(Failure::said("The type of an attribute must be reply or check.")),
        };
        let value = match Compare::from_word(op) {
            Some(Compare::Present | Compare::Absent) => {
                dictionary::by_name(&name).ok_or_else(|| Failure::said(format!("{name} is in no dictionary")))?;
                short(&item["value"]).unwrap_or_default()
            }
            Some(Compare::Matches | Compare::MatchesNot) => {
                dictionary::by_name(&name).ok_or_else(|| Failure::said(format!("{name} is in no dictionary")))?;
                let pattern = text(item, "value")?;
                if !is_understood(op, &pattern) {
                    let form = "plain characters, `.`, `*`, `^` and `$`, at most 64";
                    return Err(Failure::said(format!("{pattern} is no pattern: it may have {form}")));
                }
                pattern
            }
            _ => {
                let value = text(item, "value")?;
                known(&name, &value)?;
                value
            }
        };
        attributes.push(NewAttribute { attribute: name, op: op.into(), value });
    }
    Ok(attributes)
}

/// E30 A user's own attributes, with others beyond a limit; without `vendorRestriction` none.
pub async fn attributes(State(app): State<App>, mut call: Call) -> Answer {
    let user = CustomerId(call.body.required("userId", id));
    let on = call.body.optional("vendorRestriction", boolean).or(false);
    const DONE: &str = "Profile vendor attributes values overriden for user";
    if !on {
        call.body.finish()?;
        attribute_stages::attributes(&app, &call.actor, user, Vec::new(), None).await?;
        return Ok(Reply::message(DONE));
    }
    let limit = limit(&mut call, &VENDOR);
    let first = call.body.required("vendorData", objects);
    let second = if limit.is_some() { call.body.required("vendorData1", objects) } else { Vec::new() };
    call.body.finish()?;
    let (first, second) = (vendor_data(first)?, vendor_data(second)?);
    let beyond = limit.map(|limit| attribute_stages::Beyond {
        measure: limit.measure,
        bytes: limit.bytes,
        reset: limit.reset,
        attributes: second,
    });
    attribute_stages::attributes(&app, &call.actor, user, first, beyond).await?;
    Ok(Reply::message(DONE))
}

/// E31 Say attributes to a user's router; its own word on each session (J19), at most five seconds later.
pub async fn coa(State(app): State<App>, mut call: Call) -> Answer {
    let user = CustomerId(call.body.required("userId", id));
    let items = call.body.required("vendorData", objects);
    call.body.finish()?;
    let mut said = Vec::with_capacity(items.len());
    for item in &items {
        let (name, value) = (text(item, "attribute")?, text(item, "value")?);
        known(&name, &value)?;
        said.push((name, value));
    }
    let words = orders::say(&app, &call.actor, user, said).await?;
    // Where there is no session there is nobody to say yes.
    let words = if words.is_empty() { vec![false] } else { words };
    let words = words.into_iter().map(|yes| Value::from(if yes { "TRUE" } else { "FALSE" }));
    Ok(Reply::message(words.collect::<Value>()))
}
