//! Servers that stall, break off, lie and mislead.

use std::fs;

use proptest::prelude::*;

use crate::server::{Reply, Request, Server, Then};
use crate::support::{NAME, content, counted, fails, files, get, gzipped, plain, quick};

const PARTS: [&str; 2] = ["file.bin.part", "file.bin.part.json"];

/// The beginning of a file, then this; afterwards an honest server.
fn broken_once(bytes: &[u8], at: usize, then: Then) -> Server {
    let bytes = bytes.to_vec();
    Server::start(move |request| {
        let reply = Reply::honest(request, &bytes, "\"1\"");
        if request.nth == 0 { reply.cut(at, then) } else { reply }
    })
}

/// The beginning of a file that breaks off, then whatever the test makes of the request for the rest.
fn broken_then(
    bytes: &[u8],
    at: usize,
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> Server {
    let bytes = bytes.to_vec();
    Server::start(move |request| match request.nth {
        0 => Reply::honest(request, &bytes, "\"1\"").cut(at, Then::Close),
        _ => answer(request),
    })
}

#[test]
fn it_goes_on_after_a_stall_and_after_a_break() {
    for then in [Then::Stall, Then::Close] {
        let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(300_000, 1));
        let server = broken_once(&bytes, 123_456, then);
        let (result, anew, again) = counted(&plain(&bytes), dir.path(), &quick(&server.mirror()));
        result.expect("the rest came");
        assert_eq!((anew, again), (0, 1));
        assert_eq!(server.asked()[1].from, Some(123_456));
        assert_eq!(server.asked()[1].if_range.as_deref(), Some("\"1\""));
        assert_eq!(fs::read(dir.path().join(NAME)).expect("the file"), bytes);
        assert_eq!(files(dir.path()), [NAME]);
    }
}

#[test]
fn a_server_that_never_recovers_is_given_up_and_its_part_kept() {
    let words = [&["sends nothing", "after 3 tries"], &["connection broke", "after 3 tries"]];
    for (then, words) in [Then::Stall, Then::Close].into_iter().zip(words) {
        let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(100_000, 2));
        let served = bytes.clone();
        let server = Server::start(move |request| {
            let reply = Reply::honest(request, &served, "\"1\"");
            if request.nth < 3 { reply.cut(10_000, then) } else { reply }
        });
        let result = get(&plain(&bytes), dir.path(), &quick(&server.mirror()));
        fails(result, dir.path(), words, &PARTS);
        assert_eq!(
            server.asked().iter().map(|asked| asked.from).collect::<Vec<_>>(),
            [None, Some(10_000), Some(20_000)]
        );
        get(&plain(&bytes), dir.path(), &quick(&server.mirror())).expect("a later day");
        assert_eq!(server.asked()[3].from, Some(30_000));
        assert_eq!(fs::read(dir.path().join(NAME)).expect("the file"), bytes);
    }
}

#[test]
fn silence_before_the_first_byte_is_a_stall() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(100, 2));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mirror = format!("http://{}/", silent.local_addr().expect("its address"));
    fails(
        get(&plain(&bytes), dir.path(), &quick(&mirror)),
        dir.path(),
        &["sends nothing", "after 3 tries"],
        &[],
    );
}

#[test]
fn progress_buys_more_tries() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(9 << 20, 3));
    let served = bytes.clone();
    let server = Server::start(move |request| {
        Reply::honest(request, &served, "\"1\"").cut((1 << 20) + 1, Then::Close)
    });
    get(&plain(&bytes), dir.path(), &quick(&server.mirror())).expect("a bad line is enough");
    assert_eq!(server.asked().len(), 9);
    assert_eq!(fs::read(dir.path().join(NAME)).expect("the file"), bytes);
}

#[test]
fn servers_that_cannot_go_on_give_the_whole() {
    let bytes = content(50_000, 4);
    type Answer = fn(&[u8], &Request) -> Reply;
    let answers: [(&str, Answer); 6] = [
        ("ignores ranges", |bytes, _| Reply::whole(bytes)),
        ("refuses the range", |bytes, request| match request.from {
            Some(_) => Reply::status(416).with("Content-Range", format!("bytes */{}", bytes.len())),
            None => Reply::whole(bytes),
        }),
        ("sends another range", |bytes, request| match request.from {
            Some(_) => Reply::rest(bytes, 5),
            None => Reply::whole(bytes),
        }),
        ("sends a range without saying which", |bytes, request| match request.from {
            Some(from) => Reply { status: 206, ..Reply::whole(&bytes[from..]) },
            None => Reply::whole(bytes),
        }),
        ("sends a piece of the range", |bytes, request| match request.from {
            Some(from) => Reply { status: 206, ..Reply::whole(&bytes[from..from + 9]) }
                .with("Content-Range", format!("bytes {from}-{}/{}", from + 8, bytes.len())),
            None => Reply::whole(bytes),
        }),
        ("goes on in a longer file", |bytes, request| match request.from {
            Some(from) => Reply::rest(&[bytes, b"more"].concat(), from),
            None => Reply::whole(bytes),
        }),
    ];
    for (what, answer) in answers {
        let dir = tempfile::tempdir().expect("a folder");
        let served = bytes.clone();
        let server = broken_then(&bytes, 20_000, move |request| answer(&served, request));
        let (result, anew, again) = counted(&plain(&bytes), dir.path(), &quick(&server.mirror()));
        result.expect(what);
        assert_eq!((anew, again), (1, 1), "{what}");
        assert_eq!(server.asked()[1].from, Some(20_000), "{what}");
        assert_eq!(fs::read(dir.path().join(NAME)).expect("the file"), bytes, "{what}");
    }
}

#[test]
fn only_what_can_be_vouched_for_is_continued() {
    let bytes = content(5_000, 5);
    let date = "Sat, 01 Jan 2000 00:00:00 GMT";
    for (headers, expected) in [
        (vec![], None),
        (vec![("ETag", "W/\"1\"")], None),
        (vec![("Last-Modified", date)], Some(date)),
        (vec![("ETag", "W/\"1\""), ("Last-Modified", date)], Some(date)),
        (vec![("ETag", "\"1\""), ("Last-Modified", date)], Some("\"1\"")),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let served = bytes.clone();
        let server = Server::start(move |request| {
            let reply = Reply::honest(request, &served, expected.unwrap_or("none"));
            let headers = headers.iter().map(|&(name, value)| (name, value.to_owned())).collect();
            let range = reply.headers.into_iter().filter(|(name, _)| *name == "Content-Range");
            let reply = Reply { headers: Vec::into_iter(headers).chain(range).collect(), ..reply };
            if request.nth == 0 { reply.cut(2_000, Then::Close) } else { reply }
        });
        get(&plain(&bytes), dir.path(), &quick(&server.mirror())).expect("the file");
        let asked = server.asked();
        assert_eq!((asked.len(), asked[1].if_range.as_deref()), (2, expected));
        assert_eq!(asked[1].from, expected.map(|_| 2_000));
        assert_eq!(fs::read(dir.path().join(NAME)).expect("the file"), bytes);
    }
}

#[test]
fn a_file_that_changes_in_between_begins_anew() {
    let (old, new) = (content(40_000, 6), content(40_000, 7));
    let dir = tempfile::tempdir().expect("a folder");
    let served = new.clone();
    let server = broken_then(&old, 20_000, move |request| Reply::honest(request, &served, "\"2\""));
    let (result, anew, _) = counted(&plain(&new), dir.path(), &quick(&server.mirror()));
    result.expect("the new file is the right one");
    assert_eq!(anew, 1);
    assert_eq!(fs::read(dir.path().join(NAME)).expect("the file"), new);
}

#[test]
fn a_server_that_hides_the_change_is_caught() {
    let (old, new) = (content(40_000, 6), content(40_000, 7));
    let hide = |new: Vec<u8>| {
        move |request: &Request| match request.from {
            Some(from) => Reply::rest(&new, from),
            None => Reply::whole(&new),
        }
    };
    // In one go: what came is a mixture.
    let dir = tempfile::tempdir().expect("a folder");
    let server = broken_then(&old, 20_000, hide(new.clone()));
    let result = get(&plain(&new), dir.path(), &quick(&server.mirror()));
    fails(result, dir.path(), &["is not the expected file", "--mirror"], &[]);
    // Days apart: what was left may be at fault, and gets one second chance.
    let once = |options| infogan_fetch::Options { retries: 0, ..options };
    let server = broken_then(&old, 20_000, hide(new.clone()));
    let mirror = server.mirror();
    fails(get(&plain(&new), dir.path(), &once(quick(&mirror))), dir.path(), &["are kept"], &PARTS);
    let (result, anew, _) = counted(&plain(&new), dir.path(), &once(quick(&mirror)));
    result.expect("the new file");
    assert_eq!(anew, 1);
    assert_eq!(fs::read(dir.path().join(NAME)).expect("the file"), new);
}

#[test]
fn a_part_from_another_address_is_not_continued() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(40_000, 8));
    let broken = broken_then(&bytes, 20_000, |_| Reply::status(404));
    fails(get(&plain(&bytes), dir.path(), &quick(&broken.mirror())), dir.path(), &["404"], &PARTS);
    let server = Server::of(&bytes);
    get(&plain(&bytes), dir.path(), &quick(&server.mirror())).expect("the file");
    assert_eq!(server.asked()[0].from, None);
    // Nor one with a damaged note, nor one that is too long.
    for (part, note) in [(100, "{"), (100, "[]"), (100, ""), (50_000, "")] {
        fs::remove_file(dir.path().join(NAME)).expect("the file");
        let address = format!("{}file.bin", server.mirror());
        let sane = format!(r#"{{"address":"{address}","validator":"\"1\"","total":40000}}"#);
        fs::write(dir.path().join(PARTS[0]), vec![0; part]).expect("a file");
        fs::write(dir.path().join(PARTS[1]), if part > 100 { &sane } else { note }).expect("a file");
        get(&plain(&bytes), dir.path(), &quick(&server.mirror())).expect("the file");
        assert_eq!(server.asked().last().expect("a request").from, None);
        assert_eq!(files(dir.path()), [NAME]);
    }
}

#[test]
fn redirects_are_followed_within_reason() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(1_000, 9));
    let served = bytes.clone();
    let server = Server::start(move |request| match request.path.as_str() {
        "/d/file.bin" => Reply::status(301).with("Location", "../elsewhere/a"),
        "/elsewhere/a" => Reply::status(307).with("Location", "/b?key=1"),
        _ => Reply::honest(request, &served, "\"1\""),
    });
    get(&plain(&bytes), dir.path(), &quick(&server.mirror())).expect("the file");
    let paths: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/d/file.bin", "/elsewhere/a", "/b?key=1"]);
    for (location, then, words) in [
        ("/d/file.bin", Then::Close, "more than 8 redirects"),
        ("/d/file.bin", Then::Endless, "more than 8 redirects"),
        ("file:///etc/passwd", Then::Close, "neither http nor https"),
        ("data:,x", Then::Close, "neither http nor https"),
        ("http://me:secret@127.0.0.1/", Then::Close, "password"),
        ("http://", Then::Close, "bad address"),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let server = Server::start(move |_| {
            let length = (then == Then::Close).then_some(0);
            Reply { then, ..Reply::status(302).with("Location", location).promising(length) }
        });
        let result = get(&plain(&bytes), dir.path(), &quick(&server.mirror()));
        let said = result.as_ref().map_or_else(ToString::to_string, |_| String::new());
        assert!(!said.contains("secret"), "{said}");
        fails(result, dir.path(), &[words, "--mirror"], &[]);
    }
}

#[test]
fn refusals() {
    let bytes = content(100, 10);
    for (status, requests, words) in [
        (404, 1, "404"),
        (403, 1, "403"),
        (204, 1, "204"),
        (206, 1, "206"),
        (416, 1, "416"),
        (500, 3, "500"),
        (503, 3, "503"),
        (429, 3, "429"),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let server = Server::start(move |_| Reply::status(status));
        let result = get(&plain(&bytes), dir.path(), &quick(&server.mirror()));
        fails(result, dir.path(), &[words, &server.mirror(), "--mirror"], &[]);
        assert_eq!(server.asked().len(), requests, "{status}");
    }
    let (dir, served) = (tempfile::tempdir().expect("a folder"), bytes.clone());
    let server = Server::start(move |request| match request.nth {
        0 | 1 => Reply::status(503),
        _ => Reply::whole(&served),
    });
    get(&plain(&bytes), dir.path(), &quick(&server.mirror())).expect("the third time");
}

#[test]
fn lies_about_length() {
    let bytes = content(30_000, 11);
    let right = Some(bytes.len());
    for (body, length, then, words, left) in [
        // The promise alone tells: nothing is written.
        (bytes.clone(), Some(29_999), Then::Close, "offers 29999 bytes", &[][..]),
        (bytes.clone(), Some(30_001), Then::Close, "offers 30001 bytes", &[]),
        (bytes.clone(), Some(1 << 50), Then::Endless, "bytes, but the file has 30000", &[]),
        (b"<html>please log in</html>".to_vec(), Some(26), Then::Close, "offers 26 bytes", &[]),
        // A right promise that is not kept.
        (bytes[..9_000].to_vec(), right, Then::Close, "after 3 tries", &PARTS),
        // No promise.
        (bytes[..9_000].to_vec(), None, Then::Close, "after 9000 of 30000 bytes", &PARTS),
        (bytes.clone(), None, Then::Endless, "more than 30000 bytes", &[]),
        (vec![0; 30_000], right, Then::Endless, "is not the expected file", &[]),
        (vec![0; 30_000], right, Then::Close, "is not the expected file", &[]),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let server = Server::start(move |_| Reply { then, ..Reply::whole(&body).promising(length) });
        fails(get(&plain(&bytes), dir.path(), &quick(&server.mirror())), dir.path(), &[words], left);
    }
    // The right bytes and then more than was promised: the rest is not listened to.
    let (dir, body) = (tempfile::tempdir().expect("a folder"), bytes.clone());
    let server = Server::start(move |_| Reply { then: Then::Endless, ..Reply::whole(&body) });
    get(&plain(&bytes), dir.path(), &quick(&server.mirror())).expect("they are right");
    // Without a length that must be so, there is one that cannot be.
    let set = gzipped(b"twenty bytes or so..", b"sixteen bytes...");
    for (length, words) in [(None, "sends more than"), (Some(1 << 40), "offers 1099511627776 bytes")] {
        let dir = tempfile::tempdir().expect("a folder");
        let server =
            Server::start(move |_| Reply { then: Then::Endless, ..Reply::whole(b"x").promising(length) });
        fails(get(&set, dir.path(), &quick(&server.mirror())), dir.path(), &[words], &[]);
    }
}

/// One misdeed: after how many bytes it happens, and which it is.
fn misdeed() -> impl Strategy<Value = (usize, u8)> {
    (0usize..60_000, 0u8..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a server does in the first requests, the name stands for the whole file or for nothing, and an
    /// honest server afterwards is enough.
    #[test]
    fn whole_or_nothing(misdeeds in prop::collection::vec(misdeed(), 0..7)) {
        let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(60_000, 12));
        let (served, other, planned) = (bytes.clone(), content(60_000, 13), misdeeds.clone());
        let server = Server::start(move |request| {
            let honest = Reply::honest(request, &served, "\"1\"");
            match planned.get(request.nth) {
                Some(&(at, 0 | 1)) => honest.cut(at, Then::Close),
                Some(&(at, 2)) => honest.cut(at, Then::Stall),
                Some(&(at, 3)) => Reply::whole(&served).cut(at, Then::Close),
                Some(&(at, 4)) => Reply::honest(request, &other, "\"2\"").cut(at, Then::Close),
                Some(&(at, 5)) => Reply::rest(&other, at).with("ETag", "\"1\""),
                Some((_, 6)) => Reply::status(500),
                Some(_) => Reply::status(416),
                None => honest,
            }
        });
        let mirror = server.mirror();
        let options = infogan_fetch::Options { stall: std::time::Duration::from_millis(30), ..quick(&mirror) };
        let target = dir.path().join(NAME);
        // Each call that fails used up at least one misdeed.
        for _ in 0..=misdeeds.len() {
            if get(&plain(&bytes), dir.path(), &options).is_ok() {
                break;
            }
            prop_assert!(!target.exists());
        }
        prop_assert_eq!(fs::read(&target).ok(), Some(bytes));
        prop_assert_eq!(files(dir.path()), [NAME]);
    }
}
