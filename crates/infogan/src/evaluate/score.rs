//! Scores of a trained game, each with the protocol that made it.

use std::collections::BTreeMap;

use infogan_data::{ImageSet, random::Streams};
use infogan_metrics::{
    clustering::{Contingency, ari, contingency, error, hungarian, majority, nmi},
    information::{categorical_bound, gaussian_bound},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    CodeValue, Encoding, Trained,
    checkerboard::{CheckerboardScore, checkerboard_scores},
    factors::{FactorScore, factor_scores},
};
use crate::{
    Error,
    game::statistics_batches,
    latent::{Draw, Prior},
    objectives::mutual_information::Continuous,
    train::state::State,
};

/// Everything that `evaluate` says of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Steps trained.
    pub step: u64,
    /// One entry per recovered code.
    pub codes: Vec<CodeScore>,
    /// How well codes follow known factors; empty where the pictures have none.
    #[serde(default)]
    pub factors: Vec<FactorScore>,
    /// Mean mutual information gap over the factors; none without factors.
    #[serde(default)]
    pub mig_mean: Option<f64>,
    /// FactorVAE score; none without two factors that vary, or when every code is constant.
    #[serde(default)]
    pub factor_vae: Option<f64>,
    /// Power that strided layers leave in generated pictures, beside that of real ones.
    #[serde(default)]
    pub checkerboard: Vec<CheckerboardScore>,
    /// How the numbers were made.
    pub protocol: BTreeMap<String, Value>,
}

/// Scores of one code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodeScore {
    /// Name of the slot.
    pub name: String,
    /// `categorical`, `uniform` or `normal`.
    pub kind: String,
    /// H(c) in nats, differential for continuous codes.
    pub entropy_nats: f64,
    /// L_I in nats; for continuous codes with the best fixed standard deviation of Q.
    pub bound_nats: f64,
    /// The same as the training log counts it, where Q's deviation is fixed at 1; else as `bound_nats`.
    pub bound_training_nats: f64,
    /// Share of test pictures in the wrong class, categories matched one to one.
    pub error_hungarian: Option<f64>,
    /// The same, categories matched many to one.
    pub error_majority: Option<f64>,
    /// Normalised mutual information with the classes (arithmetic mean).
    pub nmi: Option<f64>,
    /// Adjusted Rand index with the classes.
    pub ari: Option<f64>,
    /// What each category holds of the test pictures, in order; empty without classes or with very many categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryScore>,
    /// Classes that most pictures of no category have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_category: Vec<String>,
}

/// Test pictures that Q puts into one category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CategoryScore {
    /// How many.
    pub pictures: u64,
    /// The class that most of them have; none where there are no pictures.
    pub class: Option<String>,
    /// Their share.
    pub share: f64,
}

/// Categories up to which each is described.
const MOST_CATEGORIES: usize = 100;

impl CodeScore {
    /// Says what each category holds.
    fn describe(&mut self, table: &Contingency, classes: &[String]) {
        if table.k() > MOST_CATEGORIES {
            return;
        }
        let best = |category: usize| {
            let count = |class: usize| table.count(category, class);
            // The first of equals.
            (0..table.classes()).rev().max_by_key(|&class| count(class)).filter(|&class| count(class) > 0)
        };
        let best: Vec<Option<usize>> = (0..table.k()).map(best).collect();
        let name = |class: usize| classes.get(class).cloned().unwrap_or_else(|| class.to_string());
        self.categories = (best.iter().enumerate())
            .map(|(category, &class)| {
                let pictures = table.by_code()[category];
                let most = class.map_or(0, |class| table.count(category, class));
                CategoryScore {
                    pictures,
                    class: class.map(name),
                    share: most as f64 / pictures.max(1) as f64,
                }
            })
            .collect();
        self.without_category =
            (0..table.classes()).filter(|class| !best.contains(&Some(*class))).map(name).collect();
    }
}

/// Scores a trained game: the bound on generated pictures; matching on `train`, errors on `test`, both real and
/// labelled; factors where `test` knows them.
///
/// # Errors
/// When the metrics refuse their input.
pub fn score(
    trained: &mut Trained,
    state: &State,
    streams: &Streams,
    train: &ImageSet,
    test: &ImageSet,
) -> Result<Scores, Error> {
    let settings = trained.game().config().evaluate.clone();
    let mut scores = Scores {
        step: state.step(),
        codes: Vec::new(),
        factors: Vec::new(),
        mig_mean: None,
        factor_vae: None,
        checkerboard: Vec::new(),
        protocol: BTreeMap::new(),
    };
    checkerboard_scores(&mut scores, trained, streams, test);
    let mut say = |key: &str, value: Value| scores.protocol.insert(key.to_owned(), value);
    say("step", json!(state.step()));
    say("seed", json!(streams.seed()));
    say("test_set", json!(test.name()));
    say("test_sha256", json!(test.content_hash()));
    let Some(codes) = trained.game().codes() else {
        say("note", json!("the game recovers no codes: there are none to score"));
        return Ok(scores);
    };
    let continuous = codes.continuous();
    let targets: Vec<_> = codes.targets().map(|(slot, position)| (slot.clone(), position)).collect();

    let statistics: Vec<Draw> = trained.game().statistics_draws(streams).collect();
    let latents = statistics.iter().map(Draw::len).sum::<usize>();
    let (batches, batch) = statistics_batches(trained.game().config().train.batch, train.len());
    let draw = trained.game().latent().draw(streams, "evaluate", [0; 3], settings.latents);
    let generated =
        trained.encode_generated(state, &statistics, &draw).unwrap_or_else(|| unreachable!("has codes"));
    say("bound_latents", json!(settings.latents));
    say(
        "bound_batch_norm",
        json!(format!("generator and Q: statistics recomputed over {latents} latents of the run's stream")),
    );
    let encoded = trained.encode(test).unwrap_or_else(|| unreachable!("has codes"));
    let matched = train.labels().is_some().then(|| {
        let first: Vec<u32> = (0..settings.matching.min(train.len()) as u32).collect();
        train.subset(&first)
    });
    let matched = matched.and_then(|set| trained.encode(&set).map(|encoding| (set, encoding)));
    say("test_pictures", json!(test.len()));
    say("matching_wanted", json!(settings.matching));
    say("matching_pictures", json!(matched.as_ref().map_or(0, |(set, _)| set.len())));
    if let Some((set, _)) = &matched {
        say("matching", json!("learnt on labelled training pictures, applied to the test pictures"));
        say("matching_sha256", json!(set.content_hash()));
    }
    say(
        "q_batch_norm",
        json!(format!(
            "statistics recomputed over {} training pictures, whatever the batch scored",
            batches * batch
        )),
    );

    for (index, (slot, position)) in targets.iter().enumerate() {
        let (bound, training) = bounds(&generated, index, &draw, *position, slot.prior, continuous)?;
        let mut score = CodeScore {
            name: slot.name.clone(),
            kind: slot.prior.kind().to_owned(),
            entropy_nats: slot.prior.entropy(),
            bound_nats: bound,
            bound_training_nats: training,
            error_hungarian: None,
            error_majority: None,
            nmi: None,
            ari: None,
            categories: Vec::new(),
            without_category: Vec::new(),
        };
        if let (Prior::Categorical { values }, Some((set, encoding)), Some(test_labels)) =
            (slot.prior, &matched, test.labels())
        {
            let classes = set.class_names().len().max(test.class_names().len());
            let table = |encoding: &Encoding, labels: &[u16]| {
                let labels: Vec<usize> = labels.iter().map(|&label| usize::from(label)).collect();
                contingency(&categories(encoding, index), &labels, values, classes)
            };
            let learnt = table(encoding, set.labels().unwrap_or_default())?;
            let scored = table(&encoded, test_labels)?;
            score.error_hungarian = Some(error(&hungarian(&learnt), &scored)?);
            score.error_majority = Some(error(&majority(&learnt), &scored)?);
            score.nmi = Some(nmi(&scored));
            score.ari = Some(ari(&scored));
            let longer =
                |one: &ImageSet, other: &ImageSet| one.class_names().len() >= other.class_names().len();
            let names = if longer(test, set) { test.class_names() } else { set.class_names() };
            score.describe(&scored, names);
        }
        scores.codes.push(score);
    }
    if !test.factors().is_empty() {
        factor_scores(&mut scores, &encoded, test, streams)?;
    }
    Ok(scores)
}

/// The most probable category of every picture in a slot.
pub(super) fn categories(encoding: &Encoding, slot: usize) -> Vec<usize> {
    encoding.values.iter().map(|row| row[slot].category().unwrap_or(0)).collect()
}

/// The numbers Q reads for one dimension of a continuous slot.
pub(super) fn numbers(encoding: &Encoding, slot: usize, dimension: usize) -> Vec<f64> {
    let of = |row: &Vec<CodeValue>| match &row[slot] {
        CodeValue::Continuous(values) | CodeValue::Categorical(values) => f64::from(values[dimension]),
    };
    encoding.values.iter().map(of).collect()
}

/// L_I of one slot on generated pictures: with Q at its best, and as the training log has it.
fn bounds(
    generated: &Encoding,
    index: usize,
    draw: &Draw,
    position: usize,
    prior: Prior,
    continuous: Continuous,
) -> Result<(f64, f64), Error> {
    let count = draw.len() as f64;
    match prior {
        Prior::Categorical { .. } => {
            let truth = draw.categories(position);
            let log = |(row, &category): (&Vec<CodeValue>, &usize)| match &row[index] {
                CodeValue::Categorical(p) => f64::from(p[category]).max(f64::from(f32::MIN_POSITIVE)).ln(),
                CodeValue::Continuous(_) => 0.0,
            };
            let cross_entropy = -generated.values.iter().zip(&truth).map(log).sum::<f64>() / count;
            let bound = categorical_bound(cross_entropy, prior.entropy())?;
            Ok((bound, bound))
        }
        Prior::Uniform { width } | Prior::Normal { width } => {
            let truth = draw.slot(position);
            let (mut best, mut training) = (0.0, 0.0);
            for dimension in 0..width {
                let mean = numbers(generated, index, dimension);
                let square = |(sample, mean): (usize, &f64)| {
                    (f64::from(truth[sample * width + dimension]) - mean).powi(2)
                };
                let residual = mean.iter().enumerate().map(square).sum::<f64>() / count;
                let entropy = prior.entropy() / width as f64;
                best += gaussian_bound(residual, entropy)?;
                let prior_square = if matches!(prior, Prior::Uniform { .. }) { 1.0 / 3.0 } else { 1.0 };
                training += 0.5 * (prior_square - residual);
            }
            Ok((best, if continuous == Continuous::Learned { best } else { training }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_described_by_the_class_that_most_have() {
        let mut score: CodeScore =
            serde_json::from_value(json!({ "name": "c1", "kind": "categorical", "entropy_nats": 1.0, "bound_nats": 1.0,
                "bound_training_nats": 1.0, "error_hungarian": null, "error_majority": null, "nmi": null, "ari": null }))
            .unwrap();
        let names = ["zero", "one", "two", "three"].map(str::to_owned);
        // Category 0 holds two ones and a two, 1 a one and a zero, 2 nothing, 3 a three.
        let table = contingency(&[0, 0, 0, 1, 1, 3], &[1, 1, 2, 1, 0, 3], 4, 4).unwrap();
        score.describe(&table, &names);
        let said: Vec<(u64, Option<&str>)> = (score.categories.iter())
            .map(|category| (category.pictures, category.class.as_deref()))
            .collect();
        // Of equals the first class.
        assert_eq!(said, [(3, Some("one")), (2, Some("zero")), (0, None), (1, Some("three"))]);
        assert_eq!(score.categories[0].share, 2.0 / 3.0);
        assert_eq!(score.without_category, ["two"]);
    }
}
