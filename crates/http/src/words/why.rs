//! Why a line stands as it does, in sentences.

use service::reports::why::{Fact, Said, State, Through};

use super::{Local, bytes, event, fact, rate, reason};

/// How the line stands: "May log in: 10M down, 10M up".
pub fn state(state: &State) -> String {
    let speed = |rates: Option<domain::Bandwidth>| match rates {
        Some(rates) => rate(rates.down_kbps.into(), rates.up_kbps.into()),
        None => "as fast as the router gives".into(),
    };
    match &state.decision {
        Err(why) => format!("May not log in: {}", reason(*why)),
        Ok(grant) if grant.expired => format!("May log in, but only to pay: {}", speed(grant.bandwidth)),
        Ok(grant) if state.fair.level > 0 => format!("May log in, slowed down by fair use: {}", speed(grant.bandwidth)),
        Ok(grant) => format!("May log in: {}", speed(grant.bandwidth)),
    }
}

/// What happened, in one sentence.
pub fn said(what: &Fact, local: &Local<'_>) -> String {
    match &what.said {
        Said::Event { event: told, who } => event(told, who, local),
        Said::Fact { fact: told, who } => fact(told, who, local),
        Said::Refused { username, mac, reason: why } => {
            let device = mac.as_ref().map(|mac| format!(" from {mac}")).unwrap_or_default();
            format!("{username} was refused{device}: {}", reason(*why))
        }
        Said::Online { username } => format!("{username} came online through {}", through(&what.by)),
        Said::Offline { username, used, cause } => {
            format!("{username} went offline after {}: {}", bytes(*used), cause.replace('_', " "))
        }
    }
}

/// Through whom: "Asha (staff:3)", "api:12", "system", "router Westlands".
pub fn through(by: &Through) -> String {
    match by {
        Through::Actor { label, name: Some(name) } => format!("{name} ({label})"),
        Through::Actor { label, name: None } => label.clone(),
        Through::Router { name: Some(name), .. } => format!("router {name}"),
        Through::Router { id, name: None } => format!("router {id}"),
    }
}
