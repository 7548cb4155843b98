//! `infogan import`: a run from weights that another program saved.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use infogan::{
    game::GENERATOR,
    interop::matching::Matching,
    session::{Prepared, Request},
};

use crate::{
    args::{Compute, ImportArgs, TrainArgs},
    failure::{Failure, print, tell},
    text::shortened,
    train::{self, is_run},
};

/// Rows of a list that are shown in full.
const SHOWN: usize = 12;

/// Makes a run that stands at step 0 with the weights of a file.
pub fn import(args: &ImportArgs) -> Result<ExitCode, Failure> {
    if args.out.join("config.toml").exists() {
        return Err(Failure::usage(format!(
            "{}: holds a run already; name another with --out",
            args.out.display()
        )));
    }
    // A run stands for its configuration.
    let (run, what) = match &args.like {
        Some(like) if is_run(Path::new(like)) => (Some(PathBuf::from(like)), None),
        like => (None, like.clone()),
    };
    let like = TrainArgs {
        what,
        out: run,
        data: args.data.clone(),
        size: args.size,
        compute: Compute { threads: None, device: crate::DEVICE.to_owned(), kernels: "auto".to_owned() },
        set: args.set.clone(),
        init_from: Some(args.file.clone()),
        map: args.map.clone(),
        ..TrainArgs::default()
    };
    let request = Request { out: Some(args.out.clone()), ..train::request(&like)? };
    let prepared = Prepared::new(&request, &|_, _| ())?;
    let matching = prepared.began_with().into_iter();
    matching.clone().flat_map(|matching| table(matching, true)).for_each(tell);
    let lacks_generator =
        matching.flat_map(|matching| &matching.lacking).any(|(network, ..)| network == GENERATOR);
    if lacks_generator && !args.partial {
        return Err(Failure::usage(format!(
            "{}: the generator is not complete, so its pictures would mean nothing; name pairs with --map, choose the \
             right networks with --like and --set, or take what there is with --partial",
            args.file.display()
        )));
    }
    prepared.open(&request)?.begin()?;
    print(&format!("{}\nto look at it: infogan sample {}\n", args.out.display(), args.out.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// What was taken and what not. `full` names every pair.
pub fn table(matching: &Matching, full: bool) -> Vec<String> {
    let mut lines = vec![format!("{} parameters taken over", matching.matched.len())];
    if full {
        let wide = matching
            .matched
            .iter()
            .map(|[network, path, _]| network.len() + path.len() + 1)
            .max()
            .unwrap_or(0);
        lines.extend(
            matching.matched.iter().map(|[network, path, name]| {
                format!("  {:wide$}  from  {name}", format!("{network}.{path}"))
            }),
        );
    }
    if !matching.statistics.is_empty() {
        let networks: Vec<&str> = matching.statistics.keys().map(String::as_str).collect();
        lines.push(format!("running statistics taken over for {}", networks.join(", ")));
    }
    let mut list = |heading: &str, rows: Vec<String>| {
        if !rows.is_empty() {
            lines.push(format!("{} {heading}", rows.len()));
            lines.extend(shortened(rows.into_iter(), SHOWN, ""));
        }
    };
    let lacking = matching.lacking.iter();
    list(
        "parameters begin at random",
        lacking.map(|(net, path, shape)| format!("{net}.{path} {shape:?}")).collect(),
    );
    let left = matching.left.iter();
    list(
        "tensors of the file are of no use here",
        left.map(|(name, shape)| format!("{name} {shape:?}")).collect(),
    );
    lines
}
