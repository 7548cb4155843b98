//! What the log says, as plots.

use serde_json::{Map, Value};

use super::{
    super::plot::{Plot, Reference, Series},
    format::nats,
    read::{Run, Tick},
};

/// The section of plots; empty without a log.
pub(super) fn section(run: &Run) -> String {
    let mut monitors = Plot { title: "Monitors".into(), ..over_steps(run, |tick| &tick.monitors) };
    for line in &mut monitors.series {
        line.name = line.name.replace('_', " ");
    }
    let losses = Plot { title: "Losses".into(), ..over_steps(run, |tick| &tick.losses) };
    let plots: Vec<String> = [bounds(run), losses, monitors]
        .iter()
        .filter(|plot| plot.series.iter().any(|line| line.points.iter().any(|point| point.1.is_finite())))
        .map(|plot| format!("<figure>{}</figure>\n", plot.svg()))
        .collect();
    if plots.is_empty() {
        return String::new();
    }
    format!("<section><h2>Training</h2>\n{}</section>\n", plots.concat())
}

/// What a bound is compared with.
#[derive(Clone, Copy)]
pub(super) enum Most {
    /// The entropy of the code.
    Entropy,
    /// What the bound can reach with the assumed likelihood.
    Ceiling,
}

impl Most {
    /// The quantity of one code, or of several that are equal: `H(c1)`, `max c2`.
    pub fn of(self, name: &str) -> String {
        match self {
            Self::Entropy => format!("H({name})"),
            Self::Ceiling => format!("max {name}"),
        }
    }
}

/// Bounds of the codes (not their sum, which would flatten them) against the most they can be.
fn bounds(run: &Run) -> Plot {
    let mut plot = over_steps(run, |tick| &tick.bounds);
    plot.title = "Information bound of each code".into();
    plot.y_label = "nats".into();
    plot.series.retain(|line| line.name != "total");
    let (most, levels) = levels(run);
    for (index, line) in plot.series.iter().enumerate() {
        let Some(&(_, value)) = levels.iter().find(|(name, _)| *name == line.name) else { continue };
        match plot.references.iter_mut().find(|level| (level.value - value).abs() < 1e-6) {
            Some(level) => {
                // Equal codes share a level, in the colour of the text.
                level.label = format!("{} = {}", level.label, most.of(&line.name));
                level.like = None;
            }
            None => plot.references.push(Reference { label: most.of(&line.name), value, like: Some(index) }),
        }
    }
    for level in &mut plot.references {
        level.label = format!("{} = {}", level.label, nats(level.value));
    }
    plot.y_range = bounds_range(&plot);
    plot
}

/// From nothing to a little over the highest entropy. Early bounds of continuous codes may be far under zero:
/// they are cut at half the range.
fn bounds_range(plot: &Plot) -> Option<(f64, f64)> {
    let highest = plot.references.iter().map(|level| level.value).fold(0.0, f64::max);
    let values = || plot.series.iter().flat_map(|line| &line.points).map(|point| point.1);
    let finite = || values().filter(|value| value.is_finite());
    let low = finite().fold(0.0, f64::min).max(-0.5 * highest);
    let high = finite().fold(highest, f64::max);
    (highest > 0.0).then_some((low * 1.05, high * 1.06))
}

/// The most each bound can be, in nats: from the last tick that says so, else from the last evaluation.
pub(super) fn levels(run: &Run) -> (Most, Vec<(String, f64)>) {
    let numbers = |entries: &Map<String, Value>| {
        let known = entries.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
        known.collect::<Vec<_>>()
    };
    for tick in run.ticks.iter().rev() {
        if !tick.entropies.is_empty() {
            return (Most::Entropy, numbers(&tick.entropies));
        }
        if !tick.ceilings.is_empty() {
            return (Most::Ceiling, numbers(&tick.ceilings));
        }
    }
    let codes = run.scores.last().map_or(&[][..], |scores| &scores.codes);
    let known = codes.iter().filter_map(|code| Some((code.name.clone(), code.entropy_nats?)));
    (Most::Entropy, known.collect())
}

/// One line per name in a part of the log. A tick without a value breaks the line.
fn over_steps(run: &Run, part: impl Fn(&Tick) -> &Map<String, Value>) -> Plot {
    let mut names: Vec<&String> = Vec::new();
    for name in run.ticks.iter().flat_map(|tick| part(tick).keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let series = names
        .into_iter()
        .map(|name| Series {
            name: name.clone(),
            points: run
                .ticks
                .iter()
                .map(|tick| {
                    let value = part(tick).get(name).and_then(Value::as_f64);
                    (tick.step as f64, value.unwrap_or(f64::NAN))
                })
                .collect(),
            broken: run.ticks.last().is_some_and(|tick| tick.diverged.is_some()),
            ..Series::default()
        })
        .collect();
    Plot { x_label: "step".into(), series, ..Plot::default() }
}
