//! Use cases: one function, one transaction. Check the right, load, ask `domain`, save, append events, commit.
//!
//! | chapter                                      | noun                                                              |
//! |----------------------------------------------|-------------------------------------------------------------------|
//! | [`app`], [`change`], [`error`], [`actor`]    | what every use case stands on                                     |
//! | [`setup`], [`clients`], [`tokens`]           | tenants and their credentials                                     |
//! | [`requests`]                                 | what API clients asked                                            |
//! | [`staff`], [`operators`]                     | people who log in; resellers with their wallets and prices        |
//! | [`plans`], [`routers`]                       | what is sold, and through what                                    |
//! | [`customers`], [`recharge`], [`standing`]    | who buys, the sale, suspend and activate                          |
//! | [`subscribers`], [`activation`], [`terms`]    | subscribers with everything known of them; activation with its bill |
//! | [`renewals`], [`locations`], [`portal`]      | renewal from the wallet; places and salespeople; subscribers' own   |
//! | [`lines`], [`plant`]                         | customers with their lines in lists; where a line comes in        |
//! | [`overrides`]                                | what staff set on one line by hand                                |
//! | [`bills`]                                    | what is owed: issue, correct, pay, take back                      |
//! | [`dossiers`], [`access_check`], [`profiles`]  | everything of a customer; its credentials checked; who it is      |
//! | [`moves`], [`exceptions`]                    | to another plan, now or later; attributes beside the plan's       |
//! | [`collections`], [`places`], [`zones`]       | money taken at the door, where that is; accounts' names           |
//! | [`templates`], [`statistics`]                | messages by template; what the RADIUS ports have counted          |
//! | [`bulk`]                                     | many customers at once                                            |
//! | [`import`]                                   | customers from another system                                     |
//! | [`vouchers`], [`cards`], [`payments`]        | prepaid codes, and what was paid                                  |
//! | [`floats`]                                   | cash that staff hold until they hand it in                        |
//! | [`hotspot`], [`messages`]                    | the captive portal's log, messages to send                        |
//! | [`expiry`], [`grace`]                        | what happens when time is up, and how it is put off               |
//! | [`expiry`]                                   | what happens when time is up                                      |
//! | [`fup`]                                      | fair use: policies, what crosses them, what comes                 |
//! | [`accounting`]                               | sessions and usage as the routers report them                     |
//! | [`directory`]                                | what the RADIUS side keeps in memory, and the feed that keeps it  |
//! | [`sessions`]                                 | sessions as they are looked at, and orders to single ones         |
//! | [`ledger`], [`events`], [`jobs`]             | the books, the feed, background work as they are read             |
//! | [`network`]                                  | orders to the network: which sessions must follow a change        |
//! | [`sms`], [`complaints`]                      | messages sent for clients, what customers report                  |
//! | [`webhooks`]                               | what other systems are told, and the queue of it                  |
//! | [`metering`]                               | what API clients use                                              |
//! | [`why`]                                    | how a line stands, and the facts behind it                        |
//! | [`words`]                                  | facts as people say them                                          |
//! | [`overview`]                                 | the front page's facts                                            |
//! | [`dashboard`], [`logs`]                      | figures, and what was seen                                        |
//! | [`plant`], [`vpn`]                           | equipment, and how it is reached                                  |

pub mod access_check;
pub mod accounting;
pub mod activation;
pub mod actor;
pub mod app;
pub mod attributes;
pub mod bills;
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
pub mod renewals;
pub mod requests;
mod resellers;
pub mod routers;
pub mod schedule;
pub mod sessions;
pub mod setup;
pub mod sms;
pub mod staff;
pub mod standing;
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
pub use store::plan::{Bandwidth, Plan, PlanVersion, Pool};
pub use store::profile::Profile;
pub use store::router::Router;
pub use store::service::Service;
pub use store::session::Session;
pub use store::staff::{ApiClient, Staff};
pub use store::voucher::{Filter as VoucherFilter, Voucher};
pub use store::zone::Zone;
