use super::*;
use std::collections::BTreeSet;
use std::process::Command;
use tempfile::{TempDir, tempdir};

/// A small file system of our own, unmounted when dropped.
pub(crate) struct Mount(TempDir);

impl Mount {
    /// None, with a plain line, where this user may not mount.
    pub(crate) fn new(options: &str) -> Option<Self> {
        let place = tempdir().unwrap();
        let mount = Self::run("mount", &["-t", "tmpfs", "-o", options, "tmpfs"], place.path());
        if !mount {
            println!("skipped: a tmpfs cannot be mounted here");
            return None;
        }
        Some(Self(place))
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// False, with a plain line, where that is not possible.
    pub(crate) fn make_read_only(&self) -> bool {
        let done = Self::run("mount", &["-o", "remount,ro"], self.path());
        if !done {
            println!("skipped: the tmpfs cannot be made read-only here");
        }
        done
    }

    fn run(program: &str, arguments: &[&str], place: &Path) -> bool {
        let output = Command::new(program).args(arguments).arg(place).output();
        output.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if !Self::run("umount", &[], self.0.path()) {
            println!("could not unmount {}", self.0.path().display());
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn numbers_go_up_and_lists_are_sorted() {
    let root = tempdir().unwrap();
    let root = root.path().join("runs");
    assert!(list_runs(&root).unwrap().is_empty());
    let first = RunDir::create_numbered(&root, "mnist-seed0").unwrap();
    assert_eq!(first.path(), root.join("00000-mnist-seed0"));
    let second = RunDir::create_numbered(&root, "a name/with ../parts").unwrap();
    assert_eq!(second.path(), root.join("00001-a-name-with-..-parts"));
    fs::create_dir(root.join("00041-x")).unwrap();
    fs::create_dir(root.join("notes")).unwrap();
    fs::create_dir(root.join("7-short")).unwrap();
    fs::write(root.join("00099-a-file"), "").unwrap();
    let third = RunDir::create_numbered(&root, "").unwrap();
    assert_eq!(third.path(), root.join("00042-run"));
    let numbers: Vec<u32> = list_runs(&root).unwrap().into_iter().map(|(n, _)| n).collect();
    assert_eq!(numbers, [0, 1, 41, 42]);
}

#[test]
fn processes_at_the_same_time_get_different_numbers() {
    let root = tempdir().unwrap();
    let root = root.path();
    std::thread::scope(|scope| {
        for worker in 0..8 {
            scope.spawn(move || {
                for _ in 0..4 {
                    RunDir::create_numbered(root, &format!("worker{worker}")).unwrap();
                }
            });
        }
    });
    let runs = list_runs(root).unwrap();
    let numbers: BTreeSet<u32> = runs.iter().map(|(number, _)| *number).collect();
    assert_eq!((runs.len(), numbers.len()), (32, 32), "a number was given twice: {runs:?}");
}

#[test]
fn a_run_is_locked_once_and_the_error_names_the_process() {
    let root = tempdir().unwrap();
    let mut first = RunDir::create(&root.path().join("deep/run")).unwrap();
    first.write_config("seed = 0\n").unwrap();
    first.lock().unwrap();
    first.lock().unwrap();
    assert!(first.is_locked());
    let mut second = RunDir::open(first.path()).unwrap();
    let message = second.lock().unwrap_err().to_string();
    let pid = format!("another process (pid {}) is training in this run", std::process::id());
    assert!(message.starts_with(&pid), "{message}");
    drop(first);
    second.lock().unwrap();
}

#[test]
fn the_lock_of_a_dead_process_does_not_count() {
    let root = tempdir().unwrap();
    fs::write(root.path().join(".lock"), "4194000000 is longer than a pid\n").unwrap();
    let mut run = RunDir::create(root.path()).unwrap();
    run.lock().unwrap();
    let written = fs::read_to_string(root.path().join(".lock")).unwrap();
    assert_eq!(written, format!("{}\n", std::process::id()));
}

#[test]
fn what_is_not_a_run_is_named() {
    let root = tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let missing = root.path().join("nothing");
    for (path, reason) in [
        (missing.as_path(), "does not exist"),
        (&file, "is not a directory"),
        (root.path(), "holds no config.toml"),
    ] {
        let message = RunDir::open(path).unwrap_err().to_string();
        assert!(message.contains(reason) && message.contains(path.to_str().unwrap()), "{message}");
    }
    assert!(matches!(RunDir::create(&file), Err(RunDirError::NotARun { .. })));
}

#[test]
fn the_configuration_is_replaced_whole() {
    let root = tempdir().unwrap();
    let run = RunDir::create(root.path()).unwrap();
    run.write_config("seed = 1\n").unwrap();
    run.write_config("seed = 2\n").unwrap();
    assert_eq!(run.read_config().unwrap(), "seed = 2\n");
    assert_eq!(names(root.path()), ["config.toml"]);
    fs::write(run.config(), [0xFF, 0xFE]).unwrap();
    assert!(run.read_config().unwrap_err().to_string().contains("not UTF-8"));
    fs::write(run.config(), vec![b' '; (CONFIG_LIMIT + 1) as usize]).unwrap();
    assert!(run.read_config().unwrap_err().to_string().contains("longer than"));
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
    let root = tempdir().unwrap();
    let taken = root.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("inside"), "kept").unwrap();
    assert!(atomic_write(&taken, b"bytes").is_err(), "a directory is not replaced by a file");
    assert_eq!(names(root.path()), ["taken"]);
    assert_eq!(fs::read(taken.join("inside")).unwrap(), b"kept");
    assert!(atomic_write(&root.path().join("no/such/place"), b"bytes").is_err());
    assert!(atomic_write(Path::new("/"), b"bytes").is_err());
}

#[test]
fn only_leftovers_of_writes_are_removed() {
    let root = tempdir().unwrap();
    let run = RunDir::create(root.path()).unwrap();
    fs::create_dir(run.images()).unwrap();
    for name in [".config.toml.tmp-17", "images/.fakes-00000001.png.tmp-9"] {
        fs::write(root.path().join(name), "half").unwrap();
    }
    let kept = [".hidden", "x.tmp-1", ".tmp-1", ".a.tmp-", ".a.tmp-1b", "config.toml"];
    for name in kept {
        fs::write(root.path().join(name), "whole").unwrap();
    }
    run.remove_leftovers().unwrap();
    let mut expected: Vec<&str> = kept.to_vec();
    expected.push("images");
    expected.sort_unstable();
    assert_eq!(names(root.path()), expected);
    assert!(names(&run.images()).is_empty());
}

#[test]
fn a_full_disk_keeps_the_old_file() {
    let Some(mount) = Mount::new("size=16k") else { return };
    let run = RunDir::create(mount.path()).unwrap();
    run.write_config("seed = 1\n").unwrap();
    let message = run.write_config(&"x".repeat(40_000)).unwrap_err().to_string();
    assert!(message.contains("config.toml") && message.contains("free some space"), "{message}");
    assert_eq!(run.read_config().unwrap(), "seed = 1\n");
    assert_eq!(names(mount.path()), ["config.toml"]);
}
