//! Why a checkpoint could not be saved or loaded.

use std::io;
use std::path::{Path, PathBuf};

use crate::run::directory::remedy;

/// Why a checkpoint could not be saved or loaded. Each names the place, the reason and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The state holds a NaN or an infinity. Nothing was written.
    #[error(
        "training diverged at step {step} or before: the tensor '{tensor}' of '{section}' is not finite. It was not saved, and earlier checkpoints are intact. Lower the rates of the optimisers, or start from another seed"
    )]
    NonFinite {
        /// Training steps done.
        step: u64,
        /// The section, such as `generator`.
        section: String,
        /// The path of the tensor inside it.
        tensor: String,
    },
    /// The snapshot cannot be written as it is: a fault of the program, not of the user. Nothing was written.
    #[error(
        "the state cannot be saved: {section}: {reason}; please report this with the command that led here"
    )]
    BadSnapshot {
        /// The section at fault.
        section: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused an operation. Earlier checkpoints are as they were.
    #[error("{}: could not {action}: {source}; {}", path.display(), remedy(source))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, in words.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of the checkpoint is missing, altered or not what its metadata says.
    #[error(
        "{}: {reason}; delete the directory {} to resume from the previous checkpoint",
        file.display(), directory_of(file)
    )]
    Damaged {
        /// The file at fault.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file lies in the directory that does not belong to the checkpoint.
    #[error(
        "{}: does not belong to this checkpoint; move the file elsewhere, or delete the directory {} to resume from the previous checkpoint",
        file.display(), directory_of(file)
    )]
    Foreign {
        /// The file that is too many.
        file: PathBuf,
    },
    /// A newer program wrote this checkpoint.
    #[error(
        "{}: has format version {found}, and this program reads up to version {supported}; use the newer infogan that wrote it",
        file.display()
    )]
    FutureVersion {
        /// The `meta.json`.
        file: PathBuf,
        /// The version it names.
        found: u64,
        /// The newest version known here.
        supported: u64,
    },
}

/// The directory to delete, for the messages above.
fn directory_of(file: &Path) -> String {
    file.parent().unwrap_or(file).display().to_string()
}

/// Adds the place and the action to an error of the system.
pub(super) fn failed(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = path.to_path_buf();
    move |source| CheckpointError::Io { path, action, source }
}
