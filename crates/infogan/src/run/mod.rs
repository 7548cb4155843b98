//! The run directory: what a training leaves behind, and what a person sees of it.

pub(crate) mod directory;
mod log;
pub mod pictures;
pub mod plot;
pub(crate) mod report;
mod tensorboard;

pub use directory::{RunDir, RunDirError, atomic_write, list_runs};
pub use log::{EventLog, LogError, cut_back, cut_pictures, read as read_log};
pub use pictures::PictureError;
pub use report::{ReportError, quoted as report_quoted, write_report};
pub use tensorboard::EventFile;
