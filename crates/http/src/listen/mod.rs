//! The one way to serve HTTP in this program: whoever listens does it here, and so has every limit.
//!
//! | limit                                     | default | what comes of it                                          |
//! |-------------------------------------------|--------:|-----------------------------------------------------------|
//! | a request's head, from its first byte     |    10 s | the connection ends; so does one that says nothing at all |
//! | a connection that is kept alive, unused   |    75 s | it ends                                                   |
//! | a request's body, whole                   |    25 s | the connection ends                                       |
//! | a request or an answer that stands still  |    60 s | the connection ends                                       |
//! | connections in all                        |   4,096 | the longest silent ends; while none is silent, who comes waits |
//! | connections of a sender (IPv4, IPv6 /64)  |     256 | its longest silent ends; none is silent: refused          |
//! | HTTP/2: streams of a connection           |      32 |                                                           |
//! | a head, all its lines                     |  64 KiB | 431                                                       |
//!
//! The total is less where the process may open fewer files. Metrics: `http_connections`, and
//! `http_connections_ended_total` by why.

mod held;
mod hosts;
mod proxies;
mod wire;

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use service::kernel::origin::{self, Origin};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tower::ServiceExt;

pub use hosts::Hosts;
pub use proxies::Proxies;

use self::{
    held::{Line, Register},
    wire::{Coming, Going, Heard},
};

const HEAD_BYTES: u32 = 64 << 10;
const STREAMS: u32 = 32;
/// How much a client may send of a stream, and of all streams of a connection, before it is read.
const WINDOWS: (u32, u32) = (256 << 10, 1 << 20);
/// How often a full house looks for silent ones, and how long it leaves a system alone that has no descriptors.
const AGAIN: Duration = Duration::from_millis(50);

/// How long and how many; the defaults are those of `[http]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub head: Duration,
    pub idle: Duration,
    pub body: Duration,
    pub stalled: Duration,
    pub connections: usize,
    pub per_address: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            // Less than a call's own patience (`shell`): what is not there then is not answered at all.
            body: Duration::from_secs(25),
            stalled: Duration::from_secs(60),
            connections: 4096,
            per_address: 256,
        }
    }
}

/// How a listener is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name in metrics.
    pub name: &'static str,
    pub limits: Limits,
    pub proxies: Proxies,
    /// Where clients reach it, as links in answers say it: `https://isp.example`. `None`: the address they connected to.
    pub public_url: Option<String>,
    pub hosts: Hosts,
}

impl Settings {
    pub fn named(name: &'static str) -> Settings {
        Settings {
            name,
            limits: Limits::default(),
            proxies: Proxies::default(),
            public_url: None,
            hosts: Hosts::default(),
        }
    }
}

/// Where clients reach this server, without a slash at the end; in the request's extensions. Never what a request says of
/// itself: its `Host` is the caller's to choose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicUrl(pub Arc<str>);

impl PublicUrl {
    pub fn of(request: &Request) -> Arc<str> {
        request.extensions().get::<PublicUrl>().map_or_else(|| "http://localhost".into(), |url| url.0.clone())
    }
}

/// A port that is taken and not served yet.
pub struct Listener(TcpListener);

impl Listener {
    /// # Errors
    /// The port is taken, or not ours to take.
    pub async fn bind(address: SocketAddr) -> io::Result<Listener> {
        TcpListener::bind(address).await.map(Listener)
    }

    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Serves until `stop`; then finishes what was asked.
    pub async fn serve(self, router: Router, settings: Settings, stop: impl Future<Output = ()>) {
        let Settings { name, limits, proxies, public_url, hosts } = settings;
        let house = Arc::new(House { name, limits, proxies, public_url: public_url.map(Into::into), hosts, router });
        let register = Register::new(limits);
        let places = Arc::new(Semaphore::new(limits.connections.max(1)));
        let (stopping, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            let next = tokio::select! {
                biased;
                () = &mut stop => break,
                Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
                next = accept(&self.0, &register, &places) => next,
            };
            let (stream, peer, place) = match next {
                Ok(next) => next,
                Err(error) => {
                    // Out of descriptors, most likely: those who say nothing have them.
                    tracing::warn!(%error, listener = name, "a connection could not be taken");
                    register.make_room();
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            };
            let Some(line) = register.enter(peer.ip(), house.proxies.trusts(peer.ip())) else {
                metrics::counter!("limit_refusals_total", "limit" => "connections_per_address").increment(1);
                continue;
            };
            metrics::gauge!("http_connections", "listener" => name).set(register.count() as f64);
            tasks.spawn(connection(house.clone(), stream, peer, line, place, stopped.clone()));
        }
        drop(self.0);
        let _ = stopping.send(true);
        while tasks.join_next().await.is_some() {}
        metrics::gauge!("http_connections", "listener" => name).set(0.0);
    }
}

/// The next connection, once there is a place for it. While there is none, the longest silent make room.
async fn accept(
    listener: &TcpListener,
    register: &Register,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    loop {
        if places.available_permits() == 0 {
            register.make_room();
        }
        let Ok(place) = tokio::time::timeout(AGAIN, places.clone().acquire_owned()).await else { continue };
        let place = place.map_err(io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        return Ok((stream, peer, place));
    }
}

struct House {
    name: &'static str,
    limits: Limits,
    proxies: Proxies,
    public_url: Option<Arc<str>>,
    hosts: Hosts,
    router: Router,
}

/// Serves one connection to its end.
async fn connection(
    house: Arc<House>,
    stream: TcpStream,
    peer: SocketAddr,
    line: Line,
    _place: OwnedSemaphorePermit,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are small, and go at once.
    let _ = stream.set_nodelay(true);
    let url = match (&house.public_url, stream.local_addr()) {
        (Some(url), _) => url.clone(),
        (None, Ok(address)) => format!("http://{}", canonical(address)).into(),
        (None, Err(_)) => "http://localhost".into(),
    };
    let held = line.held.clone();
    let service = service_fn({
        let (house, held, url) = (house.clone(), held.clone(), PublicUrl(url));
        move |request: hyper::Request<Incoming>| {
            let (house, held, url, asked) = (house.clone(), held.clone(), url.clone(), held.begin());
            async move {
                // Its place was taken this very moment.
                let asked = asked.ok_or(io::ErrorKind::ConnectionAborted)?;
                let client = house.proxies.client(peer.ip(), request.headers());
                let origin = Origin { address: Some(client), isp: house.hosts.isp(request.uri(), request.headers()) };
                let deadline = Instant::now() + house.limits.body;
                let mut request = request.map(|body| Body::new(Coming::new(body, held, deadline)));
                // Whoever asks who is connected is told who asks.
                request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, peer.port())));
                request.extensions_mut().insert(url);
                let response = match origin::from(origin, house.router.clone().oneshot(request)).await {
                    Ok(response) => response,
                    Err(never) => {
                        let never: Infallible = never;
                        match never {}
                    }
                };
                Ok::<_, io::Error>(response.map(|body| Body::new(Going { body, asked })))
            }
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(HEAD_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_BYTES)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1);
    let io = TokioIo::new(Heard { stream, held: held.clone() });
    let mut serving = pin!(builder.serve_connection(io, service));
    let mut alarm = pin!(sleep_until(held.deadline().0));
    let end = loop {
        let waiting = std::future::poll_fn(|cx| {
            loop {
                // Why it ended was the client's or the protocol's doing: nobody here waits for it.
                if serving.as_mut().poll(cx).is_ready() {
                    return std::task::Poll::Ready(None);
                }
                let (at, why) = held.deadline();
                if alarm.deadline() != at {
                    alarm.as_mut().reset(at);
                }
                std::task::ready!(alarm.as_mut().poll(cx));
                // What moved in another task meanwhile has moved the deadline.
                if held.deadline().0 <= Instant::now() {
                    return std::task::Poll::Ready(Some(why));
                }
            }
        });
        tokio::select! {
            end = waiting => break end,
            () = held.ended.notified() => break Some(held.why()),
            _ = stopped.changed(), if !*stopped.borrow() => serving.as_mut().graceful_shutdown(),
        }
    };
    if let Some(end) = end {
        metrics::counter!("http_connections_ended_total", "listener" => house.name, "why" => end.word()).increment(1);
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
