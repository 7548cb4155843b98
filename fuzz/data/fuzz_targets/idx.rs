#![no_main]
//! MNIST's files, plain or compressed: pictures and labels from the two parts of the input.

use std::{path::PathBuf, sync::LazyLock};

use infogan_data::{Split, load_idx_dir};
use infogan_fuzz_data::{folder, parts, put};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("idx"));

fuzz_target!(|input: &[u8]| {
    let Some((labels, pictures)) = parts(input) else { return };
    // Which is compressed, the content says.
    put(&FOLDER, "t10k-images-idx3-ubyte", pictures);
    put(&FOLDER, "t10k-labels-idx1-ubyte", labels);
    if let Ok(set) = load_idx_dir(&FOLDER, Split::Test) {
        assert_eq!(set.labels().map(<[u16]>::len), Some(set.len()));
    }
});
