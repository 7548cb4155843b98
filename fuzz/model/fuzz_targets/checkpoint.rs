#![no_main]
//! Checkpoints: the manifest as it comes or under its right checksum, or a file of tensors under a manifest that holds
//! its right length and hash.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::LazyLock};

use infogan::train::checkpoint::{self, HostTensor, Snapshot};
use infogan_fuzz_data::{folder, put};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

const KEY: &str = "\"checksum\": \"";

/// A checkpoint of one small network: its folder and its manifest.
static SAVED: LazyLock<(PathBuf, String)> = LazyLock::new(|| {
    let tensor = HostTensor { shape: vec![2], values: vec![1.0, -1.0] };
    let section = BTreeMap::from([("0.weight".to_owned(), tensor)]);
    let snapshot = Snapshot {
        step: 1,
        counters: BTreeMap::new(),
        sections: BTreeMap::from([("generator".to_owned(), section)]),
        derived: BTreeMap::new(),
        config_hash: "0".repeat(64),
        versions: BTreeMap::new(),
    };
    let saved = checkpoint::save(&folder("checkpoint"), &snapshot, 1).expect("saved in memory");
    let meta = fs::read_to_string(saved.join("meta.json")).expect("a manifest");
    (saved, meta)
});

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A manifest with its right checksum, where it has a place for one.
fn sealed(mut meta: Vec<u8>) -> Vec<u8> {
    let place = meta.windows(KEY.len()).position(|window| window == KEY.as_bytes()).map(|at| at + KEY.len());
    if let Some(place) = place.filter(|place| place + 64 <= meta.len()) {
        meta[place..place + 64].fill(b'0');
        let sum = sha256(&meta);
        meta[place..place + 64].copy_from_slice(sum.as_bytes());
    }
    meta
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, content)) = input.split_first() else { return };
    let (saved, meta) = &*SAVED;
    match kind % 3 {
        0 => put(saved, "meta.json", content),
        1 => put(saved, "meta.json", &sealed(content.to_vec())),
        _ => {
            let mut meta: serde_json::Value = serde_json::from_str(meta).expect("JSON");
            let entry = &mut meta["files"]["generator.safetensors"];
            entry["bytes"] = content.len().into();
            entry["sha256"] = sha256(content).into();
            let meta = serde_json::to_vec_pretty(&meta).expect("JSON");
            put(saved, "meta.json", &sealed(meta));
            put(saved, "generator.safetensors", content);
        }
    }
    if let Ok(snapshot) = checkpoint::load(saved) {
        let tensors = snapshot.sections.values().chain(snapshot.derived.values()).flatten();
        for (name, tensor) in tensors {
            assert!(tensor.values.iter().all(|value| value.is_finite()), "{name}");
        }
    }
});
