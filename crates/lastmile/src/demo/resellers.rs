//! Resellers of the demo: operators with and without money, a sub-operator with a customer, a shop with recharge cards in
//! every state. Made once, through the use cases; a directory that is older than they are gets them too.

use anyhow::Context;
use domain::{
    BranchId, Commission, CustomerId, IspId, Kind, Money, PlanId, Role, Scopes, StaffId, kernel::clock::DAY,
    sales::sale::Payer,
};
use service::{
    Actor, App, Clock, Who,
    access::routers,
    billing::funding::{self, Funding},
    catalogue::plans,
    customers::customers::{self, NewCustomer},
    identity::staff::{self, NewStaff},
    resellers::operators::{self, NewOperator, Terms},
    sales::cards::{self, Filter, Handed, NewBatch},
};

use super::{credentials::OauthClient, seed};
use crate::server;

const NORTH: &str = "north@resellers.example";
const VILLAGE: &str = "village@resellers.example";
const LAKE: &str = "lake@resellers.example";
const SHOP: &str = "shop@resellers.example";
/// What the resellers' customers and the cards are for.
const CARD_PLAN: &str = "Hotspot week";
/// The cards that nobody used ended this long ago, ten days after they were made.
const LATE: i64 = 20 * DAY;

/// They sign in with the password of the demo's API login.
pub async fn make(app: &App, isp: IspId, known: &OauthClient) -> anyhow::Result<()> {
    let actor = Actor::system(isp);
    let resellers = Resellers { app, actor: &actor, password: &known.password };
    if !staff::exists(app, &actor, NORTH).await? {
        resellers.operators().await.context("the demo's operators")?;
    }
    let (_, made) = cards::list(app, &actor, Filter::default(), 0, 1).await?;
    if made == 0 {
        resellers.cards().await.context("the demo's recharge cards")?;
    }
    Ok(())
}

struct Resellers<'a> {
    app: &'a App,
    actor: &'a Actor,
    password: &'a str,
}

impl Resellers<'_> {
    async fn operators(&self) -> anyhow::Result<()> {
        let (app, actor) = (self.app, self.actor);
        let north = self.operator("Northside Networks", NORTH, None, Terms::Prepaid).await?;
        let village = self.operator("Village Wireless", VILLAGE, Some(north.id), Terms::Prepaid).await?;
        let limit = Terms::Postpaid { collection_limit: Money(1_000_000) };
        self.operator("Lakeside Net", LAKE, None, limit).await?;
        for (operator, plan, price) in [
            (north.id, seed::HOME_PLAN, 120_000),
            (north.id, CARD_PLAN, 18_000),
            (village.id, seed::HOME_PLAN, 135_000),
            (village.id, CARD_PLAN, 21_500),
        ] {
            operators::set_price(app, actor, operator, self.plan(plan).await?, Some(Money(price))).await?;
        }
        for (operator, amount, reference) in [(north.id, 2_500_000, "TRF-20431"), (village.id, 500_000, "TRF-20977")] {
            let paid_in = Funding {
                amount: Money(amount),
                method: "bank".into(),
                reference: Some(reference.into()),
                note: Some("Opening balance".into()),
            };
            funding::operator(app, actor, operator, paid_in, None).await?;
        }
        for (operator, branch, name, phone) in [
            (north.id, north.branch_id, "Nuru Kassim", "0722600101"),
            (village.id, village.branch_id, "Tabitha Moraa", "0722600102"),
        ] {
            self.customer(operator, branch, name, phone).await?;
        }
        Ok(())
    }

    async fn operator(
        &self,
        name: &str,
        email: &str,
        parent: Option<StaffId>,
        terms: Terms,
    ) -> anyhow::Result<operators::Listed> {
        let command = NewOperator {
            name: name.into(),
            email: email.into(),
            password: self.password.into(),
            phone: None,
            parent,
            terms,
        };
        Ok(operators::create(self.app, self.actor, Scopes::ALL, command).await?)
    }

    /// A customer whose first week the operator sells.
    async fn customer(
        &self,
        operator: StaffId,
        branch: BranchId,
        name: &str,
        phone: &str,
    ) -> anyhow::Result<CustomerId> {
        let routers = routers::list(self.app, self.actor).await?;
        let seller = Actor { who: Who::Staff(operator), branch: Some(branch), ..self.actor.clone() };
        let command = NewCustomer {
            full_name: name.into(),
            phone: phone.into(),
            email: None,
            address: None,
            building: None,
            username: None,
            portal_password: super::people::PASSWORD.into(),
            kind: Kind::Hotspot,
            network_username: None,
            network_password: None,
            ip: None,
            mac: None,
            plan: self.plan(CARD_PLAN).await?,
            router: routers.first().context("no router is left")?.id,
            payer: Some(Payer::Cash { method: "cash".into() }),
        };
        Ok(CustomerId(customers::create(self.app, &seller, command, None).await?.customer_id))
    }

    async fn plan(&self, name: &str) -> anyhow::Result<PlanId> {
        let offers = plans::offers(self.app, self.actor).await?;
        let offer = offers.iter().find(|offer| offer.plan.name == name).or(offers.first());
        Ok(offer.context("no plan is left")?.plan.id)
    }

    async fn cards(&self) -> anyhow::Result<()> {
        let (app, actor) = (self.app, self.actor);
        let person = NewStaff {
            name: "Corner Shop".into(),
            email: SHOP.into(),
            password: self.password.into(),
            phone: Some("0722600200".into()),
            role: Role::CardDistributor,
            branch: None,
            parent: None,
        };
        let shop = match staff::exists(app, actor, SHOP).await? {
            false => staff::create(app, actor, Scopes::ALL, person).await?.id,
            true => self.shop().await?,
        };
        let new = |quantity, expires_at| async move {
            let plan = self.plan(CARD_PLAN).await?;
            anyhow::Ok(NewBatch {
                plan,
                distributor: Some(shop),
                value: None,
                commission: Commission::Percent(50_000),
                quantity,
                expires_at,
            })
        };
        // Cards of last month, by the clock of then.
        let then = server::core(app.db.clone(), Clock::manual(app.clock.now().plus(-LATE)), app.vault.clone());
        let old = new(3, Some(then.clock.now().plus(LATE / 2))).await?;
        let old = cards::generate(&then, actor, old, None).await?;
        cards::issue(&then, actor, Handed::Batch { id: old.batch.id, quantity: Some(2) }, None, None).await?;
        let made = cards::generate(app, actor, new(20, Some(app.clock.now().plus(365 * DAY))).await?, None).await?;
        cards::issue(app, actor, Handed::Batch { id: made.batch.id, quantity: Some(8) }, None, None).await?;
        let (operators, _) = operators::list(app, actor, operators::Filter::default(), 0, 10).await?;
        let north = operators.iter().find(|operator| operator.email == NORTH).context("the first operator")?;
        let buyer = self.customer(north.id, north.branch_id, "Zawadi Achieng", "0722600103").await?;
        for (_, code) in made.cards.iter().take(2) {
            cards::redeem(app, actor, code, buyer, None).await?;
        }
        Ok(())
    }

    async fn shop(&self) -> anyhow::Result<StaffId> {
        let filter = staff::Filter { role: Some(Role::CardDistributor.word()), ..staff::Filter::default() };
        let (people, _) = staff::list(self.app, self.actor, filter, 0, 100).await?;
        let shop = people.iter().find(|person| person.email == SHOP);
        Ok(shop.context("the shop")?.id)
    }
}
