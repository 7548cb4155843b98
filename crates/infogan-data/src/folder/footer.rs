//! The footer of a Parquet file, walked over before its reader sees it: the reader makes room for as many elements as a
//! list claims, which a few bytes can put beyond any machine, and that ends a program.

/// Deepest nesting; the format's own is eight or so.
const DEEPEST: usize = 32;

/// Whether every list of the footer can be as long as it says: an element takes a byte at least. False also for what is no
/// footer (Thrift's compact protocol).
pub fn lists_fit(file: &[u8]) -> bool {
    let footer = || {
        let rest = file.strip_suffix(b"PAR1")?;
        let (rest, length) = rest.split_last_chunk::<4>()?;
        let begin = rest.len().checked_sub(u32::from_le_bytes(*length) as usize)?;
        Footer(&rest[begin..]).structure(0)
    };
    footer().is_some()
}

/// What is left of it.
struct Footer<'a>(&'a [u8]);

impl Footer<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(count).ok()?..)?;
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

    fn structure(&mut self, depth: usize) -> Option<()> {
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(());
            }
            // A long field number follows where the short one is none.
            if header >> 4 == 0 {
                self.number()?;
            }
            // Truth values of fields lie in the header.
            if !matches!(header & 0x0f, 1 | 2) {
                self.value(header & 0x0f, depth)?;
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.number().map(|_| ()),
            7 => self.skip(8),
            8 => self.number().and_then(|length| self.skip(length)),
            9 | 10 => {
                let header = self.byte()?;
                let count = if header >> 4 == 15 { self.number()? } else { u64::from(header >> 4) };
                if count > self.0.len() as u64 {
                    return None;
                }
                (0..count).try_for_each(|_| self.value(header & 0x0f, depth + 1))
            }
            12 => self.structure(depth + 1),
            // No footer has maps.
            _ => None,
        }
    }
}
