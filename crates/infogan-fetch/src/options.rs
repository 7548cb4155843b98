//! How to fetch, and what is told meanwhile.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::source::Check;

/// How to fetch.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Replaces the usual address; the names of the files are appended. `http` or `https`, without a password.
    pub mirror: Option<&'a str>,
    /// Also the files that a set can do without (SVHN's `extra`).
    pub optional: bool,
    /// Leave archives where they are after their files were taken out.
    pub keep_archives: bool,
    /// The longest wait for a name to be resolved, and again for a connection.
    pub connect: Duration,
    /// The longest wait for the next byte.
    pub stall: Duration,
    /// How often to try again in a row without at least a megabyte gained.
    pub retries: u32,
    /// The wait before the first of those; each further one is twice as long.
    pub pause: Duration,
    /// Whether `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` count.
    pub proxy_from_environment: bool,
    /// Stops the work cleanly when it becomes true; what was downloaded is kept for the next time.
    pub interrupt: Option<&'a AtomicBool>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            mirror: None,
            optional: false,
            keep_archives: false,
            connect: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            retries: 3,
            pause: Duration::from_secs(2),
            proxy_from_environment: true,
            interrupt: None,
        }
    }
}

impl Options<'_> {
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// What happens, as it happens. Lengths are in bytes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request is about to be made.
    Started {
        /// Where the file will be.
        file: &'a Path,
        /// From where.
        address: &'a str,
        /// What an earlier attempt left and need not come again.
        have: u64,
    },
    /// More bytes are on the disk.
    Progress {
        /// Where the file will be.
        file: &'a Path,
        /// So many of them.
        done: u64,
        /// Out of so many, if the server said so.
        total: Option<u64>,
    },
    /// What is there cannot be continued: the download begins at its first byte.
    BegunAnew {
        /// Where the file will be.
        file: &'a Path,
        /// Why.
        reason: &'a str,
    },
    /// The connection broke or stalled; another one follows.
    Retrying {
        /// Where the file will be.
        file: &'a Path,
        /// Why.
        reason: &'a str,
        /// The how-manieth try in a row this will be, from 1.
        attempt: u32,
        /// The wait before it.
        pause: Duration,
    },
    /// A file is being hashed.
    Checking {
        /// The file.
        file: &'a Path,
        /// What it must be, and who says so.
        check: &'a Check,
    },
    /// A member of an archive is being written.
    Unpacking {
        /// The member's place.
        file: &'a Path,
    },
}

/// A file that is there and right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// How it came there.
    pub how: How,
}

/// How a file came to be where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It was there already, and right.
    Kept,
    /// It was downloaded.
    Downloaded,
    /// It was taken out of an archive.
    Unpacked,
}
