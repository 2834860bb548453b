//! What the measured processes cost, read where the system counts it: proc(5).

use std::{fs, time::Duration};

use anyhow::Context;

/// USER_HZ, the same on every Linux that user space sees.
const TICKS_A_SECOND: f64 = 100.0;

/// Processes by their ids. Their children count with them: a database works in those.
pub struct Processes(pub Vec<u32>);

#[derive(Clone, Copy, PartialEq, Debug)]
struct Stat {
    parent: u32,
    /// Of all its threads.
    own: f64,
    /// Of children that ended and were waited for.
    buried: f64,
}

impl Processes {
    /// CPU time so far, with that of all descendants, those that have ended included.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let all = all()?;
        let mut seconds = 0.0;
        for id in &self.0 {
            seconds += tree(*id, &all).with_context(|| format!("no process {id}"))?;
        }
        Ok(Duration::from_secs_f64(seconds))
    }

    /// Resident memory in bytes, without children: what they share with each other would count many times.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let mut bytes = 0;
        for id in &self.0 {
            let status = fs::read_to_string(format!("/proc/{id}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
            let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
            bytes += kib * 1024;
        }
        Ok(bytes)
    }
}

fn all() -> anyhow::Result<Vec<(u32, Stat)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process that has ended meanwhile counts with its parent.
        let Ok(text) = fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        all.push((id, stat(&text).context("/proc/PID/stat")?));
    }
    Ok(all)
}

/// Seconds of a process and everything below it; None when there is no such process.
fn tree(id: u32, all: &[(u32, Stat)]) -> Option<f64> {
    let (_, stat) = all.iter().find(|(other, _)| *other == id)?;
    let children = all.iter().filter(|(_, stat)| stat.parent == id);
    Some(stat.own + stat.buried + children.filter_map(|(child, _)| tree(*child, all)).sum::<f64>())
}

/// ppid, then utime, stime, cutime and cstime, the 4th and the 14th to 17th field; the name before them may hold
/// anything, blanks and brackets too.
fn stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let seconds = |n: usize| Some(fields.get(n)?.parse::<f64>().ok()? / TICKS_A_SECOND);
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: seconds(11)? + seconds(12)?,
        buried: seconds(13)? + seconds(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_whatever_the_name() {
        let text = "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 25 75 20 0 4 0 1 2 3";
        assert_eq!(stat(text), Some(Stat { parent: 1, own: 3.0, buried: 1.0 }));
        assert_eq!(stat("42 (a)"), None);
    }

    #[test]
    fn children_count_with_their_parents_the_ended_ones_too() {
        let row = |id, parent, own, buried| (id, Stat { parent, own, buried });
        let all = [row(1, 0, 1.0, 0.0), row(2, 1, 2.0, 4.0), row(3, 2, 8.0, 0.0), row(4, 1, 16.0, 0.0)];
        assert_eq!([tree(2, &all), tree(1, &all), tree(9, &all)], [Some(14.0), Some(31.0), None]);
    }
}
