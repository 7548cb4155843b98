#![no_main]
//! Configurations: a TOML file and a setting from the command line. What is accepted is written and read as the same.

use std::{path::PathBuf, sync::LazyLock};

use infogan::config::Resolver;
use infogan_fuzz_data::{folder, parts, put};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("config"));

fuzz_target!(|input: &[u8]| {
    let Some((setting, file)) = parts(input) else { return };
    put(&FOLDER, "config.toml", file);
    let Ok(mut resolver) = Resolver::file(&FOLDER.join("config.toml")) else { return };
    if let Ok(setting) = std::str::from_utf8(setting) {
        let _ = resolver.set(setting);
    }
    if let Ok(config) = resolver.finish() {
        let again = Resolver::config(&config).and_then(Resolver::finish);
        assert_eq!(again.expect("what was accepted is accepted again"), config);
    }
});
