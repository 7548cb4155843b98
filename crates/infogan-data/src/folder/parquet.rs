//! Tables in Parquet: rows of its flat columns. What the file claims is checked before anything is made room for.

use std::sync::Arc;

use ::parquet::{
    basic::{Compression, Repetition},
    errors::ParquetError,
    file::{
        metadata::ColumnChunkMetaData,
        reader::{FileReader, SerializedFileReader},
    },
    record::Field,
    schema::types::Type,
};
use bytes::Bytes;

use super::{
    table::{Rows, fits},
    thrift,
};
use crate::guard::without_panic;

/// No page may unpack to more bytes; writers make pages of about a mebibyte.
const LARGEST_PAGE: u64 = 64 << 20;
/// So many bytes at most come out of one by Snappy: its longest copy is 64 bytes, named by three.
const MOST_UNPACKED: u64 = 64;
/// Plain values, indices into dictionaries (two names) and runs. The others (differences, lengths, parted bytes) claim
/// numbers of values anew inside their bytes, and are written only where somebody asked for them.
const ENCODINGS: [u64; 4] = [0, 2, 3, 8];

/// All rows, columns of lists and structures left out.
///
/// # Errors
/// When the file is broken, or is not such a table, with the reason.
pub fn rows(file: Bytes) -> Result<Rows, String> {
    if !thrift::is_sound(&file) {
        return Err("it is broken: its footer makes no sense".to_owned());
    }
    without_panic(|| read(file)).unwrap_or_else(|| Err("it is broken: its reader gave up".to_owned()))
}

fn read(file: Bytes) -> Result<Rows, String> {
    let broken = |error: ParquetError| format!("it is broken: {error}");
    let reader = SerializedFileReader::new(file.clone()).map_err(broken)?;
    let schema = reader.metadata().file_metadata().schema();
    let is_single = |column: &&Arc<Type>| {
        column.is_primitive() && column.get_basic_info().repetition() != Repetition::REPEATED
    };
    let single: Vec<Arc<Type>> = schema.get_fields().iter().filter(is_single).cloned().collect();
    let (mut cells, mut bytes, mut all) = (0_u64, 0_u64, 0_u64);
    for group in reader.metadata().row_groups() {
        let rows = u64::try_from(group.num_rows()).map_err(|error| error.to_string())?;
        cells = cells.saturating_add(rows.saturating_mul(single.len() as u64));
        for column in group.columns() {
            let is_read = |kind: &Arc<Type>| column.column_path().parts() == [kind.name()];
            if single.iter().any(is_read) {
                let (words, unpacked) = claims(&file, column, rows)?;
                (cells, bytes) = (cells.saturating_add(words), bytes.saturating_add(unpacked));
            }
        }
        fits(cells, bytes)?;
        // A column names the file of each row, and no two rows have the same: a name takes a byte at least.
        all = all.saturating_add(rows);
        if all > bytes {
            return Err(format!("it is broken: it claims {all} rows and has not so many bytes"));
        }
    }

    let single = Type::group_type_builder(schema.name()).with_fields(single).build().map_err(broken)?;
    let (mut columns, mut rows): Rows = (Vec::new(), Vec::new());
    for row in reader.get_row_iter(Some(single)).map_err(broken)? {
        let row = row.map_err(broken)?;
        if columns.is_empty() {
            columns = row.get_column_iter().map(|(name, _)| name.clone()).collect();
        }
        let row: Vec<String> = row.get_column_iter().map(|(_, field)| text(field)).collect();
        // A few bytes of the file may stand for any number of words: a dictionary has each once.
        bytes = bytes.saturating_add(row.iter().map(String::len).sum::<usize>() as u64);
        fits(cells, bytes)?;
        rows.push(row);
    }
    Ok((columns, rows))
}

/// How many words of dictionaries and how many bytes the pages of a column claim, if each is one that may be read.
fn claims(file: &Bytes, column: &ColumnChunkMetaData, rows: u64) -> Result<(u64, u64), String> {
    let name = column.column_path().string();
    let packed = column.compression();
    if !matches!(packed, Compression::UNCOMPRESSED | Compression::SNAPPY) {
        return Err(format!(
            "column {name} is packed with {packed}, which is not read here; pack it with SNAPPY"
        ));
    }
    let broken = || format!("it is broken: the pages of column {name} make no sense");
    let (begin, length) = column.byte_range();
    let end = begin.checked_add(length).ok_or_else(broken)?;
    let part = file.get(begin as usize..end as usize).ok_or_else(broken)?;
    let (mut words, mut bytes) = (0, 0);
    for page in thrift::pages(part).ok_or_else(broken)? {
        if page.encodings.iter().any(|encoding| !ENCODINGS.contains(encoding)) {
            return Err(format!(
                "column {name} is in an encoding that is not read here; write it with plain values or dictionaries"
            ));
        }
        let most = if packed == Compression::SNAPPY {
            MOST_UNPACKED.saturating_mul(page.packed + 1)
        } else {
            page.packed
        };
        // A word of a dictionary takes a byte at least.
        let is_possible = page.values <= rows.max(page.words) && page.words <= page.unpacked;
        if !is_possible || page.unpacked > most.min(LARGEST_PAGE) {
            return Err(broken());
        }
        words += page.words;
        bytes += page.unpacked;
    }
    Ok((words, bytes))
}

fn text(field: &Field) -> String {
    match field {
        Field::Str(text) => text.clone(),
        Field::Null | Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => String::new(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
        other => other.to_string(),
    }
}
