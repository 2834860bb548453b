//! Jaze ISP Manager's "Section E - Get user details API" and what its clients call beside it: HTTP Basic under `/api/v1`,
//! verbs as paths, forms or JSON in, PHP's arrays out.
//!
//! The table below is the document's, in its order, each row with the right it needs. `envelope` holds what all calls share: the caller with its account,
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
use domain::Scope::{
    self, BillingRead, BillingWrite, ClientsRead, ComplaintsRead, ComplaintsWrite, CustomersRead, CustomersWrite,
    NetworkRead, NetworkWrite, PlansRead, SmsSend, StaffRead,
};
use doors::{Credential, Dialect, Gate, Log, shell};
use service::App;

doors::routes! { RIGHTS: Scope;
    // E1–E9
    GET  "/api/v1/get_details/{userId}"                              => users::details,                CustomersRead;
    GET  "/api/v1/get_all"                                           => users::all,                    CustomersRead;
    GET  "/api/v1/get_users_by_date/{fromDate}/{toDate}"             => users::by_date,                CustomersRead;
    GET  "/api/v1/get_users_by_date/{fromDate}/{toDate}/{basedOn}"   => users::by_date,                CustomersRead;
    GET  "/api/v1/get_group_details"                                 => groups::details,               PlansRead;
    GET  "/api/v1/get_group_details/{groupId}"                       => groups::details,               PlansRead;
    GET  "/api/v1/get_all_user_ids"                                  => users::all_ids,                CustomersRead;
    POST "/api/v1/get_users_by_phone"                                => users::ids_by_phone,           CustomersRead;
    GET  "/api/v1/get_user_by_phone/{phone}"                         => users::by_phone,               CustomersRead;
    GET  "/api/v1/get_user_by_phone/{phone}/{status}"                => users::by_phone,               CustomersRead;
    GET  "/api/v1/get_user_by_username/{username}"                   => users::by_username,            CustomersRead;
    // E10–E14
    POST "/api/v1/move_group"                                        => groups::move_user,             CustomersWrite;
    GET  "/api/v1/get_user_password/{userId}"                        => accounts::password,            CustomersWrite;
    GET  "/api/v1/delete_user/{userId}"                              => accounts::delete,              CustomersWrite;
    GET  "/api/v1/delete_user/{userId}/{clear}"                      => accounts::delete,              CustomersWrite;
    GET  "/api/v1/get_user_from_all_accounts/{type}/{value}"         => users::from_all_accounts,      CustomersRead;
    POST "/api/v1/add_grace_period"                                  => accounts::grace,               CustomersWrite;
    // E15–E20
    POST "/api/v1/add_area"                                          => places::put_area,              CustomersWrite;
    POST "/api/v1/add_street"                                        => places::put_street,            CustomersWrite;
    POST "/api/v1/add_block"                                         => places::put_building,          CustomersWrite;
    GET  "/api/v1/get_all_areas"                                     => places::areas,                 CustomersRead;
    POST "/api/v1/get_all_streets"                                   => places::streets,               CustomersRead;
    GET  "/api/v1/get_all_streets"                                   => places::streets,               CustomersRead;
    POST "/api/v1/get_all_buildings"                                 => places::buildings,             CustomersRead;
    GET  "/api/v1/get_all_buildings"                                 => places::buildings,             CustomersRead;
    // E21–E27
    POST "/api/v1/get_collection_users_areawise"                     => collection::users,             BillingRead;
    POST "/api/v1/get_collection_approval_users"                     => collection::waiting,           BillingRead;
    POST "/api/v1/collection_approval"                               => collection::approve,           BillingWrite;
    POST "/api/v1/collection_disapproval"                            => collection::disapprove,        BillingWrite;
    POST "/api/v1/collect_user_payment"                              => collection::collect,           BillingWrite;
    GET  "/api/v1/get_logofftime_onlinestatus/{userId}"              => sessions::presence,            NetworkRead;
    POST "/api/v1/assign_users_to_admin"                             => collection::assign,            BillingWrite;
    // E28–E31
    POST "/api/v1/override_user_bandwidth"                           => overrides::bandwidth,          CustomersWrite;
    GET  "/api/v1/get_allowed_groups/{userId}"                       => groups::allowed,               PlansRead;
    POST "/api/v1/override_user_vendor_attributes"                   => overrides::attributes,         CustomersWrite;
    POST "/api/v1/coa_request"                                       => overrides::coa,                NetworkWrite;
    // E32–E41
    POST "/api/v1/send_sms_to_user"                                  => messages::sms,                 SmsSend;
    POST "/api/v1/send_email_to_user"                                => messages::email,               SmsSend;
    POST "/api/v1/release_ip_mac"                                    => accounts::release,             CustomersWrite;
    POST "/api/v1/get_renewal_details"                               => renewals::list,                BillingRead;
    GET  "/api/v1/get_radius_statistics/{type}"                      => statistics::of_port,           NetworkRead;
    GET  "/api/v1/get_users_count"                                   => accounts::count,               CustomersRead;
    GET  "/api/v1/get_users_count/{accountId}"                       => accounts::count,               CustomersRead;
    POST "/api/v1/recover_password"                                  => messages::recover,             CustomersWrite;
    GET  "/api/v1/payment_collection_request/{userId}"               => collection::request,           BillingWrite;
    GET  "/api/v1/payment_collection_request/{userId}/{change}"      => collection::request,           BillingWrite;
    GET  "/api/v1/get_user_logs/{userId}"                            => messages::logs,                CustomersRead;
    GET  "/api/v1/get_user_logs/{userId}/{type}"                     => messages::logs,                CustomersRead;
    GET  "/api/v1/get_basic_user_details"                            => users::basic,                  CustomersRead;
    // Sections A to X, as far as clients call them (docs/readings.md 5.2)
    POST "/api/v1/authenticate_user"                                 => people::authenticate,          CustomersRead;
    POST "/api/v1/authenticate_user_from_myaccounts"                 => people::authenticate_anywhere, CustomersRead;
    POST "/api/v1/add_user"                                          => people::add,                   CustomersWrite;
    POST "/api/v1/edit_user"                                         => people::edit,                  CustomersWrite;
    POST "/api/v1/block_unblock_user"                                => people::block,                 CustomersWrite;
    GET  "/api/v1/get_usersession_details/{userId}"                  => sessions::history,             NetworkRead;
    GET  "/api/v1/get_usersession_details/{userId}/{fromDate}/{toDate}" => sessions::history,             NetworkRead;
    POST "/api/v1/day_wise_data"                                     => sessions::by_day,              NetworkRead;
    GET  "/api/v1/get_active_usersession_details/{userId}"           => sessions::active,              NetworkRead;
    GET  "/api/v1/disconnect_user_sessions/{key}/{value}"            => sessions::disconnect,          NetworkWrite;
    GET  "/api/v1/get_fup_details/{userId}/{fromDate}/{toDate}"      => catalog::fair_use,             NetworkRead;
    GET  "/api/v1/get_fup_templates"                                 => catalog::templates,            PlansRead;
    POST "/api/v1/reset_password"                                    => accounts::reset_password,      CustomersWrite;
    POST "/api/v1/make_payment"                                      => payments::make_payment,        BillingWrite;
    GET  "/api/v1/get_all_payment_ids/{fromDate}/{toDate}"           => payments::ids,                 BillingRead;
    GET  "/api/v1/get_payment_details/{userId}"                      => payments::list,                BillingRead;
    GET  "/api/v1/get_payment_details_by_date/{fromDate}/{toDate}"   => payments::list,                BillingRead;
    GET  "/api/v1/get_payment_details_by_userid_and_date/{userId}/{fromDate}/{toDate}" => payments::list,                BillingRead;
    GET  "/api/v1/get_payment_details_by_paymentid/{paymentId}"      => payments::one,                 BillingRead;
    GET  "/api/v1/get_payment_receipt/{userId}/{paymentId}"          => payments::receipt,             BillingRead;
    POST "/api/v1/renew"                                             => renewals::renew,               BillingWrite;
    POST "/api/v1/renew_default_settings"                            => renewals::defaults,            BillingRead;
    GET  "/api/v1/get_invoice_details/{invoiceId}"                   => billing::invoice,              BillingRead;
    GET  "/api/v1/get_all_invoice_ids"                               => billing::invoice_ids,          BillingRead;
    GET  "/api/v1/get_all_invoice_ids/{fromDate}/{toDate}"           => billing::invoice_ids,          BillingRead;
    GET  "/api/v1/get_all_invoice_ids/{fromDate}/{toDate}/{status}"  => billing::invoice_ids,          BillingRead;
    GET  "/api/v1/get_all_invoices/{fromDate}/{toDate}"              => billing::invoices,             BillingRead;
    GET  "/api/v1/get_all_invoices_from_userid/{userId}"             => billing::invoices_of,          BillingRead;
    GET  "/api/v1/get_all_invoices_from_userid/{userId}/{status}"    => billing::invoices_of,          BillingRead;
    POST "/api/v1/raise_ticket"                                      => tickets::raise,                ComplaintsWrite;
    GET  "/api/v1/get_tickets/{userId}"                              => tickets::list,                 ComplaintsRead;
    GET  "/api/v1/get_tickets/{userId}/{status}"                     => tickets::list,                 ComplaintsRead;
    GET  "/api/v1/get_tickets/{userId}/{status}/{admin}"             => tickets::list,                 ComplaintsRead;
    GET  "/api/v1/get_account_details"                               => office::account,               CustomersRead;
    GET  "/api/v1/get_account_details/{accountId}"                   => office::account,               CustomersRead;
    GET  "/api/v1/get_sub_account_apis"                              => office::sub_accounts,          ClientsRead;
    GET  "/api/v1/get_all_admins"                                    => office::admins,                StaffRead;
    GET  "/api/v1/get_all_profile_ids"                               => catalog::profile_ids,          PlansRead;
    GET  "/api/v1/get_all_profile_ids/{visible}"                     => catalog::profile_ids,          PlansRead;
    GET  "/api/v1/get_profile_details/{profileId}"                   => catalog::profile,              PlansRead;
    GET  "/api/v1/get_bandwidth_details"                             => catalog::bandwidths,           PlansRead;
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
    let check = |table: Router| table.layer(from_fn_with_state(door, envelope::admit));
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
