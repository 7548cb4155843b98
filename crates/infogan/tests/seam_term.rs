//! The seam for terms: a term that exists only here trains, resumes and keeps to itself with no change in the
//! library. It owns a head trained by the critic's optimiser, touches the generator, reads a frozen network and
//! runs a phase of its own every second step.

mod common;

use std::{path::Path, sync::atomic::AtomicBool};

use burn::tensor::Tensor;
use common::{differing, files, log_lines, plan, snapshot, steps, task, task_with, toy, with_steps};
use infogan::{
    config::{Config, Latents, PhaseConfig, Receiver, Side},
    game::{
        Game,
        terms::{Needs, Share, Term, TermContext, TermLoss, TermNetwork},
    },
    nn::{Bound, Init, ParameterSpec},
    run::RunDir,
    tasks::{GameTask, Task},
    train::{state::State, train},
};
use infogan_data::random::Streams;
use infogan_ops::{Activation, device, linear};

/// Pixels of the toy's pictures.
const PIXELS: usize = 64;
/// Units of the trunk's last row.
const UNITS: usize = 8;
/// Outputs of the frozen network.
const CODES: usize = 3;

/// A frozen random map says what to recover of every picture; a head on the trunk has to recover it. In its own
/// phase, a second head has to recover it from the pictures themselves.
struct Hash {
    networks: Vec<TermNetwork>,
    shares: Vec<Share>,
    phases: Vec<PhaseConfig>,
}

impl Hash {
    /// Joins configured phases, each with the parts its gradient goes to.
    fn new(shares: &[(&str, &[Receiver])]) -> Self {
        let weights = |shape: [usize; 2], std| {
            vec![ParameterSpec {
                path: "weight".to_owned(),
                shape: shape.to_vec(),
                init: Init::Normal { mean: 0.0, std },
            }]
        };
        let network = |name: &str, parameters, owner: Option<&str>| TermNetwork {
            name: name.to_owned(),
            parameters,
            trained_by: owner.map(str::to_owned),
        };
        let needs = Needs { critic_fake: true, ..Needs::default() };
        let share = |(phase, receivers): &(&str, &[Receiver])| Share {
            phase: (*phase).to_owned(),
            needs,
            receivers: receivers.to_vec(),
        };
        Self {
            networks: vec![
                network("hash-head", weights([CODES, UNITS], 0.3), Some("critic")),
                network("hash-frozen", weights([CODES, PIXELS], 0.3), None),
            ],
            shares: shares.iter().map(share).collect(),
            phases: Vec::new(),
        }
    }

    /// With its own phase, which needs an optimiser `echo` in the configuration.
    fn with_phase(mut self) -> Self {
        self.networks.push(TermNetwork {
            name: "hash-echo".to_owned(),
            parameters: vec![ParameterSpec {
                path: "weight".to_owned(),
                shape: vec![CODES, PIXELS],
                init: Init::Normal { mean: 0.0, std: 0.3 },
            }],
            trained_by: Some("echo".to_owned()),
        });
        self.shares.push(Share {
            phase: "echo".to_owned(),
            needs: Needs { fake: true, real: true, ..Needs::default() },
            receivers: vec![Receiver::Head],
        });
        self.phases.push(PhaseConfig {
            name: "echo".to_owned(),
            every: 2,
            repeat: 1,
            real: 1,
            generated: 1,
            adversarial: Side::None,
            latents: Latents::Fresh,
            optimizers: vec!["echo".to_owned()],
        });
        self
    }

    fn codes(network: &Bound, pictures: Tensor<4>) -> Tensor<2> {
        linear(pictures.flatten(1, 3), network.get("weight"), None, Activation::Identity) // [N, CODES]
    }
}

fn distance(left: Tensor<2>, right: Tensor<2>) -> Tensor<1> {
    let difference = left - right;
    (difference.clone() * difference).mean()
}

impl Term for Hash {
    fn name(&self) -> &str {
        "hash"
    }

    fn networks(&self) -> &[TermNetwork] {
        &self.networks
    }

    fn shares(&self) -> &[Share] {
        &self.shares
    }

    fn own_phases(&self) -> Vec<PhaseConfig> {
        self.phases.clone()
    }

    fn loss(&self, context: &mut TermContext<'_>) -> TermLoss {
        let fake = context.fake.expect("generated pictures were asked for").clone();
        let frozen = &context.networks["hash-frozen"];
        assert!(!frozen.is_tracked(), "nobody trains a frozen network");
        let (name, loss) = if context.phase == "echo" {
            let echo = &context.networks["hash-echo"];
            let real = context.real.expect("real pictures were asked for").clone();
            let both = Tensor::cat(vec![real, fake], 0); // [2·N, 1, 8, 8]
            ("echo", distance(Self::codes(echo, both.clone()), Self::codes(frozen, both)))
        } else {
            let features = context.critic_fake.expect("the critic was asked").taps["features"].clone().flat();
            let head = context.networks["hash-head"].get("weight");
            ("hash", distance(linear(features, head, None, Activation::Identity), Self::codes(frozen, fake)))
        };
        TermLoss { loss: loss.clone() * 2.0, losses: vec![(name.to_owned(), loss)], bounds: Vec::new() }
    }
}

/// InfoGAN's toy with a third optimiser that owns nothing until the term comes.
fn config() -> Config {
    toy(&["optimizers.echo={kind='adam',rate=1e-3,networks=[]}", "train.steps=7", "train.checkpoint_every=3"])
}

fn whole() -> Vec<Box<dyn Term>> {
    let term =
        Hash::new(&[("critic", &[Receiver::Trunk, Receiver::Head]), ("generator", &[Receiver::Generator])]);
    vec![Box::new(term.with_phase())]
}

/// A toy with one phase that trains generator and critic together, by plain gradient descent: an update is then
/// the gradient times the rate.
fn together() -> Config {
    toy(&[
        "terms=false",
        "optimizers.critic={kind='sgd',rate=0.25,networks=['critic']}",
        "optimizers.generator={kind='sgd',rate=0.25,networks=['generator']}",
        "phase=[{name='both',adversarial='generator',optimizers=['critic','generator']}]",
    ])
}

fn after(task: &GameTask, count: u64) -> State {
    let mut state = task.init();
    steps(task, &mut state, count);
    state
}

/// What the term does to one step in `both`: names of the differing tensors of generator and critic.
fn reached(receivers: &[Receiver]) -> (State, Vec<String>) {
    let plain = after(&task(&together()), 1);
    let with = after(&task_with(&together(), vec![Box::new(Hash::new(&[("both", receivers)]))]), 1);
    let of_players = |name: &String| name.starts_with("generator/") || name.starts_with("critic/");
    let names = differing(&plain, &with).into_iter().filter(of_players).collect();
    (with, names)
}

fn head_moved(state: &State) -> bool {
    let first = task_with(&together(), vec![Box::new(Hash::new(&[("both", &[Receiver::Head])]))]).init();
    differing(&first, state).contains(&"hash-head/weight".to_owned())
}

#[test]
fn it_trains_through_the_ordinary_loop() {
    let config = config();
    let task = task_with(&config, whole());
    let first = task.init();
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path()).unwrap();
    let mut seen = Vec::new();
    let (_, state) =
        train(&task, &run, &plan(&with_tick(&config, 1)), &AtomicBool::new(false), &mut |tick| {
            seen.push((tick.step, tick.report.losses.keys().cloned().collect::<Vec<_>>()));
        })
        .unwrap();

    // The phase of its own comes in steps 0, 2, 4, 6 and in no other.
    let with = ["codes", "critic", "echo", "generator", "hash"];
    let without = ["codes", "critic", "generator", "hash"];
    for (step, names) in &seen {
        let expected: &[&str] = if (step - 1) % 2 == 0 { &with } else { &without };
        assert_eq!(names, expected, "step {}", step - 1);
    }
    assert_eq!(seen.len(), 7);
    assert_eq!(state.counters["echo.optimizer.step"], 4);
    assert_eq!(state.counters["critic.optimizer.step"], 7);

    let moved = differing(&first, &state);
    for name in ["hash-head/weight", "hash-echo/weight", "generator/layers.0.weight", "critic/trunk.0.weight"]
    {
        assert!(moved.contains(&name.to_owned()), "{name} never moved");
    }
    assert!(!moved.iter().any(|name| name.starts_with("hash-frozen")), "the frozen network moved");
    assert!(
        !state.sections.iter().any(|(_, section)| section.keys().any(|path| path.starts_with("hash-frozen")))
    );
    // Its networks are files of the checkpoint like all others.
    let names: Vec<String> = files(&folder.path().join("checkpoints/step-00000007"))
        .into_keys()
        .map(|path| path.display().to_string())
        .collect();
    for name in [
        "hash-echo.safetensors",
        "hash-frozen.safetensors",
        "hash-head.safetensors",
        "echo.optimizer.safetensors",
    ] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    // Five batches in two steps: one for the critic in each, one more for the term's own phase in the first.
    assert_eq!((task.images(1), task.images(2), task.images(7)), (16, 24, 88));
}

fn with_tick(config: &Config, tick: u64) -> Config {
    let mut config = config.clone();
    config.train.tick = tick;
    config
}

#[test]
fn an_own_phase_updates_its_own_head_only_and_only_when_it_runs() {
    let task = task_with(&config(), whole());
    let mut state = task.init();
    for step in 0..5 {
        let before = state.clone();
        steps(&task, &mut state, 1);
        let moved = differing(&before, &state).contains(&"hash-echo/weight".to_owned());
        assert_eq!(moved, step % 2 == 0, "step {step}");
    }
    // The phase comes last and touches nothing of the others: without it they are the same, bit for bit, but for
    // the real pictures that it takes a batch of.
    let joined = [("critic", &[Receiver::Trunk, Receiver::Head][..]), ("generator", &[Receiver::Generator])];
    let quiet = task_with(&config(), vec![Box::new(Hash::new(&joined))]);
    let own = |name: &String| !name.starts_with("hash-echo") && !name.starts_with("echo.optimizer");
    let names: Vec<String> = differing(&after(&quiet, 1), &after(&task, 1)).into_iter().filter(own).collect();
    assert_eq!(names, Vec::<String>::new());
}

#[test]
fn the_frozen_network_is_used() {
    let task = task_with(&config(), whole());
    let mut other = snapshot(&task.init());
    let frozen = other.sections.get_mut("hash-frozen").unwrap().get_mut("weight").unwrap();
    frozen.values.iter_mut().for_each(|value| *value = -*value);
    let mut other = common::restored(&task, &other);
    steps(&task, &mut other, 1);
    let moved = differing(&after(&task, 1), &other);
    for name in ["hash-head/weight", "hash-echo/weight", "generator/layers.0.weight", "critic/trunk.0.weight"]
    {
        assert!(moved.contains(&name.to_owned()), "{name}");
    }
}

#[test]
fn it_resumes_to_the_same_bytes() {
    let config = config();
    let run = |folder: &Path, ends: &[u64]| {
        for &end in ends {
            common::train_on(&task_with(&config, whole()), &with_steps(&config, end), folder);
        }
    };
    let straight = tempfile::tempdir().unwrap();
    run(straight.path(), &[7]);
    for k in [1, 2, 3, 4] {
        let cut = tempfile::tempdir().unwrap();
        run(cut.path(), &[k, 7]);
        let last = |folder: &Path| files(&folder.join("checkpoints/step-00000007"));
        assert!(last(straight.path()) == last(cut.path()), "{k} + {} steps", 7 - k);
        assert_eq!(log_lines(straight.path()), log_lines(cut.path()), "{k}");
    }
}

/// A head that watches leaves the game alone: generator, critic and all that their optimisers remember are those
/// of a run without the term, bit for bit, for many steps.
#[test]
fn a_gradient_for_the_head_goes_to_the_head() {
    for phases in [&["critic"][..], &["critic", "critic2"]] {
        let mut settings = vec!["train.steps=9"];
        if phases.len() == 2 {
            settings.push(
                "phase=[{name='critic',adversarial='critic',optimizers=['critic']},\
                 {name='critic2',adversarial='critic',latents='reused',optimizers=['critic']},\
                 {name='generator',adversarial='generator',optimizers=['generator']}]",
            );
        }
        let config = toy(&settings);
        let shares: Vec<(&str, &[Receiver])> =
            phases.iter().map(|&phase| (phase, &[Receiver::Head][..])).collect();
        let with = after(&task_with(&config, vec![Box::new(Hash::new(&shares))]), 4);
        let moved = differing(&after(&task(&config), 4), &with);
        let own = [
            "critic.optimizer/hash-head.weight.exp_avg",
            "critic.optimizer/hash-head.weight.exp_avg_sq",
            "hash-frozen/weight",
            "hash-head/weight",
        ];
        assert_eq!(moved, own);
        let first = task_with(&config, vec![Box::new(Hash::new(&shares))]).init();
        assert!(differing(&first, &with).contains(&"hash-head/weight".to_owned()));
    }
    let mut both = together();
    both.phase[0].optimizers = vec!["critic".to_owned(), "generator".to_owned()];
    let (state, names) = reached(&[Receiver::Head]);
    assert_eq!(names, Vec::<String>::new());
    assert!(head_moved(&state));
}

/// In a phase that trains generator and trunk together, what is not named gets exactly nothing.
#[test]
fn a_gradient_goes_to_the_named_players_only() {
    let of = |names: &[String], player: &str| names.iter().filter(|name| name.starts_with(player)).count();
    let (state, names) = reached(&[Receiver::Generator]);
    assert!(of(&names, "generator/") > 0);
    assert_eq!(of(&names, "critic/"), 0, "{names:?}");
    assert!(!head_moved(&state));

    let (state, names) = reached(&[Receiver::Trunk]);
    assert!(of(&names, "critic/trunk") > 0);
    assert_eq!(of(&names, "generator/") + of(&names, "critic/head"), 0, "{names:?}");
    assert!(!head_moved(&state));

    let (state, names) = reached(&[Receiver::Generator, Receiver::Head]);
    assert!(of(&names, "generator/") > 0 && of(&names, "critic/") == 0, "{names:?}");
    assert!(head_moved(&state));

    let (state, names) = reached(&[Receiver::Generator, Receiver::Trunk, Receiver::Head]);
    assert!(of(&names, "generator/") > 0 && of(&names, "critic/trunk") > 0);
    assert!(head_moved(&state));
}

/// What each receiver gets does not depend on who else gets something: the routed gradients are the parts of the
/// whole one, up to the rounding of another order of sums.
#[test]
fn the_parts_of_the_gradient_are_those_of_the_whole() {
    let update = |state: &State, player: &str| -> Vec<f64> {
        let first = task(&together()).init();
        let (after, before) = (&state.sections_to_host()[player], &first.sections_to_host()[player]);
        let values = |section: &infogan::train::checkpoint::HostSection| -> Vec<f64> {
            section.values().flat_map(|tensor| tensor.values.clone()).map(f64::from).collect()
        };
        values(after).into_iter().zip(values(before)).map(|(after, before)| after - before).collect()
    };
    let whole = reached(&[Receiver::Generator, Receiver::Trunk, Receiver::Head]).0;
    for (receiver, player) in [(Receiver::Generator, "generator"), (Receiver::Trunk, "critic")] {
        let (alone, whole) = (update(&reached(&[receiver]).0, player), update(&whole, player));
        let norm = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
        let apart: Vec<f64> = alone.iter().zip(&whole).map(|(alone, whole)| alone - whole).collect();
        assert!(norm(&whole) > 1e-3, "{player}: an update worth comparing");
        assert!(norm(&apart) < 1e-4 * norm(&whole), "{player}: {} of {}", norm(&apart), norm(&whole));
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_key() {
    let refused = |config: &Config, term: Hash| {
        let device = device::resolve("cpu").unwrap();
        Game::with_terms(config, [1, 8, 8], device, vec![Box::new(term)]).err().unwrap().to_string()
    };
    let error = refused(&config(), Hash::new(&[("dream", &[Receiver::Head])]));
    assert!(error.contains("terms.hash.gradient.dream") && error.contains("critic, generator"), "{error}");
    // The head belongs to the critic's optimiser, which the generator's phase does not use.
    let error = refused(&config(), Hash::new(&[("generator", &[Receiver::Head])]));
    assert!(error.contains("terms.hash.gradient.generator") && error.contains("hash-head"), "{error}");
    let error = refused(&toy(&[]), Hash::new(&[]).with_phase());
    assert!(error.contains("terms.hash.optimizer") && error.contains("'echo'"), "{error}");
    let mut term = Hash::new(&[("critic", &[Receiver::Head])]);
    term.networks[0].name = "q".to_owned();
    assert!(refused(&config(), term).contains("already the name of a network"));
}

/// Latents of the own phase are a draw of its own.
#[test]
fn phases_draw_latents_of_their_own() {
    let task = task_with(&config(), whole());
    let draw = |phase: u32| task.game().latent().draw(&Streams::new(0), "train", [0, phase << 16, 0], 8);
    assert_ne!(draw(0), draw(1));
    assert_ne!(draw(1), draw(2));
}
