//! Live sessions made to follow a change: orders of the core become CoA and Disconnect requests (RFC 5176) in each
//! vendor's words; what the router says is recorded. Requests to one router are paced, so that thousands expiring at
//! midnight do not arrive in one burst.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use domain::RouterId;
use radius::{
    Overflow, Secret, attribute,
    client::{Draft, Outcome, PATIENCE, Signed},
};
use service::{
    App, Error,
    directory::RouterProfile,
    network::{self, Answer, Claimed, Order, Wish},
};
use tokio::{
    net::UdpSocket,
    sync::{Semaphore, watch},
    task::JoinSet,
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
/// Requests without an answer yet, over all routers.
const IN_FLIGHT: usize = 512;
const POLL: Duration = Duration::from_millis(500);

pub async fn run(app: App, directory: Arc<Directory>, mut stopped: watch::Receiver<bool>) {
    let sender = Arc::new(Sender { in_flight: Semaphore::new(IN_FLIGHT), paces: Default::default() });
    let mut running = JoinSet::new();
    loop {
        let claimed = match network::claim(&app, CLAIM).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "orders to the network cannot be read yet");
                Vec::new()
            }
        };
        let idle = claimed.is_empty();
        for order in claimed {
            let (app, directory, sender) = (app.clone(), directory.clone(), sender.clone());
            running.spawn(async move {
                if let Err(error) = converge(&app, &directory, &sender, &order).await {
                    // Its lease ends and it is tried again.
                    tracing::warn!(%error, job = order.job.0, "an order to the network is left for later");
                }
            });
        }
        while running.try_join_next().is_some() {}
        if idle {
            tokio::select! {
                _ = stopped.changed() => return,
                () = app.feed.wait_for_jobs(POLL) => {}
            }
        } else if *stopped.borrow() {
            return;
        }
    }
}

/// Carries out one order: every session in scope, then what the routers said.
async fn converge(app: &App, directory: &Arc<Directory>, sender: &Arc<Sender>, claimed: &Claimed) -> Result<(), Error> {
    // The plans in memory are at least as new as the change that asked for this.
    let head = service::directory::heads(app).await?.into_iter().find(|(isp, _)| *isp == claimed.isp);
    if let Some((isp, seq)) = head {
        app.feed.settle(isp, seq).await;
    }
    let world = directory.network();
    let orders = network::orders(app, &world.world, claimed).await?;
    let mut asking = JoinSet::new();
    for order in orders {
        let Some(request) = Request::of(&world, directory, &order) else { continue };
        let (sender, session, service) = (sender.clone(), order.session.id, order.session.service_id);
        asking.spawn(async move { (session, service, request.what, sender.ask(&request).await) });
    }
    let mut answers = Vec::new();
    let mut unknown = Vec::new();
    while let Some(done) = asking.join_next().await {
        let Ok(answer) = done else { continue };
        if answer.3 == Answer::Refused(Some(network::SESSION_NOT_FOUND)) {
            unknown.push(answer.0);
        }
        answers.push(answer);
    }
    if !unknown.is_empty() {
        let recorded = service::accounting::forget(app, claimed.isp, unknown).await?;
        directory.apply(&recorded);
    }
    network::answered(app, claimed, answers).await
}

/// A request ready to be sent.
struct Request {
    router: RouterId,
    to: SocketAddr,
    secret: Secret,
    signed: Signed,
    what: &'static str,
}

impl Request {
    /// `None` where nobody can be asked: the router is gone or its address unknown.
    fn of(network: &Network, directory: &Directory, order: &Order) -> Option<Request> {
        static IDENTIFIER: AtomicU8 = AtomicU8::new(0);
        let session = &order.session;
        let router: &Arc<RouterProfile> = network.routers.get(&session.router_id)?;
        let vendor = *network.vendors.get(&session.router_id)?;
        let source: SocketAddr = session.source.parse().ok()?;
        let id = IDENTIFIER.fetch_add(1, Ordering::Relaxed);
        let (what, draft) = match &order.wish {
            Wish::Disconnect => ("disconnect", Draft::disconnect(id)),
            // Hostapd knows nothing that a change could say.
            Wish::Change(_) if vendor == Vendor::Hostapd => return None,
            Wish::Change(_) => ("coa", Draft::coa(id)),
        };
        let written = write(vendor, directory, order, draft);
        let Ok(draft) = written else {
            tracing::error!(session = session.id.0, "a CoA request does not fit into a packet");
            return None;
        };
        let secret = Secret::new(&router.secret);
        let to = SocketAddr::new(source.ip(), router.coa_port);
        Some(Request { router: router.id, to, signed: draft.sign(&secret), secret, what })
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
    if let Wish::Change(grant) = &order.wish {
        let entry = session.service_id.and_then(|id| directory.service(id));
        let state = entry.as_ref().map(|entry| entry.state.lock());
        let custom = state.as_ref().and_then(|state| state.custom.as_deref());
        reply::change(vendor, grant, &mut Out::new(&mut draft, custom))?;
    }
    Ok(draft)
}

struct Sender {
    in_flight: Semaphore,
    /// When the next request may go to each router.
    paces: parking_lot::Mutex<HashMap<RouterId, tokio::time::Instant>>,
}

impl Sender {
    /// Sends, repeats the same bytes after 2, 4 and 8 seconds of silence, and says what came back.
    async fn ask(&self, request: &Request) -> Answer {
        let Ok(_place) = self.in_flight.acquire().await else { return Answer::Unanswered };
        tokio::time::sleep_until(self.turn(request.router)).await;
        match exchange(request).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, to = %request.to, "a CoA request cannot be sent");
                Answer::Unanswered
            }
        }
    }

    fn turn(&self, router: RouterId) -> tokio::time::Instant {
        let now = tokio::time::Instant::now();
        let mut paces = self.paces.lock();
        let next = paces.entry(router).or_insert(now);
        let turn = (*next).max(now);
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
