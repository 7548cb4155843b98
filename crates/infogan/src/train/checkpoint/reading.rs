//! Loading a checkpoint: nothing is believed before its length and its hash are right.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::error::failed;
use super::meta::{self, FileEntry, Meta, MetaFault, section_of};
use super::names::parse_name;
use super::{CheckpointError, HostSection, Snapshot, tensors};

/// Longest `meta.json` read, in bytes.
const META_LIMIT: u64 = 16 << 20;

/// Reads and verifies `meta.json` alone: enough to know step, configuration and counters.
///
/// # Errors
/// [`CheckpointError::Io`], [`CheckpointError::Damaged`] or [`CheckpointError::FutureVersion`].
pub fn load_meta(directory: &Path) -> Result<Meta, CheckpointError> {
    let file = directory.join("meta.json");
    let bytes = match read_file(&file, META_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound && directory.is_dir() => {
            return Err(CheckpointError::Damaged { file, reason: "is missing".to_owned() });
        }
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            return Err(CheckpointError::Damaged { file, reason: error.to_string() });
        }
        Err(error) => return Err(failed(&file, "read the file")(error)),
    };
    let found = Meta::decode(&bytes).map_err(|fault| match fault {
        MetaFault::Broken(reason) => CheckpointError::Damaged { file: file.clone(), reason },
        MetaFault::Future(found) => {
            CheckpointError::FutureVersion { file: file.clone(), found, supported: meta::VERSION }
        }
    })?;
    match directory.file_name().and_then(parse_name) {
        Some((named, _)) if named != found.step => Err(CheckpointError::Damaged {
            file,
            reason: format!("is of step {}, and its directory is named after step {named}", found.step),
        }),
        _ => Ok(found),
    }
}

/// Loads a checkpoint: every length and every hash is verified, and no other file may lie in the directory (names
/// that start with a dot are passed over).
///
/// # Errors
/// Those of [`load_meta`], for any file, and [`CheckpointError::Foreign`]. Each names the file and what to do.
pub fn load(directory: &Path) -> Result<Snapshot, CheckpointError> {
    load_sections(directory, |_| true)
}

/// Loads the chosen sections of a checkpoint and leaves the others unread: to draw one picture, the moments of an optimiser
/// need not be. What is read is verified as by [`load`].
///
/// # Errors
/// As [`load`].
pub fn load_sections(directory: &Path, wanted: impl Fn(&str) -> bool) -> Result<Snapshot, CheckpointError> {
    let meta = load_meta(directory)?;
    let listing = failed(directory, "list the directory");
    let names = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    for entry in names.map_err(listing)? {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name != "meta.json" && !name.starts_with('.') && !meta.files.contains_key(&*name) {
            return Err(CheckpointError::Foreign { file: entry.path() });
        }
    }
    let mut sections = BTreeMap::new();
    let mut derived = BTreeMap::new();
    for (name, entry) in &meta.files {
        let section = section_of(name).unwrap_or(name);
        if !wanted(section) {
            continue;
        }
        let file = directory.join(name);
        let damaged = |reason: String| CheckpointError::Damaged { file: file.clone(), reason };
        let mut state = load_section(&file, entry)?;
        let mut recomputed = HostSection::new();
        for path in &entry.derived {
            let (path, tensor) =
                state.remove_entry(path).ok_or_else(|| damaged(format!("lacks the tensor {path}")))?;
            recomputed.insert(path, tensor);
        }
        sections.insert(section.to_owned(), state);
        if !recomputed.is_empty() {
            derived.insert(section.to_owned(), recomputed);
        }
    }
    Ok(Snapshot {
        step: meta.step,
        counters: meta.counters,
        sections,
        derived,
        config_hash: meta.config_hash,
        versions: meta.versions,
    })
}

/// All tensors of one file, after its length and its hash were found right.
fn load_section(file: &Path, entry: &FileEntry) -> Result<HostSection, CheckpointError> {
    let damaged = |reason: String| CheckpointError::Damaged { file: file.to_path_buf(), reason };
    if entry.bytes > tensors::FILE_LIMIT {
        return Err(damaged(format!("claims {} bytes, more than are read", entry.bytes)));
    }
    let bytes = match read_file(file, entry.bytes) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(damaged("is missing".to_owned()));
        }
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            return Err(damaged(error.to_string()));
        }
        Err(error) => return Err(failed(file, "read the file")(error)),
    };
    if bytes.len() as u64 != entry.bytes {
        return Err(damaged(format!("has {} bytes instead of {}", bytes.len(), entry.bytes)));
    }
    if meta::sha256(&bytes) != entry.sha256 {
        return Err(damaged("was altered: it does not match its SHA-256".to_owned()));
    }
    tensors::decode(&bytes).map_err(damaged)
}

/// A regular file of at most `limit` bytes. The length is known before memory is taken.
pub(crate) fn read_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let invalid = |reason: String| io::Error::new(ErrorKind::InvalidData, reason);
    // Asked before opening: opening a pipe would wait for its writer.
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(invalid("is not a regular file".to_owned()));
    }
    if found.len() > limit {
        return Err(invalid(format!("has {} bytes, and {limit} at most belong there", found.len())));
    }
    let mut bytes = Vec::new();
    let length = usize::try_from(found.len()).unwrap_or(usize::MAX);
    bytes.try_reserve_exact(length).map_err(|error| io::Error::new(ErrorKind::OutOfMemory, error))?;
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
