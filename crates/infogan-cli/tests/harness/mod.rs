//! What the tests share that disturb a training and compare what comes of it with a run made in one go.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use infogan::train::checkpoint;
use serde_json::Value;

use crate::common::{infogan, json_lines, names};

/// Nothing here takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A process of the program at work. It is killed when dropped.
pub struct Life {
    child: Child,
    said: PathBuf,
}

impl Life {
    /// Starts the program in a folder. What it says goes to the file `said` in that folder, what results is dropped.
    /// Saves take about `save_delay` longer.
    pub fn start(folder: &Path, args: &[String], save_delay: Duration) -> Self {
        Self::of(infogan(), folder, args, save_delay)
    }

    /// The same with another file of the program.
    pub fn of(mut program: Command, folder: &Path, args: &[String], save_delay: Duration) -> Self {
        let said = folder.join("said");
        let stderr = File::create(&said).expect("a file for stderr");
        program.current_dir(folder).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        program.env("INFOGAN_TEST_SAVE_DELAY_MS", save_delay.as_millis().to_string());
        Self { child: program.spawn().expect("the program starts"), said }
    }

    /// Process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the state of a child")
    }

    /// What it said so far on stderr.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.said).unwrap_or_default()).into_owned()
    }

    /// Waits until `there` gives something. None when the program ended before.
    pub fn wait_until<T>(&mut self, mut there: impl FnMut(&Self) -> Option<T>) -> Option<T> {
        let begun = Instant::now();
        loop {
            if let Some(found) = there(self) {
                return Some(found);
            }
            if self.ended().is_some() {
                return None;
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain; said so far:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until the program ends by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.wait_until(|_| None::<()>);
        self.ended().expect("it ended")
    }

    /// SIGKILL, and waits for the death.
    pub fn kill(&mut self) -> ExitStatus {
        self.child.kill().expect("a child may be killed");
        self.child.wait().expect("the state of a child")
    }

    /// The directory in which this process is writing a checkpoint.
    pub fn saving(&self, run: &Path) -> Option<PathBuf> {
        leftovers(run)
            .into_iter()
            .find(|path| path.to_string_lossy().ends_with(&format!(".tmp-{}", self.pid())))
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A small file system of our own, unmounted when dropped.
pub struct Mount(tempfile::TempDir);

impl Mount {
    /// None, with a plain line, where this user may not mount. Options as in `size=300k`.
    pub fn new(options: &str) -> Option<Self> {
        let place = tempfile::tempdir().expect("a temporary folder");
        if !ran("mount", &["-t", "tmpfs", "-o", options, "tmpfs"], place.path()) {
            tell("skipped: a tmpfs cannot be mounted here");
            return None;
        }
        Some(Self(place))
    }

    /// A second mount of a folder over itself, whose options change without touching the first. None as for
    /// [`Mount::new`].
    pub fn over(place: &Path) -> Option<Over> {
        let name = place.to_str().expect("the path is UTF-8");
        if !ran("mount", &["--bind", name], place) {
            tell("skipped: a folder cannot be mounted here");
            return None;
        }
        Some(Over(place.to_path_buf()))
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Changes the options of the mount, as in `ro`.
    pub fn change(&self, options: &str) {
        let done = ran("mount", &["-o", &format!("remount,{options}")], self.path());
        assert!(done, "who may mount may change a mount to {options}");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if !ran("umount", &[], self.path()) {
            tell(&format!("could not unmount {}", self.path().display()));
        }
    }
}

/// A folder that is mounted over itself, unmounted when dropped.
pub struct Over(PathBuf);

impl Over {
    /// Changes the options, as in `ro`. False while a file in it is being written.
    pub fn change(&self, options: &str) -> bool {
        ran("mount", &["-o", &format!("remount,bind,{options}")], &self.0)
    }
}

impl Drop for Over {
    fn drop(&mut self) {
        if !ran("umount", &[], &self.0) {
            tell(&format!("could not unmount {}", self.0.display()));
        }
    }
}

fn ran(program: &str, arguments: &[&str], place: &Path) -> bool {
    let output = Command::new(program).args(arguments).arg(place).output();
    output.is_ok_and(|output| output.status.success())
}

/// Prints past the capture of the test runner.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What lies in `checkpoints/` with a dot in front.
pub fn leftovers(run: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(run.join("checkpoints")) else { return Vec::new() };
    let hidden =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(hidden).collect()
}

/// Loads every checkpoint of a run and gives the newest step, 0 where there is none.
///
/// # Errors
/// Why one cannot be loaded.
pub fn load_all(run: &Path) -> Result<u64, String> {
    let all = checkpoint::list(run).map_err(|error| error.to_string())?;
    for (step, path) in &all {
        let loaded = checkpoint::load(path).map_err(|error| error.to_string())?;
        if loaded.step != *step {
            return Err(format!("{} is of step {}", path.display(), loaded.step));
        }
    }
    Ok(all.last().map_or(0, |(step, _)| *step))
}

/// How a finished run differs from one made in one go, which may have kept more checkpoints: every byte of its
/// checkpoints, pictures and scores, the log without its timings, and what should not lie there at all. Empty when equal.
pub fn differences(run: &Path, whole: &Path, keep: usize) -> Vec<String> {
    let mut found = Vec::new();
    let expected =
        [".lock", "checkpoints", "config.toml", "images", "log.jsonl", "report.html", "scores.jsonl"];
    if names(run) != expected {
        found.push(format!("{} holds {:?}", run.display(), names(run)));
    }
    let steps = names(&whole.join("checkpoints"));
    let steps = &steps[steps.len().saturating_sub(keep)..];
    if names(&run.join("checkpoints")) != steps {
        found.push(format!("checkpoints {:?} instead of {steps:?}", names(&run.join("checkpoints"))));
    }
    for step in steps {
        let place = Path::new("checkpoints").join(step);
        found.extend(file_differences(&run.join(&place), &whole.join(&place)));
    }
    found.extend(file_differences(&run.join("images"), &whole.join("images")));
    found.extend(file_difference(&run.join("scores.jsonl"), &whole.join("scores.jsonl")));
    let (log, whole_log) = (untimed(&run.join("log.jsonl")), untimed(&whole.join("log.jsonl")));
    if log != whole_log {
        let first =
            log.iter().zip(&whole_log).position(|(a, b)| a != b).unwrap_or(log.len().min(whole_log.len()));
        found.push(format!(
            "log of {} lines instead of {}; line {} differs: {:?} instead of {:?}",
            log.len(),
            whole_log.len(),
            first + 1,
            log.get(first).map(Value::to_string),
            whole_log.get(first).map(Value::to_string),
        ));
    }
    if config(run) != config(whole) {
        found.push("config.toml differs".to_owned());
    }
    let report = fs::read_to_string(run.join("report.html")).unwrap_or_default();
    if !report.trim_end().ends_with("</html>") {
        found.push("report.html is not whole".to_owned());
    }
    found
}

/// How the files of two folders differ.
pub fn file_differences(here: &Path, there: &Path) -> Vec<String> {
    if !here.is_dir() {
        return vec![format!("{} is missing", here.display())];
    }
    if names(here) != names(there) {
        return vec![format!("{} holds {:?} instead of {:?}", here.display(), names(here), names(there))];
    }
    names(here).iter().filter_map(|name| file_difference(&here.join(name), &there.join(name))).collect()
}

fn file_difference(here: &Path, there: &Path) -> Option<String> {
    let equal = matches!((fs::read(here), fs::read(there)), (Ok(here), Ok(there)) if here == there);
    (!equal).then(|| format!("{} differs from {}", here.display(), there.display()))
}

/// The log without what depends on the clock and the machine.
fn untimed(log: &Path) -> Vec<Value> {
    let mut events = json_lines(log);
    for event in &mut events {
        let event = event.as_object_mut().expect("an object");
        for timing in ["images_per_second", "rss_bytes", "eta_seconds"] {
            assert!(event.remove(timing).is_some(), "{timing} is in the log");
        }
    }
    events
}

/// The configuration of a run, but for how many checkpoints it keeps.
fn config(run: &Path) -> toml::Table {
    let text = fs::read_to_string(run.join("config.toml")).unwrap_or_default();
    let mut table: toml::Table = text.parse().expect("config.toml is TOML");
    table["train"].as_table_mut().expect("a table").remove("keep");
    table
}
