use super::disk::Fault;
use super::*;
use crate::run::directory::tests::Mount;
use proptest::prelude::*;
use std::fs;
use std::io::ErrorKind;
use tempfile::tempdir;

fn tensor(shape: &[usize], first: f32) -> HostTensor {
    let count = shape.iter().product();
    HostTensor { shape: shape.to_vec(), values: (0..count).map(|at| first + at as f32 * 0.25).collect() }
}

/// A small state of a step; other steps hold other values.
fn snapshot(step: u64, content: f32) -> Snapshot {
    let section = |names: &[&str]| -> HostSection {
        names.iter().map(|&name| (name.to_owned(), tensor(&[5, 3, 4], content))).collect()
    };
    Snapshot {
        step,
        counters: BTreeMap::from([("generator.optimizer.step".to_owned(), step * 2)]),
        sections: BTreeMap::from([
            ("generator".to_owned(), section(&["0.weight", "0.bias"])),
            ("generator.optimizer".to_owned(), section(&["0.weight.exp_avg"])),
        ]),
        derived: BTreeMap::from([("generator".to_owned(), section(&["1.running_mean"]))]),
        config_hash: "c0ffee".to_owned(),
        versions: BTreeMap::from([("infogan".to_owned(), "0.1.0".to_owned())]),
    }
}

fn save_with(fault: Option<Fault>, run: &Path, snapshot: &Snapshot, keep: usize) -> (Disk, bool) {
    let mut disk = Disk::with_fault(fault);
    let saved = save_on(&mut disk, run, snapshot, keep).is_ok();
    (disk, saved)
}

fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn steps(run: &Path) -> Vec<u64> {
    list(run).unwrap().into_iter().map(|(step, _)| step).collect()
}

fn load_latest(run: &Path) -> Snapshot {
    load(&latest(run).unwrap().expect("a checkpoint").1).unwrap()
}

fn bits(sections: &BTreeMap<String, HostSection>) -> Vec<(&str, &str, &[usize], Vec<u32>)> {
    let mut all = Vec::new();
    for (section, tensors) in sections {
        for (name, tensor) in tensors {
            let bits = tensor.values.iter().map(|value| value.to_bits()).collect();
            all.push((section.as_str(), name.as_str(), tensor.shape.as_slice(), bits));
        }
    }
    all
}

fn any_section() -> impl Strategy<Value = HostSection> {
    let finite = any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |v| v.is_finite());
    let tensor = prop::collection::vec(0_usize..4, 0..5).prop_flat_map(move |shape| {
        let count = shape.iter().product::<usize>();
        prop::collection::vec(finite.clone(), count)
            .prop_map(move |values| HostTensor { shape: shape.clone(), values })
    });
    prop::collection::btree_map("[a-z][a-zé\"\\\\0-9._ ]{0,12}", tensor, 0..5)
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let name = "[a-zA-Z][a-zA-Z0-9._-]{0,12}";
    (
        any::<u64>(),
        prop::collection::btree_map(".{0,20}", any::<u64>(), 0..4),
        prop::collection::btree_map(name, (any_section(), any_section()), 0..4),
        ".{0,20}",
        prop::collection::btree_map(".{0,9}", ".{0,9}", 0..3),
    )
        .prop_map(|(step, counters, both, config_hash, versions)| {
            let mut sections = BTreeMap::new();
            let mut derived = BTreeMap::new();
            for (name, (section, mut recomputed)) in both {
                recomputed.retain(|path, _| !section.contains_key(path));
                if !recomputed.is_empty() {
                    derived.insert(name.clone(), recomputed);
                }
                sections.insert(name, section);
            }
            Snapshot { step, counters, sections, derived, config_hash, versions }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_saved_is_loaded(snapshot in any_snapshot()) {
        // A snapshot with "Q" and "q" is refused.
        let lower: BTreeSet<String> = snapshot.sections.keys().map(|n| n.to_lowercase()).collect();
        prop_assume!(lower.len() == snapshot.sections.len());
        let run = tempdir().unwrap();
        let place = save(run.path(), &snapshot, 3).unwrap();
        let back = load(&place).unwrap();
        prop_assert_eq!(&back, &snapshot);
        prop_assert_eq!(bits(&back.sections), bits(&snapshot.sections));
        prop_assert_eq!(bits(&back.derived), bits(&snapshot.derived));
        prop_assert_eq!(load_meta(&place).unwrap().step, snapshot.step);
    }
}

#[test]
fn the_same_state_gives_the_same_bytes() {
    let (one, two) = (tempdir().unwrap(), tempdir().unwrap());
    let first = save(one.path(), &snapshot(12, 1.0), 1).unwrap();
    let second = save(two.path(), &snapshot(12, 1.0), 1).unwrap();
    assert_eq!(first, one.path().join("checkpoints/step-00000012"));
    let files = ["generator.optimizer.safetensors", "generator.safetensors", "meta.json"];
    assert_eq!(names(&first), files);
    for name in files {
        assert_eq!(fs::read(first.join(name)).unwrap(), fs::read(second.join(name)).unwrap());
    }
    let all = tensors::decode(&fs::read(first.join("generator.safetensors")).unwrap()).unwrap();
    let paths: Vec<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(paths, ["0.bias", "0.weight", "1.running_mean"], "one whole state dict");
}

#[test]
fn every_damage_is_refused_and_named() {
    let run = tempdir().unwrap();
    save(run.path(), &snapshot(10, 1.0), 2).unwrap();
    let place = save(run.path(), &snapshot(20, 2.0), 2).unwrap();
    let remedy = format!("delete the directory {}", place.display());
    let refused = |what: &str, file: &Path| {
        let message = load(&place).expect_err(what).to_string();
        assert!(message.contains(&*file.to_string_lossy()), "{what}: {message}");
        assert!(message.contains(&remedy), "{what}: {message}");
    };
    for name in names(&place) {
        let file = place.join(&name);
        let whole = fs::read(&file).unwrap();
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            fs::write(&file, &whole[..length]).unwrap();
            refused(&format!("{name} cut to {length}"), &file);
        }
        fs::write(&file, [whole.as_slice(), b" "].concat()).unwrap();
        refused(&format!("{name} with a byte more"), &file);
        for at in (0..whole.len()).step_by(7) {
            let mut altered = whole.clone();
            altered[at] ^= 1 << (at % 8);
            fs::write(&file, &altered).unwrap();
            // A version from the future has another remedy.
            if !matches!(load(&place), Err(CheckpointError::FutureVersion { .. })) {
                refused(&format!("{name}, byte {at}"), &file);
            }
        }
        fs::remove_file(&file).unwrap();
        refused(&format!("{name} removed"), &file);
        fs::create_dir(&file).unwrap();
        refused(&format!("a directory for {name}"), &file);
        fs::remove_dir(&file).unwrap();
        fs::write(&file, &whole).unwrap();
    }
    for extra in ["critic.safetensors", "notes.txt", "meta.json.bak"] {
        let file = place.join(extra);
        fs::write(&file, "extra").unwrap();
        refused(extra, &file);
        fs::remove_file(&file).unwrap();
    }
    fs::write(place.join(".DS_Store"), "a desktop's own").unwrap();
    assert_eq!(load(&place).unwrap(), snapshot(20, 2.0));
    let wrong = run.path().join("checkpoints/step-00000030");
    fs::rename(&place, &wrong).unwrap();
    let message = load(&wrong).unwrap_err().to_string();
    assert!(message.contains("is of step 20") && message.contains("step 30"), "{message}");
    let elsewhere = run.path().join("kept by hand");
    fs::rename(&wrong, &elsewhere).unwrap();
    assert_eq!(load(&elsewhere).unwrap().step, 20, "any other name is as good as another");
    assert_eq!(load_latest(run.path()), snapshot(10, 1.0), "the remedy works");
    assert!(matches!(load(&wrong), Err(CheckpointError::Io { .. })));
}

#[test]
fn a_file_that_lies_about_its_tensors_is_refused_under_a_right_hash() {
    let run = tempdir().unwrap();
    let place = save(run.path(), &snapshot(1, 1.0), 1).unwrap();
    let mut description = load_meta(&place).unwrap();
    let entry = description.files.get_mut("generator.safetensors").unwrap();
    entry.derived.push("2.running_mean".to_owned());
    fs::write(place.join("meta.json"), description.clone().encode().unwrap()).unwrap();
    let message = load(&place).unwrap_err().to_string();
    assert!(message.contains("generator.safetensors: lacks the tensor 2.running_mean"), "{message}");
    description.files.get_mut("generator.safetensors").unwrap().bytes = u64::MAX;
    fs::write(place.join("meta.json"), description.encode().unwrap()).unwrap();
    let message = load(&place).unwrap_err().to_string();
    assert!(message.contains("more than are read"), "{message}");
}

#[test]
fn a_version_from_the_future_is_refused_in_words() {
    let run = tempdir().unwrap();
    let place = save(run.path(), &snapshot(1, 1.0), 1).unwrap();
    let file = place.join("meta.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("\"version\": 1", "\"version\": 7", 1)).unwrap();
    let message = load(&place).unwrap_err().to_string();
    assert!(message.contains("format version 7") && message.contains("up to version 1"), "{message}");
}

#[test]
fn what_must_not_be_saved_leaves_nothing() {
    let run = tempdir().unwrap();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for derived in [false, true] {
            let mut state = snapshot(1, 1.0);
            let part = if derived { &mut state.derived } else { &mut state.sections };
            let section = part.get_mut("generator").unwrap();
            let (name, tensor) = section.iter_mut().next_back().unwrap();
            let name = name.clone();
            *tensor.values.last_mut().unwrap() = value;
            match save(run.path(), &state, 1) {
                Err(CheckpointError::NonFinite { step, section, tensor }) => {
                    assert_eq!((step, section.as_str(), tensor), (1, "generator", name));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    type Spoil = fn(&mut Snapshot);
    let bad: [(&str, Spoil); 7] = [
        ("not a plain name", |s| {
            s.sections.insert("../q".to_owned(), HostSection::new());
        }),
        ("by case alone", |s| {
            s.sections.insert("Generator".to_owned(), HostSection::new());
        }),
        ("no state", |s| {
            s.derived.insert("q".to_owned(), HostSection::new());
        }),
        ("both state and derived", |s| {
            let derived = s.derived["generator"].clone();
            s.sections.get_mut("generator").unwrap().extend(derived);
        }),
        ("cannot name a tensor", |s| {
            let section = s.sections.get_mut("generator").unwrap();
            section.insert("__metadata__".to_owned(), tensor(&[1], 0.0));
        }),
        ("has shape [4611686018427387904, 4]", |s| {
            let section = s.sections.get_mut("generator").unwrap();
            let shape = vec![1 << 62, 4];
            section.insert("w".to_owned(), HostTensor { shape, values: Vec::new() });
        }),
        ("has shape [1, 1, 1, 1, 1, 1, 1, 1, 1]", |s| {
            let section = s.sections.get_mut("generator").unwrap();
            section.insert("w".to_owned(), tensor(&[1; 9], 0.0));
        }),
    ];
    for (reason, spoil) in bad {
        let mut state = snapshot(1, 1.0);
        spoil(&mut state);
        let message = save(run.path(), &state, 1).expect_err(reason).to_string();
        assert!(message.contains(reason), "{message}");
    }
    assert!(names(run.path()).is_empty(), "nothing on disk");
}

#[test]
fn the_last_ones_are_kept() {
    let run = tempdir().unwrap();
    assert!(list(run.path()).unwrap().is_empty() && latest(run.path()).unwrap().is_none());
    for step in [10, 20, 30, 40] {
        save(run.path(), &snapshot(step, 1.0), 3).unwrap();
    }
    assert_eq!(steps(run.path()), [20, 30, 40]);
    fs::create_dir(run.path().join("checkpoints/step-7")).unwrap();
    fs::create_dir(run.path().join("checkpoints/best")).unwrap();
    fs::write(run.path().join("checkpoints/step-00000099"), "a file").unwrap();
    assert_eq!(steps(run.path()), [20, 30, 40], "other names are not ours");
    prune(run.path(), 0).unwrap();
    assert_eq!(steps(run.path()), [40], "the newest is never deleted");
    // The one just written stays, even when a later one exists.
    save(run.path(), &snapshot(15, 1.0), 1).unwrap();
    assert_eq!(steps(run.path()), [15, 40]);
    save(run.path(), &snapshot(123_456_789, 1.0), 1).unwrap();
    assert_eq!(steps(run.path()), [123_456_789]);
    let expected = ["best", "step-00000099", "step-123456789", "step-7"];
    assert_eq!(names(&run.path().join("checkpoints")), expected);
}

/// Calls `check` after a save of step `new` was cut short at every operation, over a run that holds step 10.
fn cut_everywhere(fault: fn(usize) -> Fault, new: u64, check: impl Fn(&Path, bool, usize)) {
    for at in 0.. {
        let run = tempdir().unwrap();
        save(run.path(), &snapshot(10, 1.0), 1).unwrap();
        let (disk, saved) = save_with(Some(fault(at)), run.path(), &snapshot(new, 2.0), 1);
        if disk.trace.len() <= at {
            assert!(saved && at > 20, "the last round runs without a fault: {:?}", disk.trace);
            return;
        }
        check(run.path(), saved, at);
    }
}

#[test]
fn a_crash_at_any_operation_leaves_the_old_or_the_new() {
    // Another step beside the old one, and the same step in its place.
    for new in [20, 10] {
        cut_everywhere(Fault::Crash, new, |run, saved, at| {
            assert!(!saved || at > 20, "operation {at}");
            for (step, place) in list(run).unwrap() {
                load(&place).unwrap_or_else(|error| panic!("step {step} after {at}: {error}"));
            }
            let survivor = load_latest(run);
            assert!(survivor == snapshot(10, 1.0) || survivor == snapshot(new, 2.0), "at {at}");
            clean(run).unwrap();
            assert_eq!(load_latest(run), survivor, "cleaning after {at} changed the state");
            let left = names(&run.join("checkpoints"));
            assert!(left.iter().all(|name| name.starts_with("step-")), "at {at}: {left:?}");
            save(run, &snapshot(new, 2.0), 1).unwrap();
            assert_eq!(load_latest(run), snapshot(new, 2.0));
            assert_eq!(names(&run.join("checkpoints")).len(), 1, "at {at}");
        });
        // The same without cleaning in between: the next save alone brings order.
        cut_everywhere(Fault::Crash, new, |run, _, at| {
            save(run, &snapshot(new, 3.0), 1).unwrap();
            assert_eq!(load_latest(run), snapshot(new, 3.0), "at {at}");
            save(run, &snapshot(30, 3.0), 1).unwrap();
            assert_eq!(steps(run), [30], "at {at}");
        });
    }
}

#[test]
fn one_refused_operation_leaves_the_old_whole_and_nothing_beside_it() {
    for new in [20, 10] {
        cut_everywhere(Fault::Once, new, |run, saved, at| {
            assert!(!saved, "the error of operation {at} was swallowed");
            let survivor = load_latest(run);
            if survivor == snapshot(10, 1.0) {
                assert_eq!(names(&run.join("checkpoints")), ["step-00000010"], "at {at}");
            } else {
                assert_eq!(survivor, snapshot(new, 2.0), "at {at}");
            }
        });
    }
}

/// What a power cut can take is decided by the order of the syncs.
#[test]
fn everything_is_synced_before_it_is_named_and_named_before_the_old_goes() {
    let run = tempdir().unwrap();
    save(run.path(), &snapshot(10, 1.0), 1).unwrap();
    let (disk, saved) = save_with(None, run.path(), &snapshot(20, 2.0), 1);
    assert!(saved);
    let trace: Vec<&str> = disk.trace.iter().map(String::as_str).collect();
    let own = format!(".step-00000020.tmp-{}", std::process::id());
    let after = |from: usize, what: &str| {
        let found = trace[from..].iter().position(|&operation| operation == what);
        from + found.unwrap_or_else(|| panic!("no {what:?} from {from} on in {trace:#?}"))
    };
    let mut at = after(0, &format!("make {own}"));
    for name in ["generator.safetensors", "generator.optimizer.safetensors", "meta.json"] {
        at = after(at, &format!("create {name}"));
        at = after(at, &format!("sync {name}"));
    }
    at = after(at, &format!("sync {own}"));
    at = after(at, &format!("rename {own}"));
    at = after(at, "sync checkpoints");
    assert!(!trace[..at].iter().any(|operation| operation.starts_with("remove")), "{trace:#?}");
    at = after(at, "rename step-00000010");
    at = after(at, "sync checkpoints");
    after(at, "remove meta.json");
}

#[test]
fn leftovers_of_dead_writers_go_and_the_old_comes_back() {
    let run = tempdir().unwrap();
    clean(run.path()).unwrap();
    save(run.path(), &snapshot(10, 1.0), 2).unwrap();
    let inside = run.path().join("checkpoints");
    for name in [".step-00000020.tmp-1", ".step-00000005.del-4194305"] {
        fs::create_dir(inside.join(name)).unwrap();
        fs::write(inside.join(name).join("q.safetensors"), "half").unwrap();
    }
    fs::create_dir(inside.join(".trash-1000")).unwrap();
    fs::rename(inside.join("step-00000010"), inside.join(".step-00000010.old-77")).unwrap();
    assert_eq!(load_latest(run.path()), snapshot(10, 1.0), "found where it lies");
    clean(run.path()).unwrap();
    assert_eq!(names(&inside), [".trash-1000", "step-00000010"]);
    assert_eq!(load_latest(run.path()), snapshot(10, 1.0));
}

#[cfg(unix)]
#[test]
fn deleting_does_not_follow_links() {
    let (run, outside) = (tempdir().unwrap(), tempdir().unwrap());
    fs::write(outside.path().join("precious"), "kept").unwrap();
    let place = save(run.path(), &snapshot(10, 1.0), 1).unwrap();
    std::os::unix::fs::symlink(outside.path(), place.join("link")).unwrap();
    let hidden = run.path().join("checkpoints/.step-00000003.tmp-1");
    std::os::unix::fs::symlink(outside.path(), &hidden).unwrap();
    save(run.path(), &snapshot(20, 1.0), 1).unwrap();
    clean(run.path()).unwrap();
    assert_eq!(steps(run.path()), [20]);
    assert_eq!(fs::read(outside.path().join("precious")).unwrap(), b"kept");
}

#[test]
fn the_delay_is_spread_over_the_save() {
    let run = tempdir().unwrap();
    let delay = Duration::from_millis(120);
    let mut disk = Disk::with_delay(delay, 3, 960);
    let start = std::time::Instant::now();
    save_on(&mut disk, run.path(), &snapshot(10, 1.0), 1).unwrap();
    assert!(start.elapsed() >= delay / 2, "{:?}", start.elapsed());
    assert!(disk.trace.len() >= 10, "{:?}", disk.trace);
}

#[test]
fn a_full_disk_leaves_the_earlier_checkpoint_and_no_rest() {
    // Out of space, and out of names for files.
    for options in ["size=64k", "size=1m,nr_inodes=8"] {
        let Some(mount) = Mount::new(options) else { return };
        let run = mount.path();
        save(run, &snapshot(10, 1.0), 3).unwrap();
        let mut large = snapshot(20, 2.0);
        let section = large.sections.get_mut("generator").unwrap();
        let size = if options == "size=64k" { 40_000 } else { 1 };
        section.insert("9.weight".to_owned(), tensor(&[size], 0.0));
        let error = save(run, &large, 3).unwrap_err();
        match &error {
            CheckpointError::Io { source, .. } => assert_eq!(source.kind(), ErrorKind::StorageFull),
            other => panic!("{other:?}"),
        }
        assert!(error.to_string().contains("free some space"), "{error}");
        assert_eq!(names(&run.join("checkpoints")), ["step-00000010"], "{options}");
        assert_eq!(load_latest(run), snapshot(10, 1.0));
        if options == "size=64k" {
            save(run, &snapshot(20, 2.0), 1).unwrap();
            assert_eq!(steps(run), [20], "it goes on when there is space");
        }
    }
}

#[test]
fn a_read_only_disk_is_said_to_be_one() {
    let Some(mount) = Mount::new("size=256k") else { return };
    let run = mount.path();
    save(run, &snapshot(10, 1.0), 3).unwrap();
    if !mount.make_read_only() {
        return;
    }
    let error = save(run, &snapshot(20, 2.0), 3).unwrap_err().to_string();
    assert!(error.contains("step-00000020") && error.contains("read-only: choose"), "{error}");
    assert_eq!(load_latest(run), snapshot(10, 1.0));
    assert_eq!(steps(run), [10]);
}

#[cfg(unix)]
#[test]
fn a_forbidden_directory_is_said_to_be_one() {
    use std::os::unix::fs::PermissionsExt;
    let run = tempdir().unwrap();
    save(run.path(), &snapshot(10, 1.0), 3).unwrap();
    let parent = run.path().join("checkpoints");
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(parent.join("probe"), "").is_ok() {
        println!("skipped: permissions do not bind this user");
        return;
    }
    let error = save(run.path(), &snapshot(20, 2.0), 3).unwrap_err().to_string();
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(error.contains("check the owner and the permissions"), "{error}");
    assert_eq!(load_latest(run.path()), snapshot(10, 1.0));
}
