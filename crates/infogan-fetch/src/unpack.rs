//! The known members of a `.tar.gz`, and nothing else of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tar::{Archive, EntryType};

use crate::error::{FetchError, io as io_error};
use crate::hash::{self, CHUNK, hex};
use crate::options::{Event, Fetched, How, Options};
use crate::place;
use crate::source::{Member, RemoteFile};

/// What an archive may hold beside its members, in bytes: headers, padding, a page for readers.
const OTHER: u64 = 4 << 20;

/// What was unpacked, written last: with it, the archive itself is not needed to know that its files are right.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// Of the archive.
    sha256: String,
    /// Of every member, by path.
    members: BTreeMap<String, String>,
}

/// A member that was read: written beside its place, or found to be there already.
struct Staged<'a> {
    member: &'a Member,
    target: PathBuf,
    part: Option<PathBuf>,
    bytes: u64,
    sha256: String,
}

/// The files of an archive that was unpacked before, if all are there.
pub(crate) fn unpacked_before(
    dir: &Path,
    file: &RemoteFile,
    options: &Options,
    watch: &mut dyn FnMut(Event),
) -> Result<Option<Vec<Fetched>>, FetchError> {
    let Some(record) = place::read_small::<Record>(&record_of(dir, file)) else { return Ok(None) };
    if record.sha256 != file.check.sha256 {
        return Ok(None);
    }
    let mut found = Vec::new();
    for member in file.members {
        let path = dir.join(member.path);
        let (Ok(there), Some(expected)) = (fs::metadata(&path), record.members.get(member.path)) else {
            return Ok(None);
        };
        watch(Event::Checking { file: &path, check: &file.check });
        let sha256 = hash::of_file(&path, options)?;
        if sha256 != *expected {
            return Err(in_the_way(path, expected, sha256));
        }
        found.push(Fetched { path, bytes: there.len(), how: How::Kept });
    }
    Ok(Some(found))
}

/// Takes the members out of `archive`. They get their names when all were read and found right.
pub(crate) fn unpack(
    archive: &Path,
    dir: &Path,
    file: &RemoteFile,
    options: &Options,
    watch: &mut dyn FnMut(Event),
) -> Result<Vec<Fetched>, FetchError> {
    let mut staged = Vec::new();
    let done =
        read_all(archive, dir, file, options, watch, &mut staged).and_then(|()| finish(dir, file, &staged));
    if done.is_err() {
        for part in staged.iter().filter_map(|staged| staged.part.as_ref()) {
            let _ = fs::remove_file(part);
        }
    }
    done
}

/// Reads the whole archive, with every member into a file beside its place.
fn read_all<'a>(
    archive: &Path,
    dir: &Path,
    file: &'a RemoteFile,
    options: &Options,
    watch: &mut dyn FnMut(Event),
    staged: &mut Vec<Staged<'a>>,
) -> Result<(), FetchError> {
    let refused = |reason: String| FetchError::Archive { file: archive.into(), reason };
    let damaged = |error: io::Error| refused(format!("it is damaged ({error})"));
    let limit = file.members.iter().fold(OTHER, |sum, member| sum.saturating_add(member.size.most()));
    let packed = File::open(archive).map_err(io_error(archive, "open"))?;
    let mut tar = Archive::new(MultiGzDecoder::new(packed).take(limit));
    // Raw: names that are continued in other entries are longer than any member's, and are not collected.
    for entry in tar.entries().map_err(damaged)?.raw(true) {
        if options.interrupted() {
            return Err(FetchError::Interrupted { file: archive.into() });
        }
        let mut entry = entry.map_err(damaged)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        let kind = entry.header().entry_type();
        harmless(&name, kind).map_err(refused)?;
        let Some(member) = file.members.iter().find(|member| kind.is_file() && name == member.path) else {
            continue;
        };
        if staged.iter().any(|before| before.member.path == member.path) {
            return Err(refused(format!("it holds {name} twice")));
        }
        if !member.size.fits(entry.size()) {
            return Err(refused(format!("its {name} has {} bytes", entry.size())));
        }
        let target = dir.join(member.path);
        watch(Event::Unpacking { file: &target });
        stage(&mut entry, member, target, options, damaged, staged)?;
    }
    // A tar ends before its gzip does, whose checksum stands at the very end.
    let mut rest = tar.into_inner();
    drain(&mut rest, archive, options, damaged)?;
    if rest.limit() == 0 {
        return Err(refused(format!("it holds more than {limit} bytes")));
    }
    match file.members.iter().find(|member| staged.iter().all(|staged| staged.member.path != member.path)) {
        Some(missing) => Err(refused(format!("it holds no {}", missing.path))),
        None => Ok(()),
    }
}

/// Reads to the end.
fn drain(
    rest: &mut impl Read,
    archive: &Path,
    options: &Options,
    damaged: impl Fn(io::Error) -> FetchError,
) -> Result<(), FetchError> {
    let mut buffer = vec![0; CHUNK];
    while rest.read(&mut buffer).map_err(&damaged)? > 0 {
        if options.interrupted() {
            return Err(FetchError::Interrupted { file: archive.into() });
        }
    }
    Ok(())
}

/// One member into a file beside its place; if there is a file at its place, they are compared.
fn stage<'a>(
    entry: &mut impl Read,
    member: &'a Member,
    target: PathBuf,
    options: &Options,
    damaged: impl Fn(io::Error) -> FetchError,
    staged: &mut Vec<Staged<'a>>,
) -> Result<(), FetchError> {
    let there = target.exists().then(|| hash::of_file(&target, options)).transpose()?;
    let part = match (&there, target.parent()) {
        (None, Some(folder)) => {
            fs::create_dir_all(folder).map_err(io_error(folder, "make the folder"))?;
            Some(place::beside(&target, ".part"))
        }
        _ => None,
    };
    let mut out = part.as_ref().map(|part| File::create(part).map_err(io_error(part, "make"))).transpose()?;
    // Known to the caller from here on, who removes it if something fails.
    staged.push(Staged { member, target: target.clone(), part, bytes: 0, sha256: String::new() });
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; CHUNK];
    loop {
        if options.interrupted() {
            return Err(FetchError::Interrupted { file: target });
        }
        let read = entry.read(&mut buffer).map_err(&damaged)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
        if let Some(out) = &mut out {
            out.write_all(&buffer[..read]).map_err(io_error(&target, "write"))?;
        }
    }
    if !member.size.fits(bytes) {
        return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
    }
    let sha256 = hex(&hash.finalize());
    if let Some(found) = there.filter(|found| *found != sha256) {
        return Err(in_the_way(target, &sha256, found));
    }
    if let Some(last) = staged.last_mut() {
        (last.bytes, last.sha256) = (bytes, sha256);
    }
    Ok(())
}

/// Names for the files, then the record.
fn finish(dir: &Path, file: &RemoteFile, staged: &[Staged]) -> Result<Vec<Fetched>, FetchError> {
    let mut made = Vec::new();
    for staged in staged {
        if let Some(part) = &staged.part {
            place::put_in_place(part, &staged.target)?;
        }
        let how = if staged.part.is_some() { How::Unpacked } else { How::Kept };
        made.push(Fetched { path: staged.target.clone(), bytes: staged.bytes, how });
    }
    let members =
        staged.iter().map(|staged| (staged.member.path.to_owned(), staged.sha256.clone())).collect();
    let record = Record { sha256: file.check.sha256.into(), members };
    let path = record_of(dir, file);
    let bytes = serde_json::to_vec(&record).map_err(|error| io_error(&path, "write")(error.into()))?;
    place::write_whole(&path, &bytes)?;
    Ok(made)
}

/// Refuses what no data set needs and attacks are made of, even where it would not be unpacked.
fn harmless(name: &str, kind: EntryType) -> Result<(), String> {
    if kind.is_symlink() || kind.is_hard_link() {
        return Err(format!("it holds a link, {name}"));
    }
    let absolute = name.starts_with(['/', '\\']) || name.as_bytes().get(1) == Some(&b':');
    if absolute || name.split(['/', '\\']).any(|component| component == "..") {
        return Err(format!("its {name} points out of the folder"));
    }
    let extension = kind.is_pax_global_extensions()
        || kind.is_pax_local_extensions()
        || kind.is_gnu_longname()
        || kind.is_gnu_longlink();
    if kind.is_file() || kind.is_dir() || extension {
        Ok(())
    } else {
        Err(format!("its {name} is neither a file nor a folder"))
    }
}

fn record_of(dir: &Path, file: &RemoteFile) -> PathBuf {
    dir.join(format!(".{}.unpacked.json", file.name))
}

fn in_the_way(file: PathBuf, expected: &str, found: String) -> FetchError {
    FetchError::InTheWay { file, expected: format!("SHA-256 {expected}"), found: format!("SHA-256 {found}") }
}
