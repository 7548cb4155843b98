//! Rules of the game that a user can bend a configuration against: who a loss reaches, which names and sizes are
//! refused, what a resumed run may be.

mod common;

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorData};
use common::{pictures, toy};
use infogan::{
    config::Config,
    tasks::{GameTask, Task},
    train::{checkpoint::HostSection, state::State},
};
use infogan_ops::device;

fn after_a_step(config: &Config) -> BTreeMap<String, HostSection> {
    let task = GameTask::new(config, pictures([1, 8, 8], 24), device::resolve("cpu").unwrap()).unwrap();
    let mut state: State = task.init();
    task.step(&mut state).unwrap();
    state.sections_to_host()
}

fn refusal(settings: &[&str]) -> String {
    let config = match common::resolve_with(common::TOY, settings) {
        Ok(config) => config,
        Err(error) => return error.to_string(),
    };
    match GameTask::new(&config, pictures([1, 8, 8], 24), device::resolve("cpu").unwrap()) {
        Ok(_) => panic!("{settings:?} was accepted"),
        Err(error) => error.to_string(),
    }
}

/// An optimiser that steps in a phase of the other player's loss must not be driven by that loss.
#[test]
fn each_side_of_the_adversarial_loss_reaches_its_own_player_only() {
    let no_codes = "terms.codes=false";
    let plain = after_a_step(&toy(&[no_codes, "phase.1.every=2", "phase.1.optimizers=['generator']"]));
    let both = after_a_step(&toy(&[no_codes, "phase.0.optimizers=['critic','generator']"]));
    // The second configuration's generator is trained by its own phase only, from the same draws.
    let alone = after_a_step(&toy(&[no_codes]));
    assert!(both["generator"] == alone["generator"]);
    assert!(plain["critic"] == alone["critic"]);
    let helped = after_a_step(&toy(&[no_codes, "phase.1.optimizers=['generator','critic']"]));
    assert!(helped["critic"] == alone["critic"], "the critic must not learn to please the generator");
    assert!(helped["generator"] == alone["generator"]);
}

/// Noise changes what is learned, the same each time, and falls to nothing in its steps.
#[test]
fn noise_before_the_critic_is_the_runs_own_and_ends() {
    const NOISE: [&str; 2] = ["transforms.noise.kind=instance-noise", "transforms.noise.deviation=0.2"];
    let with = |more: &'static str| [NOISE[0], NOISE[1], more];
    let falling = with("transforms.noise.decay_steps=2");
    let noisy = after_a_step(&toy(&NOISE));
    let plain = after_a_step(&toy(&[]));
    assert!(plain["critic"] != noisy["critic"] && plain["generator"] != noisy["generator"]);
    assert!(noisy == after_a_step(&toy(&NOISE)));
    assert!(noisy == after_a_step(&toy(&falling)), "all of it at first");
    let task = |settings: &[&str]| {
        GameTask::new(&toy(settings), pictures([1, 8, 8], 24), device::resolve("cpu").unwrap()).unwrap()
    };
    let real = after_a_step(&toy(&with("transforms.noise.on=['real']")));
    assert!(real["critic"] != noisy["critic"] && real["critic"] != plain["critic"]);
    assert!(refusal(&with("transforms.noise.deviation=-1")).contains("transforms.noise.deviation"));
    assert!(refusal(&with("transforms.noise.on=['fake']")).contains("generated"));
    let (falling, silent) = (task(&falling), task(&[]));
    let mut state = falling.init();
    for equal in [false, false, true] {
        let mut other = state.clone();
        silent.step(&mut other).unwrap();
        falling.step(&mut state).unwrap();
        assert_eq!(state.sections_to_host() == other.sections_to_host(), equal);
    }
}

/// What stands for one byte becomes another of those named; the rest stays, and so does what is on the other side.
#[test]
fn noise_of_a_value_replaces_that_value_alone() {
    use infogan::{
        config::{Pictures, TransformConfig, ValueNoiseConfig},
        transforms::{Moment, apply},
    };
    use infogan_data::{
        Scale,
        random::{Address, Streams},
    };
    let device = device::resolve("cpu").unwrap();
    let bytes: Vec<u8> = (0..2 * 16).map(|place| [0, 255, 128, 254][place % 4]).collect();
    let values: Vec<f32> = bytes.iter().map(|&byte| Scale::Unit.apply(byte)).collect();
    let pictures = Tensor::<4>::from_data(TensorData::new(values.clone(), [2, 1, 4, 4]), &device);
    let noise = ValueNoiseConfig { value: 255, from: 150, to: 240, on: [Pictures::Real].into() };
    let transforms = BTreeMap::from([("foreground".to_owned(), TransformConfig::ValueNoise(noise))]);
    let address = Address { step: 3, phase: 1, sample: 0 };
    let moment = Moment { streams: Streams::new(0), scale: Scale::Unit, address };
    let of = |side, moment| {
        let seen =
            apply(&transforms, side, pictures.clone(), moment).into_data().try_to_vec::<f32>().unwrap();
        seen.into_iter().map(|value| (255.0 * value).round() as u8).collect::<Vec<u8>>()
    };
    assert_eq!(of(Pictures::Generated, moment), bytes);
    let seen = of(Pictures::Real, moment);
    for (&before, &after) in bytes.iter().zip(&seen) {
        assert!(
            if before == 255 { (150..240).contains(&after) } else { after == before },
            "{before}: {after}"
        );
    }
    assert_eq!(seen, of(Pictures::Real, moment));
    let later = Moment { address: Address { step: 4, ..address }, ..moment };
    assert_ne!(seen, of(Pictures::Real, later));
    assert!(
        refusal(&[
            "transforms.a.kind=value-noise",
            "transforms.a.value=0",
            "transforms.a.from=9",
            "transforms.a.to=9"
        ])
        .contains("transforms.a.to")
    );
}

fn toy_task(settings: &[&str]) -> GameTask {
    GameTask::new(&toy(settings), pictures([1, 8, 8], 24), device::resolve("cpu").unwrap()).unwrap()
}

/// Before the switch one pair of losses, after it the other.
#[test]
fn the_adversarial_loss_may_change_on_the_way() {
    let (both, first, then) = (
        toy_task(&["adversarial.loss=saturating", "adversarial.then={ loss = 'non-saturating', after = 1 }"]),
        toy_task(&["adversarial.loss=saturating"]),
        toy_task(&[]),
    );
    let mut state = both.init();
    for like in [&first, &then] {
        let mut other = state.clone();
        like.step(&mut other).unwrap();
        both.step(&mut state).unwrap();
        assert!(state.sections_to_host() == other.sections_to_host());
    }
    assert!(
        refusal(&["adversarial.then={ loss = 'saturating', after = 0 }"]).contains("adversarial.then.after")
    );
}

/// Two batches of real pictures are one of twice the size: each is shown once, in order.
#[test]
fn the_critic_may_see_more_of_one_side() {
    use std::cell::RefCell;
    let seen = |settings: &[&str]| {
        let task = toy_task(settings);
        let mut state = task.init();
        let asked = RefCell::new(Vec::new());
        let device = device::resolve("cpu").unwrap();
        for _ in 0..2 {
            let mut batch = |index| {
                asked.borrow_mut().push(index);
                Ok(Tensor::<4>::zeros([8, 1, 8, 8], &device))
            };
            task.game().step(&mut state, &infogan_data::random::Streams::new(0), &mut batch).unwrap();
        }
        (asked.into_inner(), task.game().images(2), state.sections_to_host())
    };
    let (asked, images, plain) = seen(&[]);
    assert_eq!((asked, images), (vec![0, 1], 16));
    let (asked, images, more_real) = seen(&["phase.0.real=2"]);
    assert_eq!((asked, images), (vec![0, 1, 2, 3], 32));
    let (asked, images, more_fake) = seen(&["phase.0.generated=3"]);
    assert_eq!((asked, images), (vec![0, 1], 16));
    assert!(plain["critic"] != more_real["critic"] && plain["critic"] != more_fake["critic"]);
    assert!(refusal(&["phase.0.real=0"]).contains("phase.0.real"));
}

/// Decay adds a multiple of each parameter to its gradient: with plain descent that is seen exactly.
#[test]
fn weight_decay_pulls_parameters_to_zero() {
    let sgd = ["optimizers.critic.kind=sgd", "optimizers.critic.rate=0.5", "terms.codes=false"];
    let decayed = [sgd[0], sgd[1], sgd[2], "optimizers.critic.weight_decay=0.01"];
    let first = toy_task(&sgd).init().sections_to_host();
    let (plain, decayed) = (after_a_step(&toy(&sgd)), after_a_step(&toy(&decayed)));
    for (path, tensor) in &plain["critic"] {
        for (place, value) in tensor.values.iter().enumerate() {
            let wanted = value - 0.5 * 0.01 * first["critic"][path].values[place];
            assert!((decayed["critic"][path].values[place] - wanted).abs() < 1e-6, "{path}");
        }
    }
    assert!(refusal(&["optimizers.critic.weight_decay=-1"]).contains("weight_decay"));
}

/// I(c; x): Q learns from real pictures, which cannot tell it anything, and the generator learns nothing from it.
#[test]
fn codes_may_be_read_from_real_pictures() {
    let gradient = "terms.codes.gradient={ critic = ['trunk', 'head'] }";
    let (real, none) = (
        after_a_step(&toy(&["terms.codes.reads=real", gradient])),
        after_a_step(&toy(&["terms.codes=false"])),
    );
    assert!(real["generator"] != none["generator"], "through the critic, which Q shares");
    let first = toy_task(&[]).init().sections_to_host();
    assert!(real["q"] != first["q"]);
    assert!(real["q"] != after_a_step(&toy(&[gradient]))["q"]);
    assert!(refusal(&["terms.codes.reads=real"]).contains("terms.codes.gradient.generator"));
    assert!(refusal(&["terms.codes.reads=real", gradient, "phase.0.real=2"]).contains("terms.codes.reads"));
}

/// Agreement on real pictures moves what reads them, the same each time, and the generator only through it.
#[test]
fn q_may_have_to_agree_with_itself_on_real_pictures() {
    let agree = "terms.codes.agree={ turn = 15.0, scale = 0.1, shear = 0.1, shift = 0.1 }";
    let report = |settings: &[&str]| {
        let task = toy_task(settings);
        let mut state = task.init();
        let report = task.step(&mut state).unwrap();
        (report, state.sections_to_host(), task.ceilings())
    };
    let (plain, before, _) = report(&[]);
    let (told, after, ceilings) = report(&[agree]);
    assert!(!plain.bounds.contains_key("agreement"));
    assert!((-1e-5..3f64.ln()).contains(&told.bounds["agreement"]), "{:?}", told.bounds);
    assert_eq!(ceilings["agreement"], 3f64.ln());
    assert!(before["critic"] != after["critic"] && before["q"] != after["q"]);
    assert_eq!(report(&[agree]).1, after);
    let (_, weightless, _) = report(&["terms.codes.agree={ weight = 0.0, turn = 15.0 }"]);
    assert!(weightless == before, "it is in the log and does nothing");
    // It goes where the term's gradient goes: here to the head alone.
    let (_, head, _) = report(&[agree, "terms.codes.gradient={ critic = ['head'] }"]);
    let (_, watching, _) = report(&["terms.codes.gradient={ critic = ['head'] }"]);
    assert!(head["critic"] == watching["critic"] && head["q"] != watching["q"]);
    assert!(refusal(&[agree, "terms.codes.recover=['c2']"]).contains("terms.codes.agree"));
    assert!(refusal(&["terms.codes.agree={ turn = 200.0 }"]).contains("terms.codes.agree.turn"));
}

/// Snapped pictures are black and white to the critic, and the generator still learns.
#[test]
fn snapped_pictures_are_black_and_white() {
    use infogan::transforms::snap;
    use infogan_data::Scale;
    let device = device::resolve("cpu").unwrap();
    let values = [0.0, 0.49, 0.5, 1.0];
    let pictures = Tensor::<4>::from_data(TensorData::new(values.to_vec(), [1, 1, 2, 2]), &device);
    let tracked = pictures.clone().autodiff().require_grad();
    let snapped = snap(tracked.clone(), Scale::Unit);
    assert_eq!(snapped.clone().inner().into_data().try_to_vec::<f32>().unwrap(), [0.0, 0.0, 1.0, 1.0]);
    let symmetric = snap(pictures * 2.0 - 1.0, Scale::Symmetric);
    assert_eq!(symmetric.into_data().try_to_vec::<f32>().unwrap(), [-1.0, -1.0, 1.0, 1.0]);
    let mut tape = (snapped * 3.0).sum().backward();
    let gradient = tracked.grad_remove(&mut tape).unwrap();
    assert_eq!(gradient.into_data().try_to_vec::<f32>().unwrap(), [3.0; 4]);
    let (plain, snapped) = (after_a_step(&toy(&[])), after_a_step(&toy(&["transforms.ends.kind=snap"])));
    assert!(plain["critic"] != snapped["critic"] && plain["generator"] != snapped["generator"]);
}

/// The share of generated pictures that the critic calls real, as the generator's phase finds it.
#[test]
fn the_log_tells_how_many_pictures_fool_the_critic() {
    // A head that hears next to nothing of the picture: its bias alone decides.
    let share = |bias: f32| {
        let task = toy_task(&["optimizers.critic.rate=1e-30"]);
        let mut state = task.init();
        let critic = state.sections.get_mut("critic").unwrap();
        let entry = infogan::nn::Entry::from_values(&[1], vec![bias], task.game().device());
        assert!(critic.insert("head.0.bias".to_owned(), entry).is_some());
        task.step(&mut state).unwrap().monitors[infogan::game::FOOLED]
    };
    assert_eq!((share(9.0), share(-9.0)), (1.0, 0.0));
}

/// PyTorch's bounds: 1/√inputs for weights and biases, where a transposed convolution's inputs are its second dimension.
#[test]
fn networks_may_begin_as_pytorchs_do() {
    let first = toy_task(&["init=framework"]).init().sections_to_host();
    let largest = |network: &str, path: &str| {
        first[network][path].values.iter().fold(0.0_f32, |most, value| most.max(value.abs()))
    };
    for (network, path, inputs) in [
        ("critic", "trunk.0.weight", 16.0_f32),
        ("critic", "trunk.0.bias", 16.0),
        ("critic", "trunk.1.weight", 8.0 * 16.0),
        ("critic", "head.0.weight", 8.0),
        ("generator", "layers.3.weight", 16.0),
        ("q", "0.bias", 8.0),
    ] {
        let (largest, bound) = (largest(network, path), 1.0 / inputs.sqrt());
        assert!(largest <= bound && largest > 0.5 * bound, "{network}/{path}: {largest} of {bound}");
    }
    assert!(first["critic"]["trunk.1.norm.weight"].values.iter().all(|&value| value == 1.0));
}

#[test]
fn the_heads_slope_is_the_critics() {
    let (usual, flat) = (after_a_step(&toy(&[])), after_a_step(&toy(&["critic.slope=0.01"])));
    assert!(usual["q"] != flat["q"]);
    let only_head = ["critic.layers=['conv 8 k4 s2 lrelu0.1','conv 8 k4 s2 bn lrelu0.1','fc 8 bn lrelu0.1']"];
    let head = after_a_step(&toy(&[only_head[0], "critic.slope=0.01"]));
    assert!(usual["q"] != head["q"]);
}

#[test]
fn recovered_slots_of_width_zero_hold_nothing() {
    let config = toy(&["latent.2.width=0"]);
    assert_eq!(after_a_step(&config)["q"]["1.weight"].shape, [3, 8]);
    assert!(refusal(&["latent.2.width=0", "latent.1.width=0"]).contains("holds anything"));
}

#[test]
fn names_that_a_file_system_could_confuse_are_refused() {
    assert!(refusal(&["terms.codes.network='Critic'"]).contains("already the name"));
    assert!(refusal(&["terms.codes.network='CRITIC.optimizer'"]).contains("not a name"));
}

#[test]
fn networks_beyond_any_machine_are_refused_by_their_size() {
    let huge = "generator.layers=['fc 1048576 bn relu','fc 1048576 bn relu','fc 8x8x1 sigmoid']";
    assert!(refusal(&[huge]).contains("parameters together"));
    assert!(
        refusal(&["critic.layers=['fc 1048576x1048576x1048576','fc 8']"])
            .contains("numbers a layer may make")
    );
    assert!(refusal(&["critic.layers=['conv 8 k4 s2 p100000']"]).contains("allowed here"));
    assert!(refusal(&["latent.1.width=5000"]).contains("4096"));
    assert!(refusal(&["data.count=0"]).contains("data.count"));
}

#[test]
fn terms_do_not_take_the_names_of_losses() {
    let text = common::TOY.replace("[terms.codes]", "[terms.critic]");
    let error =
        common::resolve(&text.replace("extends = \"mnist\"", "extends = \"mnist\"\nterms.codes = false"));
    assert!(error.is_err());
}

/// A checkpoint resumes only under the configuration it was written by.
#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = toy(&["train.steps=2"]);
    let run = infogan::run::RunDir::create(folder.path()).unwrap();
    let task = GameTask::new(&config, pictures([1, 8, 8], 24), device::resolve("cpu").unwrap()).unwrap();
    let plan = |hash: &str| infogan::train::Plan {
        train: config.train.clone(),
        config_hash: hash.to_owned(),
        versions: BTreeMap::new(),
        tensorboard: false,
        save_start: false,
    };
    let stop = std::sync::atomic::AtomicBool::new(false);
    infogan::train::train(&task, &run, &plan("one"), &stop, &mut |_| ()).unwrap();
    let error = infogan::train::train(&task, &run, &plan("other"), &stop, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("another training"), "{error}");
}

/// GUIDE's table of gradients works as it stands: nothing of the preset's own gradient is left over.
#[test]
fn a_gradient_replaces_the_presets_as_a_whole() {
    let infogan::config::TermConfig::Codes(codes) =
        toy(&["terms.codes.gradient={ critic = ['head'] }"]).terms["codes"].clone();
    assert_eq!(codes.gradient.keys().collect::<Vec<_>>(), ["critic"]);
    let ports = [
        "terms.codes.optimizer=generator",
        "terms.codes.gradient={ generator = ['generator', 'head'] }",
        "phase.1.latents=reused",
    ];
    after_a_step(&toy(&ports));
    let infogan::config::TermConfig::Codes(watching) =
        infogan::config::Resolver::preset("gan-codes").unwrap().finish().unwrap().terms["codes"].clone();
    assert_eq!(watching.gradient.keys().collect::<Vec<_>>(), ["critic"]);
}

/// One key of a table is enough, wherever the others come from.
#[test]
fn single_keys_of_the_protocol_can_be_set() {
    let config = toy(&["evaluate.test=500"]);
    assert_eq!((config.evaluate.test, config.evaluate.latents), (500, 10_000));
}
