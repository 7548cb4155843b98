//! What a user sees: whole files, kept files, files in the way, locks, interrupts.

use std::fs::{self, File};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use infogan_fetch::{Event, FetchError, How, Options, fetch};

use crate::server::{Reply, Server, Then};
use crate::support::{NAME, content, counted, fails, files, get, gzipped, plain, quick};

const PART: &str = "file.bin.part";
const NOTE: &str = "file.bin.part.json";

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}

#[test]
fn a_whole_file_arrives_once() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(300_000, 1));
    let (set, server) = (plain(&bytes), Server::of(&bytes));
    let (mirror, target) = (server.mirror(), dir.path().join("deep/er"));
    let (mut progress, mut checked) = (vec![], 0);
    let made = fetch(&set, &target, &quick(&mirror), &mut |event| match event {
        Event::Progress { done, total, file } => {
            assert!(file == target.join(NAME) && total == Some(300_000));
            progress.push(done);
        }
        Event::Checking { check, .. } => {
            assert!(check.to_string().contains("published by a test"), "{check}");
            checked += 1;
        }
        _ => {}
    })
    .expect("nothing is wrong");
    assert_eq!((made.len(), made[0].how, made[0].bytes), (1, How::Downloaded, 300_000));
    assert_eq!(fs::read(&made[0].path).expect("the file"), bytes);
    assert_eq!(files(&target), [NAME]);
    assert!(progress.is_sorted() && progress.last() == Some(&300_000) && checked == 1);
    assert_eq!(server.asked()[0].path, "/d/file.bin");
    let again = get(&set, &target, &quick(&mirror)).expect("nothing is wrong");
    assert_eq!((again[0].how, server.asked().len()), (How::Kept, 1));
}

#[test]
fn a_gzip_file_is_known_by_its_content() {
    let dir = tempfile::tempdir().expect("a folder");
    let inside = b"some text, some text, some text".repeat(100);
    let (usual, other) = (gzip(&inside, 9), gzip(&inside, 0));
    assert_ne!(usual.len(), other.len());
    let (set, server) = (gzipped(&usual, &inside), Server::of(&other));
    let made = get(&set, dir.path(), &quick(&server.mirror())).expect("a mirror may compress anew");
    assert_eq!((made[0].how, made[0].bytes), (How::Downloaded, other.len() as u64));
    // A reader takes the plain file first, so it is what counts, right or wrong.
    let plain = dir.path().join("file.bin");
    fs::write(&plain, &inside).expect("a file");
    let kept = get(&set, dir.path(), &quick(&server.mirror())).expect("the right file");
    assert_eq!((&kept[0].path, kept[0].how), (&plain, How::Kept));
    fs::write(&plain, b"my own").expect("a file");
    let (set, left) = (gzipped(&usual, &inside), ["file.bin", "file.bin.gz"]);
    fails(get(&set, dir.path(), &quick(&server.mirror())), dir.path(), &["was not touched"], &left);
    assert_eq!(fs::read(&plain).expect("the file"), b"my own");
    assert_eq!(server.asked().len(), 1);
    for wrong in
        [gzip(b"another text", 6), inside.clone(), usual[..usual.len() - 3].to_vec(), gzip(&[0; 9999], 9)]
    {
        let (dir, server) = (tempfile::tempdir().expect("a folder"), Server::of(&wrong));
        fails(
            get(&set, dir.path(), &quick(&server.mirror())),
            dir.path(),
            &["is not the expected file"],
            &[],
        );
    }
}

#[test]
fn a_wrong_file_in_the_way_is_not_touched() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(1000, 2));
    let server = Server::of(&bytes);
    fs::write(dir.path().join(NAME), b"my thesis").expect("a file");
    let result = get(&plain(&bytes), dir.path(), &quick(&server.mirror()));
    assert!(matches!(result, Err(FetchError::InTheWay { .. })));
    fails(
        result,
        dir.path(),
        &[NAME, "was not touched", "SHA-256", "published by a test", "remove it"],
        &[NAME],
    );
    assert_eq!(fs::read(dir.path().join(NAME)).expect("the file"), b"my thesis");
    assert!(server.asked().is_empty());
}

#[test]
fn folders_that_cannot_be() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(10, 2));
    let (server, file) = (Server::of(&bytes), dir.path().join("a-file"));
    fs::write(&file, b"").expect("a file");
    let result = get(&plain(&bytes), &file, &quick(&server.mirror()));
    fails(result, dir.path(), &["a-file", "choose another folder"], &["a-file"]);
    let result = get(&plain(&bytes), &dir.path().join("new"), &quick("file:///etc/"));
    fails(result, dir.path(), &["neither http nor https"], &["a-file"]);
    assert!(!dir.path().join("new").exists());
    fs::create_dir(dir.path().join(NAME)).expect("a folder");
    fails(
        get(&plain(&bytes), dir.path(), &quick(&server.mirror())),
        dir.path(),
        &["cannot", NAME],
        &["a-file"],
    );
}

#[test]
fn one_at_a_time() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(10, 3));
    let server = Server::of(&bytes);
    let lock = File::create(dir.path().join(".fetch.lock")).expect("a file");
    lock.try_lock().expect("nobody holds it");
    let result = get(&plain(&bytes), dir.path(), &quick(&server.mirror()));
    assert!(matches!(result, Err(FetchError::Busy { .. })));
    fails(result, dir.path(), &["another process"], &[]);
    drop(lock);
    get(&plain(&bytes), dir.path(), &quick(&server.mirror())).expect("the lock is free");
}

#[test]
fn an_interrupt_ends_a_silent_wait_and_keeps_the_part() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(200_000, 4));
    let (set, served) = (plain(&bytes), bytes.clone());
    let server = Server::start(move |request| {
        let reply = Reply::honest(request, &served, "\"1\"");
        if request.nth == 0 { reply.cut(50_000, Then::Stall) } else { reply }
    });
    let (mirror, flag, begun) = (server.mirror(), AtomicBool::new(false), Instant::now());
    let patient = Options { stall: Duration::from_secs(60), interrupt: Some(&flag), ..quick(&mirror) };
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            // When what is sent has arrived, the wait is silent.
            while fs::metadata(dir.path().join(PART)).map_or(0, |found| found.len()) < 50_000 {
                assert!(begun.elapsed() < Duration::from_secs(10), "the beginning never came");
                std::thread::sleep(Duration::from_millis(5));
            }
            flag.store(true, Ordering::Relaxed);
        });
        get(&set, dir.path(), &patient)
    });
    assert!(matches!(result, Err(FetchError::Interrupted { .. })), "{result:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    fails(result, dir.path(), &["run the same command again"], &[PART, NOTE]);
    flag.store(false, Ordering::Relaxed);
    get(&set, dir.path(), &patient).expect("it goes on");
    assert_eq!(server.asked()[1].from, Some(50_000));
    assert_eq!(fs::read(dir.path().join(NAME)).expect("the file"), bytes);
    flag.store(true, Ordering::Relaxed);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let result = get(&set, elsewhere.path(), &patient);
    assert!(matches!(result, Err(FetchError::Interrupted { .. })), "{result:?}");
    assert_eq!(server.asked().len(), 2, "nothing is asked once the flag is set");
}

#[test]
fn an_interrupt_ends_a_pause() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(10, 5));
    let server = Server::start(|_| Reply::status(503));
    let (mirror, flag, begun) = (server.mirror(), AtomicBool::new(false), Instant::now());
    let slow = Options { pause: Duration::from_secs(60), interrupt: Some(&flag), ..quick(&mirror) };
    let result = fetch(&plain(&bytes), dir.path(), &slow, &mut |event| {
        if let Event::Retrying { pause, .. } = event {
            assert_eq!(pause, Duration::from_secs(60));
            flag.store(true, Ordering::Relaxed);
        }
    });
    assert!(matches!(result, Err(FetchError::Interrupted { .. })), "{result:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_and_leaves_the_part() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(10_000, 6));
    let server = Server::of(&bytes);
    // Every byte written there finds the disk full.
    std::os::unix::fs::symlink("/dev/full", dir.path().join(PART)).expect("a link");
    let (result, _, again) = counted(&plain(&bytes), dir.path(), &quick(&server.mirror()));
    fails(result, dir.path(), &["cannot write", PART, "free some space"], &[PART, NOTE]);
    assert_eq!(again, 0, "a full disk is not tried again");
}

#[test]
fn no_server_and_no_name() {
    let (dir, bytes) = (tempfile::tempdir().expect("a folder"), content(10, 7));
    // A port that was free a moment ago.
    let gone = {
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}/", port.local_addr().expect("its address"))
    };
    for mirror in [gone.as_str(), "http://no-such-host.invalid/"] {
        let result = get(&plain(&bytes), dir.path(), &quick(mirror));
        fails(result, dir.path(), &[mirror, "check the network"], &[]);
    }
    // A server that knows no TLS is told apart, without a panic.
    let server = Server::of(&bytes);
    let secure = server.mirror().replace("http:", "https:");
    let result = get(&plain(&bytes), dir.path(), &quick(&secure));
    fails(result, dir.path(), &["https://127.0.0.1"], &[]);
}

#[test]
fn a_mirror_that_compresses_anew_in_between_is_noticed() {
    let (dir, inside) = (tempfile::tempdir().expect("a folder"), content(20_000, 8));
    let (first, second) = (gzip(&inside, 0), gzip(&[inside.as_slice(), b"!"].concat(), 0));
    let (set, whole) = (gzipped(&first, &inside), first.clone());
    // The name stays, so only the length of the whole tells.
    let server = Server::start(move |request| match request.from {
        Some(from) => Reply::rest(&second, from).with("ETag", "\"1\""),
        None if request.nth == 0 => Reply::honest(request, &whole, "\"1\"").cut(9_000, Then::Close),
        None => Reply::whole(&whole),
    });
    let (result, anew, again) = counted(&set, dir.path(), &quick(&server.mirror()));
    result.expect("the whole, in one go");
    assert_eq!((anew, again, server.asked().len()), (1, 1, 3));
    assert_eq!(fs::read(dir.path().join("file.bin.gz")).expect("the file"), first);
}
