//! `router add`: lets a router ask RADIUS.

use anyhow::Context;
use service::{
    Error, FieldError, Why,
    access::routers::{self, NewRouter},
    kernel::vault::random_text,
};

use crate::{cli::RouterAdd, local::Local, react};

pub fn add(options: &RouterAdd) -> anyhow::Result<()> {
    react(run(options))
}

async fn run(options: &RouterAdd) -> anyhow::Result<()> {
    let here = Local::open(&options.serve.config, options.isp.as_deref()).await?;
    let secret = options.secret.clone().unwrap_or_else(|| random_text(24));
    let router = NewRouter {
        name: options.name.clone(),
        vendor: options.vendor.clone(),
        network: options.network.clone(),
        nas_identifier: options.nas_identifier.clone(),
        secret: secret.clone(),
        coa_port: options.coa_port.unwrap_or(here.settings.radius.coa_port()),
        ma_policy: "learn".into(),
        api_address: None,
    };
    let created = routers::create(&here.app, &here.actor(), router).await;
    let created = created.map_err(said).with_context(|| format!("router {}", options.name))?;
    here.app.db.close().await;
    println!("Router {created} of {}: {} at {}", here.tenant.isp.name, options.name, options.network);
    if options.secret.is_none() {
        println!("RADIUS secret {secret}     (shown this once)");
    }
    Ok(())
}

fn words(why: &Why) -> String {
    match why {
        Why::Not(form) => format!("{} is expected", doors::words::expected(*form)),
        Why::NotOneOf(words) => format!("one of {} is expected", words.join(", ")),
        Why::Taken => "another one has it".into(),
        Why::Required => "it is missing".into(),
        Why::TooLong { max } => format!("at most {max} characters are possible"),
        other => format!("{other:?}"),
    }
}

/// Which option is wrong, and how.
pub fn said(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(fields) => {
            let each = fields.iter().map(|FieldError { field, why }| format!("--{field}: {}", words(why)));
            anyhow::anyhow!(each.collect::<Vec<_>>().join("; "))
        }
        Error::Refused(why) => anyhow::anyhow!(doors::words::refusal(why)),
        other => other.into(),
    }
}
