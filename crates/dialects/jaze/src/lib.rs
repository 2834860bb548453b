//! Jaze ISP Manager's "Section E - Get user details API" and what its clients call beside it: HTTP Basic under `/api/v1`,
//! verbs as paths, forms or JSON in, PHP's arrays out.
//!
//! The tables below are the document's, in its order. `envelope` holds what all calls share: the caller with its account,
//! bodies, answers, failures. What the document leaves open is decided in docs/readings.md 7.4 and said where it is
//! done.

pub mod envelope;

mod accounts;
mod billing;
mod catalog;
mod collection;
mod groups;
mod messages;
mod office;
mod overrides;
mod payments;
mod people;
mod places;
mod renewals;
mod rows;
mod sessions;
mod statistics;
mod stream;
mod tickets;
mod users;

use axum::{Router, middleware::from_fn_with_state};
use domain::{Scope, Scopes};
use doors::{Credential, Dialect, Gate, Log, shell};
use service::App;

doors::routes! { App;
    // E1–E9
    GET  "/api/v1/get_details/{userId}"                              => users::details;
    GET  "/api/v1/get_all"                                           => users::all;
    GET  "/api/v1/get_users_by_date/{fromDate}/{toDate}"             => users::by_date;
    GET  "/api/v1/get_users_by_date/{fromDate}/{toDate}/{basedOn}"   => users::by_date;
    GET  "/api/v1/get_group_details"                                 => groups::details;
    GET  "/api/v1/get_group_details/{groupId}"                       => groups::details;
    GET  "/api/v1/get_all_user_ids"                                  => users::all_ids;
    POST "/api/v1/get_users_by_phone"                                => users::ids_by_phone;
    GET  "/api/v1/get_user_by_phone/{phone}"                         => users::by_phone;
    GET  "/api/v1/get_user_by_phone/{phone}/{status}"                => users::by_phone;
    GET  "/api/v1/get_user_by_username/{username}"                   => users::by_username;
    // E10–E14
    POST "/api/v1/move_group"                                        => groups::move_user;
    GET  "/api/v1/get_user_password/{userId}"                        => accounts::password;
    GET  "/api/v1/delete_user/{userId}"                              => accounts::delete;
    GET  "/api/v1/delete_user/{userId}/{clear}"                      => accounts::delete;
    GET  "/api/v1/get_user_from_all_accounts/{type}/{value}"         => users::from_all_accounts;
    POST "/api/v1/add_grace_period"                                  => accounts::grace;
    // E15–E20
    POST "/api/v1/add_area"                                          => places::put_area;
    POST "/api/v1/add_street"                                        => places::put_street;
    POST "/api/v1/add_block"                                         => places::put_building;
    GET  "/api/v1/get_all_areas"                                     => places::areas;
    POST "/api/v1/get_all_streets"                                   => places::streets;
    GET  "/api/v1/get_all_streets"                                   => places::streets;
    POST "/api/v1/get_all_buildings"                                 => places::buildings;
    GET  "/api/v1/get_all_buildings"                                 => places::buildings;
    // E21–E27
    POST "/api/v1/get_collection_users_areawise"                     => collection::users;
    POST "/api/v1/get_collection_approval_users"                     => collection::waiting;
    POST "/api/v1/collection_approval"                               => collection::approve;
    POST "/api/v1/collection_disapproval"                            => collection::disapprove;
    POST "/api/v1/collect_user_payment"                              => collection::collect;
    GET  "/api/v1/get_logofftime_onlinestatus/{userId}"              => sessions::presence;
    POST "/api/v1/assign_users_to_admin"                             => collection::assign;
    // E28–E31
    POST "/api/v1/override_user_bandwidth"                           => overrides::bandwidth;
    GET  "/api/v1/get_allowed_groups/{userId}"                       => groups::allowed;
    POST "/api/v1/override_user_vendor_attributes"                   => overrides::attributes;
    POST "/api/v1/coa_request"                                       => overrides::coa;
    // E32–E41
    POST "/api/v1/send_sms_to_user"                                  => messages::sms;
    POST "/api/v1/send_email_to_user"                                => messages::email;
    POST "/api/v1/release_ip_mac"                                    => accounts::release;
    POST "/api/v1/get_renewal_details"                               => renewals::list;
    GET  "/api/v1/get_radius_statistics/{type}"                      => statistics::of_port;
    GET  "/api/v1/get_users_count"                                   => accounts::count;
    GET  "/api/v1/get_users_count/{accountId}"                       => accounts::count;
    POST "/api/v1/recover_password"                                  => messages::recover;
    GET  "/api/v1/payment_collection_request/{userId}"               => collection::request;
    GET  "/api/v1/payment_collection_request/{userId}/{change}"      => collection::request;
    GET  "/api/v1/get_user_logs/{userId}"                            => messages::logs;
    GET  "/api/v1/get_user_logs/{userId}/{type}"                     => messages::logs;
    GET  "/api/v1/get_basic_user_details"                            => users::basic;
    // Sections A to X, as far as clients call them (docs/readings.md 5.2)
    POST "/api/v1/authenticate_user"                                 => people::authenticate;
    POST "/api/v1/authenticate_user_from_myaccounts"                 => people::authenticate_anywhere;
    POST "/api/v1/add_user"                                          => people::add;
    POST "/api/v1/edit_user"                                         => people::edit;
    POST "/api/v1/block_unblock_user"                                => people::block;
    GET  "/api/v1/get_usersession_details/{userId}"                  => sessions::history;
    GET  "/api/v1/get_usersession_details/{userId}/{fromDate}/{toDate}" => sessions::history;
    POST "/api/v1/day_wise_data"                                     => sessions::by_day;
    GET  "/api/v1/get_active_usersession_details/{userId}"           => sessions::active;
    GET  "/api/v1/disconnect_user_sessions/{key}/{value}"            => sessions::disconnect;
    GET  "/api/v1/get_fup_details/{userId}/{fromDate}/{toDate}"      => catalog::fair_use;
    GET  "/api/v1/get_fup_templates"                                 => catalog::templates;
    POST "/api/v1/reset_password"                                    => accounts::reset_password;
    POST "/api/v1/make_payment"                                      => payments::make_payment;
    GET  "/api/v1/get_all_payment_ids/{fromDate}/{toDate}"           => payments::ids;
    GET  "/api/v1/get_payment_details/{userId}"                      => payments::list;
    GET  "/api/v1/get_payment_details_by_date/{fromDate}/{toDate}"   => payments::list;
    GET  "/api/v1/get_payment_details_by_userid_and_date/{userId}/{fromDate}/{toDate}" => payments::list;
    GET  "/api/v1/get_payment_details_by_paymentid/{paymentId}"      => payments::one;
    GET  "/api/v1/get_payment_receipt/{userId}/{paymentId}"          => payments::receipt;
    POST "/api/v1/renew"                                             => renewals::renew;
    POST "/api/v1/renew_default_settings"                            => renewals::defaults;
    GET  "/api/v1/get_invoice_details/{invoiceId}"                   => billing::invoice;
    GET  "/api/v1/get_all_invoice_ids"                               => billing::invoice_ids;
    GET  "/api/v1/get_all_invoice_ids/{fromDate}/{toDate}"           => billing::invoice_ids;
    GET  "/api/v1/get_all_invoice_ids/{fromDate}/{toDate}/{status}"  => billing::invoice_ids;
    GET  "/api/v1/get_all_invoices/{fromDate}/{toDate}"              => billing::invoices;
    GET  "/api/v1/get_all_invoices_from_userid/{userId}"             => billing::invoices_of;
    GET  "/api/v1/get_all_invoices_from_userid/{userId}/{status}"    => billing::invoices_of;
    POST "/api/v1/raise_ticket"                                      => tickets::raise;
    GET  "/api/v1/get_tickets/{userId}"                              => tickets::list;
    GET  "/api/v1/get_tickets/{userId}/{status}"                     => tickets::list;
    GET  "/api/v1/get_tickets/{userId}/{status}/{admin}"             => tickets::list;
    GET  "/api/v1/get_account_details"                               => office::account;
    GET  "/api/v1/get_account_details/{accountId}"                   => office::account;
    GET  "/api/v1/get_sub_account_apis"                              => office::sub_accounts;
    GET  "/api/v1/get_all_admins"                                    => office::admins;
    GET  "/api/v1/get_all_profile_ids"                               => catalog::profile_ids;
    GET  "/api/v1/get_all_profile_ids/{visible}"                     => catalog::profile_ids;
    GET  "/api/v1/get_profile_details/{profileId}"                   => catalog::profile;
    GET  "/api/v1/get_bandwidth_details"                             => catalog::bandwidths;
}

/// Which right each handler needs; a call that stands nowhere here is refused to everybody but full credentials.
#[rustfmt::skip]
const RIGHTS: &[(Scope, &[&str])] = &[
    (Scope::CustomersRead, &[
        "users::details", "users::all", "users::by_date", "users::all_ids", "users::ids_by_phone", "users::by_phone",
        "users::by_username", "users::from_all_accounts", "users::basic", "accounts::count", "office::account", "places::areas",
        "places::streets", "places::buildings", "people::authenticate", "people::authenticate_anywhere", "messages::logs",
    ]),
    (Scope::CustomersWrite, &[
        "groups::move_user", "accounts::password", "accounts::reset_password", "accounts::delete", "accounts::grace", "accounts::release",
        "places::put_area", "places::put_street", "places::put_building", "people::add", "people::edit", "people::block",
        "overrides::bandwidth", "overrides::attributes", "messages::recover",
    ]),
    (Scope::PlansRead, &[
        "groups::details", "groups::allowed", "catalog::templates", "catalog::profile_ids", "catalog::profile",
        "catalog::bandwidths",
    ]),
    (Scope::BillingRead, &[
        "renewals::list", "collection::users", "collection::waiting", "billing::invoice", "billing::invoice_ids",
        "billing::invoices", "billing::invoices_of", "payments::ids", "payments::list", "payments::one",
        "payments::receipt", "renewals::defaults",
    ]),
    (Scope::BillingWrite, &[
        "collection::approve", "collection::disapprove", "collection::collect", "collection::assign",
        "collection::request", "payments::make_payment", "renewals::renew",
    ]),
    (Scope::NetworkRead, &["sessions::presence", "sessions::history", "sessions::active", "sessions::by_day", "catalog::fair_use", "statistics::of_port"]),
    (Scope::StaffRead, &["office::admins"]),
    (Scope::ClientsRead, &["office::sub_accounts"]),
    (Scope::NetworkWrite, &["overrides::coa", "sessions::disconnect"]),
    (Scope::SmsSend, &["messages::sms", "messages::email"]),
    (Scope::ComplaintsRead, &["tickets::list"]),
    (Scope::ComplaintsWrite, &["tickets::raise"]),
];

/// Whether a credential may call the handler of this name.
fn may(scopes: Scopes, name: &str) -> bool {
    match RIGHTS.iter().find(|(_, names)| names.contains(&name)) {
        Some((scope, _)) => scopes.has(*scope),
        None => scopes == Scopes::ALL,
    }
}

/// The dialect's name in credentials, metrics and as its prefix.
pub const NAME: &str = "jaze";

/// How this dialect reads a path: slashes at its end, or too many of them, mean nothing, nor does a space that the
/// document prints before a name.
pub fn path(given: &str) -> String {
    let parts = given.split('/').map(|part| part.trim_start_matches("%20")).filter(|part| !part.is_empty());
    parts.fold(String::new(), |path, part| path + "/" + part)
}

/// The whole dialect as a router; `gate` counts its clients' requests, `log` keeps them.
pub fn router(app: App, gate: Gate, log: Log) -> Router {
    let door = envelope::Door { app: app.clone(), gate };
    let check = from_fn_with_state(door, envelope::admit);
    shell::close(table().with_state(app.clone()), NAME, app.clock, log, envelope::speak, check)
}

/// The dialect as `doors::Dispatch` registers it.
pub fn dialect(app: App, gate: Gate, log: Log) -> Dialect {
    Dialect { name: NAME, credential: Credential::Basic, routes: ROUTES, router: router(app, gate, log) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_a_right() {
        for route in ROUTES {
            let rights = RIGHTS.iter().filter(|(_, names)| names.contains(&route.name)).count();
            assert_eq!(rights, 1, "{}", route.name);
        }
    }

    #[test]
    fn paths_are_read_leniently() {
        for (given, read) in [
            ("/api/v1/get_all/", "/api/v1/get_all"),
            ("/api/v1//get_all_invoice_ids///", "/api/v1/get_all_invoice_ids"),
            ("/api/v1/%20get_all_streets", "/api/v1/get_all_streets"),
            ("/api/v1/get_user_by_username/a%2Fb", "/api/v1/get_user_by_username/a%2Fb"),
        ] {
            assert_eq!(path(given), read);
        }
    }
}
