//! The lab report's presets: on files of another size, on drawn digits without any file, and resumed.

mod common;

use std::{collections::BTreeMap, sync::Arc};

use common::{bits, differing, through_disk};
use infogan::{
    config::{Config, Resolver},
    session::load_sets,
    tasks::{GameTask, Task},
};
use infogan_data::{Split, synth::draw, write_idx_dir};
use infogan_ops::device;

fn preset(name: &str, settings: &[&str]) -> Config {
    let mut resolver = Resolver::preset(name).unwrap();
    for setting in settings {
        resolver.set(setting).unwrap();
    }
    resolver.finish().unwrap()
}

/// Two steps cut in the middle are two in one go, from drawn digits at the networks' size.
#[test]
fn both_train_on_drawn_digits_and_resume_to_the_same_bytes() {
    for name in ["lab-1", "lab-2"] {
        let config = preset(name, &["data.set=glyphs", "data.size=64", "data.count=24", "train.batch=4"]);
        let set = Arc::new(load_sets(&config, &|_, _| ()).unwrap().train);
        assert_eq!(set.shape(), [1, 64, 64]);
        let task = GameTask::new(&config, set, device::resolve("cpu").unwrap()).unwrap();
        let mut whole = task.init();
        let first = bits(&whole);
        task.step(&mut whole).unwrap();
        let mut resumed = through_disk(&task, &whole);
        let report = task.step(&mut whole).unwrap();
        task.step(&mut resumed).unwrap();
        assert_eq!(differing(&whole, &resumed), Vec::<String>::new(), "{name}: 1 + 1 is not 2");
        let still: Vec<String> = bits(&whole)
            .into_iter()
            .filter(|(path, now)| first[path] == *now)
            .map(|(path, _)| path)
            .collect();
        // The vector of one element of the head is ±1 for ever.
        assert!(still.iter().all(|path| path == "critic.spectral/head.0.weight_u"), "{name}: {still:?}");
        assert!(report.monitors.contains_key("fooled"));
    }
}

/// MNIST's files have 28 pixels a side.
#[test]
fn files_are_enlarged_to_the_networks() {
    let folder = tempfile::tempdir().unwrap();
    for split in [Split::Train, Split::Test] {
        write_idx_dir(&draw("glyphs", 20, 28, 0, split).unwrap(), folder.path(), split).unwrap();
    }
    let path = format!("data.path={:?}", folder.path());
    let load = |settings: &[&str]| {
        let config = preset("lab-1", &[&[path.as_str()], settings].concat());
        load_sets(&config, &|_, _| ()).unwrap()
    };
    let sets = load(&[]);
    assert_eq!((sets.train.shape(), sets.test.shape()), ([1, 64, 64], [1, 64, 64]));
    assert_eq!(sets.train.labels().map(<[u16]>::len), Some(20));
    let own = load(&["data.enlarge=no"]);
    assert_eq!(own.train.shape(), [1, 28, 28]);
    assert_ne!(own.train.content_hash(), sets.train.content_hash());
}

/// A run's identity is its configuration as text: what older ones do not name is not written where it is the default.
#[test]
fn new_keys_do_not_show_where_they_are_the_default() {
    let shown = |name: &str| -> BTreeMap<&str, Vec<String>> {
        let value = serde_json::to_value(preset(name, &[])).unwrap();
        let keys = |part: &str| value[part].as_object().unwrap().keys().cloned().collect();
        ["data", "critic"].map(|part| (part, keys(part))).into()
    };
    assert_eq!(shown("mnist")["data"], ["set", "count", "size", "seed", "scale"]);
    assert_eq!(shown("mnist")["critic"], ["family", "layers", "slope", "shared_pass"]);
    let of_lab = shown("lab-1");
    assert!(of_lab["data"].contains(&"enlarge".to_owned()) && of_lab["critic"].contains(&"head".to_owned()));
}
