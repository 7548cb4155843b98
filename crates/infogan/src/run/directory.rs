//! The run directory: where a run keeps its configuration, log, pictures, checkpoints and scores.
//!
//! A directory is either numbered under a root (`runs/00003-mnist-seed0`) or named by the user. While a
//! process trains, it holds an exclusive lock on `.lock` inside, so two processes never write the same run.
//! The lock belongs to the operating system: it ends with the process, however that ends, and the file that
//! stays behind means nothing by itself.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The configuration of a run is text of a few kilobytes; anything above this is not one.
const CONFIG_LIMIT: u64 = 4 << 20;

/// Why a run directory could not be made, opened, locked, read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// The operating system refused an operation.
    #[error("{}: could not {action}: {source}; {}", path.display(), remedy(source))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, in words.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process holds the lock of this run.
    #[error(
        "another process ({}) is training in this run: {}; wait for it or stop it, or start another run with --new",
        pid.map_or_else(|| "pid unknown".to_owned(), |pid| format!("pid {pid}")),
        path.display()
    )]
    Locked {
        /// The run directory.
        path: PathBuf,
        /// The process that wrote its number into the lock file, where that could be read.
        pid: Option<u32>,
    },
    /// The path exists and is something else.
    #[error("{}: {reason}; name a run directory, one that holds config.toml", path.display())]
    NotARun {
        /// The path as given.
        path: PathBuf,
        /// What was found instead.
        reason: &'static str,
    },
    /// `config.toml` is too long or not UTF-8.
    #[error("{}: {reason}; restore the file, or start another run with --new", path.display())]
    BadConfig {
        /// The configuration file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// An existing run directory, locked or not.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    lock: Option<File>,
}

impl RunDir {
    /// Makes `root/NNNNN-name` with the next free number, and `root` where it is missing.
    ///
    /// Characters of `name` outside `A–Z a–z 0–9 . _ -` become `-`. Processes that come at the same time get
    /// different numbers: the choice is made under a lock on `root/.lock`, and `create_dir` never takes a
    /// directory that exists.
    ///
    /// # Errors
    /// [`RunDirError::Io`] when a directory cannot be read or made.
    pub fn create_numbered(root: &Path, name: &str) -> Result<Self, RunDirError> {
        fs::create_dir_all(root).map_err(failed(root, "make the directory"))?;
        // A file system without locks still has create_dir; only then may two names share a number.
        let numbering = open_lock(&root.join(".lock"))?;
        let _ = numbering.lock();
        let taken = list_runs(root)?;
        let mut number = taken.last().map_or(0, |(number, _)| number.saturating_add(1));
        loop {
            let path = root.join(format!("{number:05}-{}", plain_name(name)));
            match fs::create_dir(&path) {
                Ok(()) => {
                    sync_directory(root).map_err(failed(root, "sync the directory"))?;
                    return Ok(Self { path, lock: None });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < u32::MAX => {
                    number += 1;
                }
                Err(error) => return Err(failed(&path, "make the directory")(error)),
            }
        }
    }

    /// Makes the directory a user named, with its parents; one that exists is taken as it is.
    ///
    /// # Errors
    /// [`RunDirError::NotARun`] for a file, [`RunDirError::Io`] when it cannot be made.
    pub fn create(path: &Path) -> Result<Self, RunDirError> {
        if path.exists() && !path.is_dir() {
            return Err(RunDirError::NotARun { path: path.into(), reason: "is not a directory" });
        }
        fs::create_dir_all(path).map_err(failed(path, "make the directory"))?;
        Ok(Self { path: path.into(), lock: None })
    }

    /// Opens a run that was made before: a directory that holds `config.toml`.
    ///
    /// # Errors
    /// [`RunDirError::NotARun`] when there is no such directory or no configuration in it.
    pub fn open(path: &Path) -> Result<Self, RunDirError> {
        let reason = match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => "does not exist",
            Err(error) => return Err(failed(path, "look at it")(error)),
            Ok(found) if !found.is_dir() => "is not a directory",
            Ok(_) if !path.join("config.toml").is_file() => "holds no config.toml",
            Ok(_) => return Ok(Self { path: path.into(), lock: None }),
        };
        Err(RunDirError::NotARun { path: path.into(), reason })
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything that was resolved, and the versions.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// One object per tick.
    pub fn log(&self) -> PathBuf {
        self.path.join("log.jsonl")
    }

    /// Every evaluation with its protocol.
    pub fn scores(&self) -> PathBuf {
        self.path.join("scores.jsonl")
    }

    /// Event files for TensorBoard, where they were asked for.
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard")
    }

    /// Writes what was found among the picture files of a run: `data.json`.
    ///
    /// # Errors
    /// [`RunDirError::Io`] when it cannot be written.
    pub fn write_data_report(&self, report: &infogan_data::Report) -> Result<(), RunDirError> {
        let path = self.path.join("data.json");
        let text = serde_json::to_string_pretty(report).map_err(io::Error::other);
        let written = text.and_then(|text| atomic_write(&path, (text + "\n").as_bytes()));
        written.map_err(failed(&path, "write the report of the pictures"))
    }

    /// Where pictures go. Not made before the first picture.
    pub fn images(&self) -> PathBuf {
        self.path.join("images")
    }

    /// Where checkpoints go. Not made before the first checkpoint.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The page for people.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// Takes the exclusive lock, held until this value is dropped or the process ends. Taking it twice is one lock.
    ///
    /// # Errors
    /// [`RunDirError::Locked`] when another process trains here, [`RunDirError::Io`] when the file cannot be
    /// made or the file system knows no locks.
    pub fn lock(&mut self) -> Result<(), RunDirError> {
        if self.lock.is_some() {
            return Ok(());
        }
        let path = self.path.join(".lock");
        let mut file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = file.take(32).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(RunDirError::Locked { path: self.path.clone(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed(&path, "lock the file")(error)),
        }
        // For the message above only; a failure to write it does not weaken the lock.
        let _ = file.set_len(0).and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
        self.lock = Some(file);
        Ok(())
    }

    /// Whether this value holds the lock.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// Replaces `config.toml` in one step.
    ///
    /// # Errors
    /// [`RunDirError::Io`]; the old file is then still whole.
    pub fn write_config(&self, text: &str) -> Result<(), RunDirError> {
        let path = self.config();
        atomic_write(&path, text.as_bytes()).map_err(failed(&path, "write the file"))
    }

    /// The text of `config.toml`.
    ///
    /// # Errors
    /// [`RunDirError::Io`] when it cannot be read, [`RunDirError::BadConfig`] when it is not text of a sane length.
    pub fn read_config(&self) -> Result<String, RunDirError> {
        let path = self.config();
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(CONFIG_LIMIT + 1).read_to_end(&mut bytes))
            .map_err(failed(&path, "read the file"))?;
        if bytes.len() as u64 > CONFIG_LIMIT {
            return Err(RunDirError::BadConfig { path, reason: "is longer than 4 MiB" });
        }
        String::from_utf8(bytes).map_err(|_| RunDirError::BadConfig { path, reason: "is not UTF-8 text" })
    }

    /// Removes what interrupted writes left in the run directory and in `images/`. Only for the holder of the
    /// lock: without it, the leftovers may belong to a process that is still writing.
    ///
    /// # Errors
    /// [`RunDirError::Io`] when a directory cannot be read or a leftover cannot be removed.
    pub fn remove_leftovers(&self) -> Result<(), RunDirError> {
        for directory in [self.path.clone(), self.images()] {
            remove_temporaries(&directory)
                .map_err(failed(&directory, "remove what an interrupted write left"))?;
        }
        Ok(())
    }
}

/// The numbered runs under `root`, by number, then by name. A root that does not exist holds none.
///
/// # Errors
/// [`RunDirError::Io`] when the root cannot be read.
pub fn list_runs(root: &Path) -> Result<Vec<(u32, PathBuf)>, RunDirError> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(root, "list the directory")(error)),
    };
    let mut runs = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(root, "list the directory"))?;
        if let Some(number) = run_number(&entry.file_name())
            && entry.path().is_dir()
        {
            runs.push((number, entry.path()));
        }
    }
    runs.sort();
    Ok(runs)
}

/// `00003-mnist-seed0` → 3.
fn run_number(name: &OsStr) -> Option<u32> {
    let (digits, rest) = name.to_str()?.split_once('-')?;
    let plain = digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain && !rest.is_empty() { digits.parse().ok() } else { None }
}

/// A name that is one plain path component on every system.
fn plain_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .take(80)
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .collect();
    if plain.is_empty() { "run".to_owned() } else { plain }
}

fn open_lock(path: &Path) -> Result<File, RunDirError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed(path, "open the lock file"))
}

fn failed(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> RunDirError {
    let path = path.to_path_buf();
    move |source| RunDirError::Io { path, action, source }
}

/// What a user can do about an error of the file system, as the end of a sentence.
pub(crate) fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free some space on that disk, then run the same command again"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "the file system is read-only: choose another place with --out, or mount it for writing"
        }
        ErrorKind::PermissionDenied => "check the owner and the permissions of that directory",
        ErrorKind::NotFound => "check that the path exists and was not moved",
        _ => "check the disk and the path, then run the same command again",
    }
}

/// Writes a whole file in one step: beside its place as `.NAME.tmp-PID`, synced, then renamed over it. A reader sees
/// the old bytes or the new ones. On an error the temporary file is removed and the old file is as it was.
///
/// # Errors
/// The system's error, without a path: the caller knows it.
pub fn atomic_write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path
        .file_name()
        .and_then(OsStr::to_str)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path does not end in a file name"))?;
    let temporary = path.with_file_name(format!(".{name}.tmp-{}", std::process::id()));
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, path)
    };
    if let Err(error) = write() {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

/// Makes the names in a directory durable. On systems where a directory cannot be opened as a file this does nothing.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Removes the files that [`atomic_write`] left in `directory` when its process was killed.
fn remove_temporaries(directory: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() && is_temporary(&entry.file_name()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a name has the form `.NAME.tmp-PID`.
fn is_temporary(name: &OsStr) -> bool {
    let Some((stem, pid)) = name.to_str().and_then(|name| name.rsplit_once(".tmp-")) else {
        return false;
    };
    stem.len() > 1
        && stem.starts_with('.')
        && !pid.is_empty()
        && pid.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
#[path = "directory_tests.rs"]
pub(crate) mod tests;
