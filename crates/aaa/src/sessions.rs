//! Accounting: verified requests are gathered into batches of at most 256 or 3 ms, written in one transaction per tenant,
//! and answered after the commit. What cannot be written is not answered: its NAS repeats it.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use domain::{
    Instant, IspId, Kind, RouterId, ServiceId,
    access::usage::{self, Octets, ReportKind},
};
use radius::{
    Packet,
    attribute::{self, acct_status},
    server::{AcctRequest, Queue, Responder},
};
use service::{
    App, Error,
    access::accounting::{self, Report},
    customers::vouchers::redeem,
    sales::redemption::{self, FirstUse},
};
use tokio::sync::watch;

use crate::{
    Directory, desk,
    directory::{Network, Seldom},
    reply,
    vouchers::{self, Right},
};

const BATCH: usize = 256;
const LINGER: Duration = Duration::from_millis(3);
/// How often the sessions of silent routers are looked for.
const SILENT_EVERY: Duration = Duration::from_secs(60);

/// The accounting port's way in: silent, and dead to Status-Server, until the directory is loaded.
pub struct Inbox {
    pub queue: Arc<Queue>,
    pub directory: Arc<Directory>,
}

impl radius::server::Inbox for Inbox {
    fn deliver(&self, request: AcctRequest) -> usize {
        self.queue.deliver(request)
    }

    fn is_ready(&self) -> bool {
        self.directory.is_ready()
    }
}

/// Starts the writer's thread. It ends when the queue is closed and empty.
pub fn start(
    app: App,
    directory: Arc<Directory>,
    queue: Arc<Queue>,
    strip_realm: bool,
) -> io::Result<std::thread::JoinHandle<()>> {
    let reactor = tokio::runtime::Handle::current();
    std::thread::Builder::new().name("radius-sessions".into()).spawn(move || {
        let seldom = Seldom::new(&directory);
        let mut writer = Writer { seldom, app, directory, strip_realm, responder: Responder::new() };
        let mut batch = Vec::with_capacity(BATCH);
        while queue.take(BATCH, Duration::from_millis(200), LINGER, &mut batch) {
            if batch.is_empty() {
                continue;
            }
            reactor.block_on(writer.write(&batch));
            // Requests dropped unanswered are forgotten by the duplicate cache: their repetition is taken anew.
            batch.clear();
        }
    })
}

struct Writer {
    app: App,
    directory: Arc<Directory>,
    seldom: Seldom,
    strip_realm: bool,
    responder: Responder,
}

/// What a packet says.
enum Said {
    Report(Box<Report>),
    /// Accounting-On or -Off.
    Restarted {
        isp: IspId,
        router: RouterId,
        at: Instant,
    },
    /// Nothing to record: answered as it is.
    Nothing,
    /// Not understood: not answered.
    Nonsense,
}

impl Writer {
    async fn write(&mut self, batch: &[AcctRequest]) {
        let network = self.seldom.get(&self.directory).clone();
        let mut turned_away = Vec::new();
        for request in batch {
            let Some((first, right)) = self.claimed(&network, request) else { continue };
            match right {
                Right::Holds(_) => {}
                Right::Used => turned_away.push(first),
                // Its Accept's use could not be written, or was lost with the process that gave it.
                Right::Reserved(..) | Right::Free(_) => {
                    if let Err(error) = redeem(&self.app, first.clone()).await {
                        tracing::warn!(%error, "a voucher's use cannot be written");
                        turned_away.extend(redemption::is_refusal(&error).then_some(first));
                    }
                }
            }
        }
        let said: Vec<Said> = batch.iter().map(|request| self.read(&network, request)).collect();
        // A restart ends what came before it and nothing that comes after: the order of arrival is kept.
        let mut from = 0;
        while from < batch.len() {
            let until = said[from..].iter().position(|said| matches!(said, Said::Restarted { .. }));
            let until = until.map_or(batch.len(), |at| from + at);
            self.record(&batch[from..until], &said[from..until]).await;
            if let Some(Said::Restarted { isp, router, at }) = said.get(until) {
                match accounting::router_restarted(&self.app, *isp, *router, *at).await {
                    Ok(recorded) => {
                        follow(&self.app, *isp, self.directory.apply(&recorded)).await;
                        self.responder.answer(&batch[until]);
                    }
                    Err(error) => tracing::warn!(%error, "a router's restart cannot be recorded yet"),
                }
            }
            from = until + 1;
        }
        // Their sessions are known now.
        for first in turned_away {
            if let Err(error) = redemption::turn_away(&self.app, &first).await {
                tracing::warn!(%error, "a session without a voucher is left until its next report");
            }
        }
    }

    /// Records the reports of one stretch, tenant by tenant at the same time: they share a commit where they can.
    async fn record(&mut self, batch: &[AcctRequest], said: &[Said]) {
        let mut tenants: Vec<(IspId, Vec<Report>, Vec<usize>)> = Vec::new();
        let mut nothing = Vec::new();
        for (at, said) in said.iter().enumerate() {
            match said {
                Said::Report(report) => match tenants.iter_mut().find(|(isp, ..)| *isp == report.isp) {
                    Some((_, reports, places)) => {
                        reports.push(Report::clone(report));
                        places.push(at);
                    }
                    None => tenants.push((report.isp, vec![Report::clone(report)], vec![at])),
                },
                Said::Nothing => nothing.push(at),
                Said::Restarted { .. } | Said::Nonsense => {}
            }
        }
        nothing.into_iter().for_each(|at| self.responder.answer(&batch[at]));
        let mut running = tokio::task::JoinSet::new();
        for (isp, reports, places) in tenants {
            let (app, directory) = (self.app.clone(), self.directory.clone());
            running.spawn(async move { (record(&app, &directory, isp, reports).await, places) });
        }
        while let Some(done) = running.join_next().await {
            let Ok((written, places)) = done else { continue };
            for (place, written) in places.into_iter().zip(written) {
                if written {
                    self.responder.answer(&batch[place]);
                }
            }
        }
    }

    /// The use of a voucher that the report of a running session tells of, and what its device may have of the code; only
    /// where no line has the name.
    fn claimed(&self, network: &Network, request: &AcctRequest) -> Option<(FirstUse, Right)> {
        let packet = request.packet();
        let router = network.routers.get(&RouterId(request.client.id as i64))?;
        let name = packet.find(attribute::USER_NAME)?;
        if self.directory.vouchers.is_empty()
            || desk::find(&self.directory, router.isp, name, self.strip_realm).is_some()
        {
            return None;
        }
        let (key, _) = self.directory.vouchers.find(router.isp, name, self.strip_realm)?;
        let login = desk::login_of(&packet, router);
        let client = vouchers::client(&packet, login.mac, &key);
        let first = vouchers::first_use(router.isp, (&key, name), &client, login.mac, router.id);
        let now = self.directory.now();
        let right = self.directory.vouchers.right_of(&first, now, |line| self.directory.has_ended(line, now))?;
        // Who does not say which device it is may be the one that holds it; what has stopped needs no end.
        let stays = packet.u32(attribute::ACCT_STATUS_TYPE) != Some(acct_status::STOP) && login.mac.is_some();
        (right != Right::Used || stays).then_some((first, right))
    }

    fn read(&self, network: &Network, request: &AcctRequest) -> Said {
        let packet = request.packet();
        let Some(router) = network.routers.get(&RouterId(request.client.id as i64)) else { return Said::Nonsense };
        let received = Instant((request.received_ns / 1000) as i64);
        // With a clock moved by hand the kernel's time of receipt means nothing.
        let received = match self.app.clock {
            service::Clock::System => received,
            service::Clock::Manual(_) => self.app.clock.now(),
        };
        let at = usage::happened_at(
            received,
            packet.u32(attribute::EVENT_TIMESTAMP),
            packet.u32(attribute::ACCT_DELAY_TIME),
        );
        let kind = match packet.u32(attribute::ACCT_STATUS_TYPE) {
            Some(acct_status::START) => ReportKind::Start,
            Some(acct_status::INTERIM) => ReportKind::Interim,
            Some(acct_status::STOP) => ReportKind::Stop,
            Some(acct_status::ON | acct_status::OFF) => {
                return Said::Restarted { isp: router.isp, router: router.id, at };
            }
            Some(_) => return Said::Nothing,
            None => return Said::Nonsense,
        };
        let Some(session) = packet.find(attribute::ACCT_SESSION_ID).map(session_id) else { return Said::Nonsense };
        let name = packet.find(attribute::USER_NAME).unwrap_or_default();
        let login = desk::login_of(&packet, router);
        let class = packet.find(attribute::CLASS).and_then(reply::read_class);
        // Whom the Accept was for, whatever the line is called by now; else the name, else a voucher's.
        let entry = class.and_then(|(id, _)| self.directory.service(id)).filter(|entry| entry.isp == router.isp);
        let entry = entry.or_else(|| desk::find(&self.directory, router.isp, name, self.strip_realm)).or_else(|| {
            let (key, _) = self.directory.vouchers.find(router.isp, name, self.strip_realm)?;
            let client = vouchers::client(&packet, login.mac, &key);
            let line = self.directory.vouchers.line(router.isp, name, self.strip_realm, &client)?;
            self.directory.service(line)
        });
        let mut restricted = class.is_some_and(|(_, restricted)| restricted);
        let (mut service, mut line_kbps, mut told_interval_s, mut hotspot) = (None, None, None, false);
        let (mut metered, mut used_before) = (None, false);
        if let Some(entry) = &entry {
            (line_kbps, told_interval_s, metered) = self.directory.line(network, entry);
            let state = entry.state.lock();
            service = Some((entry.service, state.customer));
            (hotspot, used_before) = (state.kind == Kind::Hotspot, state.used_before);
            if class.is_none() {
                // A NAS that does not return Class: its place at the desk remembers.
                let place = state.reserved.iter().find(|place| place.mac == login.mac && place.port == login.port);
                restricted = place.is_some_and(|place| place.restricted);
            }
        }
        Said::Report(Box::new(Report {
            isp: router.isp,
            router: router.id,
            acct_session_id: session,
            username: desk::shown(name),
            nas_port: packet.u32(attribute::NAS_PORT),
            mac: login.mac,
            address: address(&packet),
            source: request.source.to_string(),
            usage: usage::Report {
                kind,
                session_time_s: packet.u32(attribute::ACCT_SESSION_TIME).unwrap_or(0),
                up: octets(&packet, attribute::ACCT_INPUT_OCTETS, attribute::ACCT_INPUT_GIGAWORDS),
                down: octets(&packet, attribute::ACCT_OUTPUT_OCTETS, attribute::ACCT_OUTPUT_GIGAWORDS),
                at,
            },
            received,
            end_cause: (kind == ReportKind::Stop).then(|| end_cause(packet.u32(attribute::ACCT_TERMINATE_CAUSE))),
            service,
            line_kbps,
            told_interval_s,
            restricted,
            hotspot,
            used_before,
            metered,
        }))
    }
}

/// Which of the reports are durable now. A batch that fails for a reason of its own is taken apart, so that one bad
/// report does not hold up the others.
async fn record(app: &App, directory: &Directory, isp: IspId, reports: Vec<Report>) -> Vec<bool> {
    match accounting::record(app, isp, reports.clone()).await {
        Ok(recorded) => {
            follow(app, isp, directory.apply(&recorded)).await;
            return vec![true; reports.len()];
        }
        Err(error @ (Error::Unavailable | Error::Busy)) => {
            tracing::warn!(%error, reports = reports.len(), "accounting waits for the database");
            return vec![false; reports.len()];
        }
        Err(error) => tracing::warn!(%error, "a batch of accounting failed; taking it apart"),
    }
    let mut written = Vec::with_capacity(reports.len());
    for report in reports {
        match accounting::record(app, isp, vec![report.clone()]).await {
            Ok(recorded) => {
                follow(app, isp, directory.apply(&recorded)).await;
                written.push(true);
            }
            Err(error) => {
                tracing::error!(%error, session = report.acct_session_id, "a report cannot be recorded");
                written.push(false);
            }
        }
    }
    written
}

/// Sessions let in before a change, whose Start came after it, or who outstayed their order to go.
async fn follow(app: &App, isp: IspId, behind: Vec<ServiceId>) {
    if behind.is_empty() {
        return;
    }
    if let Err(error) = service::access::orders::follow(app, isp, behind).await {
        tracing::warn!(%error, "sessions that are out of date are left until their next report");
    }
}

/// Text where it is text, else in hex: an id is compared, never read.
fn session_id(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if !text.contains('\0') => text.into(),
        _ => service::kernel::vault::hex(value),
    }
}

fn address(packet: &Packet<'_>) -> Option<String> {
    let v4 = packet.ipv4(attribute::FRAMED_IP_ADDRESS).map(IpAddr::V4);
    let v6 = packet.ipv6(attribute::FRAMED_IPV6_ADDRESS).map(IpAddr::V6);
    match v4.or(v6) {
        Some(address) => Some(address.to_string()),
        None => packet.prefix(attribute::FRAMED_IPV6_PREFIX).map(|(address, bits)| format!("{address}/{bits}")),
    }
}

fn octets(packet: &Packet<'_>, low: u8, gigawords: u8) -> Octets {
    Octets { low: packet.u32(low).unwrap_or(0), gigawords: packet.u32(gigawords) }
}

/// Acct-Terminate-Cause (RFC 2866 §5.10) in a word.
fn end_cause(cause: Option<u32>) -> &'static str {
    match cause {
        Some(1) => "user_request",
        Some(2) => "lost_carrier",
        Some(3) => "lost_service",
        Some(4) => "idle_timeout",
        Some(5) => "session_timeout",
        Some(6) => "admin_reset",
        Some(7) => "admin_reboot",
        Some(8) => "port_error",
        Some(9) => "nas_error",
        Some(10) => "nas_request",
        Some(11) => "nas_reboot",
        Some(12) => "port_unneeded",
        Some(13) => "port_preempted",
        Some(14) => "port_suspended",
        Some(15) => "service_unavailable",
        Some(16) => "callback",
        Some(17) => "user_error",
        Some(18) => "host_request",
        Some(_) | None => "stop",
    }
}

/// Closes silent sessions once a minute.
pub async fn close_silent(app: App, directory: Arc<Directory>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(SILENT_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = ticks.tick() => {}
        }
        match accounting::close_silent(&app).await {
            Ok(recorded) => drop(directory.apply(&recorded)),
            Err(error) => tracing::warn!(%error, "silent sessions cannot be closed yet"),
        }
    }
}
