//! Our own ports asked for their figures: a Status-Server (RFC 5997) through the loopback, with a secret that lives as
//! long as this process.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use radius::{
    Code, Secret,
    client::{Draft, Signed},
    packet::MAX_PACKET,
    policy::Policy,
    server::{
        Client,
        statistics::{FREERADIUS, STATISTICS_TYPE, read},
    },
};
use service::{
    App, Error,
    kernel::{
        probe::{Exchanged, Port},
        vault::random_text,
    },
};
use tokio::net::UdpSocket;

/// A port that does not answer itself within this is silent.
const PATIENCE: Duration = Duration::from_secs(1);
const TRIES: usize = 2;

pub struct Probe {
    secret: String,
}

impl Probe {
    pub fn new() -> Probe {
        Probe { secret: random_text(32) }
    }

    /// Whom the ports know as us.
    pub fn client(&self) -> Arc<Client> {
        let mut client = Client::new(0, &self.secret, Policy::Require);
        client.sees_statistics = true;
        Arc::new(client)
    }

    /// From now on these ports are asked.
    pub fn serve(self, app: &App, auth: SocketAddr, acct: SocketAddr) {
        let secret = Arc::new(Secret::new(&self.secret));
        app.statistics.are_asked_by(move |port| {
            let secret = secret.clone();
            Box::pin(async move {
                let at = match port {
                    Port::Authentication => auth,
                    Port::Accounting => acct,
                };
                ask(reachable(at), port, &secret).await
            })
        });
    }
}

/// A wildcard is reached through the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn ask(to: SocketAddr, port: Port, secret: &Secret) -> Result<Exchanged, Error> {
    static IDENTIFIER: AtomicU8 = AtomicU8::new(0);
    let id = IDENTIFIER.fetch_add(1, Ordering::Relaxed);
    let mut draft = Draft::status(id);
    let kind: u32 = match port {
        Port::Authentication => 1,
        Port::Accounting => 2,
    };
    if draft.put_vendor_u32(FREERADIUS, STATISTICS_TYPE, kind).is_err() {
        return Err(Error::Internal("a Status-Server does not fit into a packet".into()));
    }
    exchange(to, id, draft.sign(secret), secret).await.map_err(|error| {
        tracing::warn!(%error, %to, "our own RADIUS port cannot be asked");
        Error::Unavailable
    })
}

async fn exchange(to: SocketAddr, id: u8, signed: Signed, secret: &Secret) -> std::io::Result<Exchanged> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(to).await?;
    let mut room = vec![0; MAX_PACKET];
    for _ in 0..TRIES {
        socket.send(signed.bytes()).await?;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while let Ok(received) = tokio::time::timeout_at(deadline, socket.recv(&mut room)).await {
            let length = received?;
            let Ok(packet) = signed.verify(&room[..length], secret) else { continue };
            return Ok(Exchanged {
                id,
                ours: socket.local_addr()?,
                theirs: to,
                sent_bytes: signed.bytes().len(),
                received_bytes: length,
                answer: if packet.code() == Code::AccessAccept { "Access-Accept" } else { "Accounting-Response" },
                figures: read(&packet),
            });
        }
    }
    Err(std::io::ErrorKind::TimedOut.into())
}
