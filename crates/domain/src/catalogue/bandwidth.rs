//! Bandwidth: what a line may carry. Each NAS vendor's words for it are in `aaa::reply`.

/// Rates in kbit/s seen from the subscriber: `down` is what the subscriber receives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Bandwidth {
    pub down_kbps: u32,
    pub up_kbps: u32,
    pub burst: Option<Burst>,
    /// 1 (highest) to 8; MikroTik's queue priority.
    pub priority: Option<u8>,
}

/// Short excess over the rates.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Burst {
    pub down_kbps: u32,
    pub up_kbps: u32,
    /// Burst is allowed while the average over `time_s` is below this.
    pub threshold_down_kbps: u32,
    pub threshold_up_kbps: u32,
    pub time_s: u32,
}

impl Bandwidth {
    pub fn plain(down_kbps: u32, up_kbps: u32) -> Bandwidth {
        Bandwidth { down_kbps, up_kbps, burst: None, priority: None }
    }
}
