//! Resellers and recharge cards: whoever sells for an operator sells on its wallet, and a card is used once.

use std::sync::Arc;

use domain::{
    CardState, Commission, CustomerId, InvoiceId, Kind, Money, PlanId, Role, Scopes, StaffId, sales::sale::Payer,
};
use serde_json::{Value, json};
use service::{
    Actor, By, Error, Refusal, VoucherFilter, What, Who, Why,
    access::{
        fup::{self, Chosen},
        routers,
    },
    billing::{
        floats::{self, HandIn},
        funding::{self, Funding},
    },
    catalogue::plans::{self, NewBandwidth, NewPool, PlanChange},
    customers::change::{self, Edit},
    identity::{
        clients::{self, NewOauthClient, Tier},
        staff::{self, NewStaff},
        tokens,
    },
    kernel::change::CallerKey,
    messages::sms,
    receivables::bills::{self, BillChange, NewBill},
    resellers::operators::{self, NewOperator, Terms},
    sales::{
        activation::{self, Activation, Payments},
        cards::{self, Handed, NewBatch},
        grace::{self, NewGrace},
        recharge::{self, Recharge},
        vouchers::{self, Format, NewVouchers},
    },
};

use crate::{
    app::{Line, TestApp, cash, days},
    both,
    platform::{Api, Came},
    races::at_once,
};

both!(
    a_chain_of_resellers_pays_its_prices,
    an_operators_people_cannot_sell_around_its_wallet,
    twenty_sales_on_a_wallet_for_one,
    a_postpaid_operator_sells_up_to_its_limit,
    funding_is_done_once_per_key,
    a_card_is_redeemed_once,
    cards_go_from_hand_to_hand,
    nobody_gives_more_than_it_has,
    operators_and_cards_over_http,
    what_is_the_whole_isps_is_not_written_from_a_branch,
    a_reseller_gives_nothing_away,
);

/// A plan of 1000.00 without tax and 30 days.
async fn plan(app: &TestApp) -> PlanId {
    app.plan("silver", |plan| plan.price = Money(100_000)).await
}

pub async fn operator(app: &TestApp, name: &str, parent: Option<StaffId>, terms: Terms) -> (StaffId, Actor) {
    let command = NewOperator {
        name: name.into(),
        email: format!("{name}@example.com"),
        password: "operator123".into(),
        phone: None,
        parent,
        terms,
    };
    let row = operators::create(&app.app, &app.actor, Scopes::ALL, command).await.expect("an operator");
    let actor = Actor { isp: app.actor.isp, who: Who::Staff(row.id), branch: Some(row.branch_id), may_write: true };
    (row.id, actor)
}

pub async fn fund(app: &TestApp, id: StaffId, amount: i64) -> i64 {
    let paid_in = Funding { amount: Money(amount), method: "bank".into(), reference: None, note: None };
    funding::operator(&app.app, &app.actor, id, paid_in, None).await.expect("a funding").balance
}

async fn price(app: &TestApp, id: StaffId, plan: PlanId, price: i64) {
    operators::set_price(&app.app, &app.actor, id, plan, Some(Money(price))).await.expect("a price");
}

async fn balance(app: &TestApp, id: StaffId) -> i64 {
    operators::show(&app.app, &app.actor, id).await.expect("the operator").balance.0
}

async fn buy(app: &TestApp, actor: &Actor, line: Line, payer: Payer) -> Result<recharge::Receipt, Error> {
    let command = Recharge { customer: line.customer, plan: None, payer };
    recharge::recharge(&app.app, actor, command, None).await
}

async fn a_chain_of_resellers_pays_its_prices(app: TestApp) {
    let plan = plan(&app).await;
    let (operator, _) = operator(&app, "north", None, Terms::Prepaid).await;
    let (sub, seller) = self::operator(&app, "village", Some(operator), Terms::Prepaid).await;
    price(&app, operator, plan, 70_000).await;
    price(&app, sub, plan, 85_000).await;
    assert_eq!(fund(&app, sub, 170_000).await, 170_000);
    let ali = app.try_customer_of(&seller, "ali", |customer| customer.plan = plan).await.expect("a sale");
    // docs/RULES.md, with 16 % in the price: the Isp earns 700.00 of the 1000.00.
    let ledger = format!("cash:bank 170000, revenue -60345, tax -9655, wallet:staff:{operator} -15000, ");
    assert_eq!(app.ledger().await, format!("{ledger}wallet:staff:{sub} -85000"));
    assert_eq!((balance(&app, sub).await, balance(&app, operator).await), (85_000, 15_000));
    assert!(app.nas.login(crate::nas::login("ali")).await.starts_with("Access-Accept"), "paid and online");
    // The customer's price is what it is told; the next period takes the rest, and then there is nothing left.
    assert_eq!(buy(&app, &seller, ali, cash()).await.expect("a recharge").amount, 100_000);
    let refused = buy(&app, &seller, ali, cash()).await;
    assert_eq!(refused, Err(Error::Insufficient { needed: Money(85_000) }));
    assert_eq!((balance(&app, sub).await, balance(&app, operator).await), (0, 30_000));
    // The wallet's story, the newest first.
    let (lines, total) = operators::entries(&app.app, &app.actor, sub, 0, 10).await.expect("the ledger");
    let told: Vec<_> = lines.iter().map(|line| (line.kind.as_str(), line.amount.0)).collect();
    assert_eq!(told, [("recharge", -85_000), ("recharge", -85_000), ("operator_funding", 170_000)]);
    assert_eq!(total, 3);
    // Below its operator's price it counts as that: 750.00 each.
    price(&app, operator, plan, 75_000).await;
    price(&app, sub, plan, 10_000).await;
    fund(&app, sub, 74_999).await;
    assert_eq!(buy(&app, &seller, ali, cash()).await, Err(Error::Insufficient { needed: Money(1) }));
    fund(&app, sub, 1).await;
    buy(&app, &seller, ali, cash()).await.expect("a recharge");
    assert_eq!((balance(&app, sub).await, balance(&app, operator).await), (0, 30_000));
}

async fn an_operators_people_cannot_sell_around_its_wallet(app: TestApp) {
    let plan = plan(&app).await;
    let (id, seller) = operator(&app, "north", None, Terms::Prepaid).await;
    let needed = Err(Error::Insufficient { needed: Money(100_000) });
    for payer in [cash(), Payer::Complimentary, Payer::Wallet] {
        let create = app.try_customer_of(&seller, "ali", |customer| {
            customer.plan = plan;
            customer.payer = Some(payer.clone());
        });
        assert_eq!(create.await.map(|_| ()), needed, "{payer:?}");
    }
    // Nor can another credential of its branch.
    let helper = clients::create_oauth(
        &app.app,
        &app.actor,
        NewOauthClient {
            name: "till".into(),
            branch: seller.branch,
            tier: Tier::V2Standard,
            scopes: None,
            credentials: None,
        },
    )
    .await
    .expect("a client");
    let till = Actor { who: Who::Api(helper.id), ..seller.clone() };
    let create = app.try_customer_of(&till, "ali", |customer| {
        customer.plan = plan;
        customer.payer = Some(Payer::Complimentary);
    });
    assert_eq!(create.await.map(|_| ()), needed);
    assert_eq!(app.ledger().await, "");
    // A better plan without a sale is no way around it either.
    fund(&app, id, 250_000).await;
    let ali = app.try_customer_of(&seller, "ali", |customer| customer.plan = plan).await.expect("a sale");
    let edit = Edit { plan: Some(app.gold), ..Edit::default() };
    let refused = change::update(&app.app, &seller, ali.customer, edit.clone()).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    // A suspended operator sells nothing, through nobody.
    operators::suspend(&app.app, &app.actor, id, true).await.expect("a suspension");
    assert!(matches!(buy(&app, &till, ali, cash()).await, Err(Error::Refused(_))));
    operators::suspend(&app.app, &app.actor, id, false).await.expect("its end");
    buy(&app, &till, ali, cash()).await.expect("a recharge");
    // The Isp's own people take cash as ever, and other operators see nothing of it.
    assert_eq!(balance(&app, id).await, 50_000);
    buy(&app, &app.actor, ali, cash()).await.expect("a recharge");
    assert_eq!(balance(&app, id).await, 50_000);
    let (_, stranger) = operator(&app, "south", None, Terms::Prepaid).await;
    assert_eq!(buy(&app, &stranger, ali, cash()).await, Err(Error::Forbidden));
    // It stays while it has customers; without them and money it goes, and its address is free.
    let gone = operators::delete(&app.app, &app.actor, id).await;
    assert_eq!(gone, Err(Error::InUse { what: What::Operator, by: By::ItsCustomers }));
    let (empty, _) = operator(&app, "west", None, Terms::Prepaid).await;
    operators::delete(&app.app, &app.actor, empty).await.expect("a deletion");
    assert_eq!(operators::show(&app.app, &app.actor, empty).await, Err(Error::NotFound { what: What::Operator }));
    operator(&app, "west", None, Terms::Prepaid).await;
}

async fn twenty_sales_on_a_wallet_for_one(app: TestApp) {
    let plan = plan(&app).await;
    let (id, seller) = operator(&app, "north", None, Terms::Prepaid).await;
    price(&app, id, plan, 70_000).await;
    fund(&app, id, 70_000).await;
    let ali = app.try_customer_of(&seller, "ali", |customer| customer.plan = plan).await.expect("a sale");
    fund(&app, id, 100_000).await;
    let app = Arc::new(app);
    let shared = app.clone();
    let results = at_once(20, move |n| {
        let (app, seller) = (shared.clone(), seller.clone());
        Box::pin(async move {
            // Half of them new customers, half the same one.
            match n % 2 {
                0 => buy(&app, &seller, ali, cash()).await.map(drop),
                _ => app.try_customer_of(&seller, &format!("c{n}"), |new| new.plan = plan).await.map(drop),
            }
        })
    })
    .await;
    let sold = results.iter().filter(|result| result.is_ok()).count();
    let missing = results.iter().filter(|r| **r == Err(Error::Insufficient { needed: Money(40_000) })).count();
    assert_eq!((sold, missing), (1, 19), "{results:?}");
    assert_eq!(balance(&app, id).await, 30_000);
    assert_eq!(app.ledger().await, format!("cash:bank 170000, revenue -120690, tax -19310, wallet:staff:{id} -30000"));
}

async fn a_postpaid_operator_sells_up_to_its_limit(app: TestApp) {
    let plan = plan(&app).await;
    let terms = Terms::Postpaid { collection_limit: Money(150_000) };
    let (id, seller) = operator(&app, "north", None, terms).await;
    let ali = app.try_customer_of(&seller, "ali", |customer| customer.plan = plan).await.expect("a sale");
    assert_eq!(balance(&app, id).await, -100_000);
    assert_eq!(buy(&app, &seller, ali, cash()).await, Err(Error::Insufficient { needed: Money(50_000) }));
    // Cash handed in makes room.
    assert_eq!(fund(&app, id, 60_000).await, -40_000);
    buy(&app, &seller, ali, cash()).await.expect("a recharge");
    assert_eq!(balance(&app, id).await, -140_000);
}

async fn funding_is_done_once_per_key(app: TestApp) {
    let (id, _) = operator(&app, "north", None, Terms::Prepaid).await;
    let app = Arc::new(app);
    let shared = app.clone();
    let answers = at_once(10, move |_| {
        let app = shared.clone();
        Box::pin(async move {
            let key = CallerKey { key: "k".into(), request_hash: "h".into() };
            let paid_in = Funding { amount: Money(500), method: "cash".into(), reference: None, note: None };
            funding::operator(&app.app, &app.actor, id, paid_in, Some(key)).await
        })
    })
    .await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|funded| funded.balance == 500)), "{answers:?}");
    assert_eq!(balance(&app, id).await, 500);
    assert_eq!(app.events().await.iter().filter(|kind| *kind == "operator.funded").count(), 1);
    let nothing = Funding { amount: Money(0), method: "cash".into(), reference: None, note: None };
    assert!(funding::operator(&app.app, &app.actor, id, nothing, None).await.is_err());
}

async fn distributor(app: &TestApp, name: &str) -> StaffId {
    let person = NewStaff {
        name: name.into(),
        email: format!("{name}@example.com"),
        password: "distributor1".into(),
        phone: None,
        role: Role::CardDistributor,
        branch: None,
        parent: None,
    };
    staff::create(&app.app, &app.actor, Scopes::ALL, person).await.expect("a distributor").id
}

fn batch(plan: PlanId, quantity: i64) -> NewBatch {
    NewBatch {
        plan,
        distributor: None,
        value: None,
        commission: Commission::Percent(50_000),
        quantity,
        expires_at: None,
    }
}

/// The change itself refuses, so that the list of doors and use cases does not matter: each of these asks for nothing but the
/// right to write.
async fn what_is_the_whole_isps_is_not_written_from_a_branch(app: TestApp) {
    let plan = plan(&app).await;
    let (_, seller) = operator(&app, "north", None, Terms::Prepaid).await;
    let api = Actor { who: Who::Api(domain::ApiClientId(77)), ..seller.clone() };
    let core = &app.app;
    let ledger = app.ledger().await;
    for actor in [&seller, &api] {
        let rate = NewBandwidth {
            name: "theirs".into(),
            down_kbps: 1_000,
            down_unit: "Mbps".into(),
            up_kbps: 1_000,
            up_unit: "Mbps".into(),
            burst: None,
            priority: None,
        };
        let pool = NewPool { name: "theirs".into(), router: None, ranges: "10.9.0.0/24".into(), allocate: "server" };
        let cheaper = PlanChange { price: Some(Money(1)), ..PlanChange::default() };
        let codes = NewVouchers {
            kind: Kind::Hotspot,
            router: app.router,
            plan,
            count: 1,
            format: Format::Upper,
            length: 8,
            clients: 1,
            customer: None,
        };
        let refused = [
            ("bandwidth", plans::create_bandwidth(core, actor, rate).await.err()),
            ("pool", plans::create_pool(core, actor, pool).await.err()),
            ("plan", plans::update(core, actor, plan, cheaper).await.err()),
            ("no plan", plans::delete(core, actor, plan, None).await.err()),
            ("router", routers::set_coa_port(core, actor, app.router, 1).await.err()),
            ("no router", routers::delete(core, actor, app.router, None).await.err()),
            ("a router's secret", routers::show(core, actor, app.router).await.err()),
            ("vouchers", vouchers::create(core, actor, codes, None).await.err()),
            ("codes", vouchers::list(core, actor, VoucherFilter::default(), 0, 10).await.err()),
            ("cards", cards::generate(core, actor, batch(plan, 1), None).await.err()),
            ("SMS credits", sms::top_up(core, actor, 1000, None, None).await.err()),
        ];
        for (what, refused) in refused {
            assert_eq!(refused, Some(Error::Forbidden), "{what}");
        }
    }
    assert_eq!(app.ledger().await, ledger);
    let price = plans::show(core, &app.actor, plan).await.expect("the plan").version.price;
    assert_eq!((price, sms::balance(core, &app.actor).await), (Money(100_000), Ok(0)));
}

/// What its people would give a customer is bought like a sale, or refused.
async fn a_reseller_gives_nothing_away(app: TestApp) {
    let plan = plan(&app).await;
    let (id, seller) = operator(&app, "north", None, Terms::Prepaid).await;
    fund(&app, id, 1_000_000).await;
    let ali = app.try_customer_of(&seller, "ali", |customer| customer.plan = plan).await.expect("a sale");
    let (core, held) = (&app.app, balance(&app, id).await);
    let days = NewGrace { days: 366, until: None };
    let far = Activation {
        customer: ali.customer,
        plan: None,
        payment: Payments::Received { method: "cash".into(), amount: None },
        expires_at: Some(core.clock.now().plus(400 * domain::kernel::clock::DAY)),
        within: None,
    };
    // What the Isp has billed it does not forgive, neither by the bill nor by the customer; nor what it billed itself.
    let bill = |amount| NewBill { customer: ali.customer, amount: Money(amount), due: None, description: None };
    let owed = InvoiceId(bills::create(core, &app.actor, bill(50_000), None).await.expect("a bill").id);
    let own = InvoiceId(bills::create(core, &seller, bill(700), None).await.expect("a bill").id);
    let lower = |amount| BillChange { amount: Some(Money(amount)), ..BillChange::default() };
    let refused = [
        ("a bill lowered", bills::update(core, &seller, owed, lower(49_999), None).await.err()),
        ("a bill taken back", bills::delete(core, &seller, owed, None).await.err()),
        ("its own bill taken back", bills::delete(core, &seller, own, None).await.err()),
        ("all bills taken back", bills::void_open(core, &seller, ali.customer).await.err()),
        ("grace", grace::give(core, &seller, ali.customer, days, None).await.err()),
        ("no fair use", fup::choose(core, &seller, ali.customer, Chosen::Exempt).await.err()),
        ("an end of one's own", activation::activate(core, &seller, far, None).await.err()),
    ];
    for (what, refused) in refused {
        assert_eq!(refused, Some(Error::Refused(Refusal::NotByAnEdit)), "{what}");
    }
    assert_eq!(balance(&app, id).await, held);
    // It may ask for more. The Isp's own people give what they like.
    bills::update(core, &seller, owed, lower(50_001), None).await.expect("a higher bill");
    bills::update(core, &app.actor, owed, lower(49_999), None).await.expect("a lower bill");
    bills::delete(core, &app.actor, own, None).await.expect("a credit note");
    let days = NewGrace { days: 3, until: None };
    grace::give(core, &app.actor, ali.customer, days, None).await.expect("three days");
}

async fn a_card_is_redeemed_once(app: TestApp) {
    let plan = plan(&app).await;
    let shop = distributor(&app, "shop").await;
    let made = cards::generate(&app.app, &app.actor, batch(plan, 2), None).await.expect("cards");
    let handed = Handed::Batch { id: made.batch.id, quantity: Some(1) };
    cards::issue(&app.app, &app.actor, handed, Some(shop), None).await.expect("an issue");
    let app = Arc::new(app);
    let mut customers = Vec::new();
    for n in 0..4 {
        let name = format!("c{n}");
        let free =
            app.try_customer(&name, |customer| customer.payer = Some(Payer::Complimentary)).await.expect("a customer");
        customers.push(free.customer);
    }
    let (shared, code, people) = (app.clone(), made.cards[0].1.clone(), customers.clone());
    let results = at_once(20, move |n| {
        let (app, code, customer) = (shared.clone(), code.clone(), people[n % people.len()]);
        Box::pin(async move { cards::redeem(&app.app, &app.actor, &code.to_lowercase(), customer, None).await })
    })
    .await;
    let won: Vec<&cards::Redeemed> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    let used = results.iter().filter(|r| **r == Err(Error::Refused(Refusal::CardUsed))).count();
    assert_eq!((won.len(), used), (1, 19), "{results:?}");
    // 1000.00 with 16 % in it, 5 % of it the shop's.
    let ledger = format!("commission 5000, float:staff:{shop} 95000, revenue -86207, tax -13793");
    assert_eq!(app.ledger().await, ledger);
    let (_, total) =
        cards::list(&app.app, &app.actor, cards::Filter { state: Some(CardState::Used), ..Default::default() }, 0, 10)
            .await
            .expect("cards");
    assert_eq!(total, 1);
    assert_eq!(app.events().await.iter().filter(|kind| *kind == "card.used").count(), 1);
    // Nobody has the other one yet.
    let other = cards::redeem(&app.app, &app.actor, &made.cards[1].1, customers[0], None).await;
    assert_eq!(other, Err(Error::Refused(Refusal::CardNotIssued)));
    // Five wrong codes for a customer are enough for a minute, even for the right one.
    for _ in 0..5 {
        let wrong = cards::redeem(&app.app, &app.actor, "ABCD-ABCD", customers[1], None).await;
        assert_eq!(wrong, Err(Error::invalid("code", Why::Unknown)));
    }
    let handed = Handed::Cards(vec![made.cards[1].0.id]);
    cards::issue(&app.app, &app.actor, handed, Some(shop), None).await.expect("an issue");
    let right = |customer: CustomerId| {
        let (app, code) = (app.clone(), made.cards[1].1.clone());
        async move { cards::redeem(&app.app, &app.actor, &code, customer, None).await }
    };
    assert!(matches!(right(customers[1]).await, Err(Error::Refused(service::Refusal::TooManyWrongCodes))));
    app.app.clock.pass(domain::kernel::clock::MINUTE);
    let key = CallerKey { key: "k".into(), request_hash: "h".into() };
    let code = &made.cards[1].1;
    let first = cards::redeem(&app.app, &app.actor, code, customers[1], Some(key.clone())).await.expect("a period");
    let again = cards::redeem(&app.app, &app.actor, code, customers[1], Some(key)).await;
    assert_eq!(again, Ok(first), "the same answer to a repeat");
    // The shop owes the value less its commission until it hands it in, once.
    let hand_in = async |amount: i64| {
        let (method, reference, note) = ("office".into(), None, None);
        let command = HandIn { amount: Money(amount), method, reference, note };
        floats::hand_in(&app.app, &app.actor, shop, command, None).await.map(|done| done.held)
    };
    assert_eq!(hand_in(150_000).await, Ok(40_000));
    assert!(matches!(hand_in(40_001).await, Err(Error::Refused(_))));
    assert_eq!(hand_in(40_000).await, Ok(0));
    assert!(hand_in(1).await.is_err());
}

async fn cards_go_from_hand_to_hand(app: TestApp) {
    let plan = plan(&app).await;
    let (shop, kiosk) = (distributor(&app, "shop").await, distributor(&app, "kiosk").await);
    let key = CallerKey { key: "k".into(), request_hash: "h".into() };
    let soon = app.app.clock.now().plus(days(10));
    let command = NewBatch { distributor: Some(shop), expires_at: Some(soon), ..batch(plan, 5) };
    let made = cards::generate(&app.app, &app.actor, command.clone(), Some(key.clone())).await.expect("cards");
    let again = cards::generate(&app.app, &app.actor, command, Some(key)).await.expect("the same cards");
    let codes = |made: &cards::Generated| made.cards.iter().map(|(_, code)| code.clone()).collect::<Vec<_>>();
    assert_eq!(codes(&made), codes(&again), "a repeat shows the same codes");
    // One that is already somebody's cannot be handed out again, and none of those beside it is.
    let ids: Vec<i64> = made.cards.iter().map(|(card, _)| card.id).collect();
    cards::issue(&app.app, &app.actor, Handed::Cards(vec![ids[0]]), Some(kiosk), None).await.expect("an issue");
    let twice = cards::issue(&app.app, &app.actor, Handed::Cards(ids[..2].to_vec()), Some(shop), None).await;
    assert!(matches!(twice, Err(Error::Invalid(_))), "{twice:?}");
    // Without a name they go to whom they were made for.
    let handed = Handed::Batch { id: made.batch.id, quantity: Some(2) };
    let issued = cards::issue(&app.app, &app.actor, handed, None, None).await.expect("an issue");
    assert_eq!((issued.distributor_id, issued.cards.len(), issued.value), (shop.0, 2, 200_000));
    let too_many = Handed::Batch { id: made.batch.id, quantity: Some(3) };
    let refused = cards::issue(&app.app, &app.actor, too_many, None, None).await;
    assert_eq!(refused, Err(Error::invalid("quantity", Why::TooLarge { max: 2 })));
    let states = async |actor: Actor| {
        let mut counts = Vec::new();
        for word in CardState::WORDS {
            let filter = cards::Filter { state: CardState::from_word(word), ..Default::default() };
            counts.push(cards::list(&app.app, &actor, filter, 0, 10).await.expect("cards").1);
        }
        counts
    };
    let shopkeeper = Actor { who: Who::Staff(shop), ..app.actor.clone() };
    assert_eq!(states(app.actor.clone()).await, [2, 3, 0, 0]);
    assert_eq!(states(shopkeeper.clone()).await, [0, 2, 0, 0], "a distributor sees what is in his hands");
    assert!(cards::show(&app.app, &shopkeeper, ids[0]).await.is_err());
    assert_eq!(cards::batches(&app.app, &shopkeeper, 0, 10).await, Err(Error::Forbidden));
    let ali = app.customer("ali", app.gold).await;
    cards::redeem(&app.app, &app.actor, &made.cards[1].1, ali.customer, None).await.expect("a period");
    app.pass(days(10)).await;
    assert_eq!(states(app.actor.clone()).await, [0, 0, 1, 4]);
    let (batches, _) = cards::batches(&app.app, &app.actor, 0, 10).await.expect("batches");
    let counts = |row: &cards::ListedBatch| (row.unissued, row.issued, row.used, row.expired);
    assert_eq!(batches.iter().map(counts).collect::<Vec<_>>(), [(0, 0, 1, 4)]);
    let late = cards::redeem(&app.app, &app.actor, &made.cards[2].1, ali.customer, None).await;
    assert_eq!(late, Err(Error::Refused(Refusal::CardExpired)));
}

async fn nobody_gives_more_than_it_has(app: TestApp) {
    let person = |role, email: &str| NewStaff {
        name: "Somebody".into(),
        email: email.into(),
        password: "long enough".into(),
        phone: None,
        role,
        branch: None,
        parent: None,
    };
    let few = Scopes::from_words("staff:read staff:write customers:read billing:read billing:write");
    let made = staff::create(&app.app, &app.actor, few, person(Role::Owner, "a@example.com")).await;
    assert_eq!(made, Err(Error::Forbidden));
    let reseller = staff::create(&app.app, &app.actor, Scopes::ALL, person(Role::Operator, "a@example.com")).await;
    assert!(matches!(reseller, Err(Error::Invalid(_))), "an operator has an account: {reseller:?}");
    let collector =
        staff::create(&app.app, &app.actor, few, person(Role::Collector, "a@example.com")).await.expect("a collector");
    let promote = staff::StaffChange { role: Some(Role::Manager), ..Default::default() };
    let change = staff::update(&app.app, &app.actor, few, collector.id, promote.clone()).await;
    assert_eq!(change, Err(Error::Forbidden));
    let manager = staff::update(&app.app, &app.actor, Scopes::ALL, collector.id, promote).await.expect("a manager");
    // Whoever may do less cannot take the account over by its password.
    let password = staff::StaffChange { password: Some("taken over".into()), ..Default::default() };
    assert_eq!(staff::update(&app.app, &app.actor, few, manager.id, password.clone()).await, Err(Error::Forbidden));
    assert_eq!(staff::suspend(&app.app, &app.actor, few, manager.id, true).await, Err(Error::Forbidden));
    let old = tokens::sign_in(&app.app, "a@example.com", "long enough").await.expect("tokens");
    staff::update(&app.app, &app.actor, Scopes::ALL, manager.id, password).await.expect("a new password");
    let end = tokens::authenticate(&app.app, tokens::V1, &old.access).await;
    assert_eq!(end.map(drop), Err(Error::Unauthenticated), "a new password ends the old one's tokens");
    let Who::Staff(owner) = app.actor.who else { panic!() };
    let suspended = staff::suspend(&app.app, &app.actor, Scopes::ALL, owner, true).await;
    assert_eq!(suspended, Err(Error::Refused(Refusal::OwnerNotSuspended)));
    let demoted = staff::StaffChange { role: Some(Role::Noc), ..Default::default() };
    assert!(staff::update(&app.app, &app.actor, Scopes::ALL, owner, demoted).await.is_err());
}

async fn operators_and_cards_over_http(app: TestApp) {
    let api = Api::over(app);
    let (_, owner) = api.client(&api.app.actor, Tier::V2HighVolume, None).await;
    let ask = async |method: &str, path: &str, body: Value, headers: &[(&str, &str)]| -> Came {
        api.call_with(method, path, Some(&owner), &body, headers).await
    };
    // A password is made and shown this once.
    let body =
        json!({ "name": "North", "email": "north@example.com", "account_type": "postpaid", "collection_limit": 50 });
    let made = ask("POST", "/api/v2/operators", body, &[]).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let row = made.json()["data"].clone();
    let (path, tag) = (format!("/api/v2/operators/{}", row["id"]), made.headers["etag"].to_str().expect("a tag"));
    let password = row["password"].as_str().expect("a password").to_string();
    let shown = ask("GET", &path, Value::Null, &[]).await;
    assert!(!shown.text.contains(&password) && shown.headers["etag"] == tag, "{}", shown.text);
    // Whoever changes what somebody else has changed meanwhile is told so.
    api.app.app.clock.pass(1);
    assert_eq!(ask("PUT", &path, json!({ "name": "Northern" }), &[("if-match", tag)]).await.status, 200);
    ask("PUT", &path, json!({ "name": "Norther" }), &[("if-match", tag)]).await.refused(412, "an old tag");
    let wrong = ask("PUT", &path, json!({ "account_type": "prepaid", "collection_limit": 5 }), &[]).await;
    wrong.refused(422, "a limit for a prepaid account");
    // A funding is done once for its key.
    let fund = format!("{path}/fund");
    let key = [("idempotency-key", "f1")];
    let first = ask("POST", &fund, json!({ "amount": 500.5, "method": "bKash" }), &key).await;
    let again = ask("POST", &fund, json!({ "amount": 500.5, "method": "bKash" }), &key).await;
    assert_eq!((first.status, &first.text), (201, &again.text));
    assert_eq!(again.json()["data"]["balance"], 500.5);
    ask("POST", &fund, json!({ "amount": 500 }), &key).await.refused(409, "the key of another request");
    for amount in [json!(0), json!(-5), json!(0.001), json!("many"), Value::Null] {
        ask("POST", &fund, json!({ "amount": amount }), &[]).await.refused(422, "no amount to fund");
    }
    // Suspended by version 2, lifted by version 1 and the other way round.
    let login = json!({ "email": "north@example.com", "password": password });
    let sign_in = async || api.call_with("POST", "/api/auth/login", None, &login, &[]).await.status;
    assert_eq!(sign_in().await, 200);
    assert_eq!(ask("POST", &format!("{path}/suspend"), Value::Null, &[]).await.json()["data"]["status"], "suspended");
    assert_eq!(sign_in().await, 401);
    let person = tokens::sign_in(&api.app.app, "owner@example.com", "correct horse").await.expect("tokens").access;
    let v1 = format!("/api/v1/operators/{}/suspend", row["id"]);
    let lifted = api.call_with("POST", &v1, Some(&person), &json!({ "suspended": false }), &[]).await;
    assert_eq!((lifted.status, sign_in().await), (200, 200), "{}", lifted.text);
    assert_eq!(api.call_with("POST", &v1, Some(&person), &Value::Null, &[]).await.status, 200);
    assert_eq!(ask("POST", &format!("{path}/activate"), Value::Null, &[]).await.json()["data"]["status"], "active");
    // Codes are shown to those who may make cards; others see their ends.
    let cards = json!({ "package_id": api.app.gold.0, "quantity": 2, "commission": 2.5, "commission_type": "percent" });
    let made = ask("POST", "/api/v2/recharge-cards", cards, &[]).await.json();
    assert_eq!(made["data"]["commission"], 37.5);
    let code = made["data"]["cards"][0]["code"].as_str().expect("a code");
    let one = format!("/api/v2/recharge-cards/{}", made["data"]["cards"][0]["id"]);
    assert_eq!(ask("GET", &one, Value::Null, &[]).await.json()["data"]["code"], code);
    let reads = Scopes::from_words("cards:read");
    let (_, reader) = api.client(&api.app.actor, Tier::V2HighVolume, Some(reads)).await;
    for path in [one.as_str(), "/api/v2/recharge-cards", "/api/v2/recharge-cards/batches"] {
        let seen = api.call_with("GET", path, Some(&reader), &Value::Null, &[]).await;
        assert_eq!(seen.status, 200, "{}", seen.text);
        assert!(!seen.text.contains(code), "{path} shows a code: {}", seen.text);
    }
    for (field, body) in [
        (
            "commission",
            json!({ "package_id": api.app.gold.0, "quantity": 1, "commission": 101, "commission_type": "percent" }),
        ),
        ("commission", json!({ "package_id": api.app.gold.0, "quantity": 1, "commission": 1500.01 })),
        ("quantity", json!({ "package_id": api.app.gold.0, "quantity": 1001 })),
        ("package_id", json!({ "package_id": 999, "quantity": 1 })),
        ("distributor_id", json!({ "package_id": api.app.gold.0, "quantity": 1, "distributor_id": row["id"] })),
        ("expires_at", json!({ "package_id": api.app.gold.0, "quantity": 1, "expires_at": "2020-01-01T00:00:00Z" })),
    ] {
        let refused = ask("POST", "/api/v2/recharge-cards", body, &[]).await;
        refused.refused(422, field);
        assert!(refused.json()["error"]["details"][field].is_array(), "{field}: {}", refused.text);
    }
}
