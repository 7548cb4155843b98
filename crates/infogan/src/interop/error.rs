//! Why weights could not be read or did not fit.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::run::directory::remedy;

/// Why the weights of a file could not be taken over. Each names the file, the reason and what to do.
#[derive(Debug, thiserror::Error)]
pub enum InteropError {
    /// The operating system refused to read it.
    #[error("{}: could not read the file: {source}; {}", path.display(), remedy(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is of no format that is read here.
    #[error(
        "{}: is neither a .pth or .pt file of PyTorch nor safetensors, by its first bytes; save it in Python with \
         torch.save(model.state_dict(), FILE)",
        path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// It is cut, altered or lies about itself.
    #[error("{}: {reason}; nothing was taken from it: fetch or save it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It is whole, as far as can be told, and asks for something that is not done.
    #[error(
        "{}: {reason}; nothing in it was run. If you trust the file, load it in Python and save its numbers alone: \
         torch.save(model.state_dict(), FILE)",
        path.display()
    )]
    Refused {
        /// The file.
        path: PathBuf,
        /// What it asks for.
        reason: String,
    },
    /// Its tensors are not those of the networks.
    #[error("{}: {reason}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What does not fit, and the remedy.
        reason: String,
    },
}

/// What is wrong with bytes whose file is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Of no known format.
    Unknown,
    /// Cut, altered or lying.
    Damaged(String),
    /// Asks for what is not done.
    Refused(String),
}

impl Fault {
    /// With the file.
    pub(super) fn of(self, path: &Path) -> InteropError {
        let path = path.to_owned();
        match self {
            Self::Unknown => InteropError::Unknown { path },
            Self::Damaged(reason) => InteropError::Damaged { path, reason },
            Self::Refused(reason) => InteropError::Refused { path, reason },
        }
    }
}

/// Adds the file to a fault.
pub(super) trait Attach<T> {
    /// With the file.
    fn attach(self, path: &Path) -> Result<T, InteropError>;
}

impl<T> Attach<T> for Result<T, Fault> {
    fn attach(self, path: &Path) -> Result<T, InteropError> {
        self.map_err(|fault| fault.of(path))
    }
}

/// Damage in words.
pub(super) fn damaged<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Damaged(reason.into()))
}

/// A refusal in words.
pub(super) fn refused<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Refused(reason.into()))
}
