#![no_main]
//! SVHN's MATLAB files, compressed or not.

use std::{path::PathBuf, sync::LazyLock};

use infogan_data::{Split, load_svhn_dir};
use infogan_fuzz_data::{folder, put};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("mat"));

fuzz_target!(|input: &[u8]| {
    put(&FOLDER, "test_32x32.mat", input);
    if let Ok(set) = load_svhn_dir(&FOLDER, Split::Test) {
        assert!(set.labels().is_some_and(|labels| labels.iter().all(|&label| label < 10)));
    }
});
