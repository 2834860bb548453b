//! Both servers over loopback, asked by our own client.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use radius::attribute::{self, vendor};
use radius::auth::{Known, Proof};
use radius::client::{Draft, Exchange, Outcome, Signed};
use radius::das::Das;
use radius::policy::Policy;
use radius::server::{
    AcctRequest, Client, Clients, Config, Handler, Held, Queue, Reply, Request, Responder, Running, Snapshot, Verdict,
    access, accounting,
};
use radius::{Code, Packet, Secret};

const WAIT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_millis(150);

#[derive(Clone)]
struct One(Arc<Client>);

impl Clients for One {
    fn find(&self, source: SocketAddr, packet: &Packet<'_>) -> Option<&Arc<Client>> {
        assert!(source.ip().is_loopback());
        (packet.text(attribute::NAS_IDENTIFIER) != Some("stranger")).then_some(&self.0)
    }
}

struct Desk {
    calls: u32,
}

impl Handler for Desk {
    fn access(&mut self, request: &Request<'_>, reply: &mut Reply<'_>) -> Verdict {
        self.calls += 1;
        let name = request.packet.find(attribute::USER_NAME).unwrap_or_default();
        match (name, request.credentials().verify(name, Known::Clear(b"secret"))) {
            (b"silent", _) => return Verdict::Silent,
            (b"panic", _) => panic!("on purpose"),
            (b"long", _) => while reply.put(attribute::CLASS, &[1; 100]).is_ok() {},
            (_, Proof::Right) => reply.put_u32(attribute::SESSION_TIMEOUT, self.calls).unwrap(),
            (_, Proof::RightMsChapV2(success)) => reply.put_mschap_success(&success).unwrap(),
            _ => {
                reply.put_text(attribute::REPLY_MESSAGE, "no").unwrap();
                return if name == b"later" { Verdict::RejectAfter(60) } else { Verdict::Reject };
            }
        }
        Verdict::Accept
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn clients(policy: Policy) -> One {
    One(Arc::new(Client::new(1, "s3cret", policy)))
}

fn auth_server(policy: Policy) -> Running {
    access::start(Config::new(loopback()), clients(policy), |_| Desk { calls: 0 }).unwrap()
}

/// A NAS: one socket, which says what it heard.
struct Nas {
    socket: UdpSocket,
    secret: Secret,
}

impl Nas {
    fn of(server: &Running) -> Nas {
        let socket = UdpSocket::bind(loopback()).unwrap();
        socket.connect(server.local_addr()).unwrap();
        Nas { socket, secret: Secret::new("s3cret") }
    }

    fn ask(&self, bytes: &[u8], wait: Duration) -> Option<Vec<u8>> {
        self.socket.send(bytes).unwrap();
        self.hear(wait)
    }

    fn hear(&self, wait: Duration) -> Option<Vec<u8>> {
        self.socket.set_read_timeout(Some(wait)).unwrap();
        let mut buffer = [0u8; 4096];
        self.socket.recv(&mut buffer).ok().map(|n| buffer[..n].to_vec())
    }

    fn login(&self, name: &str, password: &str) -> Signed {
        let mut draft = Draft::access(1);
        draft.pap(name, password.as_bytes(), &self.secret).unwrap();
        draft.sign(&self.secret)
    }
}

fn accounting_request(id: u8, secret: &Secret) -> Signed {
    let mut draft = Draft::accounting(id);
    draft.put_u32(attribute::ACCT_STATUS_TYPE, attribute::acct_status::START).unwrap();
    draft.put(attribute::PROXY_STATE, &[id]).unwrap();
    draft.sign(secret)
}

#[test]
fn a_repeated_login_gets_the_same_bytes() {
    let server = auth_server(Policy::Require);
    let nas = Nas::of(&server);
    let request = nas.login("ali", "secret");
    let first = nas.ask(request.bytes(), WAIT).unwrap();
    let packet = request.verify(&first, &nas.secret).unwrap();
    assert_eq!((packet.code(), packet.u32(attribute::SESSION_TIMEOUT)), (Code::AccessAccept, Some(1)));
    assert_eq!(packet.attributes().next().unwrap().kind, attribute::MESSAGE_AUTHENTICATOR);
    assert_eq!(nas.ask(request.bytes(), WAIT).unwrap(), first);
    let second = nas.ask(nas.login("ali", "secret").bytes(), WAIT).unwrap();
    assert_eq!(Packet::parse(&second).unwrap().u32(attribute::SESSION_TIMEOUT), Some(2), "decided anew");
    assert_eq!(server.counters().duplicates, 1);
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[test]
fn silence_and_its_reasons() {
    type Count = fn(&Snapshot) -> u64;
    let server = auth_server(Policy::Require);
    let nas = Nas::of(&server);
    let good = nas.login("ali", "secret");
    let mut stranger = Draft::access(1);
    stranger.put_text(attribute::NAS_IDENTIFIER, "stranger").unwrap();
    let mut bare = Draft::without_message_authenticator(Code::AccessRequest, 1);
    bare.pap("ali", b"secret", &nas.secret).unwrap();
    let rows: [(&str, Vec<u8>, Count); 9] = [
        ("wrong secret", Draft::access(2).sign(&Secret::new("other")).bytes().into(), |c| c.bad_message_authenticator),
        ("no Message-Authenticator", bare.sign(&nas.secret).bytes().into(), |c| c.missing_message_authenticator),
        ("stranger", stranger.sign(&nas.secret).bytes().into(), |c| c.unknown_client),
        ("cut", good.bytes()[..30].into(), |c| c.malformed),
        ("empty", vec![], |c| c.malformed),
        ("accounting here", accounting_request(1, &nas.secret).bytes().into(), |c| c.unknown_code),
        ("an answer", [&[2], &good.bytes()[1..]].concat(), |c| c.unknown_code),
        ("panic", nas.login("panic", "").bytes().into(), |c| c.panics),
        ("handler", nas.login("silent", "secret").bytes().into(), |c| c.silent),
    ];
    for (what, bytes, _) in &rows {
        nas.socket.send(bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
    }
    // One that is answered, after all of them: what came before it was not.
    let heard = nas.ask(good.bytes(), WAIT).unwrap();
    assert!(good.verify(&heard, &nas.secret).is_ok());
    // The answer is counted a moment after it has left.
    let deadline = Instant::now() + WAIT;
    while server.counters().answered == 0 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let counted = server.counters();
    for (what, _, count) in rows {
        assert!(count(&counted) >= 1, "{what}: {counted:?}");
    }
    assert_eq!((counted.malformed, counted.unknown_code, counted.answered), (2, 2, 1));
}

#[test]
fn a_router_is_learnt_to_sign() {
    let server = auth_server(Policy::Learn { seen: false });
    let nas = Nas::of(&server);
    let bare = || {
        let mut draft = Draft::without_message_authenticator(Code::AccessRequest, 3);
        draft.pap("ali", b"secret", &nas.secret).unwrap();
        draft.sign(&nas.secret)
    };
    assert!(nas.ask(bare().bytes(), WAIT).is_some());
    assert!(nas.ask(nas.login("ali", "secret").bytes(), WAIT).is_some());
    assert!(nas.ask(bare().bytes(), SILENCE).is_none());
    assert_eq!(server.counters().missing_message_authenticator, 1);
}

#[test]
fn proxy_state_comes_back_in_order_even_when_the_answer_is_full() {
    let server = auth_server(Policy::Require);
    let nas = Nas::of(&server);
    for name in ["ali", "long"] {
        let mut draft = Draft::access(1);
        draft.pap(name, b"secret", &nas.secret).unwrap();
        draft.put(attribute::PROXY_STATE, &[1; 250]).unwrap();
        draft.put(attribute::PROXY_STATE, &[2; 253]).unwrap();
        let request = draft.sign(&nas.secret);
        let heard = nas.ask(request.bytes(), WAIT).unwrap();
        let answer = request.verify(&heard, &nas.secret).unwrap();
        let states: Vec<&[u8]> = answer.find_all(attribute::PROXY_STATE).collect();
        assert_eq!(states, [&[1u8; 250][..], &[2u8; 253][..]], "{name}");
    }
}

#[test]
fn a_delayed_reject_holds_up_nobody() {
    let server = auth_server(Policy::Require);
    let nas = Nas::of(&server);
    let (later, began) = (nas.login("later", "wrong"), Instant::now());
    nas.socket.send(later.bytes()).unwrap();
    nas.socket.send(later.bytes()).unwrap();
    let other = Nas::of(&server);
    assert!(other.ask(other.login("ali", "secret").bytes(), WAIT).is_some());
    let heard = nas.hear(WAIT).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(60));
    assert_eq!(later.verify(&heard, &nas.secret).unwrap().code(), Code::AccessReject);
    assert_eq!(server.counters().duplicates_in_progress, 1);
    assert_eq!(nas.ask(later.bytes(), WAIT).unwrap(), heard, "and then it is cached");
}

#[test]
fn no_more_is_held_back_than_may_be() {
    let mut config = Config::new(loopback());
    config.held = Held { in_all: 3, per_client: 2 };
    let server = access::start(config, clients(Policy::Require), |_| Desk { calls: 0 }).unwrap();
    let asked: Vec<(Nas, Signed)> = (0..4)
        .map(|_| Nas::of(&server))
        .map(|nas| {
            let request = nas.login("later", "wrong");
            nas.socket.send(request.bytes()).unwrap();
            (nas, request)
        })
        .collect();
    for (nas, request) in &asked {
        let heard = nas.hear(WAIT).unwrap();
        assert_eq!(request.verify(&heard, &nas.secret).unwrap().code(), Code::AccessReject);
    }
    let counted = server.counters();
    assert_eq!((counted.held, counted.held_full, counted.held_released), (2, 2, 2), "what found no room left at once");
}

#[test]
fn chap_and_mschapv2_log_in() {
    let server = auth_server(Policy::Require);
    let nas = Nas::of(&server);
    let mut chap = Draft::access(1);
    chap.chap("ali", b"secret").unwrap();
    let chap = chap.sign(&nas.secret);
    assert_eq!(chap.verify(&nas.ask(chap.bytes(), WAIT).unwrap(), &nas.secret).unwrap().code(), Code::AccessAccept);
    let mut mschap = Draft::access(2);
    let expected = mschap.mschapv2("ali", b"secret").unwrap();
    let mschap = mschap.sign(&nas.secret);
    let heard = nas.ask(mschap.bytes(), WAIT).unwrap();
    let answer = mschap.verify(&heard, &nas.secret).unwrap();
    assert_eq!(&answer.vendor(vendor::MICROSOFT, 26).unwrap()[1..], expected);
    assert_eq!(answer.vendor(vendor::MICROSOFT, 16).unwrap().len(), 34);
}

#[test]
fn status_server_is_answered_on_both_ports() {
    let queue = Queue::new(8);
    let auth = auth_server(Policy::Legacy);
    let acct = accounting::start(Config::new(loopback()), clients(Policy::Legacy), queue).unwrap();
    for (server, code) in [(&auth, Code::AccessAccept), (&acct, Code::AccountingResponse)] {
        let exchange = Exchange::to(server.local_addr(), Secret::new("s3cret")).unwrap();
        match exchange.run(&Draft::status(5).sign(exchange.secret())).unwrap() {
            Outcome::Ack(answer) => assert_eq!(answer.code(), code),
            other => panic!("{other:?}"),
        }
        let nas = Nas::of(server);
        let bare = Draft::without_message_authenticator(Code::StatusServer, 6).sign(&nas.secret);
        assert!(nas.ask(bare.bytes(), SILENCE).is_none(), "RFC 5997 §3: Message-Authenticator is needed");
    }
}

fn take(queue: &Queue, max: usize) -> Vec<AcctRequest> {
    let mut out = Vec::new();
    queue.take(max, WAIT, Duration::ZERO, &mut out);
    out
}

#[test]
fn accounting_is_answered_when_it_is_recorded() {
    let queue = Queue::new(8);
    let server = accounting::start(Config::new(loopback()), clients(Policy::Require), queue.clone()).unwrap();
    let nas = Nas::of(&server);
    let request = accounting_request(1, &nas.secret);
    nas.socket.send(request.bytes()).unwrap();
    let recorded = take(&queue, 8);
    assert_eq!(recorded[0].packet().u32(attribute::ACCT_STATUS_TYPE), Some(1));
    assert!(nas.ask(request.bytes(), SILENCE).is_none(), "in progress");
    Responder::new().answer_all(&recorded);
    let heard = nas.hear(WAIT).unwrap();
    let answer = request.verify(&heard, &nas.secret).unwrap();
    assert_eq!((answer.code(), answer.find(attribute::PROXY_STATE)), (Code::AccountingResponse, Some(&[1u8][..])));
    drop(recorded);
    assert_eq!(nas.ask(request.bytes(), WAIT).unwrap(), heard, "a repetition gets the same bytes");
    let wrong = accounting_request(2, &Secret::new("other"));
    assert!(nas.ask(wrong.bytes(), SILENCE).is_none());
    let counted = server.counters();
    assert_eq!((counted.duplicates_in_progress, counted.duplicates, counted.bad_authenticator), (1, 1, 1));
}

#[test]
fn the_oldest_waiting_is_dropped_first_and_may_come_again() {
    let queue = Queue::new(2);
    let server = accounting::start(Config::new(loopback()), clients(Policy::Require), queue.clone()).unwrap();
    let nas = Nas::of(&server);
    let requests: Vec<Signed> = (0..4).map(|id| accounting_request(id, &nas.secret)).collect();
    for request in &requests {
        nas.socket.send(request.bytes()).unwrap();
    }
    // Status-Server goes the same way and is answered at once: all four have arrived.
    assert!(nas.ask(Draft::status(99).sign(&nas.secret).bytes(), WAIT).is_some());
    let waiting = take(&queue, 8);
    let ids: Vec<u8> = waiting.iter().map(|request| request.packet().id()).collect();
    assert_eq!((ids, server.counters().queue_full), (vec![2, 3], 2));
    nas.socket.send(requests[0].bytes()).unwrap();
    let again = take(&queue, 8);
    assert_eq!(again[0].packet().id(), 0);
    let mut responder = Responder::new();
    responder.answer(&again[0]);
    responder.answer(&again[0]);
    assert!(requests[0].verify(&nas.hear(WAIT).unwrap(), &nas.secret).is_ok());
    assert!(nas.hear(SILENCE).is_none(), "answered once");
}

#[test]
fn what_waited_too_long_is_skipped() {
    struct Slow;
    impl Handler for Slow {
        fn access(&mut self, _: &Request<'_>, _: &mut Reply<'_>) -> Verdict {
            // Twenty milliseconds of work: the rest of the burst grows old meanwhile.
            let until = Instant::now() + Duration::from_millis(20);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            Verdict::Accept
        }
    }
    let mut config = Config::new(loopback());
    config.max_age_ms = 200;
    let server = access::start(config, clients(Policy::Require), |_| Slow).unwrap();
    let nas = Nas::of(&server);
    for id in 0..=255u8 {
        nas.socket.send(Draft::access(id).sign(&nas.secret).bytes()).unwrap();
    }
    // However slow this machine is: until every one is answered or counted as too old.
    let (mut heard, deadline) = (0, Instant::now() + Duration::from_secs(60));
    while server.counters().too_old + heard < 256 && Instant::now() < deadline {
        heard += u64::from(nas.hear(SILENCE).is_some());
    }
    let counted = server.counters();
    assert!(counted.too_old > 0 && heard > 0, "{counted:?}");
    assert_eq!(counted.too_old + heard, 256);
}

#[test]
fn ipv6_wildcard_answers_from_the_address_asked() {
    let any = SocketAddr::from(([0u16; 8], 0));
    let Ok(server) = access::start(Config::new(any), clients(Policy::Require), |_| Desk { calls: 0 }) else { return };
    let port = server.local_addr().port();
    for target in [SocketAddr::from(([127, 0, 0, 77], port)), SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port))] {
        // A connected socket hears only the address it asked.
        let exchange = Exchange::to(target, Secret::new("s3cret")).unwrap();
        let outcome = exchange.run(&Draft::status(1).sign(exchange.secret())).unwrap();
        assert!(matches!(outcome, Outcome::Ack(_)), "{target}: {outcome:?}");
    }
}

#[test]
fn ipv4_wildcard_answers_from_the_address_asked() {
    let any = SocketAddr::from(([0, 0, 0, 0], 0));
    let server = access::start(Config::new(any), clients(Policy::Require), |_| Desk { calls: 0 }).unwrap();
    let target = SocketAddr::from(([127, 0, 0, 78], server.local_addr().port()));
    let exchange = Exchange::to(target, Secret::new("s3cret")).unwrap();
    let outcome = exchange.run(&Draft::status(1).sign(exchange.secret())).unwrap();
    assert!(matches!(outcome, Outcome::Ack(_)), "{outcome:?}");
}

#[test]
fn a_port_in_use_is_an_error() {
    let server = auth_server(Policy::Require);
    assert!(access::start(Config::new(server.local_addr()), clients(Policy::Require), |_| Desk { calls: 0 }).is_err());
}

#[test]
fn coa_is_asked_and_answered() {
    let das = Das::bind(loopback(), Secret::new("s3cret")).unwrap();
    let exchange = Exchange::to(das.local_addr().unwrap(), Secret::new("s3cret")).unwrap();
    let router = std::thread::spawn(move || {
        let first = das.receive(WAIT).unwrap().unwrap();
        assert_eq!(first.packet().vendor_text(vendor::MIKROTIK, 8), Some("2M/2M"));
        das.ack(&first).unwrap();
        let second = das.receive(WAIT).unwrap().unwrap();
        assert_eq!(second.code(), Code::DisconnectRequest);
        das.nak(&second, attribute::error_cause::SESSION_NOT_FOUND).unwrap();
        // The third is not answered: the same bytes come again.
        let third = das.receive(WAIT).unwrap().unwrap();
        let again = das.receive(WAIT).unwrap().unwrap();
        assert_eq!(third.packet().bytes(), again.packet().bytes());
        das.ack(&again).unwrap();
    });
    let mut coa = Draft::coa(1);
    coa.put_vendor_text(vendor::MIKROTIK, 8, "2M/2M").unwrap();
    assert!(matches!(exchange.run(&coa.sign(exchange.secret())).unwrap(), Outcome::Ack(_)));
    match exchange.run(&Draft::disconnect(2).sign(exchange.secret())).unwrap() {
        Outcome::Nak { error_cause, .. } => assert_eq!(error_cause, Some(503)),
        other => panic!("{other:?}"),
    }
    let exchange = exchange.with_patience(&[Duration::from_millis(100), WAIT]);
    assert!(matches!(exchange.run(&Draft::coa(3).sign(exchange.secret())).unwrap(), Outcome::Ack(_)));
    router.join().unwrap();
    let nobody = exchange.with_patience(&[Duration::from_millis(20)]);
    assert!(matches!(nobody.run(&Draft::coa(4).sign(nobody.secret())).unwrap(), Outcome::Timeout));
}
