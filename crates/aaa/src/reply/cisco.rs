//! Cisco (vendor 9): committed access rates of the virtual interface, as `lcp:interface-config` AV pairs. Burst sizes are
//! Cisco's own recommendation: normal 1.5 s of the rate in bytes, extended twice that.

use domain::access::decide::Grant;
use radius::{Overflow, attribute::vendor::CISCO};

use super::{Out, rates};

const AVPAIR: u8 = 1;

pub fn write<B: AsRef<[u8]> + AsMut<[u8]>>(grant: &Grant, out: &mut Out<'_, B>) -> Result<(), Overflow> {
    let Some(rates) = rates(grant) else { return Ok(()) };
    for (number, direction, kbps) in [(1, "input", rates.up_kbps), (2, "output", rates.down_kbps)] {
        let bits = u64::from(kbps) * 1000;
        let (normal, extended) = (bits * 3 / 16, bits * 3 / 8);
        let text = format!(
            "lcp:interface-config#{number}=rate-limit {direction} {bits} {normal} {extended} \
             conform-action transmit exceed-action drop"
        );
        // Two pairs of one attribute: a subscriber's own AV pair does not replace them.
        out.writer.put_vendor_text(CISCO, AVPAIR, &text)?;
    }
    Ok(())
}
