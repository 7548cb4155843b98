//! The verbs that look into a run: sample, traverse, interpolate, encode, evaluate, presets.

mod common;

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
};

use common::*;
use image::{AnimationDecoder, GenericImageView};
use serde_json::Value;

/// One toy run for all tests of this file.
fn run() -> &'static str {
    static RUN: OnceLock<(tempfile::TempDir, String)> = OnceLock::new();
    let (_, path) = RUN.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        expect_code(&train_in(folder.path(), &["--out", "toy"]), 0);
        let path = folder.path().join("toy").to_str().expect("UTF-8").to_owned();
        (folder, path)
    });
    path
}

fn temp() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn size(path: PathBuf) -> (u32, u32) {
    image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).dimensions()
}

fn bytes(path: PathBuf) -> Vec<u8> {
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn done(folder: &Path, args: &[&str]) -> String {
    let output = run_in(folder, args);
    expect_code(&output, 0);
    assert_eq!(stderr(&output), "");
    stdout(&output)
}

#[test]
fn samples_are_sheets_or_single_pictures() {
    let folder = temp();
    assert_eq!(done(folder.path(), &["sample", run()]), "sample.png\n");
    let (width, height) = size(folder.path().join("sample.png"));
    assert!(width == height && width > 8 * 28, "{width}×{height}");
    assert_eq!(done(folder.path(), &["sample", run(), "--n", "1", "--out", "one.png"]), "one.png\n");
    assert_eq!(size(folder.path().join("one.png")), (28, 28));
    assert_eq!(names(folder.path()), ["one.png", "sample.png"]);
}

#[test]
fn a_picture_depends_on_seed_and_codes_alone() {
    let folder = temp();
    let draw = |name: &str, extra: &[&str]| {
        let args: Vec<&str> = ["sample", run(), "--out", name].iter().chain(extra).copied().collect();
        done(folder.path(), &args);
        image::open(folder.path().join(name)).unwrap().into_luma8()
    };
    let one = draw("a.png", &["--n", "1", "--seed", "3"]);
    assert_eq!(one, draw("b.png", &["--n", "1", "--seed", "3"]));
    assert_ne!(one, draw("c.png", &["--n", "1", "--seed", "4"]));
    let codes = ["--n", "1", "--seed", "3", "--code", "c1=3", "--code", "c2=-1.5", "--code", "z.5=1"];
    assert_ne!(one, draw("d.png", &codes));
    // The first cell of a sheet of three is the picture drawn alone, every pixel enlarged.
    let sheet = draw("e.png", &["--n", "3", "--seed", "3"]);
    let alone: Vec<u8> = one.pixels().map(|pixel| pixel.0[0]).collect();
    let found = (0..16).any(|at| {
        let cell = (0..28).flat_map(|y| (0..28).map(move |x| (at + 2 * x, at + 2 * y)));
        cell.map(|(x, y)| sheet.get_pixel(x, y).0[0]).collect::<Vec<_>>() == alone
    });
    assert!(found, "a picture depends on its neighbours");
}

#[test]
fn codes_that_do_not_exist_are_refused_and_nothing_is_written() {
    let folder = temp();
    for (code, expected) in
        [("c1=10", "c1=0 to c1=9"), ("c7=1", "c1=0..9"), ("c2=nan", "finite"), ("z=1", "z.61=VALUE")]
    {
        for verb in ["sample", "interpolate"] {
            let error = refusal(&run_in(folder.path(), &[verb, run(), "--code", code]));
            assert!(error.contains(code) && error.contains(expected), "{error}");
        }
    }
    assert!(refusal(&run_in(folder.path(), &["sample", run(), "--n", "0"])).contains("--n"));
    assert!(refusal(&run_in(folder.path(), &["sample", run(), "--out", "a.jpg"])).contains(".png"));
    assert!(refusal(&run_in(folder.path(), &["sample", run(), "--out", "no/a.png"])).contains("no/a.png"));
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn a_traversal_has_a_row_for_every_code_and_start() {
    let folder = temp();
    assert_eq!(done(folder.path(), &["traverse", run()]), "traverse.png\n");
    let (_, tall) = size(folder.path().join("traverse.png"));
    done(folder.path(), &["traverse", run(), "--rows", "1", "--out", "one.png"]);
    let (_, short) = size(folder.path().join("one.png"));
    // Three codes: fifteen rows and three, of more than 56 pixels each.
    assert!(short > 3 * 56 && tall - short >= 12 * 56, "{tall} and {short}");
}

#[test]
fn an_interpolation_is_a_strip_and_a_loop() {
    let folder = temp();
    let told = done(folder.path(), &["interpolate", run(), "--frames", "5", "--keyframes", "3"]);
    assert_eq!(told, "interpolate.png\ninterpolate.gif\n");
    let file = std::io::BufReader::new(std::fs::File::open(folder.path().join("interpolate.gif")).unwrap());
    let frames = image::codecs::gif::GifDecoder::new(file).unwrap().into_frames().collect_frames().unwrap();
    assert_eq!(frames.len(), 15);
    assert_ne!(frames[0].buffer(), frames[7].buffer());
    let (width, height) = size(folder.path().join("interpolate.png"));
    assert!(width > 5 * 56 && height > 3 * 56 && height < 4 * 62, "{width}×{height}");

    let only = done(folder.path(), &["interpolate", run(), "--out", "way.gif", "--code", "c1=3"]);
    assert_eq!(only, "way.gif\n");
    assert_eq!(names(folder.path()), ["interpolate.gif", "interpolate.png", "way.gif"]);
    assert!(
        refusal(&run_in(folder.path(), &["interpolate", run(), "--out", "a.mp4"])).contains(".png or .gif")
    );
}

/// Two pictures of other sizes and kinds than the run's, and a folder with one more.
fn pictures(folder: &Path) {
    let grey = image::GrayImage::from_fn(40, 28, |x, y| image::Luma([(x * 5 + y) as u8]));
    grey.save(folder.join("a.png")).unwrap();
    image::RgbImage::from_pixel(28, 28, image::Rgb([200, 10, 10])).save(folder.join("b, c.bmp")).unwrap();
    std::fs::create_dir(folder.join("more")).unwrap();
    grey.save(folder.join("more/d.png")).unwrap();
}

#[test]
fn pictures_are_encoded_as_csv() {
    let folder = temp();
    pictures(folder.path());
    let csv = done(folder.path(), &["encode", run(), "a.png", "b, c.bmp", "more"]);
    let lines: Vec<&str> = csv.lines().collect();
    let head = "file,c1,c1.p0,c1.p1,c1.p2,c1.p3,c1.p4,c1.p5,c1.p6,c1.p7,c1.p8,c1.p9,c2,c3";
    assert_eq!((lines.len(), lines[0]), (4, head));
    assert!(lines[2].starts_with("\"b, c.bmp\","), "{}", lines[2]);
    let (first, last) =
        (lines[1].strip_prefix("a.png,").unwrap(), lines[3].strip_prefix("more/d.png,").unwrap());
    assert_eq!(first, last, "the same picture has the same codes, whatever its neighbours");
    let numbers: Vec<f64> = first.split(',').map(|field| field.parse().unwrap()).collect();
    assert_eq!(numbers.len(), 13);
    assert!((numbers[1..11].iter().sum::<f64>() - 1.0).abs() < 1e-5, "{first}");
    let best = (1..11).max_by(|&a, &b| numbers[a].total_cmp(&numbers[b])).unwrap();
    assert_eq!(numbers[0], (best - 1) as f64);
}

#[test]
fn pictures_are_encoded_as_json() {
    let folder = temp();
    pictures(folder.path());
    let told = done(folder.path(), &["encode", run(), "more", "a.png", "--json", "--out", "codes.json"]);
    assert_eq!(told, "codes.json\n");
    let json: Value = serde_json::from_slice(&bytes(folder.path().join("codes.json"))).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(json[0]["file"], "more/d.png");
    assert_eq!(json[1]["file"], "a.png");
    let codes = &json[1]["codes"];
    assert!(codes["c1"]["category"].as_u64().unwrap() < 10);
    assert_eq!(codes["c1"]["probabilities"].as_array().unwrap().len(), 10);
    assert!(codes["c2"].is_f64() && codes["c3"].is_f64(), "{codes}");
}

#[test]
fn a_bad_picture_is_named_and_nothing_is_written() {
    let folder = temp();
    pictures(folder.path());
    std::fs::write(folder.path().join("broken.png"), "not a picture").unwrap();
    for file in ["broken.png", "absent.png"] {
        let error = refusal(&run_in(folder.path(), &["encode", run(), "a.png", file, "--out", "codes.csv"]));
        assert!(error.contains(file), "{error}");
    }
    assert!(!folder.path().join("codes.csv").exists());
    // In a folder it is told and passed over.
    std::fs::rename(folder.path().join("broken.png"), folder.path().join("more/broken.png")).unwrap();
    let output = run_in(folder.path(), &["encode", run(), "more"]);
    expect_code(&output, 0);
    assert!(stdout(&output).contains("more/d.png"));
    assert!(stderr(&output).contains("passed over 1 file:\n  more/broken.png: "), "{}", stderr(&output));
    assert!(
        refusal(&run_in(folder.path(), &["encode", run(), "a.png", "--json", "--csv"])).contains("--csv")
    );
}

#[test]
fn scores_are_json_with_the_promised_names() {
    let folder = temp();
    let json: Value = serde_json::from_str(&done(folder.path(), &["evaluate", run(), "--json"])).unwrap();
    let codes = json["codes"].as_array().unwrap();
    assert_eq!(
        codes.iter().map(|code| code["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["c1", "c2", "c3"]
    );
    let first = &codes[0];
    assert_eq!(first["kind"], "categorical");
    assert!((first["entropy_nats"].as_f64().unwrap() - 10f64.ln()).abs() < 1e-12);
    for share in ["error_hungarian", "error_majority", "nmi"] {
        assert!((0.0..=1.0).contains(&first[share].as_f64().unwrap()), "{share}: {first}");
    }
    assert!(first["bound_nats"].is_f64() && first["ari"].is_f64(), "{first}");
    assert!(codes[1]["error_hungarian"].is_null() && codes[1]["nmi"].is_null());
    let factors: Vec<&str> =
        json["factors"].as_array().unwrap().iter().map(|f| f["factor"].as_str().unwrap()).collect();
    assert!(factors.contains(&"rotation") && factors.contains(&"thickness"), "{factors:?}");
    assert_eq!(json["protocol"]["test_pictures"], 200);
    assert_eq!(json["protocol"]["seed"], 0);

    let text = done(folder.path(), &["evaluate", run()]);
    let (table, protocol) = text.split_once("\nprotocol\n").expect("the protocol is under the table");
    assert!(table.starts_with("scores at step 6\n") && table.contains("rotation"), "{table}");
    assert!(protocol.contains("  test_pictures: 200\n"), "{protocol}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_run_is_scored_on_other_pictures_too() {
    let folder = temp();
    write_idx(&folder.path().join("digits"), 50);
    let json: Value =
        serde_json::from_str(&done(folder.path(), &["evaluate", run(), "--data", "digits", "--json"]))
            .unwrap();
    assert_eq!(json["protocol"]["test_pictures"], 50);
    assert_eq!(json["factors"], serde_json::json!([]), "files have no known factors");
    assert_eq!(json["mig_mean"], Value::Null);
    assert!(refusal(&run_in(folder.path(), &["evaluate", run(), "--data", "nowhere"])).contains("nowhere"));
}

#[test]
fn presets_are_listed_and_shown() {
    let folder = temp();
    let list = done(folder.path(), &["presets"]);
    let listed: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed[..2], ["glyphs", "mnist"]);
    for name in listed {
        assert!(done(folder.path(), &["presets", "show", name]).contains(&format!("name = \"{name}\"")));
        let resolved = done(folder.path(), &["presets", "show", name, "--resolved"]);
        let table: toml::Table = resolved.parse().unwrap();
        assert_eq!(table["name"].as_str(), Some(name));
        assert!(table["train"].get("snapshot_every").is_some(), "defaults are written out");
        assert_eq!(table.contains_key("terms") && table["terms"].get("codes").is_some(), name != "gan");
    }
    assert!(
        done(folder.path(), &["presets", "show", "mnist"]).starts_with('#'),
        "as it is written, with its sources"
    );
}

#[test]
fn every_verb_helps_with_examples() {
    let folder = temp();
    for verb in ["train", "sample", "traverse", "interpolate", "encode", "evaluate", "presets"] {
        let help = done(folder.path(), &[verb, "--help"]);
        assert!(
            help.contains("Examples:\n  infogan ") && help.contains(&format!("infogan {verb}")),
            "{help}"
        );
        assert!(done(folder.path(), &["--help"]).contains(&format!("  {verb} ")));
    }
    assert!(done(folder.path(), &["--version"]).starts_with("infogan 0."));
    let bare = infogan().output().unwrap();
    assert_eq!((bare.status.code(), stdout(&bare)), (Some(2), String::new()));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = infogan()
        .args(["evaluate", run(), "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""));
}
