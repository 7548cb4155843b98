//! The five networks of the InfoGAN paper's appendix C build from layer tables in a configuration, and count right.

mod common;

use common::resolve;
use infogan::{
    config::{PRESETS, Resolver},
    game::Game,
    nn::{ParameterSpec, Stack},
};
use infogan_ops::device;

/// Parameters of the four parts: trunk, head of D, head of Q, G.
#[derive(Debug, PartialEq)]
struct Counts {
    trunk: usize,
    critic_head: usize,
    q: usize,
    generator: usize,
}

fn count(stack: &Stack) -> usize {
    stack.parameters().iter().map(ParameterSpec::count).sum()
}

fn counts(text: &str, picture: [usize; 3]) -> Counts {
    let config = resolve(text).unwrap();
    let game = Game::new(&config, picture, device::resolve("cpu").unwrap()).unwrap();
    let counts = Counts {
        trunk: count(game.critic().trunk()),
        critic_head: count(game.critic().head()),
        q: count(game.codes().unwrap().stack()),
        generator: count(game.generator().stack()),
    };
    // The networks that are trained hold nothing else.
    let by_network: Vec<(String, usize)> = (game.networks().into_iter())
        .map(|(name, specs)| (name, specs.iter().map(ParameterSpec::count).sum()))
        .collect();
    let expected = [
        ("generator".to_owned(), counts.generator),
        ("critic".to_owned(), counts.trunk + counts.critic_head),
        ("q".to_owned(), counts.q),
    ];
    assert_eq!(by_network, expected);
    counts
}

/// T1, with the latents of OpenAI's code.
const MNIST: &str = r#"
extends = "mnist"
name = "layout-mnist"
"#;

/// T2. The appendix has four continuous codes; the main text says two.
const SVHN: &str = r#"
extends = "mnist"
name = "layout-svhn"
latent = [
  { name = "z", prior = "uniform", width = 124 },
  { name = "c1", prior = "categorical", width = 10 },
  { name = "c2", prior = "categorical", width = 10 },
  { name = "c3", prior = "categorical", width = 10 },
  { name = "c4", prior = "categorical", width = 10 },
  { name = "c5", prior = "uniform", width = 4 },
]
[data]
scale = "symmetric"
[generator]
layers = [
  "fc 2x2x448 bn relu",
  "upconv 256 k4 s2 bn relu",
  "upconv 128 k4 s2 relu",
  "upconv 64 k4 s2 relu",
  "upconv 3 k4 s2 tanh",
]
[critic]
layers = ["conv 64 k4 s2 lrelu", "conv 128 k4 s2 bn lrelu", "conv 256 k4 s2 bn lrelu"]
[terms.codes]
recover = ["c1", "c2", "c3", "c4", "c5"]
"#;

/// T3: the nets of SVHN, ten categorical codes.
const CELEBA: &str = r#"
extends = "mnist"
name = "layout-celeba"
latent = [
  { name = "z", prior = "uniform", width = 128 },
  { name = "c1", prior = "categorical", width = 10 },
  { name = "c2", prior = "categorical", width = 10 },
  { name = "c3", prior = "categorical", width = 10 },
  { name = "c4", prior = "categorical", width = 10 },
  { name = "c5", prior = "categorical", width = 10 },
  { name = "c6", prior = "categorical", width = 10 },
  { name = "c7", prior = "categorical", width = 10 },
  { name = "c8", prior = "categorical", width = 10 },
  { name = "c9", prior = "categorical", width = 10 },
  { name = "c10", prior = "categorical", width = 10 },
]
[data]
scale = "symmetric"
[generator]
layers = [
  "fc 2x2x448 bn relu",
  "upconv 256 k4 s2 bn relu",
  "upconv 128 k4 s2 relu",
  "upconv 64 k4 s2 relu",
  "upconv 3 k4 s2 tanh",
]
[critic]
layers = ["conv 64 k4 s2 lrelu", "conv 128 k4 s2 bn lrelu", "conv 256 k4 s2 bn lrelu"]
[terms.codes]
recover = ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10"]
"#;

/// T4. One fully connected output layer for D and Q: Q has no row of its own.
const FACES: &str = r#"
extends = "mnist"
name = "layout-faces"
latent = [
  { name = "z", prior = "uniform", width = 128 },
  { name = "c1", prior = "uniform", width = 5 },
]
[generator]
layers = ["fc 1024 bn relu", "fc 8x8x128 bn relu", "upconv 64 k4 s2 bn relu", "upconv 1 k4 s2 sigmoid"]
[critic]
layers = ["conv 64 k4 s2 lrelu", "conv 128 k4 s2 bn lrelu", "fc 1024 bn lrelu"]
[terms.codes]
recover = ["c1"]
head = []
"#;

/// T6, with the three categorical codes of the appendix. The convolutions of stride 1 pad one before, two after.
const CHAIRS: &str = r#"
extends = "mnist"
name = "layout-chairs"
latent = [
  { name = "z", prior = "uniform", width = 128 },
  { name = "c1", prior = "uniform", width = 1 },
  { name = "c2", prior = "categorical", width = 20 },
  { name = "c3", prior = "categorical", width = 20 },
  { name = "c4", prior = "categorical", width = 20 },
]
[generator]
layers = [
  "fc 1024 bn relu",
  "fc 8x8x256 bn relu",
  "upconv 256 k4 s1 bn relu",
  "upconv 256 k4 s1 bn relu",
  "upconv 128 k4 s2 bn relu",
  "upconv 64 k4 s2 bn relu",
  "upconv 1 k4 s2 sigmoid",
]
[critic]
layers = [
  "conv 64 k4 s2 lrelu",
  "conv 128 k4 s2 bn lrelu",
  "conv 256 k4 s2 bn lrelu",
  "conv 256 k4 s1 bn lrelu",
  "conv 256 k4 s1 bn lrelu",
  "fc 1024 bn lrelu",
]
[terms.codes]
recover = ["c1", "c2", "c3", "c4"]
head = []
"#;

#[test]
fn mnist_counts_right() {
    let expected = Counts { trunk: 6_558_144, critic_head: 1_025, q: 133_262, generator: 6_652_481 };
    assert_eq!(counts(MNIST, [1, 28, 28]), expected);
    assert_eq!(expected.trunk + expected.critic_head + expected.q, 6_692_431);
}

#[test]
fn svhn_counts_right() {
    let expected = Counts { trunk: 659_648, critic_head: 4_097, q: 530_864, generator: 2_800_835 };
    assert_eq!(counts(SVHN, [3, 32, 32]), expected);
}

#[test]
fn celeba_counts_right() {
    let expected = Counts { trunk: 659_648, critic_head: 4_097, q: 537_572, generator: 2_908_355 };
    assert_eq!(counts(CELEBA, [3, 32, 32]), expected);
}

#[test]
fn faces_count_right() {
    // Q: a mean and a raw spread for each of five codes, from 1,024 units.
    let expected = Counts { trunk: 8_524_224, critic_head: 1_025, q: 1_025 * 10, generator: 8_684_737 };
    assert_eq!(counts(FACES, [1, 32, 32]), expected);
}

#[test]
fn chairs_count_right() {
    let expected = Counts { trunk: 19_536_576, critic_head: 1_025, q: 1_025 * 62, generator: 19_778_625 };
    assert_eq!(counts(CHAIRS, [1, 64, 64]), expected);
}

/// The other number of codes where paper and appendix disagree (SVHN 166, Chairs 209): the latent alone decides.
#[test]
fn the_main_texts_latents_build_too() {
    let svhn = SVHN.replace("width = 4 }", "width = 2 }");
    let counted = counts(&svhn, [3, 32, 32]);
    assert_eq!(counted.generator, 2_800_835 - 2 * 2 * 2 * 448);
    assert_eq!(counted.q, 530_864 - 4 * 129);
    let chairs = CHAIRS
        .replace(
            "]\n[generator]",
            "  { name = \"c5\", prior = \"categorical\", width = 20 },\n]\n[generator]",
        )
        .replace("\"c4\"]", "\"c4\", \"c5\"]");
    let counted = counts(&chairs, [1, 64, 64]);
    assert_eq!(counted.generator, 19_778_625 + 20 * 1024);
    assert_eq!(counted.q, 1_025 * 82);
}

#[test]
fn a_table_that_does_not_fit_is_refused_at_its_row() {
    let game = |text: &str, picture| {
        Game::new(&resolve(text).unwrap(), picture, device::resolve("cpu").unwrap()).err().unwrap()
    };
    let error = game(MNIST, [1, 32, 32]);
    assert_eq!(error.key, "generator.layers");
    assert!(error.reason.contains("1×28×28") && error.reason.contains("1×32×32"), "{error}");
    let deep = SVHN.replace("\"conv 256 k4 s2 bn lrelu\"]", "\"conv 256 k9 s2 p0 bn lrelu\"]");
    let error = game(&deep, [3, 32, 32]);
    assert_eq!(error.key, "critic.layers.2");
}

#[test]
fn every_preset_resolves_and_builds() {
    for preset in PRESETS {
        let resolver = Resolver::preset(preset.name).unwrap();
        let config = resolver.finish().unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        assert_eq!(config.name, preset.name);
        let picture = match preset.name {
            "pictures" => [3, 32, 32],
            "lab-1" | "lab-2" => [1, 64, 64],
            _ => [1, 28, 28],
        };
        let game = Game::new(&config, picture, device::resolve("cpu").unwrap());
        let game = game.unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        assert_eq!(game.codes().is_some(), preset.name != "gan", "{}", preset.name);
        // What is written into a run's directory comes back as the same configuration.
        let text = toml::to_string(&config).unwrap();
        assert_eq!(infogan::config::from_toml(text.parse().unwrap()).unwrap(), config, "{}", preset.name);
    }
}

/// The lab report's two architectures.
#[test]
fn the_lab_report() {
    let preset = |name: &str| counts(&format!("extends = \"{name}\"\nname = \"layout-lab\""), [1, 64, 64]);
    let first = Counts { trunk: 2_755_328, critic_head: 8_192, q: 820_310, generator: 3_279_744 };
    assert_eq!(preset("lab-1"), first);
    assert_eq!(preset("lab-2"), Counts { trunk: 2_753_536, generator: 1_912_256, ..first });
}
