//! Tokens: a person's login (ISPBills v1) or a client's id and secret (v2, OAuth 2.0 client credentials, RFC 6749 §4.4)
//! exchanged for opaque texts. They are stored hashed and looked up on every request, so that an end is an end at once.

use domain::{
    ApiClientId, Instant, Role, Scopes, StaffId,
    kernel::clock::{DAY, HOUR, MINUTE},
};
use store::{
    db::{Class, Tx},
    identity::{
        staff::{self, Staff},
        token::{self, Token},
    },
};

use crate::{
    Actor, App, Change, Error, Fact, Refusal, Who,
    identity::clients::{self, Known, Tier},
    kernel::{
        attempts::{self, Attempt},
        hashing,
        ids::Table,
        origin,
        vault::{random_text, token_hash},
    },
};
use domain::kernel::{names::name_key, windows::Wait};

/// A login's tokens of version 1.
pub const V1: &str = "ispbills_v1";
/// A client's tokens of version 2.
pub const V2: &str = "ispbills_v2";

/// Where tokens that are asked for count.
const ASKED_FOR: &str = "tokens";
const MOST_A_MINUTE: u32 = 120;

const V1_ACCESS: i64 = HOUR;
const V1_REFRESH: i64 = 30 * DAY;
const V2_ACCESS: i64 = 30 * MINUTE;
/// What v2 tokens begin with.
pub const V2_PREFIX: &str = "v2_";
/// About 286 bits.
const LENGTH: usize = 48;

/// An access token and, where the flow has one, the refresh token for the next pair. Shown this once.
#[derive(Clone, Debug)]
pub struct Granted {
    pub access: String,
    pub expires_in_s: i64,
    pub refresh: Option<String>,
}

/// A known token.
#[derive(Clone, Debug)]
pub struct Bearer {
    pub known: Known,
    /// For its revocation.
    pub token_id: i64,
}

/// Whose tokens they are.
#[derive(Clone, Copy, Debug)]
enum Holder {
    Staff(StaffId),
    Client(ApiClientId),
}

/// A person's e-mail address and password for a pair of v1 tokens. Suspended people are refused like strangers.
pub async fn sign_in(app: &App, email: &str, password: &str) -> Result<Granted, Error> {
    let person = person(app, email, password).await?;
    let actor = Actor { isp: person.isp_id, who: Who::Staff(person.id), branch: None, may_write: true };
    let id = person.id;
    app.change(&actor, Class::Interactive, async move |change| {
        staff::logged_in(change.tx, change.isp, id, change.now).await?;
        pair(change, Holder::Staff(id), None).await
    })
    .await
    .inspect(|granted| given(app, V1, granted))
}

fn given(app: &App, issuer: &'static str, granted: &Granted) {
    for text in std::iter::once(&granted.access).chain(&granted.refresh) {
        app.limits.attempts.given(issuer, text, app.clock.now());
    }
}

/// The one active person with this address and password, in whichever tenant.
pub(crate) async fn person(app: &App, email: &str, password: &str) -> Result<Staff, Error> {
    let (key, isp) = (name_key(email), origin::isp());
    let was_from = async |source: String, since| {
        let key = key.clone();
        let look = async move |tx: &store::db::Tx| {
            for person in staff::namesakes(tx, isp, &key).await? {
                if token::was_from(tx, person.isp_id, token::Holder::Staff(person.id), &source, since).await? {
                    return Ok(true);
                }
            }
            Ok::<_, Error>(false)
        };
        app.db.read(look).await
    };
    let attempt = attempts::sign_in(app, "staff", &key, was_from).await?;
    let found = active(app, &attempt, email, password).await;
    attempt.settle(found, app.clock.now())
}

/// Where two Isps know the address, and with this password, nobody is taken for the other.
async fn active(app: &App, attempt: &Attempt<'_>, email: &str, password: &str) -> Result<Staff, Error> {
    let (key, isp) = (name_key(email), origin::isp());
    let people = app.db.read(async move |tx| staff::namesakes(tx, isp, &key).await).await?;
    if people.is_empty() {
        // As slow as a wrong password, so that the answer's time does not tell who exists.
        hashing::as_long_as_wrong(attempt, password.into()).await?;
    }
    let mut found = None;
    for person in people {
        let hash = person.password_hash.clone();
        if !hashing::password_matches(attempt, password.into(), hash).await? || !comes_in(app, &person).await? {
            continue;
        }
        if found.replace(person).is_some() {
            return Err(Error::Refused(Refusal::NameOfTwo));
        }
    }
    found.ok_or(Error::Unauthenticated)
}

async fn comes_in(app: &App, person: &Staff) -> Result<bool, Error> {
    let person = person.clone();
    app.db.read(async move |tx| Ok(of_person(tx, &person).await?.is_some())).await
}

/// A pair for a v1 client that may do no more than `own`, as the panel's "Generate Token" gives it. Its earlier tokens
/// end.
pub async fn for_client(app: &App, actor: &Actor, own: Scopes, id: ApiClientId) -> Result<Granted, Error> {
    actor.writes()?;
    actor.sees_all()?;
    app.change(actor, Class::Interactive, async move |change| {
        let client = clients::managed(change, own, id).await?;
        if client.dialect != V1 {
            return Err(Error::Refused(Refusal::OnlyVersion1));
        }
        token::revoke_client(change.tx, change.isp, id, change.now).await?;
        grant_client(change, id).await
    })
    .await
}

/// A client's first tokens.
pub(super) async fn grant_client(change: &Change<'_>, id: ApiClientId) -> Result<Granted, Error> {
    change.tell(Fact::ApiClientTokensMade { client: id });
    pair(change, Holder::Client(id), None).await
}

/// The next pair for a refresh token, which is good once. One that comes a second time was stolen or copied: every
/// token that came from the same login ends.
pub async fn refresh(app: &App, refresh: &str) -> Result<Granted, Error> {
    let attempt = app.limits.attempts.key(V1, refresh, app.clock.now())?;
    let granted = next_pair(app, refresh).await;
    attempt.settle(granted, app.clock.now()).inspect(|granted| given(app, V1, granted))
}

async fn next_pair(app: &App, refresh: &str) -> Result<Granted, Error> {
    let hash = token_hash(refresh);
    let found = app.db.read(async move |tx| token::find(tx, &hash).await).await?;
    let found = found.filter(|token| token.kind == "refresh" && token.issuer == V1).ok_or(Error::Unauthenticated)?;
    let (who, holder) = match (found.staff_id, found.client_id) {
        (Some(id), _) => (Who::Staff(id), Holder::Staff(id)),
        (None, Some(id)) => (Who::Api(id), Holder::Client(id)),
        (None, None) => return Err(Error::Unauthenticated),
    };
    // The holder may have ended since.
    bearer(app, &found).await?;
    let actor = Actor { isp: found.isp_id, who, branch: None, may_write: true };
    let answer = app
        .change(&actor, Class::Interactive, async move |change| {
            if token::use_up(change.tx, change.isp, found.id, change.now).await? {
                return Ok(Some(pair(change, holder, Some(found.family)).await?));
            }
            used_again(change, &found.hash).await?;
            Ok(None)
        })
        .await?;
    answer.ok_or(Error::Unauthenticated)
}

/// A token that could not be used: where it had been used before, two have it, and which of them may is not known. All
/// that came from the same login ends.
pub(crate) async fn used_again(change: &Change<'_>, hash: &str) -> Result<(), Error> {
    let used = token::find(change.tx, hash).await?.filter(|token| token.used_at.is_some());
    if let Some(Token { family, .. }) = used
        && token::revoke_family(change.tx, change.isp, family, change.now).await? > 0
    {
        change.tell(Fact::TokenReused { family });
    }
    Ok(())
}

/// A v2 access token for a client's id and secret.
pub async fn exchange(app: &App, client_id: &str, secret: &str) -> Result<Granted, Error> {
    let was_from = async |source: String, since| {
        let public = client_id.trim().to_string();
        let look = async move |tx: &store::db::Tx| {
            let Some(client) = staff::client_by_public_id(tx, &public).await? else { return Ok(false) };
            let holder = token::Holder::Client(client.id);
            Ok::<_, Error>(token::was_from(tx, client.isp_id, holder, &source, since).await?)
        };
        app.db.read(look).await
    };
    let attempt = attempts::sign_in(app, V2, client_id.trim(), was_from).await?;
    let granted = exchanged(app, client_id, secret).await;
    attempt.settle(granted, app.clock.now()).inspect(|granted| given(app, V2, granted))
}

async fn exchanged(app: &App, client_id: &str, secret: &str) -> Result<Granted, Error> {
    let (public_id, now) = (client_id.trim().to_string(), app.clock.now());
    let found = app
        .db
        .read(async move |tx| {
            let client = staff::client_by_public_id(tx, &public_id).await?;
            let Some(client) = client.filter(|client| client.dialect == clients::OAUTH) else { return Ok(None) };
            let secrets = staff::secrets(tx, client.isp_id, client.id, now).await?;
            Ok::<_, Error>(clients::known(tx, &client).await?.map(|known| (client, known.actor, secrets)))
        })
        .await?;
    let hash = token_hash(secret);
    let Some((client, actor, secrets)) = found else { return Err(Error::Unauthenticated) };
    if !secrets.iter().any(|known| known.secret_hash == hash) {
        return Err(Error::Unauthenticated);
    }
    // As many come in a minute as its tier has requests, beside those; nobody needs so many.
    let tier = Tier::from_word(&client.tier).unwrap_or(Tier::Free);
    let rate = tier.requests_per_minute().min(MOST_A_MINUTE) as usize;
    if let Err(Wait(wait_s)) = app.limits.requests.take((ASKED_FOR, actor.who), rate, now) {
        metrics::counter!("limit_refusals_total", "limit" => "requests_per_minute").increment(1);
        return Err(Error::TooOften { wait_s });
    }
    let id = client.id;
    app.change(&actor, Class::Interactive, async move |change| {
        let access = format!("{V2_PREFIX}{}", random_text(LENGTH));
        let row = new(change, V2, "access", &access, Holder::Client(id), V2_ACCESS, None).await?;
        row.insert(change.tx).await?;
        Ok(Granted { access, expires_in_s: V2_ACCESS / 1_000_000, refresh: None })
    })
    .await
}

async fn pair(change: &Change<'_>, holder: Holder, family: Option<i64>) -> Result<Granted, Error> {
    let (access, refresh) = (random_text(LENGTH), format!("def50200{}", random_text(LENGTH)));
    let first = new(change, V1, "access", &access, holder, V1_ACCESS, family).await?;
    let second = new(change, V1, "refresh", &refresh, holder, V1_REFRESH, Some(first.family)).await?;
    first.insert(change.tx).await?;
    second.insert(change.tx).await?;
    Ok(Granted { access, expires_in_s: V1_ACCESS / 1_000_000, refresh: Some(refresh) })
}

async fn new(
    change: &Change<'_>,
    issuer: &str,
    kind: &str,
    text: &str,
    holder: Holder,
    lives: i64,
    family: Option<i64>,
) -> Result<Token, Error> {
    let id = change.id(Table::Token).await?;
    let (staff_id, client_id) = match holder {
        Holder::Staff(id) => (Some(id), None),
        Holder::Client(id) => (None, Some(id)),
    };
    Ok(Token {
        isp_id: change.isp,
        id,
        hash: token_hash(text),
        issuer: issuer.into(),
        kind: kind.into(),
        family: family.unwrap_or(id),
        client_id,
        staff_id,
        created_at: change.now,
        expires_at: change.now.plus(lives),
        used_at: None,
        revoked_at: None,
        customer_id: None,
        source: change.source.map(str::to_string),
    })
}

/// Who holds this access token of `issuer`, if it is good.
pub async fn authenticate(app: &App, issuer: &'static str, text: &str) -> Result<Bearer, Error> {
    let attempt = app.limits.attempts.key(issuer, text, app.clock.now())?;
    let found = holder(app, issuer, text).await;
    attempt.settle(found, app.clock.now())
}

async fn holder(app: &App, issuer: &str, text: &str) -> Result<Bearer, Error> {
    let (hash, now) = (token_hash(text), app.clock.now());
    let found = app.db.read(async move |tx| token::find(tx, &hash).await).await?.ok_or(Error::Unauthenticated)?;
    if found.issuer != issuer || found.kind != "access" || found.revoked_at.is_some() || found.expires_at <= now {
        return Err(Error::Unauthenticated);
    }
    bearer(app, &found).await
}

async fn bearer(app: &App, token: &Token) -> Result<Bearer, Error> {
    let (isp, staff_id, client_id) = (token.isp_id, token.staff_id, token.client_id);
    let known = app
        .db
        .read(async move |tx| match (staff_id, client_id) {
            (Some(id), _) => match staff::find(tx, isp, id).await? {
                Some(person) => of_person(tx, &person).await,
                None => Ok(None),
            },
            (None, Some(id)) => match staff::client(tx, isp, id).await? {
                Some(client) => clients::known(tx, &client).await,
                None => Ok(None),
            },
            (None, None) => Ok(None),
        })
        .await?;
    Ok(Bearer { known: known.ok_or(Error::Unauthenticated)?, token_id: token.id })
}

/// What a person may do now; nothing once they are suspended or have left, or while the reseller is suspended whose people
/// they are.
pub(crate) async fn of_person(tx: &Tx, person: &Staff) -> Result<Option<Known>, Error> {
    let Some(role) = Role::from_word(&person.role) else { return Ok(None) };
    if person.status != "active" || !clients::open(tx, person.isp_id, person.branch_id).await? {
        return Ok(None);
    }
    let actor = Actor { isp: person.isp_id, who: Who::Staff(person.id), branch: person.branch_id, may_write: true };
    Ok(Some(Known { actor, tier: Tier::V1Standard, sandbox: false, scopes: role.scopes() }))
}

/// Ends a token at once.
pub async fn revoke(app: &App, actor: &Actor, id: i64) -> Result<(), Error> {
    app.change(actor, Class::Interactive, async move |change| {
        Ok(token::revoke(change.tx, change.isp, id, change.now).await?)
    })
    .await
}

/// Ends all of a person's tokens, in the change that suspends them or changes their password.
pub(crate) async fn end_of_staff(change: &Change<'_>, id: StaffId) -> Result<(), Error> {
    Ok(token::revoke_staff(change.tx, change.isp, id, change.now).await?)
}

/// Removes tokens that ended long ago; until then a reused refresh token is recognised.
pub async fn forget(app: &App) -> Result<(), Error> {
    let before: Instant = app.clock.now().plus(-V1_REFRESH);
    app.db.tx(Class::Bulk, async move |tx| token::forget(tx, before).await).await?;
    Ok(())
}
