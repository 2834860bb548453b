//! `bench`: what this machine makes of this program. Each run has its own data directory and its own server, a process
//! apart, whose CPU time is read where the system counts it.

pub mod api;
mod http;
mod process;
pub mod radius;
mod server;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::make_private;

/// A data directory that goes with its owner.
struct Scratch(PathBuf);

impl Scratch {
    /// Inside `base`, on whose disk is measured.
    fn new(base: &Path) -> anyhow::Result<Scratch> {
        let path = base.join(format!("lastmile-bench-{}", std::process::id()));
        if path.exists() {
            bail!("{} exists", path.display());
        }
        make_private(&path)?;
        let path = path.canonicalize().with_context(|| format!("{}", path.display()))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a reader of the figures must know.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg").split(' ').next().unwrap_or("?").to_string();
    let build = if cfg!(debug_assertions) { "  NOT A RELEASE BUILD: these figures mean nothing" } else { "" };
    format!(
        "lastmile {} on {} ({cores} cores; load {load} before the run){build}",
        env!("CARGO_PKG_VERSION"),
        model.unwrap_or("an unknown processor"),
    )
}
