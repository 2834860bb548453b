//! Dashboards, the feed of events, background work.

pub(crate) mod dashboard;
pub(crate) mod events;
pub(crate) mod jobs;

doors::operations! {
    GET "/api/v2/events" => events::list, events::LIST.home();

    GET  "/api/v2/jobs"            => jobs::list,  jobs::LIST.home();
    GET  "/api/v2/jobs/{id}"       => jobs::show,  jobs::SHOW.home();
    POST "/api/v2/jobs/{id}/retry" => jobs::retry, jobs::RETRY.home();

    GET "/api/v2/dashboard"     => dashboard::business, dashboard::BUSINESS.home();
    GET "/api/v2/noc/dashboard" => dashboard::noc,      dashboard::NOC.home();
}
