//! Archives: known members in their places, or nothing.

use std::fs;
use std::io::Write;
use std::path::Path;

use infogan_fetch::{FetchError, How, Member, Options, Size, Source};
use tar::{Builder, EntryType, Header};

use crate::server::Server;
use crate::support::{archive, content, fails, files, get, quick};

const RECORD: &str = ".set.tar.gz.unpacked.json";
const LEFT: [&str; 2] = ["set.tar.gz.part", "set.tar.gz.part.json"];

/// An entry with any name at all: the header's field is filled directly.
struct Entry {
    name: &'static [u8],
    kind: EntryType,
    link: &'static str,
    bytes: Vec<u8>,
}

fn file(name: &'static str, bytes: &[u8]) -> Entry {
    Entry { name: name.as_bytes(), kind: EntryType::Regular, link: "", bytes: bytes.to_vec() }
}

fn odd(name: &'static str, kind: EntryType, link: &'static str) -> Entry {
    Entry { name: name.as_bytes(), kind, link, bytes: vec![] }
}

fn good() -> Vec<Entry> {
    vec![
        odd("set", EntryType::Directory, ""),
        file("set/a.bin", &content(70_000, 1)),
        file("set/readme.html", b"<p>not asked for"),
        file("./set/names.txt", b"one\ntwo\n"),
    ]
}

fn members() -> Vec<Member> {
    vec![
        Member { path: "set/a.bin", size: Size::Exactly(70_000) },
        Member { path: "set/names.txt", size: Size::AtMost(1024) },
    ]
}

fn tarred(entries: &[Entry]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..entry.name.len()].copy_from_slice(entry.name);
        header.as_old_mut().linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.set_entry_type(entry.kind);
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, entry.bytes.as_slice()).expect("memory");
    }
    tar.into_inner().expect("memory")
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

/// Fetches an archive of these bytes into `root/in`, with the right hash.
fn fetched(root: &Path, packed: &[u8]) -> Result<Vec<infogan_fetch::Fetched>, FetchError> {
    let server = Server::of(packed);
    get(&archive(packed, members()), &root.join("in"), &quick(&server.mirror()))
}

fn set() -> (Vec<u8>, Source) {
    let packed = packed(&tarred(&good()));
    let set = archive(&packed, members());
    (packed, set)
}

#[test]
fn members_arrive_and_the_archive_goes() {
    let dir = tempfile::tempdir().expect("a folder");
    let (packed, set) = set();
    let server = Server::of(&packed);
    let made = get(&set, dir.path(), &quick(&server.mirror())).expect("nothing is wrong");
    assert!(made.len() == 2 && made.iter().all(|made| made.how == How::Unpacked));
    assert_eq!(files(dir.path()), [RECORD, "set/a.bin", "set/names.txt"]);
    assert_eq!(fs::read(dir.path().join("set/a.bin")).expect("the file"), content(70_000, 1));
    assert_eq!(fs::read(dir.path().join("set/names.txt")).expect("the file"), b"one\ntwo\n");
    let again = get(&set, dir.path(), &quick(&server.mirror())).expect("nothing is wrong");
    assert!(again.iter().all(|again| again.how == How::Kept) && server.asked().len() == 1);
    // One that is gone comes again; one that was damaged is named and left.
    fs::remove_file(dir.path().join("set/names.txt")).expect("the file");
    let repaired = get(&set, dir.path(), &quick(&server.mirror())).expect("nothing is wrong");
    assert_eq!(repaired.iter().map(|made| made.how).collect::<Vec<_>>(), [How::Kept, How::Unpacked]);
    fs::write(dir.path().join("set/a.bin"), b"mine").expect("the file");
    let left = [RECORD, "set/a.bin", "set/names.txt"];
    fails(get(&set, dir.path(), &quick(&server.mirror())), dir.path(), &["a.bin", "was not touched"], &left);
    // The same without the record: the archive tells.
    fs::remove_file(dir.path().join(RECORD)).expect("the file");
    let left = [LEFT[0], LEFT[1], "set/a.bin", "set/names.txt"];
    fails(
        get(&set, dir.path(), &quick(&server.mirror())),
        dir.path(),
        &["a.bin", "was not touched"],
        &left[..],
    );
    assert_eq!(fs::read(dir.path().join("set/a.bin")).expect("the file"), b"mine");
    assert_eq!(server.asked().len(), 3);
    // Out of the way, and the archive that is still here is enough.
    fs::remove_file(dir.path().join("set/a.bin")).expect("the file");
    get(&set, dir.path(), &quick(&server.mirror())).expect("nothing is wrong");
    assert_eq!((files(dir.path()).len(), server.asked().len()), (3, 3));
}

#[test]
fn an_archive_may_stay() {
    let dir = tempfile::tempdir().expect("a folder");
    let (packed, set) = set();
    let server = Server::of(&packed);
    let mirror = server.mirror();
    let options = Options { keep_archives: true, ..quick(&mirror) };
    let everything = [RECORD, "set.tar.gz", "set/a.bin", "set/names.txt"];
    for how in [How::Downloaded, How::Kept] {
        let made = get(&set, dir.path(), &options).expect("nothing is wrong");
        assert_eq!((made.len(), made[0].how), (3, how));
        assert_eq!(files(dir.path()), everything);
    }
    // One that was there before is the user's.
    fs::remove_file(dir.path().join(RECORD)).expect("the file");
    get(&set, dir.path(), &quick(&mirror)).expect("nothing is wrong");
    assert_eq!((files(dir.path()), server.asked().len()), (everything.map(String::from).to_vec(), 1));
}

#[test]
fn attacks_are_refused_whole() {
    let bomb = vec![0; 64 << 20];
    let device = EntryType::Char;
    for (what, entry, words) in [
        ("leaves the folder", file("../evil", b"x"), "points out of the folder"),
        ("leaves it deeper", file("set/../../evil", b"x"), "points out of the folder"),
        ("leaves it as on Windows", file("set\\..\\..\\evil", b"x"), "points out of the folder"),
        ("absolute", file("/tmp/infogan-evil", b"x"), "points out of the folder"),
        ("absolute as on Windows", file("C:\\evil", b"x"), "points out of the folder"),
        ("a link", odd("set/link", EntryType::Symlink, "/etc"), "a link"),
        ("a link as a folder", odd("set", EntryType::Symlink, ".."), "a link"),
        ("a member as a link", odd("set/a.bin", EntryType::Symlink, "/etc/passwd"), "a link"),
        ("a hard link", odd("set/hard", EntryType::Link, "/etc/passwd"), "a link"),
        ("a device", odd("set/dev", device, ""), "neither a file nor a folder"),
        ("a pipe", odd("set/pipe", EntryType::Fifo, ""), "neither a file nor a folder"),
        ("a sparse file", odd("set/sparse", EntryType::GNUSparse, ""), "neither a file nor a folder"),
        ("twice", file("set/a.bin", &content(70_000, 2)), "twice"),
        ("a bomb", file("set/bomb", &bomb), "damaged"),
        ("a bomb as a name", Entry { kind: EntryType::GNULongName, ..file("x", &bomb) }, "damaged"),
        ("a bomb as a pax header", Entry { kind: EntryType::XHeader, ..file("x", &bomb) }, "damaged"),
    ] {
        for last in [false, true] {
            let root = tempfile::tempdir().expect("a folder");
            let mut entries = good();
            // One that comes twice comes second.
            let at = if last || what == "twice" { entries.len() } else { 0 };
            entries.insert(at, Entry { bytes: entry.bytes.clone(), ..entry });
            let result = fetched(root.path(), &packed(&tarred(&entries)));
            fails(result, &root.path().join("in"), &["set.tar.gz", words], &LEFT);
            assert_eq!(fs::read_dir(root.path()).expect("the folder").count(), 1, "{what}");
        }
    }
    assert!(!Path::new("/tmp/infogan-evil").exists());
}

#[test]
fn archives_that_are_not_what_they_should_be() {
    let whole = tarred(&good());
    let with = |change: fn(&mut Vec<Entry>)| {
        let mut entries = good();
        change(&mut entries);
        packed(&tarred(&entries))
    };
    let garbled = {
        let mut bytes = packed(&whole);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        bytes
    };
    for (packed, words) in [
        (packed(&whole)[..40_000].to_vec(), "damaged"),
        (garbled, "damaged"),
        (whole.clone(), "damaged"),
        (packed(&whole[..30_000]), "damaged"),
        (packed(&content(5_000, 3)), "damaged"),
        (packed(&[whole.as_slice(), &vec![0; 5 << 20]].concat()), "holds more than"),
        (packed(&whole)[..packed(&whole).len() - 1].to_vec(), "damaged"),
        (packed(b""), "holds no set/a.bin"),
        (with(|entries| drop(entries.remove(3))), "holds no set/names.txt"),
        (with(|entries| entries[1].bytes.truncate(69_999)), "a.bin has 69999 bytes"),
        (with(|entries| entries[1].bytes.push(0)), "a.bin has 70001 bytes"),
        (with(|entries| entries[3].bytes = vec![b'x'; 1025]), "names.txt has 1025 bytes"),
        (with(|entries| entries[3].kind = EntryType::Directory), "holds no set/names.txt"),
    ] {
        let root = tempfile::tempdir().expect("a folder");
        fails(fetched(root.path(), &packed), &root.path().join("in"), &["set.tar.gz", words], &LEFT);
    }
}
