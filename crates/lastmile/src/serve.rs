//! `serve`: an ISP's own installation.

use service::Clock;
use worker::outgoing;

use crate::{
    cli::Serve,
    react,
    server::{self, Ports},
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
    let app = server::core(server::open(&location).await?, Clock::System, vault);
    let radius = aaa::Settings {
        auth: settings.radius.auth,
        acct: settings.radius.acct,
        threads: settings.radius.threads(),
        strip_realm: settings.radius.strip_realm,
    };
    let bound = server::bind(&app, Ports { http: settings.http.listen, radius }).await?;
    let webhooks =
        outgoing::Settings { allow_private: settings.webhooks.allow_private, ..outgoing::Settings::default() };
    let server = server::start(app, bound, lock, panel::Front::Closed, settings.events.retention_days, webhooks)?;
    tracing::info!(http = %server.http, auth = %server.auth, acct = %server.acct, "serving");
    server::told_to_stop().await?;
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}
