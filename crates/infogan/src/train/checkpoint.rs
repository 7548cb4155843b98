//! Checkpoints: the state of a training run on disk, exact, and complete or absent.
//!
//! `RUN/checkpoints/step-00005000/` holds one safetensors file per section and `meta.json`. CHECKPOINTS.md
//! specifies the format. A checkpoint is written into a directory beside its place, synced and renamed, so a
//! crash at any moment leaves the earlier checkpoints and either none or all of the new one.
//!
//! Names beside the checkpoints, all of them safe to meet at any time:
//!
//! | name | meaning |
//! |---|---|
//! | `.step-N.tmp-PID` | being written; a leftover if its process is dead |
//! | `.step-N.old-PID` | whole; the earlier checkpoint of a step that is being replaced |
//! | `.step-N.del-PID` | being deleted |

mod disk;
mod error;
mod meta;
mod names;
mod reading;
mod tensors;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use disk::Disk;
pub use error::CheckpointError;
use error::failed;
use meta::file_of;
pub use meta::{FileEntry, Meta};
pub(crate) use meta::{hex, sha256};
use names::{Entry, Kind, beside, directory_name, parse_name, scan};
pub(crate) use reading::read_file;
pub use reading::{load, load_meta, load_sections};
pub(crate) use tensors::{FILE_LIMIT, checked_tensors};

/// One tensor on the host, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostTensor {
    /// Sizes of the dimensions, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// As many values as the product of the shape.
    pub values: Vec<f32>,
}

/// The tensors of one file by path, such as `trunk.0.weight`: PyTorch names and PyTorch layouts.
pub type HostSection = BTreeMap<String, HostTensor>;

/// Everything a run is resumed from, on the host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Training steps done.
    pub step: u64,
    /// State that is a whole number, by path.
    pub counters: BTreeMap<String, u64>,
    /// State, one file each: `generator`, `critic`, `q`, `generator.optimizer` …
    pub sections: BTreeMap<String, HostSection>,
    /// What is recomputed and not resumed (running statistics of batch norm), by the section in whose file it is
    /// written. An empty one is as good as none.
    pub derived: BTreeMap<String, HostSection>,
    /// Hash of the resolved training configuration.
    pub config_hash: String,
    /// Versions of the program and of what it was built with, by name.
    pub versions: BTreeMap<String, String>,
}

/// Saves a snapshot as `run/checkpoints/step-N` and deletes the oldest checkpoints beyond `keep` (at least 1).
/// A checkpoint of the same step is replaced. Returns the new directory.
///
/// Only the process that holds the lock of the run may call this.
///
/// The environment variable `INFOGAN_TEST_SAVE_DELAY_MS` exists for the kill harness: a save then sleeps about so
/// many milliseconds in all, spread over its operations.
///
/// # Errors
/// [`CheckpointError::NonFinite`] and [`CheckpointError::BadSnapshot`] before anything is written;
/// [`CheckpointError::Io`] when the disk refuses: what was begun is then removed as far as the disk allows, and
/// the earlier checkpoints are as they were. An error that names an *old* checkpoint came after the new one was
/// in place.
pub fn save(run: &Path, snapshot: &Snapshot, keep: usize) -> Result<PathBuf, CheckpointError> {
    let delay = std::env::var("INFOGAN_TEST_SAVE_DELAY_MS").ok().and_then(|text| text.parse().ok());
    let tensors = snapshot.sections.values().chain(snapshot.derived.values()).flatten();
    let bytes = tensors.map(|(_, tensor)| 4 * tensor.values.len()).sum();
    let delay = Duration::from_millis(delay.unwrap_or(0));
    let mut disk = Disk::with_delay(delay, snapshot.sections.len() + 1, bytes);
    save_on(&mut disk, run, snapshot, keep)
}

fn save_on(
    disk: &mut Disk,
    run: &Path,
    snapshot: &Snapshot,
    keep: usize,
) -> Result<PathBuf, CheckpointError> {
    check(snapshot)?;
    let parent = run.join("checkpoints");
    if !parent.is_dir() {
        disk.make_directory(&parent).map_err(failed(&parent, "make the directory"))?;
        disk.sync_directory(run).map_err(failed(run, "sync the directory"))?;
    }
    let name = directory_name(snapshot.step);
    let place = parent.join(&name);
    let temporary = parent.join(beside(&name, "tmp"));
    // Where process numbers come again (containers), a dead writer may have had ours.
    disk.remove_tree(&temporary).map_err(failed(&temporary, "remove a leftover"))?;
    write_unit(disk, &temporary, snapshot)
        .and_then(|()| put_in_place(disk, &parent, &name, &temporary))
        .inspect_err(|_| {
            let _ = disk.remove_tree(&temporary);
        })?;
    prune_around(disk, &parent, keep, Some(snapshot.step))?;
    Ok(place)
}

/// Refuses what must not or cannot be written, before the disk is touched.
fn check(snapshot: &Snapshot) -> Result<(), CheckpointError> {
    let bad = |section: &str, reason: String| {
        Err(CheckpointError::BadSnapshot { section: section.to_owned(), reason })
    };
    for (name, derived) in &snapshot.derived {
        let Some(section) = snapshot.sections.get(name) else {
            return bad(name, "has derived tensors and no state".to_owned());
        };
        if let Some(twice) = derived.keys().find(|path| section.contains_key(*path)) {
            return bad(name, format!("{twice} is both state and derived"));
        }
    }
    let mut files = BTreeSet::new();
    if let Some(name) = snapshot.sections.keys().find(|name| !files.insert(name.to_ascii_lowercase())) {
        // On some disks both would be one file.
        return bad(name, "differs from another section by case alone".to_owned());
    }
    for (name, section) in snapshot.sections.iter().chain(&snapshot.derived) {
        if !meta::is_plain(name) {
            return bad(name, "is not a plain name".to_owned());
        }
        for (path, tensor) in section {
            if path.is_empty() || path == "__metadata__" || path.len() > tensors::NAME_LIMIT {
                return bad(name, format!("{path:?} cannot name a tensor"));
            }
            let count = tensor.shape.iter().try_fold(1_usize, |n, &size| n.checked_mul(size));
            if count != Some(tensor.values.len()) || tensor.shape.len() > tensors::RANK_LIMIT {
                let (shape, values) = (&tensor.shape, tensor.values.len());
                return bad(name, format!("{path} has shape {shape:?} and {values} values"));
            }
            if !tensors::all_finite(&tensor.values) {
                let (step, section, tensor) = (snapshot.step, name.clone(), path.clone());
                return Err(CheckpointError::NonFinite { step, section, tensor });
            }
        }
    }
    Ok(())
}

/// Writes and syncs all files of a checkpoint into a new directory.
fn write_unit(disk: &mut Disk, into: &Path, snapshot: &Snapshot) -> Result<(), CheckpointError> {
    disk.make_directory(into).map_err(failed(into, "make the directory"))?;
    let Snapshot { step, config_hash, versions, counters, .. } = snapshot;
    let mut description = Meta::new(*step, config_hash, versions, counters);
    let none = HostSection::new();
    let bad = |section: &str, reason| CheckpointError::BadSnapshot { section: section.to_owned(), reason };
    for (name, section) in &snapshot.sections {
        let derived = snapshot.derived.get(name).unwrap_or(&none);
        let content = tensors::encode(section.iter().chain(derived)).map_err(|e| bad(name, e))?;
        let path = into.join(file_of(name));
        disk.write_file(&path, &content).map_err(failed(&path, "write the file"))?;
        let entry = FileEntry {
            bytes: content.len() as u64,
            sha256: meta::sha256(&content),
            derived: derived.keys().cloned().collect(),
        };
        description.files.insert(file_of(name), entry);
    }
    let content = description.encode().map_err(|e| bad("meta.json", e))?;
    let path = into.join("meta.json");
    disk.write_file(&path, &content).map_err(failed(&path, "write the file"))?;
    disk.sync_directory(into).map_err(failed(into, "sync the directory"))
}

/// Renames the finished directory to its place, with an earlier checkpoint of the same step moved aside first.
fn put_in_place(disk: &mut Disk, parent: &Path, name: &str, finished: &Path) -> Result<(), CheckpointError> {
    let place = parent.join(name);
    let aside = parent.join(beside(name, "old"));
    let replaces = place.is_dir();
    if replaces {
        discard(disk, parent, &aside)?;
        disk.rename(&place, &aside).map_err(failed(&place, "move the old checkpoint aside"))?;
    }
    if let Err(error) = disk.rename(finished, &place) {
        if replaces {
            let _ = disk.rename(&aside, &place);
        }
        return Err(failed(&place, "put the checkpoint in its place")(error));
    }
    disk.sync_directory(parent).map_err(failed(parent, "sync the directory"))
}

/// Deletes a checkpoint so that no moment shows half of it under a name that counts as whole.
fn discard(disk: &mut Disk, parent: &Path, path: &Path) -> Result<(), CheckpointError> {
    let Some((step, _)) = path.file_name().and_then(parse_name) else { return Ok(()) };
    if !path.is_dir() {
        return Ok(());
    }
    let action = "remove an old checkpoint";
    let doomed = parent.join(beside(&directory_name(step), "del"));
    disk.remove_tree(&doomed)
        .and_then(|()| disk.rename(path, &doomed))
        .and_then(|()| disk.sync_directory(parent))
        .and_then(|()| disk.remove_tree(&doomed))
        .map_err(failed(path, action))
}

/// Deletes the oldest checkpoints of a run so that `keep` remain, at least one: the newest is never deleted.
///
/// Only the process that holds the lock of the run may call this.
///
/// # Errors
/// [`CheckpointError::Io`] when a directory cannot be read or removed.
pub fn prune(run: &Path, keep: usize) -> Result<(), CheckpointError> {
    let mut disk = Disk::with_delay(Duration::ZERO, 0, 0);
    prune_around(&mut disk, &run.join("checkpoints"), keep, None)
}

/// Prunes; the checkpoint just written stays even when later ones exist.
fn prune_around(
    disk: &mut Disk,
    parent: &Path,
    keep: usize,
    written: Option<u64>,
) -> Result<(), CheckpointError> {
    let entries = scan(parent)?;
    let steps: BTreeSet<u64> = entries
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::Whole | Kind::Aside))
        .map(|entry| entry.step)
        .collect();
    let old: BTreeSet<u64> =
        steps.iter().rev().skip(keep.max(1)).copied().filter(|&step| Some(step) != written).collect();
    let whole: BTreeSet<u64> =
        entries.iter().filter(|e| e.kind == Kind::Whole).map(|entry| entry.step).collect();
    // `scan` puts what lies aside before what is in place, so a deleted step cannot come back from aside.
    for entry in &entries {
        let replaced = entry.kind == Kind::Aside && whole.contains(&entry.step);
        let too_old = matches!(entry.kind, Kind::Whole | Kind::Aside) && old.contains(&entry.step);
        if replaced || too_old {
            discard(disk, parent, &entry.path)?;
        }
    }
    Ok(())
}

/// Removes what dead writers left, and puts an earlier checkpoint back in its place where the crash came between
/// moving it aside and putting in the new one.
///
/// Only the process that holds the lock of the run may call this: by the lock it is known that every other
/// writer is dead.
///
/// # Errors
/// [`CheckpointError::Io`] when the directory cannot be read or a leftover cannot be removed.
pub fn clean(run: &Path) -> Result<(), CheckpointError> {
    let mut disk = Disk::with_delay(Duration::ZERO, 0, 0);
    let parent = run.join("checkpoints");
    for Entry { step, kind, path } in scan(&parent)? {
        let place = parent.join(directory_name(step));
        match kind {
            Kind::Whole => {}
            Kind::Aside if place.is_dir() => discard(&mut disk, &parent, &path)?,
            Kind::Aside => disk
                .rename(&path, &place)
                .and_then(|()| disk.sync_directory(&parent))
                .map_err(failed(&path, "put the earlier checkpoint back"))?,
            Kind::Temporary | Kind::Doomed => {
                disk.remove_tree(&path).map_err(failed(&path, "remove a leftover"))?;
            }
        }
    }
    Ok(())
}

/// The checkpoints of a run by step, those complete by construction; [`load`] verifies their content. A run
/// without any gives an empty list. May be called beside a running training.
///
/// # Errors
/// [`CheckpointError::Io`] when the directory cannot be read.
pub fn list(run: &Path) -> Result<Vec<(u64, PathBuf)>, CheckpointError> {
    let mut found = BTreeMap::new();
    for Entry { step, kind, path } in scan(&run.join("checkpoints"))? {
        // What lies aside comes first and gives way to what is in place.
        if matches!(kind, Kind::Whole | Kind::Aside) {
            found.insert(step, path);
        }
    }
    Ok(found.into_iter().collect())
}

/// The checkpoint with the highest step, where there is one.
///
/// # Errors
/// Those of [`list`].
pub fn latest(run: &Path) -> Result<Option<(u64, PathBuf)>, CheckpointError> {
    Ok(list(run)?.pop())
}

#[cfg(test)]
mod tests;
