//! A subscriber's name and password checked, as the network would.

use domain::{BranchId, CustomerId};
use store::people::{customer, service};

use crate::{Actor, App, Error, customers::dossiers::opened};
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
