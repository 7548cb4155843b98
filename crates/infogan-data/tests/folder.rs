//! Folders of pictures as people have them.

use std::{fs, path::Path};

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use infogan_data::{Fit, Folder, FolderOptions, check_folder, glance, load_folder};

fn colour(number: u8) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(20, 16, |x, y| Rgb([number, x as u8 * 9, y as u8 * 11])))
}

fn grey(number: u8) -> DynamicImage {
    DynamicImage::ImageLuma8(GrayImage::from_fn(20, 16, |x, y| Luma([number ^ (x * 5 + y) as u8])))
}

fn put(dir: &Path, name: &str, picture: &DynamicImage) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save_with_format(&path, ImageFormat::Png).unwrap();
}

fn load(dir: &Path) -> Folder {
    load_with(dir, None)
}

fn load_with(dir: &Path, labels: Option<&Path>) -> Folder {
    let options = FolderOptions { fit: Fit::to([3, 8, 8]), labels: labels.map(Path::to_path_buf) };
    load_folder(dir, &options, &|_, _| ()).unwrap()
}

#[test]
fn folders_are_classes_and_a_tenth_of_each_is_held_out() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..30 {
        put(dir.path(), &format!("cats/deep/{number}.png"), &colour(number));
        put(dir.path(), &format!("dogs/{number}.png"), &colour(100 + number));
    }
    let Folder { train, test, report } = load(dir.path());
    assert_eq!((train.len(), test.len()), (54, 6));
    assert_eq!(train.class_names(), ["cats", "dogs"]);
    for set in [&train, &test] {
        let cats = set.labels().unwrap().iter().filter(|label| **label == 0).count();
        assert_eq!(2 * cats, set.len());
    }
    assert_eq!(report.classes.into_iter().collect::<Vec<_>>(), [("cats".into(), 30), ("dogs".into(), 30)]);
    assert_eq!(report.sizes["20×16"], 60);
    assert_eq!(report.modes["PNG colour"], 60);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    // The same again, and wherever the folder lies.
    let moved = tempfile::tempdir().unwrap();
    let other = moved.path().join("elsewhere");
    fs::rename(dir.path(), &other).unwrap();
    assert_eq!(load(&other).train.content_hash(), train.content_hash());
}

#[test]
fn folders_named_as_halves_are_halves() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..12 {
        put(dir.path(), &format!("train/a/{number}.png"), &colour(number));
        put(dir.path(), &format!("train/b/{number}.png"), &colour(50 + number));
        put(dir.path(), &format!("val/a/{number}.png"), &colour(100 + number));
    }
    let Folder { train, test, .. } = load(dir.path());
    assert_eq!((train.len(), test.len()), (24, 12));
    assert_eq!(test.class_names(), ["a", "b"]);
    assert_eq!(test.labels(), Some(&[0; 12][..]));
}

#[test]
fn the_usual_mistakes_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..4 {
        put(dir.path(), &format!("pictures/{number}.png"), &colour(7));
        put(dir.path(), &format!("pictures/g{number}.jpg"), &grey(number));
    }
    let report = load(dir.path()).report;
    let warnings = report.warnings.join("\n");
    assert!(warnings.contains("one class, 'pictures'"), "{warnings}");
    assert!(warnings.contains("4 files are named otherwise"), "{warnings}");
    assert!(warnings.contains("3 of 8 pictures are there twice"), "{warnings}");
    assert!(warnings.contains("4 pictures are in colour and 4 are grey"), "{warnings}");
    assert_eq!(report.duplicates[0].len(), 4);
    put(dir.path(), "beside.png", &colour(1));
    let report = load(dir.path()).report;
    assert!(report.classes.is_empty());
    assert!(report.warnings[0].contains("1 of 9 pictures lie beside the folders"), "{:?}", report.warnings);
}

#[test]
fn what_cannot_be_used_is_named_and_the_rest_is() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "good.png", &colour(1));
    put(dir.path(), "unnamed", &colour(2));
    let good = fs::read(dir.path().join("good.png")).unwrap();
    fs::write(dir.path().join("cut.png"), &good[..good.len() / 2]).unwrap();
    fs::write(dir.path().join("empty.jpg"), b"").unwrap();
    fs::write(dir.path().join("text.webp"), b"no picture at all").unwrap();
    fs::write(dir.path().join("notes.txt"), b"no picture, and none claimed").unwrap();
    fs::write(dir.path().join(".hidden.png"), b"passed over").unwrap();
    fs::create_dir(dir.path().join("folder.png")).unwrap();
    let (done, all) = (std::sync::atomic::AtomicUsize::new(0), 3);
    let report = check_folder(dir.path(), None, &|_, of| {
        assert_eq!(of, all);
        done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    })
    .unwrap();
    assert_eq!(done.into_inner(), all);
    assert_eq!((report.ok, report.ignored), (2, 1));
    let rejected: Vec<(String, &str)> =
        (report.rejected.iter()).map(|one| (one.file.display().to_string(), one.reason.as_str())).collect();
    assert_eq!(rejected.len(), 3, "{rejected:?}");
    for (found, (name, reason)) in
        rejected.iter().zip([("cut.png", "decode"), ("empty.jpg", "empty"), ("text.webp", "no picture")])
    {
        assert!(found.0 == name && found.1.contains(reason), "{found:?}");
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["rejected"][0]["file"], "cut.png");
    assert_eq!(load(dir.path()).train.len() + load(dir.path()).test.len(), 2);
}

/// What lies here keeps its name, whatever links come before it in the alphabet; links are told.
#[cfg(unix)]
#[test]
fn links_take_no_folders_name() {
    use std::os::unix::{ffi::OsStrExt, fs::symlink};
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    put(dir.path(), "z/one.png", &colour(1));
    put(dir.path(), "like.png/two.png", &colour(2));
    put(elsewhere.path(), "three.png", &colour(3));
    symlink("z", dir.path().join("a")).unwrap();
    symlink(elsewhere.path(), dir.path().join("far")).unwrap();
    // Behind a link, what is known already keeps its name too.
    symlink(elsewhere.path().join("in"), dir.path().join("b")).unwrap();
    put(elsewhere.path(), "in/five.png", &colour(5));
    for number in 0..300 {
        symlink("..", dir.path().join(format!("z/loop {number:03}"))).unwrap();
    }
    for name in [[0xfe], [0xff]] {
        put(&dir.path().join(std::ffi::OsStr::from_bytes(&name)), "four.png", &colour(name[0]));
    }
    let report = check_folder(dir.path(), None, &|_, _| ()).unwrap();
    let classes: Vec<&str> = report.classes.keys().map(String::as_str).collect();
    assert_eq!(classes, ["\\xfe", "\\xff", "b", "far", "like.png", "z"]);
    assert_eq!(report.ok, 6);
    let warns = |text: &str| report.warnings.iter().any(|warning| warning.contains(text));
    assert!(warns("a: another name of a folder that is read already"), "{:?}", report.warnings);
    assert!(warns("b: a link out of this folder") && warns("far: a link out"), "{:?}", report.warnings);
    assert!(warns("292 more: another name"), "{:?}", report.warnings);
    assert!(warns("like.png: a folder that is named as a picture"), "{:?}", report.warnings);
}

/// Links to the whole machine are named and not followed.
#[cfg(unix)]
#[test]
fn links_to_everything_are_refused() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("inner");
    put(&inner, "a/good.png", &colour(1));
    put(dir.path(), "beside.png", &colour(2));
    for (target, name) in
        [("..", "around"), ("/", "machine"), ("/proc/self", "process"), ("/proc/kmsg", "log.png")]
    {
        symlink(target, inner.join(name)).unwrap();
    }
    let report = check_folder(&inner, None, &|_, _| ()).unwrap();
    assert_eq!((report.ok, report.ignored), (1, 0));
    let reasons: Vec<String> = report.rejected.iter().map(ToString::to_string).collect();
    assert!(reasons[0].starts_with("around: the link leads to a folder around"), "{reasons:?}");
    if cfg!(target_os = "linux") {
        // A log that waits for news has no length, and is not opened.
        assert!(reasons.iter().any(|reason| reason == "log.png: it is empty"), "{reasons:?}");
        assert!(reasons.iter().any(|reason| reason.starts_with("process: ")), "{reasons:?}");
    }
    assert!(reasons.iter().any(|reason| reason.starts_with("machine: ")), "{reasons:?}");
}

/// Files that go, shrink or turn into something else between the first look and the reading.
#[test]
fn files_may_vanish_while_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..60 {
        put(dir.path(), &format!("{number:02}.png"), &colour(number));
    }
    let once = std::sync::Once::new();
    let harm = || {
        for number in 0..60 {
            let path = dir.path().join(format!("{number:02}.png"));
            match number % 3 {
                0 => fs::remove_file(path).unwrap(),
                1 => fs::write(path, b"\x89PNG").unwrap(),
                _ => fs::remove_file(&path).and_then(|()| fs::create_dir(&path)).unwrap(),
            }
        }
    };
    let report = check_folder(dir.path(), None, &|_, _| once.call_once(harm)).unwrap();
    assert_eq!(report.ok + report.rejected.len(), 60);
    assert!(report.rejected.len() > 20, "{report:?}");
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "good.png", &colour(1));
    put(dir.path(), "secret.png", &colour(2));
    put(dir.path(), "closed/a.png", &colour(3));
    let lock = |name: &str, mode| {
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    lock("secret.png", 0);
    lock("closed", 0);
    if fs::read(dir.path().join("secret.png")).is_ok() {
        println!("skipped: this user may read everything");
        lock("closed", 0o700);
        return;
    }
    let report = check_folder(dir.path(), None, &|_, _| ()).unwrap();
    lock("closed", 0o700);
    let names: Vec<_> = report.rejected.iter().map(|one| one.file.display().to_string()).collect();
    assert_eq!((report.ok, names), (1, vec!["closed".to_owned(), "secret.png".to_owned()]));
}

/// A table finds rows for the pictures of its folder and opens nothing that it names; nothing in it moves a terminal.
#[test]
fn a_table_names_what_it_likes() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..2 {
        put(dir.path(), &format!("{number}.png"), &colour(number));
    }
    let outside = dir.path().join("0.png").display().to_string();
    let table = format!(
        "file,hair\x1b[2J,class\n../../etc/passwd,a,x\n/etc/passwd,b,y\n0.png,red\x07,z\u{202e}\n1.png,fair,w\n{outside}/x,a,b\n"
    );
    fs::write(dir.path().join("labels.csv"), table).unwrap();
    let Folder { train, report, .. } = load(dir.path());
    assert_eq!(train.factors()[0].name, "hair\\u{1b}[2J");
    assert_eq!(report.classes.keys().collect::<Vec<_>>(), ["w", "z\\u{202e}"]);
    let told = format!("{report:?}");
    assert!(
        report.warnings.iter().any(|one| one.contains("3 rows of the table")) && !told.contains('\u{1b}'),
        "{told}"
    );
}

#[test]
fn what_only_begins_like_a_picture_is_none() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "good.png", &colour(1));
    fs::write(dir.path().join("notes"), "BM begins this text, which is none of a picture's business.")
        .unwrap();
    let report = check_folder(dir.path(), None, &|_, _| ()).unwrap();
    assert_eq!((report.ok, report.ignored, report.rejected.len()), (1, 1, 0));
}

/// Longer than any picture file may be: refused by its length, not read.
#[test]
fn an_enormous_file_is_refused_unread() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "good.png", &colour(1));
    let file = fs::File::create(dir.path().join("sparse.jpg")).unwrap();
    std::io::Write::write_all(&mut &file, b"\xff\xd8\xff\xe0").unwrap();
    file.set_len(1 << 40).unwrap();
    let begun = std::time::Instant::now();
    let report = check_folder(dir.path(), None, &|_, _| ()).unwrap();
    assert_eq!(report.rejected[0].reason, "it is longer than 256 MB");
    // Reading a terabyte of nothing takes minutes.
    assert!(begun.elapsed().as_secs() < 20);
}

#[cfg(unix)]
#[test]
fn strange_files_and_links_end() {
    use std::os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener};
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "a/one.png", &colour(1));
    symlink("..", dir.path().join("a/loop")).unwrap();
    symlink("a", dir.path().join("again")).unwrap();
    symlink("nowhere", dir.path().join("lost.png")).unwrap();
    let _socket = UnixListener::bind(dir.path().join("socket.png")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(dir.path().join("pipe.jpg")).status();
    let name = std::ffi::OsStr::from_bytes(b"a/\xff\xfe.png");
    fs::copy(dir.path().join("a/one.png"), dir.path().join(name)).unwrap();
    let report = check_folder(dir.path(), None, &|_, _| ()).unwrap();
    // Either way into the folder finds the same two pictures once.
    assert_eq!(report.ok, 2, "{report:?}");
    let rejected: Vec<String> = report.rejected.iter().map(|one| one.file.display().to_string()).collect();
    let mut expected = vec!["lost.png", "socket.png"];
    if pipe.is_ok_and(|status| status.success()) {
        expected.insert(1, "pipe.jpg");
    }
    assert_eq!(rejected, expected);
    assert!(serde_json::to_string(&report).is_ok(), "names that are not UTF-8 are shown as well as can be");
}

#[test]
fn a_table_gives_classes_and_attributes() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..12 {
        put(dir.path(), &format!("{number}.png"), &colour(number));
    }
    let table = dir.path().join("labels.csv");
    let rows: String =
        (0..11).map(|n| format!("{n}.png,{},{}\n", n % 3, if n % 2 == 0 { "yes" } else { "no" })).collect();
    fs::write(&table, format!("file,class,glasses\n{rows}lost.png,0,no\n")).unwrap();
    // A row without a class is as good as none.
    put(dir.path(), "nameless.png", &colour(99));
    fs::write(&table, fs::read_to_string(&table).unwrap() + "nameless.png,,no\n").unwrap();
    let Folder { train, test, report } = load_with(dir.path(), Some(&table));
    assert_eq!(train.len() + test.len(), 11);
    assert_eq!(train.class_names(), ["0", "1", "2"]);
    assert_eq!(train.factors()[0].name, "glasses");
    let rejected: Vec<&Path> = report.rejected.iter().map(|one| one.file.as_path()).collect();
    assert_eq!(rejected, [Path::new("11.png"), Path::new("nameless.png")]);
    assert!(
        report.warnings.iter().any(|warning| warning.contains("2 rows of the table")),
        "{:?}",
        report.warnings
    );
}

/// As `infogan data convert --to folder` writes it.
#[test]
fn a_folder_brings_its_table_along() {
    let dir = tempfile::tempdir().unwrap();
    let mut table = "file,glasses\n".to_owned();
    for number in 0..6 {
        let file = format!("{}/{}/{number}.png", ["train", "test"][number % 2], ["a", "b", "c"][number % 3]);
        put(dir.path(), &file, &colour(number as u8));
        table.push_str(&format!("{file},{}\n", ["no", "yes"][number % 2]));
    }
    let own = dir.path().join("labels.csv");
    fs::write(&own, &table).unwrap();
    let Folder { train, test, report } = load(dir.path());
    assert_eq!((train.len(), test.len(), train.class_names().len()), (3, 3, 3));
    assert_eq!(
        (train.factors()[0].values.shown(0), test.factors()[0].values.shown(0)),
        ("no".into(), "yes".into())
    );
    assert!(!report.warnings.iter().any(|warning| warning.contains("labels.csv")), "{:?}", report.warnings);
    // One that is none of this folder, or no table at all, is told and left.
    for (content, reason) in
        [("file,glasses\nother.png,no\n", "none of the pictures"), ("words", "no column")]
    {
        fs::write(&own, content).unwrap();
        let Folder { train, report, .. } = load(dir.path());
        assert_eq!((train.len(), train.factors().len(), train.class_names().len()), (3, 0, 3));
        assert!(
            report.warnings.iter().any(|one| one.contains("labels.csv") && one.contains(reason)),
            "{report:?}"
        );
    }
    // One that leaves out most of the pictures is worth a warning.
    fs::write(&own, "file,glasses\ntrain/a/0.png,no\ntest/b/1.png,yes\n").unwrap();
    let Folder { train, report, .. } = load(dir.path());
    assert_eq!((train.len(), report.rejected.len()), (1, 4));
    assert!(
        report.warnings.iter().any(|warning| warning.contains("no row for 4 of 6 pictures")),
        "{report:?}"
    );
}

/// A row is of one file: of that at its path, or of the only one whose path ends as it says.
#[test]
fn a_table_labels_no_file_that_it_does_not_mean() {
    let dir = tempfile::tempdir().unwrap();
    for (number, class) in ["cat", "dog"].into_iter().enumerate() {
        put(dir.path(), &format!("{class}/0.png"), &colour(number as u8));
        put(dir.path(), &format!("{class}/{class}.png"), &colour(9 - number as u8));
    }
    let table = tempfile::tempdir().unwrap();
    let table = table.path().join("t.csv");
    let usable = |rows: &str| {
        fs::write(&table, format!("file,fur\n{rows}")).unwrap();
        let report = check_folder(dir.path(), Some(&table), &|_, _| ()).unwrap();
        let rejected: Vec<String> = report.rejected.iter().map(ToString::to_string).collect();
        (report.ok, rejected.join("\n"))
    };
    // A path is of its own file alone, and may begin above the folder or within it.
    assert_eq!(usable("cat/0.png,long\n").0, 1);
    assert_eq!(usable("pets/cat/0.png,long\ndog.png,short\n").0, 2);
    // A bare name that two files have is nobody's.
    let (ok, rejected) = usable("0.png,long\ncat.png,short\n");
    assert!(ok == 1 && rejected.contains("cat/0.png: the table's row may mean several"), "{rejected}");
    assert!(rejected.contains("dog/0.png: the table's row may mean several"), "{rejected}");
}

#[test]
fn a_lonely_half_keeps_its_classes_and_pictures_of_other_kinds_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..40 {
        put(dir.path(), &format!("train/{}/{number}.png", ["a", "b"][number % 2]), &colour(number as u8));
    }
    fs::write(dir.path().join("train/a/photo.HEIC"), b"not read").unwrap();
    let Folder { train, test, report } = load(dir.path());
    assert_eq!((train.class_names().len(), train.len() + test.len(), test.len()), (2, 40, 4));
    assert!(
        report.warnings.iter().any(|warning| warning.contains("photo.HEIC: a picture of a kind")),
        "{report:?}"
    );
}

#[test]
fn a_glance_sees_colour_and_nothing_at_all_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "a.png", &grey(1));
    // Grey stored as colour is grey.
    put(dir.path(), "b.png", &DynamicImage::ImageRgb8(grey(2).to_rgb8()));
    assert!(!glance(dir.path()).unwrap().colour);
    put(dir.path(), "c.png", &DynamicImage::ImageRgba8(RgbaImage::from_pixel(3, 3, Rgba([255, 0, 0, 255]))));
    assert!(glance(dir.path()).unwrap().colour);
    let empty = tempfile::tempdir().unwrap();
    assert!(glance(empty.path()).unwrap_err().to_string().contains("*.png"));
    let only_bad = tempfile::tempdir().unwrap();
    fs::write(only_bad.path().join("a.png"), b"nothing").unwrap();
    let options = FolderOptions { fit: Fit::to([3, 8, 8]), labels: None };
    let error = load_folder(only_bad.path(), &options, &|_, _| ()).unwrap_err().to_string();
    assert!(error.contains("none of its pictures") && error.contains("a.png"), "{error}");
}
