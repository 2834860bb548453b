//! One process to a data directory: an exclusive lock on `lastmile.lock`, which the system lets go of when the process
//! ends, however it ends.

use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

use anyhow::{Context, bail};

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "dropping it unlocks")] File);

pub fn take(directory: &Path) -> anyhow::Result<Lock> {
    let path = directory.join("lastmile.lock");
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            // For people who look; the lock itself is what counts.
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())?;
            Ok(Lock(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            bail!(
                "another lastmile (process {}) is using {}: stop it first, or use another directory",
                holder.trim(),
                directory.display()
            );
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_second_is_told_about_the_first() {
        let directory = crate::demo::tests::scratch("lock");
        let first = super::take(&directory).unwrap();
        let error = super::take(&directory).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        super::take(&directory).unwrap();
        std::fs::remove_dir_all(directory).unwrap();
    }
}
