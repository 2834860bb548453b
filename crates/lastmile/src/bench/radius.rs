//! `bench radius`: logins and durable reports in a closed loop, with the server's CPU time per request. The server is
//! one made for the run, or somebody else's.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use radius::Secret;

use super::{
    Scratch, machine,
    process::Processes,
    server::{Server, people},
};
use crate::{
    cli::{BenchRadius, BenchWork},
    demo, react,
    simulate::{
        line::Method,
        load::{self, Done, Work},
        people::People,
        routers,
    },
};

const MIB: f64 = 1024.0 * 1024.0;
/// Caches fill, routines settle; this does not count.
const WARM_UP: Duration = Duration::from_millis(300);

pub fn run(options: &BenchRadius) -> anyhow::Result<()> {
    if !options.plain {
        println!("{}", machine());
    }
    match &options.target {
        Some(host) => theirs(options, host),
        None => ours(options),
    }
}

fn ours(options: &BenchRadius) -> anyhow::Result<()> {
    let scratch = Scratch::new(&options.dir)?;
    react(async {
        let (app, _, lock) = demo::prepare(&scratch.0, options.users).await?;
        app.db.close().await;
        drop(lock);
        Ok(())
    })?;
    // The first start makes the rest of the demo; the measured one finds everything there.
    Server::start(&scratch.0)?.stop()?;
    let server = Server::start(&scratch.0)?;
    let processes = server.process();
    if !options.plain {
        println!(
            "{} subscribers, embedded database; window {}, {} s each; client and server share the machine\n\
             start-up (exec to first Access-Accept) {:.0} ms, then {:.0} MiB\n",
            options.users,
            options.window,
            options.seconds,
            server.start_up.as_secs_f64() * 1000.0,
            processes.memory()? as f64 / MIB,
        );
    }
    let measured = Measured { auth: server.auth, acct: server.acct, people: people(options.users, 0), processes };
    measured.table(options)?;
    if !options.plain {
        println!("\nmemory after the load {:.0} MiB", measured.processes.memory()? as f64 / MIB);
    }
    server.stop()
}

fn theirs(options: &BenchRadius, host: &str) -> anyhow::Result<()> {
    let found = (host, options.auth).to_socket_addrs().with_context(|| format!("--target {host}"))?;
    let auth = found.into_iter().next().with_context(|| format!("--target {host}: no address"))?;
    if !auth.ip().is_loopback() && !options.allow_remote {
        bail!("{} is another machine: a load against it needs its owner's consent and --allow-remote", auth.ip());
    }
    let people = People {
        routers: routers::addresses(auth.ip(), 1),
        secret: Secret::new(options.secret.as_deref().unwrap_or_default()),
        // It may remember the sessions of the run before.
        ..people(options.users, SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u32 / 100)
    };
    let processes = Processes(options.pid.clone());
    if !options.plain {
        println!("{host}; window {}, {} s each\n", options.window, options.seconds);
    }
    Measured { auth, acct: SocketAddr::new(auth.ip(), options.acct), people, processes }.table(options)
}

/// A server that answers.
struct Measured {
    auth: SocketAddr,
    acct: SocketAddr,
    people: People,
    /// None are known of a server elsewhere.
    processes: Processes,
}

impl Measured {
    fn table(&self, options: &BenchRadius) -> anyhow::Result<()> {
        if !options.plain {
            println!(
                "{:<34} {:>10} {:>12} {:>9} {:>9} {:>8} {:>10}",
                "work", "requests/s", "CPU µs/req", "p50 ms", "p99 ms", "refused", "unanswered"
            );
        }
        for (round, work) in (0..).zip(&options.work) {
            let (name, work) = in_words(*work);
            let (done, cpu) = self.row(options, round, work)?;
            if done.answered == 0 {
                bail!("{name}: nothing was answered");
            }
            let a_second = done.answered as f64 / done.elapsed.as_secs_f64();
            let cpu_us = match self.processes.0.is_empty() {
                true => "-".to_string(),
                false => format!("{:.1}", cpu.as_secs_f64() * 1e6 / done.answered as f64),
            };
            let (p50, p99) = (done.spread.ms(0.5), done.spread.ms(0.99));
            let Done { refused, unanswered, .. } = done;
            match options.plain {
                true => println!("{name}\t{a_second:.0}\t{cpu_us}\t{p50:.2}\t{p99:.2}\t{refused}\t{unanswered}"),
                false => println!(
                    "{name:<34} {a_second:>10.0} {cpu_us:>12} {p50:>9.2} {p99:>9.2} {refused:>8} {unanswered:>10}"
                ),
            }
        }
        Ok(())
    }

    /// Session ids are never used twice: not by the next work, nor after the warming up.
    fn row(&self, options: &BenchRadius, round: u32, work: Work) -> anyhow::Result<(Done, Duration)> {
        let to = if work == Work::Sessions { self.acct } else { self.auth };
        let window = usize::from(options.window);
        let people = |run| People { run: self.people.run.wrapping_add(run), ..self.people.clone() };
        load::run(&people(2 * round), to, work, window, WARM_UP)?;
        let before = self.processes.cpu()?;
        let time = Duration::from_secs_f64(options.seconds);
        let done = load::run(&people(2 * round + 1), to, work, window, time)?;
        Ok((done, self.processes.cpu()?.saturating_sub(before)))
    }
}

fn in_words(work: BenchWork) -> (&'static str, Work) {
    match work {
        BenchWork::Pap => ("login, PAP", Work::Login(Method::Pap)),
        BenchWork::Chap => ("login, CHAP", Work::Login(Method::Chap)),
        BenchWork::MsChapV2 => ("login, MS-CHAPv2", Work::Login(Method::MsChapV2)),
        BenchWork::Accounting => ("Start, Interim, Stop, durable", Work::Sessions),
    }
}
