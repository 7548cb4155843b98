//! `infogan data`, own pictures in training, and weights of other programs.

mod common;

use std::{fs, path::Path, process::Stdio};

use common::*;
use image::{Rgb, RgbImage};
use serde_json::Value;

/// Pictures of two classes, coloured by class, some of them no pictures.
fn write_pictures(folder: &Path, count: u32) {
    for (class, blue) in [("cold", 220), ("warm", 20)] {
        let inside = folder.join(class);
        fs::create_dir_all(&inside).expect("a folder");
        for number in 0..count {
            let picture =
                RgbImage::from_fn(30, 24, |x, y| Rgb([(x * 8) as u8 ^ number as u8, (y * 9) as u8, blue]));
            picture.save(inside.join(format!("{number}.png"))).expect("saved");
        }
    }
}

fn ok(folder: &Path, args: &[&str]) -> String {
    let output = run_in(folder, args);
    expect_code(&output, 0);
    stdout(&output)
}

/// A training of seconds on what is named.
fn small(data: &str, extra: &[&str]) -> Vec<String> {
    let sets = [
        "train.batch=8",
        "train.steps=2",
        "evaluate.latents=50",
        "evaluate.matching=50",
        "evaluate.test=50",
        "latent.0.width=4",
    ];
    let mut args: Vec<String> = ["train", "--data", data, "-q"].map(str::to_owned).to_vec();
    args.extend(sets.iter().flat_map(|set| ["--set".to_owned(), (*set).to_owned()]));
    args.extend(extra.iter().map(|arg| (*arg).to_owned()));
    args
}

#[test]
fn check_names_what_cannot_be_used() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_pictures(&folder.path().join("p"), 12);
    assert!(ok(folder.path(), &["data", "check", "p"]).contains("24 pictures can be used"));
    fs::write(folder.path().join("p/warm/broken.png"), b"\x89PNG\r\n\x1a\nno more").expect("written");
    let output = run_in(folder.path(), &["data", "check", "p"]);
    expect_code(&output, 1);
    assert!(stdout(&output).contains("warm/broken.png: it cannot be decoded"), "{}", stdout(&output));
    let output = run_in(folder.path(), &["data", "check", "p", "--json"]);
    expect_code(&output, 1);
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!((&report["ok"], &report["classes"]["cold"]), (&24.into(), &12.into()));
    assert_eq!(report["rejected"][0]["file"], "warm/broken.png");
    assert!(refusal(&run_in(folder.path(), &["data", "check", "nowhere"])).contains("nowhere"));
}

#[test]
fn own_pictures_are_trained_on_at_their_size_and_what_is_passed_over_is_recorded() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    write_pictures(&here.join("p"), 20);
    fs::write(here.join("p/warm/broken.png"), b"no picture").expect("written");
    expect_code(&run_in(here, &small("p", &["--out", "run", "--size", "16"])), 0);
    let config: toml::Table =
        fs::read_to_string(here.join("run/config.toml")).expect("read").parse().expect("TOML");
    assert_eq!(config["data"]["set"].as_str(), Some("pictures"));
    assert_eq!(
        config["generator"]["layers"].as_array().and_then(|rows| rows.last()?.as_str()),
        Some("upconv 3 k4 s2 tanh")
    );
    let report: Value =
        serde_json::from_slice(&fs::read(here.join("run/data.json")).expect("read")).expect("JSON");
    assert_eq!(report["rejected"][0]["file"], "warm/broken.png");
    ok(here, &["sample", "run", "--n", "1", "--out", "one.png"]);
    assert_eq!(image::image_dimensions(here.join("one.png")).expect("a picture"), (16, 16));
    // The same command goes on, also from the configuration alone; another size is another training.
    expect_code(&run_in(here, &small("p", &["--out", "run", "--size", "16", "--steps", "4"])), 0);
    expect_code(&run_in(here, &["train", "--out", "run", "--steps", "5", "-q"]), 0);
    assert_eq!(logged_steps(&here.join("run")), [5]);
    assert!(refusal(&run_in(here, &small("p", &["--out", "run", "--size", "32"]))).contains("size 16"));
    // What would be passed over is told beforehand.
    let output = run_in(here, &small("p", &["--size", "16", "--dry-run"]));
    expect_code(&output, 0);
    assert!(stderr(&output).contains("passed over 1 file:\n  warm/broken.png"), "{}", stderr(&output));
    // Strict is strict, and an impossible size names its neighbours.
    let error = refusal(&run_in(here, &small("p", &["--out", "other", "--size", "16", "--strict"])));
    assert!(error.contains("warm/broken.png") && error.contains("--strict"), "{error}");
    let error = refusal(&run_in(here, &small("p", &["--out", "other", "--size", "100"])));
    assert!(error.contains("96 and 104"), "{error}");
    assert!(!here.join("other").exists());
}

/// A run finds its table from anywhere, and lays it over no other pictures.
#[test]
fn the_table_of_a_run_is_the_runs_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    write_pictures(&here.join("p"), 12);
    write_pictures(&here.join("other"), 12);
    let rows: String = (0..12).map(|number| format!("warm/{number}.png,{}\n", number % 2)).collect();
    let more: String = (0..12).map(|number| format!("cold/{number}.png,{}\n", number % 2)).collect();
    fs::write(here.join("table.csv"), format!("file,glasses\n{rows}{more}")).expect("written");
    let told = ok(here, &["data", "check", "p", "--labels", "table.csv"]);
    assert!(told.contains("attributes\n  glasses  no 12, yes 12"), "{told}");
    expect_code(&run_in(here, &small("p", &["--out", "run", "--size", "16", "--labels", "table.csv"])), 0);
    fs::create_dir(here.join("elsewhere")).expect("a folder");
    ok(&here.join("elsewhere"), &["evaluate", "../run"]);
    ok(here, &["evaluate", "run", "--data", "other"]);
    let error = refusal(&run_in(here, &["train", "--out", "run", "--size", "32"]));
    assert!(error.contains("size 16") && error.contains("32 asked for"), "{error}");
    let error = refusal(&run_in(here, &["train", "p"]));
    assert!(error.contains("infogan train --data p"), "{error}");
    let error = refusal(&run_in(here, &["data", "preview", "p", "--out", "p.jpg"]));
    assert!(error.contains("png"), "{error}");
}

#[test]
fn sets_go_from_form_to_form() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    ok(here, &["data", "synth", "glyphs", "g.safetensors", "--n", "40"]);
    ok(here, &["data", "convert", "g.safetensors", "idx", "--to", "idx"]);
    ok(here, &["data", "convert", "idx", "png", "--to", "folder"]);
    assert_eq!(fs::read_dir(here.join("png/train")).expect("a folder").count(), 10);
    ok(here, &["data", "convert", "png", "back.safetensors", "--size", "28"]);
    let set =
        |name: &str| infogan_data::load_stored(&here.join(name), infogan_data::Split::Train).expect("read");
    let (first, last) = (set("g.safetensors"), set("back.safetensors"));
    assert_eq!((first.len(), first.class_names()), (last.len(), last.class_names()));
    // Folders are sorted by class, so the same pictures in another order.
    let pictures = |set: &infogan_data::ImageSet| {
        let mut all: Vec<Vec<u8>> = (0..set.len()).map(|index| set.picture(index).to_vec()).collect();
        all.sort();
        all
    };
    assert_eq!(pictures(&first), pictures(&last));
    ok(here, &["data", "preview", "png", "--size", "28", "--n", "20"]);
    // Factors go through folders too, by their names.
    ok(here, &["data", "synth", "portraits", "faces", "--to", "folder", "--n", "30", "--size", "16"]);
    ok(here, &["data", "convert", "faces", "faces.safetensors", "--size", "16"]);
    ok(here, &["data", "synth", "portraits", "drawn.safetensors", "--n", "30", "--size", "16"]);
    let shown = |file: &str, name: &str| -> Vec<String> {
        let set = set(file);
        let factor = set.factors().iter().find(|factor| factor.name == name).expect("a factor");
        (0..set.len()).map(|index| factor.values.shown(index)).collect()
    };
    for factor in ["glasses", "mouth", "turn"] {
        assert_eq!(shown("faces.safetensors", factor), shown("drawn.safetensors", factor));
    }
    // A set of one size and with its own labels takes neither from the command line.
    for flag in [["--size", "40"], ["--labels", "g.csv"]] {
        let error =
            refusal(&run_in(here, &[&["data", "convert", "idx", "other.safetensors"], &flag[..]].concat()));
        assert!(error.contains(flag[0]) && error.contains("idx"), "{error}");
    }
    assert!(here.join("preview.png").is_file());
    // Nothing is overwritten, and what cannot be written is not begun.
    let error = refusal(&run_in(here, &["data", "convert", "idx", "g.safetensors"]));
    assert!(error.contains("is there already"), "{error}");
    let error = refusal(&run_in(here, &["data", "synth", "portraits", "face", "--to", "idx", "--n", "10"]));
    assert!(error.contains("label"), "{error}");
    assert!(!names(here).iter().any(|name| name == "face" || name.contains("tmp")), "{:?}", names(here));
    let told = ok(here, &["data", "check", "g.safetensors"]);
    assert!(told.starts_with("44 pictures can be used") && told.contains("28×28"), "{told}");
    // A stored set trains.
    expect_code(&run_in(here, &small("g.safetensors", &["--out", "run"])), 0);
}

/// Several processes make the same set at once, and others read it meanwhile: it is whole or not there.
#[test]
fn a_set_that_others_are_writing_is_whole_or_absent() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    for (to, form) in [("set.safetensors", "safetensors"), ("set", "folder")] {
        let args = ["data", "synth", "glyphs", to, "--to", form, "--n", "300"];
        let start = || {
            let mut program = infogan();
            let program = program.current_dir(here).args(args);
            program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
        };
        let writers: Vec<_> = (0..6).map(|_| start()).collect();
        while !here.join(to).exists() {
            let output = run_in(here, &["data", "preview", to, "--out", "early.png"]);
            // It may have come just now.
            assert!(output.status.success() || refusal(&output).contains(to), "{}", stderr(&output));
        }
        // What is there is whole from its first moment.
        ok(here, &["data", "convert", to, &format!("copy-{form}.safetensors")]);
        let copy = |name: &str| {
            infogan_data::load_stored(&here.join(name), infogan_data::Split::Train).expect("read").len()
        };
        assert_eq!(copy(&format!("copy-{form}.safetensors")), 300);
        let outputs: Vec<_> =
            writers.into_iter().map(|one| one.wait_with_output().expect("it ends")).collect();
        assert_eq!(outputs.iter().filter(|output| output.status.success()).count(), 1);
        for output in outputs.iter().filter(|output| !output.status.success()) {
            assert!(stderr(output).contains(to), "{}", stderr(output));
        }
        assert!(!names(here).iter().any(|name| name.contains("tmp")), "{:?}", names(here));
    }
}

#[test]
fn portraits_are_trained_on_with_their_attributes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    ok(folder.path(), &["data", "synth", "portraits", "faces.safetensors", "--n", "60", "--size", "32"]);
    let preview = ok(folder.path(), &["data", "preview", "faces.safetensors", "--n", "9"]);
    assert_eq!(preview, "preview.png\n");
    expect_code(&run_in(folder.path(), &small("faces.safetensors", &["--out", "run"])), 0);
    let scores = json_lines(&folder.path().join("run/scores.jsonl"));
    let factors: Vec<&str> = scores[0]["factors"]
        .as_array()
        .expect("factors")
        .iter()
        .filter_map(|one| one["factor"].as_str())
        .collect();
    assert!(factors.contains(&"glasses") && factors.contains(&"turn"), "{factors:?}");
}

#[test]
fn a_fetch_that_cannot_be_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args = ["data", "fetch", "mnist", "m", "--mirror", "ftp://example.org/"];
    let error = refusal(&run_in(folder.path(), &args));
    assert!(error.contains("ftp"), "{error}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
    assert!(refusal(&run_in(folder.path(), &["data", "fetch", "imagenet", "m"])).contains("fashion-mnist"));
}

/// A second training begins with the networks of the first, and is resumed exactly when the first is gone.
#[test]
fn a_training_begins_with_the_weights_of_another() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    expect_code(&train_in(here, &["--out", "first", "-q"]), 0);
    let from = ["--init-from", "first", "--seed", "9", "-q"];
    let go = |out: &str, steps: &str| train_in(here, &[&from[..], &["--out", out, "--set", steps]].concat());
    expect_code(&go("whole", "train.steps=6"), 0);
    expect_code(&go("parts", "train.steps=3"), 0);
    // Before the first step its generator was that of the first.
    fs::remove_dir_all(here.join("first")).expect("removed");
    expect_code(&run_in(here, &["train", "--out", "parts", "--steps", "6", "-q"]), 0);
    assert_eq!(checkpoint_bytes(&here.join("whole"), 6), checkpoint_bytes(&here.join("parts"), 6));
    let config = fs::read_to_string(here.join("whole/config.toml")).expect("read");
    assert!(config.contains("[init_from]") && config.contains("name = \"first\""), "{config}");
    assert!(refusal(&go("more", "train.steps=3")).contains("first"));
}

#[test]
fn weights_of_another_program_become_a_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    expect_code(&train_in(here, &["--out", "first", "-q"]), 0);
    let weights = here.join("first/checkpoints/step-00000006/generator.safetensors");
    let mut args = vec!["import".to_owned(), weights.display().to_string()];
    args.extend(["--like", "glyphs", "--out", "imported"].map(str::to_owned));
    // Behind the verb and the preset come settings alone.
    args.extend(toy_args(&[]).into_iter().skip(2));
    let output = run_in(here, &args);
    expect_code(&output, 0);
    assert!(stderr(&output).contains("generator.layers.0.weight"), "{}", stderr(&output));
    for run in ["first", "imported"] {
        ok(here, &["sample", run, "--n", "4", "--seed", "3", "--out", &format!("{run}.png")]);
    }
    let read = |name: &str| fs::read(here.join(name)).expect("read");
    assert_eq!(read("first.png"), read("imported.png"));
    // A run says itself what its networks are.
    ok(here, &["import", &weights.display().to_string(), "--like", "first", "--out", "again"]);
    ok(here, &["sample", "again", "--n", "4", "--seed", "3", "--out", "again.png"]);
    assert_eq!(read("first.png"), read("again.png"));
    // Other networks have nothing in common with it: nothing is made.
    let output =
        run_in(here, &["import", &weights.display().to_string(), "--like", "glyphs", "--out", "other"]);
    let error = refusal(&output);
    assert!(error.contains("generator.safetensors") && !here.join("other").exists(), "{error}");
}

#[test]
fn event_files_for_tensorboard_hold_the_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    expect_code(&train_in(folder.path(), &["--out", "run", "--tensorboard", "-q"]), 0);
    let files = names(&folder.path().join("run/tensorboard"));
    assert!(files.len() == 1 && files[0].contains("tfevents"), "{files:?}");
    let bytes = fs::read(folder.path().join("run/tensorboard").join(&files[0])).expect("read");
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("losses/critic") && has("bounds/c1") && has("images_per_second"));
    // Going on appends, and needs no flag.
    expect_code(&run_in(folder.path(), &["train", "--out", "run", "--steps", "8", "-q"]), 0);
    assert!(
        fs::read(folder.path().join("run/tensorboard").join(&files[0])).expect("read").len() > bytes.len()
    );
}

/// TensorBoard's own reader sees the numbers of the log, where a Python with TensorBoard is at hand.
#[test]
fn tensorboard_reads_what_the_log_says() {
    let python = std::env::var("INFOGAN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let reads = |script: &str, folder: &Path| {
        let output = std::process::Command::new(&python).args(["-c", script]).arg(folder).output();
        output.ok().filter(|output| output.status.success())
    };
    if reads("import tensorboard", Path::new(".")).is_none() {
        eprintln!("skipped: TensorBoard's own reader (INFOGAN_PYTHON names no Python with tensorboard)");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    expect_code(&train_in(folder.path(), &["--out", "run", "--tensorboard", "-q"]), 0);
    let script = "import sys, json
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]); events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()['scalars']}))";
    let read = reads(script, &folder.path().join("run/tensorboard")).expect("TensorBoard reads it");
    let read: Value = serde_json::from_slice(&read.stdout).expect("JSON");
    let log = json_lines(&folder.path().join("run/log.jsonl"));
    for (tag, of) in [
        ("losses/critic", "/losses/critic"),
        ("bounds/c1", "/bounds/c1"),
        ("monitors/diversity", "/monitors/diversity"),
    ] {
        let seen: Vec<(u64, f32)> = (read[tag].as_array().expect(tag).iter())
            .map(|one| (one[0].as_u64().expect("a step"), one[1].as_f64().expect("a number") as f32))
            .collect();
        let logged: Vec<(u64, f32)> = (log.iter())
            .map(|line| {
                let value = line.pointer(of).and_then(Value::as_f64).expect("logged");
                (line["step"].as_u64().expect("a step"), value as f32)
            })
            .collect();
        assert_eq!(seen, logged, "{tag}");
    }
}

#[test]
fn completions_name_the_verbs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for shell in ["bash", "zsh", "fish"] {
        let script = ok(folder.path(), &["completions", shell]);
        assert!(script.contains("traverse") && script.contains("fetch"), "{shell}");
    }
}

/// The lab report's networks read MNIST's files at 64 pixels, and no other size fits them.
#[test]
fn files_with_a_size_of_their_own_are_enlarged_where_that_is_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    ok(here, &["data", "synth", "glyphs", "g.safetensors", "--n", "20"]);
    ok(here, &["data", "convert", "g.safetensors", "idx", "--to", "idx"]);
    let train =
        |more: &[&str]| run_in(here, &[&["train", "lab-2", "--data", "idx", "--dry-run"][..], more].concat());
    let output = train(&["--set", "train.batch=2"]);
    expect_code(&output, 0);
    assert!(stdout(&output).contains("enlarge = \"bicubic\""), "{}", stdout(&output));
    let error = refusal(&train(&["--size", "28"]));
    assert!(error.contains("generator.layers"), "{error}");
    let error = refusal(&run_in(here, &["train", "mnist", "--data", "idx", "--size", "64"]));
    assert!(error.contains("data.enlarge=bicubic"), "{error}");
}

/// The presets of the InfoGAN paper's other sets take real files in their place, brought to what their networks read.
#[test]
fn presets_of_drawn_sets_take_files_in_their_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    // Chairs are photographed in colour and read grey.
    let renders = here.join("rendered_chairs/1a6f615e8b1b5ae4dbbc9440457e303e/renders");
    fs::create_dir_all(&renders).expect("a folder");
    for number in 0..12 {
        let picture = RgbImage::from_fn(600, 600, |x, y| Rgb([(x ^ y) as u8, number * 20, 9]));
        picture
            .save(renders.join(format!("image_{number:03}_p020_t{:03}_r096.png", 11 * number)))
            .expect("saved");
    }
    let told = ok(here, &["data", "check", "rendered_chairs"]);
    assert!(told.contains("12 pictures can be used") && !told.contains("classes"), "{told}");
    assert!(told.contains("attributes\n  elevation") && told.contains("\n  rotation"), "{told}");
    // The networks, narrow: what is tried is the way there.
    let narrow = |preset: &str, data: &str, layers: [&str; 2]| {
        let mut args = small(data, &["--out", &format!("{preset}-run")]);
        args.insert(1, preset.to_owned());
        for (key, rows) in ["generator.layers", "critic.layers"].iter().zip(layers) {
            args.extend(["--set".to_owned(), format!("{key}={rows}")]);
        }
        expect_code(&run_in(here, &args), 0);
        let text = fs::read_to_string(here.join(format!("{preset}-run/config.toml"))).expect("read");
        text.parse::<toml::Table>().expect("TOML")["data"].clone()
    };
    let grey = [
        r#"["fc 8x8x4 bn relu","upconv 4 k4 s2 bn relu","upconv 4 k4 s2 bn relu","upconv 1 k4 s2 sigmoid"]"#,
        r#"["conv 4 k4 s2 lrelu","conv 4 k4 s1 bn lrelu"]"#,
    ];
    let data = narrow("chairs-rotation", "rendered_chairs", grey);
    assert_eq!(data["set"].as_str(), Some("pictures"));
    assert_eq!(
        ["channels", "size", "crop"].map(|key| data[key].as_integer()),
        [Some(1), Some(64), Some(360)]
    );
    write_pictures(&here.join("celeba"), 8);
    let colour = [r#"["fc 16x16x4 bn relu","upconv 3 k4 s2 tanh"]"#, r#"["conv 4 k4 s2 lrelu"]"#];
    let data = narrow("celeba", "celeba", colour);
    assert!(data.get("channels").is_none(), "three, which is not written");
    assert_eq!(["size", "crop"].map(|key| data[key].as_integer()), [Some(32), Some(128)]);
    // SVHN has its files or nothing.
    let error = refusal(&run_in(here, &["train", "svhn", "--out", "svhn-run"]));
    assert!(error.contains("--data DIR") && error.contains("infogan data fetch"), "{error}");
    // A square is cut when sets are converted, too.
    ok(
        here,
        &["data", "convert", "rendered_chairs", "c.safetensors", "--size", "64", "--crop", "360", "--grey"],
    );
    let set =
        infogan_data::load_stored(&here.join("c.safetensors"), infogan_data::Split::Train).expect("read");
    assert_eq!((set.shape(), set.factors().len()), ([1, 64, 64], 2));
}

/// Pictures without any pattern have no checkerboard to be scored by, and lose no other score for it.
#[test]
fn flat_pictures_are_scored_without_a_spectrum() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("flat")).expect("a folder");
    for number in 0..12_u8 {
        let picture = RgbImage::from_pixel(28, 28, Rgb([20 * number, 9, 200]));
        picture.save(folder.path().join(format!("flat/{number}.png"))).expect("saved");
    }
    let output = run_in(folder.path(), &small("flat", &["--out", "run"]));
    expect_code(&output, 0);
    assert!(
        !stdout(&output).contains("checkerboard") && stdout(&output).contains("L_I"),
        "{}",
        stdout(&output)
    );
}
