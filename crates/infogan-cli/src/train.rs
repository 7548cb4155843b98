//! `infogan train`.

use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use infogan::{
    config::{Config, DataSet, Enlarge, PRESETS, Resolver, preset},
    game::DIVERSITY,
    session::{Begin, Done, News, Request, Session, config_of, probe},
    train::Tick,
};
use infogan_data::{Rejected, Report, Source, detect, glance};
use toml::Value;

use crate::{
    args::TrainArgs,
    failure::{Failure, print, tell},
    import::table,
    presets::{as_toml, no_preset},
    progress::{Progress, Reading},
    scores::scores_table,
    text::{bytes, counted, duration, grouped, shortened},
};

/// Where numbered runs live.
const ROOT: &str = "runs";
/// Steps measured by `--dry-run`, after one that only touches the memory.
const PROBE_STEPS: u64 = 5;
/// Exit code of a training that was asked to stop, as of a shell whose command was interrupted.
pub const INTERRUPTED: u8 = 130;

/// Trains, resumes, or only tells what would be trained.
pub fn train(args: &TrainArgs) -> Result<ExitCode, Failure> {
    args.compute.prepare()?;
    let request = request(args)?;
    if args.dry_run {
        return dry_run(&request);
    }
    let stop = on_interrupt(args.quiet)?;
    let reading = Reading::new("reading pictures", args.quiet);
    let session = Session::open(&request, &|done, all| reading.show(done, all))?;
    reading.end();
    let say = |line: String| {
        if !args.quiet {
            tell(line);
        }
    };
    let config = session.config();
    let steps = grouped(config.train.steps);
    say(format!("run {}: {}", session.path().display(), described(config)));
    if session.is_adapted() {
        let [channels, height, width] = session.picture();
        let layers = config.generator.layers.join(", ");
        say(format!("networks brought to {channels}×{height}×{width}: {layers}"));
    }
    if let Some(matching) = session.began_with() {
        table(matching, false).into_iter().for_each(&say);
    }
    if let Some(report) = session.data_report() {
        passed_over(report, " (data.json of the run has all)").into_iter().for_each(&say);
    }
    if session.is_finished() {
        say(format!(
            "finished at step {}; --steps with more trains it further, --new begins another run",
            grouped(session.resumed_at())
        ));
    } else if session.resumed_at() > 0 {
        say(format!("resuming at step {} of {steps}", grouped(session.resumed_at())));
    }

    let begun = Instant::now();
    let mut progress = Progress::new(args.quiet, Arc::clone(&stop.asked));
    let mut alike = Alike::default();
    let trained = session.train(&stop.asked, &mut |news| match news {
        News::Tick(tick) => {
            progress.show(tick);
            if let Some(warning) = alike.look(tick) {
                progress.end();
                say(warning);
            }
        }
        News::Scoring { pictures } => {
            progress.end();
            stop.saved.store(true, Ordering::Release);
            say(format!("saved; scoring on {} test pictures…", grouped(*pictures as u64)));
        }
    });
    progress.end();
    match trained? {
        Done::Interrupted { step } => {
            let saved = if step == 0 { "nothing to save yet" } else { "saved" };
            say(format!(
                "stopped at step {} of {steps}, {saved}; to resume: infogan train --out {}",
                grouped(step),
                session.path().display()
            ));
            Ok(ExitCode::from(INTERRUPTED))
        }
        Done::Finished(scores) => {
            let mut text = scores_table(&scores);
            text.push('\n');
            let mut rows = vec![("report", session.path().join("report.html").display().to_string())];
            rows.push(("pictures", session.path().join("images").display().to_string()));
            if !session.is_finished() {
                rows.push(("time", duration(begun.elapsed())));
            }
            rows.iter().for_each(|(name, value)| text.push_str(&format!("{name:8}  {value}\n")));
            print(&text)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Watches whether generated pictures are near copies of each other.
#[derive(Default)]
struct Alike {
    /// Ticks in a row that say so.
    ticks: usize,
    told: bool,
}

impl Alike {
    /// Below this share of the distance between real pictures.
    const NEAR: f64 = 0.2;
    /// So many ticks in a row.
    const TICKS: usize = 3;

    /// A warning, once, when it has lasted; not in the first half, where every generator begins so.
    fn look(&mut self, tick: &Tick<'_>) -> Option<String> {
        let near = tick.report.monitors.get(DIVERSITY).filter(|ratio| **ratio < Self::NEAR);
        self.ticks = if near.is_some() && 2 * tick.step > tick.steps { self.ticks + 1 } else { 0 };
        let diversity = near.filter(|_| self.ticks == Self::TICKS && !self.told)?;
        self.told = true;
        Some(format!(
            "warning: generated pictures are near copies of each other (diversity {diversity:.2}; real ones have 1). \
             This seldom mends itself: try another --seed, or a lower optimizers.generator.rate"
        ))
    }
}

/// What the arguments ask for.
pub fn request(args: &TrainArgs) -> Result<Request, Failure> {
    let map = args.map.iter().map(|pair| {
        let wrong = || Failure::usage(format!("--map {pair}: wants NETWORK.PATH=TENSOR"));
        pair.split_once('=').map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())).ok_or_else(wrong)
    });
    let map = map.collect::<Result<Vec<_>, _>>()?;
    Ok(Request {
        config: resolve(args)?,
        out: args.out.clone(),
        root: PathBuf::from(ROOT),
        new: args.new,
        device: args.compute.device.clone(),
        tensorboard: args.tensorboard,
        adapt: tables_are_a_presets(args),
        strict: args.strict,
        init_from: args.init_from.clone().map(|from| Begin { from, map }),
    })
}

/// Preset or file, then `--data`, `--seed`, `--steps`, `--set`.
fn resolve(args: &TrainArgs) -> Result<Config, Failure> {
    let mut resolver = base(args)?;
    if let Some(data) = &args.data {
        let source = detect(data)?;
        let set =
            Value::try_from(DataSet::Files(source)).map_err(|error| Failure::usage(error.to_string()))?;
        resolver.put("data.set", set)?;
        resolver.put("data.path", utf8("--data", data)?)?;
        if source == Source::Pictures {
            // What is made for grey pictures reads those in colour grey.
            if !glance(data)?.colour {
                resolver.put("data.channels", Value::Integer(1))?;
            }
        }
    }
    if let Some(size) = args.size {
        resolver.put("data.size", Value::Integer(size))?;
    }
    if let Some(labels) = &args.labels {
        resolver.put("data.labels", utf8("--labels", labels)?)?;
    }
    if let Some(seed) = args.seed {
        resolver.put("seed", Value::Integer(seed))?;
    }
    if let Some(steps) = args.steps {
        resolver.put("train.steps", Value::Integer(steps))?;
    }
    for assignment in &args.set {
        resolver.set(assignment)?;
    }
    let config = resolver.finish().map_err(|error| match &args.what {
        Some(file) if Path::new(file).is_file() => {
            Failure::usage(format!("{error} (set in {} or by --set)", Path::new(file).display()))
        }
        _ => error.into(),
    })?;
    let keeps_its_size = config.data.enlarge == Enlarge::No
        && matches!(config.data.set, DataSet::Files(source) if source != Source::Pictures);
    match (args.size, &config.data.path) {
        (Some(size), Some(data)) if keeps_its_size => Err(Failure::usage(format!(
            "--size {size}: is for picture files and drawn sets; the pictures of {} have a size of their own, unless you \
             --set data.enlarge=bicubic",
            data.display()
        ))),
        _ => Ok(config),
    }
}

/// A path as a value of the configuration, which is text.
fn utf8(flag: &str, path: &Path) -> Result<Value, Failure> {
    let text = path.to_str().ok_or_else(|| {
        Failure::usage(format!("{flag} {}: the path is not UTF-8; rename or link it", path.display()))
    })?;
    Ok(Value::String(text.to_owned()))
}

/// Whether a run lies here.
pub fn is_run(path: &Path) -> bool {
    path.join("config.toml").is_file()
}

/// The preset where none is named: by what is trained on.
fn default_preset(args: &TrainArgs) -> Result<&'static str, Failure> {
    Ok(match &args.data {
        None => PRESETS[0].name,
        Some(data) if detect(data)? == Source::Idx => "mnist",
        Some(_) => "pictures",
    })
}

/// Whether the networks may follow the pictures: nobody wrote layer tables for this training.
fn tables_are_a_presets(args: &TrainArgs) -> bool {
    let named = match &args.what {
        Some(what) => preset(what).is_some(),
        None => !args.out.as_deref().is_some_and(is_run),
    };
    let is_table = |set: &String| set.starts_with("generator.layers") || set.starts_with("critic.layers");
    named && !args.set.iter().any(is_table)
}

fn base(args: &TrainArgs) -> Result<Resolver, Failure> {
    let Some(what) = &args.what else {
        return match &args.out {
            Some(out) if is_run(out) => {
                let config = config_of(out)?;
                let there = config.data.size as i64;
                if let Some(size) = args.size.filter(|size| *size != there) {
                    return Err(Failure::usage(format!(
                        "{}: its pictures are of size {there}, {size} asked for; that is another training: name another \
                         folder with --out",
                        out.display()
                    )));
                }
                Ok(Resolver::config(&config)?)
            }
            _ => Ok(Resolver::preset(default_preset(args)?)?),
        };
    };
    let path = Path::new(what);
    let is_toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    if is_toml || (preset(what).is_none() && path.is_file()) {
        return Ok(Resolver::file(path)?);
    }
    if preset(what).is_none() && is_run(path) {
        return Err(Failure::usage(format!("{what} is a run; to resume it: infogan train --out {what}")));
    }
    if preset(what).is_none() && path.is_dir() {
        return Err(Failure::usage(format!(
            "'{what}' is a folder; to train on it: infogan train --data {what}"
        )));
    }
    if preset(what).is_none() {
        return Err(Failure::usage(format!("'{what}' is no file, and {}", no_preset(what))));
    }
    Ok(Resolver::preset(what)?)
}

/// A training in a line.
fn described(config: &Config) -> String {
    let data = match (config.data.set, &config.data.path) {
        (DataSet::Drawn(name), _) => format!("{} drawn {name}", grouped(config.data.count as u64)),
        (DataSet::Files(_), Some(path)) => path.display().to_string(),
        (DataSet::Files(_), None) => "files".to_owned(),
    };
    let (steps, batch) = (grouped(config.train.steps), grouped(config.train.batch as u64));
    format!("{} on {data}, {steps} steps of {batch}, seed {}", config.name, config.seed)
}

/// What of a folder is not used, in a few lines; `aside` says where the rest of them stand.
pub fn passed_over(report: &Report, aside: &str) -> Vec<String> {
    let mut lines: Vec<String> =
        report.warnings.iter().map(|warning| format!("warning: {warning}")).collect();
    lines.extend(rejections(&report.rejected, aside));
    lines
}

/// Files that cannot be used, in a few lines.
pub fn rejections(rejected: &[Rejected], aside: &str) -> Vec<String> {
    if rejected.is_empty() {
        return Vec::new();
    }
    let rows = rejected.iter();
    let heading = format!("passed over {}:", counted(rejected.len(), "file"));
    std::iter::once(heading).chain(shortened(rows, 5, aside)).collect()
}

/// Prints what would be trained as TOML that may be trained as it is: everything else is in comments.
fn dry_run(request: &Request) -> Result<ExitCode, Failure> {
    let reading = Reading::new("reading pictures", false);
    let probe = probe(request, PROBE_STEPS, &|done, all| reading.show(done, all))?;
    reading.end();
    let config = &probe.config;
    probe
        .report
        .iter()
        .flat_map(|report| passed_over(report, " (infogan data check names all)"))
        .for_each(tell);
    let text = as_toml(config)?;
    let mut rows: Vec<(String, String)> = Vec::new();
    for (name, count) in &probe.networks {
        rows.push((name.clone(), format!("{} parameters", grouped(*count as u64))));
    }
    let all: usize = probe.networks.iter().map(|(_, count)| count).sum();
    rows.push(("in all".to_owned(), format!("{} parameters", grouped(all as u64))));
    rows.push(("pictures".to_owned(), grouped(probe.pictures as u64)));
    let step = probe.seconds_per_step;
    rows.push(("step".to_owned(), format!("{:.1} ms, measured over {PROBE_STEPS}", 1000.0 * step)));
    let time = Duration::try_from_secs_f64(step * config.train.steps as f64).unwrap_or(Duration::MAX);
    let steps = grouped(config.train.steps);
    rows.push(("time".to_owned(), format!("{} for {steps} steps, without scoring", duration(time))));
    rows.push(("memory".to_owned(), format!("{}, measured", bytes(probe.memory_bytes))));
    let widest = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let comments: String = rows.iter().map(|(name, value)| format!("# {name:widest$}  {value}\n")).collect();
    print(&format!("{text}\n{comments}"))?;
    Ok(ExitCode::SUCCESS)
}

/// What an interrupt finds.
struct Stop {
    /// The first interrupt sets it; the second ends the program at once.
    asked: Arc<AtomicBool>,
    /// All steps are saved: an interrupt ends the program at once.
    saved: Arc<AtomicBool>,
}

/// Catches interrupts from here on.
fn on_interrupt(quiet: bool) -> Result<Stop, Failure> {
    let (asked, saved) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (flag, done) = (Arc::clone(&asked), Arc::clone(&saved));
    let terminal = io::stderr().is_terminal();
    ctrlc::set_handler(move || {
        let (saved, again) = (done.load(Ordering::Acquire), flag.load(Ordering::Acquire));
        if saved || again {
            if !quiet {
                tell(match saved {
                    true => "stopped; all steps are saved, and the same command scores them",
                    false => "stopped at once; the same command goes on from the last checkpoint",
                });
            }
            std::process::exit(i32::from(INTERRUPTED));
        }
        // Told before it is done: the progress line stops with the flag.
        if !quiet {
            tell(format_args!("{}stopping after this step, saving…", if terminal { "\r\x1b[K" } else { "" }));
        }
        flag.store(true, Ordering::Release);
    })
    .map_err(|error| Failure::usage(format!("interrupts cannot be caught: {error}")))?;
    Ok(Stop { asked, saved })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use infogan::game::StepReport;

    use super::*;

    #[test]
    fn near_copies_are_told_once_when_they_last() {
        let mut alike = Alike::default();
        let mut look = |step: u64, diversity: f64| {
            let monitors = BTreeMap::from([(DIVERSITY.to_owned(), diversity)]);
            let report = StepReport { monitors, ..Default::default() };
            alike.look(&Tick {
                step,
                steps: 100,
                images: 0,
                images_per_second: 0.0,
                rss_bytes: 0,
                eta: Duration::ZERO,
                report: &report,
                ceilings: &BTreeMap::new(),
            })
        };
        let told = |warning: Option<String>| warning.is_some();
        assert!((1..=50).all(|step| !told(look(step, 0.1))), "every generator begins so");
        assert!((51..53).all(|step| !told(look(step, 0.1))));
        assert!(!told(look(53, 0.3)), "it mended");
        assert!((58..60).all(|step| !told(look(step, 0.1))));
        assert!(look(60, 0.1).is_some_and(|warning| warning.contains("diversity 0.10")));
        assert!((61..100).all(|step| !told(look(step, 0.1))), "once");
    }
}
