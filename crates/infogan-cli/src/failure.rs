//! How a verb fails, and what the program makes of it.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
    path::Path,
    process::ExitCode,
};

use infogan::run::atomic_write;

/// Why a verb did not end well.
#[derive(Debug)]
pub enum Failure {
    /// Something to say, and the exit code that goes with it.
    Said {
        /// One or more lines, without `error:`.
        message: String,
        /// Exit code.
        code: u8,
    },
    /// Whoever read the output has enough of it.
    Closed,
}

impl Failure {
    /// Wrong usage or input.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Said { message: message.into(), code: 2 }
    }

    /// Tells the user and gives the exit code.
    pub fn report(self) -> ExitCode {
        match self {
            Self::Said { message, code } => {
                tell(format_args!("error: {message}"));
                ExitCode::from(code)
            }
            Self::Closed => ExitCode::SUCCESS,
        }
    }
}

impl From<infogan::Error> for Failure {
    fn from(error: infogan::Error) -> Self {
        Self::Said { message: error.to_string(), code: error.exit_code() }
    }
}

impl From<infogan::config::ConfigError> for Failure {
    fn from(error: infogan::config::ConfigError) -> Self {
        infogan::Error::from(error).into()
    }
}

impl From<infogan::run::PictureError> for Failure {
    fn from(error: infogan::run::PictureError) -> Self {
        infogan::Error::from(error).into()
    }
}

impl From<infogan_data::DataError> for Failure {
    fn from(error: infogan_data::DataError) -> Self {
        infogan::Error::from(error).into()
    }
}

/// Prints a result to stdout.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Closed),
        Err(error) => Err(Failure::usage(format!("cannot write the result to standard output: {error}"))),
    }
}

/// Prints a line to stderr. Nobody listening is no failure.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes a file beside its place and renames it, so that it is whole or absent.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let refuse = |error: io::Error| {
        Failure::usage(format!(
            "{}: cannot be written: {error}; check that its folder exists, is writable and has space",
            path.display()
        ))
    };
    atomic_write(path, bytes).map_err(refuse)
}
