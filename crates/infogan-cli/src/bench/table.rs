//! The numbers of a benchmark and the table they make.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::{Value, json};

use super::{Answer, rows::Row};
use crate::machine::Machine;

/// Name of this program's own column.
pub const OURS: &str = "infogan";
/// Name of this program held to one thread.
pub const ONE_THREAD: &str = "infogan, 1 thread";

/// Medians of every round by row and contestant.
pub struct Results {
    names: Vec<String>,
    rounds: usize,
    /// What every contestant said of itself.
    pub versions: BTreeMap<String, Value>,
    numbers: BTreeMap<(Row, usize), Vec<Option<f64>>>,
    missing: BTreeMap<(Row, usize), String>,
}

/// Median; of an even count the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(0.5 * (sorted[middle - 1] + sorted[middle])),
    }
}

impl Results {
    /// None yet, of these contestants.
    pub fn new(names: Vec<String>, rounds: usize) -> Self {
        Self { names, rounds, versions: BTreeMap::new(), numbers: BTreeMap::new(), missing: BTreeMap::new() }
    }

    /// Adds a contestant's answer for one round. The first reason for a missing one is kept: what follows comes of it.
    pub fn note(&mut self, row: Row, contestant: usize, round: usize, answer: Answer) {
        match answer {
            Answer::Number(number) => {
                let rounds = vec![None; self.rounds];
                self.numbers.entry((row, contestant)).or_insert(rounds)[round] = Some(number);
            }
            Answer::Missing(reason) => {
                self.missing.entry((row, contestant)).or_insert(reason);
            }
        }
    }

    /// A round of a row in a line.
    pub fn line(&self, row: Row, round: usize) -> String {
        let mut line = row.name().to_owned();
        for (number, name) in self.names.iter().enumerate() {
            if let Some(Some(value)) = self.numbers.get(&(row, number)).map(|all| all[round]) {
                let _ = write!(line, ", {name} {}", short(value));
            }
        }
        line
    }

    /// Every round of a contestant, those that are missing included.
    fn of(&self, row: Row, name: &str) -> Option<&[Option<f64>]> {
        let number = self.names.iter().position(|other| other == name)?;
        self.numbers.get(&(row, number)).map(Vec::as_slice)
    }

    /// Median of the rounds that there are.
    fn median(&self, row: Row, name: &str) -> Option<f64> {
        median(&self.of(row, name)?.iter().copied().flatten().collect::<Vec<_>>())
    }

    /// Ratio of a contestant to this program, round by round: median, least, most.
    fn ratio(&self, row: Row, name: &str) -> Option<[f64; 3]> {
        ratio_of(self.of(row, name)?, self.of(row, OURS)?)
    }

    /// The fastest of the contestants whose name begins so.
    fn fastest(&self, row: Row, prefix: &str) -> Option<&str> {
        self.names
            .iter()
            .filter(|name| name.starts_with(prefix))
            .filter_map(|name| Some((name, self.median(row, name)?)))
            .min_by(|left, right| left.1.total_cmp(&right.1))
            .map(|(name, _)| name.as_str())
    }
}

/// Over the rounds that both have.
fn ratio_of(theirs: &[Option<f64>], ours: &[Option<f64>]) -> Option<[f64; 3]> {
    let both = theirs.iter().zip(ours);
    let ratios: Vec<f64> = both.filter_map(|(theirs, ours)| Some((*theirs)? / (*ours)?)).collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    Some([median(&ratios)?, least, most])
}

/// Three digits that say something.
fn short(value: f64) -> String {
    match value {
        value if value >= 99.95 => format!("{value:.0}"),
        value if value >= 9.995 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The table, with what it was measured on.
pub fn markdown(results: &Results, rows: &[Row], machine: &Machine) -> String {
    let rounds = results.rounds;
    let mut text = format!(
        "# Benchmark of {}\n\n{}, {} cores, {}, {}; device {}, {} threads. Medians of {rounds} interleaved rounds; a ratio is the median \
         of the rounds' ratios, with the least and the most.\n\nAll take the same step: the preset's layers, biases, \
         losses and Adam; losses read as numbers in every step. infogan sends real and generated pictures through the \
         critic in one pass with batch norm in two groups, the peers in two passes.\n\n",
        machine.date,
        machine.processor,
        machine.cores,
        machine.level,
        machine.system,
        machine.device,
        machine.threads
    );
    let _ = writeln!(text, "| row | infogan | fastest PyTorch | ratio |");
    let _ = writeln!(text, "|---|---|---|---|");
    for &row in rows {
        let ours = results.median(row, OURS);
        let torch = results.fastest(row, "torch");
        let theirs = torch.and_then(|name| Some((name, results.median(row, name)?)));
        let ratio = torch.and_then(|name| results.ratio(row, name));
        let cell = |value: Option<f64>| {
            value.map_or("missing".to_owned(), |v| format!("{} {}", short(v), row.unit()))
        };
        let theirs = theirs.map_or("missing".to_owned(), |(name, value)| {
            format!("{} {} ({})", short(value), row.unit(), name.trim_start_matches("torch").trim())
        });
        let ratio = ratio.map_or("missing".to_owned(), |[middle, least, most]| {
            format!("**{middle:.2}×** ({least:.2} to {most:.2})")
        });
        let _ = writeln!(text, "| {} | {} | {theirs} | {ratio} |", row.title(), cell(ours));
    }
    if let Some([middle, least, most]) = results.ratio(Row::InfoGanFresh, ONE_THREAD) {
        let _ = writeln!(
            text,
            "| all threads over one, InfoGAN step | | | **{middle:.2}×** ({least:.2} to {most:.2}) |"
        );
    }
    let _ = write!(text, "\nEverybody, medians:\n\n| row |");
    for name in &results.names {
        let _ = write!(text, " {name} |");
    }
    let _ = write!(text, "\n|---|");
    results.names.iter().for_each(|_| text.push_str("---|"));
    text.push('\n');
    for &row in rows {
        let _ = write!(text, "| {}, {} |", row.name(), row.unit());
        for name in &results.names {
            let cell = results.median(row, name).map_or("missing".to_owned(), short);
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    let mut reasons: Vec<String> = Vec::new();
    for ((row, number), reason) in &results.missing {
        if rows.contains(row) {
            let answered = results.numbers.get(&(*row, *number)).into_iter().flatten().flatten().count();
            let part = if answered > 0 {
                format!(" in {} of {rounds} rounds", rounds - answered)
            } else {
                String::new()
            };
            reasons.push(format!("- {}, {}{part}: {reason}", results.names[*number], row.name()));
        }
    }
    if !reasons.is_empty() {
        let _ = write!(text, "\nMissing:\n\n{}\n", reasons.join("\n"));
    }
    let _ = write!(text, "\nVersions:\n\n");
    for (name, versions) in &results.versions {
        let _ = writeln!(text, "- {name}: {versions}");
    }
    text
}

/// The same as JSON, with every round.
pub fn json(results: &Results, rows: &[Row], machine: &Machine) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|&row| {
            let rounds: BTreeMap<&str, &[Option<f64>]> = results
                .names
                .iter()
                .filter_map(|name| Some((name.as_str(), results.of(row, name)?)))
                .collect();
            json!({ "row": row.name(), "unit": row.unit(), "rounds": rounds })
        })
        .collect();
    json!({
        "date": machine.date,
        "processor": machine.processor,
        "cores": machine.cores,
        "device": machine.device,
        "threads": machine.threads,
        "level": machine.level,
        "system": machine.system,
        "rounds": results.rounds,
        "versions": results.versions,
        "rows": rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let mut results =
            Results::new(["infogan", "torch eager", "torch fused"].map(str::to_owned).to_vec(), 3);
        for (number, times) in [[10.0, 20.0, 12.0], [30.0, 40.0, 30.0], [22.0, 44.0, 24.0]].iter().enumerate()
        {
            for (round, &time) in times.iter().enumerate() {
                results.note(Row::InfoGanFresh, number, round, Answer::Number(time));
            }
        }
        results.note(Row::Generator1, 0, 0, Answer::Number(0.5));
        results.note(Row::Generator1, 1, 0, Answer::Missing("cannot".to_owned()));
        results.note(Row::Generator1, 1, 1, Answer::Missing("not running".to_owned()));
        results
    }

    #[test]
    fn ratios_go_to_the_fastest_round_by_round() {
        let results = results();
        assert_eq!(results.fastest(Row::InfoGanFresh, "torch"), Some("torch fused"));
        assert_eq!(results.ratio(Row::InfoGanFresh, "torch fused"), Some([2.2, 2.0, 2.2]));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_missing_round_stays_in_its_place() {
        let mut results = Results::new(["infogan", "torch eager"].map(str::to_owned).to_vec(), 3);
        for (round, (ours, theirs)) in
            [(1.0, Some(3.0)), (10.0, None), (2.0, Some(6.0))].into_iter().enumerate()
        {
            results.note(Row::Generator64, 0, round, Answer::Number(ours));
            let answer = theirs.map_or(Answer::Missing("slept".to_owned()), Answer::Number);
            results.note(Row::Generator64, 1, round, answer);
        }
        assert_eq!(results.ratio(Row::Generator64, "torch eager"), Some([3.0, 3.0, 3.0]));
        let text = markdown(&results, &[Row::Generator64], &machine());
        assert!(text.contains("- torch eager, generator-64 in 1 of 3 rounds: slept"), "{text}");
    }

    fn machine() -> Machine {
        Machine {
            processor: "Some processor".to_owned(),
            cores: 2,
            device: "cpu".to_owned(),
            threads: 2,
            level: "avx2",
            system: "linux x86_64".to_owned(),
            date: "2026-11-25".to_owned(),
        }
    }

    #[test]
    fn a_row_that_nobody_else_runs_stays_in_the_table() {
        let text = markdown(&results(), &[Row::InfoGanFresh, Row::Generator1], &machine());
        assert!(text.contains("| the same, latents fresh (preset `mnist`) | 12.0 ms | 24.0 ms (fused) | **2.20×** (2.00 to 2.20) |"), "{text}");
        assert!(text.contains("| generator forward, 1 picture | 0.50 ms | missing | missing |"), "{text}");
        assert!(text.contains("- torch eager, generator-1: cannot"), "{text}");
    }
}
