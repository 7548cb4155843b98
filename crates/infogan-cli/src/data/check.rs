//! `infogan data check`.

use std::{collections::BTreeMap, fmt::Display, process::ExitCode};

use infogan_data::{Report, check_folder, shown};

use super::args::CheckArgs;
use crate::{
    failure::{Failure, print},
    progress::Reading,
    text::{grouped, shortened},
};

/// Rows of a list that are printed; JSON has all.
const SHOWN: usize = 20;

/// Decodes everything once and tells what is there.
pub fn check(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let line = Reading::new("checking pictures", args.json);
    let checked = check_folder(&args.dir, args.labels.as_deref(), &|done, all| line.show(done, all));
    line.end();
    let report = checked?;
    if args.json {
        let json = serde_json::to_string_pretty(&report)
            .map_err(|error| Failure::usage(format!("the report cannot be shown as JSON: {error}")))?;
        print(&format!("{json}\n"))?;
    } else {
        print(&as_text(&report))?;
    }
    Ok(if report.rejected.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn as_text(report: &Report) -> String {
    let count = |n: usize| grouped(n as u64);
    let mut text = format!("{} pictures can be used\n", count(report.ok));
    for (what, counts) in [("classes", &report.classes), ("sizes", &report.sizes), ("kinds", &report.modes)] {
        if !counts.is_empty() {
            text.push_str(&format!("\n{what}\n{}", table(counts)));
        }
    }
    list(&mut text, "warnings", report.warnings.iter());
    let duplicates = report
        .duplicates
        .iter()
        .map(|group| group.iter().map(|file| shown(file)).collect::<Vec<_>>().join(" = "));
    list(&mut text, "the same picture", duplicates);
    list(&mut text, "cannot be used", report.rejected.iter());
    text
}

/// Names with counts, the most frequent first.
fn table(counts: &BTreeMap<String, usize>) -> String {
    let mut rows: Vec<(&String, &usize)> = counts.iter().collect();
    rows.sort_by(|left, right| right.1.cmp(left.1).then(left.0.cmp(right.0)));
    let widest = rows.iter().take(SHOWN).map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let rows = rows.iter().map(|(name, count)| format!("{name:widest$}  {}", grouped(**count as u64)));
    shortened(rows, SHOWN, "").into_iter().map(|line| line + "\n").collect()
}

/// A heading with how many there are, and the first of them.
fn list(text: &mut String, heading: &str, rows: impl ExactSizeIterator<Item = impl Display>) {
    let all = rows.len();
    if all == 0 {
        return;
    }
    text.push_str(&format!("\n{heading}: {}\n", grouped(all as u64)));
    for line in shortened(rows, SHOWN, " (--json has all)") {
        text.push_str(&format!("{line}\n"));
    }
}
