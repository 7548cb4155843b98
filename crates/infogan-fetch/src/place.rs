//! Files beside files: names, whole writes, the lock of a folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::{FetchError, io as io_error};

/// `NAME` with `suffix` after it, in the same folder.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

/// Makes the folder and takes its lock, which is held as long as the file lives.
pub(crate) fn lock(dir: &Path) -> Result<File, FetchError> {
    fs::create_dir_all(dir).map_err(io_error(dir, "make the folder"))?;
    // The file stays: whoever removed it would take the lock away from under the next one who waits for it.
    let path = dir.join(".fetch.lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io_error(&path, "make the lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FetchError::Busy { dir: dir.into() }),
        Err(TryLockError::Error(error)) => Err(io_error(&path, "lock")(error)),
    }
}

/// Gives a finished file its name, durably.
pub(crate) fn put_in_place(part: &Path, target: &Path) -> Result<(), FetchError> {
    File::open(part).and_then(|file| file.sync_all()).map_err(io_error(part, "sync"))?;
    fs::rename(part, target).map_err(io_error(target, "put in place"))?;
    sync_folder_of(target)
}

/// Writes a small file in one step.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FetchError> {
    let temporary = beside(path, ".tmp");
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&temporary);
        return Err(io_error(path, "write")(error));
    }
    Ok(())
}

/// Reads a small JSON file of ours. Whatever it is that cannot be read so is as good as absent.
pub(crate) fn read_small<T: DeserializeOwned>(path: &Path) -> Option<T> {
    const LIMIT: u64 = 64 * 1024;
    let mut text = String::new();
    File::open(path).ok()?.take(LIMIT).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Removes a file that may be absent.
pub(crate) fn remove(path: &Path) -> Result<(), FetchError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path, "remove")(error)),
        _ => Ok(()),
    }
}

/// Makes names durable; where a folder cannot be opened as a file this does nothing.
fn sync_folder_of(path: &Path) -> Result<(), FetchError> {
    match path.parent() {
        Some(parent) if cfg!(unix) => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            File::open(parent).and_then(|folder| folder.sync_all()).map_err(io_error(parent, "sync"))
        }
        _ => Ok(()),
    }
}
