//! `infogan bench`: this program beside its peers, interleaved, as a table of ratios.

mod rows;
mod serve;
mod table;

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio},
    time::Instant,
};

use infogan_ops::device;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    args::BenchArgs,
    failure::{Failure, print, tell, write_whole},
    machine::Machine,
};
pub use rows::Row;
use table::Results;

/// What a contestant is asked.
#[derive(Debug, Deserialize, Serialize)]
pub struct Question {
    /// Name of the row.
    pub row: String,
    /// Iterations that count.
    pub iterations: usize,
    /// Iterations before them.
    #[serde(default)]
    pub warmup: usize,
}

/// Runs the benchmark, or answers another one's questions.
pub fn bench(args: &BenchArgs) -> Result<ExitCode, Failure> {
    let device = device::resolve(&args.compute.device).map_err(infogan::Error::from)?;
    if args.serve {
        serve::serve(&device)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = args.rows.clone().unwrap_or_else(|| Row::ALL.to_vec());
    let weights = args.run.as_deref().map(generator_of).transpose()?;
    let mut contestants = own(args, device::is_host(&device))?;
    for peer in &args.peers {
        let peer = Contestant::peer(peer)?;
        if contestants.iter().any(|other| other.name == peer.name) {
            return Err(Failure::usage(format!("--peer {}: there are two of this name", peer.name)));
        }
        contestants.push(peer);
    }
    let names = contestants.iter().map(|one| one.name.clone()).collect();
    let mut results = Results::new(names, args.rounds as usize);
    for contestant in &mut contestants {
        tell(format_args!("starting {}", contestant.name));
        results.versions.insert(contestant.name.clone(), contestant.start()?);
    }
    for round in 0..args.rounds {
        for &row in rows.iter().filter(|row| !matches!(row, Row::FirstPicture | Row::Memory)) {
            // Everyone in turn, the order turned around in every other round.
            for place in 0..contestants.len() {
                let number = if round % 2 == 0 { place } else { contestants.len() - 1 - place };
                let answer = contestants[number].ask(row);
                results.note(row, number, round as usize, answer);
            }
            let said = results.line(row, round as usize);
            tell(format_args!("round {} of {}: {said}", round + 1, args.rounds));
        }
    }
    for contestant in &mut contestants {
        contestant.stop();
    }
    for round in 0..args.rounds {
        for &row in rows.iter().filter(|row| matches!(row, Row::FirstPicture | Row::Memory)) {
            for (number, contestant) in contestants.iter_mut().enumerate() {
                // The peak of a process is that of this row alone.
                let answer = match (row, &args.run, &weights) {
                    (Row::Memory, ..) => match contestant.start() {
                        Ok(_) => contestant.ask(row),
                        Err(failure) => Answer::from(failure),
                    },
                    (_, Some(run), Some(weights)) => contestant.first_picture(run, weights),
                    _ => Answer::Missing("needs --run RUN".to_owned()),
                };
                contestant.stop();
                results.note(row, number, round as usize, answer);
            }
            let said = results.line(row, round as usize);
            tell(format_args!("round {} of {}: {said}", round + 1, args.rounds));
        }
    }
    let machine = Machine::here(device::describe(&device), args.compute.threads());
    let text = table::markdown(&results, &rows, &machine);
    print(&text)?;
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
        let stem = free_stem(folder, &format!("{}-{}", machine.date, machine.slug()));
        write_whole(&stem.with_extension("md"), text.as_bytes())?;
        let json = table::json(&results, &rows, &machine);
        write_whole(&stem.with_extension("json"), format!("{json:#}\n").as_bytes())?;
        tell(format_args!("written to {}.md and .json", stem.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// A name that no result has yet: a second benchmark of a day does not replace the first.
fn free_stem(folder: &Path, name: &str) -> PathBuf {
    let taken = |stem: &Path| stem.with_extension("md").exists() || stem.with_extension("json").exists();
    let numbered = (2..).map(|number| folder.join(format!("{name}-{number}")));
    let mut stems = std::iter::once(folder.join(name)).chain(numbered);
    stems.find(|stem| !taken(stem)).unwrap_or_else(|| folder.join(name))
}

/// The generator's weights in the newest checkpoint of a run.
fn generator_of(run: &Path) -> Result<PathBuf, Failure> {
    let (_, newest) = infogan::train::checkpoint::latest(run)
        .map_err(infogan::Error::from)?
        .ok_or_else(|| Failure::usage(format!("--run {}: has no checkpoint", run.display())))?;
    Ok(newest.join("generator.safetensors"))
}

/// A process that answers questions.
struct Contestant {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    /// Whether it is this program.
    own: bool,
    running: Option<(Child, ChildStdin, BufReader<ChildStdout>)>,
}

/// What a contestant says of a row.
pub enum Answer {
    /// A number in the row's unit: the median of a round.
    Number(f64),
    /// It cannot run it, and why.
    Missing(String),
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Said { message, .. } => Self::Missing(message),
            Failure::Closed => Self::Missing("closed".to_owned()),
        }
    }
}

/// This program as asked; and where it computes on the CPU with the kernels that the processor has, also with less, with
/// one thread, and with Burn's own bodies.
fn own(args: &BenchArgs, host: bool) -> Result<Vec<Contestant>, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::usage(format!("this program cannot find itself: {error}")))?;
    let threads = args.compute.threads();
    let device = &args.compute.device;
    let contestant = |name: &str, kernels: &str, threads: usize| Contestant {
        name: name.to_owned(),
        program: program.clone(),
        arguments: format!("bench --serve --kernels {kernels} --threads {threads} --device {device}")
            .split(' ')
            .map(str::to_owned)
            .collect(),
        own: true,
        running: None,
    };
    let kernels = args.compute.kernels.as_str();
    let mut all = vec![contestant(table::OURS, kernels, threads)];
    if host && kernels == "auto" {
        if infogan_ops::kernels::level::best() > infogan_ops::kernels::level::Level::Avx2 {
            all.push(contestant("infogan, AVX2", "avx2", threads));
        }
        if threads > 1 {
            all.push(contestant(table::ONE_THREAD, "auto", 1));
        }
        all.push(contestant("stock Burn", "stock", threads));
    }
    Ok(all)
}

impl Contestant {
    /// From `NAME=COMMAND`.
    fn peer(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::usage(format!("--peer {text}: wants NAME=COMMAND, as in --peer 'torch=python3 peer.py'"))
        };
        let (name, command) = text.split_once('=').ok_or_else(wrong)?;
        let mut words = command.split_whitespace().map(str::to_owned);
        let program = words.next().ok_or_else(wrong)?.into();
        Ok(Self {
            name: name.trim().to_owned(),
            program,
            arguments: words.collect(),
            own: false,
            running: None,
        })
    }

    fn failed(&self, reason: impl std::fmt::Display) -> Failure {
        Failure::usage(format!("{} ({} …): {reason}", self.name, self.program.display()))
    }

    /// Starts it and gives its versions.
    fn start(&mut self) -> Result<Value, Failure> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| self.failed(format_args!("cannot be started: {error}")))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(self.failed("has no input or output"));
        };
        self.running = Some((child, input, BufReader::new(output)));
        let ready = self.line()?;
        Ok(ready.get("versions").cloned().unwrap_or(Value::Null))
    }

    /// The next line it writes.
    fn line(&mut self) -> Result<Value, Failure> {
        let mut line = String::new();
        let read = match &mut self.running {
            Some((_, _, output)) => output.read_line(&mut line),
            None => Ok(0),
        };
        match read {
            Ok(0) => Err(self.failed("ended without an answer")),
            Ok(_) => serde_json::from_str(&line)
                .map_err(|error| self.failed(format_args!("does not answer in JSON: {error}: {line}"))),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Its answer for one round of a row. Whoever fails is missing from there on.
    fn ask(&mut self, row: Row) -> Answer {
        let (iterations, warmup) = row.iterations();
        let question = Question { row: row.name().to_owned(), iterations, warmup };
        let text = serde_json::to_string(&question).unwrap_or_default();
        let sent = match &mut self.running {
            Some((_, input, _)) => writeln!(input, "{text}").and_then(|()| input.flush()),
            None => return Answer::Missing("not running".to_owned()),
        };
        let answer = match sent {
            Ok(()) => self.line(),
            Err(error) => Err(self.failed(error)),
        };
        match answer {
            Ok(answer) => read_answer(&answer),
            Err(failure) => {
                self.stop();
                Answer::from(failure)
            }
        }
    }

    /// Milliseconds from its start to a picture on the disk.
    fn first_picture(&self, run: &Path, weights: &Path) -> Answer {
        let picture = std::env::temp_dir().join(format!("infogan-bench-{}.png", std::process::id()));
        let mut command = Command::new(&self.program);
        if self.own {
            if self.name != table::OURS {
                return Answer::Missing("is the same program".to_owned());
            }
            command.args(["sample", "--n", "1", "--out"]).arg(&picture).arg(run);
        } else {
            command.args(&self.arguments).arg("--first-picture").arg(weights).arg(&picture);
        }
        let begun = Instant::now();
        let ended = command.stdin(Stdio::null()).output();
        let elapsed = 1e3 * begun.elapsed().as_secs_f64();
        let drawn = std::fs::metadata(&picture).is_ok_and(|about| about.len() > 0);
        let _ = std::fs::remove_file(&picture);
        match ended {
            Ok(ended) if ended.status.success() && drawn => Answer::Number(elapsed),
            Ok(ended) => {
                let said = String::from_utf8_lossy(&ended.stderr);
                Answer::Missing(format!("draws no picture: {}", said.lines().last().unwrap_or_default()))
            }
            Err(error) => Answer::from(self.failed(error)),
        }
    }

    /// Lets it end.
    fn stop(&mut self) {
        if let Some((mut child, input, _)) = self.running.take() {
            drop(input);
            let _ = child.wait();
        }
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Median of the times, or the peak, or what is missing.
fn read_answer(answer: &Value) -> Answer {
    if let Some(peak) = answer.get("peak_mb").and_then(Value::as_f64) {
        return Answer::Number(peak);
    }
    let times = answer.get("ms").and_then(Value::as_array);
    let times: Vec<f64> =
        times.map(|times| times.iter().filter_map(Value::as_f64).collect()).unwrap_or_default();
    match table::median(&times) {
        Some(median) => Answer::Number(median),
        None => {
            let reason = answer.get("missing").and_then(Value::as_str).unwrap_or("gave no times");
            Answer::Missing(reason.to_owned())
        }
    }
}
