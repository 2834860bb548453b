//! Bandwidths: the rates that plans give.

use axum::extract::State;
use domain::{BandwidthId, Burst, Scope};
use doors::{Given, Id, Operation, form::Body, wire::utc_seconds};
use serde::Serialize;
use service::{
    App, Bandwidth, Error, Why,
    catalogue::plans::{self, BandwidthChange, NewBandwidth},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};
use crate::v2::refused;

/// As much as a NAS's 32-bit kbit/s can say.
const MAX_KBPS: i64 = 4_000_000_000;

#[derive(Serialize, ToSchema)]
#[schema(as = Bandwidth)]
pub struct Row {
    id: i64,
    name: String,
    download_kbps: i64,
    upload_kbps: i64,
    burst_download_kbps: Option<i64>,
    burst_upload_kbps: Option<i64>,
    burst_threshold_download_kbps: Option<i64>,
    burst_threshold_upload_kbps: Option<i64>,
    burst_seconds: Option<i64>,
    /// 1 is the most important, 8 the least.
    priority: Option<i64>,
    created_at: String,
    updated_at: String,
}

fn row(found: Bandwidth) -> Row {
    Row {
        id: found.id.0,
        name: found.name,
        download_kbps: found.down_kbps,
        upload_kbps: found.up_kbps,
        burst_download_kbps: found.burst_down_kbps,
        burst_upload_kbps: found.burst_up_kbps,
        burst_threshold_download_kbps: found.burst_threshold_down_kbps,
        burst_threshold_upload_kbps: found.burst_threshold_up_kbps,
        burst_seconds: found.burst_time_s,
        priority: found.priority,
        created_at: utc_seconds(found.created_at),
        updated_at: utc_seconds(found.updated_at),
    }
}

pub const LIST: Operation = Operation::new("Bandwidths", "List bandwidths", Scope::PlansRead).lists::<Row>();

pub async fn list(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<Row>, Failure> {
    let found = plans::bandwidths(&app, &caller.actor).await?;
    Ok(page.cut(found, row))
}

doors::form! {
    NewBandwidthBody {
        name: required Text(1, 255), "Unique among bandwidths.";
        download_kbps: required Integer(1, MAX_KBPS), "kbit/s to the subscriber.";
        upload_kbps: required Integer(1, MAX_KBPS), "kbit/s from the subscriber.";
        burst_download_kbps: optional Integer(1, MAX_KBPS), "Short excess; all five burst fields or none.";
        burst_upload_kbps: optional Integer(1, MAX_KBPS), "Short excess.";
        burst_threshold_download_kbps: optional Integer(1, MAX_KBPS), "Burst while the average is below.";
        burst_threshold_upload_kbps: optional Integer(1, MAX_KBPS), "Burst while the average is below.";
        burst_seconds: optional Integer(1, 3600), "What the average is over.";
        priority: optional Integer(1, 8), "1 is the most important.";
    }
}

doors::form! {
    BandwidthUpdate {
        name: optional Text(1, 255), "Unique among bandwidths.";
        download_kbps: optional Integer(1, MAX_KBPS), "kbit/s to the subscriber.";
        upload_kbps: optional Integer(1, MAX_KBPS), "kbit/s from the subscriber.";
        burst_download_kbps: optional Integer(1, MAX_KBPS), "All five burst fields together; null takes the burst away.";
        burst_upload_kbps: optional Integer(1, MAX_KBPS), "Short excess.";
        burst_threshold_download_kbps: optional Integer(1, MAX_KBPS), "Burst while the average is below.";
        burst_threshold_upload_kbps: optional Integer(1, MAX_KBPS), "Burst while the average is below.";
        burst_seconds: optional Integer(1, 3600), "What the average is over.";
        priority: optional Integer(1, 8), "Null for none.";
    }
}

/// All five or none: absent leaves it, null takes it away.
fn burst(fields: [(&'static str, Given<i64>); 5]) -> Result<Option<Option<Burst>>, Error> {
    if fields.iter().all(|(_, value)| *value == Given::Absent) {
        return Ok(None);
    }
    if fields.iter().all(|(_, value)| !matches!(value, Given::Value(_))) {
        return Ok(Some(None));
    }
    let mut kbps = [0_u32; 5];
    for (slot, (name, value)) in kbps.iter_mut().zip(fields) {
        let value = value.value().ok_or(Error::invalid(name, Why::Required))?;
        *slot = u32::try_from(value).map_err(|_| Error::invalid(name, Why::TooLarge { max: MAX_KBPS }))?;
    }
    let [down_kbps, up_kbps, threshold_down_kbps, threshold_up_kbps, time_s] = kbps;
    Ok(Some(Some(Burst { down_kbps, up_kbps, threshold_down_kbps, threshold_up_kbps, time_s })))
}

/// How a rate is written where a unit goes with it.
fn unit(kbps: i64) -> String {
    if kbps % 1000 == 0 { "Mbps" } else { "Kbps" }.into()
}

pub const CREATE: Operation =
    Operation::new("Bandwidths", "Create a bandwidth", Scope::PlansWrite).body::<NewBandwidthBody>().creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewBandwidthBody>) -> Answer<Row> {
    let burst = burst([
        ("burst_download_kbps", body.burst_download_kbps),
        ("burst_upload_kbps", body.burst_upload_kbps),
        ("burst_threshold_download_kbps", body.burst_threshold_download_kbps),
        ("burst_threshold_upload_kbps", body.burst_threshold_upload_kbps),
        ("burst_seconds", body.burst_seconds),
    ])?;
    let command = NewBandwidth {
        name: body.name,
        down_kbps: body.download_kbps,
        down_unit: unit(body.download_kbps),
        up_kbps: body.upload_kbps,
        up_unit: unit(body.upload_kbps),
        burst: burst.flatten(),
        priority: body.priority.value().map(|priority| priority as u8),
    };
    let made = plans::create_bandwidth(&app, &caller.actor, command).await.map_err(refused)?;
    let changed = made.updated_at;
    Ok(Reply::created(row(made)).tagged(changed))
}

pub const SHOW: Operation = Operation::new("Bandwidths", "Retrieve a bandwidth", Scope::PlansRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let found = plans::show_bandwidth(&app, &caller.actor, BandwidthId(id)).await?;
    let changed = found.updated_at;
    Ok(Reply::data(row(found)).tagged(changed))
}

pub const UPDATE: Operation = Operation::new("Bandwidths", "Update a bandwidth", Scope::PlansWrite)
    .about("New rates reach every live session of every plan with this bandwidth. Fields that are not given stay.")
    .body::<BandwidthUpdate>()
    .answers::<Row>()
    .conditional();

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<BandwidthUpdate>,
) -> Answer<Row> {
    let (down_kbps, up_kbps) = (body.download_kbps.value(), body.upload_kbps.value());
    let command = BandwidthChange {
        name: body.name.value(),
        down_unit: down_kbps.map(unit),
        up_unit: up_kbps.map(unit),
        down_kbps,
        up_kbps,
        burst: burst([
            ("burst_download_kbps", body.burst_download_kbps),
            ("burst_upload_kbps", body.burst_upload_kbps),
            ("burst_threshold_download_kbps", body.burst_threshold_download_kbps),
            ("burst_threshold_upload_kbps", body.burst_threshold_upload_kbps),
            ("burst_seconds", body.burst_seconds),
        ])?,
        priority: body.priority.change().map(|priority| priority.map(|priority| priority as u8)),
        unchanged_since: caller.unchanged_since()?,
    };
    let now = plans::update_bandwidth(&app, &caller.actor, BandwidthId(id), command).await.map_err(refused)?;
    let changed = now.updated_at;
    Ok(Reply::data(row(now)).tagged(changed))
}

pub const DELETE: Operation = Operation::new("Bandwidths", "Delete a bandwidth", Scope::PlansWrite)
    .about("Refused (409) while a plan uses it.")
    .no_content()
    .conditional();

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    plans::delete_bandwidth(&app, &caller.actor, BandwidthId(id), caller.unchanged_since()?).await?;
    NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_whole_or_not_at_all() {
        let fields = |values: [Given<i64>; 5]| {
            let mut names = ["a", "b", "c", "d", "e"].into_iter();
            values.map(|value| (names.next().unwrap(), value))
        };
        let whole = Burst { down_kbps: 1, up_kbps: 2, threshold_down_kbps: 3, threshold_up_kbps: 4, time_s: 5 };
        let (absent, null) = (|| Given::Absent, || Given::Null);
        let rows = [
            ([absent(), absent(), absent(), absent(), absent()], Ok(None)),
            ([null(), absent(), absent(), absent(), absent()], Ok(Some(None))),
            ([1, 2, 3, 4, 5].map(Given::Value), Ok(Some(Some(whole)))),
            (
                [Given::Value(1), Given::Value(2), null(), Given::Value(4), Given::Value(5)],
                Err(Error::invalid("c", Why::Required)),
            ),
        ];
        for (values, expected) in rows {
            assert_eq!(burst(fields(values)), expected);
        }
    }
}
