//! Ids in blocks: small, per table, handed out from memory; a counter row gives each node its next block.

use std::{collections::HashMap, sync::Arc};

use domain::IspId;
use parking_lot::Mutex;
use store::{
    db::{Class, Db, Tx},
    kernel::counter,
};

use crate::Error;

/// The tables that have ids, with how many one block holds: more where many rows come at once.
macro_rules! tables {
    ($($table:ident = $name:literal, $block:literal);* $(;)?) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Table { $($table),* }

        impl Table {
            fn name(self) -> &'static str {
                match self { $(Table::$table => concat!("id:", $name)),* }
            }
            fn block(self) -> i64 {
                match self { $(Table::$table => $block),* }
            }
        }
    };
}

tables! {
    Isp = "isp", 1;
    Branch = "branch", 1;
    Staff = "staff", 1;
    ApiClient = "api_client", 1;
    Bandwidth = "bandwidth", 1;
    FupTemplate = "fup_template", 1;
    Pool = "pool", 1;
    Router = "router", 1;
    Plan = "plan", 1;
    Customer = "customer", 32;
    Service = "service", 32;
    Attribute = "attribute", 8;
    Period = "period", 64;
    Invoice = "invoice", 64;
    Payment = "payment", 64;
    Entry = "entry", 64;
    Session = "session", 1024;
    Reject = "reject", 256;
    Job = "job", 64;
    Message = "message", 64;
    Voucher = "voucher", 128;
    HotspotAccess = "hotspot_access", 64;
    ClientSecret = "client_secret", 1;
    Token = "token", 64;
    ApiRequest = "api_request", 1024;
    Webhook = "webhook", 1;
    Delivery = "delivery", 256;
    SmsMovement = "sms_movement", 8;
    Complaint = "complaint", 1;
    ComplaintComment = "complaint_comment", 1;
    Olt = "olt", 1;
    Onu = "onu", 8;
    Device = "device", 1;
    StatusCheck = "status_check", 1;
    AccessLog = "access_log", 64;
    VpnServer = "vpn_server", 1;
    VpnAccount = "vpn_account", 1;
    CardBatch = "card_batch", 1;
    RechargeCard = "recharge_card", 128;
    Country = "country", 1;
    Province = "province", 1;
    City = "city", 1;
    Area = "area", 1;
    Subarea = "subarea", 1;
    Department = "department", 1;
    Grace = "grace", 8;
    CollectionArea = "collection_area", 1;
    CollectionStreet = "collection_street", 1;
    Building = "building", 1;
    Collection = "collection", 8;
    CollectionRequest = "collection_request", 8;
    OverrideAttribute = "override_attribute", 8;
    RenewalOrder = "renewal_order", 8;
}

/// Blocks of ids in memory. Ids need no gaplessness: what a crash or a rolled-back change loses is lost.
#[derive(Clone, Default)]
pub struct Ids {
    blocks: Arc<Mutex<HashMap<Table, Block>>>,
}

#[derive(Clone, Copy, Default)]
struct Block {
    next: i64,
    end: i64,
    /// Nearly used up: the next change fetches a new one first.
    low: bool,
}

impl Ids {
    /// An id from memory, or, where the block is used up, one taken in this very transaction.
    pub(crate) async fn draw(&self, tx: &Tx, table: Table) -> Result<i64, Error> {
        {
            let mut blocks = self.blocks.lock();
            let block = blocks.entry(table).or_default();
            block.low = block.end - block.next <= table.block() / 2;
            if block.next < block.end {
                block.next += 1;
                return Ok(block.next - 1);
            }
        }
        Ok(counter::take(tx, IspId(0), table.name(), 1).await?)
    }

    /// `count` ids in a row; the first of them.
    pub(crate) async fn draw_run(&self, tx: &Tx, table: Table, count: i64) -> Result<i64, Error> {
        Ok(counter::take(tx, IspId(0), table.name(), count).await?)
    }

    /// Fetches new blocks for the tables that ran low. What is left of an old block is dropped.
    pub(crate) async fn refill(&self, db: &Db) -> Result<(), Error> {
        let low: Vec<Table> = {
            let mut blocks = self.blocks.lock();
            let low = blocks.iter_mut().filter_map(|(table, block)| std::mem::take(&mut block.low).then_some(*table));
            low.filter(|table| table.block() > 1).collect()
        };
        for table in low {
            let size = table.block();
            let first = db
                .tx(Class::Interactive, async move |tx| counter::take(tx, IspId(0), table.name(), size).await)
                .await?;
            self.blocks.lock().insert(table, Block { next: first, end: first + size, low: false });
        }
        Ok(())
    }
}
