//! Use cases: one function, one transaction. Check the right, load, ask `domain`, save, say what happened, commit.
//!
//! Rooms by subject, the same in `domain`, `service` and `store`; a room uses those below it and none beside it.
//!
//! | room                                   | what lives there                                                                             |
//! |----------------------------------------|----------------------------------------------------------------------------------------------|
//! | [`reports`]                            | figures, the office's lists, and why a line stands as it does                                |
//! | [`webhooks`]                           | what other systems are told, and its queue                                                   |
//! | [`helpdesk`]                           | what customers report                                                                        |
//! | [`messages`]                           | what people are told                                                                         |
//! | [`customers`]                          | who buys: create, change, read, import; where they live; what they do themselves             |
//! | [`sales`]                              | what changes what a line has, for money or time                                              |
//! | [`billing`]                            | invoices, payments, the books: money alone, no line's state                                  |
//! | [`access`], [`resellers`]              | routers, sessions, orders to the network, fair use; whose sale it is                         |
//! | [`catalogue`], [`plant`]               | what is sold; equipment and what a line hangs on                                             |
//! | [`identity`]                           | tenants, staff, branches, API clients                                                        |
//! | [`kernel`]                             | the application, who acts, one change with its events and jobs, the clock, secrets, limits   |

pub mod access;
pub mod billing;
pub mod catalogue;
pub mod customers;
pub mod helpdesk;
pub mod identity;
pub mod kernel;
pub mod messages;
pub mod plant;
pub mod receivables;
pub mod reports;
pub mod resellers;
pub mod sales;
pub mod webhooks;

pub use kernel::actor::{Actor, Who};
pub use kernel::app::App;
pub use kernel::change::Change;
pub use kernel::clock::Clock;
pub use kernel::error::{Error, FieldError, Why};
pub use kernel::expected::{Expected, Items};
pub use kernel::facts::Fact;
pub use kernel::nouns::{By, What};
pub use kernel::refusals::Refusal;
pub use kernel::vault::Vault;

pub use store::access::hotspot::{Filter as HotspotFilter, Named as HotspotStep};
pub use store::access::router::Router;
pub use store::access::session::Session;
pub use store::billing::bill::Filter as BillFilter;
pub use store::billing::invoice::{Invoice, InvoiceLine, Payment};
pub use store::billing::payment_detail::PaymentDetail;
pub use store::catalogue::plan::{Bandwidth, Plan, PlanVersion, Pool};
pub use store::customers::line::{Broad, Filter as LineFilter, Medium};
pub use store::db::{Class, Db, Engine, Location, backup};
pub use store::helpdesk::complaint::{Complaint, Filter as ComplaintFilter};
pub use store::identity::branch::Zone;
pub use store::identity::isp::Isp;
pub use store::identity::staff::{ApiClient, Staff};
pub use store::kernel::migrate::newest_schema;
pub use store::messages::message::Message;
pub use store::people::customer::{Customer, Filter, Order, Page, Standing};
pub use store::people::profile::Profile;
pub use store::people::service::Service;
pub use store::sales::voucher::{Filter as VoucherFilter, Voucher};
