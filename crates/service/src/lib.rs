//! Use cases: one function, one transaction. Check the right, load, ask `domain`, save, append events, commit.
//!
//! | chapter                                       | noun                                                                              |
//! |-----------------------------------------------|-----------------------------------------------------------------------------------|
//! | [`app`], [`change`], [`error`], [`actor`]     | what every use case stands on                                                     |
//! | [`clock`], [`ids`], [`vault`], [`guesses`]    | time, numbers, secrets, and how often one may guess                               |
//! | [`setup`], [`clients`], [`tokens`], [`zones`] | tenants, their credentials, and by which names clients know them                  |
//! | [`requests`], [`metering`]                    | what API clients asked, and how much they use                                     |
//! | [`staff`], [`operators`], `resellers`         | people who log in; resellers with their wallets and prices; whose sale it is      |
//! | [`salespeople`]                               | staff who sell: wallet, packages, prices of their own                             |
//! | [`plans`], [`routers`]                        | what is sold, and through what                                                    |
//! | [`customers`], [`profiles`], [`lines`]        | who buys, who that is beyond name and number, and their lines in lists            |
//! | [`subscribers`], [`dossiers`]                 | a customer and its line as one, to change; everything of it, to show              |
//! | [`locations`], [`places`]                     | where customers live; where collectors go                                         |
//! | [`recharge`], [`activation`], [`renewals`]    | the sale; with its bill; by itself from the wallet                                |
//! | [`renewal_orders`]                            | a renewal as staff word it: when, how long, at which part of the price            |
//! | [`standing`], [`moves`]                       | suspend and activate; to another plan, now or later                               |
//! | [`starts`], [`expiry`], [`grace`]             | lines that begin later; what happens when time is up, and how it is put off       |
//! | [`terms`], [`overrides`]                      | a line's own discount and quotas; what staff set on it by hand                    |
//! | [`bindings`], [`attributes`], [`exceptions`]  | a line's devices; its own RADIUS attributes; those of a vendor's override         |
//! | [`fup`]                                       | fair use: policies, what crosses them, what comes                                 |
//! | [`bulk`], [`import`]                          | many customers at once; customers from another system                             |
//! | [`bills`], [`payments`], [`ledger`]           | what is owed: issue, correct, pay, take back; what was paid; the books            |
//! | [`books`]                                     | the office's lists and figures: who owes, who paid, who took it                   |
//! | [`collections`], [`floats`]                   | money taken at the door; cash that staff hold until they hand it in               |
//! | [`vouchers`], [`redemption`], [`cards`]       | codes that log in, and their first use; codes that pay                            |
//! | [`portal`], [`access_check`]                  | what a subscriber does itself; its name and password checked                      |
//! | [`directory`], [`feed`]                       | what the RADIUS side keeps in memory, and the feed that keeps it                  |
//! | [`accounting`], [`sessions`]                  | sessions as routers report them; as they are looked at, and orders to single ones |
//! | [`network`]                                   | orders to the network: which sessions must follow a change                        |
//! | [`hotspot`], [`logs`], [`statistics`]         | the captive portal's log; what was seen; what the RADIUS ports have counted       |
//! | [`messages`], [`templates`], [`sms`]          | messages to send; by template; sent for clients                                   |
//! | [`complaints`]                                | what customers report                                                             |
//! | [`events`], [`webhooks`]                      | what happened; what other systems are told of it, and its queue                   |
//! | [`jobs`], [`schedule`]                        | background work as it is read; what recurs, and what is forgotten                 |
//! | [`plant`], [`line_plant`], [`vpn`]            | equipment; which of it a line hangs on; how it is reached                         |
//! | [`overview`], [`dashboard`]                   | the front page's facts; figures                                                   |
//! | [`why`], [`words`]                            | how a line stands, and the facts behind it; facts as people say them              |

pub mod access_check;
pub mod accounting;
pub mod activation;
pub mod actor;
pub mod app;
pub mod attributes;
pub mod bills;
pub mod bindings;
pub mod books;
pub mod bulk;
pub mod cards;
pub mod change;
pub mod clients;
pub mod clock;
pub mod collections;
pub mod complaints;
pub mod customers;
pub mod dashboard;
pub mod directory;
pub mod dossiers;
pub mod error;
pub mod events;
pub mod exceptions;
pub mod expiry;
pub mod feed;
pub mod floats;
pub mod fup;
pub mod gazetteer;
pub mod grace;
pub mod guesses;
pub mod hotspot;
pub mod ids;
pub mod import;
pub mod jobs;
pub mod ledger;
pub mod line_plant;
pub mod lines;
pub mod locations;
pub mod logs;
pub mod messages;
pub mod metering;
pub mod moves;
pub mod network;
pub mod operators;
pub mod overrides;
pub mod overview;
pub mod payments;
pub mod places;
pub mod plans;
pub mod plant;
pub mod portal;
pub mod profiles;
pub mod recharge;
pub mod redemption;
pub mod renewal_orders;
pub mod renewals;
pub mod requests;
mod resellers;
pub mod routers;
pub mod salespeople;
pub mod schedule;
pub mod sessions;
pub mod setup;
pub mod sms;
pub mod staff;
pub mod standing;
pub mod starts;
pub mod statistics;
pub mod subscribers;
pub mod templates;
pub mod terms;
pub mod tokens;
pub mod vault;
pub mod vouchers;
pub mod vpn;
pub mod webhooks;
pub mod why;
pub mod words;
pub mod zones;

pub use actor::{Actor, Who};
pub use app::App;
pub use change::Change;
pub use clock::Clock;
pub use error::{Error, FieldError, Why};
pub use vault::Vault;

pub use store::bill::Filter as BillFilter;
pub use store::complaint::{Complaint, Filter as ComplaintFilter};
pub use store::customer::{Customer, Filter, Order, Page, Standing};
pub use store::db::{Class, Db, Engine, Location, backup};
pub use store::hotspot::{Filter as HotspotFilter, Named as HotspotStep};
pub use store::invoice::{Invoice, InvoiceLine, Payment};
pub use store::isp::Isp;
pub use store::line::{Broad, Filter as LineFilter, Medium};
pub use store::message::Message;
pub use store::payment_detail::PaymentDetail;
pub use store::plan::{Bandwidth, Plan, PlanVersion, Pool};
pub use store::profile::Profile;
pub use store::router::Router;
pub use store::service::Service;
pub use store::session::Session;
pub use store::staff::{ApiClient, Staff};
pub use store::voucher::{Filter as VoucherFilter, Voucher};
pub use store::zone::Zone;
