//! The operations that change the disk during a save, one by one.
//!
//! Everything a save does to the disk goes through [`Disk`], so that a test can cut it short before any single
//! operation (as a crash does, or as one refused operation does) and read the order in which they came, and so
//! that the kill harness can stretch a save in time.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use crate::run::directory::sync_directory;

/// Bytes per write; a kill between two writes leaves a file cut at a multiple of it.
const CHUNK: usize = 1 << 16;

/// The disk as a save sees it.
#[derive(Debug)]
pub(super) struct Disk {
    /// Slept before each operation; zero outside the kill harness.
    pause: Duration,
    chunk: usize,
    #[cfg(test)]
    pub(super) fault: Option<Fault>,
    #[cfg(test)]
    pub(super) trace: Vec<String>,
}

/// Which operation fails, counted from 0.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// This one only: the error is handled while the disk works.
    Once(usize),
    /// This one and all after it: the state of the disk is that of a crash at this moment.
    Crash(usize),
}

impl Disk {
    /// A disk that sleeps `total` in all over a save of `bytes` bytes in `files` files.
    pub(super) fn with_delay(total: Duration, files: usize, bytes: usize) -> Self {
        // Per file: make, sync, and the writes; around them: make the directory, two syncs, the rename and the pruning.
        let operations = 3 * files + bytes / CHUNK + 8;
        let pause = total / u32::try_from(operations).unwrap_or(u32::MAX);
        Self {
            pause,
            chunk: CHUNK,
            #[cfg(test)]
            fault: None,
            #[cfg(test)]
            trace: Vec::new(),
        }
    }

    /// A disk with small writes and a fault, for tests.
    #[cfg(test)]
    pub(super) fn with_fault(fault: Option<Fault>) -> Self {
        Self { chunk: 256, fault, ..Self::with_delay(Duration::ZERO, 0, 0) }
    }

    /// Called before each operation.
    fn next(&mut self, operation: &'static str, path: &Path) -> io::Result<()> {
        if !self.pause.is_zero() {
            std::thread::sleep(self.pause);
        }
        #[cfg(test)]
        {
            let at = self.trace.len();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            self.trace.push(format!("{operation} {name}"));
            match self.fault {
                Some(Fault::Once(fault)) if at == fault => return Err(io::Error::other("injected")),
                Some(Fault::Crash(fault)) if at >= fault => return Err(io::Error::other("injected")),
                _ => {}
            }
        }
        let _ = (operation, path);
        Ok(())
    }

    /// Makes one directory.
    pub(super) fn make_directory(&mut self, path: &Path) -> io::Result<()> {
        self.next("make", path)?;
        fs::create_dir(path)
    }

    /// Makes a file that must not exist, writes it and syncs it.
    pub(super) fn write_file(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.next("create", path)?;
        let mut file = File::create_new(path)?;
        for chunk in bytes.chunks(self.chunk) {
            self.next("write", path)?;
            file.write_all(chunk)?;
        }
        self.next("sync", path)?;
        file.sync_all()
    }

    /// Makes the names in a directory durable.
    pub(super) fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        self.next("sync", path)?;
        sync_directory(path)
    }

    /// Renames; both in the same directory.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.next("rename", from)?;
        fs::rename(from, to)
    }

    /// Removes a directory with its files; one that does not exist is removed already. A symbolic link is removed,
    /// never followed.
    pub(super) fn remove_tree(&mut self, path: &Path) -> io::Result<()> {
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if !found.is_dir() {
            self.next("remove", path)?;
            return fs::remove_file(path);
        }
        for entry in fs::read_dir(path)? {
            self.remove_tree(&entry?.path())?;
        }
        self.next("remove", path)?;
        fs::remove_dir(path)
    }
}
