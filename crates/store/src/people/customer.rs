//! Customers: new ones with their lines, one customer, changes. Lists are in [`roster`].

use std::collections::HashSet;

use domain::{BranchId, CustomerId, Instant, IspId, kernel::names::name_key};

use crate::{
    db::{Error, Tx, Value},
    kernel::conditions::among,
    kernel::record::{record, records, text},
    params,
    people::{roster, service::Service},
    sql,
};

record! {
    kept Customer of "customer" {
        isp_id: IspId,
        id: CustomerId,
        branch_id: Option<BranchId>,
        /// The account's name; also the network name of hotspot and static lines.
        username: String,
        /// Lower-cased and trimmed while live; null frees it.
        username_key: Option<String>,
        /// What the portal asks for until the customer chooses a password, sealed.
        portal_secret: Option<Vec<u8>>,
        /// The password the customer chose, argon2.
        portal_hash: Option<String>,
        full_name: String,
        phone: String,
        email: Option<String>,
        address: Option<String>,
        building_id: Option<i64>,
        notes: Option<String>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

/// A customer to be made; everything else of it is as a customer begins.
#[derive(Clone, Debug)]
pub struct New {
    pub isp: IspId,
    pub id: CustomerId,
    pub branch: Option<BranchId>,
    /// As it is written; it is kept without spaces around it.
    pub username: String,
    /// Sealed; `None`: nobody signs in.
    pub portal_secret: Option<Vec<u8>>,
    pub full_name: String,
    pub phone: String,
    pub email: Option<String>,
    pub address: Option<String>,
    pub building: Option<i64>,
    pub at: Instant,
}

impl Customer {
    pub fn new(new: New) -> Customer {
        let New { isp, id, branch, username, portal_secret, full_name, phone, email, address, building, at } = new;
        Customer {
            isp_id: isp,
            id,
            branch_id: branch,
            username_key: Some(name_key(&username)),
            username: username.trim().into(),
            portal_secret,
            portal_hash: None,
            full_name: full_name.trim().into(),
            phone,
            email,
            address,
            building_id: building,
            notes: None,
            created_at: at,
            updated_at: at,
            deleted_at: None,
        }
    }
}

pub use roster::{Filter, Order, Page, Standing, list};

/// New customers of one Isp, each with its primary line: the only way in, so that lists and searches know them.
///
/// # Errors
/// `Unique` when a username is taken.
pub async fn insert(tx: &Tx, isp: IspId, people: Vec<(Customer, Option<Service>)>) -> Result<(), Error> {
    tx.insert_many(Customer::INSERT, "", people.iter().map(|(customer, _)| customer.values()).collect()).await?;
    let lines = people.iter().filter_map(|(_, line)| line.as_ref());
    tx.insert_many(Service::INSERT, "", lines.map(Service::values).collect()).await?;
    roster::add(tx, isp, &people).await
}

pub async fn find(tx: &Tx, isp: IspId, id: CustomerId) -> Result<Option<Customer>, Error> {
    let row = tx
        .row(
            sql!(text!(Customer::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Customer::from_row(&row)).transpose()
}

/// The live customer, locked until the transaction ends: every change of a customer or its services begins here.
pub async fn lock(tx: &Tx, isp: IspId, id: CustomerId) -> Result<Option<Customer>, Error> {
    let row = tx
        .row_locked(
            sql!(text!(Customer::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Customer::from_row(&row)).transpose()
}

/// As [`lock`], the deleted ones too: what somebody owes outlives the customer.
pub async fn lock_any(tx: &Tx, isp: IspId, id: CustomerId) -> Result<Option<Customer>, Error> {
    let row =
        tx.row_locked(sql!(text!(Customer::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Customer::from_row(&row)).transpose()
}

/// The deleted ones too.
pub async fn any(tx: &Tx, isp: IspId, id: CustomerId) -> Result<Option<Customer>, Error> {
    let row = tx.row(sql!(text!(Customer::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Customer::from_row(&row)).transpose()
}

pub async fn by_username(tx: &Tx, isp: IspId, username_key: &str) -> Result<Option<Customer>, Error> {
    let row = tx
        .row(sql!(text!(Customer::SELECT, "where t.isp_id = $1 and t.username_key = $2")), &params![isp, username_key])
        .await?;
    row.map(|row| Customer::from_row(&row)).transpose()
}

/// Names and fixed addresses that somebody has, in the form they are compared in.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Taken {
    pub accounts: HashSet<String>,
    pub logins: HashSet<String>,
    pub addresses: HashSet<String>,
}

/// Which of these names live customers' accounts, and which names and addresses live lines have.
pub async fn taken(tx: &Tx, isp: IspId, wanted: &Taken) -> Result<Taken, Error> {
    Ok(Taken {
        accounts: among_keys(tx, isp, ("customer", "username_key"), &wanted.accounts).await?,
        logins: among_keys(tx, isp, ("service", "username_key"), &wanted.logins).await?,
        addresses: among_keys(tx, isp, ("fixed_address", "address_key"), &wanted.addresses).await?,
    })
}

async fn among_keys(
    tx: &Tx,
    isp: IspId,
    (table, column): (&str, &str),
    keys: &HashSet<String>,
) -> Result<HashSet<String>, Error> {
    let mut taken = HashSet::new();
    let keys: Vec<&String> = keys.iter().collect();
    for chunk in keys.chunks(128) {
        let mut params = vec![Value::from(isp)];
        // Filled up to a power of two so that few texts exist.
        let filled = chunk.iter().cycle().take(chunk.len().next_power_of_two());
        params.extend(filled.map(|key| Value::from(key.as_str())));
        let list = (2..=params.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        let text = format!("select {column} from {table} where isp_id = $1 and {column} in ({list})");
        for row in tx.rows(text, &params).await? {
            taken.insert(row.get(0)?);
        }
    }
    Ok(taken)
}

/// The greatest live username key from `from` on and below `below`.
pub async fn last_username(tx: &Tx, isp: IspId, from: &str, below: &str) -> Result<Option<String>, Error> {
    let row = tx
        .row(
            sql!(
                "select username_key from customer where isp_id = $1 and username_key >= $2 and username_key < $3 \
                 order by username_key desc limit 1"
            ),
            &params![isp, from, below],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// Tells PostgreSQL's planner how large the tables have become; by itself it notices a minute later, and until then
/// lists may take many seconds. SQLite's needs no telling.
pub async fn refresh_statistics(tx: &Tx) -> Result<(), Error> {
    if tx.engine() == crate::db::Engine::Postgres {
        tx.run(sql!("analyze customer"), &params![]).await?;
        tx.run(sql!("analyze service"), &params![]).await?;
        tx.run(sql!("analyze roster"), &params![]).await?;
        tx.run(sql!("analyze search_word"), &params![]).await?;
    }
    Ok(())
}

pub async fn update(tx: &Tx, row: &Customer) -> Result<(), Error> {
    tx.run(
        sql!(
            "update customer set username = $3, username_key = $4, portal_secret = $5, portal_hash = $6, \
             full_name = $7, phone = $8, email = $9, address = $10, building_id = $11, notes = $12, \
             updated_at = $13, deleted_at = $14 where isp_id = $1 and id = $2"
        ),
        &params![
            row.isp_id,
            row.id,
            &row.username,
            &row.username_key,
            &row.portal_secret,
            &row.portal_hash,
            &row.full_name,
            &row.phone,
            &row.email,
            &row.address,
            row.building_id,
            &row.notes,
            row.updated_at,
            row.deleted_at
        ],
    )
    .await?;
    roster::customer_changed(tx, row).await
}

/// The customers in the order of `ids`, each with its primary service: two queries, however many.
pub async fn with_services(tx: &Tx, isp: IspId, ids: &[CustomerId]) -> Result<Vec<(Customer, Option<Service>)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let customers = tx.rows(format!("{}where t.isp_id = $1 and t.id in ({list})", Customer::SELECT), &params).await?;
    let services = tx
        .rows(
            format!("{}where t.isp_id = $1 and t.ordinal = 1 and t.customer_id in ({list})", Service::SELECT),
            &params,
        )
        .await?;
    let mut customers = records(customers, Customer::from_row)?;
    let mut services = records(services, Service::from_row)?;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(at) = customers.iter().position(|row| row.id == *id) {
            let customer = customers.swap_remove(at);
            let service = services.iter().position(|row| row.customer_id == *id).map(|at| services.swap_remove(at));
            rows.push((customer, service));
        }
    }
    Ok(rows)
}
