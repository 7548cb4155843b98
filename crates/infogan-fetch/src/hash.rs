//! Whether a file is the right one.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::error::{FetchError, io as io_error};
use crate::options::{Event, Options};
use crate::source::{Check, Covers};

/// Bytes read at a time.
pub(crate) const CHUNK: usize = 128 * 1024;

/// What hashing a file told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right,
    /// What it is instead: its hash, or why it has none.
    Wrong(String),
}

/// Hashes a file as `check` demands. Memory is bounded, and so is the time: nothing beyond the expected
/// content of a gzip file is expanded.
pub(crate) fn check(
    path: &Path,
    check: &Check,
    options: &Options,
    watch: &mut dyn FnMut(Event),
) -> Result<Verdict, FetchError> {
    watch(Event::Checking { file: path, check });
    let file = File::open(path).map_err(io_error(path, "open"))?;
    let found = match check.covers {
        Covers::File => sha256(path, file, options, io_error(path, "read"))?.0,
        Covers::InsideGzip { bytes } => {
            let inside = MultiGzDecoder::new(file).take(bytes.saturating_add(1));
            match sha256(path, inside, options, io_error(path, "read")) {
                Ok((found, length)) if length == bytes => found,
                Ok(_) => return Ok(Verdict::Wrong(format!("a content that is not {bytes} bytes long"))),
                Err(FetchError::Io { source, .. }) if damaged(&source) => {
                    return Ok(Verdict::Wrong(format!("something that is no whole gzip file ({source})")));
                }
                Err(error) => return Err(error),
            }
        }
    };
    Ok(if found == check.sha256 { Verdict::Right } else { Verdict::Wrong(format!("SHA-256 {found}")) })
}

/// The SHA-256 of a whole file.
pub(crate) fn of_file(path: &Path, options: &Options) -> Result<String, FetchError> {
    let file = File::open(path).map_err(io_error(path, "open"))?;
    Ok(sha256(path, file, options, io_error(path, "read"))?.0)
}

/// The SHA-256 of what a reader gives, and its length in bytes.
fn sha256(
    path: &Path,
    mut reader: impl Read,
    options: &Options,
    failed: impl FnOnce(io::Error) -> FetchError,
) -> Result<(String, u64), FetchError> {
    let mut hash = Sha256::new();
    let mut length = 0;
    let mut buffer = vec![0; CHUNK];
    loop {
        if options.interrupted() {
            return Err(FetchError::Interrupted { file: path.into() });
        }
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((hex(&hash.finalize()), length)),
            Ok(read) => {
                hash.update(&buffer[..read]);
                length += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Whether it is the data that are at fault, not the disk.
fn damaged(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
