//! Stories of one router and one line, without sockets and clocks.

use domain::Mac;
use radius::{
    Writer,
    attribute::{self, vendor::MIKROTIK},
    auth::{Credentials, Known, Proof},
    authenticator,
    client::Draft,
    dictionary,
};

use super::{requests::PATIENCE_S, *};
use crate::simulate::line::{Habit, Method};

const SECRET: &str = "testing123";
const START: Instant = Instant(1_900_000_000 * SECOND);

fn nas(method: Method, habit: Habit) -> Nas {
    let line = Line {
        username: "amina".into(),
        password: "welcome1".into(),
        method,
        mac: Mac([2, 0, 0, 0, 0, 1]),
        habit,
        appetite: 1.0,
    };
    let config = Config {
        name: "north".into(),
        address: Ipv4Addr::new(127, 0, 2, 1),
        secret: Secret::new(SECRET),
        pools: vec![("homes".into(), Ipv4Addr::new(10, 1, 0, 5), Ipv4Addr::new(10, 1, 0, 9))],
        port_type: PORT_VIRTUAL,
        zone: TimeZone::UTC,
        lines: vec![line],
        ramp_s: 1.0,
    };
    Nas::new(config, 7, START)
}

/// The server's side: a packet in, the signed answer out.
fn answer(request: &[u8], code: Code, fill: impl FnOnce(&mut Writer<Vec<u8>>)) -> Vec<u8> {
    let packet = Packet::parse(request).unwrap();
    let mut writer = Writer::new(vec![0; 4096], code, packet.id());
    fill(&mut writer);
    authenticator::sign_response(writer.bytes_mut(), packet.authenticator(), None, &Secret::new(SECRET));
    writer.bytes().to_vec()
}

fn accept(request: &[u8]) -> Vec<u8> {
    let packet = Packet::parse(request).unwrap();
    let credentials = Credentials::of(&packet, &Secret::new(SECRET));
    let proof = credentials.verify(b"amina", Known::Clear(b"welcome1"));
    answer(request, Code::AccessAccept, |writer| {
        match proof {
            Proof::Right => {}
            Proof::RightMsChapV2(success) => {
                let mut value = vec![success.ident];
                value.extend(success.authenticator_response);
                writer.put_vendor(MICROSOFT, MS_CHAP2_SUCCESS, &value).unwrap();
            }
            Proof::Wrong | Proof::NeedsClearText | Proof::Unsupported => panic!("the proof is wrong"),
        }
        writer.put_vendor_text(MIKROTIK, 8, "5M/10M").unwrap();
        writer.put_text(attribute::FRAMED_POOL, "homes").unwrap();
        writer.put_u32(attribute::ACCT_INTERIM_INTERVAL, 60).unwrap();
        writer.put_u32(attribute::SESSION_TIMEOUT, 300).unwrap();
        writer.put(attribute::CLASS, b"c").unwrap();
    })
}

/// Answers everything sent, moves on to the next moment, and says in words what was sent.
fn story(nas: &mut Nas, now: &mut Instant, until: Instant) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(due) = nas.due().filter(|due| *due <= until) {
        *now = due.max(*now);
        let mut out = Out::new();
        nas.turn(*now, &mut out);
        told.extend(exchange(nas, *now, out));
    }
    told
}

fn exchange(nas: &mut Nas, now: Instant, mut out: Out) -> Vec<String> {
    let mut told = Vec::new();
    while !out.is_empty() {
        for (port, bytes) in std::mem::take(&mut out) {
            let packet = Packet::parse(&bytes).unwrap();
            let status = dictionary::by_name("Acct-Status-Type").unwrap();
            let word = |n: u32| status.name_of(n.into()).unwrap_or("?");
            told.push(match packet.u32(attribute::ACCT_STATUS_TYPE) {
                None => "Login".into(),
                Some(n) => match packet.u32(attribute::ACCT_TERMINATE_CAUSE) {
                    None => word(n).to_string(),
                    Some(cause) => format!("{} {cause}", word(n)),
                },
            });
            let reply = match port {
                Port::Auth => accept(&bytes),
                Port::Acct => answer(&bytes, Code::AccountingResponse, |_| {}),
            };
            nas.answered(now, port, &reply, &mut out);
        }
    }
    told
}

#[test]
fn a_session_keeps_its_interval_and_ends_at_its_timeout() {
    for method in [Method::Pap, Method::Chap, Method::MsChapV2] {
        let (mut nas, mut now) = (nas(method, Habit::Home), START);
        let told = story(&mut nas, &mut now, START.plus_seconds(330));
        // An interim is called Alive in the dictionaries.
        let expected = ["Login", "Start", "Alive", "Alive", "Alive", "Alive", "Stop 5", "Login", "Start"];
        assert_eq!(told, expected, "{method:?}");
        assert_eq!(nas.counts().online, 1);
    }
}

#[test]
fn counters_grow_at_a_share_of_the_rate() {
    let (mut nas, mut now) = (nas(Method::Pap, Habit::Home), START);
    story(&mut nas, &mut now, START.plus_seconds(200));
    nas.count(0, now);
    let Phase::Online(session) = &nas.phases[0] else { panic!("offline") };
    let at_full_rate = 10_000.0 * 125.0 * 200.0;
    assert!(session.down > 0.0 && session.down < at_full_rate, "{}", session.down);
    assert!(session.up > 0.0 && session.up < session.down);
    assert_eq!(session.address, Some(Ipv4Addr::new(10, 1, 0, 5)));
}

#[test]
fn orders_are_obeyed_and_unknown_sessions_refused() {
    let (mut nas, mut now) = (nas(Method::Pap, Habit::Home), START);
    story(&mut nas, &mut now, START.plus_seconds(30));
    let secret = Secret::new(SECRET);
    let order = |mut draft: Draft, name: &str| {
        draft.put_text(attribute::USER_NAME, name).unwrap();
        draft.put_vendor_text(MIKROTIK, 8, "1M/2M").unwrap();
        draft.sign(&secret).bytes().to_vec()
    };
    let mut give = |bytes: &[u8], secret: &str| {
        let mut out = Out::new();
        let reply = nas.ordered(now, bytes, &mut out);
        let reply = reply.map(|reply| {
            let packet = Packet::parse(&reply).unwrap();
            format!("{} {:?}", packet.code().name(), packet.u32(attribute::ERROR_CAUSE))
        });
        let sent = exchange(&mut nas, now, out).join(", ");
        assert_eq!(secret, SECRET);
        (reply.unwrap_or("silence".into()), sent)
    };
    let told = |(reply, sent): (String, String)| format!("{reply}; {sent}");
    assert_eq!(told(give(&order(Draft::coa(1), "amina"), SECRET)), "CoA-ACK None; ");
    assert_eq!(told(give(&order(Draft::coa(2), "nobody"), SECRET)), "CoA-NAK Some(503); ");
    assert_eq!(told(give(&order(Draft::disconnect(3), "AMINA"), SECRET)), "Disconnect-ACK None; Stop 6");
    assert_eq!(told(give(&order(Draft::disconnect(3), "amina"), SECRET)), "Disconnect-NAK Some(503); ");
    let forged = order(Draft::disconnect(4), "amina").iter().map(|byte| byte ^ 1).collect::<Vec<_>>();
    assert_eq!(told(give(&forged, SECRET)), "silence; ");
}

#[test]
fn silence_is_met_with_the_same_bytes_and_then_a_fresh_try() {
    let mut nas = nas(Method::Pap, Habit::Home);
    let (mut sent, mut until) = (Vec::new(), START.plus_seconds(33));
    while let Some(due) = nas.due().filter(|due| *due <= until) {
        let mut out = Out::new();
        nas.turn(due, &mut out);
        sent.extend(out.into_iter().map(|(_, bytes)| bytes));
        until = START.plus_seconds(33);
    }
    assert_eq!(sent.len(), PATIENCE_S.len());
    assert!(sent.iter().all(|bytes| *bytes == sent[0]));
    let mut out = Out::new();
    while out.is_empty() {
        let due = nas.due().unwrap();
        nas.turn(due, &mut out);
    }
    assert_ne!(out[0].1, sent[0]);
    assert_eq!(nas.counts().unanswered, 1);
}

#[test]
fn a_router_that_goes_down_says_so_for_everybody() {
    let (mut nas, mut now) = (nas(Method::Pap, Habit::Home), START);
    story(&mut nas, &mut now, START.plus_seconds(30));
    let mut out = Out::new();
    nas.goes_down(now, &mut out);
    assert_eq!(exchange(&mut nas, now, out), ["Stop 11"]);
    assert_eq!((nas.unanswered(), nas.counts().online, nas.due()), (0, 0, None));
}
