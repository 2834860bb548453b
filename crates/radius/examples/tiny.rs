//! The least server on this library: `tiny AUTH_PORT ACCT_PORT USERS [THREADS [WORK_US]]` on 127.0.0.1, secret `testing123`, users
//! `user000000`/`pass000000` and on; accounting is acknowledged at once. For trying other people's clients and for
//! measuring what the library itself costs; WORK_US makes each login slow, to see overload. Ends on end of input.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use radius::Packet;
use radius::attribute::{USER_NAME, vendor};
use radius::auth::{Known, Proof};
use radius::policy::Policy;
use radius::server::{Client, Clients, Config, Handler, Queue, Reply, Request, Responder, Verdict, access, accounting};

#[derive(Clone)]
struct Everybody(Arc<Client>);

impl Clients for Everybody {
    fn find(&self, _: SocketAddr, _: &Packet<'_>) -> Option<&Arc<Client>> {
        Some(&self.0)
    }
}

type Users = HashMap<Vec<u8>, (Vec<u8>, String)>;

struct Desk(Arc<Users>, Duration);

impl Handler for Desk {
    fn access(&mut self, request: &Request<'_>, reply: &mut Reply<'_>) -> Verdict {
        let began = Instant::now();
        while began.elapsed() < self.1 {
            std::hint::spin_loop();
        }
        let name = request.packet.find(USER_NAME).unwrap_or_default();
        let Some((password, rate)) = self.0.get(name) else { return Verdict::Reject };
        let written = match request.credentials().verify(name, Known::Clear(password)) {
            Proof::Right => Ok(()),
            Proof::RightMsChapV2(success) => reply.put_mschap_success(&success),
            Proof::Wrong | Proof::NeedsClearText | Proof::Unsupported => return Verdict::Reject,
        };
        match written.and_then(|()| reply.put_vendor_text(vendor::MIKROTIK, 8, rate)) {
            Ok(()) => Verdict::Accept,
            Err(_) => Verdict::Silent,
        }
    }
}

fn main() -> std::io::Result<()> {
    let argument = |i: usize| std::env::args().nth(i).and_then(|a| a.parse::<usize>().ok());
    let local = |port: usize| SocketAddr::from(([127, 0, 0, 1], port as u16));
    let user = |i: usize| {
        let rate = format!("{}M/{}M", 10 * (1 + i % 10), 20 * (1 + i % 10));
        (format!("user{i:06}").into_bytes(), (format!("pass{i:06}").into_bytes(), rate))
    };
    let users: Arc<Users> = Arc::new((0..argument(3).unwrap_or(1000)).map(user).collect());
    let clients = Everybody(Arc::new(Client::new(1, "testing123", Policy::Learn { seen: false })));

    let mut config = Config::new(local(argument(1).unwrap_or(1812)));
    let work = Duration::from_micros(argument(5).unwrap_or(0) as u64);
    config.threads = argument(4).unwrap_or(1);
    let auth = access::start(config, clients.clone(), |_| Desk(users.clone(), work))?;
    let queue = Queue::new(8192);
    let acct = accounting::start(Config::new(local(argument(2).unwrap_or(1813))), clients, queue.clone())?;
    let writer = std::thread::spawn(move || {
        let (mut responder, mut batch) = (Responder::new(), Vec::new());
        while queue.take(256, Duration::from_millis(200), Duration::ZERO, &mut batch) {
            responder.answer_all(&batch);
            batch.clear();
        }
    });
    println!("auth {} acct {} pid {}", auth.local_addr(), acct.local_addr(), std::process::id());
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    println!("auth {:?}\nacct {:?}", auth.counters(), acct.counters());
    drop(writer);
    Ok(())
}
