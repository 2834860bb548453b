//! Zones: branches with the account names by which vendors' clients know them. The head office's account is the whole
//! Isp's.

use domain::{BranchId, Instant};
use store::{
    db::Class,
    identity::{
        branch::{self, UsedBy, Zone},
        isp::{self, Branch},
    },
};

pub use store::identity::branch::Listed;

use crate::{
    Actor, App, By, Change, Error, Expected, Fact, What, Why,
    kernel::{change::unchanged, ids::Table},
};
use domain::kernel::names::name_key;

const NONE: Error = Error::NotFound { what: What::Zone };
const LONGEST: usize = 60;
/// A chain of zones is no longer.
const DEEPEST: usize = 16;

/// Those an actor may act for, its own first.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Zone>, Error> {
    let (isp, branch) = (actor.isp, actor.branch);
    let mut zones = app.db.read(async move |tx| branch::of_isp(tx, isp).await).await?;
    zones.retain(|zone| branch.is_none() || zone.branch() == branch);
    Ok(zones)
}

/// The zone of this name: `None` is unknown, `Forbidden` another branch's.
pub async fn named(app: &App, actor: &Actor, account: &str) -> Result<Option<Zone>, Error> {
    let (isp, key) = (actor.isp, name_key(account));
    let zones = app.db.read(async move |tx| branch::of_isp(tx, isp).await).await?;
    match zones.into_iter().find(|zone| zone.account_key == key) {
        Some(zone) if actor.branch.is_some() && zone.branch() != actor.branch => Err(Error::Forbidden),
        found => Ok(found),
    }
}

/// An account's name goes into addresses: letters, digits, `.`, `_` and `-`, 60 at most.
pub fn account_name(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match text {
        "" => Err(Error::invalid("account", Why::Required)),
        text if text.len() > LONGEST => Err(Error::invalid("account", Why::TooLong { max: LONGEST })),
        "." | ".." => Err(Error::invalid("account", Why::Not(Expected::AccountName))),
        text if text.chars().all(plain) => Ok(text.into()),
        _ => Err(Error::invalid("account", Why::Not(Expected::AccountLetters))),
    }
}

/// Gives the Isp (`None`) or a branch its account name, or another one.
pub async fn name(app: &App, actor: &Actor, branch: Option<BranchId>, account: &str) -> Result<(), Error> {
    actor.writes()?;
    let account = account_name(account)?;
    app.change(actor, Class::Interactive, async move |change| {
        put_account(change, branch.map_or(0, |id| id.0), &account).await
    })
    .await
}

/// `branch`: 0 is the whole Isp.
async fn put_account(change: &Change<'_>, branch: i64, account: &str) -> Result<(), Error> {
    let zone = Zone {
        isp_id: change.isp,
        branch_id: branch,
        account: account.into(),
        account_key: name_key(account),
        created_at: change.now,
    };
    match branch::put(change.tx, &zone).await? {
        true => Ok(()),
        false => Err(Error::invalid("account", Why::Taken)),
    }
}

/// A new branch with its account.
pub async fn open(app: &App, actor: &Actor, title: &str, account: &str) -> Result<BranchId, Error> {
    let new = NewZone { name: title.into(), account: Some(account.into()), parent: None };
    Ok(create(app, actor, new).await?.id)
}

#[derive(Clone, Debug)]
pub struct NewZone {
    pub name: String,
    pub account: Option<String>,
    /// `None`: directly below the Isp.
    pub parent: Option<BranchId>,
}

/// The head office, held until the transaction ends: zones are changed one after the other.
async fn head(change: &Change<'_>) -> Result<BranchId, Error> {
    let head = branch::head_office(change.tx, change.isp).await?.ok_or(NONE)?.id;
    branch::lock(change.tx, change.isp, head).await?.ok_or(NONE)?;
    Ok(head)
}

pub async fn create(app: &App, actor: &Actor, command: NewZone) -> Result<Listed, Error> {
    actor.writes()?;
    actor.sees_all()?;
    let account = command.account.as_deref().map(account_name).transpose()?;
    app.change(actor, Class::Interactive, async move |change| {
        let head = head(change).await?;
        let id = BranchId(change.id(Table::Branch).await?);
        let parent_id = below(change, head, command.parent, None).await?;
        let name = command.name.trim().to_string();
        let told = Fact::ZoneCreated { zone: id, name: name.clone(), account: account.clone() };
        Branch { isp_id: change.isp, id, parent_id, name, created_at: change.now, updated_at: None }
            .insert(change.tx)
            .await?;
        if let Some(account) = &account {
            put_account(change, id.0, account).await?;
        }
        change.tell(told);
        branch::show(change.tx, change.isp, head, id).await?.ok_or(NONE)
    })
    .await
}

/// The parent to write for a zone that is to lie in `parent`, which must be there and not lie in the zone (`own`) itself.
async fn below(
    change: &Change<'_>,
    head: BranchId,
    parent: Option<BranchId>,
    own: Option<BranchId>,
) -> Result<Option<BranchId>, Error> {
    // What lies in the head office lies in nothing else.
    let Some(parent) = parent.filter(|parent| *parent != head) else { return Ok(None) };
    let mut at = Some(parent);
    for _ in 0..DEEPEST {
        let Some(id) = at else { return Ok(Some(parent)) };
        if Some(id) == own {
            return Err(Error::invalid("parent", Why::Not(Expected::ZoneOutside)));
        }
        let Some(row) = store::identity::isp::branch(change.tx, change.isp, id).await? else {
            return Err(Error::invalid("parent", Why::Unknown));
        };
        at = row.parent_id;
    }
    Err(Error::invalid("parent", Why::Not(Expected::ZoneHigher)))
}

/// `None` leaves a field as it is.
#[derive(Clone, Default, Debug)]
pub struct ZoneChange {
    pub name: Option<String>,
    /// `Some(None)`: nobody's client knows it by a name any more.
    pub account: Option<Option<String>>,
    pub parent: Option<Option<BranchId>>,
    pub unchanged_since: Option<Instant>,
}

pub async fn update(app: &App, actor: &Actor, id: BranchId, command: ZoneChange) -> Result<Listed, Error> {
    actor.writes()?;
    actor.sees_all()?;
    let account = match &command.account {
        Some(Some(account)) => Some(Some(account_name(account)?)),
        Some(None) => Some(None),
        None => None,
    };
    app.change(actor, Class::Interactive, async move |change| {
        let head = head(change).await?;
        let before = branch::show(change.tx, change.isp, head, id).await?.ok_or(NONE)?;
        unchanged(command.unchanged_since, changed(&before))?;
        let parent_id = match command.parent {
            None => before.parent,
            Some(None) => None,
            Some(Some(_)) if id == head => {
                return Err(Error::invalid("parent", Why::Not(Expected::NotGivenForHeadOffice)));
            }
            Some(parent) => below(change, head, parent, Some(id)).await?,
        };
        let account = account.clone().unwrap_or(before.account.clone());
        let name = command.name.as_deref().map_or(before.name.clone(), |name| name.trim().into());
        if parent_id == before.parent && account == before.account && name == before.name {
            return Ok(before);
        }
        let place = if id == head { 0 } else { id.0 };
        match &account {
            Some(account) => put_account(change, place, account).await?,
            None => branch::drop_account(change.tx, change.isp, place).await?,
        }
        let told = Fact::ZoneUpdated { zone: id, name: name.clone(), account: account.clone() };
        let (created_at, updated_at) = (before.created_at, Some(change.now.max(changed(&before).plus(1))));
        branch::update(change.tx, &Branch { isp_id: change.isp, id, parent_id, name, created_at, updated_at }).await?;
        change.tell(told);
        branch::show(change.tx, change.isp, head, id).await?.ok_or(NONE)
    })
    .await
}

/// Not while anything is in it. The head office stays, and an operator's branch goes with the operator.
pub async fn delete(app: &App, actor: &Actor, id: BranchId, since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    actor.sees_all()?;
    app.change(actor, Class::Interactive, async move |change| {
        let head = head(change).await?;
        let before = branch::show(change.tx, change.isp, head, id).await?.ok_or(NONE)?;
        unchanged(since, changed(&before))?;
        if id == head {
            return Err(Error::InUse { what: What::HeadOffice, by: By::WholeIsp });
        }
        if let Some(by) = branch::used_by(change.tx, change.isp, id).await? {
            return Err(Error::InUse {
                what: What::Zone,
                by: match by {
                    UsedBy::Operator => By::ItsOperator,
                    UsedBy::Customers => By::ItsCustomers,
                    UsedBy::ZonesBelow => By::ZonesBelow,
                    UsedBy::Staff => By::ItsStaff,
                    UsedBy::ApiClients => By::ItsApiClients,
                    UsedBy::Routers => By::ItsRouters,
                    UsedBy::Webhooks => By::ItsWebhooks,
                    UsedBy::Areas => By::ItsAreas,
                },
            });
        }
        branch::delete(change.tx, change.isp, id).await?;
        change.tell(Fact::ZoneDeleted { zone: id, name: before.name });
        Ok(())
    })
    .await
}

/// The head office and a page of all zones, the oldest first, with how many there are.
pub async fn page(app: &App, actor: &Actor, offset: i64, limit: i64) -> Result<(BranchId, Vec<Listed>, i64), Error> {
    actor.sees_all()?;
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let head = branch::head_office(tx, isp).await?.ok_or(NONE)?.id;
            let (rows, total) = branch::list(tx, isp, head, offset, limit).await?;
            Ok((head, rows, total))
        })
        .await
}

/// The head office and this zone.
pub async fn show(app: &App, actor: &Actor, id: BranchId) -> Result<(BranchId, Listed), Error> {
    actor.sees_all()?;
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let head = branch::head_office(tx, isp).await?.ok_or(NONE)?.id;
            Ok((head, branch::show(tx, isp, head, id).await?.ok_or(NONE)?))
        })
        .await
}

/// When a zone was last changed.
pub fn changed(zone: &Listed) -> Instant {
    zone.updated_at.unwrap_or(zone.created_at)
}

/// The branch the Isp began with: it sees what no branch has.
pub async fn head_office(app: &App, actor: &Actor) -> Result<Branch, Error> {
    let isp = actor.isp;
    let found = app.db.read(async move |tx| branch::head_office(tx, isp).await).await?;
    found.ok_or(Error::NotFound { what: What::Branch })
}

/// Which branch a caller means with this id: `None` is the head office, which sees all.
///
/// # Errors
/// `Forbidden` for one of another Isp or one the caller does not see.
pub async fn branch(app: &App, actor: &Actor, id: i64) -> Result<Option<BranchId>, Error> {
    let (isp, id) = (actor.isp, BranchId(id));
    if actor.branch.is_some() {
        return if actor.branch == Some(id) { Ok(actor.branch) } else { Err(Error::Forbidden) };
    }
    let (found, head) = app
        .db
        .read(async move |tx| Ok::<_, Error>((isp::branch(tx, isp, id).await?, branch::head_office(tx, isp).await?)))
        .await?;
    match found {
        None => Err(Error::Forbidden),
        Some(branch) if head.is_some_and(|head| head.id == branch.id) => Ok(None),
        Some(branch) => Ok(Some(branch.id)),
    }
}
