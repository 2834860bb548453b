//! Bandwidth profiles: list, create, update, delete.

use axum::extract::State;
use domain::BandwidthId;
use doors::{
    Fields, Id,
    fields::{named, text, thousandths, word},
};
use serde::Serialize;
use serde_json::Number;
use service::{
    App, Bandwidth, Error, What, Why,
    catalogue::plans::{self, BandwidthChange, NewBandwidth, RATE_UNITS},
};

use crate::envelope::{Answer, Caller, Done, Failure, Reply};

/// 4 Tbit/s: as much as a NAS's 32-bit kbit/s can say.
const MAX_KBPS: i64 = 4_000_000_000;

fn refused(error: Error) -> Failure {
    named(error, &[("name", "name_bw")]).into()
}

#[derive(Serialize, Debug)]
pub struct Row {
    id: i64,
    #[serde(rename = "adminId")]
    admin_id: i64,
    name_bw: String,
    rate_down: Number,
    rate_down_unit: String,
    rate_up: Number,
    rate_up_unit: String,
    #[serde(rename = "isDeleted")]
    is_deleted: u8,
    created_at: String,
    updated_at: String,
}

fn row(caller: &Caller, bandwidth: Bandwidth) -> Row {
    Row {
        id: bandwidth.id.0,
        admin_id: bandwidth.isp_id.0,
        rate_down: rate(bandwidth.down_kbps, &bandwidth.down_unit),
        rate_up: rate(bandwidth.up_kbps, &bandwidth.up_unit),
        name_bw: bandwidth.name,
        rate_down_unit: bandwidth.down_unit,
        rate_up_unit: bandwidth.up_unit,
        is_deleted: bandwidth.deleted_at.is_some().into(),
        created_at: caller.datetime(bandwidth.created_at),
        updated_at: caller.datetime(bandwidth.updated_at),
    }
}

/// kbit/s in the unit they were written in.
fn rate(kbps: i64, unit: &str) -> Number {
    match unit {
        "Mbps" => doors::wire::thousandths(kbps),
        _ => kbps.into(),
    }
}

/// Thousandths of a unit as whole kbit/s.
fn kbps(thousandths: i64, unit: &str) -> Result<i64, Why> {
    let kbps = match unit {
        "Mbps" => thousandths,
        _ if thousandths % 1000 != 0 => return Err(Why::NotAnInteger),
        _ => thousandths / 1000,
    };
    match kbps {
        n if n < 1 => Err(Why::TooSmall { min: 1 }),
        n if n > MAX_KBPS => Err(Why::TooLarge { max: if unit == "Mbps" { MAX_KBPS / 1000 } else { MAX_KBPS } }),
        n => Ok(n),
    }
}

/// List bandwidth profiles.
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Vec<Row>> {
    let found = plans::bandwidths(&app, &caller.actor).await?;
    Ok(Reply::data(found.into_iter().map(|bandwidth| row(&caller, bandwidth)).collect()))
}

/// Create bandwidth profile.
pub async fn create(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Row> {
    let name = body.required("name_bw", text(1, 255));
    let (down, down_unit) = side(&mut body, "rate_down", "rate_down_unit");
    let (up, up_unit) = side(&mut body, "rate_up", "rate_up_unit");
    body.finish()?;
    let command = NewBandwidth {
        name,
        down_kbps: down,
        down_unit: down_unit.into(),
        up_kbps: up,
        up_unit: up_unit.into(),
        burst: None,
        priority: None,
    };
    let made = plans::create_bandwidth(&app, &caller.actor, command).await.map_err(refused)?;
    Ok(Reply::created("Bandwidth profile created successfully", row(&caller, made)))
}

fn side(body: &mut Fields, value: &'static str, unit: &'static str) -> (i64, &'static str) {
    let given = body.required(value, thousandths);
    let word = body.required(unit, word(RATE_UNITS));
    if body.is_wrong(value) || body.is_wrong(unit) {
        return (0, word);
    }
    match kbps(given, word) {
        Ok(kbps) => (kbps, word),
        Err(why) => {
            body.refuse(value, why);
            (0, word)
        }
    }
}

/// Update bandwidth profile. A rate without its unit keeps the unit, a unit without its rate keeps the number.
pub async fn update(State(app): State<App>, caller: Caller, Id(number): Id, mut body: Fields) -> Answer<Row> {
    let found = plans::bandwidths(&app, &caller.actor).await?.into_iter().find(|row| row.id.0 == number);
    let before = found.ok_or(Error::NotFound { what: What::Bandwidth })?;
    let name = body.optional("name_bw", text(1, 255)).value();
    let down = changed(&mut body, "rate_down", "rate_down_unit", before.down_kbps, &before.down_unit);
    let up = changed(&mut body, "rate_up", "rate_up_unit", before.up_kbps, &before.up_unit);
    body.finish()?;
    let (down_kbps, down_unit) = down.unzip();
    let (up_kbps, up_unit) = up.unzip();
    let command = BandwidthChange { name, down_kbps, down_unit, up_kbps, up_unit, ..BandwidthChange::default() };
    let id = BandwidthId(number);
    let row_now = plans::update_bandwidth(&app, &caller.actor, id, command).await.map_err(refused)?;
    Ok(Reply::said("Bandwidth profile updated successfully", row(&caller, row_now)))
}

fn changed(
    body: &mut Fields,
    value: &'static str,
    unit: &'static str,
    kbps_before: i64,
    unit_before: &str,
) -> Option<(i64, String)> {
    let given = body.optional(value, thousandths).value();
    let word = body.optional(unit, word(RATE_UNITS)).value();
    if (given.is_none() && word.is_none()) || body.is_wrong(value) || body.is_wrong(unit) {
        return None;
    }
    let as_before = if unit_before == "Mbps" { kbps_before } else { kbps_before.saturating_mul(1000) };
    let word = word.unwrap_or(unit_before);
    match kbps(given.unwrap_or(as_before), word) {
        Ok(kbps) => Some((kbps, word.into())),
        Err(why) => {
            body.refuse(value, why);
            None
        }
    }
}

/// Delete bandwidth profile; refused while a plan uses it.
pub async fn delete(State(app): State<App>, caller: Caller, Id(number): Id) -> Done {
    plans::delete_bandwidth(&app, &caller.actor, BandwidthId(number), None).await?;
    Ok(Reply::done("Bandwidth profile deleted successfully"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact_in_both_units() {
        let rows = [
            (10_000, "Mbps", Ok(10_000)),
            (1_500, "Mbps", Ok(1_500)),
            (512_000, "Kbps", Ok(512)),
            (1_500, "Kbps", Err(Why::NotAnInteger)),
            (0, "Mbps", Err(Why::TooSmall { min: 1 })),
            (-5_000, "Kbps", Err(Why::TooSmall { min: 1 })),
            (5_000_000_000, "Mbps", Err(Why::TooLarge { max: 4_000_000 })),
        ];
        for (given, unit, expected) in rows {
            assert_eq!(kbps(given, unit), expected, "{given} {unit}");
        }
        assert_eq!((rate(1_500, "Mbps").to_string(), rate(512, "Kbps").to_string()), ("1.5".into(), "512".into()));
    }
}
