//! `infogan evaluate`.

use std::process::ExitCode;

use infogan::session::OpenRun;

use crate::{
    DEVICE,
    args::EvaluateArgs,
    failure::{Failure, print, tell},
    scores::{protocol, scores_table},
};

/// Scores the newest checkpoint of a run.
pub fn evaluate(args: &EvaluateArgs) -> Result<ExitCode, Failure> {
    let mut run = OpenRun::open(&args.run, DEVICE)?;
    let scores = run.evaluate(args.data.as_deref())?;
    if args.json {
        let json = serde_json::to_string_pretty(&scores)
            .map_err(|error| Failure::usage(format!("the scores cannot be shown as JSON: {error}")))?;
        print(&format!("{json}\n"))?;
    } else {
        print(&format!("{}\n{}", scores_table(&scores), protocol(&scores)))?;
    }
    // The result is out: a run that cannot be written to loses its record, not the scores.
    if let Err(error) = run.record(&scores) {
        tell(format_args!("warning: the scores were not recorded in the run: {error}"));
    }
    Ok(ExitCode::SUCCESS)
}
