//! Names of files for people.

use std::path::Path;

/// A path as text that no terminal obeys and that tells different ones apart: bytes that are no
/// UTF-8, control characters and those that turn the direction of writing are escaped (`\xff`, `\n`, `\u{202e}`), and so
/// that none of these can be feigned, backslashes too where they do not part folders.
pub fn shown(path: impl AsRef<Path>) -> String {
    let feigns = |letter| letter == '\\' && !std::path::is_separator(letter);
    escaped(path.as_ref().as_os_str().as_encoded_bytes(), feigns)
}

/// Text of others for people, with nothing in it that a terminal obeys.
pub fn plain(text: String) -> String {
    if text.is_ascii() && !text.contains(char::is_control) {
        text
    } else {
        escaped(text.as_bytes(), |_| false)
    }
}

fn escaped(bytes: &[u8], feigns: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() || turns(letter) || feigns(letter) {
                out.extend(letter.escape_default());
            } else {
                out.push(letter);
            }
        }
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out
}

/// Whether a character makes a terminal write what follows elsewhere: another direction, another line.
fn turns(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(all(test, unix))]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;

    #[test]
    fn names_are_told_apart_and_harmless() {
        let of = |name: &[u8]| shown(Path::new(OsStr::from_bytes(name)));
        assert_eq!(of("a/ünï 👩‍🎨 1.png".as_bytes()), "a/ünï 👩‍🎨 1.png");
        assert_eq!(of(b"a\xff.png"), "a\\xff.png");
        assert_eq!(of(b"a\\xff.png"), "a\\\\xff.png");
        assert_eq!(of("cat\u{202e}gnp.exe".as_bytes()), "cat\\u{202e}gnp.exe");
        assert_eq!(of(b"\x1b[2J\n"), "\\u{1b}[2J\\n");
        assert_eq!(plain("a\\b \u{9b}é".to_owned()), "a\\b \\u{9b}é");
    }
}
