//! `bench radius`: logins and durable reports in a closed loop of 128, with the server's CPU time per request.

use std::time::Duration;

use anyhow::bail;

use super::{
    Scratch, machine,
    server::{Server, people},
};
use crate::{
    cli::BenchRadius,
    demo, react,
    simulate::{
        line::Method,
        load::{self, Work},
    },
};

const WINDOW: usize = 128;
const MIB: f64 = 1024.0 * 1024.0;

pub fn run(options: &BenchRadius) -> anyhow::Result<()> {
    println!("{}", machine());
    let scratch = Scratch::new(&options.dir)?;
    react(async {
        let (app, _, lock) = demo::prepare(&scratch.0, options.users).await?;
        app.db.close().await;
        drop(lock);
        Ok(())
    })?;
    let server = Server::start(&scratch.0)?;
    let idle = server.memory()?;
    println!(
        "{} subscribers, embedded database; window {WINDOW}, {} s each; client and server share the machine\n\
         start-up (exec to first Access-Accept) {:.0} ms, then {:.0} MiB\n",
        options.users,
        options.seconds,
        server.start_up.as_secs_f64() * 1000.0,
        idle as f64 / MIB,
    );
    println!(
        "{:<34} {:>10} {:>12} {:>9} {:>9} {:>8} {:>10}",
        "work", "requests/s", "CPU µs/req", "p50 ms", "p99 ms", "refused", "unanswered"
    );
    let rows = [
        ("login, PAP", Work::Login(Method::Pap)),
        ("login, CHAP", Work::Login(Method::Chap)),
        ("login, MS-CHAPv2", Work::Login(Method::MsChapV2)),
        ("Start, Interim, Stop, durable", Work::Sessions),
    ];
    for (run, (name, work)) in (1..).zip(rows) {
        let people = people(options.users, run);
        let to = if work == Work::Sessions { server.acct } else { server.auth };
        // Caches fill, routines settle; this does not count.
        load::run(&people, to, work, WINDOW, Duration::from_millis(300))?;
        let people = super::server::people(options.users, 100 + run);
        let before = server.cpu()?;
        let done = load::run(&people, to, work, WINDOW, Duration::from_secs_f64(options.seconds))?;
        let cpu = server.cpu()?.saturating_sub(before);
        if done.answered == 0 {
            bail!("{name}: nothing was answered");
        }
        println!(
            "{name:<34} {:>10.0} {:>12.1} {:>9.2} {:>9.2} {:>8} {:>10}",
            done.answered as f64 / done.elapsed.as_secs_f64(),
            cpu.as_secs_f64() * 1e6 / done.answered as f64,
            done.spread.ms(0.5),
            done.spread.ms(0.99),
            done.refused,
            done.unanswered,
        );
    }
    println!("\nmemory after the load {:.0} MiB", server.memory()? as f64 / MIB);
    server.stop()
}
