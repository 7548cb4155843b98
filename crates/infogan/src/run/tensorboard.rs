//! TensorBoard event files, made from the event log.
//!
//! A file is a row of records: length (u64, little-endian), its checksum, the record, its checksum; checksums are
//! CRC-32C, rotated and shifted so that a checksum of a checksum is none (TensorFlow, *TFRecord*). A record is a protocol
//! buffer `Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }` with
//! `Summary { repeated Value value = 1; }` and `Value { string tag = 1; float simple_value = 2; }`.
//!
//! The file is written anew from the log whenever training begins or goes on, so that it is cut back as the log is, and
//! then appended to.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    directory::atomic_write,
    log::{LogError, failed, read},
};

/// Name of the file in its folder: TensorBoard takes what has `tfevents` in its name.
const NAME: &str = "events.out.tfevents.0000000000.infogan";

/// An event file that is open for appending.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Writes what the log of a run holds to `tensorboard/` in the run, and opens it for more.
    ///
    /// # Errors
    /// When the log cannot be read or the file not be written.
    pub fn of_log(log: &Path, folder: &Path) -> Result<Self, LogError> {
        let mut bytes = record(&version());
        for event in read(log)? {
            bytes.extend(record(&scalars(&event)));
        }
        fs::create_dir_all(folder).map_err(failed(folder, "make the folder"))?;
        let path = folder.join(NAME);
        atomic_write(&path, &bytes).map_err(failed(&path, "write the event file"))?;
        let file = File::options().append(true).open(&path).map_err(failed(&path, "open the event file"))?;
        Ok(Self { path, file })
    }

    /// Appends a line of the log.
    ///
    /// # Errors
    /// When the disk refuses; the file is then as long as before.
    pub fn append(&mut self, event: &Value) -> Result<(), LogError> {
        let before = self.file.metadata().map_err(failed(&self.path, "look at the event file"))?.len();
        self.file.write_all(&record(&scalars(event))).map_err(|error| {
            let _ = self.file.set_len(before);
            failed(&self.path, "append to the event file")(error)
        })
    }
}

/// The first record of every file.
fn version() -> Vec<u8> {
    let mut event = Vec::new();
    bytes_field(&mut event, 3, b"brain.Event:2");
    event
}

/// Every number of a line of the log as a scalar: `losses/critic`, `bounds/c1`. The clock stays out of it, so that the
/// same training gives the same file.
fn scalars(event: &Value) -> Vec<u8> {
    let mut summary = Vec::new();
    let mut add = |tag: &str, value: &Value| {
        // What is not finite is null in the log.
        let Some(value) = value.as_f64() else { return };
        let mut scalar = Vec::new();
        bytes_field(&mut scalar, 1, tag.as_bytes());
        scalar.push(2 << 3 | 5);
        scalar.extend((value as f32).to_le_bytes());
        bytes_field(&mut summary, 1, &scalar);
    };
    for (key, value) in event.as_object().into_iter().flatten().filter(|(key, _)| *key != "step") {
        match value {
            Value::Object(parts) => {
                parts.iter().for_each(|(part, value)| add(&format!("{key}/{part}"), value));
            }
            value => add(key, value),
        }
    }
    let mut out = Vec::new();
    out.push(2 << 3);
    varint(&mut out, event.get("step").and_then(Value::as_u64).unwrap_or(0));
    bytes_field(&mut out, 5, &summary);
    out
}

/// A field of wire type 2: its length, then its bytes.
fn bytes_field(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Seven bits at a time, the lowest first.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut out = Vec::with_capacity(data.len() + 16);
    out.extend(length);
    out.extend(masked(&length).to_le_bytes());
    out.extend(data);
    out.extend(masked(data).to_le_bytes());
    out
}

fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Reads a file back: steps with their scalars. Every checksum is checked.
    fn read_back(bytes: &[u8]) -> Vec<(u64, Vec<(String, f32)>)> {
        let (mut at, mut all) = (0, Vec::new());
        let take = |at: &mut usize, count: usize| {
            *at += count;
            &bytes[*at - count..*at]
        };
        while at < bytes.len() {
            let length = take(&mut at, 8).to_vec();
            assert_eq!(take(&mut at, 4), masked(&length).to_le_bytes(), "checksum of a length");
            let count = u64::from_le_bytes(length.try_into().unwrap()) as usize;
            let data = take(&mut at, count).to_vec();
            assert_eq!(take(&mut at, 4), masked(&data).to_le_bytes(), "checksum of a record");
            let fields = fields(&data);
            if let [(3, Field::Bytes(version))] = &fields[..] {
                assert_eq!(version, b"brain.Event:2");
                continue;
            }
            let [(2, Field::Number(step)), (5, Field::Bytes(summary))] = &fields[..] else {
                panic!("{fields:?}")
            };
            let scalar = |(number, value): (u8, Field)| {
                let (1, Field::Bytes(value)) = (number, value) else { panic!("a value") };
                let fields = self::fields(&value);
                let [(1, Field::Bytes(tag)), (2, Field::Float(value))] = &fields[..] else {
                    panic!("{fields:?}")
                };
                (String::from_utf8(tag.clone()).unwrap(), *value)
            };
            all.push((*step, self::fields(summary).into_iter().map(scalar).collect()));
        }
        all
    }

    #[derive(Debug)]
    enum Field {
        Number(u64),
        Float(f32),
        Bytes(Vec<u8>),
    }

    fn fields(mut data: &[u8]) -> Vec<(u8, Field)> {
        let number = |data: &mut &[u8]| {
            let (mut value, mut shift) = (0, 0);
            loop {
                let byte = data[0];
                *data = &data[1..];
                value |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    return value;
                }
            }
        };
        let mut all = Vec::new();
        while !data.is_empty() {
            let key = number(&mut data);
            let value = match key & 7 {
                0 => Field::Number(number(&mut data)),
                2 => {
                    let count = number(&mut data) as usize;
                    let (bytes, rest) = data.split_at(count);
                    data = rest;
                    Field::Bytes(bytes.to_vec())
                }
                5 => {
                    let (bytes, rest) = data.split_at(4);
                    data = rest;
                    Field::Float(f32::from_le_bytes(bytes.try_into().unwrap()))
                }
                other => panic!("wire type {other}"),
            };
            all.push(((key >> 3) as u8, value));
        }
        all
    }

    #[test]
    fn what_is_logged_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.jsonl");
        fs::write(&log, "{\"step\":300,\"images\":600,\"losses\":{\"critic\":0.5,\"odd\":null}}\n").unwrap();
        let board = folder.path().join("tensorboard");
        let mut file = EventFile::of_log(&log, &board).unwrap();
        file.append(&json!({"step": 70_000, "bounds": {"c1": 2.25}})).unwrap();
        let bytes = fs::read(board.join(NAME)).unwrap();
        let expected = [
            (300, vec![("images".to_owned(), 600.0), ("losses/critic".to_owned(), 0.5)]),
            (70_000, vec![("bounds/c1".to_owned(), 2.25)]),
        ];
        assert_eq!(read_back(&bytes), expected);
        // Going on from a shorter log cuts the file back with it.
        drop(EventFile::of_log(&log, &board).unwrap());
        assert_eq!(read_back(&fs::read(board.join(NAME)).unwrap()), expected[..1]);
    }

    /// The check value of CRC-32C (RFC 3720, B.4: 32 bytes of zeros) and TensorFlow's masking of it.
    #[test]
    fn checksums_are_those_of_the_format() {
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(masked(&[0; 32]), 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }
}
