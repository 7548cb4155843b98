//! The last evaluation as tables.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::{
    super::plot::{Plot, Series, escape, grouped},
    format::{count, nats, per_cent, three},
    read::{Code, Run, Scores},
};

/// The kind of code whose bound cannot exceed its entropy.
pub(super) const CATEGORICAL: &str = "categorical";

/// The section of scores; empty without an evaluation.
pub(super) fn section(run: &Run) -> String {
    let Some(last) = run.scores.last() else { return String::new() };
    let at = last.step.map_or(String::new(), |step| format!(" at step {}", count(step)));
    let mut out = format!("<section><h2>Scores{at}</h2>\n");
    codes(&mut out, last);
    factors(&mut out, last);
    checkerboard(&mut out, last);
    out.push_str(&history(run));
    if !last.protocol.is_empty() {
        out.push_str("<h3>How it was measured</h3>\n<dl>\n");
        list(&mut out, "", &last.protocol);
        out.push_str("</dl>\n");
    }
    out.push_str("</section>\n");
    out
}

fn codes(out: &mut String, scores: &Scores) {
    if scores.codes.is_empty() {
        return;
    }
    out.push_str(
        "<div class=\"wide\"><table><thead><tr><th>Code<th>Prior<th>Bound L<sub>I</sub>, nats\
         <th>H(c), nats<th>Bound / H(c)<th>Error, one-to-one<th>Error, majority<th>NMI<th>ARI</tr></thead>\n<tbody>\n",
    );
    for code in &scores.codes {
        // The entropy of a continuous code is differential: no ceiling, so no share of it.
        let known = code.bound_nats.zip(code.entropy_nats).filter(|_| code.kind == CATEGORICAL);
        let share = known.map(|(bound, entropy)| bound / entropy);
        let _ = writeln!(
            out,
            "<tr><th>{}<td class=\"word\">{}<td>{}<td>{}<td class=\"share\">{}<td>{}<td>{}<td>{}<td>{}</tr>",
            escape(&code.name),
            escape(&code.kind),
            nats(code.bound_nats),
            nats(code.entropy_nats),
            bar(share),
            per_cent(code.error_hungarian),
            per_cent(code.error_majority),
            three(code.nmi),
            three(code.ari),
        );
    }
    out.push_str("</tbody></table></div>\n");
    out.push_str(
        "<p class=\"note\">The bound says how much of a code can be read back from the pictures. That of a \
         categorical code cannot exceed H(c); H(c) of a continuous one is differential and no ceiling. \
         Error: pictures whose category, once matched to the labels, names another label. \
         One-to-one is the Hungarian matching.</p>\n",
    );
    scores.codes.iter().for_each(|code| categories(out, code));
}

/// What each category of a code holds of the test pictures.
fn categories(out: &mut String, code: &Code) {
    if code.categories.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<details><summary>What the categories of {} hold</summary>\n<div class=\"wide\"><table><thead><tr><th>Category\
         <th>Most are<th>Share<th>Pictures</tr></thead>\n<tbody>\n",
        escape(&code.name)
    );
    for (number, category) in code.categories.iter().enumerate() {
        let _ = writeln!(
            out,
            "<tr><th>{number}<td class=\"word\">{}<td>{}<td>{}</tr>",
            escape(category.class.as_deref().unwrap_or("–")),
            per_cent(category.share),
            count(category.pictures)
        );
    }
    out.push_str("</tbody></table></div>\n");
    if !code.without_category.is_empty() {
        let names = code.without_category.join(", ");
        let _ = writeln!(out, "<p class=\"note\">Classes that no category is for: {}.</p>", escape(&names));
    }
    out.push_str("</details>\n");
}

fn bar(share: Option<f64>) -> String {
    let Some(share) = share.filter(|share| share.is_finite()) else { return "–".into() };
    format!(
        "<span class=\"bar\"><span style=\"width:{}%\"></span></span>",
        (share.clamp(0.0, 1.0) * 1000.0).round() / 10.0
    )
}

/// Factors × codes, coloured by association.
fn factors(out: &mut String, scores: &Scores) {
    if scores.factors.is_empty() {
        return;
    }
    let mut columns: Vec<&str> = Vec::new();
    for cell in scores.factors.iter().flat_map(|factor| &factor.by_code) {
        if !columns.contains(&cell.code.as_str()) {
            columns.push(&cell.code);
        }
    }
    out.push_str(
        "<h3>What each code found</h3>\n<div class=\"wide\"><table class=\"heat\"><thead><tr><th>Factor",
    );
    for code in &columns {
        let _ = write!(out, "<th>{}", escape(code));
    }
    out.push_str("<th>MIG</tr></thead>\n<tbody>\n");
    for factor in &scores.factors {
        let _ = write!(out, "<tr><th>{}", escape(&factor.factor));
        for code in &columns {
            let cell = factor.by_code.iter().find(|cell| cell.code == *code);
            let association = cell.and_then(|cell| cell.association);
            let strength = association.filter(|value| value.is_finite()).unwrap_or(0.0).abs().min(1.0);
            let best = factor.best_code.as_deref() == Some(*code);
            let _ = write!(
                out,
                "<td{} style=\"--heat:{}%\">{}",
                if best { " class=\"best\"" } else { "" },
                (strength * 65.0).round(),
                association.map_or("–".into(), |value| grouped(value, 2)),
            );
        }
        let _ = writeln!(out, "<td>{}</tr>", factor.mig.map_or("–".into(), |value| grouped(value, 2)));
    }
    out.push_str("</tbody></table></div>\n<p class=\"note\">Association of a code (column) with a factor that \
         made the pictures (row): 0 none, 1 complete; the strongest of a row is bold. MIG: gap in mutual information \
         between a factor's two strongest codes, as a share of the factor's entropy");
    if let Some(mean) = scores.mig_mean {
        let _ = write!(out, "; mean {}", three(mean));
    }
    out.push('.');
    if let Some(score) = scores.factor_vae {
        let _ = write!(
            out,
            " FactorVAE score: {}, the share of groups of pictures of which the code that stands still tells \
            which factor they share.",
            three(score)
        );
    }
    out.push_str("</p>\n");
}

/// The pattern of strided layers, where it was measured.
fn checkerboard(out: &mut String, scores: &Scores) {
    let known = scores.checkerboard.iter().filter_map(|found| Some((found.period, found.ratio?)));
    let known: Vec<String> =
        known.map(|(period, ratio)| format!("{} every {period} pixels", grouped(ratio, 2))).collect();
    if !known.is_empty() {
        let _ = writeln!(
            out,
            "<p class=\"note\">Checkerboard: power of generated pictures over that of real ones, {}.</p>",
            known.join(", ")
        );
    }
}

/// Entries of a free-form object as a list; inner objects become dotted names.
pub(super) fn list(out: &mut String, prefix: &str, entries: &Map<String, Value>) {
    for (key, value) in entries {
        let name = format!("{prefix}{}", key.replace('_', " "));
        match value {
            Value::Object(inner) => list(out, &format!("{name} · "), inner),
            other => {
                let _ = writeln!(out, "<div><dt>{}<dd>{}</div>", escape(&name), escape(&plain(other)));
            }
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            // Past 2⁵³ a float would lose digits.
            (Some(whole), _) if whole.unsigned_abs() < 1 << 53 => grouped(whole as f64, 0),
            (None, Some(real)) if !number.is_u64() => three(real),
            _ => number.to_string(),
        },
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(inner) => Value::Object(inner.clone()).to_string(),
    }
}

/// Errors over steps, once there are evaluations of two steps.
fn history(run: &Run) -> String {
    let mut series: Vec<Series> = Vec::new();
    for (step, code) in run
        .scores
        .iter()
        .flat_map(|scores| scores.codes.iter().filter_map(move |code| Some((scores.step?, code))))
    {
        let Some(error) = code.error_hungarian else { continue };
        let index = series.iter().position(|line| line.name == code.name).unwrap_or_else(|| {
            series.push(Series { name: code.name.clone(), ..Series::default() });
            series.len() - 1
        });
        series[index].points.push((step as f64, error * 100.0));
    }
    for line in &mut series {
        line.points.sort_by(|one, other| one.0.total_cmp(&other.0));
        // Of several evaluations of a step, the last counts.
        line.points.reverse();
        line.points.dedup_by(|one, other| one.0 == other.0);
        line.points.reverse();
    }
    if series.iter().all(|line| line.points.len() < 2) {
        return String::new();
    }
    let errors = series.iter().flat_map(|line| &line.points).map(|point| point.1);
    let highest = errors.filter(|error| error.is_finite()).fold(0.0, f64::max);
    let plot = Plot {
        y_range: Some((0.0, highest * 1.05)),
        title: "Error over training".into(),
        x_label: "step".into(),
        y_label: "error, one-to-one, %".into(),
        series,
        ..Plot::default()
    };
    format!("<figure>{}</figure>\n", plot.svg())
}
