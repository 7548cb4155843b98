//! The Markdown twin of a study's page: for a repository, a mail, a diff.

use std::fmt::Write;

use super::Results;

/// Table, notes and commands; pictures lie in the runs.
pub(super) fn page(results: &Results) -> String {
    let study = &results.study;
    let mut out =
        format!("# {}\n\n{}\n\n{}\n\n", study.headline(&results.options), study.source, study.about.trim());
    let heads = study.column.iter().map(|column| match column.unit.as_str() {
        "" => plain(&column.name),
        unit => format!("{}, {}", plain(&column.name), plain(unit)),
    });
    let _ = writeln!(out, "| | {} | ended |", heads.collect::<Vec<_>>().join(" | "));
    let _ = writeln!(out, "|---|{}---|", "---|".repeat(study.column.len()));
    for row in &results.rows {
        let cells = study.column.iter().map(|column| {
            let paper = row.row.paper.get(&column.name).map(|said| format!(" (paper: {said})"));
            plain(&format!("{}{}", row.text(column), paper.unwrap_or_default()))
        });
        let cells = cells.collect::<Vec<_>>().join(" | ");
        let _ = writeln!(out, "| {} | {cells} | {} |", plain(&row.row.label), plain(&row.ended()));
    }
    out.push('\n');
    for row in results.rows.iter().filter(|row| !row.row.note.is_empty()) {
        let _ = writeln!(out, "- {}: {}", row.row.label, row.row.note);
    }
    let _ = writeln!(out, "\n```sh\n{}\n```", results.commands.join("\n"));
    if !results.about.is_empty() {
        let about = results.about.iter().map(|(key, text)| format!("{key}: {text}"));
        let _ = writeln!(out, "\n{}", about.collect::<Vec<_>>().join("; "));
    }
    out
}

/// Text that stays in its cell.
fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
