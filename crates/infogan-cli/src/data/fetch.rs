//! `infogan data fetch`.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use infogan_fetch::{Event, FetchError, How, Options, fetch as bring, find};

use super::args::FetchArgs;
use crate::{
    failure::{Failure, print, tell},
    text::bytes,
};

/// Brings the files of a set and says what is there.
pub fn fetch(args: &FetchArgs) -> Result<ExitCode, Failure> {
    let set =
        find(&args.name).ok_or_else(|| Failure::usage(format!("{}: there is no such set", args.name)))?;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .map_err(|error| Failure::usage(format!("interrupts cannot be caught: {error}")))?;
    let options = Options { mirror: args.mirror.as_deref(), interrupt: Some(&stop), ..Options::default() };
    if !args.quiet {
        tell(format_args!("{}: {} to fetch", set.title, bytes(set.bytes(false))));
    }
    let mut line = Line { quiet: args.quiet, terminal: io::stderr().is_terminal(), drawn: None };
    let done = bring(set, &args.dir, &options, &mut |event| line.show(&event));
    line.end();
    let files = match done {
        Ok(files) => files,
        Err(error @ FetchError::Interrupted { .. }) => {
            return Err(Failure::Said { message: error.to_string(), code: 130 });
        }
        Err(error) => return Err(Failure::usage(error.to_string())),
    };
    let rows: String = files
        .iter()
        .map(|file| {
            let how = match file.how {
                How::Kept => "was there",
                How::Downloaded => "fetched",
                How::Unpacked => "unpacked",
            };
            format!("{}  {}, {how}\n", file.path.display(), bytes(file.bytes))
        })
        .collect();
    print(&format!("{rows}to look at it: infogan data preview {}\n", args.dir.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// What happens, on stderr: redrawn on a terminal, the turns of events elsewhere.
struct Line {
    quiet: bool,
    terminal: bool,
    /// The hundredth that stands on the terminal's last line.
    drawn: Option<u64>,
}

impl Line {
    fn show(&mut self, event: &Event<'_>) {
        if self.quiet {
            return;
        }
        match event {
            Event::Progress { file, done, total } => {
                let part = total.map_or(*done >> 20, |total| 100 * done / total.max(1));
                if self.terminal && self.drawn != Some(part) {
                    let name = file.file_name().unwrap_or_default().to_string_lossy();
                    let of = total.map_or_else(String::new, |total| format!(" of {}", bytes(total)));
                    let _ = write!(io::stderr(), "\r{name}: {}{of}\x1b[K", bytes(*done));
                    self.drawn = Some(part);
                }
            }
            Event::Started { address, have, .. } => {
                let from =
                    if *have > 0 { format!(", going on after {}", bytes(*have)) } else { String::new() };
                self.say(format!("{address}{from}"));
            }
            Event::BegunAnew { reason, .. } => self.say(format!("beginning anew: {reason}")),
            Event::Retrying { reason, attempt, pause, .. } => {
                self.say(format!("{reason}; trying again ({attempt}) in {} s", pause.as_secs()));
            }
            Event::Checking { file, check } => self.say(format!("checking {}: {check}", file.display())),
            Event::Unpacking { file } => self.say(format!("unpacking {}", file.display())),
            _ => {}
        }
    }

    fn say(&mut self, line: String) {
        self.end();
        tell(line);
    }

    fn end(&mut self) {
        if self.drawn.take().is_some() {
            let _ = writeln!(io::stderr());
        }
    }
}
