//! A subscriber's name and password: checked as the network would, and told where a vendor's document demands it.

use domain::{BranchId, CustomerId};
use store::people::{
    customer,
    service::{self, Service},
};

use crate::{Actor, App, Error, Fact, Vault, What, kernel::secrets::secret_place};
use domain::kernel::names::login_key;

#[derive(Clone, Debug)]
pub struct Subscriber {
    pub customer: CustomerId,
    pub branch: Option<BranchId>,
    pub username: String,
}

/// Whose line logs in with this name and, where one is given, this password.
pub async fn of(
    app: &App,
    actor: &Actor,
    username: &str,
    password: Option<String>,
) -> Result<Option<Subscriber>, Error> {
    let (who, key, vault) = (actor.clone(), login_key(username), app.vault.clone());
    app.db
        .read(async move |tx| {
            let Some(line) = service::by_username(tx, who.isp, &key).await? else { return Ok(None) };
            let Some(owner) = customer::find(tx, who.isp, line.customer_id).await? else { return Ok(None) };
            let right = password.as_deref().is_none_or(|given| opened(&vault, &line).is_some_and(|own| own == given));
            if !right || who.reaches(owner.branch_id).is_err() {
                return Ok(None);
            }
            Ok(Some(Subscriber { customer: owner.id, branch: owner.branch_id, username: line.username }))
        })
        .await
}

/// The network password in the clear. Who was shown it is on record.
pub async fn password(app: &App, actor: &Actor, id: CustomerId) -> Result<String, Error> {
    let vault = app.vault.clone();
    let who = actor.clone();
    app.change(actor, store::db::Class::Interactive, async move |change| {
        let owner = store::people::customer::find(change.tx, change.isp, id).await?;
        who.reaches(owner.ok_or(Error::NotFound { what: What::Customer })?.branch_id)?;
        let line = service::of_customer(change.tx, change.isp, id).await?.into_iter().next();
        let line = line.ok_or(Error::NotFound { what: What::Service })?;
        let clear = opened(&vault, &line).ok_or(Error::NotFound { what: What::Password })?;
        change.tell(Fact::ServiceSecretRead { line: line.id, customer: id });
        Ok(clear)
    })
    .await
}

pub(crate) fn opened(vault: &Vault, line: &Service) -> Option<String> {
    vault.open(&secret_place(line.id), line.secret.as_deref()?)
}
