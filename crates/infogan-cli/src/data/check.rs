//! `infogan data check`.

use std::{collections::BTreeMap, fmt::Display, process::ExitCode};

use infogan_data::{Report, Source, Split, check_folder, detect, shown};

use super::{args::CheckArgs, for_picture_files};
use crate::{
    failure::{Failure, print},
    progress::Reading,
    text::{counted, grouped, shortened},
};

/// Rows of a list that are printed; JSON has all.
const SHOWN: usize = 20;

/// Decodes everything once and tells what is there.
pub fn check(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let report = match detect(&args.dir)? {
        Source::Pictures => {
            let line = Reading::new("checking pictures", args.json);
            let checked = check_folder(&args.dir, args.labels.as_deref(), &|done, all| line.show(done, all));
            line.end();
            checked?
        }
        source => of_set(source, args)?,
    };
    if args.json {
        let json = serde_json::to_string_pretty(&report)
            .map_err(|error| Failure::usage(format!("the report cannot be shown as JSON: {error}")))?;
        print(&format!("{json}\n"))?;
    } else {
        print(&as_text(&report))?;
    }
    Ok(if report.rejected.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a set of another form holds. It is read as a whole or, with an error, not at all.
fn of_set(source: Source, args: &CheckArgs) -> Result<Report, Failure> {
    if args.labels.is_some() {
        return Err(for_picture_files("--labels", &args.dir));
    }
    let mut report = Report::default();
    for split in [Split::Train, Split::Test] {
        let set = source.load(&args.dir, split)?;
        let [channels, height, width] = set.shape();
        report.ok += set.len();
        *report.sizes.entry(format!("{width}×{height}")).or_default() += set.len();
        let kind = format!("{}, {}", split.name(), if channels == 1 { "grey" } else { "colour" });
        *report.modes.entry(kind).or_default() += set.len();
        for factor in set.factors() {
            report.attributes.insert(format!("{} ({})", factor.name, split.name()), factor.values.summary());
        }
        for &label in set.labels().unwrap_or_default() {
            *report.classes.entry(set.class_names()[usize::from(label)].clone()).or_default() += 1;
        }
    }
    Ok(report)
}

fn as_text(report: &Report) -> String {
    let mut text = format!("{} can be used\n", counted(report.ok, "picture"));
    for (what, counts) in [("classes", &report.classes), ("sizes", &report.sizes), ("kinds", &report.modes)] {
        if !counts.is_empty() {
            text.push_str(&format!("\n{what}\n{}", table(counts)));
        }
    }
    if !report.attributes.is_empty() {
        let widest = report.attributes.keys().map(|name| name.chars().count()).max().unwrap_or(0);
        let rows = report.attributes.iter().map(|(name, values)| format!("  {name:widest$}  {values}\n"));
        text.push_str(&format!("\nattributes\n{}", rows.collect::<String>()));
    }
    list(&mut text, "warnings", report.warnings.iter());
    let duplicates =
        report.duplicates.iter().map(|group| group.iter().map(shown).collect::<Vec<_>>().join(" = "));
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
