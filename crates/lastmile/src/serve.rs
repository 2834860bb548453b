//! `serve`: an ISP's own installation.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use doors::listen;
use service::{
    Clock,
    kernel::{attempts::Attempts, guessing::Guessing, hashing, limits::Limits},
};
use worker::outgoing;

use crate::{
    cli::Serve,
    descriptors, react,
    server::{self, Background, Ports, Served},
    settings::Settings,
    telemetry,
};

pub fn run(options: &Serve) -> anyhow::Result<()> {
    let settings = Settings::load(&options.config)?;
    telemetry::logs(&settings.log.level, settings.log.format)?;
    react(serve(settings))
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    let vault = settings.vault()?;
    let location = settings.location()?;
    let lock = server::lock(&location)?;
    let mut app = server::core(server::open(&location).await?, Clock::System, vault);
    app.limits = Arc::new(Limits {
        attempts: Attempts::new(settings.limits.rates()),
        guessing: Guessing::new(settings.limits.guessing()),
        ..Limits::default()
    });
    hashing::set(settings.limits.hashing_places as usize, settings.limits.hashing_waiting as usize);
    let files = descriptors::raise().context("how many files may be open cannot be asked")?;
    let hosts = settings.http.hosts_of(&app.tenants().await?)?;
    let listener = listen::Settings { hosts, ..settings.http.listener(files)? };
    let radius = aaa::Settings {
        auth: settings.radius.auth,
        acct: settings.radius.acct,
        threads: settings.radius.threads(),
        strip_realm: settings.radius.strip_realm,
        held: settings.limits.held(),
    };
    let bound =
        server::bind(&app, Ports { http: settings.http.listen, operator: Some(settings.operator.listen), radius })
            .await?;
    let webhooks =
        outgoing::Settings { allow_private: settings.webhooks.allow_private, ..outgoing::Settings::default() };
    let served = Served { front: panel::Front::Closed, docs: settings.http.docs, listener };
    let key_file = settings.secrets.key.is_none().then(|| settings.secrets.key_file.clone().into());
    let background = Background { events_days: settings.events.retention_days, webhooks, key_file };
    let server = server::start(app, bound, lock, served, background)?;
    tracing::info!(http = %server.http, operator = %server.operator, files, auth = %server.auth, acct = %server.acct, "serving");
    server::told_to_stop(Duration::from_secs(settings.operator.stop_within_s as u64)).await?;
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}
