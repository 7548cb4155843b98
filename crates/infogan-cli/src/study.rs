//! `infogan study`: the trainings of an experiment, each a process of its own, then the page.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use infogan::{
    config::Config,
    run::report_quoted as quoted,
    session::{Request, load_sets, probe, run_name},
    study::{Done, Job, Options, Results, Status, Study, status, studies, study as find, write_pages},
};

use crate::{
    args::{Compute, StudyArgs, TrainArgs},
    failure::{Failure, print, tell, write_whole},
    machine::Machine,
    text::{counted, table},
    train::{INTERRUPTED, request},
};

/// Rounds in which steps are timed, and steps of each training in a round.
const TIMED_ROUNDS: usize = 5;
const TIMED_STEPS: u64 = 20;

/// A training with what it is given and where it lies.
struct Planned {
    job: Job,
    request: Request,
    run: PathBuf,
    arguments: Vec<String>,
    /// Why it did not end, once it was tried.
    failed: Option<String>,
}

/// Lists the studies, or runs one.
pub fn study(args: &StudyArgs) -> Result<ExitCode, Failure> {
    if args.name == "list" {
        return list();
    }
    args.compute.prepare()?;
    let study = find(&args.name)?;
    let options = Options {
        data: args.data.clone(),
        quick: args.quick,
        with: args.with.clone(),
        set: args.set.clone(),
    };
    let runs = args.out.join("runs");
    let (mut planned, mut contents) = (Vec::new(), BTreeMap::new());
    for job in study.jobs(&options)? {
        planned.push(plan(job, args, &runs, &mut contents)?);
    }
    check(&study, &planned, args)?;
    let stop = Arc::new(AtomicBool::new(false));
    let children = Arc::new(Mutex::new(BTreeSet::new()));
    on_interrupt(Arc::clone(&stop), Arc::clone(&children), args.quiet)?;
    train_all(&mut planned, args, &stop, &children)?;

    let folder = args.out.join(page_name(&study, args));
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::usage(format!("{}: cannot be made: {error}", folder.display())))?;
    let about = about(&args.compute);
    let commands = commands(args);
    let times = match study.timed && !stop.load(Ordering::Acquire) {
        true => step_times(&planned, &folder.join("steps.json"))?,
        false => BTreeMap::new(),
    };
    let done = |planned: Planned| Done {
        step_time: times.get(&run_of(&planned)).copied().flatten(),
        job: planned.job,
        run: planned.run,
        failed: planned.failed,
    };
    let jobs: Vec<Done> = planned.into_iter().map(done).collect();
    let results = Results::read(study, options, &jobs, commands, about)?;
    let [page, markdown] = write_pages(&results, &folder)?;
    print(&format!(
        "{}\nreport    {}\nmarkdown  {}\n",
        table(&results.table(), 1),
        page.display(),
        markdown.display()
    ))?;
    Ok(match (stop.load(Ordering::Acquire), results.is_whole()) {
        (true, false) => ExitCode::from(INTERRUPTED),
        (false, false) => ExitCode::FAILURE,
        (_, true) => ExitCode::SUCCESS,
    })
}

/// Process ids of the trainings that run.
type Children = Mutex<BTreeSet<u32>>;

/// The first interrupt asks the trainings to save and end, the second to end at once. They are in groups of their own, so
/// that a terminal does not ask them beside us.
fn on_interrupt(stop: Arc<AtomicBool>, children: Arc<Children>, quiet: bool) -> Result<(), Failure> {
    ctrlc::set_handler(move || {
        if !stop.swap(true, Ordering::AcqRel) && !quiet {
            tell("stopping: trainings save; the same command goes on with them");
        }
        for child in children.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // Nothing to be done where it cannot be asked: it has ended.
            let _ = Command::new("kill").args(["-INT", &child.to_string()]).status();
        }
    })
    .map_err(|error| Failure::usage(format!("interrupts cannot be caught: {error}")))
}

/// Starts a program that interrupts of the terminal do not reach, where there are such groups.
fn apart(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command
}

/// Refuses what would train nothing of what was asked for.
fn check(study: &Study, planned: &[Planned], args: &StudyArgs) -> Result<(), Failure> {
    if let Some(data) = args.data.as_ref().filter(|_| planned.iter().all(|planned| !planned.job.on_files)) {
        return Err(Failure::usage(format!(
            "--data {}: the study '{}' trains on sets of its own; leave it out",
            data.display(),
            study.name
        )));
    }
    let mut names = BTreeSet::new();
    match planned.iter().find(|planned| !names.insert(&planned.run)) {
        None => Ok(()),
        Some(planned) => Err(Failure::usage(format!(
            "two trainings of '{}' would be one and the same ({}): a --set takes away what tells them apart",
            study.name,
            run_of(planned)
        ))),
    }
}

/// Studies with their core-minutes.
fn list() -> Result<ExitCode, Failure> {
    let row = |study: Study| {
        let optional = study.row.iter().filter(|row| row.optional).count();
        let more = if optional > 0 { format!(", {optional} more --with") } else { String::new() };
        let runs: u64 = study.row.iter().filter(|row| !row.optional).map(|row| row.seeds).sum();
        vec![
            study.name,
            study.title,
            format!("{}{more}", counted(runs as usize, "run")),
            study.minutes.to_string(),
        ]
    };
    let head = ["study", "what it asks", "runs", "core-minutes"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(studies()?.into_iter().map(row)).collect();
    print(&table(&rows, 3))?;
    Ok(ExitCode::SUCCESS)
}

/// A quick look and another data set have pages of their own.
fn page_name(study: &Study, args: &StudyArgs) -> String {
    let data = args.data.as_ref().and_then(|data| data.file_name()).map(|name| name.to_string_lossy());
    let parts = [Some(study.name.as_str()), data.as_deref(), args.quick.then_some("quick")];
    parts.into_iter().flatten().collect::<Vec<_>>().join("-")
}

/// `contents` remembers what was read: the hash of the pictures by how they are read.
fn plan(
    job: Job,
    args: &StudyArgs,
    runs: &Path,
    contents: &mut BTreeMap<String, String>,
) -> Result<Planned, Failure> {
    let mut train = TrainArgs {
        what: Some(job.preset.clone()),
        data: args.data.clone().filter(|_| job.on_files),
        seed: Some(job.seed as i64),
        set: job.set.clone(),
        compute: args.compute.clone(),
        ..TrainArgs::default()
    };
    let request = request(&train)?;
    let pictures = match job.on_files {
        true => Some(content(&request.config, contents)?),
        false => None,
    };
    let run = runs.join(run_name(&request.config, pictures.as_deref()));
    train.out = Some(run.clone());
    let mut arguments = vec!["train".to_owned(), job.preset.clone(), format!("--seed={}", job.seed)];
    if let Some(data) = &train.data {
        arguments.push(format!("--data={}", data.display()));
    }
    arguments.extend(job.set.iter().map(|set| format!("--set={set}")));
    arguments.push(format!("--out={}", run.display()));
    Ok(Planned { job, request, run, arguments, failed: None })
}

/// The hash of a configuration's pictures.
fn content(config: &Config, contents: &mut BTreeMap<String, String>) -> Result<String, Failure> {
    let how = format!("{:?}", config.data);
    if let Some(known) = contents.get(&how) {
        return Ok(known.clone());
    }
    let hash = load_sets(config, &|_, _| ())?.train.content_hash().to_owned();
    contents.insert(how, hash.clone());
    Ok(hash)
}

/// Trains what has not ended yet, so many at a time.
fn train_all(
    planned: &mut [Planned],
    args: &StudyArgs,
    stop: &AtomicBool,
    children: &Children,
) -> Result<(), Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::usage(format!("this program cannot find itself: {error}")))?;
    let at_once = usize::from(args.jobs).clamp(1, planned.len().max(1));
    let threads = (args.compute.threads() / at_once).max(1);
    let all = planned.len();
    let next = AtomicUsize::new(0);
    let places: Vec<Mutex<&mut Planned>> = planned.iter_mut().map(Mutex::new).collect();
    let work = || {
        while !stop.load(Ordering::Acquire) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = places.get(number) else { return };
            let mut planned = place.lock().unwrap_or_else(PoisonError::into_inner);
            if !args.quiet {
                tell(format_args!("{} of {all}: {}", number + 1, planned.run.display()));
            }
            planned.failed = one(&program, &planned, args, threads, at_once > 1, children);
        }
    };
    std::thread::scope(|scope| (0..at_once).for_each(|_| drop(scope.spawn(work))));
    Ok(())
}

/// Trains one; gives the reason where it neither finished nor diverged.
fn one(
    program: &Path,
    planned: &Planned,
    args: &StudyArgs,
    threads: usize,
    silent: bool,
    children: &Children,
) -> Option<String> {
    match status(&planned.run) {
        Ok(Status::Finished | Status::Diverged { .. }) => return None,
        Ok(Status::Unfinished { .. }) => {}
        Err(error) => return Some(error.to_string()),
    }
    let mut command = Command::new(program);
    command.args(&planned.arguments).arg(format!("--threads={threads}"));
    command.arg(format!("--device={}", args.compute.device));
    command.arg(format!("--kernels={}", args.compute.kernels));
    let silent = silent || args.quiet;
    if silent {
        command.arg("--quiet");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(if silent { Stdio::piped() } else { Stdio::inherit() });
    let listed = || children.lock().unwrap_or_else(PoisonError::into_inner);
    let done = apart(&mut command).spawn().and_then(|child| {
        let id = child.id();
        listed().insert(id);
        let done = child.wait_with_output();
        listed().remove(&id);
        done
    });
    let done = match done {
        Ok(done) => done,
        Err(error) => return Some(format!("could not be started: {error}")),
    };
    match done.status.code() {
        // Diverged is a result; stopped shows in how far it came.
        Some(0 | 3) => None,
        None => Some("was killed; is the memory full?".to_owned()),
        Some(code) if code == i32::from(INTERRUPTED) => None,
        Some(code) => {
            let said = String::from_utf8_lossy(&done.stderr).trim().replace('\n', " ");
            let said = said.trim_start_matches("error: ");
            Some(if said.is_empty() { format!("failed with exit code {code}") } else { said.to_owned() })
        }
    }
}

/// Name of a training's run.
fn run_of(planned: &Planned) -> String {
    planned.run.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Milliseconds of a step of every training, by the name of its run: measured in turn, so that a machine that is slower for
/// a while is so for all, and kept in a file, so that nothing is measured twice. One that diverges at once has none.
fn step_times(planned: &[Planned], file: &Path) -> Result<BTreeMap<String, Option<f64>>, Failure> {
    let known = std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let known: BTreeMap<String, Option<f64>> = known.unwrap_or_default();
    if planned.iter().all(|planned| known.contains_key(&run_of(planned))) {
        return Ok(known);
    }
    let mut rounds: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for _ in 0..TIMED_ROUNDS {
        for planned in planned {
            let times = rounds.entry(run_of(planned)).or_default();
            // What cannot be trained has no time either; its row says why.
            if let Ok(measured) = probe(&planned.request, TIMED_STEPS, &|_, _| ()) {
                times.push(1000.0 * measured.seconds_per_step);
            }
        }
    }
    let median = |(name, mut times): (String, Vec<f64>)| {
        times.sort_by(f64::total_cmp);
        (name, times.get(times.len() / 2).copied())
    };
    let times: BTreeMap<String, Option<f64>> = rounds.into_iter().map(median).collect();
    let text = serde_json::to_string_pretty(&times).map_err(|error| Failure::usage(error.to_string()))?;
    write_whole(file, text.as_bytes())?;
    Ok(times)
}

/// How the study was run, as a shell takes it.
fn commands(args: &StudyArgs) -> Vec<String> {
    let mut line = format!("infogan study {}", args.name);
    if let Some(data) = &args.data {
        line += &format!(" --data {}", quoted(&data.to_string_lossy()));
    }
    if args.quick {
        line += " --quick";
    }
    let more = args.with.iter().map(|name| format!(" --with {name}"));
    let set = args.set.iter().map(|set| format!(" --set {}", quoted(set)));
    vec![line + &more.chain(set).collect::<String>()]
}

/// What stands beside the numbers.
fn about(compute: &Compute) -> Vec<(String, String)> {
    let machine = Machine::here(&compute.device, compute.threads());
    vec![
        ("processor".to_owned(), format!("{}, {} cores", machine.processor, machine.cores)),
        ("computed with".to_owned(), format!("{} threads, {} instructions", machine.threads, machine.level)),
        ("infogan".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ]
}
