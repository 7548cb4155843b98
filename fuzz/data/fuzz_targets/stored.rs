#![no_main]
//! Data sets in a file of our own: what is read is written and read again as the same.

use std::{fs, path::PathBuf, sync::LazyLock};

use infogan_data::{Split, load_stored, write_stored};
use infogan_fuzz_data::{folder, put};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("stored"));

fuzz_target!(|input: &[u8]| {
    put(&FOLDER, "set.safetensors", input);
    let path = FOLDER.join("set.safetensors");
    if let (Ok(train), Ok(test)) = (load_stored(&path, Split::Train), load_stored(&path, Split::Test)) {
        let again = FOLDER.join("again.safetensors");
        let _ = fs::remove_file(&again);
        write_stored(&train, &test, &again).expect("what was read can be written");
        assert_eq!(load_stored(&again, Split::Train).expect("and read").content_hash(), train.content_hash());
    }
});
