//! A server of this dialect alone, over demo data: `cargo run --example serve -- PORT DEMO.json [DATABASE]`.
//!
//! It writes what a contract check needs to know into `DEMO.json`. Without a database file the data is in memory.

mod seed;

use std::time::Duration;

use domain::Instant;
use doors::{
    Dispatch, Gate,
    listen::{Listener, Settings},
};
use serde_json::json;
use service::{App, Clock, Db, Location, Vault};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().map_or(Ok(8080), |port| port.parse())?;
    let demo = arguments.next().unwrap_or_else(|| "demo.json".into());
    let location = arguments.next().map_or(Location::Memory, |path| Location::File(path.into()));
    let db = Db::open(&location).await?;
    db.migrate().await?;

    // The past is lived through first, so that some of it has expired by now.
    let now = Instant::from_timestamp(jiff::Timestamp::now());
    let clock = Clock::manual(now.plus_seconds(-40 * 86_400));
    let mut app = App::new(db, clock, Vault::ephemeral(), "example");
    let seeded = seed::seed(&app, now).await?;
    app.clock = Clock::System;

    let base = format!("http://127.0.0.1:{port}");
    let other = json!({ "alternet": { "api_key": seeded.other_key } });
    let facts = json!({ "base_url": base, "alternet": { "api_key": seeded.api_key }, "other_tenant": other });
    std::fs::write(&demo, serde_json::to_string_pretty(&facts)?)?;

    let gate = Gate::default();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let kept = tokio::spawn(gate.clone().keep(app.clone(), async move { drop(stopped.await) }));
    let router =
        Dispatch::new(app.clock.clone()).with(alternet::dialect(app.clone(), gate, doors::Log::default())).router();
    let listener = Listener::bind(([127, 0, 0, 1], port).into()).await?;
    println!("{base}, see {demo}");
    let ended = async { drop(tokio::signal::ctrl_c().await) };
    listener.serve(router, Settings::named("example"), ended).await;
    drop(stop);
    tokio::time::timeout(Duration::from_secs(10), kept).await??;
    app.db.close().await;
    Ok(())
}
