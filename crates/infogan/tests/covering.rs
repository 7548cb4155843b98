//! Any part goes with any other: a covering array over the registry of parts at width 8. Every row either trains two
//! steps and resumes to the same bytes, or is refused for a reason the table of verdicts beside this file gives. A
//! refusal is right only where shapes do not fit, a slot is missing or a statistic is undefined.
//!
//! `INFOGAN_WRITE_VERDICTS=1 cargo test --release --workspace --test covering` writes the table anew.

#[path = "common/array.rs"]
mod array;
mod common;

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, sync::Arc};

use array::{Combination, combinations, cover, holds, pairs};
use common::{differing, pictures, resolve_with, snapshot};
use infogan::{
    config::ConfigError,
    game::Game,
    tasks::{GameTask, Task},
    train::{checkpoint, state::State},
};
use infogan_data::ImageSet;
use infogan_ops::device;

/// Factors and the names of their values.
const FACTORS: [(&str, &[&str]); 31] = [
    ("loss", &["non-saturating", "saturating"]),
    ("epsilon", &["0", "1e-8"]),
    ("scale", &["unit", "symmetric"]),
    ("noise", &["uniform", "normal", "none"]),
    ("codes", &["none", "cat", "cat-uniform", "uniform", "normal"]),
    ("routing", &["absent", "openai", "ports", "watching", "generator", "real"]),
    ("continuous", &["fixed", "learned", "squared-error"]),
    ("code-epsilon", &["0", "1e-8"]),
    ("head", &["none", "fc", "fc-bn"]),
    ("tap", &["features", "map"]),
    ("latents", &["fresh", "reused"]),
    ("order", &["critic-first", "generator-first"]),
    ("shared", &["yes", "no"]),
    ("transform", &["none", "noise", "noise-on-real", "value-noise", "snap"]),
    ("switch", &["no", "yes"]),
    ("weight-decay", &["0", "1e-3"]),
    ("critic-real", &["1", "2"]),
    ("agree", &["no", "yes"]),
    ("critic-optimizer", &["adam", "sgd", "momentum"]),
    ("generator-optimizer", &["adam", "sgd"]),
    ("critic-repeat", &["1", "2"]),
    ("generator-every", &["1", "2"]),
    ("init", &["normal", "openai", "framework"]),
    ("decay", &["0", "10"]),
    ("generator-norm", &["bn", "none"]),
    ("generator-up", &["upconv", "up"]),
    ("critic-norm", &["bn", "none", "sn"]),
    ("critic-head", &["fc 1", "fc 1 nobias"]),
    ("bias", &["yes", "no"]),
    ("critic-tail", &["fc", "conv"]),
    ("picture", &["1x28x28", "3x16x16"]),
];

/// A row of the array: one value of every factor.
struct Row<'a>(&'a [usize]);

impl Row<'_> {
    fn get(&self, factor: &str) -> &'static str {
        let at = factor_position(factor);
        FACTORS[at].1[self.0[at]]
    }

    /// The row's name in the table: all values in the order of the factors.
    fn key(&self) -> String {
        FACTORS
            .iter()
            .map(|(factor, _)| format!("{factor}={}", self.get(factor)))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn picture(&self) -> [usize; 3] {
        if self.get("picture") == "1x28x28" { [1, 28, 28] } else { [3, 16, 16] }
    }

    /// The configuration as TOML.
    fn toml(&self) -> String {
        let get = |factor| self.get(factor);
        let choose =
            |factor, value, yes: &'static str, no: &'static str| if get(factor) == value { yes } else { no };
        let [channels, side, _] = self.picture();
        let small = side / 4;
        let mut text = String::from("extends = \"mnist\"\nname = \"cover\"\n");
        let mut line =
            |text_: std::fmt::Arguments<'_>| writeln!(text, "{text_}").expect("a String takes everything");

        line(format_args!("init = \"{}\"", get("init")));
        let mut slots = match get("noise") {
            "none" => "{name='z',prior='uniform',width=0},".to_owned(),
            prior => format!("{{name='z',prior='{prior}',width=4}},"),
        };
        slots += match get("codes") {
            "cat" => "{name='c1',prior='categorical',width=3},",
            "cat-uniform" => {
                "{name='c1',prior='categorical',width=3},{name='c2',prior='uniform',width=1},\
                 {name='c3',prior='uniform',width=1},"
            }
            "uniform" => "{name='c1',prior='uniform',width=2},",
            "normal" => "{name='c1',prior='normal',width=2},",
            _ => "",
        };
        line(format_args!("latent = [{slots}]"));

        let critic_first = get("order") == "critic-first";
        let latents = |second: bool| if second { get("latents") } else { "fresh" };
        let critic = format!(
            "{{name='critic',adversarial='critic',repeat={},real={},latents='{}',optimizers=['critic']}}",
            get("critic-repeat"),
            get("critic-real"),
            latents(!critic_first)
        );
        let generator = format!(
            "{{name='generator',adversarial='generator',every={},latents='{}',optimizers=['generator']}}",
            get("generator-every"),
            latents(critic_first)
        );
        let phases = if critic_first { [critic, generator] } else { [generator, critic] };
        line(format_args!("phase = [{}]", phases.join(",")));
        if get("routing") == "absent" {
            line(format_args!("terms = false"));
        }

        line(format_args!("[data]\nset = \"glyphs\"\nscale = \"{}\"", get("scale")));
        line(format_args!("[train]\nsteps = 2\nbatch = 4"));
        line(format_args!("[adversarial]\nloss = \"{}\"\nepsilon = {}", get("loss"), get("epsilon")));
        if get("switch") == "yes" {
            line(format_args!("then = {{ loss = \"saturating\", after = 1 }}"));
        }
        let norm = choose("generator-norm", "bn", "bn ", "");
        let bias = choose("bias", "yes", "", "nobias ");
        let last = choose("scale", "unit", "sigmoid", "tanh");
        let doubled = |maps: usize, rest: &str| match get("generator-up") {
            "up" => format!("\"up\", \"conv {maps} k3 {rest}\""),
            _ => format!("\"upconv {maps} k4 s2 {rest}\""),
        };
        line(format_args!(
            "[generator]\nlayers = [\"fc 8 {norm}{bias}relu\", \"fc {small}x{small}x8 {norm}relu\", {}, {}]",
            doubled(8, &format!("{norm}{bias}relu")),
            doubled(channels, last),
        ));
        let norm = match get("critic-norm") {
            "bn" => "bn ",
            "sn" => "sn ",
            _ => "",
        };
        let tail = choose("critic-tail", "fc", "fc 8", "conv 8 k4 s2");
        line(format_args!(
            "[critic]\nhead = \"{}\"\nshared_pass = {}\nlayers = [\"conv 8 k4 s2 {bias}lrelu\", \
             \"conv 8 k4 s2 {norm}{bias}lrelu\", \"{tail} {norm}lrelu\"]",
            get("critic-head"),
            choose("shared", "yes", "true", "false")
        ));
        let transform = match get("transform") {
            "noise" => "kind = \"instance-noise\"\ndeviation = 0.1",
            "noise-on-real" => "kind = \"instance-noise\"\ndeviation = 0.1\non = ['real']",
            "value-noise" => "kind = \"value-noise\"\nvalue = 0\nfrom = 0\nto = 60",
            "snap" => "kind = \"snap\"",
            _ => "",
        };
        if !transform.is_empty() {
            line(format_args!("[transforms.one]\n{transform}"));
        }

        if get("routing") != "absent" {
            let recover = match get("codes") {
                "none" => "[]",
                "cat-uniform" => "['c1','c2','c3']",
                _ => "['c1']",
            };
            let head = match get("head") {
                "fc" => "['fc 8 lrelu']",
                "fc-bn" => "['fc 8 bn lrelu']",
                _ => "[]",
            };
            let owner = choose("routing", "ports", "generator", "critic");
            let (critic, generator) = match get("routing") {
                "openai" => ("['trunk','head']", "['generator']"),
                "ports" => ("false", "['generator','head']"),
                "watching" => ("['head']", "false"),
                "real" => ("['trunk','head']", "false"),
                _ => ("false", "['generator']"),
            };
            line(format_args!(
                "[terms.codes]\nrecover = {recover}\ncontinuous = \"{}\"\nepsilon = {}\nhead = {head}\ntap = \"{}\"\n\
                 optimizer = \"{owner}\"\ngradient = {{critic = {critic}, generator = {generator}}}",
                get("continuous"),
                get("code-epsilon"),
                choose("tap", "features", "features", "trunk.1"),
            ));
            line(format_args!("reads = \"{}\"", choose("routing", "real", "real", "generated")));
            // It is about categories.
            if get("agree") == "yes" && get("codes").starts_with("cat") {
                line(format_args!("agree = {{ turn = 10.0, scale = 0.1, shear = 0.1, shift = 0.1 }}"));
            }
        }

        for player in ["critic", "generator"] {
            let kind = match get(if player == "critic" { "critic-optimizer" } else { "generator-optimizer" })
            {
                "adam" => "kind = \"adam\"",
                "sgd" => "kind = \"sgd\"",
                _ => "kind = \"sgd\"\nmomentum = 0.5",
            };
            let decay = if player == "critic" { get("weight-decay") } else { "0" };
            line(format_args!(
                "[optimizers.{player}]\n{kind}\ndecay_steps = {}\nweight_decay = {decay}",
                get("decay")
            ));
        }
        text
    }
}

/// Combinations that cannot be played, each with the key that refuses it and for one of the three reasons. All
/// others must train.
const IMPOSSIBLE: [(&str, [(&str, &str); 2]); 9] = [
    // A generator that gets no number at all: a shape.
    ("latent", [("noise", "none"), ("codes", "none")]),
    // No slot to recover.
    ("terms.codes.recover", [("codes", "none"), ("routing", "openai")]),
    ("terms.codes.recover", [("codes", "none"), ("routing", "ports")]),
    ("terms.codes.recover", [("codes", "none"), ("routing", "watching")]),
    ("terms.codes.recover", [("codes", "none"), ("routing", "generator")]),
    ("terms.codes.recover", [("codes", "none"), ("routing", "real")]),
    // Two real pictures for one code: a shape.
    ("terms.codes.reads", [("routing", "real"), ("critic-real", "2")]),
    // The pictures to reuse would be those of a generator that is gone: undefined.
    ("phase.1.latents", [("latents", "reused"), ("order", "generator-first")]),
    // One pass for two steps of the power iteration: undefined.
    ("critic.shared_pass", [("critic-norm", "sn"), ("shared", "yes")]),
];

fn factor_position(factor: &str) -> usize {
    FACTORS.iter().position(|(name, _)| *name == factor).expect("a factor of this name")
}

fn position(factor: &str, value: &str) -> (usize, usize) {
    let at = factor_position(factor);
    (at, FACTORS[at].1.iter().position(|name| *name == value).expect("a value of this name"))
}

fn combination(parts: &[(&str, &str)]) -> Combination {
    let mut combination: Combination = parts.iter().map(|(factor, value)| position(factor, value)).collect();
    combination.sort_unstable();
    combination
}

/// The impossible combinations in the values chosen so far, by number.
fn impossible_in(row: &[Option<usize>]) -> Vec<usize> {
    let there = |index: &usize| {
        let combination = combination(&IMPOSSIBLE[*index].1);
        combination.iter().all(|&(factor, value)| row[factor] == Some(value))
    };
    (0..IMPOSSIBLE.len()).filter(there).collect()
}

/// Factors whose triples are covered too: they meet in the routing of gradients.
const TRIPLES: [&str; 8] =
    ["codes", "routing", "continuous", "tap", "latents", "order", "shared", "generator-every"];

fn levels() -> Vec<usize> {
    FACTORS.iter().map(|(_, values)| values.len()).collect()
}

/// First, rows that must train and hold every possible pair; then a row for each impossible one, kept apart because
/// a refused row is no evidence for the pairs in it.
fn array() -> Vec<Vec<usize>> {
    let levels = levels();
    let mut wanted = pairs(&levels);
    let mut triple: Vec<usize> = TRIPLES.iter().map(|factor| factor_position(factor)).collect();
    triple.sort_unstable();
    for first in 0..triple.len() {
        for second in first + 1..triple.len() {
            for third in second + 1..triple.len() {
                wanted.extend(combinations(&levels, &[triple[first], triple[second], triple[third]]));
            }
        }
    }
    let mut rows = cover(&levels, &wanted, &|row| impossible_in(row).is_empty());
    for (index, (_, parts)) in IMPOSSIBLE.iter().enumerate() {
        let alone = |row: &[Option<usize>]| impossible_in(row).iter().all(|&other| other == index);
        rows.extend(cover(&levels, &[combination(parts)], &alone));
    }
    rows
}

/// Trains a row two steps, cut in the middle, and compares with two in one go.
fn play(row: &Row<'_>, set: &Arc<ImageSet>) -> Result<(), ConfigError> {
    let config = resolve_with(&row.toml(), &[])?;
    let build = || -> Result<GameTask, ConfigError> {
        let game = Game::new(&config, set.shape(), device::resolve("cpu").unwrap())?;
        GameTask::from_game(game, Arc::clone(set))
    };
    let task = build()?;
    let step = |task: &GameTask, state: &mut State| {
        let report = task.step(state).unwrap_or_else(|error| panic!("{}: {error}", row.key()));
        assert!(!report.losses.is_empty(), "{}", row.key());
    };
    let save = |state: &State| {
        let folder = tempfile::tempdir().unwrap();
        let place = checkpoint::save(folder.path(), &snapshot(state), 1).unwrap();
        (checkpoint::load(&place).unwrap(), common::files(folder.path()))
    };

    let first = task.init();
    let mut whole = first.clone();
    step(&task, &mut whole);
    let (half, _) = save(&whole);
    step(&task, &mut whole);
    for network in ["generator/", "critic/"] {
        let moved = differing(&first, &whole).iter().any(|name| name.starts_with(network));
        assert!(moved, "{}: nothing of {network} moved", row.key());
    }

    // Rebuilt from the configuration, as a new process would.
    let again = build()?;
    let mut resumed = common::restored(&again, &half);
    step(&again, &mut resumed);
    assert_eq!(differing(&whole, &resumed), Vec::<String>::new(), "{}: 1 + 1 is not 2", row.key());
    assert!(save(&whole).1 == save(&resumed).1, "{}: files differ", row.key());
    Ok(())
}

#[test]
fn every_pair_of_parts_trains_or_is_refused_for_a_reason() {
    let sets: BTreeMap<[usize; 3], Arc<ImageSet>> =
        [[1, 28, 28], [3, 16, 16]].into_iter().map(|shape| (shape, pictures(shape, 24))).collect();
    let (mut trained, mut refused) = (0, 0);
    let mut table = String::from("# Written by tests/covering.rs; see there.\n");
    for values in array() {
        let row = Row(&values);
        let chosen: Vec<Option<usize>> = values.iter().copied().map(Some).collect();
        let reasons: Vec<&str> =
            impossible_in(&chosen).into_iter().map(|index| IMPOSSIBLE[index].0).collect();
        let verdict = match play(&row, &sets[&row.picture()]) {
            Ok(()) => {
                assert!(reasons.is_empty(), "{}: trained", row.key());
                trained += 1;
                "trained".to_owned()
            }
            Err(error) => {
                assert_eq!(reasons, [error.key.as_str()], "{}: {error}", row.key());
                refused += 1;
                format!("refused: {error}")
            }
        };
        writeln!(table, "{}\t{verdict}", row.key()).unwrap();
    }
    println!("{trained} trained, {refused} refused");

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/covering.verdicts.tsv");
    if std::env::var_os("INFOGAN_WRITE_VERDICTS").is_some() {
        fs::write(&file, &table).unwrap();
    }
    let known = fs::read_to_string(&file).unwrap_or_default();
    for (line, (found, known)) in table.lines().zip(known.lines()).enumerate() {
        assert_eq!(found, known, "line {} of covering.verdicts.tsv", line + 1);
    }
    assert_eq!(table.lines().count(), known.lines().count(), "rows of covering.verdicts.tsv");
}

/// Every pair of values is in a row, and every pair that can be played is in a row that must train.
#[test]
fn the_array_covers_every_pair() {
    let (rows, levels) = (array(), levels());
    let all = pairs(&levels);
    // Counted apart from how they are made: every two factors, every two values.
    let sum: usize = levels.iter().sum();
    let squares: usize = levels.iter().map(|count| count * count).sum();
    assert_eq!(all.len(), (sum * sum - squares) / 2);
    let chosen = |row: &[usize]| row.iter().copied().map(Some).collect::<Vec<_>>();
    let mut impossible = 0;
    for pair in &all {
        let mut alone = vec![None; levels.len()];
        pair.iter().for_each(|&(factor, value)| alone[factor] = Some(value));
        let mut with: Vec<&Vec<usize>> = rows.iter().filter(|row| holds(row, pair)).collect();
        assert!(!with.is_empty(), "{pair:?} is in no row");
        if impossible_in(&alone).is_empty() {
            with.retain(|row| impossible_in(&chosen(row)).is_empty());
            assert!(!with.is_empty(), "{pair:?} is only in rows that are refused");
        } else {
            impossible += 1;
        }
    }
    assert_eq!(impossible, IMPOSSIBLE.len());
    assert!((60..=130).contains(&rows.len()), "{} rows", rows.len());
    let mut keys: Vec<String> = rows.iter().map(|row| Row(row).key()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), rows.len(), "no row twice");
}
