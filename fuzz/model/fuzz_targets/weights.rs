#![no_main]
//! Weights of other programs: `.pth` in both of PyTorch's formats, and safetensors.

use std::{path::PathBuf, sync::LazyLock};

use infogan::interop::read_weights;
use infogan_fuzz_data::{folder, put};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("weights"));

fuzz_target!(|input: &[u8]| {
    put(&FOLDER, "a.pth", input);
    if let Ok(weights) = read_weights(&FOLDER.join("a.pth")) {
        let numbers: usize = weights.tensors.iter().map(|one| one.tensor.values.len()).sum();
        // What is promised: nine times the length of the file, one of them for its own bytes.
        assert!(4 * numbers <= 8 * input.len());
    }
});
