//! MikroTik RouterOS (vendor 14988): `Mikrotik-Rate-Limit`, address list, quota as total limit.

use std::fmt::Write;

use domain::{Bandwidth, access::decide::Grant};
use radius::{Overflow, attribute::vendor::MIKROTIK};

use super::{Out, rates};

const RATE_LIMIT: u8 = 8;
const TOTAL_LIMIT: u8 = 17;
const TOTAL_LIMIT_GIGAWORDS: u8 = 18;
const ADDRESS_LIST: u8 = 19;

pub fn write<B: AsRef<[u8]> + AsMut<[u8]>>(grant: &Grant, out: &mut Out<'_, B>) -> Result<(), Overflow> {
    if let Some(rates) = rates(grant) {
        out.vendor_text(MIKROTIK, RATE_LIMIT, &rate_limit(&rates))?;
    }
    if let Some(list) = &grant.address_list {
        out.vendor_text(MIKROTIK, ADDRESS_LIST, list)?;
    }
    if let Some(left) = grant.data_left_bytes {
        out.vendor_number(MIKROTIK, TOTAL_LIMIT, left as u32)?;
        if left >> 32 > 0 {
            out.vendor_number(MIKROTIK, TOTAL_LIMIT_GIGAWORDS, (left >> 32) as u32)?;
        }
    }
    Ok(())
}

/// `rx/tx [burst [threshold [time [priority]]]]`, rx being what the subscriber sends.
pub fn rate_limit(rates: &Bandwidth) -> String {
    let mut text = String::with_capacity(40);
    pair(&mut text, rates.up_kbps, rates.down_kbps);
    match (rates.burst, rates.priority) {
        (Some(burst), _) => {
            text.push(' ');
            pair(&mut text, burst.up_kbps, burst.down_kbps);
            text.push(' ');
            pair(&mut text, burst.threshold_up_kbps, burst.threshold_down_kbps);
            let _ = write!(text, " {0}/{0}", burst.time_s);
        }
        // Zeros reach the priority behind them.
        (None, Some(_)) => text += " 0/0 0/0 0/0",
        (None, None) => {}
    }
    if let Some(priority) = rates.priority {
        let _ = write!(text, " {priority}");
    }
    text
}

fn pair(text: &mut String, up_kbps: u32, down_kbps: u32) {
    rate(text, up_kbps);
    text.push('/');
    rate(text, down_kbps);
}

fn rate(text: &mut String, kbps: u32) {
    let _ = match kbps {
        0 => write!(text, "0"),
        kbps if kbps.is_multiple_of(1000) => write!(text, "{}M", kbps / 1000),
        kbps => write!(text, "{kbps}k"),
    };
}
