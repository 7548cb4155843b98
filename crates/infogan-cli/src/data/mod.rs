//! `infogan data`: looking at, converting, drawing and getting data sets.

mod args;
mod check;
mod convert;
mod fetch;
mod preview;

use std::{path::Path, process::ExitCode};

use infogan::session::{Sets, read_sets};
use infogan_data::{Fit, FolderOptions, Resize, Source, Split, detect, glance, synth};

pub use args::DataArgs;
use args::{DataAction, Reading, SynthArgs};

use crate::{
    failure::{Failure, tell},
    progress,
    train::passed_over,
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
        refuse_fitting(reading)?;
    }
    let grey = source != Source::Pictures || reading.grey || !glance(path)?.colour;
    let side = reading.size.map_or(32, usize::from);
    let resize = if reading.squeeze { Resize::Squeeze } else { Resize::Crop };
    let background = reading.background.unwrap_or_default();
    let shape = [if grey { 1 } else { 3 }, side, side];
    let fit = Fit { shape, crop: reading.crop.map_or(0, usize::from), resize, background };
    let options = FolderOptions { fit, labels: reading.labels.clone() };
    let line = progress::Reading::new("reading pictures", false);
    let sets = read_sets(source, path, &options, &|done, all| line.show(done, all));
    line.end();
    let sets = sets?;
    let told = sets.report.iter().flat_map(|report| passed_over(report, " (infogan data check names all)"));
    told.for_each(tell);
    Ok(sets)
}

/// Other sets than picture files have one size and their own labels.
fn refuse_fitting(reading: &Reading) -> Result<(), Failure> {
    let given = [
        ("--size", reading.size.is_some()),
        ("--grey", reading.grey),
        ("--crop", reading.crop.is_some()),
        ("--squeeze", reading.squeeze),
        ("--background", reading.background.is_some()),
        ("--labels", reading.labels.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(for_picture_files(flag, &reading.from)),
    }
}

/// A flag that other sets have no use for.
fn for_picture_files(flag: &str, set: &Path) -> Failure {
    Failure::usage(format!(
        "{flag}: is for picture files; the pictures of {} have a size and labels of their own",
        set.display()
    ))
}

/// Draws a set and writes it.
fn synthesise(args: &SynthArgs) -> Result<ExitCode, Failure> {
    convert::check_target(&args.to, args.form)?;
    let set = synth::find(&args.name)?;
    let size = args.size.map_or(set.size, usize::from);
    let count = args.n as usize;
    let draw = |count: usize, split| set.draw(count.max(1), size, args.seed, split);
    let sets = Sets { train: draw(count, Split::Train)?, test: draw(count / 10, Split::Test)?, report: None };
    convert::write(&sets, &args.to, args.form)
}
