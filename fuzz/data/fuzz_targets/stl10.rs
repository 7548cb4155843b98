#![no_main]
//! The binary files of STL-10: labels and pictures from the two parts of the input.

use std::{path::PathBuf, sync::LazyLock};

use infogan_data::{Split, load_stl10_dir};
use infogan_fuzz_data::{folder, parts, put};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("stl10"));

fuzz_target!(|input: &[u8]| {
    let Some((labels, pictures)) = parts(input) else { return };
    put(&FOLDER, "test_X.bin", pictures);
    put(&FOLDER, "test_y.bin", labels);
    if let Ok(set) = load_stl10_dir(&FOLDER, Split::Test) {
        assert_eq!(set.len(), labels.len());
    }
});
