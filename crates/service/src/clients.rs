//! API clients: machine credentials of one dialect.

use domain::{
    ApiClientId, BranchId, Scopes,
    event::{EventKind, Subject},
};
use serde_json::json;
use store::{
    db::Class,
    staff::{self, ApiClient, ClientSecret},
};

use crate::{
    Actor, App, Change, Error, Who,
    ids::Table,
    vault::{self, random_text, token_hash},
};

/// What a client may do in all, per month and per minute, as the vendors' documents sell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    // Alternet's plans.
    Free,
    Professional,
    Enterprise,
    // ISPBills, "Rate Limits".
    V1Standard,
    V1HighVolume,
    V2Standard,
    V2HighVolume,
    /// Jaze documents no limit; this one keeps a client that went wild from the others.
    Jaze,
}

/// Word, requests a minute, requests a month.
const TIERS: &[(Tier, &str, u32, Option<i64>)] = &[
    (Tier::Free, "free", 60, Some(100)),
    (Tier::Professional, "professional", 300, Some(10_000)),
    (Tier::Enterprise, "enterprise", 1000, None),
    (Tier::V1Standard, "v1_standard", 60, None),
    (Tier::V1HighVolume, "v1_high_volume", 120, None),
    (Tier::V2Standard, "v2_standard", 120, None),
    (Tier::V2HighVolume, "v2_high_volume", 300, None),
    (Tier::Jaze, "jaze", 6000, None),
];

impl Tier {
    fn row(self) -> &'static (Tier, &'static str, u32, Option<i64>) {
        TIERS.iter().find(|(tier, ..)| *tier == self).expect("every tier has a row")
    }

    pub fn word(self) -> &'static str {
        self.row().1
    }

    pub fn from_word(word: &str) -> Option<Tier> {
        TIERS.iter().find(|(_, known, ..)| *known == word).map(|(tier, ..)| *tier)
    }

    pub fn requests_per_minute(self) -> u32 {
        self.row().2
    }

    /// What a month includes; `None` without end.
    pub fn requests_per_month(self) -> Option<i64> {
        self.row().3
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
            key_hint: hint(&secret),
            tier: command.tier.word().into(),
            sandbox: command.sandbox,
            status: "active".into(),
            created_at: change.now,
            last_used_at: None,
            public_id: None,
            scopes: None,
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
    pub scopes: Scopes,
}

/// The client of `dialect` that holds this secret.
pub async fn authenticate(app: &App, dialect: &'static str, secret: &str) -> Result<Known, Error> {
    let hash = token_hash(secret);
    let client = app.db.read(async move |tx| staff::client_by_key(tx, &hash).await).await?;
    let client = client.filter(|client| client.dialect == dialect).ok_or(Error::Unauthenticated)?;
    Ok(known(&client))
}

/// A client that sends a public name and a secret with every call (Jaze).
#[derive(Clone, Debug)]
pub struct NewPair {
    pub dialect: &'static str,
    pub name: String,
    pub branch: Option<BranchId>,
    pub tier: Tier,
    /// `None` for everything.
    pub scopes: Option<Scopes>,
    pub public: String,
    /// A secret given from outside (a demo continued); normally one is made.
    pub secret: Option<String>,
}

pub async fn create_pair(app: &App, actor: &Actor, command: NewPair) -> Result<IssuedClient, Error> {
    actor.writes()?;
    let id = ApiClientId(app.new_id(Table::ApiClient).await?);
    let secret = command.secret.clone().unwrap_or_else(|| vault::hex(&vault::random_bytes::<20>()));
    let issued = IssuedClient { id, secret: secret.clone() };
    app.change(actor, Class::Interactive, async move |change| {
        if staff::client_by_public_id(change.tx, &command.public).await?.is_some() {
            return Err(Error::invalid("public", crate::Why::Taken));
        }
        ApiClient {
            isp_id: change.isp,
            id,
            branch_id: command.branch,
            staff_id: None,
            dialect: command.dialect.into(),
            name: command.name.clone(),
            // Nothing is known that has this hash: the client's secrets are rows of their own.
            key_hash: token_hash(&random_text(SECRET_LENGTH)),
            key_hint: hint(&secret),
            tier: command.tier.word().into(),
            sandbox: false,
            status: "active".into(),
            created_at: change.now,
            last_used_at: None,
            public_id: Some(command.public.clone()),
            scopes: command.scopes.map(Scopes::words),
        }
        .insert(change.tx)
        .await?;
        add_secret(change, id, &secret).await?;
        change.event(EventKind::ApiClientCreated, Subject::ApiClient(id.0), json!({ "name": command.name }));
        Ok(())
    })
    .await?;
    Ok(issued)
}

/// The client of `dialect` that holds this secret under this name.
pub async fn authenticate_pair(app: &App, dialect: &'static str, public: &str, secret: &str) -> Result<Known, Error> {
    let (hash, public, now) = (token_hash(secret), public.to_string(), app.clock.now());
    let client = app
        .db
        .read(async move |tx| {
            let client = staff::client_by_public_id(tx, &public).await?;
            let Some(client) = client.filter(|client| client.dialect == dialect) else { return Ok(None) };
            let secrets = staff::secrets(tx, client.isp_id, client.id, now).await?;
            let holds = secrets.iter().any(|known| known.secret_hash == hash);
            Ok::<_, Error>(holds.then_some(client))
        })
        .await?;
    Ok(known(&client.ok_or(Error::Unauthenticated)?))
}

/// What a client may do.
pub(crate) fn known(client: &ApiClient) -> Known {
    let tier = Tier::from_word(&client.tier).unwrap_or(Tier::Free);
    let actor =
        Actor { isp: client.isp_id, who: Who::Api(client.id), branch: client.branch_id, may_write: tier.may_write() };
    let scopes = client.scopes.as_deref().map_or(Scopes::ALL, Scopes::from_words);
    Known { actor, tier, sandbox: client.sandbox, scopes }
}

/// A client that exchanges an id and a secret for short-lived tokens (ISPBills v2).
#[derive(Clone, Debug)]
pub struct NewOauthClient {
    pub name: String,
    pub branch: Option<BranchId>,
    pub tier: Tier,
    /// `None` for everything.
    pub scopes: Option<Scopes>,
    /// Given from outside (a demo continued); normally they are made.
    pub credentials: Option<(String, String)>,
}

/// An id and a secret, which is shown this once.
#[derive(Clone, Debug)]
pub struct IssuedOauthClient {
    pub id: ApiClientId,
    pub client_id: String,
    pub client_secret: String,
}

pub const OAUTH: &str = "ispbills_v2";

pub async fn create_oauth(app: &App, actor: &Actor, command: NewOauthClient) -> Result<IssuedOauthClient, Error> {
    actor.writes()?;
    let id = ApiClientId(app.new_id(Table::ApiClient).await?);
    let (client_id, client_secret) =
        command.credentials.clone().unwrap_or_else(|| (vault::random_uuid(), random_text(SECRET_LENGTH)));
    let issued = IssuedOauthClient { id, client_id: client_id.clone(), client_secret: client_secret.clone() };
    app.change(actor, Class::Interactive, async move |change| {
        let client = ApiClient {
            isp_id: change.isp,
            id,
            branch_id: command.branch,
            staff_id: None,
            dialect: OAUTH.into(),
            name: command.name.clone(),
            // Nothing is known that has this hash: the client's secrets are rows of their own.
            key_hash: token_hash(&random_text(SECRET_LENGTH)),
            key_hint: hint(&client_secret),
            tier: command.tier.word().into(),
            sandbox: false,
            status: "active".into(),
            created_at: change.now,
            last_used_at: None,
            public_id: Some(client_id.clone()),
            scopes: command.scopes.map(Scopes::words),
        };
        client.insert(change.tx).await?;
        add_secret(change, id, &client_secret).await?;
        change.event(EventKind::ApiClientCreated, Subject::ApiClient(id.0), json!({ "name": command.name }));
        Ok(())
    })
    .await?;
    Ok(issued)
}

/// About 286 bits.
const SECRET_LENGTH: usize = 48;

fn hint(secret: &str) -> String {
    secret.chars().skip(secret.chars().count().saturating_sub(4)).collect()
}

async fn add_secret(change: &Change<'_>, client: ApiClientId, secret: &str) -> Result<(), Error> {
    let row = ClientSecret {
        isp_id: change.isp,
        id: change.id(Table::ClientSecret).await?,
        client_id: client,
        secret_hash: token_hash(secret),
        secret_hint: hint(secret),
        created_at: change.now,
        expires_at: None,
    };
    Ok(row.insert(change.tx).await?)
}

/// Gives a client a new secret; older ones stay good for `overlap` microseconds. The new one.
pub async fn rotate_secret(app: &App, actor: &Actor, id: ApiClientId, overlap: i64) -> Result<String, Error> {
    actor.writes()?;
    let secret = random_text(SECRET_LENGTH);
    let shown = secret.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let client = live(change, id).await?;
        if client.public_id.is_none() {
            return Err(Error::Refused("This client has no secret to rotate"));
        }
        staff::end_secrets(change.tx, change.isp, id, change.now.plus(overlap)).await?;
        add_secret(change, id, &secret).await?;
        change.event(EventKind::ApiClientRotated, Subject::ApiClient(id.0), json!({ "overlap_us": overlap }));
        Ok(())
    })
    .await?;
    Ok(shown)
}

async fn live(change: &Change<'_>, id: ApiClientId) -> Result<ApiClient, Error> {
    let client = staff::client(change.tx, change.isp, id).await?;
    client.filter(|client| client.status != "deleted").ok_or(Error::NotFound { what: "api_client" })
}

/// `None` leaves a field as it is.
#[derive(Clone, Default, Debug)]
pub struct ClientChange {
    pub name: Option<String>,
    pub tier: Option<Tier>,
    pub scopes: Option<Option<Scopes>>,
}

pub async fn update(app: &App, actor: &Actor, id: ApiClientId, command: ClientChange) -> Result<ApiClient, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let mut client = live(change, id).await?;
        client.name = command.name.clone().unwrap_or(client.name);
        client.tier = command.tier.map_or(client.tier, |tier| tier.word().into());
        client.scopes = command.scopes.map_or(client.scopes, |scopes| scopes.map(Scopes::words));
        staff::update_client(change.tx, &client).await?;
        change.event(EventKind::ApiClientUpdated, Subject::ApiClient(id.0), json!({ "name": client.name }));
        Ok(client)
    })
    .await
}

/// Ends a client, its secrets and its tokens, at once.
pub async fn revoke(app: &App, actor: &Actor, id: ApiClientId) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let mut client = live(change, id).await?;
        client.status = "deleted".into();
        staff::update_client(change.tx, &client).await?;
        staff::end_secrets(change.tx, change.isp, id, change.now).await?;
        store::token::revoke_client(change.tx, change.isp, id, change.now).await?;
        change.event(EventKind::ApiClientRevoked, Subject::ApiClient(id.0), json!({ "name": client.name }));
        Ok(())
    })
    .await
}

/// The newest clients first, and how many there are.
pub async fn list(app: &App, actor: &Actor, offset: i64, limit: i64) -> Result<(Vec<ApiClient>, i64), Error> {
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let rows = staff::clients(tx, isp, offset, limit).await?;
            Ok((rows, staff::count_clients(tx, isp).await?))
        })
        .await
}

pub async fn show(app: &App, actor: &Actor, id: ApiClientId) -> Result<ApiClient, Error> {
    let isp = actor.isp;
    let client = app.db.read(async move |tx| staff::client(tx, isp, id).await).await?;
    client.filter(|client| client.status != "deleted").ok_or(Error::NotFound { what: "api_client" })
}
