//! The page of a study: one file that opens anywhere.

use std::fmt::Write;

use super::{PlotOf, Results, Row, measure::value, motion::motion, results::RowResult};
use crate::run::{
    plot::{Plot, Reference, Series, escape},
    report::{document, figure, quoted},
};

/// The whole page. It depends on the results alone.
pub(super) fn page(results: &Results) -> String {
    let study = &results.study;
    let headline = study.headline(&results.options);
    let mut body = String::new();
    let _ = writeln!(body, "<header><h1>{}</h1>", escape(&headline));
    let _ = writeln!(body, "<p class=\"under\">{}</p></header>", escape(&study.source));
    for paragraph in study.about.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        let _ = writeln!(body, "<p>{}</p>", escape(paragraph.trim()));
    }
    table(&mut body, results);
    plots(&mut body, results);
    pictures(&mut body, results);
    commands(&mut body, results);
    document(&headline, &body)
}

fn table(out: &mut String, results: &Results) {
    let study = &results.study;
    out.push_str("<section><h2>Results</h2>\n<div class=\"wide\"><table class=\"study\"><thead><tr><th>");
    for column in &study.column {
        let unit =
            if column.unit.is_empty() { String::new() } else { format!("<br>{}", escape(&column.unit)) };
        let _ = write!(out, "<th>{}{unit}", escape(&column.name));
    }
    out.push_str("<th>ended</tr></thead>\n<tbody>\n");
    for row in &results.rows {
        let _ = write!(out, "<tr><th>{}", escape(&row.row.label));
        for column in &study.column {
            let paper = row.row.paper.get(&column.name);
            let paper = paper.map_or_else(String::new, |said| {
                format!("<br><span class=\"said\">paper: {}</span>", escape(said))
            });
            let _ = write!(out, "<td>{}{paper}", escape(&row.text(column)));
        }
        let _ = writeln!(out, "<td>{}</tr>", escape(&row.ended()));
    }
    out.push_str("</tbody></table></div>\n");
    let noted: Vec<&Row> =
        results.rows.iter().map(|row| &row.row).filter(|row| !row.note.is_empty()).collect();
    if !noted.is_empty() {
        out.push_str("<dl>\n");
        for row in noted {
            let _ = writeln!(out, "<div><dt>{}<dd>{}</div>", escape(&row.label), escape(&row.note));
        }
        out.push_str("</dl>\n");
    }
    out.push_str("</section>\n");
}

fn plots(out: &mut String, results: &Results) {
    let plots: Vec<Plot> = results.study.plot.iter().filter_map(|plot| curves(plot, &results.rows)).collect();
    if plots.is_empty() {
        return;
    }
    out.push_str("<section><h2>Training</h2>\n");
    if plots.iter().any(|plot| plot.series.iter().any(|series| series.broken)) {
        out.push_str("<p class=\"note\">A triangle: the training diverged there.</p>\n");
    }
    for plot in plots {
        let _ = writeln!(out, "<figure>{}</figure>", plot.svg());
    }
    out.push_str("</section>\n");
}

/// A quantity of every row, its first run; none where no row has it.
fn curves(plot: &PlotOf, rows: &[RowResult]) -> Option<Plot> {
    // A row has the same colour in every plot.
    let series: Vec<Series> = (rows.iter().enumerate())
        .filter_map(|(place, row)| {
            let result = row.runs.first()?;
            let run = result.run.as_ref()?;
            let points: Vec<(f64, f64)> = (run.ticks.iter())
                .filter_map(|tick| Some((tick.step as f64, value(tick, &plot.of)?)))
                .collect();
            let broken = run.ticks.last().is_some_and(|tick| tick.diverged.is_some());
            let name = row.row.label.clone();
            (!points.is_empty()).then_some(Series {
                name,
                points,
                dashed: false,
                broken,
                colour: Some(place),
            })
        })
        .collect();
    let references = plot.level.iter().map(|level| Reference {
        label: level.label.clone(),
        value: level.value,
        like: None,
    });
    (!series.is_empty()).then(|| Plot {
        title: plot.title.clone(),
        x_label: "step".to_owned(),
        y_label: plot.unit.clone(),
        series,
        references: references.collect(),
        y_range: None,
    })
}

fn pictures(out: &mut String, results: &Results) {
    let study = &results.study;
    let rank = study.column.iter().find(|column| Some(&column.name) == study.rank.as_ref());
    let mut figures = String::new();
    for row in &results.rows {
        for (said, run) in row.shown(rank) {
            let label =
                if said.is_empty() { row.row.label.clone() } else { format!("{}: {said}", row.row.label) };
            for kind in &study.pictures {
                let moving;
                let (image, what) = match kind {
                    super::Pictures::Fakes => (run.fakes(), "generated"),
                    super::Pictures::Traverse => (run.traverse(), "one code at a time"),
                    super::Pictures::Motion => {
                        moving = motion(&run.path);
                        (moving.as_ref(), "the same latents through the training")
                    }
                };
                if let Some(image) = image {
                    let caption = format!("{label} · {what}");
                    figure(&mut figures, image, &caption, &caption);
                }
            }
        }
    }
    if !figures.is_empty() {
        let _ =
            write!(out, "<section><h2>Pictures</h2>\n<div class=\"pair\">\n{figures}</div>\n</section>\n");
    }
}

fn commands(out: &mut String, results: &Results) {
    out.push_str("<section><h2>How it was made</h2>\n<pre>");
    for line in &results.commands {
        let _ = writeln!(out, "{}", escape(line));
    }
    out.push_str("</pre>\n<h3>Runs</h3>\n<ul class=\"runs\">\n");
    for row in &results.rows {
        for run in &row.runs {
            let path = run.path.to_string_lossy();
            let path = path.rsplit(['/', '\\']).next().unwrap_or_default();
            let _ = writeln!(
                out,
                "<li>{} <code>runs/{}</code></li>",
                escape(&row.row.label),
                escape(&quoted(path))
            );
        }
    }
    out.push_str("</ul>\n<dl>\n");
    for (key, text) in &results.about {
        let _ = writeln!(out, "<div><dt>{}<dd>{}</div>", escape(key), escape(text));
    }
    out.push_str("</dl>\n</section>\n");
}
