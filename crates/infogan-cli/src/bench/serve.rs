//! One contestant of the benchmark: this program, answering questions on standard input.
//!
//! A question is `{"row": NAME, "iterations": N, "warmup": W}` on a line of its own, the answer
//! `{"row": NAME, "ms": [...]}` or `{"row": NAME, "missing": REASON}`. The peers speak the same protocol.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
    time::Instant,
};

use burn::tensor::Device;
use infogan::{
    config::{Config, Resolver},
    game::{GENERATOR, Game},
    nn::{Bound, NetState, Pass},
    train::state::State,
};
use infogan_data::random::Streams;
use serde_json::{Value, json};
use toml::Table;

use super::{Question, rows::Row};
use crate::failure::Failure;

/// Batches of real pictures that take turns: more than one, so that none stays in a cache.
const REAL_BATCHES: usize = 4;

/// Answers until the input ends.
pub fn serve(device: &Device) -> Result<(), Failure> {
    let lost = |error: io::Error| Failure::usage(format!("the benchmark is gone: {error}"));
    let mut out = io::stdout().lock();
    let versions = json!({ "infogan": env!("CARGO_PKG_VERSION"), "burn": infogan::session::BURN });
    writeln!(out, "{}", json!({ "ready": true, "versions": versions }))
        .and_then(|()| out.flush())
        .map_err(lost)?;
    let mut jobs: BTreeMap<String, Job> = BTreeMap::new();
    for line in io::stdin().lock().lines() {
        let line = line.map_err(lost)?;
        let question: Question = serde_json::from_str(&line)
            .map_err(|error| Failure::usage(format!("not a question of the benchmark: {error}: {line}")))?;
        let answer = answer(&question, device, &mut jobs)?;
        writeln!(out, "{answer}").and_then(|()| out.flush()).map_err(lost)?;
    }
    Ok(())
}

fn answer(question: &Question, device: &Device, jobs: &mut BTreeMap<String, Job>) -> Result<Value, Failure> {
    let name = &question.row;
    let Some(row) = Row::named(name) else {
        return Ok(json!({ "row": name, "missing": "no such row" }));
    };
    let timed = if row == Row::Memory { Row::InfoGanFresh } else { row };
    if !jobs.contains_key(timed.name()) {
        let Some(job) = Job::new(timed, device)? else {
            return Ok(json!({ "row": name, "missing": "not a question that is asked" }));
        };
        jobs.insert(timed.name().to_owned(), job);
    }
    let Some(job) = jobs.get_mut(timed.name()) else { unreachable!("put there just now") };
    let mut times = Vec::new();
    for iteration in 0..question.warmup + question.iterations {
        let begun = Instant::now();
        job.run()?;
        if iteration >= question.warmup {
            times.push(1e3 * begun.elapsed().as_secs_f64());
        }
    }
    Ok(match row {
        Row::Memory => match peak_mb() {
            Some(peak) => json!({ "row": name, "peak_mb": peak }),
            None => json!({ "row": name, "missing": "this system does not tell the peak of a process" }),
        },
        _ => json!({ "row": name, "ms": times }),
    })
}

/// Peak memory of this process in MiB.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Something to be timed.
// A handful in all: a box would save nothing.
#[allow(clippy::large_enum_variant)]
enum Job {
    /// Training steps.
    Steps { game: Box<Game>, state: State, streams: Streams, real: Vec<burn::tensor::Tensor<4>> },
    /// Pictures of given latents, by stored statistics.
    Forward { game: Box<Game>, generator: Bound, statistics: NetState, latents: burn::tensor::Tensor<2> },
}

impl Job {
    fn new(row: Row, device: &Device) -> Result<Option<Self>, Failure> {
        let picture = if row == Row::DcganSvhn { [3, 32, 32] } else { [1, 28, 28] };
        let game = Box::new(Game::new(&configuration(row)?, picture, device.clone())?);
        let streams = Streams::new(0);
        let state = game.init(&streams);
        if let Some(batch) = row.generated() {
            let statistics = game.generator_statistics(&state, &streams);
            let latents = game.latent().draw(&streams, "bench", [0, 0, 0], batch).tensor(device);
            let generator = Bound::new(&state.sections[GENERATOR], false);
            return Ok(Some(Self::Forward { game, generator, statistics, latents }));
        }
        let [channels, height, width] = picture;
        let shape = [game.config().train.batch, channels, height, width];
        let mut stream = streams.root("bench");
        let mut batch = || -> Vec<f32> { (0..shape.iter().product()).map(|_| stream.unit()).collect() };
        let real = (0..REAL_BATCHES)
            .map(|_| burn::tensor::Tensor::from_data(burn::tensor::TensorData::new(batch(), shape), device))
            .collect();
        Ok(Some(Self::Steps { game, state, streams, real }))
    }

    fn run(&mut self) -> Result<(), Failure> {
        match self {
            Self::Steps { game, state, streams, real } => {
                let mut batch = |number: u64| Ok(real[number as usize % real.len()].clone());
                game.step(state, streams, &mut batch)
                    .map_err(|error| Failure::usage(format!("the benchmark's training failed: {error}")))?;
            }
            Self::Forward { game, generator, statistics, latents } => {
                let pictures = game.generator().forward(generator, statistics, latents.clone(), Pass::STORED);
                // Read back, so that a device that computes later has computed.
                std::hint::black_box(pictures.into_data());
            }
        }
        Ok(())
    }
}

/// The configuration of a row: presets, with what the row says laid over.
fn configuration(row: Row) -> Result<Config, Failure> {
    let preset = if row == Row::DcganSvhn { "gan" } else { "mnist" };
    let mut resolver = Resolver::preset(preset)?;
    match row {
        Row::DcganSvhn => {
            let table: Table = include_str!("rows.toml")
                .parse()
                .map_err(|error| Failure::usage(format!("the benchmark's own configuration: {error}")))?;
            for (key, value) in table {
                resolver.put(&key, value)?;
            }
        }
        Row::InfoGanReused => resolver.set("phase.1.latents=reused")?,
        _ => {}
    }
    Ok(resolver.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_configuration() {
        for row in Row::ALL {
            assert!(configuration(row).is_ok(), "{}", row.name());
        }
    }
}
