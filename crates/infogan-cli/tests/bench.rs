//! The benchmark, played through with a peer that is a few lines of shell.
#![cfg(unix)]

mod common;

use common::*;

/// A peer that answers two questions and dies at the third.
const PEER: &str = r#"echo '{"ready": true, "versions": {"shell": "1"}}'
for round in 1 2; do
  read -r question
  echo '{"row": "generator-1", "ms": [3000.0, 1000.0, 2000.0]}'
done
"#;

#[test]
fn a_peer_that_dies_leaves_its_rounds_and_the_table_is_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("peer.sh"), PEER).expect("written");
    let args = ["bench", "--rows", "generator-1", "--rounds", "3", "--out", "results", "--threads", "2"];
    let output = infogan()
        .current_dir(folder.path())
        .args(args)
        .args(["--peer", "torch shell=sh peer.sh"])
        .output()
        .expect("the program starts");
    expect_code(&output, 0);
    let table = stdout(&output);
    assert!(table.contains("| 2000 ms (shell) |"), "{table}");
    assert!(table.contains("- torch shell, generator-1 in 1 of 3 rounds: torch shell (sh …)"), "{table}");
    assert!(table.contains("2 threads"), "{table}");

    let files = names(&folder.path().join("results"));
    let json = files.iter().find(|name| name.ends_with(".json")).expect("results as JSON");
    let text = std::fs::read_to_string(folder.path().join("results").join(json)).expect("read");
    let results: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let rounds = &results["rows"][0]["rounds"];
    assert_eq!(rounds["torch shell"], serde_json::json!([2000.0, 2000.0, null]));
    for ours in ["infogan", "infogan, 1 thread", "stock Burn"] {
        let all = rounds[ours].as_array().expect("rounds");
        assert!(all.len() == 3 && all.iter().all(|ms| ms.as_f64().is_some_and(|ms| ms > 0.0)), "{ours}");
    }
    assert_eq!(results["versions"]["torch shell"]["shell"], "1");
}

#[test]
fn what_cannot_be_timed_is_refused_before_anything_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (args, expected) in [
        (&["--rows", "generator-2"][..], "generator-64"),
        (&["--device", "abacus"], "abacus"),
        (&["--kernels", "abacus"], "avx512"),
        (&["--run", "nowhere"], "nowhere"),
        (&["--peer", "torch"], "NAME=COMMAND"),
        (&["--peer", "infogan=true"], "two of this name"),
        (&["--peer", "torch=./no-such-program"], "no-such-program"),
    ] {
        let args: Vec<&str> = ["bench", "--out", "results"].iter().chain(args).copied().collect();
        let error = refusal(&run_in(folder.path(), &args));
        assert!(error.contains(expected), "{args:?}: {error}");
        assert!(!error.contains("round 1"), "{args:?} was found too late: {error}");
        assert_eq!(names(folder.path()), Vec::<String>::new(), "{args:?} wrote something");
    }
}
