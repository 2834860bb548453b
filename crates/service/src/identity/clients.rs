//! API clients: machine credentials of one dialect.

use domain::{ApiClientId, BranchId, Instant, IspId, Scopes};
use store::{
    db::{Class, Tx},
    identity::staff::{self, ApiClient, ClientSecret},
};

use crate::{
    Actor, App, Change, Error, Expected, Fact, Refusal, What, Who, Why,
    identity::tokens::{self, Granted},
    kernel::{
        change::unchanged,
        ids::Table,
        vault::{self, random_text, token_hash},
    },
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
    /// Zal Ultra documents no limit: this one keeps a runaway client from the others' time.
    Zal,
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
    (Tier::Zal, "zal", 6000, None),
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
    app.change(actor, Class::Interactive, async move |change| make(change, &command, None).await).await
}

/// A client of ISPBills version 1 with its first tokens, in one change.
async fn create_with_tokens(
    app: &App,
    actor: &Actor,
    command: NewClient,
    scopes: Option<Scopes>,
) -> Result<(ApiClientId, tokens::Granted), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let id = make(change, &command, scopes).await?.id;
        Ok((id, tokens::grant_client(change, id).await?))
    })
    .await
}

async fn make(change: &Change<'_>, command: &NewClient, scopes: Option<Scopes>) -> Result<IssuedClient, Error> {
    let id = ApiClientId(change.id(Table::ApiClient).await?);
    let secret = command.secret.clone().unwrap_or_else(|| {
        let mode = if command.sandbox { "test" } else { "live" };
        format!("{mode}_{}", random_text(40))
    });
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
        scopes: scopes.map(Scopes::words),
        updated_at: None,
    }
    .insert(change.tx)
    .await?;
    change.tell(Fact::ApiClientCreated { client: id, name: command.name.clone() });
    Ok(IssuedClient { id, secret })
}

/// A known credential. Who it is that calls is found in [`known`] for clients and in [`tokens::of_person`] for people, which
/// both ask whether they may still come in.
#[derive(Clone, Debug)]
pub struct Known {
    pub actor: Actor,
    pub tier: Tier,
    pub sandbox: bool,
    pub scopes: Scopes,
}

/// The client of `dialect` that holds this secret.
pub async fn authenticate(app: &App, dialect: &'static str, secret: &str) -> Result<Known, Error> {
    let attempt = app.limits.attempts.key(dialect, secret, app.clock.now())?;
    let hash = token_hash(secret);
    let found = app
        .db
        .read(async move |tx| match staff::client_by_key(tx, &hash).await? {
            Some(client) if client.dialect == dialect => known(tx, &client).await,
            Some(_) | None => Ok(None),
        })
        .await;
    attempt.settle(found.and_then(|known| known.ok_or(Error::Unauthenticated)), app.clock.now())
}

/// 160 bits.
fn pair_key() -> String {
    vault::hex(&vault::random_bytes::<20>())
}

/// A client that proves itself with a public name and a secret: with every call (Jaze), or for a token (ISPBills v2).
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
    let secret = command.secret.clone().unwrap_or_else(pair_key);
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
            updated_at: None,
        }
        .insert(change.tx)
        .await?;
        add_secret(change, id, &secret).await?;
        change.tell(Fact::ApiClientCreated { client: id, name: command.name.clone() });
        Ok(())
    })
    .await?;
    Ok(issued)
}

/// The client of `dialect` that holds this secret under this name.
pub async fn authenticate_pair(app: &App, dialect: &'static str, public: &str, secret: &str) -> Result<Known, Error> {
    let attempt = app.limits.attempts.key(dialect, &format!("{public}:{secret}"), app.clock.now())?;
    let found = holder_of_pair(app, dialect, public, secret).await;
    attempt.settle(found, app.clock.now())
}

async fn holder_of_pair(app: &App, dialect: &'static str, public: &str, secret: &str) -> Result<Known, Error> {
    let (hash, public, now) = (token_hash(secret), public.to_string(), app.clock.now());
    let found = app
        .db
        .read(async move |tx| {
            let client = staff::client_by_public_id(tx, &public).await?;
            let Some(client) = client.filter(|client| client.dialect == dialect) else { return Ok(None) };
            let secrets = staff::secrets(tx, client.isp_id, client.id, now).await?;
            match secrets.iter().any(|known| known.secret_hash == hash) {
                true => known(tx, &client).await,
                false => Ok(None),
            }
        })
        .await?;
    found.ok_or(Error::Unauthenticated)
}

/// Whether whoever is confined to this branch may come in: not while its reseller is suspended, nor the one above.
pub(crate) async fn open(tx: &Tx, isp: IspId, branch: Option<BranchId>) -> Result<bool, Error> {
    match branch {
        Some(branch) => Ok(!staff::shut(tx, isp, branch).await?),
        None => Ok(true),
    }
}

/// What a client may do now; nothing once it has ended, or while the reseller is suspended for whom it acts.
pub(crate) async fn known(tx: &Tx, client: &ApiClient) -> Result<Option<Known>, Error> {
    if client.status != "active" || !open(tx, client.isp_id, client.branch_id).await? {
        return Ok(None);
    }
    let tier = Tier::from_word(&client.tier).unwrap_or(Tier::Free);
    let actor =
        Actor { isp: client.isp_id, who: Who::Api(client.id), branch: client.branch_id, may_write: tier.may_write() };
    Ok(Some(Known { actor, tier, sandbox: client.sandbox, scopes: scopes(client) }))
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

pub const OAUTH: &str = tokens::V2;
/// Whose clients have keys.
pub const KEYS: &str = "alternet";
/// Whose clients send a token and a key with every call.
pub const PAIRS: &str = "jaze";

pub async fn create_oauth(app: &App, actor: &Actor, command: NewOauthClient) -> Result<IssuedOauthClient, Error> {
    let NewOauthClient { name, branch, tier, scopes, credentials } = command;
    let (public, secret) = credentials.unwrap_or_else(|| (vault::random_uuid(), random_text(SECRET_LENGTH)));
    let client_id = public.clone();
    let pair = NewPair { dialect: OAUTH, name, branch, tier, scopes, public, secret: Some(secret) };
    let IssuedClient { id, secret } = create_pair(app, actor, pair).await?;
    Ok(IssuedOauthClient { id, client_id, client_secret: secret })
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

async fn live(change: &Change<'_>, id: ApiClientId) -> Result<ApiClient, Error> {
    let client = staff::client(change.tx, change.isp, id).await?;
    client.filter(|client| client.status != "deleted").ok_or(Error::NotFound { what: What::ApiClient })
}

/// The live client, if it may do no more than `own`: who manages a mightier one would become as mighty.
pub(crate) async fn managed(change: &Change<'_>, own: Scopes, id: ApiClientId) -> Result<ApiClient, Error> {
    let client = live(change, id).await?;
    if scopes(&client).within(own) { Ok(client) } else { Err(Error::Forbidden) }
}

/// What a client may do.
pub fn scopes(client: &ApiClient) -> Scopes {
    client.scopes.as_deref().map_or(Scopes::ALL, Scopes::from_words)
}

/// When a client was changed last.
pub fn changed_at(client: &ApiClient) -> Instant {
    client.updated_at.unwrap_or(client.created_at)
}

/// How a client proves itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// An id and a secret for short-lived tokens: version 2.
    Oauth,
    /// An access token and a refresh token: version 1.
    Token,
    /// A key in every request: Alternet.
    Key,
    /// A token and a key in every request: Jaze.
    Pair,
}

impl Form {
    pub const WORDS: &[&'static str] = &["oauth", "token", "key", "pair"];

    pub fn word(self) -> &'static str {
        match self {
            Form::Oauth => "oauth",
            Form::Token => "token",
            Form::Key => "key",
            Form::Pair => "pair",
        }
    }

    pub fn from_word(word: &str) -> Option<Form> {
        [Form::Oauth, Form::Token, Form::Key, Form::Pair].into_iter().find(|form| form.word() == word)
    }

    pub fn of(client: &ApiClient) -> Form {
        match client.dialect.as_str() {
            OAUTH => Form::Oauth,
            tokens::V1 => Form::Token,
            PAIRS => Form::Pair,
            _ => Form::Key,
        }
    }

    /// The tiers such a client can be of; the first is the usual one.
    pub fn tiers(self) -> &'static [&'static str] {
        match self {
            Form::Oauth => &["v2_standard", "v2_high_volume"],
            Form::Token => &["v1_standard", "v1_high_volume"],
            Form::Key => &["professional", "free", "enterprise"],
            Form::Pair => &["jaze"],
        }
    }

    fn tier(self, word: Option<&str>) -> Result<Tier, Error> {
        let word = word.unwrap_or(self.tiers()[0]);
        let known = self.tiers().contains(&word).then(|| Tier::from_word(word)).flatten();
        known.ok_or(Error::invalid("tier", Why::NotOneOf(self.tiers())))
    }
}

#[derive(Clone, Debug)]
pub struct Wanted {
    pub form: Form,
    pub name: String,
    pub tier: Option<&'static str>,
    /// `None` for everything.
    pub scopes: Option<Scopes>,
    /// Sees and changes only this branch.
    pub branch: Option<BranchId>,
}

/// What is shown once.
#[derive(Clone, Debug)]
pub enum Shown {
    Oauth { client_id: String, client_secret: String },
    Tokens(Granted),
    Key(String),
    Pair { api_token: String, api_key: String },
}

/// Makes a client that may do no more than `own`, who asks for it.
pub async fn issue(app: &App, actor: &Actor, own: Scopes, command: Wanted) -> Result<(ApiClient, Shown), Error> {
    actor.sees_all()?;
    let tier = command.form.tier(command.tier)?;
    if !command.scopes.unwrap_or(Scopes::ALL).within(own) {
        return Err(Error::Forbidden);
    }
    if let Some(branch) = command.branch {
        let isp = actor.isp;
        let read = async move |tx: &store::db::Tx| {
            Ok::<_, Error>((
                store::identity::isp::branch(tx, isp, branch).await?,
                store::identity::branch::head_office(tx, isp).await?,
            ))
        };
        match app.db.read(read).await? {
            (None, _) => return Err(Error::invalid("branch", Why::Unknown)),
            // Its customers are those of no branch: confined to it a client would see nobody.
            (Some(_), Some(head)) if head.id == branch => {
                return Err(Error::invalid("branch", Why::Not(Expected::LeftOutForHeadOffice)));
            }
            (Some(_), _) => {}
        }
    }
    let Wanted { form, name, scopes, branch, .. } = command;
    let (id, shown) = match form {
        Form::Oauth => {
            let command = NewOauthClient { name, branch, tier, scopes, credentials: None };
            let IssuedOauthClient { id, client_id, client_secret } = create_oauth(app, actor, command).await?;
            (id, Shown::Oauth { client_id, client_secret })
        }
        Form::Pair => {
            let public = vault::hex(&vault::random_bytes::<16>());
            let api_token = public.clone();
            let command = NewPair { dialect: PAIRS, name, branch, tier, scopes, public, secret: None };
            let IssuedClient { id, secret } = create_pair(app, actor, command).await?;
            (id, Shown::Pair { api_token, api_key: secret })
        }
        Form::Token | Form::Key => {
            if form == Form::Key && scopes.is_some() {
                // Alternet's document has tiers and nothing finer.
                return Err(Error::invalid("scopes", Why::Not(Expected::LeftOutForKey)));
            }
            let dialect = if form == Form::Key { KEYS } else { tokens::V1 };
            let command = NewClient { dialect, name, branch, tier, sandbox: false, secret: None };
            if form == Form::Key {
                let IssuedClient { id, secret } = create(app, actor, command).await?;
                (id, Shown::Key(secret))
            } else {
                let (id, granted) = create_with_tokens(app, actor, command, scopes).await?;
                (id, Shown::Tokens(granted))
            }
        }
    };
    Ok((show(app, actor, id).await?.client, shown))
}

/// Gives a client a new secret or key. Older secrets stay good for `overlap` microseconds; without any, tokens that came
/// from them end too. Keys and their like are exchanged at once. The new one.
pub async fn rotate(app: &App, actor: &Actor, own: Scopes, id: ApiClientId, overlap: i64) -> Result<Shown, Error> {
    actor.writes()?;
    actor.sees_all()?;
    let (secret, key, paired) = (random_text(SECRET_LENGTH), random_text(40), pair_key());
    app.change(actor, Class::Interactive, async move |change| {
        let client = managed(change, own, id).await?;
        let shown = match (Form::of(&client), client.public_id.clone()) {
            (Form::Oauth, Some(client_id)) => {
                staff::end_secrets(change.tx, change.isp, id, change.now.plus(overlap)).await?;
                add_secret(change, id, &secret).await?;
                if overlap == 0 {
                    store::identity::token::revoke_client(change.tx, change.isp, id, change.now).await?;
                }
                Shown::Oauth { client_id, client_secret: secret.clone() }
            }
            (Form::Pair, Some(api_token)) => {
                staff::end_secrets(change.tx, change.isp, id, change.now.plus(overlap)).await?;
                add_secret(change, id, &paired).await?;
                Shown::Pair { api_token, api_key: paired.clone() }
            }
            (Form::Key, _) if overlap > 0 => {
                return Err(Error::invalid("overlap_seconds", Why::Not(Expected::NoOverlap)));
            }
            (Form::Key, _) => {
                let mode = if client.sandbox { "test" } else { "live" };
                let key = format!("{mode}_{key}");
                staff::set_key(change.tx, change.isp, id, &token_hash(&key), &hint(&key), change.now).await?;
                Shown::Key(key)
            }
            (Form::Token | Form::Oauth | Form::Pair, _) => {
                return Err(Error::Refused(Refusal::HasTokens));
            }
        };
        change.tell(Fact::ApiClientRotated { client: id, overlap_us: overlap });
        Ok(shown)
    })
    .await
}

/// `None` leaves a field as it is.
#[derive(Clone, Default, Debug)]
pub struct ClientChange {
    pub name: Option<String>,
    pub tier: Option<&'static str>,
    pub scopes: Option<Option<Scopes>>,
    /// The client must be as it was changed then.
    pub unchanged_since: Option<Instant>,
}

/// Changes a client; neither before nor after may it do more than `own`.
pub async fn update(
    app: &App,
    actor: &Actor,
    own: Scopes,
    id: ApiClientId,
    command: ClientChange,
) -> Result<ApiClient, Error> {
    actor.writes()?;
    actor.sees_all()?;
    if command.scopes.is_some_and(|scopes| !scopes.unwrap_or(Scopes::ALL).within(own)) {
        return Err(Error::Forbidden);
    }
    app.change(actor, Class::Interactive, async move |change| {
        let before = managed(change, own, id).await?;
        unchanged(command.unchanged_since, changed_at(&before))?;
        let mut client = before.clone();
        if matches!(command.scopes, Some(Some(_))) && Form::of(&client) == Form::Key {
            return Err(Error::invalid("scopes", Why::Not(Expected::LeftOutForKey)));
        }
        client.name = command.name.clone().unwrap_or(client.name);
        if let Some(word) = command.tier {
            client.tier = Form::of(&client).tier(Some(word))?.word().into();
        }
        client.scopes = command.scopes.map_or(client.scopes, |scopes| scopes.map(Scopes::words));
        if client == before {
            return Ok(client);
        }
        client.updated_at = Some(change.now);
        staff::update_client(change.tx, &client).await?;
        change.tell(Fact::ApiClientUpdated { client: id, name: client.name.clone() });
        Ok(client)
    })
    .await
}

/// Ends a client that may do no more than `own`, its secrets and its tokens, at once.
pub async fn revoke(
    app: &App,
    actor: &Actor,
    own: Scopes,
    id: ApiClientId,
    since: Option<Instant>,
) -> Result<(), Error> {
    actor.writes()?;
    actor.sees_all()?;
    app.change(actor, Class::Interactive, async move |change| {
        let mut client = managed(change, own, id).await?;
        unchanged(since, changed_at(&client))?;
        client.status = "deleted".into();
        client.updated_at = Some(change.now);
        staff::update_client(change.tx, &client).await?;
        staff::end_secrets(change.tx, change.isp, id, change.now).await?;
        store::identity::token::revoke_client(change.tx, change.isp, id, change.now).await?;
        change.tell(Fact::ApiClientRevoked { client: id, name: client.name });
        Ok(())
    })
    .await
}

/// The newest clients first, and how many there are.
pub async fn list(app: &App, actor: &Actor, offset: i64, limit: i64) -> Result<(Vec<ApiClient>, i64), Error> {
    actor.sees_all()?;
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let rows = staff::clients(tx, isp, offset, limit).await?;
            Ok((rows, staff::count_clients(tx, isp).await?))
        })
        .await
}

/// A client with its good secrets.
#[derive(Clone, Debug)]
pub struct Client {
    pub client: ApiClient,
    /// The newest first.
    pub secrets: Vec<ClientSecret>,
}

pub async fn show(app: &App, actor: &Actor, id: ApiClientId) -> Result<Client, Error> {
    actor.sees_all()?;
    let (isp, now) = (actor.isp, app.clock.now());
    app.db
        .read(async move |tx| {
            let client = staff::client(tx, isp, id).await?;
            let client = client.filter(|client| client.status != "deleted");
            let client = client.ok_or(Error::NotFound { what: What::ApiClient })?;
            Ok(Client { secrets: staff::secrets(tx, isp, id, now).await?, client })
        })
        .await
}
