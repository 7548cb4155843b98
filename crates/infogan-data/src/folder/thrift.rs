//! What a Parquet file claims of itself, walked over before its reader believes it: the reader makes room for as many
//! elements as a list claims, which a few bytes can put beyond any machine, and that ends a program. It also reads the
//! fields it knows as what they should be, whatever they say they are, so types must be the right ones (parquet-format,
//! `parquet.thrift`; Thrift's compact protocol).

use std::collections::BTreeMap;

/// Deepest nesting of what is not known here.
const DEEPEST: usize = 32;
/// Stands in a path for a place in a list: no field has this number.
const IN_LIST: u64 = 0;

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Truth,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Binary,
    List(&'static Kind),
    Struct(Fields),
}

/// Numbers of the fields of a structure with what they hold. Others are passed over as what they say they are.
type Fields = &'static [(u64, Kind)];

use Kind::{Binary, Byte, Double, I16, I32, I64, List, Struct, Truth};

const FILE: Fields = &[
    (1, I32),
    (2, List(&Struct(ELEMENT))),
    (3, I64),
    (4, List(&Struct(ROW_GROUP))),
    (5, List(&KEY_VALUE)),
    (6, Binary),
    (7, List(&Struct(&[(1, EMPTY)]))),
    (8, Struct(&[(1, AES), (2, AES)])),
    (9, Binary),
];
const ELEMENT: Fields = &[
    (1, I32),
    (2, I32),
    (3, I32),
    (4, Binary),
    (5, I32),
    (6, I32),
    (7, I32),
    (8, I32),
    (9, I32),
    (10, Struct(LOGICAL)),
];
const LOGICAL: Fields = &[
    (1, EMPTY),
    (2, EMPTY),
    (3, EMPTY),
    (4, EMPTY),
    (5, Struct(&[(1, I32), (2, I32)])),
    (6, EMPTY),
    (7, TIME),
    (8, TIME),
    (10, Struct(&[(1, Byte), (2, Truth)])),
    (11, EMPTY),
    (12, EMPTY),
    (13, EMPTY),
    (14, EMPTY),
    (15, EMPTY),
    (16, Struct(&[(1, Byte)])),
    (17, Struct(&[(1, Binary)])),
    (18, Struct(&[(1, Binary), (2, I32)])),
];
const ROW_GROUP: Fields = &[
    (1, List(&Struct(CHUNK))),
    (2, I64),
    (3, I64),
    (4, List(&Struct(&[(1, I32), (2, Truth), (3, Truth)]))),
    (5, I64),
    (6, I64),
    (7, I16),
];
const CHUNK: Fields = &[
    (1, Binary),
    (2, I64),
    (3, Struct(COLUMN)),
    (4, I64),
    (5, I32),
    (6, I64),
    (7, I32),
    (8, Struct(&[(1, EMPTY), (2, Struct(&[(1, List(&Binary)), (2, Binary)]))])),
    (9, Binary),
];
const COLUMN: Fields = &[
    (1, I32),
    (2, List(&I32)),
    (3, List(&Binary)),
    (4, I32),
    (5, I64),
    (6, I64),
    (7, I64),
    (8, List(&KEY_VALUE)),
    (9, I64),
    (10, I64),
    (11, I64),
    (12, Struct(STATISTICS)),
    (13, List(&Struct(&[(1, I32), (2, I32), (3, I32)]))),
    (14, I64),
    (15, I32),
    (16, Struct(&[(1, I64), (2, List(&I64)), (3, List(&I64))])),
    (17, Struct(&[(1, Struct(BOX)), (2, List(&I32))])),
];
const STATISTICS: Fields =
    &[(1, Binary), (2, Binary), (3, I64), (4, I64), (5, Binary), (6, Binary), (7, Truth), (8, Truth)];
const BOX: Fields =
    &[(1, Double), (2, Double), (3, Double), (4, Double), (5, Double), (6, Double), (7, Double), (8, Double)];
const EMPTY: Kind = Struct(&[]);
const KEY_VALUE: Kind = Struct(&[(1, Binary), (2, Binary)]);
const AES: Kind = Struct(&[(1, Binary), (2, Binary), (3, Truth)]);
const TIME: Kind = Struct(&[(1, Truth), (2, Struct(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]))]);

const PAGE: Fields = &[
    (1, I32),
    (2, I32),
    (3, I32),
    (4, I32),
    (DATA, Struct(&[(1, I32), (2, I32), (3, I32), (4, I32), (5, Struct(STATISTICS))])),
    (6, EMPTY),
    (DICTIONARY, Struct(&[(1, I32), (2, I32), (3, Truth)])),
    (
        DATA_V2,
        Struct(&[
            (1, I32),
            (2, I32),
            (3, I32),
            (4, I32),
            (5, I32),
            (6, I32),
            (7, Truth),
            (8, Struct(STATISTICS)),
        ]),
    ),
];
/// The kinds of a page that hold values, as fields of its header.
const DATA: u64 = 5;
const DICTIONARY: u64 = 7;
const DATA_V2: u64 = 8;

/// Whether the footer is one and every list in it can be as long as it says: an element takes a byte at least.
pub fn is_sound(file: &[u8]) -> bool {
    let footer = || {
        let rest = file.strip_suffix(b"PAR1")?;
        let (rest, length) = rest.split_last_chunk::<4>()?;
        let begin = rest.len().checked_sub(u32::from_le_bytes(*length) as usize)?;
        Walk::new(&rest[begin..]).structure(FILE, &[])
    };
    footer().is_some()
}

/// What a page claims.
pub struct Page {
    /// Bytes in the file, after its header.
    pub packed: u64,
    /// Bytes once it is unpacked.
    pub unpacked: u64,
    /// Values, whatever its kind.
    pub values: u64,
    /// Values if it is a dictionary, which are all held at once.
    pub words: u64,
    /// The numbers of the encodings of its values (parquet-format, `Encoding`).
    pub encodings: Vec<u64>,
}

/// What the pages of a part of a file claim, header after header, to its end; `None` where they make no sense.
pub fn pages(part: &[u8]) -> Option<Vec<Page>> {
    let (mut walk, mut pages) = (Walk::new(part), Vec::new());
    while !walk.left.is_empty() {
        walk.numbers.clear();
        walk.structure(PAGE, &[])?;
        let number = |path: &[u64]| match walk.numbers.get(path) {
            None => Some(0),
            Some(&number) => u64::try_from(number).ok(),
        };
        let values = [number(&[DATA, 1])?, number(&[DICTIONARY, 1])?, number(&[DATA_V2, 1])?];
        let encodings = [&[DATA, 2], &[DICTIONARY, 2], &[DATA_V2, 4]];
        let packed = number(&[3])?;
        pages.push(Page {
            packed,
            unpacked: number(&[2])?,
            values: values.into_iter().max()?,
            words: values[1],
            encodings: encodings.into_iter().map(|path| number(path)).collect::<Option<_>>()?,
        });
        walk.skip(packed)?;
    }
    Some(pages)
}

/// A walk over a structure.
struct Walk<'a> {
    left: &'a [u8],
    /// Known whole numbers by the fields that lead to them, the last where a field stands twice; not those in lists.
    numbers: BTreeMap<Vec<u64>, i64>,
}

impl<'a> Walk<'a> {
    fn new(left: &'a [u8]) -> Self {
        Self { left, numbers: BTreeMap::new() }
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.left.split_first()?;
        self.left = rest;
        Some(byte)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.left = self.left.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << (7 * place).min(63);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Fields to the end of a structure, which lies at this path; [`IN_LIST`] stands for a place in a list.
    fn structure(&mut self, fields: Fields, path: &[u64]) -> Option<()> {
        let mut field = 0_u64;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(());
            }
            let (step, code) = (header >> 4, header & 0x0f);
            // No footer needs long field numbers.
            field = if step == 0 { return None } else { field + u64::from(step) };
            let known = fields.iter().find(|(number, _)| *number == field).map(|(_, kind)| *kind);
            let fits = match known {
                None => true,
                Some(Truth) => matches!(code, 1 | 2),
                Some(kind) => kind.code() == code,
            };
            if !fits {
                return None;
            }
            // Truth values of fields lie in the header.
            if !matches!(code, 1 | 2) {
                self.value(code, known, &[path, &[field]].concat())?;
            }
        }
    }

    fn value(&mut self, code: u8, known: Option<Kind>, path: &[u64]) -> Option<()> {
        if path.len() > DEEPEST {
            return None;
        }
        match code {
            1..=3 => self.skip(1),
            4..=6 => {
                let number = self.number()?;
                if known.is_some() && !path.contains(&IN_LIST) {
                    // Zigzag: the sign is the lowest bit.
                    self.numbers.insert(path.to_vec(), (number >> 1) as i64 ^ -((number & 1) as i64));
                }
                Some(())
            }
            7 => self.skip(8),
            8 => self.number().and_then(|length| self.skip(length)),
            9 | 10 => {
                let header = self.byte()?;
                let count = if header >> 4 == 15 { self.number()? } else { u64::from(header >> 4) };
                let of = match known {
                    Some(List(of)) => Some(*of),
                    _ => None,
                };
                let fits = of.is_none_or(|of| of.code() == header & 0x0f || count == 0);
                // Truth values in lists take a byte each, which the reader passes over without taking it: none are known.
                let are_truths = matches!(header & 0x0f, 1 | 2);
                if !fits || are_truths || count > self.left.len() as u64 {
                    return None;
                }
                let path = [path, &[IN_LIST]].concat();
                (0..count).try_for_each(|_| self.value(header & 0x0f, of, &path))
            }
            12 => {
                let fields = match known {
                    Some(Struct(fields)) => fields,
                    _ => &[],
                };
                self.structure(fields, path)
            }
            // No footer has maps.
            _ => None,
        }
    }
}

impl Kind {
    /// The number that stands for it in a file.
    fn code(self) -> u8 {
        match self {
            Truth => 1,
            Byte => 3,
            I16 => 4,
            I32 => 5,
            I64 => 6,
            Double => 7,
            Binary => 8,
            List(_) => 9,
            Struct(_) => 12,
        }
    }
}
