//! The program `infogan`: arguments in, one call down, exit code out.

mod args;
mod bench;
mod compute;
mod data;
mod encode;
mod evaluate;
mod failure;
mod import;
mod look;
mod machine;
mod presets;
mod progress;
mod scores;
mod study;
mod text;
mod train;

use std::process::ExitCode;

use args::{Cli, Verb};
use clap::{CommandFactory, Parser};

/// Device of every verb that does not train: the same seed gives the same bytes on it.
const DEVICE: &str = "cpu";

/// The whole script first, so that a closed pipe is told like everywhere else.
fn completions(shell: clap_complete::Shell) -> Result<ExitCode, failure::Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "infogan", &mut script);
    failure::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

fn main() -> ExitCode {
    infogan_ops::kernels::keep_freed_memory();
    let done = match Cli::parse().verb {
        Verb::Train(args) => train::train(&args),
        Verb::Sample(args) => look::sample(&args),
        Verb::Traverse(args) => look::traverse(&args),
        Verb::Interpolate(args) => look::interpolate(&args),
        Verb::Encode(args) => encode::encode(&args),
        Verb::Evaluate(args) => evaluate::evaluate(&args),
        Verb::Study(args) => study::study(&args),
        Verb::Bench(args) => args.compute.prepare().and_then(|()| bench::bench(&args)),
        Verb::Presets(args) => presets::presets(&args),
        Verb::Import(args) => import::import(&args),
        Verb::Data(args) => data::data(&args),
        Verb::Completions(args) => completions(args.shell),
    };
    done.unwrap_or_else(failure::Failure::report)
}
