//! Recharge cards: batches of scratch codes that distributors sell and customers redeem (docs/readings.md 2.6).

use domain::{CardState, Commission, CustomerId, Instant, Money, PlanId, Role, StaffId, sales::sale::Payer};
use serde::{Deserialize, Serialize};
use store::{
    identity::staff,
    people::{customer, service},
    sales::card::{self, Batch},
};

pub use store::sales::card::{Card, Filter, Listed, ListedBatch};

use crate::{
    Actor, App, Change, Error, Expected, Fact, FieldError, Refusal, What, Who, Why,
    catalogue::plans,
    kernel::{
        amounts,
        change::CallerKey,
        ids::Table,
        limits::Guesser,
        secrets::card_place,
        vault::{random_bytes, token_hash},
    },
    sales::{recharge::sell, sale::save},
};

/// Cards of one batch.
pub const MAX_QUANTITY: i64 = 1000;

#[derive(Clone, Debug)]
pub struct NewBatch {
    pub plan: PlanId,
    /// For whom they are made; they are his when they are issued.
    pub distributor: Option<StaffId>,
    /// What a customer pays for one, tax included; `None`: the plan's price.
    pub value: Option<Money>,
    pub commission: Commission,
    /// 1 to [`MAX_QUANTITY`].
    pub quantity: i64,
    pub expires_at: Option<Instant>,
}

/// A batch with its codes, which are shown to whoever made it.
#[derive(Clone, Debug)]
pub struct Generated {
    pub batch: Batch,
    /// Cards and clear codes.
    pub cards: Vec<(Card, String)>,
}

/// Characters that are not taken for one another; 32 of them, so that a random byte picks one without bias.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// 80 bits.
const LENGTH: usize = 16;
const GROUP: usize = 4;

/// `7KQ2-M9XA-…`.
fn new_code() -> String {
    let mut code = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (at, byte) in random_bytes::<LENGTH>().into_iter().enumerate() {
        if at > 0 && at % GROUP == 0 {
            code.push('-');
        }
        code.push(ALPHABET[usize::from(byte % 32)].into());
    }
    code
}

/// However it is typed: capitals, dashes and spaces do not count.
fn code_hash(code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    token_hash(&plain.to_ascii_uppercase())
}

/// Makes a batch. A repeat with its key gets the same codes.
pub async fn generate(app: &App, actor: &Actor, command: NewBatch, key: Option<CallerKey>) -> Result<Generated, Error> {
    actor.writes()?;
    if !(1..=MAX_QUANTITY).contains(&command.quantity) {
        return Err(Error::invalid("quantity", Why::TooLarge { max: MAX_QUANTITY }));
    }
    let id = app.new_id(Table::CardBatch).await?;
    let first = app.new_ids(Table::RechargeCard, command.quantity).await?;
    let codes: Vec<(i64, String)> = (first..first + command.quantity).map(|id| (id, new_code())).collect();
    let (vault, who) = (app.vault.clone(), actor.clone());
    let kept: i64 = app
        .change_once(actor, key, async move |change| {
            let batch = checked(change, &who, id, &command).await?;
            let row = |(id, code): &(i64, String)| Card {
                isp_id: change.isp,
                id: *id,
                batch_id: batch.id,
                plan_id: batch.plan_id,
                distributor_id: None,
                code: vault.seal(&card_place(*id), code),
                code_hash: code_hash(code),
                hint: code[code.len() - GROUP..].into(),
                value: batch.value,
                commission: batch.commission,
                status: CardState::Unissued.word().into(),
                expires_at: batch.expires_at,
                created_at: change.now,
                issued_at: None,
                used_at: None,
                customer_id: None,
            };
            let rows: Vec<Card> = codes.iter().map(row).collect();
            card::insert(change.tx, &batch, &rows).await?;
            change.tell(Fact::CardsGenerated { plan: batch.plan_id, batch: batch.id, count: rows.len() as u64 });
            Ok(batch.id)
        })
        .await?;
    let isp = actor.isp;
    let (batch, cards) = app
        .db
        .read(async move |tx| Ok::<_, Error>((card::batch(tx, isp, kept).await?, card::of_batch(tx, isp, kept).await?)))
        .await?;
    let batch = batch.ok_or_else(|| Error::Internal("a batch is gone".into()))?;
    let told = |card: Card| code(app, &card).map(|code| (card, code));
    Ok(Generated { batch, cards: cards.into_iter().map(told).collect::<Result<_, _>>()? })
}

/// The batch as its row, or everything that is wrong with it.
async fn checked(change: &Change<'_>, who: &Actor, id: i64, command: &NewBatch) -> Result<Batch, Error> {
    let mut wrong = Vec::new();
    let offer = match plans::for_sale(change, command.plan, None).await {
        Err(Error::NotFound { .. }) => None,
        offer => Some(offer?),
    };
    if offer.is_none() {
        wrong.push(FieldError { field: "package_id", why: Why::Unknown });
    }
    if let Some(distributor) = command.distributor {
        match hands(change, who, distributor).await {
            Err(Error::Invalid(found)) => wrong.extend(found),
            other => other?,
        }
    }
    amounts::moment("expires_at", command.expires_at)?;
    if command.expires_at.is_some_and(|end| end <= change.now) {
        wrong.push(FieldError { field: "expires_at", why: Why::Not(Expected::InFuture) });
    }
    let listed = offer.as_ref().map(|offer| plans::terms(&offer.version)).map(|terms| terms.tax.split(terms.price));
    let value = command.value.or(listed.map(|listed| listed.total())).unwrap_or_default();
    amounts::price("value", value)?;
    let commission = command.commission.of(value);
    if offer.is_some() && commission.is_none() {
        wrong.push(FieldError { field: "commission", why: Why::Not(Expected::CardsValue) });
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    Ok(Batch {
        isp_id: change.isp,
        id,
        plan_id: command.plan,
        distributor_id: command.distributor,
        value,
        commission: commission.unwrap_or_default(),
        commission_ppm: match command.commission {
            Commission::Percent(ppm) => Some(ppm),
            Commission::Fixed(_) => None,
        },
        quantity: command.quantity,
        expires_at: command.expires_at,
        created_at: change.now,
    })
}

/// Whether this is an active distributor within the caller's reach.
async fn hands(change: &Change<'_>, who: &Actor, id: StaffId) -> Result<(), Error> {
    let person = staff::find(change.tx, change.isp, id).await?.filter(|person| {
        person.role == Role::CardDistributor.word()
            && person.status == "active"
            && who.reaches(person.branch_id).is_ok()
    });
    if person.is_some() { Ok(()) } else { Err(Error::invalid("distributor_id", Why::Unknown)) }
}

/// A card's clear code.
fn code(app: &App, card: &Card) -> Result<String, Error> {
    let code = app.vault.open(&card_place(card.id), &card.code);
    code.ok_or_else(|| Error::Internal(format!("the code of recharge card {} does not open", card.id)))
}

/// A card's code as it may be shown: all of it to those who may make cards, its end to others.
pub fn told_code(app: &App, card: &Card, clear: bool) -> Result<String, Error> {
    match clear {
        true => code(app, card),
        false => Ok(format!("****-****-****-{}", card.hint)),
    }
}

/// Which cards are handed out.
#[derive(Clone, Debug)]
pub enum Handed {
    Cards(Vec<i64>),
    /// So many of a batch, or all that are left.
    Batch {
        id: i64,
        quantity: Option<i64>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Issued {
    pub distributor_id: i64,
    pub cards: Vec<i64>,
    /// Minor units.
    pub value: i64,
    pub commission: i64,
}

/// Puts cards into a distributor's hands; `None`: whom the batch was made for.
pub async fn issue(
    app: &App,
    actor: &Actor,
    handed: Handed,
    distributor: Option<StaffId>,
    key: Option<CallerKey>,
) -> Result<Issued, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let (cards, made_for) = to_hand(change, &handed).await?;
        let distributor = distributor.or(made_for).ok_or_else(|| Error::invalid("distributor_id", Why::Required))?;
        hands(change, &who, distributor).await?;
        let ids: Vec<i64> = cards.iter().map(|card| card.id).collect();
        if card::issue(change.tx, change.isp, &ids, distributor, change.now).await? < ids.len() as u64 {
            // Somebody handed them out at the same moment.
            return Err(Error::Busy);
        }
        change.tell(Fact::CardsIssued { distributor, count: ids.len() as u64, cards: ids.clone() });
        let sum = |of: fn(&Card) -> Money| cards.iter().map(|card| of(card).0).sum();
        Ok(Issued {
            distributor_id: distributor.0,
            value: sum(|card| card.value),
            commission: sum(|card| card.commission),
            cards: ids,
        })
    })
    .await
}

/// The cards meant, all of which can be handed out, and for whom they were made.
async fn to_hand(change: &Change<'_>, handed: &Handed) -> Result<(Vec<Card>, Option<StaffId>), Error> {
    match handed {
        Handed::Cards(ids) => {
            let mut wanted = ids.clone();
            wanted.sort_unstable();
            wanted.dedup();
            let cards = card::unissued_of(change.tx, change.isp, &wanted, change.now).await?;
            if cards.len() < wanted.len() {
                return Err(Error::invalid("card_ids", Why::Not(Expected::ListOfCards)));
            }
            let batch = match cards.first() {
                Some(first) if cards.iter().all(|card| card.batch_id == first.batch_id) => {
                    card::batch(change.tx, change.isp, first.batch_id).await?
                }
                _ => None,
            };
            Ok((cards, batch.and_then(|batch| batch.distributor_id)))
        }
        Handed::Batch { id, quantity } => {
            let batch = card::batch(change.tx, change.isp, *id).await?;
            let batch = batch.ok_or_else(|| Error::invalid("batch_id", Why::Unknown))?;
            let wanted = quantity.unwrap_or(MAX_QUANTITY);
            let cards = card::unissued_in(change.tx, change.isp, *id, wanted, change.now).await?;
            let left = cards.len() as i64;
            if left == 0 || quantity.is_some_and(|quantity| left < quantity) {
                return Err(Error::invalid("quantity", Why::TooLarge { max: left }));
            }
            Ok((cards, batch.distributor_id))
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Redeemed {
    pub card_id: i64,
    pub customer_id: i64,
    pub service_id: i64,
    pub plan_id: i64,
    pub plan_name: String,
    /// Minor units.
    pub value: i64,
    /// Microseconds UTC.
    pub expires_at: i64,
}

/// Wrong codes a minute for one customer, and from one caller.
const GUESSES: (usize, usize) = (5, 20);

/// Uses a card for a customer: its package's next period, at once. Its distributor owes the value less his commission.
pub async fn redeem(
    app: &App,
    actor: &Actor,
    code: &str,
    owner: CustomerId,
    key: Option<CallerKey>,
) -> Result<Redeemed, Error> {
    actor.writes()?;
    let guessers = [(Guesser::For(owner), GUESSES.0), (Guesser::Caller(actor.who), GUESSES.1)];
    let guessers = guessers.map(|(who, most)| ((actor.isp, who), most));
    let (now, wrong) = (app.clock.now(), &app.limits.card_codes);
    // Counted before the code is looked at: many at once are no way around.
    for (at, (who, most)) in guessers.iter().enumerate() {
        if wrong.take(*who, *most, now).is_err() {
            guessers[..at].iter().for_each(|(who, _)| wrong.give_back(who));
            metrics::counter!("limit_refusals_total", "limit" => "wrong_card_codes").increment(1);
            return Err(Error::Refused(Refusal::TooManyWrongCodes));
        }
    }
    let answer = use_up(app, actor, code_hash(code), owner, key).await;
    if answer != Err(unknown_code()) {
        guessers.iter().for_each(|(who, _)| wrong.give_back(who));
    }
    answer
}

fn unknown_code() -> Error {
    Error::invalid("code", Why::Unknown)
}

async fn use_up(
    app: &App,
    actor: &Actor,
    code_hash: String,
    owner: CustomerId,
    key: Option<CallerKey>,
) -> Result<Redeemed, Error> {
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let unknown = || Error::invalid("customer_id", Why::Unknown);
        let customer = customer::lock(change.tx, change.isp, owner).await?.ok_or_else(unknown)?;
        who.reaches(customer.branch_id)?;
        let lines = service::lock_of_customer(change.tx, change.isp, owner).await?;
        let mut line = lines.into_iter().next().ok_or_else(unknown)?;
        let mut card = card::lock_by_code(change.tx, change.isp, &code_hash).await?.ok_or_else(unknown_code)?;
        let distributor = match (card.state(change.now), card.distributor_id) {
            (CardState::Issued, Some(distributor)) => distributor,
            (CardState::Used, _) => return Err(Error::Refused(Refusal::CardUsed)),
            (CardState::Expired, _) => return Err(Error::Refused(Refusal::CardExpired)),
            (CardState::Unissued | CardState::Issued, _) => {
                return Err(Error::Refused(Refusal::CardNotIssued));
            }
        };
        let offer = match plans::offer(change, card.plan_id).await {
            Err(Error::NotFound { .. }) => return Err(Error::Refused(Refusal::CardPlanGone)),
            offer => offer?,
        };
        let payer = Payer::Card { distributor, value: card.value, commission: card.commission };
        sell(change, &tenant, &mut line, &offer, &payer).await?;
        save(change, &line).await?;
        card.status = CardState::Used.word().into();
        card.used_at = Some(change.now);
        card.customer_id = Some(owner);
        card::mark_used(change.tx, &card).await?;
        change.tell(Fact::CardUsed {
            card: card.id,
            customer: owner,
            distributor: Some(distributor),
            value: card.value,
        });
        Ok(Redeemed {
            card_id: card.id,
            customer_id: owner.0,
            service_id: line.id.0,
            plan_id: offer.plan.id.0,
            plan_name: offer.plan.name,
            value: card.value.0,
            expires_at: line.expires_at.unwrap_or(change.now).0,
        })
    })
    .await
}

/// The newest first, and how many match. A distributor sees what is in his hands, a branch what is in its people's.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Listed>, i64), Error> {
    let (isp, now, actor) = (actor.isp, app.clock.now(), actor.clone());
    app.db
        .read(async move |tx| {
            let mut filter = Filter { branch: actor.branch.or(filter.branch), ..filter.clone() };
            if let Some(own) = own_hands(tx, &actor).await? {
                if filter.distributor.is_some_and(|wanted| wanted != own) {
                    return Ok((Vec::new(), 0));
                }
                filter.distributor = Some(own);
            }
            Ok::<_, Error>(card::list(tx, isp, &filter, now, offset, limit).await?)
        })
        .await
}

/// The caller, when it is a distributor.
async fn own_hands(tx: &store::db::Tx, actor: &Actor) -> Result<Option<StaffId>, Error> {
    let Who::Staff(id) = actor.who else { return Ok(None) };
    let person = staff::find(tx, actor.isp, id).await?;
    Ok(person.filter(|person| person.role == Role::CardDistributor.word()).map(|person| person.id))
}

pub async fn show(app: &App, actor: &Actor, id: i64) -> Result<Listed, Error> {
    let (isp, actor) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let none = || Error::NotFound { what: What::RechargeCard };
            let found = card::show(tx, isp, id).await?.ok_or_else(none)?;
            let holder = match found.card.distributor_id {
                Some(id) => staff::find(tx, isp, id).await?,
                None => None,
            };
            let own = own_hands(tx, &actor).await?;
            if own.is_some() && own != holder.as_ref().map(|holder| holder.id) {
                return Err(none());
            }
            actor.reaches(holder.and_then(|holder| holder.branch_id))?;
            Ok(found)
        })
        .await
}

/// The newest batches first, and how many there are. They are the Isp's own business.
pub async fn batches(app: &App, actor: &Actor, offset: i64, limit: i64) -> Result<(Vec<ListedBatch>, i64), Error> {
    let (isp, now, actor) = (actor.isp, app.clock.now(), actor.clone());
    app.db
        .read(async move |tx| {
            if actor.branch.is_some() || own_hands(tx, &actor).await?.is_some() {
                return Err(Error::Forbidden);
            }
            Ok(card::batches(tx, isp, now, offset, limit).await?)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_long_and_found_however_they_are_typed() {
        let (one, other) = (new_code(), new_code());
        assert_ne!(one, other);
        assert_eq!(one.len(), LENGTH + 3);
        assert!(one.bytes().all(|byte| byte == b'-' || ALPHABET.contains(&byte)));
        for typed in [one.to_lowercase(), one.replace('-', ""), format!(" {} ", one.replace('-', " "))] {
            assert_eq!(code_hash(&typed), code_hash(&one), "{typed}");
        }
        assert_ne!(code_hash(&one), code_hash(&other));
    }
}
