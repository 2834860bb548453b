//! ChilliSpot and CoovaChilli (vendor 14559): bandwidths in kbit/s, quota as total octets.

use domain::access::decide::Grant;
use radius::{Overflow, attribute::vendor::CHILLISPOT};

use super::{Out, rates};

const MAX_TOTAL_OCTETS: u8 = 3;
const BANDWIDTH_MAX_UP: u8 = 4;
const BANDWIDTH_MAX_DOWN: u8 = 5;
const MAX_TOTAL_GIGAWORDS: u8 = 23;

pub fn write<B: AsRef<[u8]> + AsMut<[u8]>>(grant: &Grant, out: &mut Out<'_, B>) -> Result<(), Overflow> {
    if let Some(rates) = rates(grant) {
        out.vendor_number(CHILLISPOT, BANDWIDTH_MAX_UP, rates.up_kbps)?;
        out.vendor_number(CHILLISPOT, BANDWIDTH_MAX_DOWN, rates.down_kbps)?;
    }
    if let Some(left) = grant.data_left_bytes {
        out.vendor_number(CHILLISPOT, MAX_TOTAL_OCTETS, left as u32)?;
        if left >> 32 > 0 {
            out.vendor_number(CHILLISPOT, MAX_TOTAL_GIGAWORDS, (left >> 32) as u32)?;
        }
    }
    Ok(())
}
