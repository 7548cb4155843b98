//! What can go wrong with data, and what to do about it.

use std::path::PathBuf;

use crate::shown;

/// An error about data: what it concerns, the reason and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file could not be read.
    #[error("cannot read {}: {source}; check that it exists and that you may read it", shown(path))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder holds none of the files looked for.
    #[error("no {what} in {}: looked for {}; {remedy}", shown(dir), looked_for.join(", "))]
    Missing {
        /// What is missing, in words.
        what: String,
        /// The folder searched.
        dir: PathBuf,
        /// The file names that would have done.
        looked_for: Vec<String>,
        /// What to do.
        remedy: String,
    },
    /// A file is there but its content is not what it should be.
    #[error("{}: {reason}; {remedy}", shown(path))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// A file cannot be written.
    #[error(
        "cannot write {}: {reason}; check that its folder exists, may be written to and has space",
        shown(path)
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// An argument or a combination of parts that cannot be a data set.
    #[error("{what}: {reason}; {remedy}")]
    Invalid {
        /// The argument or set.
        what: String,
        /// Why it is refused.
        reason: String,
        /// What to do.
        remedy: String,
    },
}

impl DataError {
    /// An [`DataError::Invalid`] from its three parts.
    pub(crate) fn invalid(
        what: impl Into<String>,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Invalid { what: what.into(), reason: reason.into(), remedy: remedy.into() }
    }
}
