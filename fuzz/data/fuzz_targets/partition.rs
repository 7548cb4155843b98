#![no_main]
//! The list of halves beside two pictures, as CelebA has it.

use std::{path::PathBuf, sync::LazyLock};

use infogan_data::{Fit, FolderOptions, load_folder};
use infogan_fuzz_data::{put, two_pictures};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| two_pictures("partition"));

fuzz_target!(|input: &[u8]| {
    put(&FOLDER, "pictures/list_eval_partition.txt", input);
    let options = FolderOptions { fit: Fit::to([1, 1, 1]), labels: None };
    if let Ok(read) = load_folder(&FOLDER.join("pictures"), &options, &|_, _| ()) {
        // A list that begins as a picture does is named as a broken one.
        assert!(matches!(read.report.ok + read.report.rejected.len(), 2 | 3));
    }
});
