//! Who sells on an account: operators and salespeople, their prices and wallets.

pub(crate) mod operators;
pub(crate) mod salespeople;

doors::operations! {
    GET    "/api/v2/operators"               => operators::list,      operators::LIST.home();
    POST   "/api/v2/operators"               => operators::create,    operators::CREATE.home();
    GET    "/api/v2/operators/{id}"          => operators::show,      operators::SHOW.home();
    PUT    "/api/v2/operators/{id}"          => operators::update,    operators::UPDATE.home();
    DELETE "/api/v2/operators/{id}"          => operators::delete,    operators::DELETE.home();
    POST   "/api/v2/operators/{id}/suspend"  => operators::suspend,   operators::SUSPEND.home();
    POST   "/api/v2/operators/{id}/activate" => operators::activate,  operators::ACTIVATE.home();
    POST   "/api/v2/operators/{id}/fund"     => operators::fund,      operators::FUND.home();
    GET    "/api/v2/operators/{id}/ledger"   => operators::ledger,    operators::LEDGER.home();
    GET    "/api/v2/operators/{id}/prices"   => operators::prices,    operators::PRICES.home();
    PUT    "/api/v2/operators/{id}/prices"   => operators::set_price, operators::SET_PRICE.home();

    GET  "/api/v2/staff/{id}/packages" => salespeople::packages,  salespeople::PACKAGES.home();
    PUT  "/api/v2/staff/{id}/packages" => salespeople::assign,    salespeople::ASSIGN.home();
    PUT  "/api/v2/staff/{id}/prices"   => salespeople::set_price, salespeople::SET_PRICE.home();
    POST "/api/v2/staff/{id}/fund"     => salespeople::fund,      salespeople::FUND.home();
    GET  "/api/v2/staff/{id}/ledger"   => salespeople::ledger,    salespeople::LEDGER.home();
}
