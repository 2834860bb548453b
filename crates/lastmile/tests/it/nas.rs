//! A router over real UDP: logs in, reports, and obeys (or not) on its CoA port.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use radius::{
    Code, Packet, Secret,
    attribute::{self, acct_status},
    client::Draft,
    das, dictionary,
};
use tokio::{net::UdpSocket, sync::Notify};

/// Long enough for a busy machine; nobody waits for it but a failing test.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so long without an answer a router asks again.
const REPEAT: Duration = Duration::from_secs(4);

pub struct Nas {
    /// Where its packets come from.
    source: IpAddr,
    auth: SocketAddr,
    acct: SocketAddr,
    secret: Secret,
    coa_port: u16,
    orders: Arc<Orders>,
}

struct Orders {
    /// Where they come to.
    socket: UdpSocket,
    said: Mutex<Vec<String>>,
    /// Answers that are kept back, and for whom; `None`: each goes at once.
    held: Mutex<Option<Vec<(Vec<u8>, SocketAddr)>>>,
    /// `Some(cause)`: refuse; `None`: obey.
    refuse: Mutex<Option<u32>>,
    news: Notify,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Pap,
    Chap,
    MsChapV2,
}

/// How a login looks from the router.
#[derive(Clone, Debug)]
pub struct Login<'a> {
    pub user: &'a str,
    pub password: &'a str,
    pub method: Method,
    pub mac: Option<&'a str>,
    pub port: u32,
    pub signed: bool,
}

/// One accounting report.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    pub user: &'a str,
    pub session: &'a str,
    pub kind: u32,
    pub time: u32,
    pub up: u64,
    pub down: u64,
    pub gigawords: bool,
    pub mac: Option<&'a str>,
    pub port: u32,
    pub address: Option<&'a str>,
    pub event_timestamp: Option<u32>,
    pub class: Option<Vec<u8>>,
}

pub fn login(user: &str) -> Login<'_> {
    let mac = Some("02-00-00-00-00-01");
    Login { user, password: "secret", method: Method::Pap, mac, port: 7, signed: true }
}

pub fn report<'a>(user: &'a str, session: &'a str, kind: u32, time: u32, up: u64, down: u64) -> Report<'a> {
    Report {
        user,
        session,
        kind,
        time,
        up,
        down,
        gigawords: true,
        mac: Some("02-00-00-00-00-01"),
        port: 7,
        address: Some("10.0.0.9"),
        event_timestamp: None,
        class: None,
    }
}

pub fn started<'a>(user: &'a str, session: &'a str) -> Report<'a> {
    report(user, session, acct_status::START, 0, 0, 0)
}

pub fn interim<'a>(user: &'a str, session: &'a str, time: u32, up: u64, down: u64) -> Report<'a> {
    report(user, session, acct_status::INTERIM, time, up, down)
}

pub fn stopped<'a>(user: &'a str, session: &'a str, time: u32, up: u64, down: u64) -> Report<'a> {
    report(user, session, acct_status::STOP, time, up, down)
}

impl Nas {
    pub async fn new(auth: SocketAddr, acct: SocketAddr, secret: &str) -> Nas {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a CoA port");
        let coa_port = socket.local_addr().expect("its address").port();
        let (said, held, refuse, news) = Default::default();
        let (orders, secret) = (Arc::new(Orders { socket, said, held, refuse, news }), Secret::new(secret));
        tokio::spawn(obey(secret.clone(), orders.clone()));
        Nas { source: Ipv4Addr::LOCALHOST.into(), auth, acct, secret, coa_port, orders }
    }

    /// The same router at another address.
    pub fn at(&self, source: &str) -> Nas {
        Nas {
            source: source.parse().expect("an address"),
            auth: self.auth,
            acct: self.acct,
            secret: self.secret.clone(),
            coa_port: self.coa_port,
            orders: self.orders.clone(),
        }
    }

    pub fn coa_port(&self) -> u16 {
        self.coa_port
    }

    /// From now on every order is refused with this Error-Cause.
    pub fn refuse(&self, cause: Option<u32>) {
        *self.orders.refuse.lock() = cause;
    }

    /// From now on orders come and are not answered yet.
    pub fn hold(&self) {
        *self.orders.held.lock() = Some(Vec::new());
    }

    /// The answers that were kept back go, and later ones at once.
    pub async fn let_go(&self) {
        let held = self.orders.held.lock().take();
        for (answer, to) in held.into_iter().flatten() {
            self.orders.socket.send_to(&answer, to).await.expect("answering");
        }
    }

    /// Waits for the next `count` orders and forgets them.
    pub async fn orders(&self, count: usize) -> Vec<String> {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let news = self.orders.news.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                if self.orders.said.lock().len() >= count {
                    return;
                }
                news.await;
            }
        });
        let came = waited.await.is_ok();
        let said = std::mem::take(&mut *self.orders.said.lock());
        assert!(came, "{count} orders expected, came {said:?}");
        said
    }

    /// What orders came so far that nobody asked for.
    pub fn unexpected_orders(&self) -> Vec<String> {
        self.orders.said.lock().clone()
    }

    /// The answer in one line: the code's name and what matters of it.
    pub async fn login(&self, login: Login<'_>) -> String {
        match self.try_login(login, PATIENCE).await {
            Some(answer) => answer,
            None => "silence".into(),
        }
    }

    /// As `login`; `None` after so long without an answer.
    pub async fn try_login(&self, login: Login<'_>, patience: Duration) -> Option<String> {
        let (signed, expected) = self.asking(&login);
        let answer = self.ask(self.auth, &signed, patience).await?;
        let packet = Packet::parse(&answer).expect("verified");
        if let (Some(expected), Code::AccessAccept) = (expected, packet.code()) {
            let success = packet.vendor(attribute::vendor::MICROSOFT, 26).expect("MS-CHAP2-Success");
            assert_eq!(&success[1..], expected, "the server proves that it knows the password");
        }
        let first = packet.attributes().next().expect("an attribute");
        assert_eq!(first.kind, attribute::MESSAGE_AUTHENTICATOR, "Message-Authenticator comes first");
        Some(told(&packet))
    }

    /// Asks, and waits for no answer.
    pub async fn throw(&self, login: Login<'_>) {
        let socket = UdpSocket::bind((self.source, 0)).await.expect("a port");
        let (signed, _) = self.asking(&login);
        socket.send_to(signed.bytes(), self.auth).await.expect("sending");
    }

    /// The packet, and what MS-CHAPv2 wants of its answer.
    fn asking(&self, login: &Login<'_>) -> (radius::client::Signed, Option<Vec<u8>>) {
        let id = next_id();
        let mut draft = match login.signed {
            true => Draft::access(id),
            false => Draft::without_message_authenticator(Code::AccessRequest, id),
        };
        let mut expected = None;
        match login.method {
            Method::Pap => draft.pap(login.user, login.password.as_bytes(), &self.secret).unwrap(),
            Method::Chap => draft.chap(login.user, login.password.as_bytes()).unwrap(),
            Method::MsChapV2 => {
                expected = Some(draft.mschapv2(login.user, login.password.as_bytes()).unwrap().to_vec())
            }
        }
        if let Some(mac) = login.mac {
            draft.put_text(attribute::CALLING_STATION_ID, mac).unwrap();
        }
        draft.put_u32(attribute::NAS_PORT, login.port).unwrap();
        (draft.sign(&self.secret), expected)
    }

    /// Sends a report; true when it was acknowledged.
    pub async fn report(&self, report: Report<'_>) {
        assert!(self.try_report(report, PATIENCE).await, "the report is acknowledged");
    }

    pub async fn try_report(&self, report: Report<'_>, patience: Duration) -> bool {
        let mut draft = Draft::accounting(next_id());
        draft.put_text(attribute::USER_NAME, report.user).unwrap();
        draft.put_u32(attribute::ACCT_STATUS_TYPE, report.kind).unwrap();
        draft.put_text(attribute::ACCT_SESSION_ID, report.session).unwrap();
        draft.put_u32(attribute::ACCT_SESSION_TIME, report.time).unwrap();
        for (value, low, giga) in [
            (report.up, attribute::ACCT_INPUT_OCTETS, attribute::ACCT_INPUT_GIGAWORDS),
            (report.down, attribute::ACCT_OUTPUT_OCTETS, attribute::ACCT_OUTPUT_GIGAWORDS),
        ] {
            draft.put_u32(low, value as u32).unwrap();
            if report.gigawords {
                draft.put_u32(giga, (value >> 32) as u32).unwrap();
            }
        }
        if let Some(mac) = report.mac {
            draft.put_text(attribute::CALLING_STATION_ID, mac).unwrap();
        }
        draft.put_u32(attribute::NAS_PORT, report.port).unwrap();
        if let Some(address) = report.address {
            draft.put_ipv4(attribute::FRAMED_IP_ADDRESS, address.parse().unwrap()).unwrap();
        }
        if let Some(at) = report.event_timestamp {
            draft.put_u32(attribute::EVENT_TIMESTAMP, at).unwrap();
        }
        if let Some(class) = &report.class {
            draft.put(attribute::CLASS, class).unwrap();
        }
        self.ask(self.acct, &draft.sign(&self.secret), patience).await.is_some()
    }

    /// An interim report that says neither device, port nor address.
    pub async fn report_of_nobody(&self, user: &str, session: &str) {
        let mut draft = Draft::accounting(next_id());
        draft.put_text(attribute::USER_NAME, user).unwrap();
        draft.put_u32(attribute::ACCT_STATUS_TYPE, acct_status::INTERIM).unwrap();
        draft.put_text(attribute::ACCT_SESSION_ID, session).unwrap();
        let answer = self.ask(self.acct, &draft.sign(&self.secret), PATIENCE).await;
        assert!(answer.is_some(), "the report is acknowledged");
    }

    /// Accounting-On (7) or -Off (8).
    pub async fn restarted(&self, kind: u32) {
        let mut draft = Draft::accounting(next_id());
        draft.put_u32(attribute::ACCT_STATUS_TYPE, kind).unwrap();
        let answer = self.ask(self.acct, &draft.sign(&self.secret), PATIENCE).await;
        assert!(answer.is_some(), "the restart is acknowledged");
    }

    /// Sends these very bytes to the authentication port; whether anything comes back at all.
    pub async fn raw(&self, bytes: &[u8], patience: Duration) -> Option<Vec<u8>> {
        self.send_raw(self.auth, bytes, patience).await
    }

    /// As `raw`, to the accounting port.
    pub async fn raw_accounting(&self, bytes: &[u8], patience: Duration) -> Option<Vec<u8>> {
        self.send_raw(self.acct, bytes, patience).await
    }

    async fn send_raw(&self, to: SocketAddr, bytes: &[u8], patience: Duration) -> Option<Vec<u8>> {
        let socket = UdpSocket::bind((self.source, 0)).await.expect("a port");
        socket.send_to(bytes, to).await.expect("sending");
        let mut room = vec![0; 4096];
        let length = tokio::time::timeout(patience, socket.recv(&mut room)).await.ok()?.ok()?;
        room.truncate(length);
        Some(room)
    }

    /// Repeats the same bytes while nothing comes, as routers do: what has waited too long is dropped unread.
    async fn ask(&self, to: SocketAddr, signed: &radius::client::Signed, patience: Duration) -> Option<Vec<u8>> {
        let socket = UdpSocket::bind((self.source, 0)).await.expect("a port");
        let mut room = vec![0; 4096];
        let answered = tokio::time::timeout(patience, async {
            loop {
                socket.send_to(signed.bytes(), to).await.expect("sending");
                if let Ok(received) = tokio::time::timeout(REPEAT, socket.recv(&mut room)).await {
                    return received.expect("receiving");
                }
            }
        });
        let length = answered.await.ok()?;
        let packet = signed.verify(&room[..length], &self.secret).expect("a signed answer");
        Some(packet.bytes().to_vec())
    }
}

fn next_id() -> u8 {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Code and attributes, without those that differ each time.
fn told(packet: &Packet<'_>) -> String {
    const NOISE: &[&str] =
        &["Message-Authenticator", "Class", "MS-CHAP2-Success", "MS-MPPE", "Acct-Interim-Interval", "MS-Link"];
    let text = dictionary::format_packet(packet, None);
    let mut words = vec![packet.code().name().to_string()];
    for line in text.lines().map(str::trim).filter(|line| line.contains(" = ")) {
        if !NOISE.iter().any(|noise| line.starts_with(noise)) {
            words.push(line.replace(" = ", "=").replace('"', ""));
        }
    }
    words.join(" ")
}

async fn obey(secret: Secret, orders: Arc<Orders>) {
    let mut room = vec![0; 4096];
    // RFC 5176 §2.3 with RFC 5080 §2.2.2: the same bytes from the same port are a repeat, answered as before.
    let mut answered: HashMap<(SocketAddr, Vec<u8>), Vec<u8>> = HashMap::new();
    while let Ok((length, from)) = orders.socket.recv_from(&mut room).await {
        let request = (from, room[..length].to_vec());
        if !answered.contains_key(&request) {
            let Some(packet) = das::verify(&room[..length], &secret) else { continue };
            let refuse = *orders.refuse.lock();
            answered.insert(request.clone(), das::answer(&packet, refuse, &secret));
            orders.said.lock().push(told(&packet));
            orders.news.notify_waiters();
        }
        let answer = &answered[&request];
        let held = orders.held.lock().as_mut().map(|held| held.push((answer.clone(), from))).is_some();
        if !held {
            orders.socket.send_to(answer, from).await.expect("answering");
        }
    }
}
