//! What is measured of a run: numbers of its log and its scores, or the reason why there is none.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::run::report::read::{Code, Run, Scores, Tick};

/// A number, or the reason why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The number.
    Number(f64),
    /// Something that is no number.
    Words(String),
    /// Why not.
    Reason(String),
}

/// Something that can be said of every run.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Measure {
    /// The mean over the last steps of a number of the log.
    End {
        /// What: a sum, or a quotient of sums, such as `monitors.critic_fake/monitors.critic_real`.
        of: String,
        /// Steps.
        #[serde(default = "hundred")]
        over: u64,
    },
    /// The highest value in the log.
    Highest {
        /// What.
        of: String,
    },
    /// The first step at which the mean over the last steps is a share of the most it can be.
    StepsTo {
        /// What.
        of: String,
        /// The share.
        share: f64,
        /// The most it can be.
        most: f64,
        /// Steps.
        #[serde(default = "hundred")]
        over: u64,
    },
    /// A number of the last scores: `c1.error_hungarian`, `mig_mean`, `factor_vae`, or `checkerboard.2`, the power at that
    /// period over the real pictures'.
    Score {
        /// Which.
        of: String,
    },
    /// The step at which the critic's loss has risen from below 0.3 to above 1 within 200 steps: the "cliff" of Evtimova
    /// and Drozdov (§6), where pictures become plausible at once.
    Cliff,
    /// Which classes several categories of a code are for, and which none is for.
    Meaning {
        /// The code.
        of: String,
    },
    /// Median time of a step in milliseconds, all trainings of the study in turn ([`super::Study::timed`]).
    StepTime,
}

fn hundred() -> u64 {
    100
}

/// A critic that is sure.
const CLIFF_FROM: f64 = 0.3;
/// A critic that no longer is: 2 ln 2 = 1.39 is one that knows nothing.
const CLIFF_TO: f64 = 1.0;
/// Steps between the two.
const CLIFF_STEPS: u64 = 200;

impl Measure {
    /// Measures a run.
    pub(super) fn of(&self, run: &Run, step_time: Option<f64>) -> Cell {
        let found = match self {
            Self::End { of, over } => end(run, of, *over),
            Self::Highest { of } => values(run, of)
                .map(|values| values.into_iter().map(|(_, value)| value).fold(f64::NEG_INFINITY, f64::max)),
            Self::StepsTo { of, share, most, over } => steps_to(run, of, share * most, *over),
            Self::Score { of } => score(run, of),
            Self::Cliff => cliff(run),
            Self::StepTime => step_time.ok_or_else(|| "not timed".to_owned()),
            Self::Meaning { of } => return meaning(run, of).map_or_else(Cell::Reason, Cell::Words),
        };
        found.map_or_else(Cell::Reason, Cell::Number)
    }
}

/// The value of an expression in a line of the log. A sum is that of its parts that are there, one at least.
pub(super) fn value(tick: &Tick, expression: &str) -> Option<f64> {
    let sum = |part: &str| {
        let there = part.split('+').filter_map(|name| single(tick, name.trim()));
        there.reduce(|sum, value| sum + value)
    };
    match expression.split_once('/') {
        None => sum(expression),
        Some((above, below)) => Some(sum(above)? / sum(below)?),
    }
}

fn single(tick: &Tick, name: &str) -> Option<f64> {
    let (part, name) = name.split_once('.')?;
    let part = match part {
        "bounds" => &tick.bounds,
        "losses" => &tick.losses,
        "monitors" => &tick.monitors,
        _ => return None,
    };
    part.get(name)?.as_f64()
}

fn values(run: &Run, of: &str) -> Result<Vec<(u64, f64)>, String> {
    let known = run.ticks.iter().filter_map(|tick| Some((tick.step, value(tick, of)?)));
    let values: Vec<(u64, f64)> = known.filter(|(_, value)| value.is_finite()).collect();
    match values.is_empty() {
        false => Ok(values),
        true if of.starts_with("bounds.") => Err("no codes".to_owned()),
        true => Err("none".to_owned()),
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

fn end(run: &Run, of: &str, over: u64) -> Result<f64, String> {
    let values = values(run, of)?;
    let last = values.last().map_or(0, |(step, _)| *step);
    let first = values.partition_point(|(step, _)| *step + over <= last);
    Ok(mean(values[first..].iter().map(|(_, value)| *value)))
}

fn steps_to(run: &Run, of: &str, level: f64, over: u64) -> Result<f64, String> {
    let values = values(run, of)?;
    for (place, (step, _)) in values.iter().enumerate() {
        let first = values.partition_point(|(other, _)| other + over <= *step);
        // A mean over fewer steps is chance.
        if *step >= over && mean(values[first..=place].iter().map(|(_, value)| *value)) >= level {
            return Ok(*step as f64);
        }
    }
    Err("never".to_owned())
}

fn score(run: &Run, of: &str) -> Result<f64, String> {
    let scores = run.scores.last().ok_or("not scored")?;
    let Some((code, part)) = of.split_once('.') else {
        let found = match of {
            "mig_mean" => scores.mig_mean,
            "factor_vae" => scores.factor_vae,
            _ => return Err(format!("no score '{of}'")),
        };
        return found.ok_or_else(|| "no known factors".to_owned());
    };
    if code == "checkerboard" {
        let at = scores.checkerboard.iter().find(|found| Ok(found.period) == part.parse());
        return at.and_then(|found| found.ratio).ok_or_else(|| "no such period".to_owned());
    }
    let code = code_of(scores, code)?;
    let found = match part {
        "bound_nats" => code.bound_nats,
        "error_hungarian" => code.error_hungarian,
        "error_majority" => code.error_majority,
        "nmi" => code.nmi,
        "ari" => code.ari,
        _ => return Err(format!("no score '{of}'")),
    };
    found.ok_or_else(|| "no classes to compare with".to_owned())
}

fn code_of<'s>(scores: &'s Scores, name: &str) -> Result<&'s Code, String> {
    scores.codes.iter().find(|code| code.name == name).ok_or_else(|| "no codes".to_owned())
}

fn meaning(run: &Run, of: &str) -> Result<String, String> {
    let scores = run.scores.last().ok_or("not scored")?;
    let code = code_of(scores, of)?;
    if code.categories.is_empty() {
        return Err("no classes to compare with".to_owned());
    }
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for class in code.categories.iter().filter_map(|category| category.class.as_deref()) {
        *times.entry(class).or_default() += 1;
    }
    let split =
        times.iter().filter(|(_, times)| **times > 1).map(|(class, times)| format!("{class} in {times}"));
    let split = split.collect::<Vec<_>>().join(", ");
    let none = code.without_category.join(", ");
    let parts = [("split", split), ("merged", none)].into_iter().filter(|(_, names)| !names.is_empty());
    let parts: Vec<String> = parts.map(|(what, names)| format!("{what}: {names}")).collect();
    Ok(if parts.is_empty() { "a category each".to_owned() } else { parts.join("; ") })
}

fn cliff(run: &Run) -> Result<f64, String> {
    let losses = values(run, "losses.critic")?;
    let is_cliff = |&&(step, loss): &&(u64, f64)| {
        let before =
            |&(other, low): &(u64, f64)| other < step && other + CLIFF_STEPS >= step && low < CLIFF_FROM;
        loss > CLIFF_TO && losses.iter().any(before)
    };
    losses.iter().find(is_cliff).map(|(step, _)| *step as f64).ok_or_else(|| "none".to_owned())
}
