//! Huawei (vendor 2011): average and peak rates in bit/s, quota as what is left in kilobytes.

use domain::access::decide::Grant;
use radius::{Overflow, attribute::vendor::HUAWEI};

use super::{Out, bits, rates};

const INPUT_AVERAGE_RATE: u8 = 2;
const INPUT_PEAK_RATE: u8 = 3;
const OUTPUT_AVERAGE_RATE: u8 = 5;
const OUTPUT_PEAK_RATE: u8 = 6;
const REMANENT_VOLUME: u8 = 15;

pub fn write<B: AsRef<[u8]> + AsMut<[u8]>>(grant: &Grant, out: &mut Out<'_, B>) -> Result<(), Overflow> {
    if let Some(left) = grant.data_left_bytes {
        out.vendor_number(HUAWEI, REMANENT_VOLUME, u32::try_from(left.div_ceil(1024)).unwrap_or(u32::MAX))?;
    }
    let Some(rates) = rates(grant) else { return Ok(()) };
    let peak = rates.burst.map_or((rates.up_kbps, rates.down_kbps), |burst| (burst.up_kbps, burst.down_kbps));
    out.vendor_number(HUAWEI, INPUT_AVERAGE_RATE, bits(rates.up_kbps))?;
    out.vendor_number(HUAWEI, INPUT_PEAK_RATE, bits(peak.0))?;
    out.vendor_number(HUAWEI, OUTPUT_AVERAGE_RATE, bits(rates.down_kbps))?;
    out.vendor_number(HUAWEI, OUTPUT_PEAK_RATE, bits(peak.1))
}
