//! The line that `train` shows while it works.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use infogan::{game::DIVERSITY, train::Tick};

use crate::text::{bytes, clipped, duration, grouped, hundredths};

/// Width of a terminal that does not tell.
const UNKNOWN_WIDTH: usize = 100;

/// Writes ticks to stderr: one line that is redrawn on a terminal, a line each elsewhere.
pub struct Progress {
    quiet: bool,
    terminal: bool,
    drawn: bool,
    stop: Arc<AtomicBool>,
}

impl Progress {
    /// Looks at what stderr is. Once `stop` is set, that it was set stands on the line, and nothing more is drawn.
    pub fn new(quiet: bool, stop: Arc<AtomicBool>) -> Self {
        Self { quiet, terminal: io::stderr().is_terminal(), drawn: false, stop }
    }

    /// Shows a tick.
    pub fn show(&mut self, tick: &Tick<'_>) {
        if self.quiet || self.stop.load(Ordering::Acquire) {
            return;
        }
        let mut out = io::stderr().lock();
        // Nobody watching is no reason to stop training.
        let _ = if self.terminal {
            let width = terminal_size::terminal_size_of(io::stderr())
                .map_or(UNKNOWN_WIDTH, |(width, _)| usize::from(width.0));
            // A full last column would wrap on some terminals.
            let line = fitting(tick, width.saturating_sub(1));
            write!(out, "\r{line}\x1b[K").and_then(|()| out.flush())
        } else {
            writeln!(out, "{}", line(tick, &[]))
        };
        self.drawn = true;
    }

    /// Leaves the redrawn line, so that what follows begins on its own.
    pub fn end(&mut self) {
        if self.terminal && self.drawn && !self.stop.load(Ordering::Acquire) {
            let _ = writeln!(io::stderr());
        }
        self.drawn = false;
    }
}

/// How many files are read, redrawn on a terminal.
pub struct Reading {
    what: &'static str,
    shown: bool,
    /// The last hundredth that was drawn.
    drawn: AtomicUsize,
}

impl Reading {
    /// Nothing is shown where stderr is no terminal or nobody wants to see it.
    pub fn new(what: &'static str, quiet: bool) -> Self {
        Self { what, shown: !quiet && io::stderr().is_terminal(), drawn: AtomicUsize::new(usize::MAX) }
    }

    /// So many of so many. May be called from any thread, in any order.
    pub fn show(&self, done: usize, all: usize) {
        let part = 100 * done / all.max(1);
        if self.shown && self.drawn.swap(part, Ordering::Relaxed) != part {
            let (done, all) = (grouped(done as u64), grouped(all as u64));
            let _ = write!(io::stderr(), "\r{}: {done} of {all} ({part} %)\x1b[K", self.what);
        }
    }

    /// Clears the line.
    pub fn end(&self) {
        if self.drawn.load(Ordering::Relaxed) != usize::MAX {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// Parts of a line that are left out when it does not fit, in this order.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Memory,
    Losses,
    Speed,
    Bounds,
}

/// The fullest line within a width.
fn fitting(tick: &Tick<'_>, width: usize) -> String {
    const ORDER: [Part; 4] = [Part::Memory, Part::Losses, Part::Speed, Part::Bounds];
    let mut lines = (0..=ORDER.len()).map(|count| line(tick, &ORDER[..count]));
    let narrow = |line: &String| line.chars().count() <= width;
    lines.find(narrow).unwrap_or_else(|| clipped(&line(tick, &ORDER), width))
}

/// A tick in words, some parts left out.
fn line(tick: &Tick<'_>, without: &[Part]) -> String {
    let mut parts = vec![format!("step {}/{}", grouped(tick.step), grouped(tick.steps))];
    if !without.contains(&Part::Speed) {
        parts.push(format!("{} img/s", grouped(tick.images_per_second.round() as u64)));
    }
    if !without.contains(&Part::Losses) {
        parts.extend(losses(&tick.report.losses));
    }
    if !without.contains(&Part::Bounds) {
        parts.extend(bounds(&tick.report.bounds, tick.ceilings));
    }
    let diversity = tick.report.monitors.get(DIVERSITY);
    parts.extend(diversity.map(|ratio| format!("diversity {}", hundredths(*ratio))));
    if !without.contains(&Part::Memory) {
        parts.push(format!("mem {}", bytes(tick.rss_bytes)));
    }
    parts.push(format!("ETA {}", duration(tick.eta)));
    parts.join("  ")
}

fn losses(losses: &BTreeMap<String, f64>) -> Option<String> {
    let all: Vec<String> =
        losses.iter().map(|(name, loss)| format!("{name} {}", hundredths(*loss))).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// Each bound beside its ceiling; the sum of all is left to the log.
fn bounds(bounds: &BTreeMap<String, f64>, ceilings: &BTreeMap<String, f64>) -> Option<String> {
    let one = |(name, bound): (&String, &f64)| match ceilings.get(name) {
        Some(ceiling) => format!("{name} {}/{}", hundredths(*bound), hundredths(*ceiling)),
        None => format!("{name} {}", hundredths(*bound)),
    };
    let all: Vec<String> = bounds.iter().filter(|(name, _)| *name != "total").map(one).collect();
    (!all.is_empty()).then(|| format!("L_I {}", all.join(" ")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use infogan::game::StepReport;

    use super::*;

    fn numbers<const N: usize>(pairs: [(&str, f64); N]) -> BTreeMap<String, f64> {
        pairs.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn with_tick(check: impl Fn(&Tick<'_>)) {
        let report = StepReport {
            losses: numbers([("critic", 0.832), ("generator", 1.018), ("codes", 2.1)]),
            bounds: numbers([("c1", 2.2149), ("c2", -0.004), ("total", 2.21)]),
            monitors: numbers([("diversity", 0.9134), ("critic_real", 0.5)]),
        };
        let ceilings = numbers([("c1", 10f64.ln()), ("c2", 0.5), ("total", 2.8)]);
        check(&Tick {
            step: 1240,
            steps: 5000,
            images: 79_360,
            images_per_second: 1512.4,
            rss_bytes: 612_000_000,
            eta: Duration::from_secs(760),
            report: &report,
            ceilings: &ceilings,
        });
    }

    const FULL: &str = "step 1,240/5,000  1,512 img/s  codes 2.10 critic 0.83 generator 1.02  \
                        L_I c1 2.21/2.30 c2 0.00/0.50  diversity 0.91  mem 612 MB  ETA 12m 40s";

    #[test]
    fn a_line_shows_every_loss_and_every_bound_beside_its_ceiling() {
        with_tick(|tick| assert_eq!(fitting(tick, 200), FULL));
    }

    #[test]
    fn narrow_terminals_get_less_and_never_more_than_fits() {
        with_tick(|tick| {
            assert!(!fitting(tick, FULL.len() - 1).contains("mem"));
            assert_eq!(
                fitting(tick, 96),
                "step 1,240/5,000  1,512 img/s  L_I c1 2.21/2.30 c2 0.00/0.50  diversity 0.91  ETA 12m 40s"
            );
            for width in 0..=FULL.len() {
                assert!(fitting(tick, width).chars().count() <= width);
            }
        });
    }

    #[test]
    fn without_codes_there_is_no_bound() {
        assert_eq!(bounds(&numbers([]), &numbers([])), None);
        assert_eq!(bounds(&numbers([("c1", 1.0)]), &numbers([])).as_deref(), Some("L_I c1 1.00"));
    }
}
