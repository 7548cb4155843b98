//! Checks that need nothing but the configuration: everything else is checked when the parts are put together.

use std::collections::BTreeSet;

use super::{Config, ConfigError, DataSet, Enlarge, Pictures, PriorKind, Receiver, TransformConfig};
use infogan_data::Scale;
use infogan_metrics::clustering::MAX_CATEGORIES;
use infogan_ops::Activation;

use crate::nn::{LayerSpec, Map, Shape, parse_table};
/// Largest square that may be cut out of pictures: no picture has a longer side.
const LARGEST_CROP: usize = 1 << 15;

type Checked = Result<(), ConfigError>;

/// Refuses impossible values before anything is built.
///
/// # Errors
/// [`ConfigError`] with the key, the reason and the allowed values.
pub fn validate(config: &Config) -> Checked {
    name(config)?;
    train(config)?;
    data(config)?;
    latent(config)?;
    networks(config)?;
    optimizers(config)?;
    phases(config)?;
    transforms(config)?;
    terms(config)
}

fn refuse(key: impl Into<String>, reason: impl Into<String>) -> Checked {
    Err(ConfigError::new(key, reason))
}

fn within<T: PartialOrd + std::fmt::Display>(key: &str, value: T, low: T, high: T) -> Checked {
    if value >= low && value <= high {
        return Ok(());
    }
    refuse(key, format!("is {value}; allowed: {low} to {high}"))
}

fn rate(key: String, value: f64, low: f64, high: f64) -> Checked {
    if value.is_finite() && value >= low && value < high {
        return Ok(());
    }
    // Debug prints 1e30 so, and Display with thirty zeros.
    let least = if low == f64::MIN_POSITIVE { "above 0".to_owned() } else { format!("from {low}") };
    refuse(key, format!("is {value:?}; allowed: {least} up to, not including, {high}"))
}

/// Names that become parts of paths and of log keys.
fn plain(key: &str, name: &str) -> Checked {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.len() <= 64 && name.chars().all(letters) {
        return Ok(());
    }
    refuse(key, format!("'{name}' is not a name; allowed: letters, digits, '-' and '_', at most 64"))
}

fn name(config: &Config) -> Checked {
    plain("name", &config.name)?;
    // TOML and JSON keep whole numbers up to here.
    within("seed", config.seed, 0, i64::MAX as u64)
}

fn train(config: &Config) -> Checked {
    let train = &config.train;
    within("train.steps", train.steps, 1, u64::from(u32::MAX))?;
    // One picture has no statistics for batch norm to divide by.
    within("train.batch", train.batch, 2, 1 << 16)?;
    within("train.tick", train.tick, 1, 1 << 31)?;
    within("train.checkpoint_every", train.checkpoint_every, 1, 1 << 31)?;
    within("train.snapshot_every", train.snapshot_every, 1, 1 << 31)?;
    within("train.keep", train.keep, 1, 1_000_000)?;
    within("evaluate.latents", config.evaluate.latents, 1, 1_000_000)?;
    within("evaluate.matching", config.evaluate.matching, 1, 10_000_000)?;
    within("evaluate.test", config.evaluate.test, 1, 10_000_000)
}

fn data(config: &Config) -> Checked {
    let data = &config.data;
    within("data.seed", data.seed, 0, i64::MAX as u64)?;
    if data.enlarge != Enlarge::No {
        within("data.size", data.size, 8, 512)?;
    }
    within("data.crop", data.crop, 0, LARGEST_CROP)?;
    if let DataSet::Drawn(_) = data.set {
        // Which sizes each can be drawn at, and whether so many have room, the sets themselves say.
        within("data.count", data.count, 1, u32::MAX as usize)?;
        within("data.size", data.size, 8, 512)?;
        if data.path.is_some() {
            return refuse("data.path", "drawn sets have no folder; allowed with sets of files only");
        }
    }
    Ok(())
}

fn latent(config: &Config) -> Checked {
    let mut names = BTreeSet::new();
    for (index, slot) in config.latent.iter().enumerate() {
        let key = format!("latent.{index}");
        plain(&format!("{key}.name"), &slot.name)?;
        if slot.name == "total" {
            return refuse(
                format!("{key}.name"),
                "'total' is the sum of all bounds in the log; take another name",
            );
        }
        if !names.insert(&slot.name) {
            return refuse(format!("{key}.name"), format!("there are two slots '{}'", slot.name));
        }
        let most = if slot.prior == PriorKind::Categorical { MAX_CATEGORIES } else { 1 << 16 };
        within(&format!("{key}.width"), slot.width, 0, most)?;
        if slot.prior == PriorKind::Categorical && slot.width == 1 {
            return refuse(
                format!("{key}.width"),
                "a single category holds nothing; allowed: 0, or 2 and more",
            );
        }
    }
    if config.latent.iter().map(|slot| slot.width).sum::<usize>() == 0 {
        return refuse("latent", "the generator gets no number at all; give a slot a width");
    }
    Ok(())
}

fn networks(config: &Config) -> Checked {
    let (generator, critic) = (&config.generator, &config.critic);
    for (key, slope, layers) in
        [("generator", generator.slope, &generator.layers), ("critic", critic.slope, &critic.layers)]
    {
        rate(format!("{key}.slope"), slope, 0.0, 1.0)?;
        if layers.is_empty() {
            return refuse(
                format!("{key}.layers"),
                "is empty; it needs a row a layer, as in \"conv 64 k4 s2 lrelu\"",
            );
        }
    }
    critic_rows(config)?;
    let last = config.generator.layers.len() - 1;
    let key = format!("generator.layers.{last}");
    let rows = table("generator.layers", &generator.layers, generator.slope)?;
    match (rows[last].activation, config.data.scale) {
        (Activation::Sigmoid, Scale::Unit) | (Activation::Tanh, Scale::Symmetric) => Ok(()),
        (Activation::Sigmoid, Scale::Symmetric) => refuse(
            key,
            "ends in sigmoid, which makes [0, 1]; data.scale \"symmetric\" is [-1, 1] and needs tanh",
        ),
        (Activation::Tanh, Scale::Unit) => {
            refuse(key, "ends in tanh, which makes [-1, 1]; data.scale \"unit\" is [0, 1] and needs sigmoid")
        }
        _ => refuse(key, "must end in sigmoid (data.scale \"unit\") or tanh (data.scale \"symmetric\")"),
    }
}

fn table(key: &str, layers: &[String], slope: f64) -> Result<Vec<LayerSpec>, ConfigError> {
    parse_table(layers, slope)
        .map_err(|error| ConfigError::new(format!("{key}.{}", error.row), error.to_string()))
}

/// The critic's head, and spectral norm with it.
fn critic_rows(config: &Config) -> Checked {
    let critic = &config.critic;
    let mut rows = table("critic.layers", &critic.layers, critic.slope)?;
    let head = parse_table(std::slice::from_ref(&critic.head), critic.slope)
        .map_err(|error| ConfigError::new("critic.head", error.reason))?;
    let is_logit =
        |row: &LayerSpec| row.map == Map::Linear(Shape::Flat(1)) && row.activation == Activation::Identity;
    if !head.iter().all(is_logit) {
        return refuse(
            "critic.head",
            format!(
                "'{}' makes no logit; it must be one unit without an activation: 'fc 1', with nobias, sn or bn after it",
                critic.head
            ),
        );
    }
    rows.extend(head);
    if critic.shared_pass && rows.iter().any(|row| row.spectral) {
        return refuse(
            "critic.shared_pass",
            "is true, but the critic has rows with sn: a step of their power iteration belongs to every pass, to that on \
             real and to that on generated pictures; set critic.shared_pass = false",
        );
    }
    Ok(())
}

fn optimizers(config: &Config) -> Checked {
    for (name, optimizer) in &config.optimizers {
        let key = |part: &str| format!("optimizers.{name}.{part}");
        plain(&key("name"), name)?;
        rate(key("rate"), optimizer.rate, f64::MIN_POSITIVE, 1e6)?;
        rate(key("beta1"), optimizer.beta1, 0.0, 1.0)?;
        rate(key("beta2"), optimizer.beta2, 0.0, 1.0)?;
        rate(key("epsilon"), optimizer.epsilon, f64::MIN_POSITIVE, 1.0)?;
        rate(key("momentum"), optimizer.momentum, 0.0, 1.0)?;
        rate(key("weight_decay"), optimizer.weight_decay, 0.0, 1.0)?;
        if optimizer.decay_steps != 0 && optimizer.decay_steps < config.train.steps {
            return refuse(
                "train.steps",
                format!(
                    "is {}, but the rate of '{name}' falls to zero over optimizers.{name}.decay_steps = {}; train at \
                     most that long, or give a new run a longer schedule",
                    config.train.steps, optimizer.decay_steps
                ),
            );
        }
    }
    if let Some(then) = &config.adversarial.then {
        within("adversarial.then.after", then.after, 1, u64::from(u32::MAX))?;
    }
    rate("adversarial.epsilon".to_owned(), config.adversarial.epsilon, 0.0, 1.0)
}

fn phases(config: &Config) -> Checked {
    let mut names = BTreeSet::new();
    if config.phase.is_empty() {
        return refuse("phase", "a step without phases trains nothing");
    }
    for (index, phase) in config.phase.iter().enumerate() {
        let key = |part: &str| format!("phase.{index}.{part}");
        plain(&key("name"), &phase.name)?;
        if !names.insert(&phase.name) {
            return refuse(key("name"), format!("there are two phases '{}'", phase.name));
        }
        within(&key("every"), phase.every, 1, 1_000_000)?;
        within(&key("repeat"), phase.repeat, 1, 1000)?;
        within(&key("real"), phase.real, 1, 100)?;
        within(&key("generated"), phase.generated, 1, 100)?;
    }
    Ok(())
}

fn transforms(config: &Config) -> Checked {
    for (name, transform) in &config.transforms {
        plain(&format!("transforms.{name}"), name)?;
        let key = |part: &str| format!("transforms.{name}.{part}");
        match transform {
            TransformConfig::InstanceNoise(noise) => {
                within(&key("deviation"), noise.deviation, 0.0, 10.0)?;
                within(&key("decay_steps"), noise.decay_steps, 0, u64::from(u32::MAX))?;
            }
            TransformConfig::ValueNoise(noise) => {
                within(&key("from"), noise.from, 0, 255)?;
                within(&key("to"), noise.to, noise.from + 1, 256)?;
            }
            TransformConfig::Snap(_) => {}
        }
    }
    Ok(())
}

fn terms(config: &Config) -> Checked {
    if config.terms.len() > 1 {
        return refuse(
            "terms",
            "there are two terms of kind 'codes'; one recovers as many slots as you name",
        );
    }
    for (name, term) in &config.terms {
        if ["critic", "generator"].contains(&name.as_str()) {
            return refuse(
                format!("terms.{name}"),
                "is the name of a loss in the log already; take another name",
            );
        }
        plain(&format!("terms.{name}"), name)?;
        let super::TermConfig::Codes(codes) = term;
        let key = |part: &str| format!("terms.{name}.{part}");
        plain(&key("network"), &codes.network)?;
        rate(key("epsilon"), codes.epsilon, 0.0, 1.0)?;
        rate(key("weight"), codes.weight, 0.0, 1e6)?;
        if let Some(agree) = &codes.agree {
            rate(key("agree.weight"), agree.weight, 0.0, 1e6)?;
            within(&key("agree.turn"), agree.turn, 0.0, 180.0)?;
            within(&key("agree.scale"), agree.scale, 0.0, 0.9)?;
            within(&key("agree.shear"), agree.shear, 0.0, 10.0)?;
            within(&key("agree.shift"), agree.shift, 0.0, 1.0)?;
        }
        for (slot, &weight) in &codes.weights {
            rate(key(&format!("weights.{slot}")), weight, 0.0, 1e6)?;
            if !codes.recover.contains(slot) {
                return refuse(key(&format!("weights.{slot}")), "is not among the recovered slots");
            }
        }
        if codes.recover.iter().collect::<BTreeSet<_>>().len() != codes.recover.len() {
            return refuse(key("recover"), "names a slot twice");
        }
        for (phase, receivers) in &codes.gradient {
            if codes.reads == Pictures::Real && receivers.contains(&Receiver::Generator) {
                return refuse(
                    key(&format!("gradient.{phase}")),
                    "goes to the generator, but with reads = \"real\" nothing depends on it; allowed: trunk, head",
                );
            }
            if receivers.is_empty() {
                return refuse(
                    key(&format!("gradient.{phase}")),
                    "goes to nobody; allowed: generator, trunk, head, or leave the phase out",
                );
            }
        }
        let uneven = |phase: &&super::PhaseConfig| {
            codes.gradient.contains_key(&phase.name) && phase.real != phase.generated
        };
        if let Some(phase) = config.phase.iter().find(uneven).filter(|_| codes.reads == Pictures::Real) {
            return refuse(
                key("reads"),
                format!(
                    "sets real pictures beside codes, but phase '{}' has {} batches of real ones and {} of codes",
                    phase.name, phase.real, phase.generated
                ),
            );
        }
        if codes.gradient.is_empty() {
            return refuse(
                key("gradient"),
                "names no phase, so the term would do nothing; drop the term instead",
            );
        }
    }
    Ok(())
}
