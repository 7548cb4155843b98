//! Event logs: one JSON object per line, appended while a run goes on and cut back when it resumes.
//!
//! `log.jsonl` and `scores.jsonl` have the same form. A process may die in the middle of a line, so the last
//! line may be torn: it is passed over when reading and dropped before writing goes on. A line broken anywhere
//! else is somebody's mistake and is reported with its number.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::directory::{atomic_write, remedy};

/// Why a log could not be read, written or cut.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system refused an operation.
    #[error("{}: could not {action}: {source}; {}", path.display(), remedy(source))]
    Io {
        /// The log, or the directory of pictures.
        path: PathBuf,
        /// What was tried, in words.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A line before the last is not a JSON object.
    #[error("{}, line {line}: {reason}; repair or delete this line", path.display())]
    BrokenLine {
        /// The log.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser said.
        reason: String,
    },
    /// What should be appended is not an object.
    #[error("{}: an event must be a JSON object, not {found}", path.display())]
    NotAnObject {
        /// The log.
        path: PathBuf,
        /// The value, shortened.
        found: String,
    },
}

/// A log open for appending.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
    file: File,
}

impl EventLog {
    /// Opens a log, or makes it. A torn last line is dropped; a whole one without its line break gets it.
    ///
    /// # Errors
    /// [`LogError::Io`] when the file cannot be made, read or written.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        mend_end(path)?;
        let file = append_to(path)?;
        Ok(Self { path: path.into(), file })
    }

    /// Appends one event as one line with a single write. After an error the log is as long as before.
    ///
    /// # Errors
    /// [`LogError::NotAnObject`], or [`LogError::Io`] when the disk refuses.
    pub fn append(&mut self, event: &Value) -> Result<(), LogError> {
        let mut line = event.to_string();
        if !event.is_object() {
            line = line.chars().take(80).collect();
            return Err(LogError::NotAnObject { path: self.path.clone(), found: line });
        }
        line.push('\n');
        let before = self.file.metadata().map_err(failed(&self.path, "look at the log"))?.len();
        self.file.write_all(line.as_bytes()).map_err(|error| {
            // A full disk may have taken half the line.
            let _ = self.file.set_len(before);
            failed(&self.path, "append to the log")(error)
        })
    }

    /// Makes everything appended so far durable. Called before a checkpoint, so that no checkpoint is newer than
    /// the log that belongs to it.
    ///
    /// # Errors
    /// [`LogError::Io`] when the disk refuses.
    pub fn sync(&mut self) -> Result<(), LogError> {
        self.file.sync_all().map_err(failed(&self.path, "sync the log"))
    }

    /// [`cut_back`] on this log, which then appends to the shorter file.
    ///
    /// # Errors
    /// Those of [`cut_back`].
    pub fn cut_back(&mut self, step: u64) -> Result<(), LogError> {
        cut_back(&self.path, step)?;
        self.file = append_to(&self.path)?;
        Ok(())
    }
}

/// All events of a log, in order. A torn last line is passed over, and so are empty lines.
///
/// # Errors
/// [`LogError::Io`] when the file is missing or unreadable, [`LogError::BrokenLine`] for a line before the last.
pub fn read(path: &Path) -> Result<Vec<Value>, LogError> {
    let bytes = fs::read(path).map_err(failed(path, "read the log"))?;
    let lines = lines(&bytes);
    let last = lines.len();
    let mut events = Vec::with_capacity(last);
    for (number, line) in (1..).zip(lines) {
        match parse(line) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => {}
            Err(_) if number == last => {}
            Err(reason) => {
                return Err(LogError::BrokenLine { path: path.into(), line: number, reason });
            }
        }
    }
    Ok(events)
}

/// Cuts a log back to a step: keeps, byte for byte, the whole lines whose `"step"` is at most `step`, and rewrites the
/// file in one step. A line without a step belongs to the last step named before it. A log that does not exist is
/// as short as can be.
///
/// Broken lines are dropped where nothing that is kept follows them: what a power cut left behind the last
/// synced line is cut away with the rest.
///
/// # Errors
/// [`LogError::Io`], or [`LogError::BrokenLine`] for a broken line before a kept one; the file is then unchanged.
pub fn cut_back(path: &Path, step: u64) -> Result<(), LogError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(path, "read the log")(error)),
    };
    let mut kept = Vec::with_capacity(bytes.len());
    let mut current = 0.0;
    let mut broken: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(lines(&bytes)) {
        let event = match parse(line) {
            Ok(Some(event)) => event,
            Ok(None) => continue,
            Err(reason) => {
                broken.get_or_insert((number, reason));
                continue;
            }
        };
        // A whole number below 2^53 either way; steps stay far below that.
        current = event.get("step").and_then(Value::as_f64).unwrap_or(current);
        if current > step as f64 {
            continue;
        }
        if let Some((line, reason)) = broken {
            return Err(LogError::BrokenLine { path: path.into(), line, reason });
        }
        kept.extend_from_slice(line);
        kept.push(b'\n');
    }
    if kept == bytes {
        return Ok(());
    }
    atomic_write(path, &kept).map_err(failed(path, "rewrite the log"))
}

/// Removes the pictures of later steps: `fakes-NNNNNNNN.png`, `traverse-NNNNNNNN.png` and both as `.gif`. Everything
/// else in the directory stays. Returns what was removed, sorted. A directory that does not exist holds none.
///
/// # Errors
/// [`LogError::Io`] when the directory cannot be read or a picture cannot be removed.
pub fn cut_pictures(images: &Path, step: u64) -> Result<Vec<PathBuf>, LogError> {
    let entries = match fs::read_dir(images) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(images, "list the pictures")(error)),
    };
    let mut later = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(images, "list the pictures"))?;
        let drawn_at = entry.file_name().to_str().and_then(picture_step);
        if drawn_at.is_some_and(|drawn_at| drawn_at > step) {
            later.push(entry.path());
        }
    }
    later.sort();
    for path in &later {
        fs::remove_file(path).map_err(failed(path, "remove a picture of a later step"))?;
    }
    Ok(later)
}

/// `fakes-00000500.png` → 500.
fn picture_step(name: &str) -> Option<u64> {
    let (stem, kind) = name.rsplit_once('.')?;
    let digits = stem.strip_prefix("fakes-").or_else(|| stem.strip_prefix("traverse-"))?;
    let plain = digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain && matches!(kind, "png" | "gif") { digits.parse().ok() } else { None }
}

/// The lines without their line breaks; what follows the last line break is a line where it is not empty.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

/// One line: an object, nothing, or what is wrong with it.
fn parse(line: &[u8]) -> Result<Option<Value>, String> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    match serde_json::from_slice(line) {
        Ok(event @ Value::Object(_)) => Ok(Some(event)),
        Ok(_) => Err("is not a JSON object".to_owned()),
        Err(error) => Err(format!("is not JSON: {error}")),
    }
}

/// Makes the file end in a whole line and its line break, dropping a torn last line.
fn mend_end(path: &Path) -> Result<(), LogError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(path, "read the log")(error)),
    };
    let Some(&last) = lines(&bytes).last() else { return Ok(()) };
    let ended = bytes.last() == Some(&b'\n');
    let mut mended = bytes.clone();
    if parse(last).is_err() {
        mended.truncate(bytes.len() - usize::from(ended) - last.len());
    } else if !ended {
        mended.push(b'\n');
    } else {
        return Ok(());
    }
    atomic_write(path, &mended).map_err(failed(path, "mend the last line"))
}

fn append_to(path: &Path) -> Result<File, LogError> {
    OpenOptions::new().append(true).create(true).open(path).map_err(failed(path, "open the log"))
}

pub(super) fn failed(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_path_buf();
    move |source| LogError::Io { path, action, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::directory::tests::Mount;
    use proptest::prelude::*;
    use serde_json::json;
    use tempfile::tempdir;

    #[test]
    fn what_is_appended_is_read() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let events = [json!({"step": 20, "losses": {"q": 0.1}}), json!({"note": "two\nlines"})];
        let mut log = EventLog::open(&path).unwrap();
        log.append(&events[0]).unwrap();
        drop(log);
        let mut log = EventLog::open(&path).unwrap();
        log.append(&events[1]).unwrap();
        log.sync().unwrap();
        assert_eq!(read(&path).unwrap(), events);
        assert_eq!(fs::read(&path).unwrap().iter().filter(|&&byte| byte == b'\n').count(), 2);
        assert!(matches!(log.append(&json!([1])), Err(LogError::NotAnObject { .. })));
        assert_eq!(read(&path).unwrap().len(), 2);
        let missing = read(&folder.path().join("none.jsonl")).unwrap_err().to_string();
        assert!(missing.contains("none.jsonl"), "{missing}");
    }

    #[test]
    fn a_full_disk_leaves_no_half_line() {
        let Some(mount) = Mount::new("size=16k") else { return };
        let path = mount.path().join("log.jsonl");
        let mut log = EventLog::open(&path).unwrap();
        log.append(&json!({"step": 1})).unwrap();
        let error = log.append(&json!({"step": 2, "note": "x".repeat(40_000)})).unwrap_err();
        assert!(error.to_string().contains("free some space"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":1}\n");
        log.append(&json!({"step": 3})).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
    }

    #[test]
    fn a_torn_last_line_is_passed_over_and_does_not_spoil_the_next() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let whole = "{\"step\":1}\n{\"step\":2}\n";
        for torn in ["{\"step\":3", "{", "7", "\0\0\0", "{\"step\":\n"] {
            fs::write(&path, format!("{whole}{torn}")).unwrap();
            assert_eq!(read(&path).unwrap().len(), 2, "{torn:?}");
            EventLog::open(&path).unwrap().append(&json!({"step": 4})).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{whole}{{\"step\":4}}\n"));
        }
        // Whole but for its line break, as an editor may leave it.
        fs::write(&path, "{\"step\":1}").unwrap();
        EventLog::open(&path).unwrap().append(&json!({"step": 2})).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    }

    #[test]
    fn a_broken_earlier_line_is_named() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let text = "{\"step\":1}\n\n{\"step\":\n{\"step\":3}\n";
        fs::write(&path, text).unwrap();
        assert!(matches!(read(&path), Err(LogError::BrokenLine { line: 3, .. })));
        assert!(matches!(cut_back(&path, 3), Err(LogError::BrokenLine { line: 3, .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "a refused cut changes nothing");
        // Beyond the cut it is cut away like everything else there.
        cut_back(&path, 2).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":1}\n");
    }

    #[test]
    fn cutting_back_keeps_the_bytes_of_earlier_lines() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let head = "{\"started\": true}\n{\"b\": 1, \"step\": 20,  \"a\": 0.10}\n{\"note\":1}\n";
        let tail = "{\"step\":40}\n{\"note\":2}\n{\"step\":6";
        fs::write(&path, format!("{head}{tail}")).unwrap();
        let mut log = EventLog::open(&path).unwrap();
        log.cut_back(39).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), head);
        log.append(&json!({"step": 40})).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{head}{{\"step\":40}}\n"));
        cut_back(&folder.path().join("none.jsonl"), 3).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing beside the log");
    }

    #[test]
    fn pictures_of_later_steps_go_and_everything_else_stays() {
        let folder = tempdir().unwrap();
        let stay = [
            "reals.png",
            "fakes-00000500.png",
            "traverse-00000000.gif",
            "fakes-600.png",
            "fakes-00000900.txt",
            "mine-00000900.png",
            "fakes-0000090x.png",
        ];
        let go =
            ["fakes-00000501.png", "fakes-100000000.png", "traverse-00000600.gif", "traverse-00000600.png"];
        for name in stay.iter().chain(&go) {
            fs::write(folder.path().join(name), "picture").unwrap();
        }
        let removed = cut_pictures(folder.path(), 500).unwrap();
        let expected: Vec<PathBuf> = go.iter().map(|name| folder.path().join(name)).collect();
        assert_eq!(removed, expected);
        assert!(stay.iter().all(|name| folder.path().join(name).exists()));
        assert!(cut_pictures(&folder.path().join("none"), 0).unwrap().is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Cutting a log torn anywhere equals cutting what was whole of it.
        #[test]
        fn any_tear_and_any_cut(steps in 0_u64..30, tear in 0_usize..400, cut in 0_u64..40) {
            let folder = tempdir().unwrap();
            let path = folder.path().join("log.jsonl");
            let mut log = EventLog::open(&path).unwrap();
            for step in 0..steps {
                log.append(&json!({"step": step, "losses": {"q": 0.5}})).unwrap();
            }
            let bytes = fs::read(&path).unwrap();
            let torn = &bytes[..tear.min(bytes.len())];
            fs::write(&path, torn).unwrap();
            // A tear that took only the line break left a whole line.
            let whole = torn.iter().filter(|&&byte| byte == b'}').count() / 2;
            cut_back(&path, cut).unwrap();
            let seen: Vec<u64> =
                read(&path).unwrap().iter().map(|event| event["step"].as_u64().unwrap()).collect();
            let expected: Vec<u64> = (0..steps).take(whole).filter(|&step| step <= cut).collect();
            prop_assert_eq!(seen, expected);
            prop_assert!(bytes.starts_with(&fs::read(&path).unwrap()));
        }
    }
}
