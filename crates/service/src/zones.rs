//! Accounts: the names by which vendors' clients know an Isp and its branches.

use domain::BranchId;
use store::{
    db::Class,
    isp::Branch,
    zone::{self, Zone},
};

use crate::{Actor, App, Error, Why, ids::Table, setup::name_key};

/// Those an actor may act for, its own first.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Zone>, Error> {
    let (isp, branch) = (actor.isp, actor.branch);
    let mut zones = app.db.read(async move |tx| zone::of_isp(tx, isp).await).await?;
    zones.retain(|zone| branch.is_none() || zone.branch() == branch);
    Ok(zones)
}

/// The zone of this name: `None` is unknown, `Forbidden` another branch's.
pub async fn named(app: &App, actor: &Actor, account: &str) -> Result<Option<Zone>, Error> {
    let (isp, key) = (actor.isp, name_key(account));
    let zones = app.db.read(async move |tx| zone::of_isp(tx, isp).await).await?;
    match zones.into_iter().find(|zone| zone.account_key == key) {
        Some(zone) if actor.branch.is_some() && zone.branch() != actor.branch => Err(Error::Forbidden),
        found => Ok(found),
    }
}

/// Gives the Isp (`None`) or a branch its account name, or another one.
pub async fn name(app: &App, actor: &Actor, branch: Option<BranchId>, account: &str) -> Result<(), Error> {
    actor.writes()?;
    let account = account.trim().to_string();
    if account.is_empty() || account.len() > 60 {
        return Err(Error::invalid("account", Why::Required));
    }
    app.change(actor, Class::Interactive, async move |change| {
        let zone = Zone {
            isp_id: change.isp,
            branch_id: branch.map_or(0, |id| id.0),
            account: account.clone(),
            account_key: name_key(&account),
            created_at: change.now,
        };
        match zone::put(change.tx, &zone).await? {
            true => Ok(()),
            false => Err(Error::invalid("account", Why::Taken)),
        }
    })
    .await
}

/// A new branch with its account.
pub async fn open(app: &App, actor: &Actor, title: &str, account: &str) -> Result<BranchId, Error> {
    actor.writes()?;
    let id = BranchId(app.new_id(Table::Branch).await?);
    let title = title.to_string();
    app.change(actor, Class::Interactive, async move |change| {
        let now = change.now;
        Branch { isp_id: change.isp, id, parent_id: None, name: title.clone(), created_at: now }
            .insert(change.tx)
            .await?;
        Ok(())
    })
    .await?;
    name(app, actor, Some(id), account).await?;
    Ok(id)
}
