//! Draws what the logs of some runs say over each other, as an SVG of its own:
//! `cargo run --release --example curves -- OUT.svg STEPS KEY[,KEY…] LABEL=RUN [LABEL=RUN…]`, KEY as in the log
//! (`losses.critic`, `bounds.c1`).

use std::{fmt::Write, path::Path, process::ExitCode};

use infogan::run::{
    plot::{Plot, Series},
    read_log,
};
use serde_json::Value;

/// Height of a plot with the room below it.
const HEIGHT: usize = 310;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [out, steps, keys, runs @ ..] = arguments.as_slice() else {
        eprintln!("usage: curves OUT.svg STEPS KEY[,KEY…] LABEL=RUN [LABEL=RUN…]");
        return ExitCode::from(2);
    };
    match draw(steps, keys, runs)
        .and_then(|svg| std::fs::write(out, svg).map_err(|error| format!("{out}: {error}")))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn draw(steps: &str, keys: &str, runs: &[String]) -> Result<String, String> {
    let steps: f64 = steps.parse().map_err(|error| format!("STEPS {steps}: {error}"))?;
    let mut logs = Vec::new();
    for run in runs {
        let (label, folder) = run.split_once('=').ok_or_else(|| format!("{run}: wants LABEL=RUN"))?;
        let log = read_log(&Path::new(folder).join("log.jsonl")).map_err(|error| error.to_string())?;
        logs.push((label, log));
    }
    let keys: Vec<&str> = keys.split(',').collect();
    let height = HEIGHT * keys.len();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-16 -12 752 {}\" font-family=\"sans-serif\">\n\
         <rect x=\"-16\" y=\"-12\" width=\"752\" height=\"{}\" fill=\"#fff\"/>\n",
        height + 12,
        height + 12
    );
    for (number, key) in keys.into_iter().enumerate() {
        let series = |(label, log): &(&str, Vec<Value>)| {
            let points = log.iter().filter_map(|line| {
                let value = key.split('.').try_fold(line, |at, name| at.get(name))?.as_f64()?;
                Some((line.get("step")?.as_f64()?, value))
            });
            // What comes second shows through what lies over it.
            Series {
                name: (*label).to_owned(),
                points: points.filter(|point| point.0 <= steps).collect(),
                dashed: *label != logs[0].0,
                ..Series::default()
            }
        };
        let plot = Plot {
            title: key.replace('.', ", "),
            x_label: "step".to_owned(),
            y_label: "nats".to_owned(),
            series: logs.iter().map(series).collect(),
            ..Plot::default()
        };
        let _ = writeln!(
            svg,
            "<svg y=\"{}\" width=\"720\" height=\"290\">\n{}</svg>",
            number * HEIGHT,
            plot.svg()
        );
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
