#![no_main]
//! The log of a run: read, cut back, and turned into event files.

use std::{fs, path::PathBuf, sync::LazyLock};

use infogan::run::{EventFile, EventLog, read_log};
use infogan_fuzz_data::{folder, put};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("log"));

fuzz_target!(|input: &[u8]| {
    put(&FOLDER, "log.jsonl", input);
    let path = FOLDER.join("log.jsonl");
    let read = read_log(&path);
    if let Ok(mut log) = EventLog::open(&path)
        && log.cut_back(1_000).is_ok()
    {
        let left = read_log(&path).expect("what was cut back can be read");
        assert!(left.len() <= read.map_or(usize::MAX, |lines| lines.len()));
    }
    let _ = fs::remove_dir_all(FOLDER.join("tensorboard"));
    let _ = EventFile::of_log(&path, &FOLDER.join("tensorboard"));
});
