//! Open files. The system lets a process have few unless it asks (1,024, as a rule, of which most are connections); what
//! it may ask for is taken at the start.

/// For the database, the ports, webhooks and orders on their way: what connections may never take.
const RESERVED: u64 = 256;

/// Takes as many as the system allows; how many that is.
pub fn raise() -> std::io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a value of the right kind, which lives over the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    if limit.rlim_cur < limit.rlim_max {
        let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
        // SAFETY: as above.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0 {
            limit = raised;
        }
    }
    Ok(limit.rlim_cur)
}

/// How many connections there is room for, of so many that are wanted.
pub fn connections(files: u64, wanted: usize) -> usize {
    // Of very few half are connections: the rest must do for everything else.
    let room = files.saturating_sub(RESERVED).max(files / 2);
    usize::try_from(room).unwrap_or(usize::MAX).min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_the_rest() {
        for (files, wanted, expected) in
            [(1 << 20, 4096, 4096), (4096, 4096, 3840), (1024, 4096, 768), (256, 4096, 128), (u64::MAX, 64, 64)]
        {
            assert_eq!(connections(files, wanted), expected, "{files} {wanted}");
        }
    }

    #[test]
    fn what_may_be_had_is_taken() {
        let files = raise().unwrap();
        assert!(files >= 256, "{files}");
        assert_eq!(raise().unwrap(), files);
    }
}
