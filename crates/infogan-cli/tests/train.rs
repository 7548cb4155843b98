//! `infogan train`: what it leaves behind, how it resumes, stops and finishes.

mod common;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use common::*;

fn temp() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The run that a training without `--out` made.
fn numbered(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("runs/{number:05}-glyphs-seed0"))
}

#[test]
fn a_training_leaves_a_run_that_explains_itself() {
    let folder = temp();
    let output = train_in(folder.path(), &[]);
    expect_code(&output, 0);
    let run = numbered(folder.path(), 0);

    let (result, progress) = (stdout(&output), stderr(&output));
    assert!(result.starts_with("scores at step 6\n"), "{result}");
    for expected in ["c1", "categorical", "H(c)", "2.303", "NMI", "rotation", "report.html", "images", "time"]
    {
        assert!(result.contains(expected), "{expected} in\n{result}");
    }
    let lines: Vec<&str> = progress.lines().collect();
    assert!(lines[0].contains("00000-glyphs-seed0") && lines[0].contains("6 steps of 8"), "{progress}");
    let ticks: Vec<&&str> = lines.iter().filter(|line| line.starts_with("step ")).collect();
    assert_eq!(ticks.len(), 3, "a plain line a tick:\n{progress}");
    for expected in
        ["step 2/6  ", " img/s  ", "critic ", "generator ", "codes ", "L_I c1 ", "/2.30", "  mem ", "  ETA "]
    {
        assert!(ticks[0].contains(expected), "{expected} in {}", ticks[0]);
    }
    assert!(!progress.contains('\r') && !progress.contains('\x1b'), "no drawing where nobody looks");
    assert!(!result.contains("img/s"), "progress is not a result");

    assert_eq!(logged_steps(&run), [2, 4, 6]);
    let event = &json_lines(&run.join("log.jsonl"))[2];
    assert_eq!(event["images"], 48);
    assert!(event["images_per_second"].as_f64().unwrap() > 0.0);
    assert!(event["rss_bytes"].as_u64().unwrap() > 1_000_000);
    for loss in ["critic", "generator", "codes"] {
        assert!(event["losses"][loss].is_f64(), "{event}");
    }
    assert!(event["bounds"]["c1"].as_f64().unwrap() < 2.4);
    let config: toml::Table = std::fs::read_to_string(run.join("config.toml")).unwrap().parse().unwrap();
    assert_eq!(config["train"]["batch"].as_integer(), Some(8));
    assert!(config["about"]["data_sha256"].as_str().unwrap().len() == 64);
    assert_eq!(names(&run.join("checkpoints")), ["step-00000006"]);
    for picture in ["reals.png", "fakes-00000000.png", "fakes-00000006.png", "traverse-00000006.png"] {
        assert!(image::open(run.join("images").join(picture)).is_ok(), "{picture}");
    }
    assert!(std::fs::read_to_string(run.join("report.html")).unwrap().contains("<svg"));
    let scores = json_lines(&run.join("scores.jsonl"));
    assert_eq!((scores.len(), scores[0]["step"].as_u64()), (1, Some(6)));
}

#[test]
fn a_finished_run_prints_its_scores_again_and_more_steps_go_on() {
    let folder = temp();
    let first = train_in(folder.path(), &[]);
    expect_code(&first, 0);
    let again = train_in(folder.path(), &["--threads", "1"]);
    expect_code(&again, 0);
    let table = |output: &Output| stdout(output).split("\n\nreport").next().map(str::to_owned);
    assert_eq!(table(&first), table(&again));
    assert!(stderr(&again).contains("finished"), "{}", stderr(&again));
    assert!(!stderr(&again).contains("img/s"));
    assert_eq!(names(&folder.path().join("runs")).len(), 2, "the run and the lock of the numbers");

    let more = train_in(folder.path(), &["--steps", "10", "--set", "train.steps=9"]);
    expect_code(&more, 0);
    assert!(stderr(&more).contains("resuming at step 6 of 9"), "--set comes last: {}", stderr(&more));
    let run = numbered(folder.path(), 0);
    assert_eq!(logged_steps(&run), [2, 4, 6, 8, 9]);

    // The same training in one go ends in the same bytes.
    let whole = train_in(folder.path(), &["--steps", "9", "--set", "train.steps=9", "--out", "whole"]);
    expect_code(&whole, 0);
    assert_eq!(checkpoint_bytes(&run, 9), checkpoint_bytes(&folder.path().join("whole"), 9));
    assert_eq!(logged_steps(&folder.path().join("whole")), [2, 4, 6, 8, 9]);
}

#[test]
fn a_run_directory_goes_on_with_its_own_configuration() {
    let folder = temp();
    expect_code(&train_in(folder.path(), &["--out", "mine"]), 0);
    let more = run_in(folder.path(), &["train", "--out", "mine", "--steps", "8"]);
    expect_code(&more, 0);
    assert!(
        stderr(&more).contains("8 steps of 8"),
        "the batch is the run's, not the preset's: {}",
        stderr(&more)
    );
    assert_eq!(logged_steps(&folder.path().join("mine")), [2, 4, 6, 8]);
    assert!(!folder.path().join("runs").exists());
    let hint = run_in(folder.path(), &["train", "mine"]);
    assert!(refusal(&hint).contains("infogan train --out mine"));
}

#[test]
fn new_takes_the_next_number_or_refuses() {
    let folder = temp();
    expect_code(&train_in(folder.path(), &["--steps", "2", "--set", "train.steps=2"]), 0);
    expect_code(&train_in(folder.path(), &["--set", "train.steps=2", "--new"]), 0);
    assert!(numbered(folder.path(), 1).is_dir());
    let out = numbered(folder.path(), 0);
    let error = refusal(&train_in(folder.path(), &["--new", "--out", out.to_str().unwrap()]));
    assert!(error.contains("--new") && error.contains("not empty"), "{error}");
}

#[test]
fn another_training_in_the_same_directory_is_refused_with_both_values() {
    let folder = temp();
    expect_code(&train_in(folder.path(), &["--out", "mine"]), 0);
    let changed = ["--out", "mine", "--set", "train.batch=16", "--set", "optimizers.generator.rate=0.5"];
    let error = refusal(&train_in(folder.path(), &changed));
    assert!(error.contains("train.batch: 8") && error.contains("16"), "{error}");
    assert!(error.contains("optimizers.generator.rate: 0.001") && error.contains("0.5"), "{error}");
    assert!(!error.contains("train.steps"), "{error}");
    // A folder that is not a run stays as it is.
    std::fs::create_dir(folder.path().join("notes")).unwrap();
    std::fs::write(folder.path().join("notes/a.txt"), "mine").unwrap();
    let error = refusal(&train_in(folder.path(), &["--out", "notes"]));
    assert!(error.contains("notes") && error.contains("config.toml"), "{error}");
    assert_eq!(names(&folder.path().join("notes")), ["a.txt"]);
}

#[test]
fn quiet_leaves_the_result_only() {
    let folder = temp();
    let output = train_in(folder.path(), &["--quiet"]);
    expect_code(&output, 0);
    assert_eq!(stderr(&output), "");
    assert!(stdout(&output).starts_with("scores at step 6\n"));
    let error = refusal(&train_in(folder.path(), &["--quiet", "--set", "train.batch=0"]));
    assert!(error.contains("train.batch"), "{error}");
}

#[test]
fn a_dry_run_tells_and_writes_nothing() {
    let folder = temp();
    let output = train_in(folder.path(), &["--dry-run", "--out", "mine"]);
    expect_code(&output, 0);
    assert_eq!(names(folder.path()), Vec::<String>::new());
    let text = stdout(&output);
    let table: toml::Table = text.parse().expect("all that is not TOML is a comment");
    assert_eq!(table["train"]["batch"].as_integer(), Some(8));
    for expected in [
        "# generator",
        "# critic",
        "# q",
        "parameters",
        "# pictures",
        "256",
        "ms",
        "without scoring",
        "# memory",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
}

#[test]
fn what_a_dry_run_prints_is_a_configuration_of_the_same_training() {
    // gan takes a term away from what it builds on: its file must not get the term back.
    for preset in ["glyphs", "gan"] {
        let folder = temp();
        let mut args = toy_args(&["--dry-run"]);
        args[1] = preset.to_owned();
        let output = run_in(folder.path(), &args);
        expect_code(&output, 0);
        std::fs::write(folder.path().join("again.toml"), stdout(&output)).unwrap();
        let again = run_in(folder.path(), &["train", "again.toml", "--dry-run"]);
        expect_code(&again, 0);
        let toml = |output: &Output| stdout(output).split("\n#").next().map(str::to_owned);
        assert_eq!(toml(&again), toml(&output));
    }
}

#[test]
fn a_training_that_diverges_stops_with_code_3_and_leaves_no_broken_checkpoint() {
    let folder = temp();
    let hot =
        ["--set", "optimizers.critic.kind=sgd", "--set", "optimizers.critic.rate=900000", "--out", "hot"];
    let output = train_in(folder.path(), &hot);
    expect_code(&output, 3);
    let error = stderr(&output);
    assert!(
        error.contains("error: ") && error.contains(" at step ") && error.contains("not finite"),
        "{error}"
    );
    assert!(error.contains("checkpoint"), "what is left is told: {error}");
    assert_eq!(stdout(&output), "");
    assert_eq!(checkpoints(&folder.path().join("hot")), Vec::<PathBuf>::new());
}

#[test]
fn a_game_without_codes_trains_and_says_so() {
    let folder = temp();
    let mut args = toy_args(&["--quiet"]);
    args[1] = "gan".to_owned();
    let output = run_in(folder.path(), &args);
    expect_code(&output, 0);
    assert!(stdout(&output).contains("recovers no codes"), "{}", stdout(&output));
    let run = folder.path().join("runs/00000-gan-seed0");
    let run = run.to_str().unwrap();
    assert!(refusal(&run_in(folder.path(), &["traverse", run])).contains("no code to traverse"));
    std::fs::write(folder.path().join("a.txt"), "").unwrap();
    let png = folder.path().join("runs/00000-gan-seed0/images/reals.png");
    assert!(
        refusal(&run_in(folder.path(), &["encode", run, png.to_str().unwrap()]))
            .contains("recovers no codes")
    );
    expect_code(&run_in(folder.path(), &["sample", run, "--n", "2"]), 0);
}

#[test]
fn files_of_the_users_own_train_and_a_moved_folder_is_the_same_run() {
    let folder = temp();
    write_idx(&folder.path().join("digits"), 64);
    let output = train_in(folder.path(), &["--data", "digits"]);
    expect_code(&output, 0);
    assert!(!stdout(&output).contains("rotation"), "files have no known factors");
    std::fs::rename(folder.path().join("digits"), folder.path().join("moved")).unwrap();
    let again = train_in(folder.path(), &["--data", "moved"]);
    expect_code(&again, 0);
    assert!(stderr(&again).contains("finished"), "{}", stderr(&again));
    // The run remembers where its pictures are now.
    let run = numbered(folder.path(), 0);
    expect_code(&run_in(folder.path(), &["evaluate", run.to_str().unwrap()]), 0);
    write_idx(&folder.path().join("other"), 65);
    let out = run.to_str().unwrap();
    let error = refusal(&train_in(folder.path(), &["--data", "other", "--out", out]));
    assert!(error.contains("pictures"), "{error}");
}

/// Sends a signal the way a user's shell does.
fn signal(name: &str, pid: u32) {
    let done =
        Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().expect("kill exists");
    assert!(done.success());
}

/// Starts a long training, interrupts it once it logs, and gives what came out.
fn interrupted(folder: &Path, signal_name: &str, log: &Path, args: &[String]) -> Output {
    let before = std::fs::metadata(log).map_or(0, |log| log.len());
    let child = infogan()
        .current_dir(folder)
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let begun = Instant::now();
    // The log is cut back to the checkpoint first, so any length above the one before means new lines.
    while std::fs::metadata(log).map_or(0, |log| log.len()) <= before {
        assert!(begun.elapsed() < Duration::from_secs(60), "no line in the log after a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(signal_name, child.id());
    child.wait_with_output().expect("the program ends")
}

#[test]
fn an_interrupt_saves_and_the_same_command_goes_on() {
    let folder = temp();
    let args = toy_args(&["--steps", "100000", "--set", "train.steps=100000"]);
    let run = numbered(folder.path(), 0);
    let mut reached = 0;
    for name in ["INT", "TERM"] {
        let output = interrupted(folder.path(), name, &run.join("log.jsonl"), &args);
        expect_code(&output, 130);
        let told = stderr(&output);
        assert!(told.contains("stopping after this step, saving"), "{told}");
        assert!(told.contains("infogan train --out runs/00000-glyphs-seed0"), "{told}");
        assert_eq!(stdout(&output), "");
        assert_eq!(told.contains("resuming at step"), reached > 0, "{told}");
        let newest = checkpoints(&run).pop().expect("a checkpoint");
        let newest = newest.file_name().unwrap().to_string_lossy().into_owned();
        let step: u64 = newest.trim_start_matches("step-").parse().expect("a whole checkpoint");
        assert!(step > reached, "{step} after {reached}");
        assert!(told.contains(&format!("stopped at step {}", grouped(step))), "{told}");
        reached = step;
    }
    assert_eq!(names(&folder.path().join("runs")).len(), 2, "no second run began");
}

fn grouped(step: u64) -> String {
    match step {
        0..1000 => step.to_string(),
        _ => format!("{},{:03}", step / 1000, step % 1000),
    }
}
