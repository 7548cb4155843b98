//! Zip archives as PyTorch writes them: every entry uncompressed, so that an entry is a slice of the file.
//!
//! Own code, because a general reader forgives what must be refused here: two entries of one name, entries that
//! share bytes, names that lead elsewhere. The central directory alone is believed, and only where it fits the file.

use std::collections::BTreeMap;

use super::error::{Fault, damaged, refused};

/// Signatures of the records.
const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR64: &[u8] = b"PK\x06\x07";
/// Length of the record at the end, and the longest comment after it.
const END_LENGTH: usize = 22;
const COMMENT_LIMIT: usize = u16::MAX as usize;
/// A number that says: see the 64-bit field.
const SEE_64: u64 = u32::MAX as u64;

/// The entries of an archive by name.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    entries: BTreeMap<String, &'a [u8]>,
}

impl<'a> Archive<'a> {
    /// Reads the central directory and checks every entry against the file.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Fault> {
        let end = End::find(bytes)?;
        let directory = (end.offset.checked_add(end.size))
            .filter(|&stop| stop <= end.at)
            .and_then(|stop| bytes.get(end.offset..stop));
        let Some(directory) = directory else {
            return damaged("its directory lies outside the file");
        };
        let mut reader = Reader { bytes: directory };
        let mut entries = BTreeMap::new();
        let mut taken = Vec::new();
        while !reader.bytes.is_empty() {
            let entry = Entry::read(&mut reader)?;
            let (at, data) = entry.data(bytes, end.offset)?;
            taken.push((entry.local, at + data.len(), entry.name.clone()));
            if entry.crc != 0 && crc32fast::hash(data) != entry.crc {
                return damaged(format!("the entry {} does not match its checksum", entry.name));
            }
            if entries.contains_key(&entry.name) {
                return damaged(format!("there are two entries {}", entry.name));
            }
            entries.insert(entry.name, data);
        }
        if entries.len() as u64 != end.count {
            return damaged(format!("it claims {} entries and has {}", end.count, entries.len()));
        }
        taken.sort();
        for pair in taken.windows(2) {
            if pair[0].1 > pair[1].0 {
                return damaged(format!("the entries {} and {} overlap", pair[0].2, pair[1].2));
            }
        }
        Ok(Self { entries })
    }

    /// The bytes of an entry.
    pub(super) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.entries.get(name).copied()
    }

    /// All names, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }
}

/// Where the central directory lies.
struct End {
    /// Of the record itself, in its 64-bit form where there is one: the directory ends before it.
    at: usize,
    count: u64,
    size: usize,
    offset: usize,
}

impl End {
    fn find(bytes: &[u8]) -> Result<Self, Fault> {
        let Some(last) = bytes.len().checked_sub(END_LENGTH) else { return damaged("is cut short") };
        let first = last.saturating_sub(COMMENT_LIMIT);
        // The comment after the record must end with the file: a record inside a comment does not count.
        let fits = |&at: &usize| {
            let comment = bytes[at + 20..at + 22].iter().rev().fold(0, |n, &b| n << 8 | usize::from(b));
            bytes[at..].starts_with(END) && at + END_LENGTH + comment == bytes.len()
        };
        let Some(at) = (first..=last).rev().find(fits) else {
            return damaged("its directory is missing: the file is cut short");
        };
        let mut reader = Reader { bytes: &bytes[at + 4..] };
        let disks = (reader.number(2)?, reader.number(2)?);
        let (_, count) = (reader.number(2)?, reader.number(2)?);
        let (size, offset) = (reader.number(4)?, reader.number(4)?);
        let locator = at.checked_sub(20).filter(|&locator| bytes[locator..].starts_with(LOCATOR64));
        let (at, count, size, offset) = match locator {
            Some(locator) => Self::find64(bytes, locator)?,
            None if disks == (0, 0) => (at, count, size, offset),
            None => return damaged("is one part of an archive of several files"),
        };
        Ok(Self { at, count, size: inside(size)?, offset: inside(offset)? })
    }

    fn find64(bytes: &[u8], locator: usize) -> Result<(usize, u64, u64, u64), Fault> {
        let mut reader = Reader { bytes: &bytes[locator + 8..] };
        let at = inside(reader.number(8)?)?;
        let record = bytes.get(at..locator).filter(|record| record.starts_with(END64));
        let Some(record) = record else { return damaged("its 64-bit directory record is missing") };
        // Signature, length of the record, two versions, two disks.
        let mut reader = Reader { bytes: record };
        reader.take(4 + 8 + 4 + 8)?;
        let (_, count) = (reader.number(8)?, reader.number(8)?);
        Ok((at, count, reader.number(8)?, reader.number(8)?))
    }
}

/// One entry as the central directory knows it.
struct Entry {
    name: String,
    crc: u32,
    size: usize,
    local: usize,
}

impl Entry {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        if reader.take(4)? != CENTRAL {
            return damaged("its directory holds something that is no entry");
        }
        reader.take(4)?; // versions
        let (flags, method) = (reader.number(2)?, reader.number(2)?);
        reader.take(4)?; // time and date
        let crc = reader.number(4)? as u32;
        let (packed, size) = (reader.number(4)?, reader.number(4)?);
        let lengths = [reader.number(2)?, reader.number(2)?, reader.number(2)?];
        reader.take(8)?; // disk and attributes
        let local = reader.number(4)?;
        let name = name(reader.take(lengths[0] as usize)?)?;
        let mut fields = [size, packed, local];
        widen(&mut fields, reader.take(lengths[1] as usize)?)?;
        reader.take(lengths[2] as usize)?; // comment
        if flags & 1 != 0 {
            return refused(format!("the entry {name} is encrypted"));
        }
        if method != 0 || fields[0] != fields[1] {
            return refused(format!(
                "the entry {name} is compressed (PyTorch stores its entries as they are)"
            ));
        }
        Ok(Self { name, crc, size: inside(fields[0])?, local: inside(fields[2])? })
    }

    /// Where the bytes of the entry begin: after its local header.
    fn stored_at(&self, bytes: &[u8]) -> Result<usize, Fault> {
        let lost = || Fault::Damaged(format!("the entry {} does not lie where it is said to", self.name));
        let header = bytes.get(self.local..).filter(|header| header.starts_with(LOCAL)).ok_or_else(lost)?;
        let mut reader = Reader { bytes: header };
        reader.take(26)?;
        let (name, extra) = (reader.number(2)? as usize, reader.number(2)? as usize);
        if reader.take(name)? != self.name.as_bytes() {
            return damaged(format!("the entry {} has another name where it lies", self.name));
        }
        reader.take(extra)?;
        Ok(self.local + 30 + name + extra)
    }

    /// Where its bytes begin, and the bytes.
    fn data<'a>(&self, bytes: &'a [u8], limit: usize) -> Result<(usize, &'a [u8]), Fault> {
        let at = self.stored_at(bytes)?;
        let data =
            at.checked_add(self.size).filter(|&stop| stop <= limit).and_then(|stop| bytes.get(at..stop));
        match data {
            Some(data) => Ok((at, data)),
            None => damaged(format!(
                "the entry {} claims {} bytes, which the file does not have",
                self.name, self.size
            )),
        }
    }
}

/// Fills fields that say "see the 64-bit one" from the extra field of that kind, which holds them in this order.
fn widen(fields: &mut [u64; 3], extra: &[u8]) -> Result<(), Fault> {
    let mut reader = Reader { bytes: extra };
    while reader.bytes.len() >= 4 {
        let (kind, length) = (reader.number(2)?, reader.number(2)? as usize);
        let mut content = Reader { bytes: reader.take(length)? };
        if kind == 1 {
            for field in fields.iter_mut().filter(|field| **field == SEE_64) {
                *field = content.number(8)?;
            }
        }
    }
    Ok(())
}

/// The name of an entry. Nothing is ever written under it; one that leads elsewhere was made to do harm.
fn name(bytes: &[u8]) -> Result<String, Fault> {
    let Ok(name) = std::str::from_utf8(bytes) else { return damaged("the name of an entry is not UTF-8") };
    let leads_away = name.split('/').any(|part| part == ".." || part == ".");
    if leads_away || name.starts_with('/') || name.contains(['\\', ':']) || name.chars().any(char::is_control)
    {
        return refused(format!("the entry {:?} has a name that leads out of the archive", clip(name)));
    }
    Ok(name.to_owned())
}

/// Enough of a text to know it by.
pub(super) fn clip(text: &str) -> String {
    text.chars().take(80).collect()
}

fn inside(number: u64) -> Result<usize, Fault> {
    usize::try_from(number).map_err(|_| Fault::Damaged("claims more bytes than the file has".to_owned()))
}

/// Little-endian numbers from the front of a slice.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let Some((head, rest)) = self.bytes.split_at_checked(count) else {
            return damaged("its directory is cut short");
        };
        self.bytes = rest;
        Ok(head)
    }

    fn number(&mut self, width: usize) -> Result<u64, Fault> {
        Ok(self.take(width)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}
