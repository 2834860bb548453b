//! API clients: machine credentials of one dialect.

use domain::{
    ApiClientId, BranchId,
    event::{EventKind, Subject},
};
use serde_json::json;
use store::{
    db::Class,
    staff::{self, ApiClient},
};

use crate::{
    Actor, App, Error, Who,
    ids::Table,
    vault::{random_text, token_hash},
};

/// What a client may do in all, per month and per minute (Alternet's published plans; the other dialects' clients are
/// `enterprise`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    Free,
    Professional,
    Enterprise,
}

impl Tier {
    pub fn word(self) -> &'static str {
        match self {
            Tier::Free => "free",
            Tier::Professional => "professional",
            Tier::Enterprise => "enterprise",
        }
    }

    pub fn from_word(word: &str) -> Option<Tier> {
        [Tier::Free, Tier::Professional, Tier::Enterprise].into_iter().find(|tier| tier.word() == word)
    }

    pub fn requests_per_minute(self) -> u32 {
        match self {
            Tier::Free => 60,
            Tier::Professional => 300,
            Tier::Enterprise => 1000,
        }
    }

    /// What a month includes; `None` without end.
    pub fn requests_per_month(self) -> Option<i64> {
        match self {
            Tier::Free => Some(100),
            Tier::Professional => Some(10_000),
            Tier::Enterprise => None,
        }
    }

    /// Whether requests beyond the month's are refused; else they are counted apart, to be billed.
    pub fn is_hard(self) -> bool {
        self == Tier::Free
    }

    pub fn may_write(self) -> bool {
        self != Tier::Free
    }
}

#[derive(Clone, Debug)]
pub struct NewClient {
    pub dialect: &'static str,
    pub name: String,
    pub branch: Option<BranchId>,
    pub tier: Tier,
    pub sandbox: bool,
    /// A secret given from outside (a demo continued); normally one is made.
    pub secret: Option<String>,
}

/// The client and its secret, which is shown this once.
#[derive(Clone, Debug)]
pub struct IssuedClient {
    pub id: ApiClientId,
    pub secret: String,
}

pub async fn create(app: &App, actor: &Actor, command: NewClient) -> Result<IssuedClient, Error> {
    actor.writes()?;
    let id = ApiClientId(app.new_id(Table::ApiClient).await?);
    let secret = command.secret.clone().unwrap_or_else(|| {
        let mode = if command.sandbox { "test" } else { "live" };
        format!("{mode}_{}", random_text(40))
    });
    let issued = IssuedClient { id, secret: secret.clone() };
    app.change(actor, Class::Interactive, async move |change| {
        ApiClient {
            isp_id: change.isp,
            id,
            branch_id: command.branch,
            staff_id: None,
            dialect: command.dialect.into(),
            name: command.name.clone(),
            key_hash: token_hash(&secret),
            key_hint: secret.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect(),
            tier: command.tier.word().into(),
            sandbox: command.sandbox,
            status: "active".into(),
            created_at: change.now,
            last_used_at: None,
        }
        .insert(change.tx)
        .await?;
        change.event(EventKind::ApiClientCreated, Subject::ApiClient(id.0), json!({ "name": command.name }));
        Ok(())
    })
    .await?;
    Ok(issued)
}

/// A known credential.
#[derive(Clone, Debug)]
pub struct Known {
    pub actor: Actor,
    pub tier: Tier,
    pub sandbox: bool,
}

/// The client of `dialect` that holds this secret.
pub async fn authenticate(app: &App, dialect: &'static str, secret: &str) -> Result<Known, Error> {
    let hash = token_hash(secret);
    let client = app.db.read(async move |tx| staff::client_by_key(tx, &hash).await).await?;
    let client = client.filter(|client| client.dialect == dialect).ok_or(Error::Unauthenticated)?;
    let tier = Tier::from_word(&client.tier).unwrap_or(Tier::Free);
    let who = Who::Api(client.id);
    let actor = Actor { isp: client.isp_id, who, branch: client.branch_id, may_write: tier.may_write() };
    Ok(Known { actor, tier, sandbox: client.sandbox })
}
