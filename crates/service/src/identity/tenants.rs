//! A new tenant: the Isp, its first branch, its owner.

use domain::{BranchId, IspId, StaffId, kernel::names::name_key};
use store::{
    db::Class,
    identity::{
        isp::{Branch, Isp},
        staff::Staff,
    },
};

use crate::{
    Actor, App, Error, Fact,
    kernel::{ids::Table, vault},
};

#[derive(Clone, Debug)]
pub struct NewIsp {
    pub name: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA name.
    pub time_zone: String,
    pub locale: String,
    pub username_prefix: String,
    pub tax_ppm: i64,
    pub tax_inclusive: bool,
    pub owner_name: String,
    pub owner_email: String,
    pub owner_password: String,
}

#[derive(Clone, Copy, Debug)]
pub struct Created {
    pub isp: IspId,
    pub branch: BranchId,
    pub owner: StaffId,
}

pub async fn create_isp(app: &App, command: NewIsp) -> Result<Created, Error> {
    if jiff::tz::TimeZone::get(&command.time_zone).is_err() {
        return Err(Error::invalid("time_zone", crate::Why::Unknown));
    }
    let isp = IspId(app.new_id(Table::Isp).await?);
    let branch = BranchId(app.new_id(Table::Branch).await?);
    let owner = StaffId(app.new_id(Table::Staff).await?);
    let password_hash = vault::hash_password(command.owner_password.clone()).await?;
    let created = Created { isp, branch, owner };
    app.change(&Actor::system(isp), Class::Interactive, async move |change| {
        let now = change.now;
        Isp {
            isp_id: isp,
            name: command.name.clone(),
            currency: command.currency.clone(),
            time_zone: command.time_zone.clone(),
            locale: command.locale.clone(),
            username_prefix: command.username_prefix.clone(),
            tax_ppm: command.tax_ppm,
            tax_inclusive: command.tax_inclusive,
            created_at: now,
        }
        .insert(change.tx)
        .await?;
        let name = String::from("Head office");
        Branch { isp_id: isp, id: branch, parent_id: None, name, created_at: now, updated_at: None }
            .insert(change.tx)
            .await?;
        Staff {
            isp_id: isp,
            id: owner,
            branch_id: None,
            parent_id: None,
            name: command.owner_name.clone(),
            email: command.owner_email.clone(),
            email_key: name_key(&command.owner_email),
            password_hash: password_hash.clone(),
            role: "owner".into(),
            status: "active".into(),
            created_at: now,
            phone: None,
            updated_at: None,
            last_login_at: None,
        }
        .insert(change.tx)
        .await?;
        change.tell(Fact::IspCreated { name: command.name.clone() });
        Ok(created)
    })
    .await
}
