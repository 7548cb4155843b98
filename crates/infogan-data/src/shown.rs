//! Names of files for people.

use std::path::Path;

/// A path as text that no terminal obeys and that tells different paths apart: control characters and bytes that are no
/// UTF-8 are escaped (`\u{7}`, `\xff`), and in such a name backslashes too. Any other is what it is.
pub fn shown(path: &Path) -> String {
    let name = path.as_os_str().as_encoded_bytes();
    if let Some(text) = path.to_str().filter(|text| !text.chars().any(char::is_control)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(name.len() + 8);
    for chunk in name.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() || letter == '\\' {
                out.extend(letter.escape_default());
            } else {
                out.push(letter);
            }
        }
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out
}

#[cfg(all(test, unix))]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;

    #[test]
    fn names_are_told_apart_and_harmless() {
        let of = |name: &[u8]| shown(Path::new(OsStr::from_bytes(name)));
        assert_eq!(of("a/ünï \\ 1.png".as_bytes()), "a/ünï \\ 1.png");
        assert_eq!(of(b"a\xff.png"), "a\\xff.png");
        assert_eq!(of(b"\\xfe\xff"), "\\\\xfe\\xff");
        assert_eq!(of(b"\x1b[2J\n"), "\\u{1b}[2J\\n");
    }
}
