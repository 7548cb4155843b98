//! Line plots as inline SVG, for pages that open without a network and without scripts.
//!
//! Text and axes take the colour of the surrounding text, so a plot fits a light and a dark page.

mod thin;
mod ticks;

use std::fmt::Write;

pub(super) use ticks::grouped;

/// Width of a plot in its own units; the page scales it.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 290.0;
/// Points per series that are drawn at most.
const MOST_POINTS: usize = 1000;
/// Mean width of a letter at the font size of 12, used to leave room for text.
const LETTER: f64 = 6.7;
/// After Okabe and Ito's colours for every kind of colour vision, in tones that show on white and on black.
const COLOURS: [&str; 6] = ["#2b87d1", "#dd6a20", "#0f9b76", "#c06aa8", "#b8920a", "#7f8790"];

/// One line of a plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// (x, y) in order of x. A point that is not finite breaks the line.
    pub points: Vec<(f64, f64)>,
    /// Drawn dashed.
    pub dashed: bool,
    /// A triangle stands at its last point: it ended there for good.
    pub broken: bool,
    /// Number of its colour, where that is not its place in the plot.
    pub colour: Option<usize>,
}

/// A level to compare with: a thin horizontal line, named at its right end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// What the level is, such as `H(c1) = 2.303 nats`.
    pub label: String,
    /// Its height.
    pub value: f64,
    /// Number of the series whose colour it takes; without one, that of the text.
    pub like: Option<usize>,
}

/// A line plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// Heading.
    pub title: String,
    /// Name of the horizontal axis.
    pub x_label: String,
    /// Name of the vertical axis, with its unit.
    pub y_label: String,
    /// The lines.
    pub series: Vec<Series>,
    /// Levels to compare with.
    pub references: Vec<Reference>,
    /// Lowest and highest y shown; what lies outside is cut. Without it, all finite points and references fit.
    pub y_range: Option<(f64, f64)>,
}

impl Plot {
    /// The plot as an `<svg>` element for an HTML page (it has no `xmlns`, which HTML does not need).
    pub fn svg(&self) -> String {
        let series: Vec<Series> = self.series.iter().map(|series| thin::thin(series, MOST_POINTS)).collect();
        let frame = Frame::new(self, &series);
        let mut out = String::new();
        let _ = writeln!(
            out,
            "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\" \
             fill=\"currentColor\" font-size=\"12\">",
            escape(&self.title)
        );
        let _ = writeln!(
            out,
            "<text x=\"0\" y=\"14\" font-size=\"14\" font-weight=\"600\">{}</text>",
            escape(&self.title)
        );
        self.legend(&mut out);
        frame.axes(&mut out, &self.x_label, &self.y_label);
        frame.references(&mut out, &self.references);
        // An inner <svg> cuts what lies outside, without an id that could meet another on the page.
        let _ = writeln!(
            out,
            "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" overflow=\"hidden\" fill=\"none\" \
             stroke-width=\"1.5\" stroke-linejoin=\"round\">",
            short(frame.left),
            short(frame.top),
            short(frame.width),
            short(frame.height)
        );
        for (index, series) in series.iter().enumerate() {
            frame.line(&mut out, index, series);
        }
        out.push_str("</svg>\n</svg>\n");
        out
    }

    fn legend_rows(&self) -> Vec<Vec<(usize, f64)>> {
        let mut rows = vec![Vec::new()];
        let mut x = 0.0;
        for (index, series) in self.series.iter().enumerate() {
            let width = 24.0 + wide(&series.name) + 18.0;
            if x > 0.0 && x + width > WIDTH {
                rows.push(Vec::new());
                x = 0.0;
            }
            if let Some(row) = rows.last_mut() {
                row.push((index, x));
            }
            x += width;
        }
        rows
    }

    fn legend(&self, out: &mut String) {
        for (row, entries) in self.legend_rows().iter().enumerate() {
            let y = 34.0 + 18.0 * row as f64;
            for &(index, x) in entries {
                let series = &self.series[index];
                let index = series.colour.unwrap_or(index);
                let _ = writeln!(
                    out,
                    "<path d=\"M{} {}h18\" stroke=\"{}\" stroke-width=\"2\"{}/>\
                     <text x=\"{}\" y=\"{}\">{}</text>",
                    short(x),
                    short(y - 4.0),
                    colour(index),
                    dashes(index, series.dashed),
                    short(x + 24.0),
                    short(y),
                    escape(&series.name)
                );
            }
        }
    }
}

/// Where the lines are drawn and what the sides mean.
struct Frame {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    x: (f64, f64),
    y: (f64, f64),
    x_ticks: Vec<(f64, String)>,
    y_ticks: Vec<(f64, String)>,
}

impl Frame {
    fn new(plot: &Plot, series: &[Series]) -> Self {
        let points = || series.iter().flat_map(|series| &series.points).filter(|point| shown(point));
        let mut x = range(points().map(|point| point.0), 0.0);
        // Steps begin at zero, even where the first point is a little later.
        if x.0 > 0.0 && x.0 <= 0.05 * x.1 {
            x.0 = 0.0;
        }
        let references = plot.references.iter().map(|reference| reference.value);
        let levels = references.filter(|value| shown(&(0.0, *value)));
        let y = plot
            .y_range
            .filter(|(low, high)| low < high && shown(&(*low, *high)))
            .unwrap_or_else(|| range(points().map(|point| point.1).chain(levels), 0.05));
        let y_ticks = ticks::ticks(y.0, y.1, 5);
        let widest = |labels: &mut dyn Iterator<Item = &str>| labels.map(wide).fold(0.0, f64::max);
        let y_text = widest(&mut y_ticks.iter().map(|(_, label)| label.as_str()));
        let names = widest(&mut plot.references.iter().map(|reference| reference.label.as_str()));
        let left = if plot.y_label.is_empty() { 8.0 } else { 26.0 } + y_text;
        let x_ticks = ticks::ticks(x.0, x.1, 5);
        // The last mark of the horizontal axis may stand under the frame's corner.
        let corner = x_ticks.last().map_or(0.0, |(_, label)| wide(label) / 2.0);
        let right = if names > 0.0 { names.min(WIDTH / 3.0) + 10.0 } else { corner + 2.0 };
        let top = 30.0 + 18.0 * plot.legend_rows().len() as f64;
        let height = HEIGHT - top - if plot.x_label.is_empty() { 24.0 } else { 40.0 };
        let width = WIDTH - left - right;
        Self { left, top, width, height, x, y, x_ticks, y_ticks }
    }

    /// Pixels right of the frame's left side.
    fn across(&self, x: f64) -> f64 {
        (x - self.x.0) / (self.x.1 - self.x.0) * self.width
    }

    /// Pixels under the frame's top.
    fn down(&self, y: f64) -> f64 {
        // Far outside is as good as just outside, and keeps the file's numbers short.
        ((self.y.1 - y) / (self.y.1 - self.y.0)).clamp(-10.0, 10.0) * self.height
    }

    fn axes(&self, out: &mut String, x_label: &str, y_label: &str) {
        let (left, bottom) = (self.left, self.top + self.height);
        out.push_str("<g stroke=\"currentColor\" stroke-width=\"1\" opacity=\".14\"><path d=\"");
        for (value, _) in &self.x_ticks {
            let x = short(left + self.across(*value));
            let _ = write!(out, "M{x} {}V{}", short(self.top), short(bottom));
        }
        for (value, _) in &self.y_ticks {
            let _ =
                write!(out, "M{} {}h{}", short(left), short(self.top + self.down(*value)), short(self.width));
        }
        out.push_str("\"/></g>\n<g opacity=\".75\">\n");
        for (value, label) in &self.x_ticks {
            let x = short(left + self.across(*value));
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                short(bottom + 16.0)
            );
        }
        for (value, label) in &self.y_ticks {
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>",
                short(left - 6.0),
                short(self.top + self.down(*value) + 4.0)
            );
        }
        if !x_label.is_empty() {
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                short(left + self.width / 2.0),
                short(bottom + 34.0),
                escape(x_label)
            );
        }
        if !y_label.is_empty() {
            let _ = writeln!(
                out,
                "<text transform=\"translate(12 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
                short(self.top + self.height / 2.0),
                escape(y_label)
            );
        }
        out.push_str("</g>\n");
    }

    /// Level lines, with names that keep apart from each other.
    fn references(&self, out: &mut String, references: &[Reference]) {
        let mut inside: Vec<&Reference> = references
            .iter()
            .filter(|reference| reference.value >= self.y.0 && reference.value <= self.y.1)
            .collect();
        inside.sort_by(|one, other| other.value.total_cmp(&one.value));
        let mut free = f64::NEG_INFINITY;
        for reference in inside {
            let y = self.top + self.down(reference.value);
            let text = (y + 4.0).max(free);
            free = text + 14.0;
            let colour = reference.like.map_or("currentColor", colour);
            let _ = writeln!(
                out,
                "<path d=\"M{} {}h{}\" stroke=\"{colour}\" stroke-width=\"1\" stroke-dasharray=\"2 3\" \
                 opacity=\".9\"/><text x=\"{}\" y=\"{}\" fill=\"{colour}\">{}</text>",
                short(self.left),
                short(y),
                short(self.width),
                short(self.left + self.width + 6.0),
                short(text),
                escape(&reference.label)
            );
        }
    }

    fn line(&self, out: &mut String, index: usize, series: &Series) {
        let index = series.colour.unwrap_or(index);
        let (mut path, mut dots) = (String::new(), String::new());
        for run in series.points.split(|point| !shown(point)) {
            for (place, point) in run.iter().enumerate() {
                let (x, y) = (short(self.across(point.0)), short(self.down(point.1)));
                if run.len() == 1 {
                    let _ =
                        write!(dots, "<circle cx=\"{x}\" cy=\"{y}\" r=\"2.5\" fill=\"{}\"/>", colour(index));
                } else {
                    let _ = write!(path, "{}{x} {y}", if place == 0 { "M" } else { "L" });
                }
            }
        }
        if let Some(end) = series.points.iter().rev().find(|point| shown(point)).filter(|_| series.broken) {
            let (x, y) = (short(self.across(end.0)), short(self.down(end.1) - 4.0));
            let _ = write!(dots, "<path d=\"M{x} {y}l5 9h-10z\" fill=\"{}\"/>", colour(index));
        }
        if !path.is_empty() {
            let dashes = dashes(index, series.dashed);
            let _ = write!(out, "<path d=\"{path}\" stroke=\"{}\"{dashes}/>", colour(index));
        }
        let _ = writeln!(out, "{dots}");
    }
}

/// Whether a point can be placed: finite, and not so large that differences overflow.
fn shown(point: &(f64, f64)) -> bool {
    point.0.abs() < 1e100 && point.1.abs() < 1e100
}

/// Least and greatest value, widened by `margin` of their distance; never empty.
fn range(values: impl Iterator<Item = f64>, margin: f64) -> (f64, f64) {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        (0.0, 1.0)
    } else if high - low <= 1e-9 * high.abs().max(low.abs()) {
        let around = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        (low - around, high + around)
    } else {
        let extra = (high - low) * margin;
        (low - extra, high + extra)
    }
}

fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

/// Once the colours are used up, they come again with dashes.
fn dashes(index: usize, dashed: bool) -> &'static str {
    match (dashed, index / COLOURS.len() % 2 == 1) {
        (false, false) => "",
        (true, false) => " stroke-dasharray=\"5 4\"",
        (false, true) => " stroke-dasharray=\"8 3\"",
        (true, true) => " stroke-dasharray=\"8 3 2 3\"",
    }
}

fn wide(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// A coordinate with at most one decimal.
fn short(value: f64) -> String {
    format!("{}", (value * 10.0).round() / 10.0 + 0.0)
}

/// Text that is safe inside an element and inside a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in HTML, whatever the escape.
            control if control.is_control() && !control.is_whitespace() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests;
