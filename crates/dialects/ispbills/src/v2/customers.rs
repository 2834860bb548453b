//! Customers: who buys, what belongs to one of them, where they live, why a line stands as it does.

pub(crate) mod account;
#[allow(clippy::module_inception)]
pub(crate) mod customers;
pub(crate) mod places;
pub(crate) mod subscriptions;
pub(crate) mod why;

doors::operations! {
    GET    "/api/v2/customers"      => customers::list,   customers::LIST;
    POST   "/api/v2/customers"      => customers::create, customers::CREATE;
    GET    "/api/v2/customers/{id}" => customers::show,   customers::SHOW;
    PUT    "/api/v2/customers/{id}" => customers::update, customers::UPDATE;
    DELETE "/api/v2/customers/{id}" => customers::delete, customers::DELETE;

    GET "/api/v2/customers/{id}/bills"         => account::bills,         account::BILLS;
    GET "/api/v2/customers/{id}/payments"      => account::payments,      account::PAYMENTS;
    GET "/api/v2/customers/{id}/subscriptions" => account::subscriptions, account::SUBSCRIPTIONS;
    GET "/api/v2/customers/{id}/usage"         => account::usage,         account::USAGE;

    GET "/api/v2/billing/subscriptions" => subscriptions::list, subscriptions::LIST.home();

    GET    "/api/v2/places/{level}"      => places::list,   places::LIST.home();
    POST   "/api/v2/places/{level}"      => places::create, places::CREATE.home();
    GET    "/api/v2/places/{level}/{id}" => places::show,   places::SHOW.home();
    PUT    "/api/v2/places/{level}/{id}" => places::update, places::UPDATE.home();
    DELETE "/api/v2/places/{level}/{id}" => places::delete, places::DELETE.home();

    GET "/api/v2/customers/{id}/why" => why::show, why::SHOW.home();
}
