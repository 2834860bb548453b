//! Tokens of the form `‹id›|‹secret›`, for staff and for subscribers; and what a subscriber sees and does itself.
//!
//! They are looked up on every request, so an end is an end at once. A token is refreshed by itself, up to a week after
//! its end, once: the next one takes its place. One that comes a second time ends all that came from its login.

use domain::{
    CustomerId, IspId, Scopes, ServiceId, StaffId,
    access::service::bars_portal,
    kernel::clock::{DAY, HOUR},
};
use store::{
    access::session,
    customers::subscriber,
    db::Class,
    identity::{
        staff::{self, Staff},
        token::{self, Token},
    },
    people::{
        customer::{self, Customer},
        service,
    },
};

use super::portal_password::{self, Kept};
use crate::{
    Actor, App, Change, Error, Expected, Fact, Refusal, What, Who, Why,
    identity::{
        clients::{Known, Tier},
        tokens::{self, Bearer},
    },
    kernel::{
        attempts::{self, Attempt},
        hashing,
        ids::Table,
        origin,
        secrets::portal_place,
        vault::{self, random_text, token_hash},
    },
};
use domain::kernel::names::name_key;

/// Staff's tokens of Zal's calls.
pub const STAFF: &str = "zal";
/// A subscriber's.
pub const SUBSCRIBER: &str = "zal_subscriber";

/// Microseconds.
const STAFF_LIVES: i64 = HOUR;
const SUBSCRIBER_LIVES: i64 = 30 * DAY;
/// A token is refreshed so long after its end.
const REFRESHED: i64 = 7 * DAY;
/// About 238 bits.
const LENGTH: usize = 40;

/// A token, shown this once.
#[derive(Clone, Debug)]
pub struct Granted {
    pub text: String,
    pub expires_in_s: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Holder {
    Staff(StaffId),
    Customer(CustomerId),
}

/// E-mail address and password of a person of staff for a token.
pub async fn sign_in(app: &App, email: &str, password: &str) -> Result<(Staff, Granted), Error> {
    let person = tokens::person(app, email, password).await?;
    let id = person.id;
    let actor = Actor { isp: person.isp_id, who: Who::Staff(id), branch: None, may_write: true };
    let granted = app
        .change(&actor, Class::Interactive, async move |change| {
            staff::logged_in(change.tx, change.isp, id, change.now).await?;
            issue(change, STAFF, Holder::Staff(id), STAFF_LIVES, None).await
        })
        .await?;
    app.limits.attempts.given(STAFF, &granted.text, app.clock.now());
    Ok((person, granted))
}

/// A token of a person for a program, good for so many days.
pub async fn for_staff(app: &App, actor: &Actor, id: StaffId, days: i64) -> Result<Granted, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let person = staff::find(change.tx, change.isp, id).await?;
        person.filter(|person| person.status == "active").ok_or(Error::NotFound { what: What::Staff })?;
        issue(change, STAFF, Holder::Staff(id), days.clamp(1, 36_500) * DAY, None).await
    })
    .await
}

/// Username and password of a subscriber for a token.
///
/// # Errors
/// `Unauthenticated` for a stranger; `Refused` for one that is barred.
pub async fn sign_in_subscriber(app: &App, username: &str, password: &str) -> Result<(Customer, Granted), Error> {
    let (key, isp) = (name_key(username), origin::isp());
    let was_from = async |source: String, since| {
        let key = key.clone();
        let look = async move |tx: &store::db::Tx| {
            for customer in subscriber::namesakes(tx, isp, &key).await? {
                if token::was_from(tx, customer.isp_id, token::Holder::Customer(customer.id), &source, since).await? {
                    return Ok(true);
                }
            }
            Ok::<_, Error>(false)
        };
        app.db.read(look).await
    };
    let attempt = attempts::sign_in(app, SUBSCRIBER, &key, was_from).await?;
    let granted = signed_in(app, &attempt, username, password).await;
    let given = |granted: &Granted| app.limits.attempts.given(SUBSCRIBER, &granted.text, app.clock.now());
    attempt.settle(granted, app.clock.now()).inspect(|(_, granted)| given(granted))
}

async fn signed_in(
    app: &App,
    attempt: &Attempt<'_>,
    username: &str,
    password: &str,
) -> Result<(Customer, Granted), Error> {
    let (key, isp) = (name_key(username), origin::isp());
    let found = app.db.read(async move |tx| subscriber::namesakes(tx, isp, &key).await).await?;
    if found.iter().all(|customer| customer.portal_hash.is_none()) {
        // As slow as a password that was hashed, so that the answer's time does not tell who exists.
        hashing::as_long_as_wrong(attempt, password.into()).await?;
    }
    let mut known = None;
    for customer in found {
        // Where two Isps know the name, and with this password, nobody is taken for the other.
        if knows(app, attempt, &customer, password).await? && known.replace(customer).is_some() {
            return Err(Error::Refused(Refusal::NameOfTwo));
        }
    }
    let customer = known.ok_or(Error::Unauthenticated)?;
    let (isp, id) = (customer.isp_id, customer.id);
    if barred(app, isp, id).await? {
        return Err(Error::Refused(Refusal::AccountBarred));
    }
    let actor = Actor { isp, who: Who::Customer(id), branch: None, may_write: true };
    let granted = app
        .change(&actor, Class::Interactive, async move |change| {
            issue(change, SUBSCRIBER, Holder::Customer(id), SUBSCRIBER_LIVES, None).await
        })
        .await?;
    Ok((customer, granted))
}

async fn knows(app: &App, attempt: &Attempt<'_>, customer: &Customer, password: &str) -> Result<bool, Error> {
    if let Some(hash) = &customer.portal_hash {
        return hashing::password_matches(attempt, password.into(), hash.clone()).await;
    }
    let sealed = customer.portal_secret.as_deref();
    let known = sealed.and_then(|sealed| app.vault.open(&portal_place(customer.id), sealed));
    // Compared as hashes: the time it takes says nothing of the password.
    Ok(known.is_some_and(|known| !known.is_empty() && token_hash(&known) == token_hash(password)))
}

/// Whether staff or an unpaid bill keep the subscriber out.
async fn barred(app: &App, isp: IspId, id: CustomerId) -> Result<bool, Error> {
    let lines = app.db.read(async move |tx| service::of_customer(tx, isp, id).await).await?;
    Ok(lines.first().is_none_or(|line| bars_portal(line.status)))
}

/// A token of a new login, or the next of an older one's `family`.
async fn issue(
    change: &Change<'_>,
    issuer: &str,
    holder: Holder,
    lives: i64,
    family: Option<i64>,
) -> Result<Granted, Error> {
    let id = change.id(Table::Token).await?;
    let text = format!("{id}|{}", random_text(LENGTH));
    let (staff_id, customer_id) = match holder {
        Holder::Staff(id) => (Some(id), None),
        Holder::Customer(id) => (None, Some(id)),
    };
    Token {
        isp_id: change.isp,
        id,
        hash: token_hash(&text),
        issuer: issuer.into(),
        kind: "access".into(),
        family: family.unwrap_or(id),
        client_id: None,
        staff_id,
        created_at: change.now,
        expires_at: change.now.plus(lives),
        used_at: None,
        revoked_at: None,
        customer_id,
        source: change.source.map(str::to_string),
    }
    .insert(change.tx)
    .await?;
    Ok(Granted { text, expires_in_s: lives / 1_000_000 })
}

/// Who holds this token of `issuer`; `late` is how long after its end it is still taken.
async fn known(app: &App, issuer: &str, text: &str, late: i64) -> Result<(Bearer, Token), Error> {
    let (hash, now) = (token_hash(text), app.clock.now());
    let found = app.db.read(async move |tx| token::find(tx, &hash).await).await?.ok_or(Error::Unauthenticated)?;
    let over = found.expires_at.plus(late) <= now;
    if found.issuer != issuer || found.kind != "access" || found.revoked_at.is_some() || over {
        return Err(Error::Unauthenticated);
    }
    let (isp, staff_id, customer_id) = (found.isp_id, found.staff_id, found.customer_id);
    let known = app
        .db
        .read(async move |tx| match (staff_id, customer_id) {
            (Some(id), _) => {
                let person = staff::find(tx, isp, id).await?;
                let known = match person {
                    Some(person) => tokens::of_person(tx, &person).await?,
                    None => None,
                };
                Ok(known.map(|known| Known { tier: Tier::Zal, ..known }))
            }
            (None, Some(id)) => Ok(customer::find(tx, isp, id).await?.map(|customer| Known {
                actor: Actor { isp, who: Who::Customer(id), branch: customer.branch_id, may_write: true },
                tier: Tier::V1Standard,
                sandbox: false,
                scopes: Scopes::NONE,
            })),
            (None, None) => Ok::<_, Error>(None),
        })
        .await?;
    // Who may not sign in has no use of an older token either.
    if let (None, Some(id)) = (staff_id, customer_id)
        && barred(app, isp, id).await?
    {
        return Err(Error::Unauthenticated);
    }
    Ok((Bearer { known: known.ok_or(Error::Unauthenticated)?, token_id: found.id }, found))
}

/// Who holds this access token, if it is good.
pub async fn authenticate(app: &App, issuer: &'static str, text: &str) -> Result<Bearer, Error> {
    let attempt = app.limits.attempts.key(issuer, text, app.clock.now())?;
    let found = known(app, issuer, text, 0).await.map(|(bearer, _)| bearer);
    attempt.settle(found, app.clock.now())
}

/// The next token for one that is good or ended within a week; it takes the old one's place.
pub async fn refresh(app: &App, issuer: &'static str, text: &str) -> Result<(Bearer, Granted), Error> {
    let attempt = app.limits.attempts.key(issuer, text, app.clock.now())?;
    let granted = next(app, issuer, text).await;
    let given = |granted: &Granted| app.limits.attempts.given(issuer, &granted.text, app.clock.now());
    attempt.settle(granted, app.clock.now()).inspect(|(_, granted)| given(granted))
}

async fn next(app: &App, issuer: &'static str, text: &str) -> Result<(Bearer, Granted), Error> {
    let (bearer, old) = match known(app, issuer, text, REFRESHED).await {
        Err(Error::Unauthenticated) => {
            shown_again(app, issuer, text).await?;
            return Err(Error::Unauthenticated);
        }
        known => known?,
    };
    let (holder, lives) = match (old.staff_id, old.customer_id) {
        (Some(id), _) => (Holder::Staff(id), STAFF_LIVES),
        (None, Some(id)) => (Holder::Customer(id), SUBSCRIBER_LIVES),
        (None, None) => return Err(Error::Unauthenticated),
    };
    let granted = app
        .change(&bearer.known.actor, Class::Interactive, async move |change| {
            // Of two at once one is first.
            match token::retire(change.tx, change.isp, old.id, change.now).await? {
                true => Ok(Some(issue(change, issuer, holder, lives, Some(old.family)).await?)),
                false => {
                    tokens::used_again(change, &old.hash).await?;
                    Ok(None)
                }
            }
        })
        .await?;
    Ok((bearer, granted.ok_or(Error::Unauthenticated)?))
}

/// A token that is not good for a refresh: one that was refreshed before ends all that came from its login.
async fn shown_again(app: &App, issuer: &str, text: &str) -> Result<(), Error> {
    let hash = token_hash(text);
    let found = app.db.read(async move |tx| token::find(tx, &hash).await).await?;
    let Some(old) = found.filter(|token| token.issuer == issuer && token.used_at.is_some()) else { return Ok(()) };
    let who = match (old.staff_id, old.customer_id) {
        (Some(id), _) => Who::Staff(id),
        (None, Some(id)) => Who::Customer(id),
        (None, None) => return Ok(()),
    };
    let actor = Actor { isp: old.isp_id, who, branch: None, may_write: true };
    app.change(&actor, Class::Interactive, async move |change| tokens::used_again(change, &old.hash).await).await
}

/// The person behind a token.
pub async fn person(app: &App, isp: IspId, id: StaffId) -> Result<Staff, Error> {
    let found = app.db.read(async move |tx| staff::find(tx, isp, id).await).await?;
    found.ok_or(Error::NotFound { what: What::Staff })
}

/// A subscriber's new password, which it chooses itself: hashed. Its other tokens end, and so do its sessions' claims to
/// the old one: the network's password stays what it is.
pub async fn change_password(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    keep_token: i64,
    old: String,
    new: String,
) -> Result<(), Error> {
    let isp = actor.isp;
    let customer = app.db.read(async move |tx| customer::find(tx, isp, id).await).await?;
    let customer = customer.ok_or(Error::NotFound { what: What::Customer })?;
    // Whoever has the token has not the password yet: guessing it is a sign-in.
    let attempt = app.limits.attempts.sign_in(SUBSCRIBER, &name_key(&customer.username), app.clock.now())?;
    let knows = knows(app, &attempt, &customer, &old).await;
    let proof = knows.and_then(|knows| if knows { Ok(()) } else { Err(Error::Unauthenticated) });
    attempt.settle(proof, app.clock.now()).map_err(|error| match error {
        Error::Unauthenticated => Error::invalid("current_password", Why::Not(Expected::PresentPassword)),
        other => other,
    })?;
    let hash = vault::hash_password(new).await?;
    app.change(actor, Class::Interactive, async move |change| {
        let row = customer::lock(change.tx, change.isp, id).await?;
        let mut row = row.ok_or(Error::NotFound { what: What::Customer })?;
        // Somebody may have changed it meanwhile.
        if (&row.portal_hash, &row.portal_secret) != (&customer.portal_hash, &customer.portal_secret) {
            return Err(Error::Changed);
        }
        portal_password::put(change, &mut row, Kept::Hashed(hash.clone()), Some(keep_token)).await?;
        row.updated_at = change.now;
        customer::update(change.tx, &row).await?;
        change.tell(Fact::CustomerPasswordSet { customer: id, username: row.username });
        Ok(())
    })
    .await
}

/// A subscriber's usage by day, newest first: day as days since 1970-01-01, bytes up and down, seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day {
    pub day: i64,
    pub up: u64,
    pub down: u64,
    pub seconds: i64,
}

pub async fn usage(app: &App, actor: &Actor, line: ServiceId) -> Result<Vec<Day>, Error> {
    let isp = actor.isp;
    let rows = app.db.read(async move |tx| session::usage_by_day(tx, isp, line).await).await?;
    let mut days: Vec<Day> = rows.into_iter().map(|(day, up, down, seconds)| Day { day, up, down, seconds }).collect();
    days.sort_unstable_by_key(|day| std::cmp::Reverse(day.day));
    days.truncate(90);
    Ok(days)
}
