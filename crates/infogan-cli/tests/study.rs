//! Every study at toy length through the program.

mod common;

use std::fs;

use common::{code, expect_code, json_lines, names, refusal, run_in, stderr, stdout};

fn study(folder: &std::path::Path, args: &[&str]) -> std::process::Output {
    run_in(folder, &[&["study"], args].concat())
}

#[test]
fn every_study_runs_at_toy_length_and_shares_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    let list = stdout(&study(folder.path(), &["list"]));
    let all: Vec<&str> = list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert!(all.contains(&"mutual-information") && all.contains(&"bound"), "{list}");
    for name in all {
        let done = study(folder.path(), &[name, "--quick", "--with", "all", "--jobs", "2", "--quiet"]);
        expect_code(&done, 0);
        assert_eq!(stderr(&done), "", "{name}");
        let page = folder.path().join(format!("studies/{name}-quick"));
        let timed = if name == "bound" { Some("steps.json") } else { None };
        assert_eq!(names(&page), ["report.html", "report.md"].into_iter().chain(timed).collect::<Vec<_>>());
        let html = fs::read_to_string(page.join("report.html")).unwrap();
        assert!(html.contains("quick look") && html.contains("data:image/png"), "{name}");
        for said in ["not done", "not trained", "stopped at", "failed"] {
            assert!(!html.contains(said), "{name}: {said}");
        }
    }
    // Nothing is trained twice.
    let runs = folder.path().join("studies/runs");
    let before = names(&runs);
    let again = study(folder.path(), &["bound", "--quick"]);
    expect_code(&again, 0);
    assert!(!stderr(&again).contains("step "), "{}", stderr(&again));
    assert_eq!(names(&runs), before);
}

/// A training that diverges is a result: the study goes on, says so, and does not try again.
#[test]
fn a_training_that_diverges_is_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let hot = ["--set", "optimizers.critic.kind=sgd", "--set", "optimizers.critic.rate=1e5"];
    let args = [&["bound", "--quick", "--quiet", "--set", "train.tick=1"][..], &hot].concat();
    let done = study(folder.path(), &args);
    expect_code(&done, 0);
    assert!(stdout(&done).contains("▲ diverged at step"), "{}", stdout(&done));
    let runs = folder.path().join("studies/runs");
    let diverged = names(&runs).iter().any(|run| {
        let last = json_lines(&runs.join(run).join("log.jsonl")).pop().unwrap();
        last["diverged"].as_str().is_some_and(|reason| reason.contains("is not finite"))
    });
    assert!(diverged);
    let page = fs::read_to_string(folder.path().join("studies/bound-quick/report.html")).unwrap();
    assert!(page.contains("A triangle: the training diverged there."), "no triangle");
    assert_eq!(stdout(&study(folder.path(), &args)), stdout(&done));
}

#[test]
fn what_cannot_be_trained_is_a_reason_in_its_cell() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(&study(folder.path(), &["nothing"])).contains("mutual-information, noisy-input"));
    assert!(refusal(&study(folder.path(), &["bound", "--with", "x"])).contains("no optional row 'x'"));
    assert!(refusal(&study(folder.path(), &["bound", "--data", "nowhere"])).contains("nowhere"));
    assert!(refusal(&study(folder.path(), &["bound", "--set", "train.batch=0"])).contains("train.batch"));
    let same = ["mnist-error", "--quick", "--set", "seed=5"];
    assert!(refusal(&study(folder.path(), &same)).contains("one and the same"));
    assert!(refusal(&study(folder.path(), &["noisy-input", "--data", "."])).contains("leave it out"));
    assert_eq!(names(folder.path()), [""; 0]);
    // A run that holds something else.
    expect_code(&study(folder.path(), &["bound", "--quick", "--quiet"]), 0);
    let runs = folder.path().join("studies/runs");
    let first = runs.join(&names(&runs)[0]);
    for file in ["scores.jsonl", "config.toml"] {
        fs::remove_file(first.join(file)).unwrap();
    }
    let done = study(folder.path(), &["bound", "--quick", "--quiet"]);
    assert_eq!(code(&done), 1);
    assert!(stdout(&done).contains("config.toml"), "{}", stdout(&done));
}

/// Other pictures in the same place are another training; the same ones elsewhere are not.
#[test]
fn runs_on_files_go_by_what_is_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let runs = || names(&folder.path().join("studies/runs")).len();
    let bound = |data: &str| {
        expect_code(&study(folder.path(), &["bound", "--quick", "--quiet", "--data", data]), 0);
    };
    let draw = |seed: &str, place: &str| {
        let args = ["data", "synth", "glyphs", place, "--n", "600", "--to", "idx", "--seed", seed];
        expect_code(&run_in(folder.path(), &args), 0);
    };
    draw("0", "a");
    bound("a");
    assert_eq!(runs(), 3);
    fs::rename(folder.path().join("a"), folder.path().join("b")).unwrap();
    bound("b");
    assert_eq!(runs(), 3);
    draw("1", "a");
    bound("a");
    assert_eq!(runs(), 6);
}
