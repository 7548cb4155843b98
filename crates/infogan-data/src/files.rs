//! Files, read with bounds and written whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::DataError;

/// Deflate cannot expand by more than 1032 (a match of 258 bytes costs two bits at least).
pub(crate) const LARGEST_EXPANSION: u64 = 1032;

/// A file, buffered, with its length in bytes.
///
/// # Errors
/// When it cannot be opened.
pub(crate) fn open(path: &Path) -> Result<(BufReader<File>, u64), DataError> {
    let unreadable = |source| unreadable(path, source);
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    Ok((BufReader::new(file), length))
}

/// The system would not give what it was asked for.
pub(crate) fn unreadable(path: &Path, source: io::Error) -> DataError {
    DataError::Read { path: path.to_path_buf(), source }
}

/// An empty vector with room for `count` values, or in words why not. To be asked only for what the length of
/// a file makes possible.
pub(crate) fn room<T>(count: u64) -> Result<Vec<T>, String> {
    let mut values = Vec::new();
    let fits = usize::try_from(count).is_ok_and(|count| values.try_reserve_exact(count).is_ok());
    if fits { Ok(values) } else { Err(format!("its {count} values do not fit into memory")) }
}

/// A file written beside its place, not there yet. Dropped without [`NewFile::place`] it leaves nothing.
pub(crate) struct NewFile {
    path: PathBuf,
    unfinished: PathBuf,
}

impl NewFile {
    /// Writes everything and waits until it is on the disk.
    ///
    /// # Errors
    /// When something is there already, or the disk does not take it.
    pub(crate) fn write(
        path: &Path,
        fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<Self, DataError> {
        if path.symlink_metadata().is_ok() {
            return Err(there(path));
        }
        let Some(name) = path.file_name() else {
            let reason = "it does not end in the name of a file";
            return Err(DataError::invalid(path.display().to_string(), reason, "name a file"));
        };
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.tmp", std::process::id()));
        let unfinished = path.with_file_name(hidden);
        let file = File::create(&unfinished).map_err(|error| unwritable(path, &error))?;
        // From here on the unfinished file goes when this value goes.
        let new = Self { path: path.to_path_buf(), unfinished };
        let mut out = BufWriter::new(file);
        fill(&mut out)
            .and_then(|()| out.flush())
            .and_then(|()| out.get_ref().sync_all())
            .map_err(|error| unwritable(path, &error))?;
        Ok(new)
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// When something has come there meanwhile, or it cannot be renamed.
    pub(crate) fn place(self) -> Result<(), DataError> {
        // A rename would take the place of what another process has put there; a second name cannot. The first goes with
        // this value.
        match fs::hard_link(&self.unfinished, &self.path) {
            Ok(()) => Ok(()),
            Err(_) if self.path.symlink_metadata().is_ok() => Err(there(&self.path)),
            // Some file systems have no second names.
            Err(_) => {
                fs::rename(&self.unfinished, &self.path).map_err(|error| unwritable(&self.path, &error))
            }
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After a rename there is nothing of this name any more.
        let _ = fs::remove_file(&self.unfinished);
    }
}

fn there(path: &Path) -> DataError {
    DataError::invalid(
        path.display().to_string(),
        "it is there already and is not written over",
        "name another place, or remove it first",
    )
}

fn unwritable(path: &Path, error: &io::Error) -> DataError {
    DataError::Write { path: path.to_path_buf(), reason: error.to_string() }
}
