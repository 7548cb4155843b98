//! What a broken download leaves: the bytes so far, and beside them what they are bytes of.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ureq::http::{HeaderMap, header};

use crate::client::{Resume, text};
use crate::error::{FetchError, io as io_error};
use crate::place;

/// A download on its way: `NAME.part` and `NAME.part.json`.
pub(crate) struct Part {
    pub path: PathBuf,
    note: PathBuf,
}

/// What the bytes are bytes of.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// Where they came from: another place may hold another file under the same name.
    address: String,
    /// The entity tag or, failing that, the time of the last change.
    validator: Option<String>,
    /// The whole length in bytes, if the server said so.
    total: Option<u64>,
}

/// How far a part is.
pub(crate) enum Far {
    /// There is nothing to go on from.
    Nothing,
    /// Go on from here; the whole length in bytes, if known.
    Some(Resume, Option<u64>),
    /// Every byte is there.
    All,
}

impl Part {
    pub fn of(target: &Path) -> Self {
        let path = place::beside(target, ".part");
        Self { note: place::beside(&path, ".json"), path }
    }

    /// The number of bytes there, 0 if there is no such file.
    pub fn len(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |found| found.len())
    }

    /// How far an earlier download from `address` came. Bytes that nobody can vouch for are not continued.
    pub fn far(&self, address: &str) -> Far {
        let have = self.len();
        let Some(note) = place::read_small::<Note>(&self.note).filter(|note| note.address == address) else {
            return Far::Nothing;
        };
        match (note.validator, note.total) {
            (_, Some(total)) if have > total => Far::Nothing,
            (_, Some(total)) if have == total && have > 0 => Far::All,
            (Some(validator), total) if have > 0 => Far::Some(Resume { from: have, validator }, total),
            _ => Far::Nothing,
        }
    }

    /// Begins at the first byte, with a note from the answer's headers.
    pub fn begin(&self, address: &str, headers: &HeaderMap, total: Option<u64>) -> Result<File, FetchError> {
        // In this order: a note must never describe bytes of an earlier download.
        place::remove(&self.note)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&self.path)
            .map_err(io_error(&self.path, "make"))?;
        let note = Note { address: address.into(), validator: validator(headers), total };
        let bytes = serde_json::to_vec(&note).map_err(|error| io_error(&self.note, "write")(error.into()))?;
        place::write_whole(&self.note, &bytes)?;
        Ok(file)
    }

    /// Goes on at the end.
    pub fn resume(&self) -> Result<File, FetchError> {
        OpenOptions::new().append(true).open(&self.path).map_err(io_error(&self.path, "open"))
    }

    /// Removes both files.
    pub fn discard(&self) -> Result<(), FetchError> {
        place::remove(&self.path)?;
        place::remove(&self.note)
    }

    /// Gives the bytes their final name.
    pub fn finish(&self, target: &Path) -> Result<(), FetchError> {
        place::put_in_place(&self.path, target)?;
        place::remove(&self.note)
    }
}

/// What `If-Range` accepts: a strong entity tag, or a date.
fn validator(headers: &HeaderMap) -> Option<String> {
    let tag = text(headers, &header::ETAG).filter(|tag| tag.starts_with('"'));
    tag.or_else(|| text(headers, &header::LAST_MODIFIED)).map(str::to_owned)
}
