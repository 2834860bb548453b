//! WISPr (vendor 14122): bandwidths in bit/s.

use domain::access::decide::Grant;
use radius::{Overflow, attribute::vendor::WISPR};

use super::{Out, bits, rates};

const BANDWIDTH_MAX_UP: u8 = 7;
const BANDWIDTH_MAX_DOWN: u8 = 8;

pub fn write<B: AsRef<[u8]> + AsMut<[u8]>>(grant: &Grant, out: &mut Out<'_, B>) -> Result<(), Overflow> {
    if let Some(rates) = rates(grant) {
        out.vendor_number(WISPR, BANDWIDTH_MAX_UP, bits(rates.up_kbps))?;
        out.vendor_number(WISPR, BANDWIDTH_MAX_DOWN, bits(rates.down_kbps))?;
    }
    Ok(())
}
