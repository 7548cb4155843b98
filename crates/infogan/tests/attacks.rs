//! Files that try to do harm (`attacks/`, made by `attacks/make.py`): each is refused with its reason, and nothing that
//! it asks for is done.

use std::path::{Path, PathBuf};

use infogan::interop::read_weights;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../attacks")
}

/// Every file of the folder with a part of its refusal.
const REFUSALS: &[(&str, &str)] = &[
    // Code: whatever a pickle names but tensors is refused by name, before anything is made of it.
    ("shell.pth", "posix.system"),
    ("open.pth", "open"),
    ("eval.pth", "builtins.eval"),
    ("shell-legacy.pth", "posix.system"),
    // Places: names that lead out of the archive.
    ("outside.pth", "leads out"),
    ("absolute.pth", "leads out"),
    ("elsewhere.pth", "no entry data/"),
    // Memory: nothing is taken that the file has not.
    ("bomb.pth", "is compressed"),
    ("huge-tensor.pth", "reaches beyond"),
    ("many-of-one.pth", "reaches beyond"),
    ("beyond.pth", "reaches beyond"),
    ("negative.pth", "size of -2"),
    ("short-storage.pth", "claim 4 elements"),
    ("deep.pth", "deeper than"),
    ("wide.pth", "repeats them"),
    ("twice.pth", "twice"),
    ("cut.pth", "cut short"),
    ("overlap.safetensors", "overlap.safetensors"),
    ("beyond.safetensors", "beyond.safetensors"),
    ("long-header.safetensors", "header"),
    ("lying-shape.safetensors", "lying-shape.safetensors"),
    ("twice.safetensors", "twice"),
    ("control.safetensors", "cannot name a tensor"),
    ("not-json.safetensors", "damaged"),
];

#[test]
fn every_attack_is_refused_with_its_reason() {
    for (name, reason) in REFUSALS {
        let error =
            read_weights(&folder().join(name)).err().unwrap_or_else(|| panic!("{name} is read")).to_string();
        assert!(error.contains(name) && error.contains(reason), "{name}: {error}");
    }
    assert!(!Path::new("/tmp/infogan-was-here").exists(), "something was run");
}

#[test]
fn no_file_of_the_folder_is_forgotten() {
    let mut there: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".py") && !name.starts_with("good."))
        .collect();
    let mut tested: Vec<&str> = REFUSALS.iter().map(|(name, _)| *name).collect();
    there.sort();
    tested.sort_unstable();
    assert_eq!(there, tested);
}

/// The attacks are one change away from files that are read.
#[test]
fn what_means_no_harm_is_read() {
    for name in ["good.pth", "good.safetensors"] {
        let weights = read_weights(&folder().join(name)).unwrap();
        assert_eq!(weights.tensors.len(), 1, "{name}");
        assert_eq!(weights.tensors[0].tensor.shape, [2, 2], "{name}");
    }
}
