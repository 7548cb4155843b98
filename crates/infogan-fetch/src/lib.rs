//! Data sets from their usual public addresses.
//!
//! [`fetch`] brings the files of a [`Source`] into a folder. Whatever the server, the network or the disk does, a
//! name of the set stands for a whole file with the right SHA-256 or does not exist. A broken download leaves
//! `NAME.part` and `NAME.part.json`, from which the next call goes on. A folder is used by one call at a time,
//! across processes; the lock is the file `.fetch.lock`, which stays.
//!
//! Knows nothing of pictures: the readers are in `infogan-data`.

mod address;
mod client;
mod download;
mod error;
mod hash;
mod options;
mod part;
mod place;
mod sets;
mod source;
mod unpack;

use std::path::{Path, PathBuf};

pub use error::FetchError;
pub use options::{Event, Fetched, How, Options};
pub use sets::{SETS, find};
pub use source::{Check, Covers, Member, Origin, RemoteFile, Size, Source};

use download::Download;
use hash::Verdict;

/// Brings the files of `set` into `dir`, which is made if need be, and says which files are there at the end.
///
/// A file that is there and right is kept; one that is there and wrong is an error and not touched. Archives are
/// unpacked into the folders they name; one that was downloaded is removed then, unless [`Options::keep_archives`].
///
/// # Errors
/// [`FetchError`], at the first file that cannot be had. Files finished before it stay.
pub fn fetch(
    set: &Source,
    dir: &Path,
    options: &Options,
    watch: &mut dyn FnMut(Event),
) -> Result<Vec<Fetched>, FetchError> {
    // Before anything is made: a bad mirror leaves no folder behind.
    let wanted = set.files.iter().filter(|file| options.optional || !file.optional);
    let jobs = wanted
        .map(|file| Ok((file, address::of_file(set, file.name, options.mirror)?)))
        .collect::<Result<Vec<_>, FetchError>>()?;
    let _lock = place::lock(dir)?;
    client::with_agent(options, |agent| {
        let mut there = Vec::new();
        for (file, address) in jobs {
            if let Some(found) = unpacked(file, dir, options, watch)? {
                there.extend(found);
                continue;
            }
            let target = dir.join(file.name);
            let kept = present(file, &target, options, watch)?;
            let how = if kept.is_some() { How::Kept } else { How::Downloaded };
            let mut part = None;
            let path = match kept {
                Some(path) => path,
                None => {
                    let whole = Download { agent, file, address, target: &target, options }.run(watch)?;
                    if file.members.is_empty() || options.keep_archives {
                        whole.finish(&target)?;
                        target
                    } else {
                        // Never under its own name: an archive that has it is the user's and is left alone.
                        let path = whole.path.clone();
                        part = Some(whole);
                        path
                    }
                }
            };
            if part.is_none() {
                let bytes = std::fs::metadata(&path).map_err(error::io(&path, "look at"))?.len();
                there.push(Fetched { path: path.clone(), bytes, how });
            }
            if !file.members.is_empty() {
                there.extend(unpack::unpack(&path, dir, file, options, watch)?);
            }
            if let Some(part) = part {
                part.discard()?;
            }
        }
        Ok(there)
    })
}

/// The files of an archive that was unpacked earlier; none where the archive is wanted too and gone.
fn unpacked(
    file: &RemoteFile,
    dir: &Path,
    options: &Options,
    watch: &mut dyn FnMut(Event),
) -> Result<Option<Vec<Fetched>>, FetchError> {
    if file.members.is_empty() || options.keep_archives {
        return Ok(None);
    }
    unpack::unpacked_before(dir, file, options, watch)
}

/// The right file under its name or, where a gzip file is known by its content, without `.gz`: readers take that
/// one first. A wrong one is an error.
fn present(
    file: &RemoteFile,
    target: &Path,
    options: &Options,
    watch: &mut dyn FnMut(Event),
) -> Result<Option<PathBuf>, FetchError> {
    let mut candidates = vec![(target.to_path_buf(), file.check)];
    if matches!(file.check.covers, Covers::InsideGzip { .. }) && file.name.ends_with(".gz") {
        candidates.insert(0, (target.with_extension(""), Check { covers: Covers::File, ..file.check }));
    }
    for (path, check) in candidates {
        if !path.exists() {
            continue;
        }
        return match hash::check(&path, &check, options, watch)? {
            Verdict::Right => Ok(Some(path)),
            Verdict::Wrong(found) => {
                Err(FetchError::InTheWay { expected: check.to_string(), file: path, found })
            }
        };
    }
    Ok(None)
}
