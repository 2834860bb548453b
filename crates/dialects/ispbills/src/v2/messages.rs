//! What is told: SMS to people, webhooks to programs.

pub(crate) mod sms;
pub(crate) mod webhooks;

doors::operations! {
    GET  "/api/v2/sms/balance"             => sms::balance,      sms::BALANCE;
    POST "/api/v2/sms/send"                => sms::send,         sms::SEND;
    POST "/api/v2/sms/broadcast"           => sms::broadcast,    sms::BROADCAST;
    POST "/api/v2/sms/broadcast/customers" => sms::broadcast_to, sms::BROADCAST_TO.home();
    GET  "/api/v2/sms/history"             => sms::history,      sms::HISTORY.home();
    POST "/api/v2/sms/credits"             => sms::top_up,       sms::TOP_UP.home();

    GET    "/api/v2/webhooks"                                   => webhooks::list,       webhooks::LIST;
    POST   "/api/v2/webhooks"                                   => webhooks::create,     webhooks::CREATE;
    PUT    "/api/v2/webhooks/{id}"                              => webhooks::update,     webhooks::UPDATE;
    DELETE "/api/v2/webhooks/{id}"                              => webhooks::delete,     webhooks::DELETE;
    GET    "/api/v2/webhooks/events"                            => webhooks::events,     webhooks::EVENTS.home();
    GET    "/api/v2/webhooks/{id}"                              => webhooks::show,       webhooks::SHOW.home();
    POST   "/api/v2/webhooks/{id}/rotate"                       => webhooks::rotate,     webhooks::ROTATE.home();
    POST   "/api/v2/webhooks/{id}/test"                         => webhooks::test,       webhooks::TEST.home();
    GET    "/api/v2/webhooks/{id}/deliveries"                   => webhooks::deliveries, webhooks::DELIVERIES.home();
    POST   "/api/v2/webhooks/{id}/deliveries/{delivery}/replay" => webhooks::replay,     webhooks::REPLAY.home();
}
