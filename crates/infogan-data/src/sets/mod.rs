//! The usual binary data sets as their authors publish them, and a form of our own for any set.

pub mod cifar;
mod mat;
pub mod stl10;
pub mod stored;
pub mod svhn;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::DataError;
use crate::files::{open, unreadable};

/// Longest file of class names that is read, in bytes.
const LONGEST_NAMES: u64 = 64 << 10;

/// Where the files of a published set lie.
pub(crate) struct Layout {
    /// The set's name.
    pub(crate) set: &'static str,
    /// The folder that its archive makes: the files lie in it, or beside one another where no archive was.
    pub(crate) folder: &'static str,
    /// Files by which the set is known, one of either split at least.
    pub(crate) signs: &'static [&'static str],
}

impl Layout {
    /// The file of this name in `dir`, or in the folder of the archive inside it.
    pub(crate) fn find(&self, dir: &Path, name: &str) -> Option<PathBuf> {
        [dir.join(name), dir.join(self.folder).join(name)].into_iter().find(|path| path.is_file())
    }

    /// As [`Layout::find`], for a file that must be there.
    fn need(&self, dir: &Path, name: &str) -> Result<PathBuf, DataError> {
        self.find(dir, name).ok_or_else(|| DataError::Missing {
            what: format!("{} file", self.set),
            dir: dir.to_path_buf(),
            looked_for: vec![name.to_string(), format!("{}/{name}", self.folder)],
            remedy: format!("name the folder of the {} files, or get all of them again", self.set),
        })
    }

    /// Names of classes, one a line, from a file that may be absent: then `otherwise`.
    fn class_names(&self, dir: &Path, name: &str, otherwise: Vec<String>) -> Result<Vec<String>, DataError> {
        let Some(path) = self.find(dir, name) else { return Ok(otherwise) };
        let (file, length) = open(&path)?;
        if length > LONGEST_NAMES {
            return Err(malformed(&path, format!("its {length} bytes are too many for names of classes")));
        }
        let mut bytes = Vec::new();
        file.take(LONGEST_NAMES).read_to_end(&mut bytes).map_err(|source| unreadable(&path, source))?;
        let text =
            String::from_utf8(bytes).map_err(|_| malformed(&path, "it is not text in UTF-8".into()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let names: Vec<String> = lines.map(str::to_string).collect();
        if names.len() != otherwise.len() {
            let reason = format!("it names {} classes, not {}", names.len(), otherwise.len());
            return Err(malformed(&path, reason));
        }
        Ok(names)
    }
}

/// A file of whole records of `record` bytes, one at least, with their number.
fn open_records(path: &Path, record: usize) -> Result<(BufReader<File>, u64), DataError> {
    let (file, length) = open(path)?;
    if length == 0 {
        return Err(malformed(path, "it is empty".into()));
    }
    let record = record as u64;
    if !length.is_multiple_of(record) {
        let reason = format!("its {length} bytes are not a whole number of records of {record} bytes");
        return Err(malformed(path, reason));
    }
    Ok((file, length / record))
}

/// Turns square planes that lie column by column into planes row by row, in place.
fn turn_planes(planes: &mut [u8], side: usize) {
    for plane in planes.chunks_exact_mut(side * side) {
        for row in 0..side {
            for column in row + 1..side {
                plane.swap(row * side + column, column * side + row);
            }
        }
    }
}

/// Names for classes that have none.
fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|class| class.to_string()).collect()
}

fn malformed(path: &Path, reason: String) -> DataError {
    let remedy = "get the file again from where the set is published".to_string();
    DataError::Malformed { path: path.to_path_buf(), reason, remedy }
}
