//! The headline and the numbers a reader wants first.

use std::fmt::Write;

use serde_json::Value;

use super::{
    super::plot::escape,
    curves::{Most, levels},
    format::{bytes, count, duration, nats, per_cent, three, with_unit},
    read::Run,
    scores::CATEGORICAL,
};

/// Such as `InfoGAN · glyphs · seed 0 · 4,000 steps`.
pub(super) fn headline(run: &Run) -> String {
    let name = run.text("name").unwrap_or(&run.name);
    let mut parts = vec!["InfoGAN".to_string(), name.to_string()];
    // `idx` is a file format; the run's name says more.
    let data = run.text("data.name").or_else(|| run.text("data.set").filter(|set| *set != "idx"));
    if let Some(data) = data.filter(|data| *data != name) {
        parts.push(data.to_string());
    }
    if let Some(seed) = run.count("seed") {
        parts.push(format!("seed {seed}"));
    }
    match (walked(run), run.count("train.steps")) {
        (Some(walked), Some(all)) if walked < all => {
            parts.push(format!("{} of {} steps", count(walked), count(all)));
        }
        (Some(steps), _) | (None, Some(steps)) => parts.push(format!("{} steps", count(steps))),
        (None, None) => {}
    }
    parts.join(" · ")
}

/// The last step in the log.
fn walked(run: &Run) -> Option<u64> {
    run.ticks.last().map(|tick| tick.step)
}

/// Headline, one line under it, and the cards.
pub(super) fn header(out: &mut String, run: &Run, headline: &str) {
    let _ = writeln!(out, "<header><h1>{}</h1>", escape(headline));
    let started = run.key("about.started").map(|value| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let under = [
        Some(run.name.clone()),
        run.count("train.batch").map(|batch| format!("batches of {}", count(batch))),
        started.map(|when| format!("started {when}")),
    ];
    let under: Vec<String> = under.into_iter().flatten().collect();
    let _ = writeln!(out, "<p class=\"under\">{}</p>", escape(&under.join(" · ")));
    if let Some(reason) = run.ticks.last().and_then(|tick| tick.diverged.as_ref()) {
        let _ = writeln!(out, "<p class=\"note\">▲ {}</p>", escape(reason));
    }
    let cards: Vec<Card> = [progress(run), error(run), bound(run), speed(run), time(run), memory(run)]
        .into_iter()
        .flatten()
        .collect();
    if !cards.is_empty() {
        out.push_str("<div class=\"cards\">\n");
        for card in cards {
            let _ = writeln!(
                out,
                "<div><span class=\"what\">{}</span><span class=\"number\">{}</span>\
                 <span class=\"more\">{}</span></div>",
                escape(&card.what),
                escape(&card.number),
                escape(&card.more)
            );
        }
        out.push_str("</div>\n");
    }
    out.push_str("</header>\n");
}

struct Card {
    what: String,
    number: String,
    more: String,
}

fn card(what: impl Into<String>, number: String, more: impl Into<String>) -> Option<Card> {
    Some(Card { what: what.into(), number, more: more.into() })
}

/// Only while the run is not finished.
fn progress(run: &Run) -> Option<Card> {
    let (walked, all) = (walked(run)?, run.count("train.steps")?);
    if walked >= all || run.ticks.last()?.diverged.is_some() {
        return None;
    }
    let left = run.ticks.last()?.eta_seconds.filter(|seconds| seconds.is_finite());
    let more = left.map_or(String::new(), |seconds| format!("{} left", duration(seconds.max(0.0))));
    card("Done so far", per_cent(walked as f64 / all as f64), more)
}

fn error(run: &Run) -> Option<Card> {
    let scores = run.scores.last()?;
    let code = scores.codes.iter().find(|code| code.error_hungarian.is_some())?;
    let more = match code.error_majority {
        Some(majority) => format!("one-to-one; {} by majority", per_cent(majority)),
        None => "one-to-one".into(),
    };
    card(format!("Error of {}", code.name), per_cent(code.error_hungarian), more)
}

/// Bound of the code that could carry most: from the last evaluation, else from the log.
fn bound(run: &Run) -> Option<Card> {
    let scored = run.scores.last().map_or(&[][..], |scores| &scores.codes);
    let (most, candidates) = if scored.is_empty() {
        let bounds = &run.ticks.iter().rev().find(|tick| !tick.bounds.is_empty())?.bounds;
        let (most, levels) = levels(run);
        let bound = |name: &str| bounds.get(name).and_then(Value::as_f64);
        let known = levels.into_iter().filter_map(|(name, level)| Some((bound(&name)?, name, level)));
        (most, known.filter(|(_, name, _)| name != "total").collect::<Vec<_>>())
    } else {
        // A categorical code before others: only its entropy is a ceiling.
        let some = scored.iter().any(|code| code.kind == CATEGORICAL);
        let chosen = scored.iter().filter(|code| !some || code.kind == CATEGORICAL);
        let known = chosen.filter_map(|code| Some((code.bound_nats?, code.name.clone(), code.entropy_nats?)));
        (Most::Entropy, known.collect())
    };
    let highest = candidates.iter().map(|candidate| candidate.2).fold(f64::NEG_INFINITY, f64::max);
    let (bound, name, level) = candidates.into_iter().find(|candidate| candidate.2 == highest)?;
    let more = format!("of {} = {}", most.of(&name), nats(level));
    card(format!("Information in {name}"), with_unit(&three(bound), "nats"), more)
}

/// The median, which a pause does not move.
fn speed(run: &Run) -> Option<Card> {
    let mut speeds: Vec<f64> = rates(run).collect();
    speeds.sort_by(f64::total_cmp);
    let median = *speeds.get(speeds.len() / 2)?;
    card("Speed", three(median), "images per second, median")
}

fn rates(run: &Run) -> impl Iterator<Item = f64> {
    run.ticks.iter().filter_map(|tick| tick.images_per_second.filter(|rate| rate.is_finite() && *rate > 0.0))
}

/// Time spent on steps: pictures of each tick by its speed.
fn time(run: &Run) -> Option<Card> {
    let (mut seconds, mut before) = (0.0, 0.0);
    for tick in &run.ticks {
        let Some(images) = tick.images else { continue };
        if let Some(rate) = tick.images_per_second.filter(|rate| *rate > 0.0) {
            seconds += (images - before).max(0.0) / rate;
        }
        before = images;
    }
    if seconds <= 0.0 {
        return None;
    }
    let more = format!("{} images; without saves and snapshots", count(before as u64));
    card("Training time", duration(seconds), more)
}

fn memory(run: &Run) -> Option<Card> {
    let most = run.ticks.iter().filter_map(|tick| tick.rss_bytes).fold(0.0, f64::max);
    if most > 0.0 { card("Memory", bytes(most), "at the peak") } else { None }
}
