#![no_main]
//! Whole pictures: decoded, turned, brought to a shape. A panic inside a decoder is the file's fault and caught in the
//! library; here it must stay so, which the hook of libFuzzer would not let it.

use std::{
    path::PathBuf,
    sync::{LazyLock, Once},
};

use infogan_data::{Fit, read_pictures};
use infogan_fuzz_data::{folder, put};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("picture"));
static QUIET: Once = Once::new();

fuzz_target!(|input: &[u8]| {
    // libFuzzer aborts in its hook, before anything is caught. What is not caught still ends the process.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| ())));
    put(&FOLDER, "a.png", input);
    if let Ok(read) = read_pictures(&[FOLDER.join("a.png")], &Fit::to([3, 8, 8])) {
        assert_eq!((read.set.len(), read.rejected.len()), (1, 0));
    }
});
