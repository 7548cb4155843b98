//! The kill harness: training is killed at random moments, over and over, and must lose nothing.
//!
//! 200 kills, or as many as `INFOGAN_KILLS` says. `INFOGAN_KILL_SEED` draws other moments.

mod common;
mod harness;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};

use common::{infogan, toy_args};
use harness::{Life, differences, file_differences, leftovers, load_all, tell};
use infogan::run::read_log;
use infogan_data::random::{Address, Stream, Streams};

/// Chains of kills that go on beside each other: most of the time they wait.
const WORKERS: u32 = 4;
/// A copy, so that a build does not change the program in the middle of a thousand kills.
const PROGRAM: &str = "infogan";
/// Of ten kills so many are aimed at a save.
const AIMED: u32 = 6;

/// How a run of the harness saves, draws and logs.
struct Shape {
    steps: u64,
    tick: u64,
    checkpoint_every: u64,
    snapshot_every: u64,
    keep: usize,
}

const SHAPES: [Shape; 3] = [
    Shape { steps: 24, tick: 1, checkpoint_every: 3, snapshot_every: 6, keep: 2 },
    Shape { steps: 26, tick: 2, checkpoint_every: 4, snapshot_every: 5, keep: 1 },
    // The last step is out of turn, and a save comes at every step.
    Shape { steps: 13, tick: 3, checkpoint_every: 1, snapshot_every: 4, keep: 3 },
];

impl Shape {
    fn args(&self, out: &str, keep: usize) -> Vec<String> {
        let mut args = toy_args(&["--threads", "1", "--out", out]);
        for (key, value) in [
            ("steps", self.steps),
            ("tick", self.tick),
            ("checkpoint_every", self.checkpoint_every),
            ("snapshot_every", self.snapshot_every),
            ("keep", keep as u64),
        ] {
            args.extend(["--set".to_owned(), format!("train.{key}={value}")]);
        }
        args
    }
}

/// When a process is to be killed.
#[derive(Debug)]
enum Aim {
    /// In a save: after the beginning of the save with this number, counted from 0.
    Save { number: u32, after: Duration },
    /// After so many lines about steps.
    Steps { lines: usize, after: Duration },
    /// After the start of the process: also while it starts, scores and reports.
    Start { after: Duration },
}

/// One life of a process, drawn before it begins.
#[derive(Debug)]
struct Fate {
    aim: Aim,
    save_delay: Duration,
}

impl Fate {
    fn draw(random: &mut Stream) -> Self {
        let save_delay = Duration::from_millis(u64::from(60 + random.below(140)));
        let mut up_to = |most: Duration| most.mul_f32(random.unit());
        // Longer than the delay: a save ends with the deletion of an old checkpoint, which comes on top of it.
        let aims = [
            Aim::Save { number: 0, after: up_to(save_delay.mul_f32(1.4)) },
            Aim::Steps { lines: 1, after: up_to(Duration::from_millis(100)) },
            Aim::Start { after: up_to(Duration::from_millis(1500)) },
        ];
        let kind = match random.below(10) {
            0..AIMED => 0,
            AIMED..8 => 1,
            _ => 2,
        };
        let mut aim = aims.into_iter().nth(kind).expect("one of three");
        match &mut aim {
            Aim::Save { number, .. } => *number = random.below(3),
            Aim::Steps { lines, .. } => *lines += random.below(6) as usize,
            Aim::Start { .. } => {}
        }
        Self { aim, save_delay }
    }
}

/// What the harness has done so far.
#[derive(Default)]
struct Tally {
    begun: u64,
    kills: u64,
    in_save: u64,
    in_deletion: u64,
    before_first_step: u64,
    after_last_step: u64,
    resumes_seen: u64,
    chains: u64,
    failures: Vec<String>,
}

struct Harness {
    wanted: u64,
    tally: Mutex<Tally>,
    folder: PathBuf,
}

#[test]
fn kills_at_random_moments_lose_nothing() {
    let wanted = number("INFOGAN_KILLS", 200);
    let seed = number("INFOGAN_KILL_SEED", 0);
    let begun = Instant::now();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path().to_owned();
    tell(&format!("kill harness: {wanted} kills, INFOGAN_KILL_SEED={seed}"));
    std::fs::copy(infogan().get_program(), folder.join(PROGRAM)).expect("a copy of the program");
    std::thread::scope(|scope| {
        for (index, shape) in SHAPES.iter().enumerate() {
            let folder = &folder;
            scope.spawn(move || {
                let (program, made) = (Command::new(folder.join(PROGRAM)), made(&folder.join(whole(index))));
                let mut life = Life::of(program, &made, &shape.args("run", 1000), Duration::ZERO);
                assert!(life.wait().success(), "{}", life.said());
            });
        }
    });
    let harness = Harness { wanted, tally: Mutex::default(), folder };
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let harness = &harness;
            let address = Address { step: worker, ..Address::default() };
            let mut random = Streams::new(seed).at("kill", address);
            scope.spawn(move || {
                for chain in 0.. {
                    let shape = (worker as usize + chain) % SHAPES.len();
                    let name = format!("chain-{worker}-{chain}");
                    if let Err(failure) = harness.chain(&name, shape, &mut random) {
                        let mut tally = harness.tally();
                        tally.failures.push(format!("{name}: {failure}"));
                    }
                    let tally = harness.tally();
                    if tally.kills >= wanted || !tally.failures.is_empty() {
                        break;
                    }
                }
            });
        }
    });
    let tally = harness.tally();
    tell(&format!(
        "{} kills, {} inside a save, {} failures",
        tally.kills,
        tally.in_save,
        tally.failures.len()
    ));
    tell(&format!(
        "({} while old checkpoints were deleted, {} before the first step, {} after the last; {} resumes seen at the right \
         step, {} finished runs equal to an undisturbed one; {:.0} s)",
        tally.in_deletion,
        tally.before_first_step,
        tally.after_last_step,
        tally.resumes_seen,
        tally.chains,
        begun.elapsed().as_secs_f64()
    ));
    if !tally.failures.is_empty() {
        let kept = temporary.keep();
        panic!("seed {seed}; the runs are kept in {}:\n{}", kept.display(), tally.failures.join("\n"));
    }
    assert_eq!(tally.kills, wanted);
    assert!(tally.in_save * 10 >= wanted * 3, "too few kills fell inside a save");
    assert!(tally.resumes_seen > 0 || wanted < 10);
}

impl Harness {
    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Trains a run to its end, killed on the way as long as kills are wanted, and compares it with one in one go.
    fn chain(&self, name: &str, shape: usize, random: &mut Stream) -> Result<(), String> {
        let whole = self.folder.join(whole(shape)).join("run");
        let shape = &SHAPES[shape];
        let folder = made(&self.folder.join(name));
        let run = folder.join("run");
        let args = shape.args("run", shape.keep);
        let mut safe = 0;
        loop {
            let more = {
                let mut tally = self.tally();
                let more = tally.begun < self.wanted && tally.failures.is_empty();
                tally.begun += u64::from(more);
                more
            };
            let fate = more.then(|| Fate::draw(random));
            let save_delay = fate.as_ref().map_or(Duration::ZERO, |fate| fate.save_delay);
            let program = Command::new(self.folder.join(PROGRAM));
            let mut life = Life::of(program, &folder, &args, save_delay);
            if let Some(fate) = &fate {
                wait_for(&mut life, &run, &fate.aim);
            }
            let status = match (&fate, life.ended()) {
                (_, Some(status)) => status,
                (None, None) => life.wait(),
                (Some(_), None) => life.kill(),
            };
            let context = |reason: String| {
                format!("{reason}\nafter {fate:?}, with step {safe} saved before; it said:\n{}", life.said())
            };
            if self.check_resume(&life.said(), safe, shape).map_err(context)? {
                self.tally().resumes_seen += 1;
            }
            if status.code().is_some() {
                self.tally().begun -= u64::from(more);
                if !status.success() {
                    return Err(context(format!("ended with {status}")));
                }
                break;
            }
            safe = self.check_killed(&life, &run, &whole, safe, shape).map_err(context)?;
        }
        let found = differences(&run, &whole, shape.keep);
        if !found.is_empty() {
            return Err(format!("the finished run differs:\n  {}", found.join("\n  ")));
        }
        self.tally().chains += 1;
        std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())
    }

    /// What must hold after every kill. Gives the step that is safe now.
    fn check_killed(
        &self,
        life: &Life,
        run: &Path,
        whole: &Path,
        safe: u64,
        shape: &Shape,
    ) -> Result<u64, String> {
        let left: Vec<String> = leftovers(run).iter().map(|path| path.display().to_string()).collect();
        let of = |kind: &str| left.iter().any(|name| name.ends_with(&format!(".{kind}-{}", life.pid())));
        let newest = load_all(run)?;
        if newest < safe {
            return Err(format!("step {safe} was saved, and now the newest checkpoint is of step {newest}"));
        }
        if newest > 0 {
            let place = PathBuf::from(format!("checkpoints/step-{newest:08}"));
            let found = file_differences(&run.join(&place), &whole.join(&place));
            if !found.is_empty() {
                return Err(found.join("\n"));
            }
        }
        let log = run.join("log.jsonl");
        let events =
            if log.exists() { read_log(&log).map_err(|error| error.to_string())? } else { Vec::new() };
        let reached = events.last().and_then(|event| event["step"].as_u64()).unwrap_or(0);
        // The log may be behind the checkpoint by less than a tick, and ahead of it by what one interval holds.
        if reached > newest + shape.checkpoint_every || reached + shape.tick <= newest {
            return Err(format!(
                "the log had reached step {reached}, and the newest checkpoint is of {newest}"
            ));
        }
        let mut tally = self.tally();
        tally.kills += 1;
        // Counted by what the dead process left behind, not by what was there before the signal.
        tally.in_save += u64::from(of("tmp"));
        tally.in_deletion += u64::from(of("del") || of("old"));
        tally.before_first_step += u64::from(first_step(&life.said()).is_none() && newest < shape.steps);
        tally.after_last_step += u64::from(newest == shape.steps && !of("del"));
        if tally.kills.is_multiple_of(100) && tally.kills < self.wanted {
            tell(&format!("{} kills, {} inside a save", tally.kills, tally.in_save));
        }
        Ok(newest)
    }

    /// Whether a process, by what it said, resumed where it had to; false when it did not come that far.
    fn check_resume(&self, said: &str, safe: u64, shape: &Shape) -> Result<bool, String> {
        let told = |what: &str| said.lines().find_map(|line| line.strip_prefix(what)).map(str::to_owned);
        if let Some(resumed) = told("resuming at step ")
            && resumed != format!("{safe} of {}", shape.steps)
        {
            return Err(format!("resumed at step {resumed}"));
        }
        let Some(first) = first_step(said) else { return Ok(false) };
        let due = ((safe + 1).next_multiple_of(shape.tick)).min(shape.steps);
        if first != due {
            return Err(format!("went on with step {first} instead of {due}"));
        }
        if safe > 0 && told("resuming at step ").is_none() {
            return Err("did not say where it resumed".to_owned());
        }
        Ok(safe > 0)
    }
}

/// Waits for the moment that was drawn, or for the end of the process.
fn wait_for(life: &mut Life, run: &Path, aim: &Aim) {
    let after = match aim {
        Aim::Save { number, after } => {
            let mut seen: Vec<PathBuf> = Vec::new();
            life.wait_until(|life| {
                let saving = life.saving(run)?;
                if !seen.contains(&saving) {
                    seen.push(saving);
                }
                (seen.len() > *number as usize).then_some(())
            });
            after
        }
        Aim::Steps { lines, after } => {
            life.wait_until(|life| {
                (life.said().lines().filter(|line| line.starts_with("step ")).count() >= *lines).then_some(())
            });
            after
        }
        Aim::Start { after } => after,
    };
    let begun = Instant::now();
    life.wait_until(|_| (begun.elapsed() >= *after).then_some(()));
}

/// `step 7/24  …` → 7, of the first such line that is whole.
fn first_step(said: &str) -> Option<u64> {
    let line = said.split_inclusive('\n').find(|line| line.starts_with("step ") && line.ends_with('\n'))?;
    line.strip_prefix("step ")?.split('/').next()?.parse().ok()
}

fn whole(shape: usize) -> String {
    format!("whole-{shape}")
}

fn made(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    folder.to_owned()
}

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a whole number")),
        Err(_) => default,
    }
}
