//! Money: bills, payments, the ledger.

pub(crate) mod bills;
pub(crate) mod ledger;
pub(crate) mod payments;

doors::operations! {
    GET    "/api/v2/billing/bills"      => bills::list,   bills::LIST;
    POST   "/api/v2/billing/bills"      => bills::create, bills::CREATE;
    GET    "/api/v2/billing/bills/{id}" => bills::show,   bills::SHOW;
    PUT    "/api/v2/billing/bills/{id}" => bills::update, bills::UPDATE;
    DELETE "/api/v2/billing/bills/{id}" => bills::delete, bills::DELETE;

    GET  "/api/v2/billing/payments"      => payments::list,   payments::LIST;
    POST "/api/v2/billing/payments"      => payments::create, payments::CREATE.home();
    GET  "/api/v2/billing/payments/{id}" => payments::show,   payments::SHOW.home();

    GET "/api/v2/ledger/accounts" => ledger::accounts, ledger::ACCOUNTS.home();
    GET "/api/v2/ledger/entries"  => ledger::entries,  ledger::ENTRIES.home();
}
