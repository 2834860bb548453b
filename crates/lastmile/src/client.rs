//! `client add`: lets a program use the API. The first one makes the others at `/api/v2/clients`.

use anyhow::{Context, bail};
use domain::{BranchId, Scope, Scopes};
use service::identity::{
    branches,
    clients::{self, Form, Shown, Wanted},
};

use crate::{cli::ClientAdd, local::Local, react, router::said};

pub fn add(options: &ClientAdd) -> anyhow::Result<()> {
    react(run(options))
}

async fn run(options: &ClientAdd) -> anyhow::Result<()> {
    let Some(form) = Form::from_word(&options.form) else {
        bail!("--type: one of {} is expected", Form::WORDS.join(", "));
    };
    if options.account.is_some() && form != Form::Pair {
        bail!("--account: only a pair is for an account");
    }
    let scopes = options.scopes.as_deref().map(scopes).transpose()?;
    let tier = match options.tier.as_deref() {
        None => None,
        Some(word) => match form.tiers().iter().find(|tier| **tier == word) {
            Some(tier) => Some(*tier),
            None => bail!("--tier: one of {} is expected", form.tiers().join(", ")),
        },
    };
    let here = Local::open(&options.serve.config, options.isp.as_deref()).await?;
    let account = match form {
        Form::Pair => Some(account(&here, options.account.as_deref()).await?),
        Form::Oauth | Form::Token | Form::Key => None,
    };
    let branch = account.as_ref().and_then(|(_, branch)| *branch);
    let wanted = Wanted { form, name: options.name.clone(), tier, scopes, branch };
    let issued = clients::issue(&here.app, &here.actor(), Scopes::ALL, wanted).await;
    let (client, shown) = issued.map_err(said).with_context(|| format!("client {}", options.name))?;
    here.app.db.close().await;
    let isp = &here.tenant.isp.name;
    println!("API client {} of {isp}: {}, {} (shown this once)", client.id, client.name, client.tier);
    match shown {
        Shown::Oauth { client_id, client_secret } => {
            println!("client_id     {client_id}\nclient_secret {client_secret}")
        }
        Shown::Tokens(granted) => {
            println!("access_token  {}     ({} s)", granted.access, granted.expires_in_s);
            println!("refresh_token {}", granted.refresh.unwrap_or_default());
        }
        Shown::Key(key) => println!("api_key       {key}"),
        Shown::Pair { api_token, api_key } => println!("api_token     {api_token}\napi_key       {api_key}"),
    }
    if let Some((account, _)) = account {
        println!("account       {account}");
    }
    Ok(())
}

/// The account a pair is for, with its branch: the named one, else the whole ISP's, which gets a name here if it has none.
async fn account(here: &Local, named: Option<&str>) -> anyhow::Result<(String, Option<BranchId>)> {
    let (app, actor) = (&here.app, here.actor());
    let own = branches::list(app, &actor).await?.into_iter().find(|zone| zone.branch().is_none());
    let known = match named {
        Some(name) => branches::named(app, &actor, name).await?,
        None => own.clone(),
    };
    match (known, own, named) {
        (Some(zone), _, _) => Ok((zone.account.clone(), zone.branch())),
        (None, Some(own), _) => bail!(
            "--account: there is no such account; the ISP's is {}, and POST /api/v2/zones makes others",
            own.account
        ),
        (None, None, named) => {
            let name = named.map_or_else(|| slug(&here.tenant.isp.name), String::from);
            branches::name(app, &actor, None, &name).await.map_err(said)?;
            Ok((name.trim().into(), None))
        }
    }
}

/// An ISP's name as an account's: `Fast Net Ltd.` is `fast-net-ltd`.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    let slug: String = slug.chars().take(60).collect();
    if slug.is_empty() { "isp".into() } else { slug }
}

fn scopes(text: &str) -> anyhow::Result<Scopes> {
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let each = words.map(|word| Scope::from_word(word).with_context(|| format!("--scopes: there is no {word}")));
    Ok(Scopes::of(&each.collect::<anyhow::Result<Vec<_>>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isps_name_as_an_account() {
        for (name, account) in [("Fast Net Ltd.", "fast-net-ltd"), ("  Ünï ", "n"), ("东方", "isp"), ("A&B", "a-b")]
        {
            assert_eq!(slug(name), account, "{name}");
        }
        assert!(branches::account_name(&slug(&"long name ".repeat(20))).is_ok());
    }
}
