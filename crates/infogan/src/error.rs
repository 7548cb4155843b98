//! What can go wrong, as values: where, why, and what to do.

use std::path::PathBuf;

use crate::{
    config::ConfigError,
    game::StepError,
    run::{LogError, PictureError, ReportError, RunDirError},
    train::checkpoint::CheckpointError,
};

/// Anything that a verb of the program can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is impossible.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Pictures cannot be read.
    #[error(transparent)]
    Data(#[from] infogan_data::DataError),
    /// Weights of another program cannot be read.
    #[error(transparent)]
    Weights(#[from] crate::interop::InteropError),
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] infogan_ops::device::DeviceError),
    /// Training stopped by itself.
    #[error("{error}. {saved}")]
    Diverged {
        /// Where.
        error: StepError,
        /// What is left on disk.
        saved: String,
    },
    /// A checkpoint cannot be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A run directory cannot be used.
    #[error(transparent)]
    Directory(#[from] RunDirError),
    /// A log cannot be used.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A picture cannot be written.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Scores cannot be computed.
    #[error("scores: {0}")]
    Metrics(#[from] infogan_metrics::Error),
    /// A file cannot be written or read.
    #[error("{}: {error}; {}", path.display(), crate::run::directory::remedy(error))]
    Io {
        /// Path.
        path: PathBuf,
        /// Reason.
        error: std::io::Error,
    },
    /// A request that cannot be met.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// Exit code of the program: 3 for a diverged training, 2 for everything that a user can mend.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Diverged { .. } | Self::Checkpoint(CheckpointError::NonFinite { .. }) => 3,
            _ => 2,
        }
    }
}
