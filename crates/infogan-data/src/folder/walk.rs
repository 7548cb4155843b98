//! What lies in a folder: files that may be pictures, in an order that no system changes.

use std::{
    collections::{HashSet, VecDeque},
    fs,
    path::{Path, PathBuf},
};

use super::Rejected;
use crate::{
    DataError,
    picture::decode::{beginning_of, ending_of, has_ending, kind_of},
};

/// Folders within folders that are entered.
const DEEPEST: usize = 16;
/// What the system makes up. Links lead from there to everywhere.
const MADE_UP: [&str; 2] = ["/proc", "/sys"];

/// Endings of pictures of kinds that are not read.
const UNREAD: [&str; 12] =
    ["tif", "tiff", "heic", "heif", "avif", "svg", "psd", "jp2", "jxl", "tga", "exr", "dng"];

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Files to decode, by their path within the folder, sorted by its bytes.
    pub files: Vec<Entry>,
    /// What looks like a picture and cannot be opened.
    pub rejected: Vec<Rejected>,
    /// Files that are no pictures and do not claim to be.
    pub ignored: usize,
    /// Folders that are read under another name: links, and what lies behind links.
    pub repeated: Vec<PathBuf>,
    /// Pictures, by their names, of kinds that are not read.
    pub unread: Vec<PathBuf>,
    /// Links to folders elsewhere, which are read.
    pub outside: Vec<PathBuf>,
    /// Folders that are named as picture files are.
    pub named_as_pictures: Vec<PathBuf>,
}

/// A file to decode.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Path within the folder.
    pub inside: PathBuf,
    /// Whether its name ends otherwise than its content.
    pub misnamed: bool,
}

/// Looks through a folder and the folders in it. Hidden files are passed over. Links are followed when all that lies here
/// has been seen, so that a folder's own name is the one that counts; a folder is entered once. They may lead out of the
/// folder, for sets lie on other disks, but not to what holds it: that would be the whole machine.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn walk(dir: &Path) -> Result<Found, DataError> {
    let mut found = Found::default();
    let mut entered = HashSet::new();
    let root = dir.canonicalize().map_err(|source| DataError::Read { path: dir.to_path_buf(), source })?;
    fs::read_dir(&root).map_err(|source| DataError::Read { path: dir.to_path_buf(), source })?;
    entered.insert(root.clone());
    let (mut waiting, mut links) = (vec![PathBuf::new()], VecDeque::new());
    loop {
        let Some(inside) = waiting.pop() else {
            let Some(link): Option<PathBuf> = links.pop_front() else { break };
            match dir.join(&link).canonicalize() {
                Ok(target) if entered.contains(&target) => found.repeated.push(link),
                Ok(target) if root.starts_with(&target) => {
                    found.reject(&link, "the link leads to a folder around this one".to_owned());
                }
                Ok(target) if MADE_UP.iter().any(|made_up| target.starts_with(made_up)) => {
                    found.reject(&link, "the link leads to what the system makes up".to_owned());
                }
                Ok(target) => {
                    if !target.starts_with(&root) {
                        found.outside.push(link.clone());
                    }
                    entered.insert(target);
                    waiting.push(link);
                }
                Err(error) => found.reject(&link, format!("the link cannot be followed ({error})")),
            }
            continue;
        };
        let names = match names_in(&dir.join(&inside)) {
            Ok(names) => names,
            Err(error) => {
                found.reject(&inside, format!("the folder cannot be read ({error})"));
                continue;
            }
        };
        for name in names {
            let inside = inside.join(name);
            let path = dir.join(&inside);
            if !path.is_dir() {
                found.look_at(&path, inside);
                continue;
            }
            if has_ending(&inside) {
                found.named_as_pictures.push(inside.clone());
            }
            if inside.components().count() > DEEPEST {
                found.reject(&inside, format!("the folder lies more than {DEEPEST} folders deep"));
            } else if path.is_symlink() {
                links.push_back(inside);
            } else if path.canonicalize().is_ok_and(|real| !entered.insert(real)) {
                found.repeated.push(inside);
            } else {
                waiting.push(inside);
            }
        }
    }
    let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
    found.files.sort_by_key(|entry| bytes(&entry.inside));
    found.rejected.sort_by_key(|rejected| bytes(&rejected.file));
    found.repeated.sort_by_key(|link| bytes(link));
    found.unread.sort_by_key(|file| bytes(file));
    found.outside.sort_by_key(|link| bytes(link));
    found.named_as_pictures.sort_by_key(|folder| bytes(folder));
    Ok(found)
}

/// Names in a folder that are not hidden, in order: which of two links to one folder is followed must not depend on the
/// system.
fn names_in(dir: &Path) -> std::io::Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

impl Found {
    fn reject(&mut self, inside: &Path, reason: String) {
        self.rejected.push(Rejected { file: inside.to_path_buf(), reason });
    }

    fn look_at(&mut self, path: &Path, inside: PathBuf) {
        let claims = has_ending(&inside);
        let beginning = match fs::metadata(path) {
            Err(error) if claims || path.is_symlink() => {
                return self.reject(&inside, format!("it cannot be looked at ({error})"));
            }
            // A pipe or a device is never opened: it might never answer.
            Ok(about) if !about.is_file() && claims => {
                return self.reject(&inside, "it is no regular file".to_owned());
            }
            // Nor is what has no length: systems offer such files that never end, or never begin.
            Ok(about) if about.is_file() && about.len() == 0 => Ok(Vec::new()),
            Ok(about) if about.is_file() => beginning_of(path),
            _ => {
                self.ignored += 1;
                return;
            }
        };
        match beginning {
            Err(error) if claims => self.reject(&inside, format!("it cannot be read ({error})")),
            Err(_) => self.ignored += 1,
            Ok(beginning) => match kind_of(&beginning) {
                Some(kind) => {
                    let misnamed = ending_of(&inside) != Some(kind);
                    self.files.push(Entry { inside, misnamed });
                }
                None if claims && beginning.is_empty() => self.reject(&inside, "it is empty".to_owned()),
                None if claims => {
                    self.reject(&inside, "its content is no picture of a known kind".to_owned());
                }
                None => {
                    let ending = inside.extension().map(|ending| ending.to_string_lossy().to_lowercase());
                    if ending.is_some_and(|ending| UNREAD.contains(&ending.as_str())) {
                        self.unread.push(inside);
                    }
                    self.ignored += 1;
                }
            },
        }
    }
}
