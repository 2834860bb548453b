//! One process to a data directory: an exclusive lock on `lastmile.lock`, which the system lets go of when the process
//! ends, however it ends.

use std::{
    fs::{File, TryLockError},
    io::{Seek, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

const NAME: &str = "lastmile.lock";

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock {
    /// Dropping it unlocks.
    _file: File,
    pub directory: PathBuf,
}

/// # Errors
/// When another process has it: which.
pub fn take(directory: &Path) -> anyhow::Result<Lock> {
    if let Some(lock) = attempt(directory)? {
        return Ok(lock);
    }
    let holder = std::fs::read_to_string(directory.join(NAME)).unwrap_or_default();
    bail!(
        "another lastmile (process {}) is using {}: stop it first, or use another directory",
        holder.trim(),
        directory.display()
    );
}

/// `None` when another process has it.
pub fn attempt(directory: &Path) -> anyhow::Result<Option<Lock>> {
    let path = directory.join(NAME);
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            // For people who look; the lock itself is what counts.
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())?;
            Ok(Some(Lock { _file: file, directory: directory.into() }))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
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
