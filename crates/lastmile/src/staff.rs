//! `staff add`: a person who signs in, made on the machine: the first one where a program's calls need a person, or the
//! way back in.

use anyhow::{Context, bail};
use domain::{Role, Scopes};
use service::{
    Error, Expected, FieldError, Why,
    identity::staff::{self, NewStaff},
    kernel::vault::random_text,
};

use crate::{cli::StaffAdd, local::Local, react, router::said};

/// Operators are made with their accounts, at `/api/v2/operators`.
const ROLES: [Role; 6] =
    [Role::Owner, Role::Manager, Role::Noc, Role::Salesperson, Role::Collector, Role::CardDistributor];

pub fn add(options: &StaffAdd) -> anyhow::Result<()> {
    react(run(options))
}

async fn run(options: &StaffAdd) -> anyhow::Result<()> {
    let Some(role) = Role::from_word(&options.role).filter(|role| ROLES.contains(role)) else {
        bail!("--role: one of {} is expected", ROLES.map(Role::word).join(", "));
    };
    if options.name.trim().is_empty() {
        bail!("--name: it is missing");
    }
    let has_host =
        |email: &str| email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if !has_host(options.email.trim()) {
        return Err(said(Error::Invalid(vec![FieldError { field: "email", why: Why::Not(Expected::Email) }])));
    }
    let here = Local::open(&options.serve.config, options.isp.as_deref()).await?;
    let password = random_text(16);
    let person = NewStaff {
        name: options.name.clone(),
        email: options.email.clone(),
        password: password.clone(),
        phone: None,
        role,
        branch: None,
        parent: None,
    };
    let made = staff::create(&here.app, &here.actor(), Scopes::ALL, person).await;
    let made = made.map_err(said).with_context(|| format!("person {}", options.email))?;
    here.app.db.close().await;
    println!("Staff {} of {}: {}, {}", made.id, here.tenant.isp.name, made.email, made.role);
    println!("password {password}     (shown this once)");
    Ok(())
}
