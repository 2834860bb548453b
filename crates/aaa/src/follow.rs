//! Loads the directory and follows the event feed: this process's own commits at once, other nodes' within half a
//! second. With the database away it keeps what it has and tries again.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    BandwidthId, FupTemplateId, IspId, ServiceId,
    kernel::event::{EventKind, Subject},
};
use service::{App, Error, access::directory, sales::redemption};
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
                match concerns(event.kind, Subject::from_parts(&event.subject, event.subject_id)) {
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
                    Concern::Vouchers => vouchers.extend(redemption::named(&event.body)),
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
    /// Those that the event's body names.
    Vouchers,
    /// Plans, bandwidths, pools and routers are read again as a whole.
    World,
    /// The same, and the lines that have it as their own.
    Bandwidth(BandwidthId),
    FupTemplate(FupTemplateId),
    Service(ServiceId),
}

fn concerns(kind: EventKind, subject: Option<Subject>) -> Concern {
    if matches!(kind, EventKind::VouchersCreated | EventKind::VouchersDeleted | EventKind::VoucherUsed) {
        return Concern::Vouchers;
    }
    match subject {
        Some(Subject::Bandwidth(id)) => Concern::Bandwidth(BandwidthId(id)),
        Some(Subject::FupTemplate(id)) => Concern::FupTemplate(FupTemplateId(id)),
        Some(Subject::Plan(_) | Subject::Pool(_) | Subject::Router(_)) => Concern::World,
        // The directory has counted this itself.
        Some(Subject::Service(_)) if kind == EventKind::ServiceFirstUsed => Concern::Nothing,
        Some(Subject::Service(id)) => Concern::Service(ServiceId(id)),
        Some(
            Subject::Isp
            | Subject::Staff(_)
            | Subject::ApiClient(_)
            | Subject::Customer(_)
            | Subject::Session(_)
            | Subject::Complaint(_)
            | Subject::Webhook(_)
            | Subject::Olt(_)
            | Subject::Onu(_)
            | Subject::Device(_)
            | Subject::StatusCheck(_)
            | Subject::VpnAccount(_)
            | Subject::RechargeCard(_)
            | Subject::Zone(_)
            | Subject::Place(_)
            | Subject::Department(_),
        )
        | None => Concern::Nothing,
    }
}
