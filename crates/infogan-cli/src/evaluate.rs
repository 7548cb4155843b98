//! `infogan evaluate`.

use std::process::ExitCode;

use infogan::session::OpenRun;

use crate::{
    DEVICE,
    args::EvaluateArgs,
    failure::{Failure, print},
    scores::{protocol, scores_table},
};

/// Scores the newest checkpoint of a run.
pub fn evaluate(args: &EvaluateArgs) -> Result<ExitCode, Failure> {
    let scores = OpenRun::open(&args.run, DEVICE)?.evaluate(args.data.as_deref())?;
    if args.json {
        let json = serde_json::to_string_pretty(&scores)
            .map_err(|error| Failure::usage(format!("the scores cannot be shown as JSON: {error}")))?;
        print(&format!("{json}\n"))?;
    } else {
        print(&format!("{}\n{}", scores_table(&scores), protocol(&scores)))?;
    }
    Ok(ExitCode::SUCCESS)
}
