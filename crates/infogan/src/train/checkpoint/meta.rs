//! `meta.json`: what a checkpoint holds, and the sums by which its files are known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The newest format version this program knows, and the one it writes.
pub(super) const VERSION: u64 = 1;
/// What the key `format` says.
const FORMAT: &str = "infogan-checkpoint";
/// Stands in the place of the checksum while it is computed.
const NO_CHECKSUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The content of `meta.json`. The order of the fields is the order in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    format: String,
    version: u64,
    /// Training steps done.
    pub step: u64,
    /// Hash of the resolved training configuration.
    pub config_hash: String,
    /// Versions of the program and of what it was built with, by name.
    pub versions: BTreeMap<String, String>,
    /// State that is a whole number, by path.
    pub counters: BTreeMap<String, u64>,
    /// The files of the checkpoint, by file name.
    pub files: BTreeMap<String, FileEntry>,
    /// SHA-256 of this file with these 64 digits replaced by zeros. The last key.
    checksum: String,
}

/// One file as `meta.json` knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// The tensors in it that are derived: kept for readers, recomputed and not resumed. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<String>,
}

/// Why the bytes are not a `meta.json` for this program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MetaFault {
    /// Written by a newer program.
    Future(u64),
    /// Anything else, in words.
    Broken(String),
}

impl Meta {
    /// A description without files.
    pub(super) fn new(
        step: u64,
        config_hash: &str,
        versions: &BTreeMap<String, String>,
        counters: &BTreeMap<String, u64>,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            step,
            config_hash: config_hash.to_owned(),
            versions: versions.clone(),
            counters: counters.clone(),
            files: BTreeMap::new(),
            checksum: NO_CHECKSUM.to_owned(),
        }
    }

    /// The bytes of the file, with the checksum in them.
    pub(super) fn encode(mut self) -> Result<Vec<u8>, String> {
        self.checksum = NO_CHECKSUM.to_owned();
        let bytes = pretty(&self)?;
        self.checksum = sha256(&bytes);
        pretty(&self)
    }

    /// Reads the file and checks its version, then its checksum, then the names of its files.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, MetaFault> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u64,
        }
        let broken = |reason: &str| MetaFault::Broken(reason.to_owned());
        // Nothing but these two keys is promised about a future version.
        let head: Head = serde_json::from_slice(bytes)
            .map_err(|error| MetaFault::Broken(format!("is damaged: {error}")))?;
        if head.format != FORMAT || head.version == 0 {
            return Err(broken("is not the description of a checkpoint"));
        }
        if head.version > VERSION {
            return Err(MetaFault::Future(head.version));
        }
        let meta: Self = serde_json::from_slice(bytes)
            .map_err(|error| MetaFault::Broken(format!("is damaged: {error}")))?;
        if !meta.checksum_holds(bytes) {
            return Err(broken("was altered: it does not match its own checksum"));
        }
        if let Some(name) = meta.files.keys().find(|name| section_of(name).is_none()) {
            return Err(MetaFault::Broken(format!("names a file that is not a section: {name:?}")));
        }
        Ok(meta)
    }

    fn checksum_holds(&self, bytes: &[u8]) -> bool {
        let digits = self.checksum.as_bytes();
        if digits.len() != NO_CHECKSUM.len() {
            return false;
        }
        let Some(at) = bytes.windows(digits.len()).rposition(|window| window == digits) else {
            return false;
        };
        let mut hash = Sha256::new();
        hash.update(&bytes[..at]);
        hash.update(NO_CHECKSUM);
        hash.update(&bytes[at + digits.len()..]);
        hex(&hash.finalize()) == self.checksum
    }
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pretty(meta: &Meta) -> Result<Vec<u8>, String> {
    let mut bytes = serde_json::to_vec_pretty(meta).map_err(|error| error.to_string())?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The file name of a section.
pub(super) fn file_of(section: &str) -> String {
    format!("{section}.safetensors")
}

/// The section of a file name, where the name is one that a checkpoint may hold.
pub(super) fn section_of(file: &str) -> Option<&str> {
    file.strip_suffix(".safetensors").filter(|section| is_plain(section))
}

/// Whether a section name is safe as a file name everywhere: letters, digits, `.`, `_`, `-`, no dot in front.
pub(super) fn is_plain(section: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=100).contains(&section.len()) && !section.starts_with('.') && section.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta() -> Meta {
        let mut meta = Meta::new(
            7,
            "abc",
            &BTreeMap::from([("infogan".to_owned(), "0.1.0".to_owned())]),
            &BTreeMap::from([("g.optimizer.step".to_owned(), u64::MAX)]),
        );
        let entry = FileEntry { bytes: 3, sha256: sha256(b"abc"), derived: vec!["a.mean".to_owned()] };
        meta.files.insert("q.safetensors".to_owned(), entry);
        meta
    }

    /// FIPS 180-2, appendix B.1.
    #[test]
    fn known_sum() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), known);
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let bytes = meta().encode().unwrap();
        let back = Meta::decode(&bytes).unwrap();
        assert_eq!(back.files, meta().files);
        assert_eq!((back.step, back.counters["g.optimizer.step"]), (7, u64::MAX));
        assert_eq!(bytes, back.encode().unwrap(), "the same content gives the same bytes");
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = meta().encode().unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut altered = bytes.clone();
                altered[at] ^= 1 << bit;
                assert!(Meta::decode(&altered).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn a_future_version_is_said_to_be_one() {
        let text = br#"{"version": 2, "format": "infogan-checkpoint", "new": [1, 2]}"#;
        assert_eq!(Meta::decode(text), Err(MetaFault::Future(2)));
        let other = br#"{"version": 2, "format": "other"}"#;
        assert!(matches!(Meta::decode(other), Err(MetaFault::Broken(_))));
    }

    #[test]
    fn file_names_stay_inside_the_directory() {
        for name in ["../q", "/etc/q", "a/b", "a\\b", "", ".hidden", "a\0b", "c:q", "ä"] {
            let mut meta = meta();
            let entry = meta.files["q.safetensors"].clone();
            meta.files.insert(file_of(name), entry);
            let fault = Meta::decode(&meta.encode().unwrap()).unwrap_err();
            assert!(matches!(fault, MetaFault::Broken(reason) if reason.contains("not a section")));
        }
        assert_eq!(section_of("generator.optimizer.safetensors"), Some("generator.optimizer"));
        assert_eq!(section_of("meta.json"), None);
    }
}
