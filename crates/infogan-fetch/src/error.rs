//! What can go wrong: each error names the address or the file, the reason and the remedy.

use std::path::{Path, PathBuf};

/// Why a set is not (wholly) there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// An address that cannot be used.
    #[error("{address}: {reason}; give an address like https://example.org/mnist/")]
    Address {
        /// The address as given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No connection, or none that lasted.
    #[error("cannot fetch {address} into {}: {reason}; {remedy}", file.display())]
    Network {
        /// What was asked for.
        address: String,
        /// Where it should have gone.
        file: PathBuf,
        /// What happened last.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// The server answers, but not with the file.
    #[error("cannot fetch {address} into {}: {reason}; {remedy}", file.display())]
    Answer {
        /// What was asked for.
        address: String,
        /// Where it should have gone.
        file: PathBuf,
        /// The answer.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// A whole download that is not the file; it was removed.
    #[error(
        "{address} is not the expected file: {found} instead of {expected}; it was removed and {} was not made: \
         a server or a cache on the way may be at fault, so try again, or another place with --mirror URL",
        file.display()
    )]
    WrongDownload {
        /// What was asked for.
        address: String,
        /// Where it should have gone.
        file: PathBuf,
        /// The hash it should have, and who says so.
        expected: String,
        /// The hash it has, or why it has none.
        found: String,
    },
    /// A file under the name of one to be fetched that is another; it was left alone.
    #[error(
        "{} is there but is not the expected file: {found} instead of {expected}; it was not touched: \
         move it away or remove it, then fetch again, or choose another folder",
        file.display()
    )]
    InTheWay {
        /// The file.
        file: PathBuf,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// An archive that is not what it should be inside; none of its files was put in place.
    #[error("{}: {reason}; nothing was unpacked: remove the archive and fetch it again", file.display())]
    Archive {
        /// The archive.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The disk or the file system.
    #[error("cannot {action} {}: {source}; {}", file.display(), io_remedy(source))]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What was tried, such as `write`.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody else fetches into the same folder.
    #[error("another process is fetching into {}; wait until it is done, or choose another folder", dir.display())]
    Busy {
        /// The folder.
        dir: PathBuf,
    },
    /// The interrupt flag was set.
    #[error("stopped at {}; run the same command again to go on from there", file.display())]
    Interrupted {
        /// The file that was being made.
        file: PathBuf,
    },
}

/// What a user can do about an error of the file system, as the end of a sentence.
fn io_remedy(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free some space on that disk, then run the same command again: what was downloaded is kept"
        }
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only: choose another folder",
        ErrorKind::PermissionDenied => "check the owner and the permissions, or choose another folder",
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "a file lies where a folder is needed: move it away, or choose another folder"
        }
        _ => "check the disk and the path, then run the same command again",
    }
}

/// Turns the system's error into [`FetchError::Io`].
pub(crate) fn io(file: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> FetchError {
    let file = file.to_path_buf();
    move |source| FetchError::Io { file, action, source }
}
