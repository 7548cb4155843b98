//! Codes against the known factors of pictures: association, mutual information gap, FactorVAE.

use infogan_data::{Factor, FactorValues, ImageSet, random::Streams};
use infogan_metrics::factors::{
    FactorTable, Variable, draw_votes, factor_vae,
    vote::{Code, EVALUATION_VOTES, PICTURES_PER_VOTE, PROTOCOL, TRAINING_VOTES},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Encoding, Scores,
    score::{categories, numbers},
};
use crate::{Error, latent::Prior};

/// Scores of one factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorScore {
    /// Name of the factor.
    pub factor: String,
    /// Code with the strongest association.
    pub best_code: String,
    /// Its association, in [0, 1].
    pub association: f64,
    /// Mutual information gap; none for a constant factor.
    pub mig: Option<f64>,
    /// Every code.
    pub by_code: Vec<FactorByCode>,
}

/// One code against one factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorByCode {
    /// Name of the code.
    pub code: String,
    /// |Pearson|, correlation ratio or Cramér's V.
    pub association: f64,
    /// Mutual information in nats, 20 bins.
    pub mutual_information: f64,
}

/// Values that a [`Variable`] borrows.
enum Owned {
    Categorical(usize, Vec<usize>),
    Continuous(Vec<f64>),
}

impl Owned {
    fn borrow(&self) -> Variable<'_> {
        match self {
            Self::Categorical(count, values) => Variable::Categorical { count: *count, values },
            Self::Continuous(values) => Variable::Continuous(values),
        }
    }

    fn of_factor(factor: &Factor) -> Self {
        match &factor.values {
            FactorValues::Categorical { names, values } => {
                Self::Categorical(names.len(), values.iter().map(|&value| usize::from(value)).collect())
            }
            FactorValues::Continuous(values) => {
                Self::Continuous(values.iter().map(|&value| f64::from(value)).collect())
            }
        }
    }
}

/// A code with its name and how much its prior varies.
struct NamedCode {
    name: String,
    values: Owned,
    prior_dispersion: f64,
}

/// All codes, a number each where a slot has several.
fn codes_of(encoded: &Encoding) -> Vec<NamedCode> {
    let mut codes = Vec::new();
    for (index, slot) in encoded.slots.iter().enumerate() {
        match slot.prior {
            Prior::Categorical { values } => codes.push(NamedCode {
                name: slot.name.clone(),
                values: Owned::Categorical(values, categories(encoded, index)),
                prior_dispersion: 1.0 - 1.0 / values as f64,
            }),
            Prior::Uniform { width } | Prior::Normal { width } => {
                let uniform = matches!(slot.prior, Prior::Uniform { .. });
                codes.extend((0..width).map(|dimension| NamedCode {
                    name: if width == 1 { slot.name.clone() } else { format!("{}.{dimension}", slot.name) },
                    values: Owned::Continuous(numbers(encoded, index, dimension)),
                    prior_dispersion: if uniform { 1.0 / 3.0 } else { 1.0 },
                }));
            }
        }
    }
    codes
}

/// Every code against every factor.
pub(super) fn factor_scores(
    scores: &mut Scores,
    encoded: &Encoding,
    test: &ImageSet,
    streams: &Streams,
) -> Result<(), Error> {
    let codes = codes_of(encoded);
    let factors: Vec<Owned> = test.factors().iter().map(Owned::of_factor).collect();
    let code_pairs: Vec<(&str, Variable<'_>)> =
        codes.iter().map(|code| (code.name.as_str(), code.values.borrow())).collect();
    let factor_pairs: Vec<(&str, Variable<'_>)> = (test.factors().iter().zip(&factors))
        .map(|(factor, values)| (factor.name.as_str(), values.borrow()))
        .collect();
    let table = FactorTable::new(&code_pairs, &factor_pairs)?;
    for (row, factor) in table.factors.iter().enumerate() {
        let by_code: Vec<FactorByCode> = (table.codes.iter().enumerate())
            .map(|(column, code)| FactorByCode {
                code: code.clone(),
                association: table.association[row][column],
                mutual_information: table.mutual_information[row][column],
            })
            .collect();
        let better = |best: usize, (index, cell): (usize, &FactorByCode)| {
            if cell.association > by_code[best].association { index } else { best }
        };
        let best = by_code.iter().enumerate().fold(0, better);
        scores.factors.push(FactorScore {
            factor: factor.clone(),
            best_code: by_code[best].code.clone(),
            association: by_code[best].association,
            mig: table.mig.per_factor[row],
            by_code,
        });
    }
    scores.mig_mean = table.mig.mean;
    scores.factor_vae = votes(&codes, &factors, streams);
    let mut say = |key: &str, value| scores.protocol.insert(key.to_owned(), value);
    say(
        "association",
        json!(
            "|Pearson| between numbers, correlation ratio between number and category, Cramér's V between categories"
        ),
    );
    say("mutual_information_bins", json!(table.bins));
    say("factor_vae", json!(PROTOCOL));
    Ok(())
}

/// The FactorVAE score, if the factors allow votes.
fn votes(codes: &[NamedCode], factors: &[Owned], streams: &Streams) -> Option<f64> {
    let factors: Vec<Variable<'_>> = factors.iter().map(Owned::borrow).collect();
    let mut stream = streams.root("evaluate/votes");
    let mut below = |bound: usize| stream.below(bound as u32) as usize;
    // Sets without two factors that vary, or too small for groups, have no such score.
    let training = draw_votes(&factors, TRAINING_VOTES, PICTURES_PER_VOTE, &mut below).ok()?;
    let evaluation = draw_votes(&factors, EVALUATION_VOTES, PICTURES_PER_VOTE, &mut below).ok()?;
    let codes: Vec<Code<'_>> = codes
        .iter()
        .map(|code| Code { values: code.values.borrow(), prior_dispersion: code.prior_dispersion })
        .collect();
    factor_vae(&codes, factors.len(), &training, &evaluation).ok()?.score
}
