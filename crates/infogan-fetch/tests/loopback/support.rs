//! Sets of one file, quick options, what lies in a folder.

use std::path::Path;
use std::time::Duration;

use infogan_fetch::{
    Check, Covers, Event, FetchError, Fetched, Member, Options, Origin, RemoteFile, Source, fetch,
};
use sha2::{Digest, Sha256};

/// The name of the one file.
pub const NAME: &str = "file.bin";

/// Bytes that compress badly and differ with `seed`.
pub fn content(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A set of one file. Tables of sets live for ever, so this does too.
fn set(name: &'static str, bytes: usize, covers: Covers, hashed: &[u8], members: Vec<Member>) -> Source {
    let check = Check { sha256: sha256(hashed).leak(), covers, origin: Origin::Published("a test") };
    let file = RemoteFile { name, bytes: bytes as u64, optional: false, check, members: members.leak() };
    Source { name: "one", title: "One", base: "http://127.0.0.1:9/", files: vec![file].leak() }
}

/// A set whose file is known as it lies.
pub fn plain(content: &[u8]) -> Source {
    set(NAME, content.len(), Covers::File, content, vec![])
}

/// A set whose file is known by what is inside; `inside` is 16 bytes or so.
pub fn gzipped(packed: &[u8], inside: &[u8]) -> Source {
    let covers = Covers::InsideGzip { bytes: inside.len() as u64 };
    set("file.bin.gz", packed.len(), covers, inside, vec![])
}

/// A set whose file is an archive.
pub fn archive(packed: &[u8], members: Vec<Member>) -> Source {
    set("set.tar.gz", packed.len(), Covers::File, packed, members)
}

/// Patience of milliseconds.
pub fn quick(mirror: &str) -> Options<'_> {
    Options {
        mirror: Some(mirror),
        connect: Duration::from_secs(5),
        stall: Duration::from_millis(80),
        retries: 2,
        pause: Duration::from_millis(1),
        proxy_from_environment: false,
        ..Options::default()
    }
}

/// Fetches without watching.
pub fn get(set: &Source, dir: &Path, options: &Options) -> Result<Vec<Fetched>, FetchError> {
    fetch(set, dir, options, &mut |_| {})
}

/// Fetches; also says how often it began anew and how often it tried again.
pub fn counted(
    set: &Source,
    dir: &Path,
    options: &Options,
) -> (Result<Vec<Fetched>, FetchError>, usize, usize) {
    let (mut anew, mut again) = (0, 0);
    let result = fetch(set, dir, options, &mut |event| match event {
        Event::BegunAnew { .. } => anew += 1,
        Event::Retrying { .. } => again += 1,
        _ => {}
    });
    (result, anew, again)
}

/// Every file below `dir`, by path from there, in order; the lock is not counted.
pub fn files(dir: &Path) -> Vec<String> {
    fn walk(root: &Path, dir: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.push(path.strip_prefix(root).expect("below").display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    walk(dir, dir, &mut found);
    found.retain(|name| name != ".fetch.lock");
    found.sort();
    found
}

/// Asserts that a fetch failed with `words` in what it says, after which `left` is all there is in `dir`.
pub fn fails(result: Result<Vec<Fetched>, FetchError>, dir: &Path, words: &[&str], left: &[&str]) {
    let said = result.expect_err("this cannot be right").to_string();
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert_eq!(files(dir), left, "{said}");
}
