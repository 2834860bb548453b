//! Fair use: templates with their tiers and windows, what goes by another template than its plan's, and what services
//! have used in their cycles.

use domain::{BandwidthId, FupTemplateId, Instant, IspId, PlanId, ServiceId, catalogue::fup::Measure};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    Template of "fup_template" {
        isp_id: IspId,
        id: FupTemplateId,
        /// Empty for a service's own.
        name: String,
        name_key: Option<String>,
        /// Whose own it is.
        service_id: Option<ServiceId>,
        measure: Measure,
        /// One of `fup::Reset::WORDS`, with its day.
        reset: String,
        reset_day: Option<i64>,
        carry_forward: bool,
        /// When the hour next changes the rate.
        turns_at: Option<Instant>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

record! {
    Tier of "fup_tier" {
        isp_id: IspId,
        template_id: FupTemplateId,
        after_bytes: i64,
        bandwidth_id: BandwidthId,
    }
}

record! {
    Window of "fup_window" {
        isp_id: IspId,
        template_id: FupTemplateId,
        line: i64,
        from_minute: i64,
        until_minute: i64,
        counted: bool,
        bandwidth_id: Option<BandwidthId>,
    }
}

record! {
    Override of "fup_override" {
        isp_id: IspId,
        service_id: ServiceId,
        /// None: no fair use policy at all.
        template_id: Option<FupTemplateId>,
        actor: String,
        created_at: Instant,
    }
}

record! {
    /// What a service has used in a cycle.
    Usage of "fup_usage" {
        isp_id: IspId,
        service_id: ServiceId,
        template_id: FupTemplateId,
        starts_at: Instant,
        ends_at: Option<Instant>,
        up: u64,
        down: u64,
        carried: u64,
        /// How many thresholds have been acted on.
        level: i64,
        updated_at: Instant,
    }
}

/// A template with its parts, in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Whole {
    pub template: Template,
    pub tiers: Vec<Tier>,
    pub windows: Vec<Window>,
}

fn whole(templates: Vec<Template>, tiers: Vec<Tier>, windows: Vec<Window>) -> Vec<Whole> {
    let mut by_id: std::collections::HashMap<(IspId, FupTemplateId), (Vec<Tier>, Vec<Window>)> = Default::default();
    for tier in tiers {
        by_id.entry((tier.isp_id, tier.template_id)).or_default().0.push(tier);
    }
    for window in windows {
        by_id.entry((window.isp_id, window.template_id)).or_default().1.push(window);
    }
    let templates = templates.into_iter().map(|template| {
        let (tiers, windows) = by_id.remove(&(template.isp_id, template.id)).unwrap_or_default();
        Whole { template, tiers, windows }
    });
    templates.collect()
}

/// Every live template of every tenant, for the directory.
pub async fn everything(tx: &Tx) -> Result<Vec<Whole>, Error> {
    let templates =
        tx.rows(sql!(text!(Template::SELECT, "where t.deleted_at is null order by t.isp_id, t.id")), &[]).await?;
    let tiers = tx.rows(sql!(text!(Tier::SELECT, "order by t.isp_id, t.template_id, t.after_bytes")), &[]).await?;
    let windows = tx.rows(sql!(text!(Window::SELECT, "order by t.isp_id, t.template_id, t.line")), &[]).await?;
    Ok(whole(
        records(templates, Template::from_row)?,
        records(tiers, Tier::from_row)?,
        records(windows, Window::from_row)?,
    ))
}

/// A tenant's named templates, with their parts.
pub async fn templates(tx: &Tx, isp: IspId) -> Result<Vec<Whole>, Error> {
    let templates = tx
        .rows(
            sql!(text!(
                Template::SELECT,
                "where t.isp_id = $1 and t.deleted_at is null and t.service_id is null order by t.id"
            )),
            &params![isp],
        )
        .await?;
    let tiers = tx
        .rows(sql!(text!(Tier::SELECT, "where t.isp_id = $1 order by t.template_id, t.after_bytes")), &params![isp])
        .await?;
    let windows = tx
        .rows(sql!(text!(Window::SELECT, "where t.isp_id = $1 order by t.template_id, t.line")), &params![isp])
        .await?;
    Ok(whole(
        records(templates, Template::from_row)?,
        records(tiers, Tier::from_row)?,
        records(windows, Window::from_row)?,
    ))
}

/// A live template with its parts.
pub async fn find(tx: &Tx, isp: IspId, id: FupTemplateId) -> Result<Option<Whole>, Error> {
    let row = tx
        .row(
            sql!(text!(Template::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let tiers = tx
        .rows(
            sql!(text!(Tier::SELECT, "where t.isp_id = $1 and t.template_id = $2 order by t.after_bytes")),
            &params![isp, id],
        )
        .await?;
    let windows = tx
        .rows(
            sql!(text!(Window::SELECT, "where t.isp_id = $1 and t.template_id = $2 order by t.line")),
            &params![isp, id],
        )
        .await?;
    Ok(Some(Whole {
        template: Template::from_row(&row)?,
        tiers: records(tiers, Tier::from_row)?,
        windows: records(windows, Window::from_row)?,
    }))
}

pub async fn by_name(tx: &Tx, isp: IspId, name_key: &str) -> Result<Option<FupTemplateId>, Error> {
    let row = tx
        .row(sql!("select id from fup_template where isp_id = $1 and name_key = $2"), &params![isp, name_key])
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// The service's own template, if one was ever made: it is used again.
pub async fn own(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<FupTemplateId>, Error> {
    let row = tx
        .row(
            sql!(
                "select o.template_id from fup_override o join fup_template t on t.isp_id = o.isp_id \
                 and t.id = o.template_id where o.isp_id = $1 and o.service_id = $2 and t.service_id is not null"
            ),
            &params![isp, service],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// Writes a template as it stands now, new or known.
pub async fn save(tx: &Tx, whole: &Whole) -> Result<(), Error> {
    let template = &whole.template;
    tx.insert_many(
        Template::INSERT,
        "on conflict (isp_id, id) do update set name = excluded.name, name_key = excluded.name_key, \
         measure = excluded.measure, reset = excluded.reset, reset_day = excluded.reset_day, \
         carry_forward = excluded.carry_forward, turns_at = excluded.turns_at, updated_at = excluded.updated_at, \
         deleted_at = excluded.deleted_at",
        vec![template.values()],
    )
    .await?;
    let key = params![template.isp_id, template.id];
    tx.run(sql!("delete from fup_tier where isp_id = $1 and template_id = $2"), &key).await?;
    tx.run(sql!("delete from fup_window where isp_id = $1 and template_id = $2"), &key).await?;
    tx.insert_many(Tier::INSERT, "", whole.tiers.iter().map(Tier::values).collect()).await?;
    tx.insert_many(Window::INSERT, "", whole.windows.iter().map(Window::values).collect()).await?;
    Ok(())
}

/// The plans that have a template, the live ones.
pub async fn plans_with(tx: &Tx, isp: IspId, id: FupTemplateId) -> Result<Vec<PlanId>, Error> {
    let rows = tx
        .rows(
            sql!("select id from plan where isp_id = $1 and fup_template_id = $2 and deleted_at is null order by id"),
            &params![isp, id],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The services that go by a template of their own choice.
pub async fn services_with(tx: &Tx, isp: IspId, id: FupTemplateId) -> Result<Vec<ServiceId>, Error> {
    let rows = tx
        .rows(
            sql!("select service_id from fup_override where isp_id = $1 and template_id = $2 order by service_id"),
            &params![isp, id],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Lines whose own rate, or own policy, is made of a bandwidth.
pub async fn services_of_bandwidth(tx: &Tx, isp: IspId, id: BandwidthId) -> Result<Vec<ServiceId>, Error> {
    let own = tx
        .rows(
            sql!("select id from service where isp_id = $1 and bandwidth_id = $2 and deleted_at is null"),
            &params![isp, id],
        )
        .await?;
    let overridden = tx
        .rows(
            sql!(
                "select o.service_id from fup_override o where o.isp_id = $1 and o.template_id in \
                 (select template_id from fup_tier where isp_id = $1 and bandwidth_id = $2 \
                  union select template_id from fup_window where isp_id = $1 and bandwidth_id = $2)"
            ),
            &params![isp, id],
        )
        .await?;
    let mut ids: Vec<ServiceId> = own.iter().chain(&overridden).map(|row| row.get(0)).collect::<Result<_, _>>()?;
    ids.sort_unstable_by_key(|id| id.0);
    ids.dedup();
    Ok(ids)
}

/// How many live templates are made of a bandwidth.
pub async fn templates_of_bandwidth(tx: &Tx, isp: IspId, id: BandwidthId) -> Result<Vec<FupTemplateId>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select t.id from fup_template t where t.isp_id = $1 and t.deleted_at is null and t.id in \
                 (select template_id from fup_tier where isp_id = $1 and bandwidth_id = $2 \
                  union select template_id from fup_window where isp_id = $1 and bandwidth_id = $2) order by t.id"
            ),
            &params![isp, id],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

pub async fn overridden(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<Override>, Error> {
    let row = tx
        .row(sql!(text!(Override::SELECT, "where t.isp_id = $1 and t.service_id = $2")), &params![isp, service])
        .await?;
    row.map(|row| Override::from_row(&row)).transpose()
}

pub async fn put_override(tx: &Tx, row: &Override) -> Result<(), Error> {
    tx.insert_many(
        Override::INSERT,
        "on conflict (isp_id, service_id) do update set template_id = excluded.template_id, actor = excluded.actor, \
         created_at = excluded.created_at",
        vec![row.values()],
    )
    .await
    .map(drop)
}

/// Whether there was one.
pub async fn clear_override(tx: &Tx, isp: IspId, service: ServiceId) -> Result<bool, Error> {
    let removed =
        tx.run(sql!("delete from fup_override where isp_id = $1 and service_id = $2"), &params![isp, service]).await?;
    Ok(removed > 0)
}

/// Of every tenant, for the directory.
pub async fn all_overrides(tx: &Tx) -> Result<Vec<Override>, Error> {
    records(tx.rows(sql!(text!(Override::SELECT, "order by t.isp_id, t.service_id")), &[]).await?, Override::from_row)
}

/// Of every tenant, for the directory.
pub async fn all_usage(tx: &Tx) -> Result<Vec<Usage>, Error> {
    records(tx.rows(sql!(text!(Usage::SELECT, "order by t.isp_id, t.service_id")), &[]).await?, Usage::from_row)
}

pub async fn usage(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<Usage>, Error> {
    let row =
        tx.row(sql!(text!(Usage::SELECT, "where t.isp_id = $1 and t.service_id = $2")), &params![isp, service]).await?;
    row.map(|row| Usage::from_row(&row)).transpose()
}

/// As [`usage`], locked until the transaction ends.
pub async fn lock_usage(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<Usage>, Error> {
    let row = tx
        .row_locked(sql!(text!(Usage::SELECT, "where t.isp_id = $1 and t.service_id = $2")), &params![isp, service])
        .await?;
    row.map(|row| Usage::from_row(&row)).transpose()
}

/// Adds growth to running cycles: rows of isp, service, template, up, down, when it happened, now. What is of another
/// cycle or template is left out, and comes back with no row.
pub async fn add(tx: &Tx, rows: &[Vec<Value>]) -> Result<Vec<Usage>, Error> {
    let rows = tx
        .each(
            sql!(
                // `usage::MOST_KEPT`.
                "update fup_usage set up = case when up + $4 > 1125899906842624 then 1125899906842624 else up + $4 end, \
                 down = case when down + $5 > 1125899906842624 then 1125899906842624 else down + $5 end, updated_at = $7 \
                 where isp_id = $1 and service_id = $2 and template_id = $3 and starts_at <= $6 \
                 and (ends_at is null or ends_at > $6) \
                 returning isp_id, service_id, template_id, starts_at, ends_at, up, down, carried, level, updated_at"
            ),
            rows,
        )
        .await?;
    records(rows, Usage::from_row)
}

pub async fn put_usage(tx: &Tx, row: &Usage) -> Result<(), Error> {
    tx.insert_many(
        Usage::INSERT,
        "on conflict (isp_id, service_id) do update set template_id = excluded.template_id, \
         starts_at = excluded.starts_at, ends_at = excluded.ends_at, up = excluded.up, down = excluded.down, \
         carried = excluded.carried, level = excluded.level, updated_at = excluded.updated_at",
        vec![row.values()],
    )
    .await
    .map(drop)
}

/// The thresholds acted on.
pub async fn set_level(tx: &Tx, isp: IspId, service: ServiceId, level: i64) -> Result<(), Error> {
    tx.run(sql!("update fup_usage set level = $3 where isp_id = $1 and service_id = $2"), &params![isp, service, level])
        .await
        .map(drop)
}

/// A template counts otherwise than before: its counts are of no more use.
pub async fn forget_usage(tx: &Tx, isp: IspId, id: FupTemplateId) -> Result<(), Error> {
    tx.run(sql!("delete from fup_usage where isp_id = $1 and template_id = $2"), &params![isp, id]).await.map(drop)
}

/// A period begins: what counts by period ends its cycle then.
pub async fn period_begins(tx: &Tx, isp: IspId, service: ServiceId, at: Instant) -> Result<(), Error> {
    tx.run(
        sql!(
            "update fup_usage set ends_at = $3 where isp_id = $1 and service_id = $2 and starts_at < $3 \
             and (ends_at is null or ends_at > $3) and template_id in \
             (select id from fup_template where isp_id = $1 and reset = 'period')"
        ),
        &params![isp, service, at],
    )
    .await
    .map(drop)
}

/// Services whose cycle has ended and whose rate comes back, the longest due first.
pub async fn due(tx: &Tx, now: Instant, limit: i64) -> Result<Vec<(IspId, ServiceId)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select isp_id, service_id from fup_usage where level > 0 and ends_at is not null and ends_at <= $1 \
                 order by ends_at limit $2"
            ),
            &params![now, limit],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Templates whose rate the hour has changed.
pub async fn turning(tx: &Tx, now: Instant) -> Result<Vec<(IspId, FupTemplateId)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select isp_id, id from fup_template where turns_at is not null and deleted_at is null \
                 and turns_at <= $1 order by turns_at"
            ),
            &params![now],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Sets when a template next turns; whether it was to turn at `before` until now.
pub async fn turn(
    tx: &Tx,
    isp: IspId,
    id: FupTemplateId,
    before: Instant,
    next: Option<Instant>,
) -> Result<bool, Error> {
    let changed = tx
        .run(
            sql!("update fup_template set turns_at = $4 where isp_id = $1 and id = $2 and turns_at = $3"),
            &params![isp, id, before, next],
        )
        .await?;
    Ok(changed > 0)
}

/// Usage of a service from a civil day on, in all: up, down.
pub async fn used_since(tx: &Tx, isp: IspId, service: ServiceId, day: i64) -> Result<(u64, u64), Error> {
    let row = tx
        .row(
            sql!(
                "select cast(coalesce(sum(up), 0) as bigint), cast(coalesce(sum(down), 0) as bigint) \
                 from usage_day where isp_id = $1 and service_id = $2 and day >= $3"
            ),
            &params![isp, service, day],
        )
        .await?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The sold period of a service at `at`: when it began, and when the one sold after it begins.
pub async fn period_at(
    tx: &Tx,
    isp: IspId,
    service: ServiceId,
    at: Instant,
) -> Result<(Option<Instant>, Option<Instant>), Error> {
    let row = tx
        .row(
            sql!(
                "select (select max(starts_at) from period where isp_id = $1 and service_id = $2 and starts_at <= $3), \
                 (select min(starts_at) from period where isp_id = $1 and service_id = $2 and starts_at > $3)"
            ),
            &params![isp, service, at],
        )
        .await?;
    row.map_or(Ok((None, None)), |row| Ok((row.get(0)?, row.get(1)?)))
}
