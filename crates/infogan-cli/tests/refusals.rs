//! What is refused before the first step, with the key or file, the reason and the remedy.

mod common;

use common::*;

/// Refused, and nothing written.
fn refused(args: &[&str], expected: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = refusal(&run_in(folder.path(), args));
    for expected in expected {
        assert!(error.contains(expected), "{args:?}: {expected:?} is not in\n{error}");
    }
    assert_eq!(names(folder.path()), Vec::<String>::new(), "{args:?} wrote something");
}

fn toy_refused(extra: &[&str], expected: &[&str]) {
    let args = toy_args(extra);
    refused(&args.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn unknown_keys_are_named_with_the_allowed_ones() {
    toy_refused(
        &["--set", "train.batchh=8"],
        &["train.batchh", "batch", "checkpoint_every", "snapshot_every"],
    );
    toy_refused(&["--set", "nonsense=1"], &["nonsense", "generator", "critic"]);
    toy_refused(&["--set", "adversarial.loss=hinged"], &["adversarial.loss", "hinged", "non-saturating"]);
}

#[test]
fn impossible_values_are_named_with_the_allowed_ones() {
    toy_refused(&["--set", "train.batch=1"], &["train.batch", "1", "2 to"]);
    toy_refused(&["--set", "train.batch=many"], &["train.batch", "many"]);
    toy_refused(&["--set", "train.batch"], &["train.batch", "key=value"]);
    toy_refused(&["--set", "data.scale=symmetric"], &["generator.layers.3", "tanh"]);
    toy_refused(&["--set", "terms.codes.recover=[\"c1\",\"c9\"]"], &["terms.codes.recover", "c9", "c1"]);
}

#[test]
fn shapes_that_cannot_fit_are_refused_with_the_layer() {
    let narrow = r#"generator.layers=["fc 7x7x8 bn relu","upconv 1 k4 s2 sigmoid"]"#;
    toy_refused(&["--set", narrow], &["generator.layers", "14", "28"]);
    let flat = r#"critic.layers=["fc 16 bn lrelu","conv 8 k4 s2 lrelu"]"#;
    toy_refused(&["--set", flat], &["critic.layers"]);
    let odd = r#"critic.layers=["conv many k4 s2 lrelu"]"#;
    toy_refused(&["--set", odd], &["critic.layers.0", "many"]);
    // A dry run refuses the same.
    toy_refused(&["--dry-run", "--set", narrow], &["generator.layers", "14", "28"]);
}

#[test]
fn presets_and_files_that_do_not_exist_are_named() {
    refused(&["train", "mnits"], &["mnits", "glyphs, mnist, mnist-robust, fashion-mnist"]);
    refused(&["train", "absent.toml"], &["absent.toml", "cannot be read"]);
    refused(&["presets", "show", "mnits"], &["mnits", "glyphs, mnist"]);
    refused(&["presets", "show", "mnits", "--resolved"], &["mnits", "glyphs, mnist"]);
}

#[test]
fn broken_configuration_files_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (text, expected) in [
        ("seed = ", "is not TOML"),
        ("[train]\nbatchh = 3\n", "batchh"),
        ("extends = \"nothing\"\n", "nothing"),
        ("extends = false\nseed = 3\n", "missing field"),
    ] {
        std::fs::write(folder.path().join("my.toml"), text).unwrap();
        let error = refusal(&run_in(folder.path(), &["train", "my.toml"]));
        assert!(error.contains(expected), "{expected:?} is not in\n{error}");
    }
    assert_eq!(names(folder.path()), ["my.toml"]);
}

#[test]
fn missing_data_says_how_to_get_it() {
    refused(&["train", "mnist"], &["data.path", "--data DIR", "scripts/fetch-mnist.sh"]);
    refused(&["train", "mnist", "--data", "nowhere"], &["nowhere"]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let error = refusal(&run_in(folder.path(), &["train", "mnist", "--data", "empty"]));
    assert!(error.contains("empty: it is empty"), "{error}");
    assert!(error.contains("infogan data fetch"), "{error}");
}

#[test]
fn wrong_flags_are_usage_errors() {
    toy_refused(&["--device", "abacus"], &["unknown device 'abacus'", "'cpu'", "'vulkan'"]);
    toy_refused(&["--device", "cuda:x"], &["device 'cuda:x'", "'x' is not a number", "'cuda:0'"]);
    toy_refused(&["--threads", "0"], &["--threads", "from 1 to 1024"]);
    toy_refused(&["--steps", "0"], &["--steps"]);
    toy_refused(&["--seed=-1"], &["--seed"]);
    refused(&["train", "--nonsense"], &["--nonsense"]);
    refused(&["nonsense"], &["nonsense"]);
}

#[test]
fn devices_that_are_not_there_say_what_to_do() {
    toy_refused(&["--device", "vulkan:99"], &["device 'vulkan:99'", "'cpu'"]);
    toy_refused(&["--device", "vulkan:99", "--dry-run"], &["device 'vulkan:99'", "'cpu'"]);
    if cfg!(not(feature = "vulkan")) {
        let remedy = "cargo build --release --features vulkan";
        toy_refused(&["--device", "vulkan"], &["device 'vulkan'", "built without vulkan", remedy]);
    }
}

#[test]
fn directories_that_are_no_runs_are_named() {
    for verb in ["sample", "traverse", "interpolate", "evaluate"] {
        refused(&[verb, "nowhere"], &["nowhere", "does not exist"]);
        refused(&[verb, "."], &["config.toml"]);
    }
    refused(&["encode", "nowhere", "a.png"], &["nowhere", "does not exist"]);
}

#[test]
fn a_run_without_a_checkpoint_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = run_in(folder.path(), &["presets", "show", "glyphs", "--resolved"]);
    let text = stdout(&config).replace("extends = false\n", "");
    std::fs::create_dir(folder.path().join("young")).unwrap();
    std::fs::write(folder.path().join("young/config.toml"), text).unwrap();
    let error = refusal(&run_in(folder.path(), &["sample", "young"]));
    assert!(error.contains("no checkpoint") && error.contains("infogan train --out young"), "{error}");
}
