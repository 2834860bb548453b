//! Work that follows from a change, as types: what is to be done, in which queue, how it is stored and read back. And what
//! came of it, as it is stored: said by doors.
//!
//! | queue     | kinds                                                                                   |
//! |-----------|-----------------------------------------------------------------------------------------|
//! | `network` | `converge`, `converge_plan`, `converge_bandwidth`, `converge_session`, `turn_away`, `say` |

use domain::{BandwidthId, PlanId, ServiceId, SessionId};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use store::kernel::job::Job;

/// Of the payloads; a row of another version was written by a build that is not this one.
pub const VERSION: i64 = 1;
/// Orders to routers.
pub const NETWORK: &str = "network";

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Work {
    /// A line's live sessions get what it may have now, or end.
    Converge {
        line: ServiceId,
        disconnect: bool,
        touched: Option<Touched>,
    },
    /// Those of everybody on a plan.
    ConvergePlan(PlanId),
    /// Those of everybody with this rate.
    ConvergeBandwidth(BandwidthId),
    ConvergeSession {
        session: SessionId,
        disconnect: bool,
    },
    /// Sessions that are nobody's, of one name and device, end.
    TurnAway {
        name: String,
        mac: Option<String>,
    },
    /// Somebody waits for what the routers of a line's sessions answer to these attributes.
    Say {
        line: ServiceId,
        attributes: Vec<(String, String)>,
    },
}

/// A subscriber's own attributes that a change is about.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Touched {
    /// The names of those that replies say.
    pub replies: Vec<String>,
    /// Whether what a login must meet has changed.
    pub checks: bool,
}

impl Work {
    /// A line's sessions follow it.
    pub fn follow(line: ServiceId) -> Work {
        Work::Converge { line, disconnect: false, touched: None }
    }

    /// A line's sessions end; what may log in again may do so.
    pub fn hang_up(line: ServiceId) -> Work {
        Work::Converge { line, disconnect: true, touched: None }
    }

    pub fn queue(&self) -> &'static str {
        match self {
            Work::Converge { .. }
            | Work::ConvergePlan(_)
            | Work::ConvergeBandwidth(_)
            | Work::ConvergeSession { .. }
            | Work::TurnAway { .. }
            | Work::Say { .. } => NETWORK,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Work::Converge { .. } => "converge",
            Work::ConvergePlan(_) => "converge_plan",
            Work::ConvergeBandwidth(_) => "converge_bandwidth",
            Work::ConvergeSession { .. } => "converge_session",
            Work::TurnAway { .. } => "turn_away",
            Work::Say { .. } => "say",
        }
    }

    /// As it is stored.
    pub fn payload(&self) -> Json {
        match self {
            Work::Converge { line, disconnect: false, touched: None } => json!({ "service": line.0 }),
            Work::Converge { line, disconnect: true, touched: None } => {
                json!({ "service": line.0, "disconnect": true })
            }
            Work::Converge { line, disconnect: false, touched: Some(touched) } => {
                json!({ "service": line.0, "touched": touched })
            }
            Work::Converge { line, disconnect: true, touched: Some(touched) } => {
                json!({ "service": line.0, "disconnect": true, "touched": touched })
            }
            Work::ConvergePlan(plan) => json!({ "plan": plan.0 }),
            Work::ConvergeBandwidth(bandwidth) => json!({ "bandwidth": bandwidth.0 }),
            Work::ConvergeSession { session, disconnect } => json!({ "session": session.0, "disconnect": disconnect }),
            Work::TurnAway { name, mac } => json!({ "name": name, "mac": mac, "disconnect": true }),
            Work::Say { line, attributes } => json!({ "service": line.0, "attributes": attributes }),
        }
    }

    /// What a row orders; `None`: no build up to this one wrote it so.
    pub fn read(row: &Job) -> Option<Work> {
        if row.version != VERSION {
            return None;
        }
        let payload: Json = serde_json::from_str(&row.payload).ok()?;
        let id = |name: &str| payload[name].as_i64();
        let disconnect = payload["disconnect"].as_bool().unwrap_or(false);
        Some(match (row.queue.as_str(), row.kind.as_str()) {
            (NETWORK, "converge") => Work::Converge {
                line: ServiceId(id("service")?),
                disconnect,
                touched: serde_json::from_value(payload["touched"].clone()).ok(),
            },
            (NETWORK, "converge_plan") => Work::ConvergePlan(PlanId(id("plan")?)),
            (NETWORK, "converge_bandwidth") => Work::ConvergeBandwidth(BandwidthId(id("bandwidth")?)),
            (NETWORK, "converge_session") => Work::ConvergeSession { session: SessionId(id("session")?), disconnect },
            (NETWORK, "turn_away") => Work::TurnAway {
                name: payload["name"].as_str()?.into(),
                mac: payload["mac"].as_str().map(String::from),
            },
            (NETWORK, "say") => Work::Say {
                line: ServiceId(id("service")?),
                attributes: serde_json::from_value(payload["attributes"].clone()).ok()?,
            },
            _ => return None,
        })
    }
}

/// What came of a job.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// How many sessions' routers answered so.
    Answered { acknowledged: usize, refused: usize, unanswered: usize },
    /// Whether each session's router acknowledged, where somebody waits for it.
    Said(Vec<bool>),
    /// The payload is not of this build.
    NotUnderstood,
    /// Told by an older build, in words.
    #[serde(skip)]
    Words(String),
}

impl Outcome {
    /// As it is stored.
    pub fn stored(&self) -> String {
        match self {
            Outcome::Words(words) => words.clone(),
            outcome => serde_json::to_string(outcome).unwrap_or_default(),
        }
    }

    pub fn read(stored: &str) -> Outcome {
        serde_json::from_str(stored).unwrap_or_else(|_| Outcome::Words(stored.into()))
    }
}
