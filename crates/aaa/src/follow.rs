//! Loads the directory and follows the event feed: this process's own commits at once, other nodes' within half a
//! second. With the database away it keeps what it has and tries again.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{BandwidthId, FupTemplateId, IspId, ServiceId, kernel::event::Subject};
use service::{App, Error, Fact, access::directory, kernel::events::Event, sales::redemption};
use tokio::sync::watch;

use crate::Directory;

/// How often other nodes' events are looked for.
const POLL: Duration = Duration::from_millis(300);
const RETRY: Duration = Duration::from_millis(500);
const PAGE: i64 = 5000;
const EVENTS: i64 = 2000;
const VOUCHERS: usize = 500;

pub async fn run(app: App, directory: Arc<Directory>, mut stopped: watch::Receiver<bool>) {
    let mut applied = loop {
        match load(&app, &directory).await {
            Ok(applied) => break applied,
            Err(error) => tracing::warn!(%error, "the directory cannot be loaded yet"),
        }
        if stopped_within(&mut stopped, RETRY).await {
            return;
        }
    };
    for (isp, seq) in &applied {
        app.feed.applied(*isp, *seq);
    }
    give_back_memory();
    app.feed.follow();
    directory.set_fresh(Instant::now());
    directory.set_ready();
    tracing::info!(subscribers = directory.len(), online = directory.online(), "directory loaded");
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = app.feed.wait(POLL) => {}
        }
        let began = Instant::now();
        match follow(&app, &directory, &mut applied).await {
            Ok(()) => directory.set_fresh(began),
            Err(error) => {
                tracing::warn!(%error, "the event feed cannot be read");
                if stopped_within(&mut stopped, RETRY).await {
                    return;
                }
            }
        }
    }
}

/// The pages that loading read through are of no more use: the system may have them.
fn give_back_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim has no preconditions; it only returns free pages.
    unsafe {
        libc::malloc_trim(0);
    }
}

async fn stopped_within(stopped: &mut watch::Receiver<bool>, at_most: Duration) -> bool {
    tokio::time::timeout(at_most, stopped.changed()).await.is_ok()
}

/// Everything, in pages. Events are numbered before anything is read, so that what changes meanwhile is read again.
async fn load(app: &App, directory: &Directory) -> Result<HashMap<IspId, i64>, Error> {
    // What an attempt before this one left may be gone by now.
    directory.clear();
    let heads = directory::heads(app).await?;
    let world = directory::world(app).await?;
    let beside = directory::beside(app).await?;
    directory.set_world(world.clone());
    directory::each_profile(app, &world, &beside, |profile| directory.put(profile)).await?;
    directory.shrink();
    let mut after = (IspId(0), 0);
    loop {
        let page = redemption::live_after(app, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = (last.isp, last.voucher);
        page.into_iter().for_each(|known| directory.vouchers.put(known));
    }
    let mut after = (IspId(0), 0, 0);
    loop {
        let page = redemption::holders_after(app, after, PAGE).await?;
        let Some((last, ..)) = page.last() else { break };
        after = *last;
        page.into_iter().for_each(|((isp, ..), key, holder)| directory.vouchers.held(isp, &key, holder));
    }
    let mut after = directory::BEFORE_ALL;
    while let Some((page, last)) = directory::open_sessions(app, after, PAGE).await? {
        after = last;
        for session in &page {
            // One that must not be there is reminded with its next report.
            directory.opened(session);
        }
    }
    Ok(heads.into_iter().collect())
}

async fn follow(app: &App, directory: &Directory, applied: &mut HashMap<IspId, i64>) -> Result<(), Error> {
    for (isp, head) in directory::heads(app).await? {
        let mut seq = applied.get(&isp).copied().unwrap_or(0);
        while seq < head {
            let events = directory::events_after(app, isp, seq, EVENTS).await?;
            let Some(last) = events.last() else { break };
            let next = last.seq;
            let mut services: Vec<ServiceId> = Vec::new();
            let mut vouchers: Vec<i64> = Vec::new();
            let (mut bandwidths, mut templates) = (Vec::new(), Vec::new());
            let mut world_changed = false;
            for event in &events {
                match Fact::read(event).map_or_else(|| unread(event), concerns) {
                    Concern::Nothing => {}
                    Concern::World => world_changed = true,
                    Concern::Bandwidth(id) => {
                        world_changed = true;
                        bandwidths.push(id);
                    }
                    Concern::FupTemplate(id) => {
                        world_changed = true;
                        templates.push(id);
                    }
                    Concern::Service(id) => services.push(id),
                    Concern::Vouchers(named) => vouchers.extend(named),
                }
            }
            if world_changed {
                directory.set_world(directory::world(app).await?);
            }
            services.extend(directory::made_of(app, isp, bandwidths, templates).await?);
            services.sort_unstable_by_key(|id| id.0);
            services.dedup();
            let network = directory.network();
            for (id, profile) in directory::profiles(app, &network.world, isp, services).await? {
                match profile {
                    Some(profile) => directory.put(profile),
                    None => directory.remove(id),
                }
            }
            // After the services: a voucher's holder is a line that is known.
            vouchers.sort_unstable();
            vouchers.dedup();
            for ids in vouchers.chunks(VOUCHERS) {
                let known = redemption::read(app, isp, ids.to_vec()).await?;
                known.into_iter().for_each(|known| directory.vouchers.put(known));
            }
            seq = next;
            applied.insert(isp, seq);
            app.feed.applied(isp, seq);
        }
    }
    Ok(())
}

enum Concern {
    Nothing,
    Vouchers(Vec<i64>),
    /// Plans, bandwidths, pools and routers are read again as a whole.
    World,
    /// The same, and the lines that have it as their own.
    Bandwidth(BandwidthId),
    FupTemplate(FupTemplateId),
    Service(ServiceId),
}

/// What a fact is to the directory. A new fact has to be put among them.
fn concerns(fact: Fact) -> Concern {
    match fact {
        Fact::VouchersCreated { vouchers, .. } | Fact::VouchersDeleted { vouchers } => Concern::Vouchers(vouchers),
        Fact::VoucherUsed { voucher, .. } | Fact::VoucherRedeemed { voucher, .. } => Concern::Vouchers(vec![voucher]),
        Fact::BandwidthCreated { bandwidth, .. }
        | Fact::BandwidthUpdated { bandwidth, .. }
        | Fact::BandwidthDeleted { bandwidth, .. } => Concern::Bandwidth(bandwidth),
        Fact::OwnFupCreated { template, .. }
        | Fact::OwnFupDeleted { template, .. }
        | Fact::FupTemplateCreated { template, .. }
        | Fact::FupTemplateUpdated { template, .. }
        | Fact::FupTemplateDeleted { template, .. } => Concern::FupTemplate(template),
        Fact::PoolCreated { .. }
        | Fact::PoolDeleted { .. }
        | Fact::PlanCopied { .. }
        | Fact::PlanCreated { .. }
        | Fact::PlanFupChosen { .. }
        | Fact::PlanRenews { .. }
        | Fact::PlanUpdated { .. }
        | Fact::PlanDeleted { .. }
        | Fact::RouterCreated { .. }
        | Fact::RouterCoaPortSet { .. }
        | Fact::RouterSigns { .. }
        | Fact::RouterUpdated { .. }
        | Fact::RouterDeleted { .. } => Concern::World,
        Fact::FupOverridden { line, .. }
        | Fact::FupCleared { line, .. }
        | Fact::FupCrossed { line, .. }
        | Fact::FupRelaxed { line, .. }
        | Fact::FupReset { line, .. }
        | Fact::ServiceCreated { line, .. }
        | Fact::ServiceRecharged { line, .. }
        | Fact::ServiceActivated { line, .. }
        | Fact::ServiceSuspended { line, .. }
        | Fact::ServiceDisabled { line, .. }
        | Fact::ServiceDeactivated { line, .. }
        | Fact::ServiceExpired { line, .. }
        | Fact::ServiceQuotaUsedUp { line, .. }
        | Fact::LineDeleted { line, .. }
        | Fact::LineMacLearnt { line, .. }
        | Fact::LineAttributesChanged { line, .. }
        | Fact::LineAttributesPut { line, .. }
        | Fact::LinePriced { line, .. }
        | Fact::LineTermsChanged { line, .. }
        | Fact::LineSiteChanged { line, .. }
        | Fact::LinePlanChanged { line, .. }
        | Fact::LineChanged { line, .. }
        | Fact::ServiceSecretRead { line, .. }
        | Fact::ServiceMoveOrdered { line, .. }
        | Fact::ServiceMoved { line, .. }
        | Fact::ServiceRenewalOrdered { line, .. }
        | Fact::ServiceRenewalFailed { line, .. }
        | Fact::ServiceGraceGiven { line, .. } => Concern::Service(line),
        // The directory has counted this itself.
        Fact::ServiceFirstUsed { .. } => Concern::Nothing,
        Fact::IspCreated { .. }
        | Fact::StaffCreated { .. }
        | Fact::StaffSuspended { .. }
        | Fact::StaffRestored { .. }
        | Fact::StaffDeleted { .. }
        | Fact::StaffUpdated { .. }
        | Fact::ApiClientCreated { .. }
        | Fact::ApiClientUpdated { .. }
        | Fact::ApiClientRotated { .. }
        | Fact::ApiClientTokensMade { .. }
        | Fact::ApiClientRevoked { .. }
        | Fact::TokenReused { .. }
        | Fact::ZoneCreated { .. }
        | Fact::ZoneUpdated { .. }
        | Fact::ZoneDeleted { .. }
        | Fact::SessionLost { .. }
        | Fact::CoaAcknowledged { .. }
        | Fact::CoaRefused { .. }
        | Fact::CoaUnanswered { .. }
        | Fact::OltCreated { .. }
        | Fact::OltUpdated { .. }
        | Fact::OltDeleted { .. }
        | Fact::OnuCreated { .. }
        | Fact::OnuUpdated { .. }
        | Fact::OnuDeleted { .. }
        | Fact::DeviceCreated { .. }
        | Fact::DeviceUpdated { .. }
        | Fact::DeviceDeleted { .. }
        | Fact::StatusCheckCreated { .. }
        | Fact::StatusCheckUpdated { .. }
        | Fact::StatusCheckDeleted { .. }
        | Fact::VpnAccountCreated { .. }
        | Fact::VpnAccountUpdated { .. }
        | Fact::VpnAccountDeleted { .. }
        | Fact::CustomerCreated { .. }
        | Fact::CustomerPasswordSet { .. }
        | Fact::CustomerUpdated { .. }
        | Fact::CustomerDeleted { .. }
        | Fact::PlaceCreated { .. }
        | Fact::PlaceUpdated { .. }
        | Fact::PlaceDeleted { .. }
        | Fact::DepartmentCreated { .. }
        | Fact::DepartmentUpdated { .. }
        | Fact::DepartmentDeleted { .. }
        | Fact::CardsIssued { .. }
        | Fact::CardUsed { .. }
        | Fact::PaymentReceived { .. }
        | Fact::InvoiceIssuedPaid { .. }
        | Fact::InvoiceIssued { .. }
        | Fact::InvoiceUpdated { .. }
        | Fact::InvoicePaid { .. }
        | Fact::InvoiceVoided { .. }
        | Fact::CollectionRequested { .. }
        | Fact::CollectionMade { .. }
        | Fact::CollectionApproved { .. }
        | Fact::CollectionDisapproved { .. }
        | Fact::OperatorFunded { .. }
        | Fact::StaffFunded { .. }
        | Fact::OperatorPriced { .. }
        | Fact::FloatHandedIn { .. }
        | Fact::SalespersonPlans { .. }
        | Fact::SalespersonRenews { .. }
        | Fact::ComplaintCreated { .. }
        | Fact::ComplaintCommented { .. }
        | Fact::ComplaintUpdated { .. }
        | Fact::ComplaintClosed { .. }
        | Fact::WebhookCreated { .. }
        | Fact::WebhookRotated { .. }
        | Fact::WebhookUpdated { .. }
        | Fact::WebhookDeleted { .. }
        | Fact::WebhookDisabled { .. }
        | Fact::CardsGenerated { .. } => Concern::Nothing,
    }
}

/// Of another build: whatever it says, what it is about is read again.
fn unread(event: &Event) -> Concern {
    match Subject::from_parts(&event.subject, event.subject_id) {
        Some(Subject::Service(id)) => Concern::Service(ServiceId(id)),
        Some(_) | None => Concern::World,
    }
}
