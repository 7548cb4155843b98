//! `infogan data`: looking at, converting, drawing and getting data sets.

mod args;
mod check;
mod convert;
mod fetch;
mod preview;

use std::process::ExitCode;

use infogan::session::Sets;
use infogan_data::{
    Fit, Folder, FolderOptions, Resize, Source, Split, detect, glance, load_folder,
    synth::{self, Drawn},
};

pub use args::DataArgs;
use args::{DataAction, Reading, SynthArgs};

use crate::{
    failure::{Failure, tell},
    progress,
};

/// Does what was asked for.
pub fn data(args: &DataArgs) -> Result<ExitCode, Failure> {
    match &args.action {
        DataAction::Check(args) => check::check(args),
        DataAction::Convert(args) => convert::convert(args),
        DataAction::Preview(args) => preview::preview(args),
        DataAction::Synth(args) => synthesise(args),
        DataAction::Fetch(args) => fetch::fetch(args),
    }
}

/// Both halves of what is named. Files that are passed over are told.
fn read(reading: &Reading) -> Result<Sets, Failure> {
    let path = &reading.from;
    let source = detect(path)?;
    if source != Source::Pictures {
        let (train, test) = (source.load(path, Split::Train)?, source.load(path, Split::Test)?);
        return Ok(Sets { train, test, report: None });
    }
    let channels = if !reading.grey && glance(path)?.colour { 3 } else { 1 };
    let side = usize::from(reading.size);
    let resize = if reading.squeeze { Resize::Squeeze } else { Resize::Crop };
    let fit = Fit { shape: [channels, side, side], resize, background: reading.background };
    let options = FolderOptions { fit, labels: reading.labels.clone() };
    let line = progress::Reading::new("reading pictures", false);
    let loaded = load_folder(path, &options, &|done, all| line.show(done, all));
    line.end();
    let Folder { train, test, report } = loaded?;
    crate::train::passed_over(&report).iter().for_each(tell);
    Ok(Sets { train, test, report: Some(report) })
}

/// Draws a set and writes it.
fn synthesise(args: &SynthArgs) -> Result<ExitCode, Failure> {
    let named = |set: &&Drawn| set.name == args.name;
    let set = synth::DRAWN.iter().find(named).ok_or_else(|| {
        Failure::usage(format!("{}: there is no such set", args.name)) // the argument parser lets none through
    })?;
    let size = args.size.map_or(set.size, usize::from);
    let count = args.n as usize;
    let draw = |count: usize, split| synth::draw(set.name, count.max(1), size, args.seed, split);
    let sets = Sets { train: draw(count, Split::Train)?, test: draw(count / 10, Split::Test)?, report: None };
    convert::write(&sets, &args.to, args.form)
}
