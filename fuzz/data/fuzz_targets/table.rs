#![no_main]
//! Tables of labels beside two pictures: CSV, JSON, Parquet and CelebA's list, told by content.

use std::{path::PathBuf, sync::LazyLock};

use infogan_data::{Fit, FolderOptions, load_folder};
use infogan_fuzz_data::{put, two_pictures};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| two_pictures("table"));

fuzz_target!(|input: &[u8]| {
    put(&FOLDER, "table", input);
    let options = FolderOptions { fit: Fit::to([1, 1, 1]), labels: Some(FOLDER.join("table")) };
    if let Ok(read) = load_folder(&FOLDER.join("pictures"), &options, &|_, _| ()) {
        assert_eq!(read.report.ok + read.report.rejected.len(), 2);
    }
});
