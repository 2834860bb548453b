//! What the demo has for Zal's callers: a person with a token, places, salespeople with packages and subscribers, and
//! some subscribers who wait to be activated. Made once; an earlier demo's directory gets it now.

use anyhow::Context;
use domain::{IspId, Kind, PlanId, Role, Scopes, StaffId};
use service::{
    Actor, App,
    catalogue::plans,
    customers::{
        beside::{Beside, ProfileChange},
        card::Parts,
        change::{self, Edit},
        customers::{self, Extras, NewCustomer},
        lists,
        places::{self, HOMES, Level},
        portal,
        subscribers::Filter,
    },
    identity::{
        branches,
        staff::{self, NewStaff},
    },
    kernel::vault::random_text,
    resellers::salespeople::{self, Selling},
};

use super::credentials::{ZalIds, ZalUser};

/// From the country to the subarea.
const PLACES: [&str; 5] = ["Kenya", "Nairobi County", "Nairobi", "Westlands", "Parklands"];
const DEPARTMENTS: [&str; 2] = ["Sales", "Field service"];
const SALESPEOPLE: [(&str, &str); 2] = [("Sarah Wambui", "sarah"), ("Tom Odera", "tom")];
const WAITING: [(&str, &str); 3] =
    [("Pauline Auma", "pauline.auma"), ("Quincy Maina", "quincy.maina"), ("Rose Jeruto", "rose.jeruto")];
/// The demo's token is good for ten years.
const TOKEN_DAYS: i64 = 3650;

pub async fn seed(app: &App, isp: IspId, email: &str, known: &mut ZalUser) -> anyhow::Result<ZalIds> {
    let actor = Actor::system(isp);
    let user = person(app, &actor, "Zal", email, &known.password, Role::Owner).await?;
    let stands = match &known.token {
        Some(token) => portal::authenticate(app, portal::STAFF, token).await.is_ok(),
        None => false,
    };
    if !stands {
        known.token = Some(portal::for_staff(app, &actor, user, TOKEN_DAYS).await?.text);
    }
    if places::list(app, &actor, Level::Department, None, 0, 1).await?.1 == 0 {
        fill(app, &actor, email).await.context("places, salespeople and their subscribers")?;
    }
    let branch = branches::head_office(app, &actor).await?.id;
    Ok(ZalIds { isp_id: isp.0, branch_id: branch.0, user_id: user.0 })
}

async fn person(
    app: &App,
    actor: &Actor,
    name: &str,
    email: &str,
    password: &str,
    role: Role,
) -> anyhow::Result<StaffId> {
    let (people, _) = staff::list(app, actor, staff::Filter::default(), 0, 10_000).await?;
    if let Some(person) = people.iter().find(|person| person.email == email) {
        return Ok(person.id);
    }
    let person = NewStaff {
        name: name.into(),
        email: email.into(),
        password: password.into(),
        phone: None,
        role,
        branch: None,
        parent: None,
    };
    Ok(staff::create(app, actor, Scopes::ALL, person).await?.id)
}

async fn fill(app: &App, actor: &Actor, email: &str) -> anyhow::Result<()> {
    let host = email.split_once('@').map_or("demo.example", |(_, host)| host);
    let mut places = [None; 5];
    let mut parent = None;
    for (at, (level, name)) in HOMES.into_iter().zip(PLACES).enumerate() {
        let place = places::create(app, actor, level, parent, name.into()).await?;
        parent = Some(place.id);
        places[at] = Some(Some(place.id));
    }
    let offers = plans::offers(app, actor).await?;
    let sold: Vec<PlanId> = offers.iter().filter(|offer| offer.plan.enabled).map(|offer| offer.plan.id).collect();
    let mut sellers = Vec::new();
    for (name, login) in SALESPEOPLE {
        let email = format!("{login}@{host}");
        let id = person(app, actor, name, &email, &random_text(20), Role::Salesperson).await?;
        let selling = Selling { plans: Some(sold.clone()), ..Selling::default() };
        salespeople::set(app, actor, Scopes::ALL, id, selling).await?;
        sellers.push(id);
    }
    let everybody = lists::by_profile(app, actor, Filter::default(), (0, 1000), Parts::NONE).await?.0;
    let homes = everybody.iter().filter(|row| row.line.as_ref().is_some_and(|line| line.kind == Kind::Pppoe));
    let homes: Vec<_> = homes.map(|row| row.customer.id).collect();
    let first = homes.len().div_ceil(2).max(20);
    // The department is made last: its being there says that all of this is.
    for (at, id) in homes.iter().enumerate() {
        let seller = if at < first { sellers[0] } else { sellers[1] };
        let edit = Edit { beside: beside(seller, places), ..Edit::default() };
        change::update(app, actor, *id, edit).await?;
    }
    let home = offers.iter().find(|offer| offer.plan.kind == Kind::Pppoe && offer.plan.enabled);
    let home = home.context("no package for homes")?.plan.id;
    for (name, login) in WAITING {
        let username = login.to_string();
        let taken = Filter { search: Some(username.clone()), ..Filter::default() };
        if lists::by_profile(app, actor, taken, (0, 1), Parts::NONE).await?.1 > 0 {
            continue;
        }
        let command = NewCustomer {
            full_name: name.into(),
            phone: "0722000111".into(),
            email: None,
            address: None,
            building: None,
            username: Some(username),
            portal_password: super::people::PASSWORD.into(),
            kind: Kind::Pppoe,
            network_username: None,
            network_password: None,
            ip: None,
            mac: None,
            plan: home,
            router: customers::usual_router(app, actor, home).await?,
            payer: None,
        };
        let extras = Extras { beside: beside(sellers[0], places), ..Extras::default() };
        customers::create_with(app, actor, command, extras, None).await?;
    }
    for name in DEPARTMENTS {
        places::create(app, actor, Level::Department, None, name.into()).await?;
    }
    Ok(())
}

/// Whose subscriber somebody is, and where it lives.
fn beside(seller: StaffId, places: [Option<Option<i64>>; 5]) -> Beside {
    let profile = ProfileChange { salesperson: Some(Some(seller)), places, ..ProfileChange::default() };
    Beside { profile, ..Beside::default() }
}
