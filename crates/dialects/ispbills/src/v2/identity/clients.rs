//! API clients: machine credentials. Nobody grants more than they may do themselves, nor manages a client that may do
//! more. Secrets are shown once.

use axum::extract::State;
use domain::{ApiClientId, BranchId, Scope, Scopes, kernel::clock::SECOND};
use doors::{Id, Operation, form::Body, wire::utc_seconds};
use serde::Serialize;
use service::{
    ApiClient, App,
    identity::{
        clients::{self, Client, ClientChange, Form, Shown, Tier, Wanted},
        tokens::{self, Granted},
    },
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};
use crate::v2::refused;

const TIERS: &[&str] =
    &["v2_standard", "v2_high_volume", "v1_standard", "v1_high_volume", "free", "professional", "enterprise", "jaze"];
/// Thirty days.
const MAX_OVERLAP_S: i64 = 2_592_000;

#[derive(Serialize, ToSchema)]
#[schema(as = ApiClient)]
pub struct Row {
    id: i64,
    /// oauth (version 2), token (version 1), key (Alternet) or pair (Jaze).
    r#type: &'static str,
    name: String,
    tier: String,
    requests_per_minute: u32,
    /// Null: without a limit by month.
    requests_per_month: Option<i64>,
    /// Null: everything.
    scopes: Option<Vec<&'static str>>,
    /// It sees and changes only this branch.
    branch_id: Option<i64>,
    /// What an oauth client names itself with, and a pair's token.
    client_id: Option<String>,
    /// The last characters of its key or first secret.
    hint: String,
    last_used_at: Option<String>,
    created_at: String,
    updated_at: String,
}

fn row(client: ApiClient) -> Row {
    let tier = Tier::from_word(&client.tier).unwrap_or(Tier::Free);
    let limited = client.scopes.is_some();
    let may = clients::scopes(&client);
    Row {
        id: client.id.0,
        r#type: Form::of(&client).word(),
        updated_at: utc_seconds(clients::changed_at(&client)),
        name: client.name,
        tier: client.tier,
        requests_per_minute: tier.requests_per_minute(),
        requests_per_month: tier.requests_per_month(),
        scopes: limited.then(|| Scope::ALL.iter().filter(|scope| may.has(**scope)).map(|s| s.word()).collect()),
        branch_id: client.branch_id.map(|id| id.0),
        client_id: client.public_id,
        hint: client.key_hint,
        last_used_at: client.last_used_at.map(utc_seconds),
        created_at: utc_seconds(client.created_at),
    }
}

pub const LIST: Operation = Operation::new("API clients", "List API clients", Scope::ClientsRead).lists::<Row>();

pub async fn list(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<Row>, Failure> {
    let (found, total) = clients::list(&app, &caller.actor, page.offset(), page.limit()).await?;
    Ok(page.of(found.into_iter().map(row).collect(), total))
}

/// What is shown once; which fields there are depends on the client's type.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiCredentials)]
pub struct Credentials {
    client_id: Option<String>,
    client_secret: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    /// Of the access token, in seconds.
    expires_in: Option<i64>,
    api_key: Option<String>,
    /// A pair's, sent with its key.
    api_token: Option<String>,
}

fn credentials(shown: Shown) -> Credentials {
    let none = Credentials {
        client_id: None,
        client_secret: None,
        access_token: None,
        refresh_token: None,
        expires_in: None,
        api_key: None,
        api_token: None,
    };
    match shown {
        Shown::Oauth { client_id, client_secret } => {
            Credentials { client_id: Some(client_id), client_secret: Some(client_secret), ..none }
        }
        Shown::Tokens(Granted { access, expires_in_s, refresh }) => {
            Credentials { access_token: Some(access), refresh_token: refresh, expires_in: Some(expires_in_s), ..none }
        }
        Shown::Key(key) => Credentials { api_key: Some(key), ..none },
        Shown::Pair { api_token, api_key } => {
            Credentials { api_token: Some(api_token), api_key: Some(api_key), ..none }
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = IssuedApiClient)]
pub struct Issued {
    client: Row,
    credentials: Credentials,
}

doors::form! {
    NewApiClient {
        r#type: required Word(Form::WORDS), "oauth for version 2, token for version 1, key for Alternet, pair (a token and a key) for Jaze.";
        name: required Text(1, 100), "What it is for.";
        tier: optional Word(TIERS), "Of its type; the standard one where not given.";
        scopes: optional Words(Scope::WORDS), "What it may do; everything you may where not given and you may everything.";
        branch_id: optional Id, "It sees and changes only this branch: a zone's id, not the head office's.";
    }
}

/// Words of the wire as a set.
fn set(words: Vec<&'static str>) -> Scopes {
    Scopes::of(&words.into_iter().filter_map(Scope::from_word).collect::<Vec<_>>())
}

pub const CREATE: Operation = Operation::new("API clients", "Create an API client", Scope::ClientsWrite)
    .about("Its credentials are shown this once. You cannot grant what you may not do yourself (403).")
    .body::<NewApiClient>()
    .creates::<Issued>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewApiClient>) -> Answer<Issued> {
    let command = Wanted {
        form: Form::from_word(body.r#type).unwrap_or(Form::Oauth),
        name: body.name,
        tier: body.tier.value(),
        scopes: body.scopes.value().map(set),
        branch: body.branch_id.value().map(BranchId),
    };
    let (client, shown) = clients::issue(&app, &caller.actor, caller.scopes, command).await.map_err(refused)?;
    let changed = clients::changed_at(&client);
    Ok(Reply::created(Issued { client: row(client), credentials: credentials(shown) }).tagged(changed))
}

#[derive(Serialize, ToSchema)]
#[schema(as = ApiClientSecret)]
pub struct Secret {
    /// Its last characters.
    hint: String,
    created_at: String,
    /// Null: until it is rotated.
    expires_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ApiClientDetail)]
pub struct Detail {
    #[serde(flatten)]
    client: Row,
    /// Secrets of an oauth client, keys of a pair, that are good, the newest first.
    secrets: Vec<Secret>,
}

pub const SHOW: Operation =
    Operation::new("API clients", "Retrieve an API client", Scope::ClientsRead).answers::<Detail>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Detail> {
    let Client { client, secrets } = clients::show(&app, &caller.actor, ApiClientId(id)).await?;
    let changed = clients::changed_at(&client);
    let secrets = secrets.into_iter().map(|secret| Secret {
        hint: secret.secret_hint,
        created_at: utc_seconds(secret.created_at),
        expires_at: secret.expires_at.map(utc_seconds),
    });
    let secrets = secrets.collect();
    Ok(Reply::data(Detail { client: row(client), secrets }).tagged(changed))
}

doors::form! {
    ApiClientUpdate {
        name: optional Text(1, 100), "What it is for.";
        tier: optional Word(TIERS), "Of its type.";
        scopes: optional Words(Scope::WORDS), "What it may do from now on; null for everything.";
    }
}

pub const UPDATE: Operation = Operation::new("API clients", "Update an API client", Scope::ClientsWrite)
    .about("Rights and limits change at once, also for tokens that were given before.")
    .body::<ApiClientUpdate>()
    .answers::<Row>()
    .conditional();

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<ApiClientUpdate>,
) -> Answer<Row> {
    let ApiClientUpdate { name, tier, scopes } = body;
    let command = ClientChange {
        name: name.value(),
        tier: tier.value(),
        scopes: scopes.change().map(|words| words.map(set)),
        unchanged_since: caller.unchanged_since()?,
    };
    let client = clients::update(&app, &caller.actor, caller.scopes, ApiClientId(id), command).await?;
    let changed = clients::changed_at(&client);
    Ok(Reply::data(row(client)).tagged(changed))
}

pub const REVOKE: Operation = Operation::new("API clients", "Revoke an API client", Scope::ClientsWrite)
    .about("It, its secrets and its tokens end at once.")
    .no_content()
    .conditional();

pub async fn revoke(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    let since = caller.unchanged_since()?;
    clients::revoke(&app, &caller.actor, caller.scopes, ApiClientId(id), since).await?;
    NO_CONTENT
}

doors::form! {
    Rotation {
        overlap_seconds: optional Integer(0, MAX_OVERLAP_S), "How long older secrets stay good; 0 where not given.";
    }
}

pub const ROTATE: Operation = Operation::new("API clients", "Rotate an API client's secret", Scope::ClientsWrite)
    .about(
        "The new secret or key is shown this once. Without an overlap older secrets and the tokens that came from them \
         end at once; a key is always exchanged at once. Clients of version 1 get new tokens instead.",
    )
    .body::<Rotation>()
    .answers::<Credentials>();

pub async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(Rotation { overlap_seconds }): Body<Rotation>,
) -> Answer<Credentials> {
    let overlap = overlap_seconds.or(0) * SECOND;
    let shown = clients::rotate(&app, &caller.actor, caller.scopes, ApiClientId(id), overlap).await?;
    Ok(Reply::data(credentials(shown)))
}

pub const TOKEN: Operation = Operation::new("API clients", "Generate a version 1 client's tokens", Scope::ClientsWrite)
    .about("An access token and a refresh token, shown this once. Earlier ones end.")
    .refuses(&[422])
    .answers::<Credentials>();

pub async fn token(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Credentials> {
    let granted = tokens::for_client(&app, &caller.actor, caller.scopes, ApiClientId(id)).await?;
    Ok(Reply::data(credentials(Shown::Tokens(granted))))
}
