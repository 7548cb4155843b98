//! What can befall a training from outside and from inside, each on the real program: what is told, what is left, and
//! that the run goes on to the same end as one that nothing befell.
#![cfg(unix)]

mod common;
mod harness;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use common::*;
use harness::{Life, Mount, differences, leftovers, load_all, tell};
use infogan::train::checkpoint;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

const STEPS: u64 = 8;
const KEEP: usize = 3;

/// Eight steps, a line at every one and a checkpoint at every second, in `out`.
fn eight_steps(out: &Path, extra: &[&str]) -> Vec<String> {
    let out = out.to_str().expect("the path is UTF-8");
    let mut args = toy_args(&["--threads", "1", "--out", out]);
    let sets = ["steps=8", "tick=1", "checkpoint_every=2", "snapshot_every=5", "keep=3"];
    args.extend(sets.iter().flat_map(|set| ["--set".to_owned(), format!("train.{set}")]));
    args.extend(extra.iter().map(|&arg| arg.to_owned()));
    args
}

fn train(out: &Path, extra: &[&str]) -> Output {
    run_in(Path::new("."), &eight_steps(out, extra))
}

/// A run that nothing befell.
struct Undisturbed {
    _folder: TempDir,
    run: PathBuf,
}

/// The run that nothing befell: one for all tests that hold it at the same time, deleted after the last of them.
fn undisturbed() -> Arc<Undisturbed> {
    static WHOLE: Mutex<Weak<Undisturbed>> = Mutex::new(Weak::new());
    let mut held = WHOLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(whole) = held.upgrade() {
        return whole;
    }
    let folder = tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    expect_code(&train(&run, &[]), 0);
    let whole = Arc::new(Undisturbed { _folder: folder, run });
    *held = Arc::downgrade(&whole);
    whole
}

/// A run that was killed when its checkpoint of a step was there and the next was not.
fn killed_at(step: u64, folder: &Path, run: &Path) {
    let mut life = Life::start(folder, &eight_steps(run, &[]), Duration::from_millis(400));
    let saved = life.wait_until(|_| (load_all(run).ok()? == step).then_some(()));
    assert!(saved.is_some() && life.ended().is_none(), "{}", life.said());
    life.kill();
    assert_eq!(load_all(run), Ok(step));
}

/// The same command ends the run as if nothing had befallen it.
fn goes_on_to_the_same_end(run: &Path) {
    expect_code(&train(run, &[]), 0);
    assert_eq!(differences(run, &undisturbed().run, KEEP), Vec::<String>::new());
}

/// Every number on disk is one: the log parses and has no null, every tensor of every checkpoint loads (loading refuses
/// what is not finite; looked at here all the same). Gives the last step that the log has taken and that of the checkpoints.
fn all_finite(run: &Path) -> (u64, u64) {
    fn no_null(value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Array(values) => values.iter().all(no_null),
            Value::Object(values) => values.values().all(no_null),
            _ => true,
        }
    }
    let mut events = json_lines(&run.join("log.jsonl"));
    events.iter().for_each(|event| assert!(no_null(event), "{event}"));
    for (_, path) in checkpoint::list(run).expect("a list") {
        let snapshot = checkpoint::load(&path).expect("a whole checkpoint");
        let tensors = snapshot.sections.values().chain(snapshot.derived.values()).flatten();
        for (name, tensor) in tensors {
            assert!(tensor.values.iter().all(|value| value.is_finite()), "{name} in {}", path.display());
        }
    }
    // A line about the step that was not taken may end it.
    if events.last().is_some_and(|event| event["diverged"].is_string()) {
        events.pop();
    }
    let logged = events.last().and_then(|event| event["step"].as_u64()).unwrap_or(0);
    (logged, load_all(run).expect("whole checkpoints"))
}

/// Exit 3, and one error that names what, where and what to do. Gives the error and its step.
fn diverged(output: &Output) -> (String, u64) {
    expect_code(output, 3);
    let said = stderr(output);
    let error =
        said.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("{said}")).to_owned();
    assert!(!said.contains("panicked") && stdout(output).is_empty(), "{said}");
    assert!(error.contains("the loss '") || error.contains("gradient of '"), "what: {error}");
    assert!(error.contains("(phase '") && error.contains("which trains "), "who: {error}");
    assert!(error.contains("Lower the rate"), "the remedy: {error}");
    let step =
        error.strip_prefix("error: training diverged at step ").and_then(|rest| rest.split(':').next());
    let step = step.and_then(|step| step.parse().ok()).unwrap_or_else(|| panic!("when: {error}"));
    (error, step)
}

#[test]
fn a_loss_that_is_not_finite_stops_within_the_step() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    let hot = ["--set", "optimizers.critic.kind=sgd", "--set", "optimizers.critic.rate=1e5"];
    let every = [&hot[..], &["--set", "train.checkpoint_every=1"]].concat();
    let mut first = None;
    // Again from the last good checkpoint: the same step, and nothing is lost by trying.
    for _ in 0..2 {
        let (error, step) = diverged(&train(&run, &every));
        assert!(error.contains("the loss '"), "{error}");
        assert_eq!(all_finite(&run), (step - 1, step - 1), "{error}");
        let last = run.join(format!("checkpoints/step-{:08}", step - 1));
        assert!(error.contains(&format!("intact: {}", last.display())), "{error}");
        assert_eq!(first.get_or_insert(error.clone()), &error);
    }
    // A model that can still be used.
    let image = folder.path().join("a.png");
    let sample = ["sample", run.to_str().unwrap(), "--n", "2", "--out", image.to_str().unwrap()];
    expect_code(&run_in(folder.path(), &sample), 0);

    let young = folder.path().join("young");
    let (error, step) =
        diverged(&train(&young, &[&hot[..], &["--set", "train.checkpoint_every=100"]].concat()));
    assert!(error.contains("No checkpoint had been written yet"), "{error}");
    assert_eq!(all_finite(&young), (step - 1, 0));
}

#[test]
fn a_gradient_whose_square_is_not_finite_stops_within_the_step() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    // The generator's gradient through such a critic is finite, and Adam's second moment of it is not.
    let hot = ["--set", "optimizers.critic.kind=sgd", "--set", "optimizers.critic.rate=100"];
    let (error, step) = diverged(&train(&run, &hot));
    assert!(error.contains("gradient of 'generator."), "{error}");
    assert!(error.contains("(phase 'generator', which trains generator)"), "{error}");
    assert_eq!(all_finite(&run), (step - 1, (step - 1) / 2 * 2));
}

/// Writes huge values in place of a network's weights into a checkpoint that stays whole. They are finite, what is
/// computed from them is not.
fn blow_up(run: &Path, step: u64, network: &str) {
    let mut snapshot = checkpoint::load(&run.join(format!("checkpoints/step-{step:08}"))).unwrap();
    let section = snapshot.sections.get_mut(network).unwrap();
    for (_, tensor) in section.iter_mut().filter(|(path, _)| path.ends_with("weight")) {
        tensor.values.iter_mut().for_each(|value| *value = 1e30_f32.copysign(*value));
    }
    checkpoint::save(run, &snapshot, KEEP).unwrap();
}

#[test]
fn a_late_divergence_leaves_the_checkpoints_as_they_were() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    killed_at(4, folder.path(), &run);
    blow_up(&run, 4, "critic");
    let bytes = || [2, 4].map(|step| checkpoint_bytes(&run, step));
    let before = bytes();
    let (error, step) = diverged(&train(&run, &[]));
    assert!(step == 5 && error.contains("the loss 'critic'") && error.contains("(phase 'critic'"), "{error}");
    let newest = run.join("checkpoints/step-00000004");
    assert!(error.contains(&format!("intact: {}", newest.display())), "{error}");
    assert_eq!(all_finite(&run), (4, 4));
    assert!(before == bytes(), "a checkpoint was touched");
    fs::remove_dir_all(&newest).unwrap();
    goes_on_to_the_same_end(&run);
}

#[test]
fn a_state_that_is_not_finite_is_not_saved() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    killed_at(4, folder.path(), &run);
    // Batch norm hides such weights from the losses; its variances overflow all the same.
    blow_up(&run, 4, "generator");
    let bytes = || [2, 4].map(|step| checkpoint_bytes(&run, step));
    let before = bytes();
    let output = train(&run, &[]);
    expect_code(&output, 3);
    let error = stderr(&output);
    for expected in ["diverged at step 6", "'generator' is not finite", "intact", "Lower the rates"] {
        assert!(error.contains(expected), "{expected:?} is not in\n{error}");
    }
    assert_eq!(all_finite(&run), (6, 4));
    assert!(before == bytes() && leftovers(&run).is_empty(), "a checkpoint was touched");
    fs::remove_dir_all(run.join("checkpoints/step-00000004")).unwrap();
    goes_on_to_the_same_end(&run);
}

#[test]
fn a_full_disk_is_told_and_the_run_goes_on_when_there_is_space() {
    let _held = undisturbed();
    let mut places = Vec::new();
    let mut saved_before = 0;
    for kilobytes in [4, 60, 160, 300, 520, 800, 1150, 1400, 1550, 1650, 1750, 1850, 2400] {
        let Some(mount) = Mount::new(&format!("size={kilobytes}k")) else { return };
        let run = mount.path().join("run");
        let output = train(&run, &[]);
        if output.status.success() {
            assert!(places.len() >= 5, "{kilobytes} kB are enough for everything");
            break;
        }
        expect_code(&output, 2);
        let said = stderr(&output);
        let error =
            said.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_else(|| panic!("{said}"));
        assert!(error.starts_with(mount.path().to_str().unwrap()), "which file: {error}");
        assert!(error.contains("No space left") && error.contains("free some space"), "{error}");
        assert!(!said.contains("panicked"), "{said}");
        let place =
            error.split(':').next().unwrap_or_default().trim_start_matches(mount.path().to_str().unwrap());
        places.push(place.split(".tmp-").next().unwrap_or_default().to_owned());
        let step = load_all(&run).unwrap_or_else(|reason| panic!("{kilobytes} kB: {reason}"));
        saved_before = saved_before.max(if step < STEPS { step } else { 0 });
        assert_eq!(leftovers(&run), Vec::<PathBuf>::new(), "{kilobytes} kB: {error}");
        mount.change("size=16m");
        goes_on_to_the_same_end(&run);
    }
    tell(&format!("the disk was full at {}", places.join(", ")));
    assert!(saved_before > 0, "no checkpoint was there before the disk was full: {places:?}");
}

#[test]
fn a_read_only_run_is_refused() {
    let Some(mount) = Mount::new("size=8m") else { return };
    let run = mount.path().join("run");
    let name = run.to_str().unwrap();
    let folder = tempdir().unwrap();
    killed_at(4, folder.path(), &run);
    mount.change("ro");
    let refused = |output: &Output| {
        let error = refusal(output);
        assert!(error.contains(mount.path().to_str().unwrap()) || error.contains("runs"), "{error}");
        assert!(error.contains("read-only") && error.contains("--out"), "{error}");
    };
    refused(&train(&run, &[]));
    refused(&train(&mount.path().join("new/run"), &[]));
    refused(&run_in(mount.path(), &toy_args(&[])));
    // Looking at it writes nothing there.
    expect_code(&run_in(folder.path(), &["sample", name, "--n", "2", "--out", "a.png"]), 0);
    let evaluated = run_in(folder.path(), &["evaluate", name]);
    expect_code(&evaluated, 0);
    let (scores, warning) = (stdout(&evaluated), stderr(&evaluated));
    assert!(scores.starts_with("scores at step 4"), "{scores}");
    assert!(warning.contains("scores.jsonl") && warning.contains("read-only"), "{warning}");
    mount.change("rw");
    goes_on_to_the_same_end(&run);
}

/// Between two saves the folder of checkpoints turns read-only.
#[test]
fn a_folder_that_turns_read_only_under_training_ends_it_clearly() {
    let _held = undisturbed();
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    killed_at(2, folder.path(), &run);
    let place = run.join("checkpoints");
    let Some(mount) = Mount::over(&place) else { return };
    // Slow saves: the process is inside the one of step 4, whose folder is there, when the mount changes.
    let mut life = Life::start(folder.path(), &eight_steps(&run, &[]), Duration::from_millis(1500));
    life.wait_until(|life| life.saving(&run)).expect("a save begins");
    let mut tries = 0;
    // A mount with a file open for writing cannot be changed: in the delay none is.
    while !mount.change("ro") {
        tries += 1;
        assert!(tries < 1000, "the mount stays busy");
        std::thread::sleep(Duration::from_millis(1));
    }
    let status = life.wait();
    let said = life.said();
    assert_eq!(status.code(), Some(2), "{said}");
    let error = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("{said}"));
    assert!(error.contains(place.to_str().unwrap()) && error.contains("ead-only"), "{error}");
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(load_all(&run), Ok(2));
    assert!(mount.change("rw"));
    goes_on_to_the_same_end(&run);
}

/// Nothing that counts reads the wall clock or the dates of files.
#[test]
fn a_clock_that_jumps_changes_nothing() {
    let _held = undisturbed();
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    killed_at(4, folder.path(), &run);
    // Dates of files from long ago, and from long after.
    let mut entries = vec![run.clone()];
    let mut days = 0;
    while let Some(path) = entries.pop() {
        if path.is_dir() {
            entries.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        days = (days + 9_973) % 40_000;
        let date = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * days);
        fs::File::open(&path).unwrap().set_modified(date).unwrap();
    }
    // Every clock of the process jumps: 1999, and a thousand seconds a second.
    let mut program = Command::new("faketime");
    program.args(["-f", "@1999-12-31 23:59:50 x1000"]).arg(infogan().get_program());
    let some = eight_steps(&run, &["--steps", "6"]);
    match program.args(&some).output() {
        Ok(output) => expect_code(&output, 0),
        Err(_) => {
            tell("skipped: a clock that jumps while it trains (faketime is not installed)");
            expect_code(&run_in(Path::new("."), &some), 0);
        }
    }
    fs::remove_file(run.join("scores.jsonl")).unwrap();
    goes_on_to_the_same_end(&run);
}

#[test]
fn a_second_process_in_the_same_run_is_refused() {
    let folder = tempdir().unwrap();
    let endless = toy_args(&["--steps", "100000", "--set", "train.steps=100000"]);
    let mut life = Life::start(folder.path(), &endless, Duration::ZERO);
    life.wait_until(|life| life.said().contains("\nstep ").then_some(())).expect("it goes on");
    let pid = format!("another process (pid {})", life.pid());
    let before = names(&folder.path().join("runs"));
    // The same command finds the run; another names it.
    let error = refusal(&run_in(folder.path(), &endless));
    assert!(error.contains(&pid) && error.contains("--new"), "{error}");
    let error = refusal(&run_in(folder.path(), &["train", "--out", "runs/00000-glyphs-seed0"]));
    assert!(error.contains(&pid) && error.contains("runs/00000-glyphs-seed0"), "{error}");
    assert_eq!(names(&folder.path().join("runs")), before, "a refusal begins nothing");
    assert!(life.ended().is_none(), "the first is not disturbed: {}", life.said());
    // A new run beside it is no conflict.
    expect_code(&train_in(folder.path(), &["--new"]), 0);
    assert!(folder.path().join("runs/00001-glyphs-seed0/report.html").is_file());
    assert!(life.ended().is_none(), "the first is not disturbed: {}", life.said());
    // The lock ends with the process, whatever the file says.
    life.kill();
    let same = [&endless[..], &["--out".to_owned(), "runs/00000-glyphs-seed0".to_owned()]].concat();
    let mut again = Life::start(folder.path(), &same, Duration::ZERO);
    again.wait_until(|life| life.said().contains("\nstep ").then_some(())).expect("it goes on");
}

#[test]
fn a_run_that_is_moved_away_under_training_ends_it_clearly() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    let args = eight_steps(&run, &["--set", "train.steps=100000"]);
    let mut life = Life::start(folder.path(), &args, Duration::ZERO);
    life.wait_until(|_| (load_all(&run).ok()? > 0).then_some(())).expect("it goes on");
    // Moved first: a directory cannot be deleted while somebody adds files to it.
    fs::rename(&run, folder.path().join("gone")).unwrap();
    fs::remove_dir_all(folder.path().join("gone")).unwrap();
    let status = life.wait();
    let said = life.said();
    assert_eq!(status.code(), Some(2), "{said}");
    let error = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("{said}"));
    assert!(error.contains(run.to_str().unwrap()) && error.contains("No such file"), "{error}");
    assert!(error.contains("was not moved"), "the remedy: {error}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(!run.exists(), "half a run was left behind");
}

#[test]
fn a_damaged_checkpoint_is_refused_and_the_one_before_it_goes_on() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    killed_at(6, folder.path(), &run);
    let newest = run.join("checkpoints/step-00000006");
    for name in names(&newest) {
        let file = newest.join(&name);
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        let cut = whole[..middle].to_vec();
        for damaged in [flipped, cut] {
            fs::write(&file, damaged).unwrap();
            let output = train(&run, &[]);
            expect_code(&output, 2);
            let error = stderr(&output);
            assert!(error.contains(&format!("error: {}: ", file.display())), "the file: {error}");
            let remedy = format!("delete the directory {} to resume from the previous", newest.display());
            assert!(error.contains(&remedy), "{error}");
            assert!(!error.contains("panicked"), "{error}");
        }
        // Whoever reads the file refuses it; whoever does not need it is not kept from its work.
        let sampled = run_in(folder.path(), &["sample", run.to_str().unwrap()]);
        if ["generator.safetensors", "meta.json"].contains(&name.as_str()) {
            assert!(refusal(&sampled).contains(file.to_str().unwrap()), "{name}");
        } else {
            expect_code(&sampled, 0);
        }
        if !name.contains("optimizer") {
            let evaluated = run_in(folder.path(), &["evaluate", run.to_str().unwrap()]);
            assert!(refusal(&evaluated).contains(file.to_str().unwrap()), "{name}");
        }
        fs::write(&file, whole).unwrap();
    }
    // Refusing touched nothing; with the last damage made again, the remedy is followed.
    assert!(logged_steps(&run).starts_with(&[1, 2, 3, 4, 5, 6]), "{:?}", logged_steps(&run));
    fs::write(newest.join("meta.json"), "{}").unwrap();
    fs::remove_dir_all(&newest).unwrap();
    let output = train(&run, &[]);
    expect_code(&output, 0);
    assert!(stderr(&output).contains("resuming at step 4 of 8"), "{}", stderr(&output));
    assert_eq!(differences(&run, &undisturbed().run, KEEP), Vec::<String>::new());
}

#[test]
fn a_configuration_edited_to_something_impossible_is_refused() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    killed_at(4, folder.path(), &run);
    let file = run.join("config.toml");
    let whole = fs::read_to_string(&file).unwrap();
    let edited = |from: &str, to: &str| {
        assert!(whole.contains(from), "{from} is in\n{whole}");
        whole.replacen(from, to, 1).into_bytes()
    };
    let cases = [
        (edited("batch = 8", "batch = 0"), "train.batch"),
        (edited("batch = 8", "batch = \"many\""), "train.batch"),
        (edited("batch = 8", "batsh = 8"), "batsh"),
        (edited("steps = 8", "steps = 1e9"), "train.steps"),
        (edited("kind = \"codes\"", "kind = \"coods\""), "coods"),
        (edited("upconv 1 k4", "upconv 0 k4"), "generator.layers"),
        (edited("[train]", "[train"), "not TOML"),
        (vec![0xff, 0xfe, 0x00], "not UTF-8"),
        (Vec::new(), "missing field"),
    ];
    for (text, expected) in cases {
        fs::write(&file, &text).unwrap();
        // The run's own configuration, the same command as before, and looking at it.
        for output in [
            run_in(folder.path(), &["train", "--out", "run"]),
            train(&run, &[]),
            run_in(folder.path(), &["sample", "run"]),
        ] {
            let error = refusal(&output);
            assert!(error.contains(expected), "{expected:?} is not in\n{error}");
            assert!(error.contains("run/config.toml"), "{error}");
        }
        assert_eq!(fs::read(&file).unwrap(), text, "a refusal writes nothing");
    }
    fs::write(&file, whole).unwrap();
    goes_on_to_the_same_end(&run);
}

/// Sends a signal the way a user's shell does.
fn signal(name: &str, life: &Life) {
    let sent = Command::new("kill").args([format!("-{name}"), life.pid().to_string()]).status();
    assert!(sent.expect("kill exists").success());
}

/// Starts a training whose saves take a second and waits until it is inside that of a step.
fn inside_save_of(step: u64, folder: &Path, run: &Path) -> Life {
    let mut life = Life::start(folder, &eight_steps(run, &[]), Duration::from_millis(1000));
    let name = format!("step-{step:08}");
    let saving =
        life.wait_until(|life| life.saving(run).filter(|path| path.to_string_lossy().contains(&name)));
    assert!(saving.is_some(), "it ended before: {}", life.said());
    std::thread::sleep(Duration::from_millis(150));
    life
}

#[test]
fn an_interrupt_during_a_save_lets_it_finish() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    for (name, step) in [("INT", 2), ("TERM", 4)] {
        let mut life = inside_save_of(step, folder.path(), &run);
        signal(name, &life);
        assert_eq!(life.wait().code(), Some(130), "{}", life.said());
        let told = format!("stopped at step {step} of 8, saved");
        assert!(life.said().contains(&told), "{}", life.said());
        assert_eq!((load_all(&run), leftovers(&run)), (Ok(step), Vec::new()));
        assert_eq!(logged_steps(&run).last(), Some(&step), "no step was taken after the signal");
    }
    goes_on_to_the_same_end(&run);
}

#[test]
fn a_second_interrupt_ends_a_save_at_once_and_loses_that_save_only() {
    let folder = tempdir().unwrap();
    let run = folder.path().join("run");
    for (first, second, step) in [("INT", "INT", 4), ("TERM", "INT", 6)] {
        let mut life = inside_save_of(step, folder.path(), &run);
        signal(first, &life);
        life.wait_until(|life| life.said().contains("stopping after this step").then_some(()))
            .expect("it says so");
        signal(second, &life);
        assert_eq!(life.wait().code(), Some(130), "{}", life.said());
        assert!(!life.said().contains("saved; to resume"), "{}", life.said());
        assert_eq!(load_all(&run), Ok(step - 2));
        assert_eq!(leftovers(&run).len(), 1, "the save was cut short");
        let step = step - 2;
        assert!(step == 2 || leftovers(&run)[0].to_string_lossy().contains(".tmp-"));
    }
    goes_on_to_the_same_end(&run);
}
