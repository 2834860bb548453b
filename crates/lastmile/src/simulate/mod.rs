//! Simulated routers over real UDP: each has its own address on the loopback network, asks and reports like a real NAS,
//! and obeys CoA and Disconnect at its own address. They know nothing of the server but its ports and the secret, so
//! any RADIUS server will do.

pub mod asker;
mod chance;
mod grant;
pub mod line;
pub mod load;
pub mod nas;
pub mod people;
pub mod population;
pub mod routers;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use domain::Instant;
use nas::{Config, Nas, Out, Port};
use radius::packet::MAX_PACKET;
use tokio::{net::UdpSocket, sync::watch, task::JoinHandle};

/// Last reports of a router that goes down get this long to be answered.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where logins and reports go, and where orders are awaited.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub auth: SocketAddr,
    pub acct: SocketAddr,
    pub coa: u16,
}

pub struct Running {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Ends every session properly.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// Starts the routers; an error when one of their addresses cannot be used.
pub async fn start(routers: Vec<Config>, ports: Ports, seed: u64) -> io::Result<Running> {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = Vec::new();
    for (router, seed) in routers.into_iter().zip(seed..) {
        let sockets = Sockets::open(IpAddr::from(router.address), ports).await?;
        tasks.push(tokio::spawn(run(router, seed, sockets, stopped.clone())));
    }
    Ok(Running { stop, tasks })
}

struct Sockets {
    auth: UdpSocket,
    acct: UdpSocket,
    orders: UdpSocket,
}

impl Sockets {
    async fn open(address: IpAddr, ports: Ports) -> io::Result<Sockets> {
        let orders = UdpSocket::bind((address, ports.coa)).await?;
        let (auth, acct) = (UdpSocket::bind((address, 0)).await?, UdpSocket::bind((address, 0)).await?);
        auth.connect(ports.auth).await?;
        acct.connect(ports.acct).await?;
        Ok(Sockets { auth, acct, orders })
    }

    async fn send(&self, out: &mut Out) {
        for (port, bytes) in out.drain(..) {
            // A refused port is silence: the router repeats.
            let _ = match port {
                Port::Auth => self.auth.send(&bytes).await,
                Port::Acct => self.acct.send(&bytes).await,
            };
        }
    }
}

fn now() -> Instant {
    Instant::from_timestamp(jiff::Timestamp::now())
}

async fn run(config: Config, seed: u64, sockets: Sockets, mut stopped: watch::Receiver<bool>) {
    let name = config.name.clone();
    let (mut nas, mut out) = (Nas::new(config, seed, now()), Out::new());
    nas.booted(now(), &mut out);
    sockets.send(&mut out).await;
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            () = one_step(&mut nas, &sockets, &mut out) => {}
        }
        sockets.send(&mut out).await;
    }
    nas.goes_down(now(), &mut out);
    sockets.send(&mut out).await;
    let farewell = async {
        while nas.unanswered() > 0 {
            one_step(&mut nas, &sockets, &mut out).await;
            sockets.send(&mut out).await;
        }
    };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
    tracing::info!(router = name, counts = ?nas.counts(), "simulated router off");
}

/// Waits for the next moment or datagram and acts on it.
async fn one_step(nas: &mut Nas, sockets: &Sockets, out: &mut Out) {
    let (mut answer, mut report, mut order) = ([0u8; MAX_PACKET], [0u8; MAX_PACKET], [0u8; MAX_PACKET]);
    let wait = nas
        .due()
        .map_or(Duration::from_secs(60), |due| Duration::from_micros(u64::try_from(due.0 - now().0).unwrap_or(0)));
    tokio::select! {
        () = tokio::time::sleep(wait) => nas.turn(now(), out),
        received = sockets.auth.recv(&mut answer) => match received {
            Ok(length) => nas.answered(now(), Port::Auth, &answer[..length], out),
            Err(_) => pause().await,
        },
        received = sockets.acct.recv(&mut report) => match received {
            Ok(length) => nas.answered(now(), Port::Acct, &report[..length], out),
            Err(_) => pause().await,
        },
        received = sockets.orders.recv_from(&mut order) => match received {
            Ok((length, from)) => {
                if let Some(reply) = nas.ordered(now(), &order[..length], out) {
                    let _ = sockets.orders.send_to(&reply, from).await;
                }
            }
            Err(_) => pause().await,
        },
    }
}

/// After an error of a socket (a refused port, mostly) there is no hurry.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}
