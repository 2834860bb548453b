//! `client add`: lets a program use the API. The first one makes the others at `/api/v2/clients`.

use anyhow::{Context, bail};
use domain::{Scope, Scopes};
use service::{
    Actor, Clock,
    clients::{self, Form, Shown, Wanted},
};

use crate::{cli::ClientAdd, react, router::said, server, settings::Settings};

pub fn add(options: &ClientAdd) -> anyhow::Result<()> {
    react(run(options))
}

async fn run(options: &ClientAdd) -> anyhow::Result<()> {
    let Some(form) = Form::from_word(&options.form) else {
        bail!("--type: one of {} is expected", Form::WORDS.join(", "));
    };
    let scopes = options.scopes.as_deref().map(scopes).transpose()?;
    let tier = match options.tier.as_deref() {
        None => None,
        Some(word) => match form.tiers().iter().find(|tier| **tier == word) {
            Some(tier) => Some(*tier),
            None => bail!("--tier: one of {} is expected", form.tiers().join(", ")),
        },
    };
    let settings = Settings::load(&options.serve.config)?;
    let location = settings.location()?;
    let _lock = server::lock(&location)?;
    let app = server::core(server::open(&location).await?, Clock::System, settings.vault()?);
    let mut tenants = app.tenants().await?;
    if let Some(name) = &options.isp {
        tenants.retain(|tenant| tenant.isp.name == *name);
    }
    let tenant = match &tenants[..] {
        [tenant] => tenant,
        [] => bail!("there is no such ISP"),
        [_, _, ..] => bail!("there are several ISPs: say whose client it is with --isp"),
    };
    let wanted = Wanted { form, name: options.name.clone(), tier, scopes, branch: None };
    let issued = clients::issue(&app, &Actor::system(tenant.isp.isp_id), Scopes::ALL, wanted).await;
    let (client, shown) = issued.map_err(said).with_context(|| format!("client {}", options.name))?;
    app.db.close().await;
    println!("API client {} of {}: {}, {} (shown this once)", client.id, tenant.isp.name, client.name, client.tier);
    match shown {
        Shown::Oauth { client_id, client_secret } => {
            println!("client_id     {client_id}\nclient_secret {client_secret}")
        }
        Shown::Tokens(granted) => {
            println!("access_token  {}     ({} s)", granted.access, granted.expires_in_s);
            println!("refresh_token {}", granted.refresh.unwrap_or_default());
        }
        Shown::Key(key) => println!("api_key       {key}"),
    }
    Ok(())
}

fn scopes(text: &str) -> anyhow::Result<Scopes> {
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let each = words.map(|word| Scope::from_word(word).with_context(|| format!("--scopes: there is no {word}")));
    Ok(Scopes::of(&each.collect::<anyhow::Result<Vec<_>>>()?))
}
