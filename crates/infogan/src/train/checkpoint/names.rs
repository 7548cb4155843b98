//! The names in `checkpoints/`: which directory is a checkpoint, and which is on its way in or out.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::CheckpointError;
use super::error::failed;

/// What a directory beside the checkpoints is. The order is that of [`scan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Temporary,
    Doomed,
    Aside,
    Whole,
}

/// One directory of `checkpoints/` whose name is ours.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) step: u64,
    pub(super) kind: Kind,
    pub(super) path: PathBuf,
}

/// The directories that are ours, by step, then by kind. Links are not followed.
pub(super) fn scan(parent: &Path) -> Result<Vec<Entry>, CheckpointError> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(parent, "list the directory")(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(parent, "list the directory"))?;
        let Some((step, kind)) = parse_name(&entry.file_name()) else { continue };
        // An entry that another process removed meanwhile is no longer there.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(Entry { step, kind, path: entry.path() });
        }
    }
    found.sort();
    Ok(found)
}

/// 5000 → `step-00005000`.
pub(super) fn directory_name(step: u64) -> String {
    format!("step-{step:08}")
}

/// The name beside a checkpoint's own, for this process.
pub(super) fn beside(name: &str, kind: &str) -> String {
    format!(".{name}.{kind}-{}", std::process::id())
}

/// The step and kind of a name of ours. Only the one spelling that [`directory_name`] gives counts.
pub(super) fn parse_name(name: &OsStr) -> Option<(u64, Kind)> {
    let name = name.to_str()?;
    let (name, kind) = match name.strip_prefix('.') {
        None => (name, Kind::Whole),
        Some(hidden) => {
            let (name, rest) = hidden.split_once('.')?;
            let (kind, pid) = rest.split_once('-')?;
            if pid.is_empty() || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let kind = match kind {
                "tmp" => Kind::Temporary,
                "old" => Kind::Aside,
                "del" => Kind::Doomed,
                _ => return None,
            };
            (name, kind)
        }
    };
    let step: u64 = name.strip_prefix("step-")?.parse().ok()?;
    (directory_name(step) == name).then_some((step, kind))
}
