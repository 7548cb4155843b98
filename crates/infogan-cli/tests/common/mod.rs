//! What the tests of the program share.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// The program under test.
pub fn infogan() -> Command {
    Command::new(env!("CARGO_BIN_EXE_infogan"))
}

/// `train glyphs` at a size that takes a second, six steps unless `extra` says otherwise.
pub fn toy_args(extra: &[&str]) -> Vec<String> {
    let generator = r#"generator.layers=["fc 16 bn relu","fc 7x7x8 bn relu","upconv 8 k4 s2 bn relu","upconv 1 k4 s2 sigmoid"]"#;
    let critic = r#"critic.layers=["conv 4 k4 s2 lrelu","conv 8 k4 s2 bn lrelu","fc 16 bn lrelu"]"#;
    let mut args = vec!["train".to_owned(), "glyphs".to_owned()];
    let sets = [
        "data.count=256",
        "train.batch=8",
        generator,
        critic,
        "evaluate.latents=200",
        "evaluate.matching=200",
        "evaluate.test=200",
        "train.tick=2",
        "train.steps=6",
    ];
    args.extend(sets.iter().flat_map(|set| ["--set".to_owned(), (*set).to_owned()]));
    args.extend(extra.iter().map(|arg| (*arg).to_owned()));
    args
}

/// Trains at toy size in a folder and gives what came out.
pub fn train_in(folder: &Path, extra: &[&str]) -> Output {
    run_in(folder, &toy_args(extra))
}

/// Runs the program in a folder.
pub fn run_in(folder: &Path, args: &[impl AsRef<str>]) -> Output {
    let output = infogan().current_dir(folder).args(args.iter().map(AsRef::as_ref)).output();
    output.expect("the program starts")
}

/// What was printed to stdout.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What was printed to stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Exit code; a program ended by a signal fails the test.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal: {}", stderr(output)))
}

/// Fails with everything that was printed unless the exit code is this one.
pub fn expect_code(output: &Output, wanted: i32) {
    assert_eq!(code(output), wanted, "stdout:\n{}\nstderr:\n{}", stdout(output), stderr(output));
}

/// A refusal: exit 2, nothing on stdout, one error on stderr without a panic. Gives the error.
pub fn refusal(output: &Output) -> String {
    expect_code(output, 2);
    let error = stderr(output);
    assert_eq!(stdout(output), "", "a refusal prints no result");
    assert!(error.contains("error: ") && !error.contains("panicked"), "{error}");
    error
}

/// The lines of a `.jsonl` file.
pub fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect()
}

/// Steps of the log.
pub fn logged_steps(run: &Path) -> Vec<u64> {
    json_lines(&run.join("log.jsonl")).iter().map(|event| event["step"].as_u64().expect("a step")).collect()
}

/// The checkpoints of a run by name, oldest first.
pub fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(run.join("checkpoints")) else { return Vec::new() };
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    all.sort();
    all
}

/// Bytes of every file of a checkpoint by name.
pub fn checkpoint_bytes(run: &Path, step: u64) -> Vec<(String, Vec<u8>)> {
    let folder = run.join(format!("checkpoints/step-{step:08}"));
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut all: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            (name.unwrap_or_default(), std::fs::read(&path).expect("a readable file"))
        })
        .collect();
    all.sort();
    all
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut all: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    all.sort();
    all
}

/// Writes a small set in MNIST's format, all four files gzipped: `count` pictures of 28×28 per split, in which the
/// label is the row of a bright bar.
pub fn write_idx(folder: &Path, count: u32) {
    std::fs::create_dir_all(folder).expect("a folder");
    for split in ["train", "t10k"] {
        let mut pictures = Vec::from([0, 0, 8, 3]);
        [count, 28, 28].iter().for_each(|size| pictures.extend(size.to_be_bytes()));
        let mut labels = Vec::from([0, 0, 8, 1]);
        labels.extend(count.to_be_bytes());
        for index in 0..count as usize {
            labels.push((index % 10) as u8);
            pictures.extend(
                (0..784).map(|pixel| if pixel / 56 == index % 10 + 2 { 255 } else { pixel as u8 % 32 }),
            );
        }
        gzip(&folder.join(format!("{split}-images-idx3-ubyte.gz")), &pictures);
        gzip(&folder.join(format!("{split}-labels-idx1-ubyte.gz")), &labels);
    }
}

fn gzip(path: &Path, bytes: &[u8]) {
    let file = std::fs::File::create(path).expect("a file");
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish().map(drop)).expect("written");
}
