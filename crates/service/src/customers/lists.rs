//! Which customers a list shows, in which order: a page at a time, or piece by piece. Each becomes a [`Card`] with the parts
//! that the list asks for.

use domain::{BranchId, CustomerId, Instant, IspId};
use store::{
    customers::{
        line::{self, Broad, Filter as LineFilter, Medium},
        subscriber::{self, Filter as SubscriberFilter},
        whom,
    },
    db::Tx,
    people::{
        customer::{self, Customer, Filter, Order, Page, Standing},
        service::{self, Service},
    },
};

use super::card::{self, Card, Parts};
use crate::{Actor, App, Error};
use domain::kernel::names::login_key;

/// So many customers are read at a time where there are no pages.
const PIECE: usize = 500;

/// Customers with their lines, and how many match in all.
type Found = (Vec<(Customer, Option<Service>)>, i64);

/// A page of cards, and how many match in all.
pub type Listed = (Vec<Card>, i64);

/// One page in the order that it names.
pub async fn page(app: &App, actor: &Actor, mut filter: Filter, page: Page, parts: Parts) -> Result<Listed, Error> {
    filter.branch = actor.branch.or(filter.branch);
    let now = app.clock.now();
    let found = async move |tx: &Tx, isp: IspId| Ok::<Found, Error>(customer::list(tx, isp, &filter, page, now).await?);
    cards(app, actor, parts, found).await
}

/// One page of customers by what their lines are, newest first.
pub async fn by_line(
    app: &App,
    actor: &Actor,
    mut filter: LineFilter,
    (offset, limit): (i64, i64),
    parts: Parts,
) -> Result<Listed, Error> {
    filter.branch = actor.branch.or(filter.branch);
    let now = app.clock.now();
    let found = async move |tx: &Tx, isp: IspId| {
        Ok::<Found, Error>(match of_roster(&filter) {
            Some(filter) => {
                let page = Page { order: Order::Created, descending: true, offset, limit };
                customer::list(tx, isp, &filter, page, now).await?
            }
            None => line::customers(tx, isp, &filter, now, offset, limit).await?,
        })
    };
    cards(app, actor, parts, found).await
}

/// The same conditions for the roster, which answers faster, where it knows all that is asked.
fn of_roster(filter: &LineFilter) -> Option<Filter> {
    let LineFilter { customer: None, plan: None, router, broad, medium, branch, ref search } = *filter else {
        return None;
    };
    let standing = match broad {
        None => None,
        Some(Broad::Active) => Some(Standing::Active),
        Some(Broad::Suspended | Broad::Disabled) => return None,
    };
    let kind = match medium {
        None => None,
        Some(Medium::Fibre | Medium::Plain(domain::Kind::Pppoe)) => return None,
        Some(Medium::Plain(kind)) => Some(kind),
    };
    Some(Filter { kind, standing, router, building: None, branch, search: search.clone() })
}

/// One page of customers by everything a profile and a line say, oldest first.
pub async fn by_profile(
    app: &App,
    actor: &Actor,
    mut filter: SubscriberFilter,
    (offset, limit): (i64, i64),
    parts: Parts,
) -> Result<Listed, Error> {
    filter.branch = actor.branch.or(filter.branch);
    let now = app.clock.now();
    let found = async move |tx: &Tx, isp: IspId| {
        Ok::<Found, Error>(subscriber::list(tx, isp, &filter, offset, limit, now).await?)
    };
    cards(app, actor, parts, found).await
}

/// What is found becomes cards in the same view of the database.
async fn cards<F>(app: &App, actor: &Actor, parts: Parts, find: F) -> Result<Listed, Error>
where
    F: AsyncFn(&Tx, IspId) -> Result<Found, Error> + Send + 'static,
{
    let offset_us = card::offset_us(app, actor, parts).await?;
    let actor = actor.clone();
    app.db
        .read(async move |tx| {
            let (rows, total) = find(tx, actor.isp).await?;
            Ok((card::of(tx, &actor, rows, parts, offset_us).await?, total))
        })
        .await
}

/// Whom to find where there are no pages.
#[derive(Clone, Debug)]
pub enum Whom {
    /// Everybody who is not deleted.
    Everybody,
    These(Vec<CustomerId>),
    /// Who has this number; deleted ones too.
    Phone(String),
    Email(String),
    /// Whose line logs in with this name.
    Login(String),
    /// Who came, or was changed, in a stretch of time without its end.
    Created(Instant, Instant),
    Modified(Instant, Instant),
}

/// Ids alone, in their order.
pub async fn ids(app: &App, actor: &Actor, whom: Whom) -> Result<Vec<CustomerId>, Error> {
    let (isp, branch) = (actor.isp, actor.branch);
    app.db
        .read(async move |tx| {
            Ok(match &whom {
                Whom::Everybody => everybody(tx, isp, branch).await?,
                Whom::These(ids) => ids.clone(),
                Whom::Phone(phone) => whom::by_phone(tx, isp, branch, phone).await?,
                Whom::Email(email) => whom::by_email(tx, isp, branch, email).await?,
                Whom::Login(name) => {
                    let line = service::by_username(tx, isp, &login_key(name)).await?;
                    line.map(|line| line.customer_id).into_iter().collect()
                }
                Whom::Created(from, until) => whom::created(tx, isp, branch, (*from, *until)).await?,
                Whom::Modified(from, until) => whom::modified(tx, isp, branch, (*from, *until)).await?,
            })
        })
        .await
}

async fn everybody(tx: &Tx, isp: IspId, branch: Option<BranchId>) -> Result<Vec<CustomerId>, Error> {
    let mut all: Vec<CustomerId> = Vec::new();
    loop {
        let after = all.last().copied().unwrap_or(CustomerId(0));
        let more = whom::live_after(tx, isp, branch, after, 10_000).await?;
        if more.is_empty() {
            return Ok(all);
        }
        all.extend(more);
    }
}

/// The cards wanted, in the order of their customers' ids.
pub async fn all(app: &App, actor: &Actor, whom: Whom, parts: Parts) -> Result<Vec<Card>, Error> {
    let mut pieces = pieces(app, actor, whom, parts).await?;
    let mut found = Vec::with_capacity(pieces.ids.len());
    while let Some(piece) = pieces.next(app, actor).await? {
        found.extend(piece);
    }
    Ok(found)
}

/// Many cards piece by piece: whom they are of, and what is read of each.
pub struct Pieces {
    ids: std::vec::IntoIter<CustomerId>,
    parts: Parts,
    changed: Option<(Instant, Instant)>,
}

/// The cards wanted, to be read piece by piece.
pub async fn pieces(app: &App, actor: &Actor, whom: Whom, parts: Parts) -> Result<Pieces, Error> {
    let changed = match whom {
        Whom::Modified(from, until) => Some((from, until)),
        Whom::Everybody | Whom::These(_) | Whom::Phone(_) | Whom::Email(_) | Whom::Login(_) | Whom::Created(..) => None,
    };
    let ids = ids(app, actor, whom).await?.into_iter();
    Ok(Pieces { ids, parts, changed })
}

impl Pieces {
    /// The next piece, in the order of the customers' ids; `None` is the end.
    pub async fn next(&mut self, app: &App, actor: &Actor) -> Result<Option<Vec<Card>>, Error> {
        let piece: Vec<CustomerId> = self.ids.by_ref().take(PIECE).collect();
        if piece.is_empty() {
            return Ok(None);
        }
        let mut found = card::read(app, actor, piece, self.parts).await?;
        if let Some((from, until)) = self.changed {
            found.retain(|card| (from..until).contains(&card.changed()));
        }
        Ok(Some(found))
    }
}
