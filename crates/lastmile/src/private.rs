//! Files are their owner's alone: what the program makes, what lies there from before, and what it reads keys from.

use std::{
    fs::{Permissions, metadata, set_permissions},
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use service::Location;

/// Rights of the group and of everybody.
const OTHERS: u32 = 0o077;

/// Whatever the process makes from now on is its owner's alone. Called before there are threads.
pub fn by_default() {
    // SAFETY: umask(2) always succeeds, and touches no memory of ours.
    unsafe { libc::umask(OTHERS as libc::mode_t) };
}

/// Takes an existing database's files away from others: they hold names, hashes and sealed passwords.
///
/// # Errors
/// They are somebody else's.
pub fn tighten(location: &Location) -> anyhow::Result<()> {
    let Location::File(path) = location else { return Ok(()) };
    for end in ["", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(end);
        let path = PathBuf::from(name);
        match metadata(&path) {
            Ok(found) if found.permissions().mode() & OTHERS != 0 => {
                let mode = found.permissions().mode() & !OTHERS;
                set_permissions(&path, Permissions::from_mode(mode)).with_context(|| {
                    format!("{} is readable by others, and its mode cannot be changed", path.display())
                })?;
                tracing::warn!(file = %path.display(), "was readable by others: it is its owner's alone now");
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot look at {}", path.display())),
        }
    }
    Ok(())
}

/// Refuses a file with a secret in it that others may read: who could have read it has it.
///
/// # Errors
/// Says what to do.
pub fn refuse_readable(path: &Path, what: &str) -> anyhow::Result<()> {
    let mode = metadata(path).with_context(|| format!("cannot look at {}", path.display()))?.permissions().mode();
    if mode & OTHERS != 0 {
        bail!(
            "{} holds {what} and others may read it (mode {:04o}): chmod 600 {}",
            path.display(),
            mode & 0o7777,
            path.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_of_before_become_their_owners_alone() {
        let directory = crate::demo::tests::scratch("private");
        let path = directory.join("data.db");
        for end in ["", "-wal"] {
            let path = format!("{}{end}", path.display());
            std::fs::write(&path, "x").unwrap();
            set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        }
        tighten(&Location::File(path.clone())).unwrap();
        tighten(&Location::Memory).unwrap();
        assert_eq!((mode(&path), mode(&directory.join("data.db-wal"))), (0o600, 0o600));
        assert!(refuse_readable(&path, "a key").is_ok());
        for wrong in [0o640, 0o604, 0o644] {
            set_permissions(&path, Permissions::from_mode(wrong)).unwrap();
            let told = refuse_readable(&path, "a key").unwrap_err().to_string();
            assert!(told.contains(&format!("mode {wrong:04o}")) && told.contains("chmod 600"), "{told}");
        }
        std::fs::remove_dir_all(directory).unwrap();
    }
}
