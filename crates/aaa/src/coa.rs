//! Live sessions made to follow a change: orders of the core become CoA and Disconnect requests (RFC 5176) in each
//! vendor's words; what the router says is recorded. Requests to one router are paced, so that thousands expiring at
//! midnight do not arrive in one burst.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use domain::{IspId, JobId, RouterId, access::decide::Grant};
use radius::{
    Overflow, Secret, attribute,
    client::{Draft, Outcome, PATIENCE, Signed},
    dictionary,
};
use service::{
    App, Error,
    access::{
        directory::RouterProfile,
        orders::{self, Answer, Claimed, Order, Wish},
    },
};
use tokio::{
    net::UdpSocket,
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinSet},
};

use crate::{
    Directory,
    directory::Network,
    reply::{self, Out, Vendor},
};

/// Orders worked on at a time.
const CLAIM: i64 = 64;
/// Between two requests to one router: 500 a second.
const PACE: Duration = Duration::from_millis(2);
/// Requests without an answer yet: over all routers, and to one, so that a silent router does not hold up the others.
const IN_FLIGHT: usize = 512;
const IN_FLIGHT_EACH: usize = 64;
/// Of a router that has just been silent, so many are asked at a time; the others wait for their order's next turn.
const PROBES: usize = 4;
/// Orders under way; further ones stay in the queue, where other nodes find them too.
const RUNNING: usize = 512;
/// An order waits so long for the directory in memory; then it is left for later.
const DIRECTORY_PATIENCE: Duration = Duration::from_secs(60);
/// Well within an order's lease.
const RENEW: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(500);

pub async fn run(app: App, directory: Arc<Directory>, mut stopped: watch::Receiver<bool>) {
    let sender = Arc::new(Sender { in_flight: Semaphore::new(IN_FLIGHT), lines: Default::default() });
    let mut running = JoinSet::new();
    let mut commits = app.feed.commits();
    let mut under_way: HashMap<(IspId, JobId), AbortHandle> = HashMap::new();
    loop {
        while running.len() >= RUNNING {
            tokio::select! {
                _ = stopped.changed() => return,
                _ = running.join_next() => {}
            }
        }
        // Looked at before claiming: what ends meanwhile is not claimed, or has left its order for later.
        under_way.retain(|_, task| !task.is_finished());
        let claimed = match orders::claim(&app, CLAIM).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "orders to the network cannot be read yet");
                Vec::new()
            }
        };
        let idle = claimed.is_empty();
        for order in claimed {
            let id = (order.isp, order.job);
            // A clock that is set forward ends leases of orders that this process still works on: a router would be told
            // twice.
            if under_way.contains_key(&id) {
                continue;
            }
            let (app, directory, sender) = (app.clone(), directory.clone(), sender.clone());
            let task = running.spawn(async move {
                let done = tokio::select! {
                    done = converge(&app, &directory, &sender, &order) => done,
                    never = keep(&app, &order) => match never {},
                };
                if let Err(error) = done {
                    // Its lease ends and it is tried again.
                    tracing::warn!(%error, job = order.job.0, "an order to the network is left for later");
                }
            });
            under_way.insert(id, task);
        }
        while running.try_join_next().is_some() {}
        if idle {
            tokio::select! {
                _ = stopped.changed() => return,
                () = commits.next(POLL) => {}
            }
        } else if *stopped.borrow() {
            return;
        }
    }
}

/// Keeps an order's lease while it is worked on.
async fn keep(app: &App, order: &Claimed) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(RENEW).await;
        if let Err(error) = orders::renew(app, order).await {
            tracing::warn!(%error, job = order.job.0, "an order's lease cannot be renewed yet");
        }
    }
}

/// Carries out one order: every session in scope, then what the routers said.
async fn converge(app: &App, directory: &Arc<Directory>, sender: &Arc<Sender>, claimed: &Claimed) -> Result<(), Error> {
    // The plans in memory must be at least as new as the change that asked for this: a session that is told what held
    // before would keep it.
    let head = service::access::directory::heads(app).await?.into_iter().find(|(isp, _)| *isp == claimed.isp);
    if let Some((isp, seq)) = head
        && !app.feed.settled(isp, seq, DIRECTORY_PATIENCE).await
    {
        return Err(Error::Busy);
    }
    let world = directory.network();
    let orders = orders::orders(app, &world.world, claimed).await?;
    let mut asking = JoinSet::new();
    for mut order in orders {
        if needs_login(&world, directory, claimed, &order) {
            order.wish = Wish::Disconnect;
        }
        // Hostapd knows nothing that a change could say.
        let vendor = world.vendors.get(&order.session.router_id);
        if vendor == Some(&Vendor::Hostapd) && matches!(order.wish, Wish::Change(_)) {
            continue;
        }
        let (sender, world, directory) = (sender.clone(), world.clone(), directory.clone());
        let touched = claimed.touched.is_some();
        asking.spawn(async move {
            let mut answer = sender.ask(&world, &directory, &order).await;
            let refused = matches!(answer, Answer::Refused(cause) if cause != Some(orders::SESSION_NOT_FOUND));
            if touched && refused && matches!(order.wish, Wish::Change(_)) {
                // What its router does not take in the middle of a session it takes at the next login.
                order.wish = Wish::Disconnect;
                answer = sender.ask(&world, &directory, &order).await;
            }
            (order.session.id, order.session.service_id, order.wish.word(), answer)
        });
    }
    let mut answers = Vec::new();
    let mut unknown = Vec::new();
    while let Some(done) = asking.join_next().await {
        let Ok(answer) = done else { continue };
        if answer.3 == Answer::Refused(Some(orders::SESSION_NOT_FOUND)) {
            unknown.push(answer.0);
        }
        answers.push(answer);
    }
    if !unknown.is_empty() {
        let recorded = service::access::accounting::forget(app, claimed.isp, unknown).await?;
        drop(directory.apply(&recorded));
    }
    orders::answered(app, claimed, answers).await
}

/// Whether attributes that were touched reach a session by a new login only: a check that it is not known to meet, an
/// attribute that a CoA does not carry, or one that it no longer says and so cannot take back.
fn needs_login(network: &Network, directory: &Directory, claimed: &Claimed, order: &Order) -> bool {
    let (Some(touched), Wish::Change(_)) = (&claimed.touched, &order.wish) else { return false };
    let session = &order.session;
    // Who has logged in since has done so with what is right now.
    if session.started_at > claimed.ordered_at {
        return false;
    }
    let entry = session.service_id.and_then(|id| directory.service(id));
    let meets = entry.as_ref().is_none_or(|entry| {
        let state = entry.state.lock();
        state.custom.as_ref().is_none_or(|custom| custom.allows_session(session))
    });
    if touched.checks && !meets {
        return true;
    }
    let Some(vendor) = network.vendors.get(&session.router_id).copied() else { return false };
    if touched.replies.is_empty() {
        return false;
    }
    if vendor == Vendor::Hostapd {
        return true;
    }
    // A packet that cannot be written carries nothing.
    let Ok(draft) = write(vendor, directory, order, Draft::coa(0)) else { return true };
    let written = draft.sign(&Secret::new(""));
    let packet = written.packet();
    touched.replies.iter().any(|name| {
        // What no dictionary knows was never said.
        let Some(entry) = dictionary::by_name(name) else { return false };
        let said = match entry.vendor {
            0 => packet.find(entry.number).is_some(),
            vendor => packet.vendor(vendor, entry.number).is_some(),
        };
        !reply::custom::is_carried(entry) || !said
    })
}

/// A request ready to be sent.
struct Request {
    to: SocketAddr,
    secret: Secret,
    signed: Signed,
}

impl Request {
    /// `None` where nobody can be asked: the router is gone or its address is unknown.
    fn of(network: &Network, directory: &Directory, order: &Order) -> Option<Request> {
        static IDENTIFIER: AtomicU8 = AtomicU8::new(0);
        let session = &order.session;
        let router: &Arc<RouterProfile> = network.routers.get(&session.router_id)?;
        let vendor = *network.vendors.get(&session.router_id)?;
        let source: SocketAddr = session.source.parse().ok()?;
        let id = IDENTIFIER.fetch_add(1, Ordering::Relaxed);
        let draft = match &order.wish {
            Wish::Disconnect => Draft::disconnect(id),
            Wish::Change(_) | Wish::Say(_) => Draft::coa(id),
        };
        let written = write(vendor, directory, order, draft);
        let Ok(draft) = written else {
            tracing::error!(session = session.id.0, "a CoA request does not fit into a packet");
            return None;
        };
        let secret = Secret::new(&router.secret);
        let to = SocketAddr::new(source.ip(), router.coa_port);
        Some(Request { to, signed: draft.sign(&secret), secret })
    }
}

/// Which session, in the attributes its vendor looks at, and what of it changes.
fn write(vendor: Vendor, directory: &Directory, order: &Order, mut draft: Draft) -> Result<Draft, Overflow> {
    let session = &order.session;
    draft.put_text(attribute::USER_NAME, &session.username)?;
    draft.put_text(attribute::ACCT_SESSION_ID, &session.acct_session_id)?;
    match vendor {
        Vendor::Hostapd => {
            if let Some(mac) = &session.mac {
                draft.put_text(attribute::CALLING_STATION_ID, &mac.replace(':', "-"))?;
            }
        }
        Vendor::Mikrotik
        | Vendor::Cisco
        | Vendor::Chillispot
        | Vendor::Wispr
        | Vendor::Huawei
        | Vendor::Juniper
        | Vendor::Nokia
        | Vendor::Other => {
            if let Some(IpAddr::V4(address)) = session.address.as_deref().and_then(|text| text.parse().ok()) {
                draft.put_ipv4(attribute::FRAMED_IP_ADDRESS, address)?;
            }
        }
    }
    if let Wish::Say(said) = &order.wish {
        for (name, value) in said {
            // The door has checked them; what another dictionary knew is left out.
            let known =
                dictionary::by_name(name).and_then(|entry| Some((entry, dictionary::encode(entry, value).ok()?)));
            match known {
                Some((entry, bytes)) => draft.put_entry(entry, &bytes)?,
                None => tracing::warn!(attribute = name, "an attribute to be said is in no dictionary"),
            }
        }
    }
    if let Wish::Change(grant) = &order.wish {
        let entry = session.service_id.and_then(|id| directory.service(id));
        let state = entry.as_ref().map(|entry| entry.state.lock());
        let custom = state.as_ref().and_then(|state| state.custom.as_deref());
        // A NAS holds what a session has carried from its beginning against its limit.
        let carried = session.up_total.saturating_add(session.down_total);
        let data_left_bytes = grant.data_left_bytes.map(|left| left.saturating_add(carried));
        let grant = &Grant { data_left_bytes, ..Grant::clone(grant) };
        reply::live(vendor, grant, &mut Out::new(&mut draft, custom))?;
    }
    Ok(draft)
}

struct Sender {
    in_flight: Semaphore,
    lines: parking_lot::Mutex<HashMap<RouterId, Arc<Line>>>,
}

/// The way to one router.
struct Line {
    in_flight: Semaphore,
    /// The last one asked did not answer.
    silent: AtomicBool,
    /// When the next request may go.
    next: parking_lot::Mutex<tokio::time::Instant>,
}

impl Sender {
    /// Sends, repeats the same bytes after 2, 4 and 8 seconds of silence, and says what came back.
    async fn ask(&self, network: &Network, directory: &Directory, order: &Order) -> Answer {
        let line = self.line(order.session.router_id);
        let asked = IN_FLIGHT_EACH - line.in_flight.available_permits();
        if line.silent.load(Ordering::Relaxed) && asked >= PROBES {
            return Answer::NotAsked;
        }
        let waited = line.in_flight.available_permits() == 0;
        let Ok(_place) = line.in_flight.acquire().await else { return Answer::NotAsked };
        if waited && line.silent.load(Ordering::Relaxed) {
            return Answer::NotAsked;
        }
        let Ok(_place) = self.in_flight.acquire().await else { return Answer::NotAsked };
        tokio::time::sleep_until(line.turn()).await;
        // Written only now: thousands wait in line.
        let Some(request) = Request::of(network, directory, order) else {
            tracing::warn!(session = order.session.id.0, "nobody can be asked: the router is not known (any more)");
            return Answer::NotAsked;
        };
        let answer = exchange(&request).await.unwrap_or_else(|error| {
            tracing::warn!(%error, to = %request.to, "a CoA request cannot be sent");
            Answer::Unanswered
        });
        line.silent.store(answer == Answer::Unanswered, Ordering::Relaxed);
        answer
    }

    fn line(&self, router: RouterId) -> Arc<Line> {
        let mut lines = self.lines.lock();
        let line = lines.entry(router).or_insert_with(|| {
            Arc::new(Line {
                in_flight: Semaphore::new(IN_FLIGHT_EACH),
                silent: AtomicBool::new(false),
                next: parking_lot::Mutex::new(tokio::time::Instant::now()),
            })
        });
        line.clone()
    }
}

impl Line {
    fn turn(&self) -> tokio::time::Instant {
        let mut next = self.next.lock();
        let turn = (*next).max(tokio::time::Instant::now());
        *next = turn + PACE;
        turn
    }
}

async fn exchange(request: &Request) -> std::io::Result<Answer> {
    let local: IpAddr = match request.to {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((local, 0)).await?;
    socket.connect(request.to).await?;
    let mut room = vec![0u8; radius::packet::MAX_PACKET];
    for patience in PATIENCE {
        // A refused port is an answer of the machine, not of the router: it may be starting.
        let _ = socket.send(request.signed.bytes()).await;
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let received = tokio::time::timeout_at(deadline, socket.recv(&mut room)).await;
            let length = match received {
                Err(_) => break,
                Ok(Ok(length)) => length,
                Ok(Err(_)) => {
                    tokio::time::sleep_until(deadline).await;
                    break;
                }
            };
            if let Ok(packet) = request.signed.verify(&room[..length], &request.secret) {
                return Ok(match Outcome::of(&packet) {
                    Outcome::Ack(_) => Answer::Acknowledged,
                    Outcome::Nak { error_cause, .. } => Answer::Refused(error_cause),
                    Outcome::Timeout => Answer::Unanswered,
                });
            }
        }
    }
    Ok(Answer::Unanswered)
}
