#![no_main]
//! Whole pictures: decoded, turned, brought to a shape. A panic inside a decoder is the file's fault and caught in the
//! library; any other ends the process.

use std::{path::PathBuf, sync::LazyLock};

use infogan_data::{Fit, read_pictures};
use infogan_fuzz_data::{folder, put};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("picture"));

fuzz_target!(|input: &[u8]| {
    put(&FOLDER, "a.png", input);
    if let Ok(read) = read_pictures(&[FOLDER.join("a.png")], &Fit::to([3, 8, 8])) {
        assert_eq!((read.set.len(), read.rejected.len()), (1, 0));
    }
});
