//! Weights that PyTorch saved become a run, and the run draws what PyTorch draws.

mod common;

use std::path::{Path, PathBuf};

use infogan::{
    latent::Draw,
    session::{Begin, OpenRun, Prepared, Request},
};

/// The generator of `fixtures/weights.py`.
const DCGAN: &str = r#"
extends = "gan"
name = "dcgan"
latent = [{ name = "z", prior = "normal", width = 6 }]
[data]
set = "glyphs"
count = 24
size = 16
scale = "symmetric"
[train]
batch = 8
[generator]
layers = [
  "upconv 12 k4 s1 p0 nobias bn relu",
  "upconv 6 k4 s2 p1 nobias bn relu",
  "upconv 1 k4 s2 p1 nobias tanh",
]
[critic]
layers = ["conv 4 k4 s2 lrelu"]
"#;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/weights").join(name)
}

fn golden() -> (Vec<f32>, Vec<f32>) {
    let text = std::fs::read_to_string(fixture("dcgan.json")).unwrap();
    let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
    let numbers = |key: &str| {
        golden[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
    };
    (numbers("latents"), numbers("pictures"))
}

/// Pictures of the golden latents, as bytes, of a run begun with a file.
fn imported(file: &str, config: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut request = Request::new(common::resolve(config).unwrap()).out(&run);
    request.init_from = Some(Begin { from: fixture(file), map: Vec::new() });
    Prepared::new(&request, &|_, _| ()).unwrap().open(&request).unwrap().begin().unwrap();
    let mut open = OpenRun::open_generator(&run, "cpu").unwrap();
    let draw = Draw::from_values(vec![6], 4, vec![golden().0]);
    let pictures = open.trained().pictures(&draw).unwrap();
    pictures.iter().flat_map(|picture| picture.pixels().to_vec()).collect()
}

/// The largest difference from the golden pictures, in levels of 255.
fn difference(pixels: &[u8]) -> f32 {
    let golden = golden().1;
    assert_eq!(pixels.len(), golden.len());
    let level = |value: f32| (value + 1.0) * 127.5;
    pixels
        .iter()
        .zip(golden)
        .map(|(&pixel, value)| (f32::from(pixel) - level(value)).abs())
        .fold(0.0, f32::max)
}

#[test]
fn an_imported_generator_draws_what_pytorch_draws_in_its_eval_mode() {
    for file in ["dcgan.pth", "dcgan.safetensors"] {
        let off = difference(&imported(file, DCGAN));
        // Half a level is rounding to bytes.
        assert!(off < 0.51, "{file}: {off} levels");
    }
}

/// Where our rows have biases that the file has not, they begin at zero: the same pictures.
#[test]
fn biases_under_batch_norm_may_be_ours_alone() {
    let with = DCGAN.replace("nobias bn", "bn");
    assert_ne!(with, DCGAN);
    let off = difference(&imported("dcgan.pth", &with));
    assert!(off < 0.51, "{off} levels");
}
