//! `init`: a directory to serve from. Nothing that exists is overwritten.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, bail};
use service::{
    Actor, Clock, Location, Vault,
    access::routers::{self, NewRouter},
    identity::{
        clients::{self, NewClient, Tier},
        tenants::{self, NewIsp},
    },
    kernel::vault::{random_text, write_private},
};

use crate::{
    cli, make_private, react,
    router::said,
    server,
    settings::{self, EXAMPLE, Settings},
};

const DEFAULT_DATABASE: &str = "url = \"lastmile.db\"";

pub fn run(options: &cli::Init) -> anyhow::Result<()> {
    let directory = &options.dir;
    for name in ["lastmile.toml", "lastmile.key", "lastmile.db"] {
        if directory.join(name).exists() {
            bail!("{} exists: nothing is overwritten", directory.join(name).display());
        }
    }
    let location = match &options.database {
        Some(url) => settings::location(url, directory)?,
        None => Location::File(directory.join("lastmile.db")),
    };
    let routers = options.router.iter().map(|text| parse_router(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let isp = ask(options)?;
    if !(0.0..=100.0).contains(&options.tax) {
        bail!("--tax is a percentage, 0 to 100");
    }
    make_private(directory)?;
    react(create(options, &location, isp, routers))
}

async fn create(
    options: &cli::Init,
    location: &Location,
    isp: NewIsp,
    routers: Vec<(String, String)>,
) -> anyhow::Result<()> {
    let directory = &options.dir;
    let _lock = server::lock(location)?;
    let db = server::open(location).await?;
    let vault = Vault::from_file(&directory.join("lastmile.key")).context("the key file cannot be made")?;
    let app = server::core(db, Clock::System, vault);
    if !app.tenants().await?.is_empty() {
        bail!("the database already holds an ISP");
    }
    let (email, password) = (isp.owner_email.clone(), isp.owner_password.clone());
    let created = tenants::create_isp(&app, isp).await?;
    let actor = Actor::system(created.isp);
    let client = NewClient {
        dialect: "alternet",
        name: "First key".into(),
        branch: None,
        tier: Tier::Enterprise,
        sandbox: false,
        secret: None,
    };
    let key = clients::create(&app, &actor, client).await?.secret;
    let coa_port = Settings::default().radius.coa_port();
    let mut secrets = Vec::new();
    for (name, network) in routers {
        let secret = random_text(24);
        let router = NewRouter {
            name: name.clone(),
            vendor: "mikrotik".into(),
            network: network.clone(),
            nas_identifier: None,
            secret: secret.clone(),
            coa_port,
            ma_policy: "learn".into(),
            api_address: None,
        };
        routers::create(&app, &actor, router).await.map_err(said).with_context(|| format!("router {name}"))?;
        secrets.push((name, network, secret));
    }
    write_private(&directory.join("lastmile.toml"), settings_text(location).as_bytes())?;
    app.db.close().await;

    println!("Ready in {}:\n", directory.display());
    println!("  owner            {email}");
    println!("  password         {password}     (shown this once)");
    println!("  Alternet API key {key}     (shown this once)");
    for (name, network, secret) in secrets {
        println!("  router           {name} at {network}, RADIUS secret {secret}     (shown this once)");
    }
    println!("\nKeep a copy of {} away from the database.", directory.join("lastmile.key").display());
    println!("Start it:  lastmile serve --config {}", directory.join("lastmile.toml").display());
    Ok(())
}

/// The example with the chosen database. The file may hold a database password: only its owner reads it.
fn settings_text(location: &Location) -> String {
    match location {
        Location::Postgres(url) => EXAMPLE.replace(DEFAULT_DATABASE, &format!("url = {}", toml::Value::from(&**url))),
        Location::File(_) | Location::Memory => EXAMPLE.into(),
    }
}

fn parse_router(text: &str) -> anyhow::Result<(String, String)> {
    match text.split_once('=') {
        Some((name, network)) if !name.trim().is_empty() && routers::parse_network(network).is_some() => {
            Ok((name.trim().into(), network.trim().into()))
        }
        _ => bail!("--router {text:?}: NAME=ADDRESS or NAME=NETWORK is expected, as in tower-1=203.0.113.7"),
    }
}

/// What was not given is asked for on a terminal, and an error elsewhere.
fn ask(options: &cli::Init) -> anyhow::Result<NewIsp> {
    let name = answer(&options.name, "Name of the ISP", "--name", |text| !text.is_empty())?;
    let currency = answer(&options.currency, "Currency (ISO 4217, as KES)", "--currency", |text| {
        text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
    })?;
    let time_zone = answer(&options.time_zone, "Time zone (as Africa/Nairobi)", "--time-zone", |text| {
        jiff::tz::TimeZone::get(text).is_ok()
    })?;
    let owner_email = answer(&options.owner_email, "E-mail address of the owner", "--owner-email", |text| {
        text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    })?;
    Ok(NewIsp {
        name,
        currency: currency.to_uppercase(),
        time_zone,
        locale: "en".into(),
        username_prefix: options.username_prefix.clone(),
        tax_ppm: (options.tax * 10_000.0).round() as i64,
        tax_inclusive: true,
        owner_name: "Owner".into(),
        owner_email,
        owner_password: random_text(16),
    })
}

fn answer(
    given: &Option<String>,
    question: &str,
    option: &str,
    right: impl Fn(&str) -> bool,
) -> anyhow::Result<String> {
    if let Some(given) = given {
        let given = given.trim();
        if !right(given) {
            bail!("{option} {given:?} is none ({question})");
        }
        return Ok(given.into());
    }
    if !std::io::stdin().is_terminal() {
        bail!("{option} is missing ({question})");
    }
    loop {
        print!("{question}: ");
        std::io::stdout().flush()?;
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line)? == 0 {
            bail!("{option} is missing ({question})");
        }
        if right(line.trim()) {
            return Ok(line.trim().into());
        }
        println!("That does not look right.");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn options(directory: &Path) -> cli::Init {
        cli::Init {
            dir: directory.into(),
            database: None,
            name: Some("Test ISP".into()),
            currency: Some("kes".into()),
            time_zone: Some("Africa/Nairobi".into()),
            owner_email: Some("owner@isp.example".into()),
            username_prefix: "TI".into(),
            tax: 16.0,
            router: vec!["tower-1=203.0.113.7".into()],
        }
    }

    #[test]
    fn a_directory_is_made_once() {
        let directory = crate::demo::tests::scratch("init");
        run(&options(&directory)).unwrap();
        let settings = Settings::load(&directory.join("lastmile.toml")).unwrap();
        assert_eq!(settings.location().unwrap(), Location::File(directory.join("lastmile.db")));
        settings.vault().unwrap();
        let error = run(&options(&directory)).unwrap_err().to_string();
        assert!(error.contains("nothing is overwritten"), "{error}");
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_is_made() {
        let directory = crate::demo::tests::scratch("init-wrong").join("inner");
        type Spoil = fn(&mut cli::Init);
        let rows: [(Spoil, &str); 6] = [
            (|o| o.currency = Some("KSH1".into()), "--currency"),
            (|o| o.time_zone = Some("Nairobi".into()), "--time-zone"),
            (|o| o.owner_email = Some("owner".into()), "--owner-email"),
            (|o| o.tax = 160.0, "--tax"),
            (|o| o.router = vec!["tower".into()], "--router"),
            (|o| o.database = Some("mysql://x/y".into()), "database.url"),
        ];
        for (spoil, expected) in rows {
            let mut options = options(&directory);
            spoil(&mut options);
            let error = run(&options).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!directory.exists());
        }
    }
}
