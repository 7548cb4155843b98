//! Presets: the five networks of the InfoGAN paper's appendix C count right, and every one trains.

mod common;

use std::collections::BTreeSet;

use common::resolve;
use infogan::{
    config::{Config, DataSet, Enlarge, PRESETS, PriorKind, Resolver, TermConfig, adapt},
    game::Game,
    nn::{Map, ParameterSpec, Stack, parse_table},
    session::{Request, probe},
};
use infogan_data::{Source, synth};
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

/// The game of a preset, whose tables fit the pictures it trains on as they are.
fn game(preset: &str) -> Game {
    let mut config = Resolver::preset(preset).and_then(Resolver::finish).unwrap();
    let picture = picture_of(&config);
    assert!(!adapt(&mut config, picture).unwrap(), "{preset}");
    Game::new(&config, picture, device::resolve("cpu").unwrap())
        .unwrap_or_else(|error| panic!("{preset}: {error}"))
}

/// `[channels, height, width]` of what a preset trains on.
fn picture_of(config: &Config) -> [usize; 3] {
    let (size, channels) = (config.data.size, config.data.channels);
    match config.data.set {
        DataSet::Drawn(name) => [synth::find(name).unwrap().channels, size, size],
        DataSet::Files(Source::Idx) if config.data.enlarge == Enlarge::No => [1, 28, 28],
        DataSet::Files(Source::Idx) => [1, size, size],
        DataSet::Files(Source::Svhn) => [3, 32, 32],
        DataSet::Files(_) => [channels, size, size],
    }
}

fn counts(preset: &str) -> Counts {
    let game = game(preset);
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

#[test]
fn mnist_counts_right() {
    let expected = Counts { trunk: 6_558_144, critic_head: 1_025, q: 133_262, generator: 6_652_481 };
    assert_eq!(counts("mnist"), expected);
    assert_eq!(expected.trunk + expected.critic_head + expected.q, 6_692_431);
}

/// The appendix has four numbers and 168 in all, the main text two.
#[test]
fn svhn_counts_right() {
    let expected = Counts { trunk: 659_648, critic_head: 4_097, q: 530_864, generator: 2_800_835 };
    assert_eq!(counts("svhn-appendix"), expected);
    let generator = expected.generator - 2 * 2 * 2 * 448;
    assert_eq!(counts("svhn"), Counts { q: expected.q - 4 * 129, generator, ..expected });
}

#[test]
fn celeba_counts_right() {
    let expected = Counts { trunk: 659_648, critic_head: 4_097, q: 537_572, generator: 2_908_355 };
    assert_eq!(counts("celeba"), expected);
}

/// D and Q share everything but the last units: a mean and a raw spread for each of five codes, from 1,024 units.
#[test]
fn faces_count_right() {
    let expected = Counts { trunk: 8_524_224, critic_head: 1_025, q: 1_025 * 10, generator: 8_684_737 };
    for preset in ["faces-azimuth", "faces-elevation", "faces-lighting"] {
        assert_eq!(counts(preset), expected, "{preset}");
    }
}

/// The appendix has three categorical codes and 189 numbers in all, the main text four.
#[test]
fn chairs_count_right() {
    for training in ["chairs-rotation", "chairs-width"] {
        let expected = Counts { trunk: 19_536_576, critic_head: 1_025, q: 1_025 * 62, generator: 19_778_625 };
        assert_eq!(counts(&format!("{training}-appendix")), expected);
        let generator = expected.generator + 20 * 1024;
        assert_eq!(counts(training), Counts { q: 1_025 * 82, generator, ..expected });
    }
}

/// Tables 5 and 7: rates of D and G, λ of numbers and of categories.
#[test]
fn every_training_has_its_own_rates_and_weights() {
    for (preset, critic, generator, numbers, categories) in [
        ("faces-azimuth", 2e-4, 5e-4, 0.2, None),
        ("faces-elevation", 4e-4, 3e-4, 0.1, None),
        ("faces-lighting", 8e-4, 3e-4, 0.1, None),
        ("chairs-rotation", 2e-4, 1e-3, 10.0, Some(1.0)),
        ("chairs-rotation-appendix", 2e-4, 1e-3, 10.0, Some(1.0)),
        ("chairs-width", 2e-4, 1e-3, 0.05, Some(2.0)),
        ("chairs-width-appendix", 2e-4, 1e-3, 0.05, Some(2.0)),
    ] {
        let config = Resolver::preset(preset).and_then(Resolver::finish).unwrap();
        assert_eq!(
            (config.optimizers["critic"].rate, config.optimizers["generator"].rate),
            (critic, generator)
        );
        let TermConfig::Codes(codes) = &config.terms["codes"];
        let slots = config.latent.iter().filter(|slot| slot.name != "z");
        assert!(slots.clone().map(|slot| &slot.name).eq(&codes.recover), "{preset}: all codes are recovered");
        for slot in slots {
            let weight = codes.weight * codes.weights.get(&slot.name).copied().unwrap_or(1.0);
            let expected = if slot.prior == PriorKind::Categorical { categories } else { Some(numbers) };
            assert_eq!(Some(weight), expected, "{preset}: {}", slot.name);
        }
    }
}

/// 4×4 kernels of stride 1 keep the side with one pixel before and two after, as TensorFlow's "SAME" has it.
#[test]
fn same_of_stride_one_pads_two_after() {
    let config = Resolver::preset("chairs-rotation").and_then(Resolver::finish).unwrap();
    let rows = parse_table(&config.critic.layers, config.critic.slope).unwrap();
    let up = parse_table(&config.generator.layers, config.generator.slope).unwrap();
    for map in rows[3..5].iter().chain(&up[2..4]).map(|row| row.map) {
        let (Map::Conv(_, window) | Map::UpConv(_, window)) = map else { panic!("{map:?}") };
        assert_eq!((window.stride, window.before, window.after), (1, 1, 2));
        assert_eq!((window.down(8), window.up(8)), (Some(8), Some(8)));
    }
}

#[test]
fn a_table_that_does_not_fit_is_refused_at_its_row() {
    let game = |text: &str, picture| {
        Game::new(&resolve(text).unwrap(), picture, device::resolve("cpu").unwrap()).err().unwrap()
    };
    let error = game("extends = \"mnist\"", [1, 32, 32]);
    assert_eq!(error.key, "generator.layers");
    assert!(error.reason.contains("1×28×28") && error.reason.contains("1×32×32"), "{error}");
    let deep =
        "extends = \"svhn\"\n[critic]\nlayers = [\"conv 64 k4 s2 lrelu\", \"conv 256 k17 s2 p0 bn lrelu\"]";
    let error = game(deep, [3, 32, 32]);
    assert_eq!(error.key, "critic.layers.1");
}

#[test]
fn every_preset_resolves_and_builds() {
    for preset in PRESETS {
        let resolver = Resolver::preset(preset.name).unwrap();
        let config = resolver.finish().unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        assert_eq!(config.name, preset.name);
        assert!(preset.summary.chars().count() <= 100, "{}: its line is a line", preset.name);
        assert_eq!(game(preset.name).codes().is_some(), preset.name != "gan", "{}", preset.name);
        // What is written into a run's directory comes back as the same configuration.
        let text = toml::to_string(&config).unwrap();
        assert_eq!(text.contains("crop"), config.data.crop > 0, "{}: runs keep their identity", preset.name);
        assert_eq!(infogan::config::from_toml(text.parse().unwrap()).unwrap(), config, "{}", preset.name);
    }
}

/// The lab report's two architectures.
#[test]
fn the_lab_report() {
    let first = Counts { trunk: 2_755_328, critic_head: 8_192, q: 820_310, generator: 3_279_744 };
    assert_eq!(counts("lab-1"), first);
    assert_eq!(counts("lab-2"), Counts { trunk: 2_753_536, generator: 1_912_256, ..first });
}

/// Every preset trains at its real width. Those of files do so on something drawn; of those that differ in rates and weights
/// alone, one is enough.
#[test]
fn every_preset_takes_steps() {
    let mut taken = BTreeSet::new();
    for preset in PRESETS {
        let mut resolver = Resolver::preset(preset.name).unwrap();
        let config = resolver.clone().finish().unwrap();
        let gradients = config.terms.values().map(|TermConfig::Codes(codes)| &codes.gradient);
        let parts = (&config.latent, &config.generator, &config.critic, &config.transforms);
        if !taken.insert(format!("{parts:?} {:?}", gradients.collect::<Vec<_>>())) {
            continue;
        }
        let set = match picture_of(&config)[0] {
            _ if matches!(config.data.set, DataSet::Drawn(_)) => config.data.set.name(),
            1 => "glyphs",
            _ => "portraits",
        };
        for (key, value) in [("set", set), ("count", "64"), ("size", &config.data.size.to_string())] {
            resolver.set(&format!("data.{key}={value}")).unwrap();
        }
        resolver.set("train.batch=2").unwrap();
        resolver.set("evaluate.test=10").unwrap();
        let request = Request {
            config: resolver.finish().unwrap(),
            out: None,
            root: "runs".into(),
            new: false,
            device: "cpu".to_owned(),
            tensorboard: false,
            adapt: false,
            strict: false,
            init_from: None,
        };
        let probe = probe(&request, 1, &|_, _| ()).unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        assert_eq!(probe.pictures, 64, "{}", preset.name);
    }
}
