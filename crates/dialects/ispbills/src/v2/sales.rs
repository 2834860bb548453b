//! What sells a period: a recharge, recharge cards, vouchers.

pub(crate) mod recharge;
pub(crate) mod recharge_cards;
pub(crate) mod vouchers;

doors::operations! {
    POST "/api/v2/customers/{id}/recharge" => recharge::recharge, recharge::RECHARGE.home();

    GET    "/api/v2/vouchers"        => vouchers::list,     vouchers::LIST.home();
    POST   "/api/v2/vouchers"        => vouchers::generate, vouchers::GENERATE.home();
    POST   "/api/v2/vouchers/redeem" => vouchers::redeem,   vouchers::REDEEM.home();
    GET    "/api/v2/vouchers/{id}"   => vouchers::show,     vouchers::SHOW.home();
    DELETE "/api/v2/vouchers/{id}"   => vouchers::delete,   vouchers::DELETE.home();

    GET  "/api/v2/recharge-cards"         => recharge_cards::list,     recharge_cards::LIST.home();
    POST "/api/v2/recharge-cards"         => recharge_cards::generate, recharge_cards::GENERATE.home();
    POST "/api/v2/recharge-cards/issue"   => recharge_cards::issue,    recharge_cards::ISSUE.home();
    POST "/api/v2/recharge-cards/redeem"  => recharge_cards::redeem,   recharge_cards::REDEEM.home();
    GET  "/api/v2/recharge-cards/batches" => recharge_cards::batches,  recharge_cards::BATCHES.home();
    GET  "/api/v2/recharge-cards/{id}"    => recharge_cards::show,     recharge_cards::SHOW.home();
}
