//! A folder of a user's own pictures: read once, before anything is trained, so that no bad file stops a training.
//!
//! **Classes** are the folders directly inside, if every picture lies in one. **Halves**: folders `train` and `test` (or
//! `val`, `valid`, `validation`) at the top are the halves, with classes below them; otherwise a tenth of every class is
//! held out, chosen by a hash of each picture's path within the folder: adding pictures moves none of the others from
//! half to half except at the edge. A **table** gives attributes, and classes if it has a column of them; the folder's own
//! `labels.csv`, or CelebA's list in it, is read where no other is named. CelebA's list of halves counts where there is one,
//! and renderings whose names tell where they were seen from have that as attributes and no classes.

mod named;
mod parquet;
mod partition;
mod report;
mod table;
mod thrift;
mod views;
mod walk;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use image::{DynamicImage, GenericImageView};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::{
    DataError, Factor, ImageSet, Labels,
    memory::has_room,
    picture::{Fit, decode::decode},
    shown,
};
pub use named::{Named, read_pictures};
use partition::Partition;
pub use report::{Rejected, Report};
use table::Table;
use walk::{Entry, Found, walk};

/// One picture in so many is held out.
const HOLD_OUT: usize = 10;
/// Classes with fewer pictures are worth a warning.
const FEW: usize = 10;
/// Part of the pictures that may be someone's duplicate without a warning: one in so many.
const MANY_DUPLICATES: usize = 20;
/// Tables of classes and attributes that lie in the folder itself: as `infogan data convert` writes it, and CelebA's in both
/// publications.
const OWN_TABLES: [&str; 3] = ["labels.csv", "list_attr_celeba.txt", "list_attr_celeba.csv"];
/// Names told in the warnings of a kind.
const MOST_TOLD: usize = 10;
/// Pictures at which [`glance`] looks.
const GLANCES: usize = 200;

/// How a folder is read.
#[derive(Clone, Debug)]
pub struct FolderOptions {
    /// What every picture is brought to.
    pub fit: Fit,
    /// Table of classes and attributes; without it the folder's own `labels.csv` or CelebA's list where there is one.
    pub labels: Option<PathBuf>,
}

/// A folder in memory.
#[derive(Clone, Debug)]
pub struct Folder {
    /// What is trained on.
    pub train: ImageSet,
    /// What is held out.
    pub test: ImageSet,
    /// What was found.
    pub report: Report,
}

/// What a look at some pictures of a folder shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Files that may be pictures.
    pub files: usize,
    /// Whether any of those looked at is in colour.
    pub colour: bool,
}

/// What one file turned out to be.
struct Seen {
    size: (u32, u32),
    mode: String,
    colour: bool,
    /// Hash of size and pixels.
    hash: [u8; 32],
    /// The picture in the wanted shape; empty where only looking.
    bytes: Vec<u8>,
}

/// Looks at some pictures, spread over the folder.
///
/// # Errors
/// When the folder cannot be read or holds no picture.
pub fn glance(dir: &Path) -> Result<Glance, DataError> {
    let files = some(dir, walk(dir)?)?.files;
    let looked_at: Vec<&Entry> = files.iter().step_by(files.len().div_ceil(GLANCES)).collect();
    let colour = looked_at
        .par_iter()
        .any(|entry| decode(&dir.join(&entry.inside)).is_ok_and(|decoded| is_colour(&decoded.picture)));
    Ok(Glance { files: files.len(), colour })
}

/// Decodes every picture once, keeps none, and tells what is there. `watch` is told how many files of how many are done.
///
/// # Errors
/// When the folder or the table cannot be read, or there is no picture at all.
pub fn check_folder(
    dir: &Path,
    labels: Option<&Path>,
    watch: &(dyn Fn(usize, usize) + Sync),
) -> Result<Report, DataError> {
    Ok(survey(dir, labels, None, watch)?.report)
}

/// Reads a folder: pictures, classes, attributes, and what had to be passed over.
///
/// # Errors
/// When the shape is impossible, the folder or the table cannot be read, no picture can be used, or the pictures would
/// not fit into half of the machine's memory.
pub fn load_folder(
    dir: &Path,
    options: &FolderOptions,
    watch: &(dyn Fn(usize, usize) + Sync),
) -> Result<Folder, DataError> {
    options.fit.check()?;
    let Survey { pictures, factors, report } =
        survey(dir, options.labels.as_deref(), Some(&options.fit), watch)?;
    if pictures.is_empty() {
        let first = report.rejected.first();
        let first = first.map_or_else(String::new, |one| format!(" ({one})"));
        return Err(DataError::invalid(
            shown(dir),
            format!("none of its pictures can be used{first}"),
            "look at 'infogan data check'",
        ));
    }
    let name = dir.file_name().unwrap_or(OsStr::new("pictures")).to_string_lossy().into_owned();
    let labels = labels_of(&pictures)?;
    let (train, test) = halves(&pictures, labels.as_ref());
    let shape = options.fit.shape;
    let bytes = pictures.iter().flat_map(|picture| picture.seen.bytes.iter().copied()).collect();
    let all = ImageSet::new(name, shape, bytes, labels, factors)?;
    Ok(Folder { train: all.subset(&train), test: all.subset(&test), report })
}

/// A picture that can be used.
struct Picture {
    inside: PathBuf,
    seen: Seen,
    /// `Some(true)` if its folder says that it is for tests, `Some(false)` for training.
    held_out: Option<bool>,
    class: Option<String>,
}

/// What looking at every file gave.
struct Survey {
    pictures: Vec<Picture>,
    /// What a table says of them.
    factors: Vec<Factor>,
    report: Report,
}

fn some(dir: &Path, found: Found) -> Result<Found, DataError> {
    if found.files.is_empty() && found.rejected.is_empty() {
        return Err(DataError::Missing {
            what: "picture".to_owned(),
            dir: dir.to_path_buf(),
            looked_for: crate::picture::decode::patterns(),
            remedy: "name a folder with pictures in it or in its folders".to_owned(),
        });
    }
    Ok(found)
}

fn is_colour(picture: &DynamicImage) -> bool {
    if !picture.color().has_color() {
        return false;
    }
    // Grey pictures are often stored as colour.
    picture.pixels().any(|(_, _, pixel)| {
        let [red, green, blue, _] = pixel.0;
        red.abs_diff(green).max(green.abs_diff(blue)).max(red.abs_diff(blue)) > 8
    })
}

/// Looks at every file of a folder, in the shape of `fit` if there is one.
fn survey(
    dir: &Path,
    labels: Option<&Path>,
    fit: Option<&Fit>,
    watch: &(dyn Fn(usize, usize) + Sync),
) -> Result<Survey, DataError> {
    let found = some(dir, walk(dir)?)?;
    let warnings = strange_folders(&found);
    let mut report =
        Report { rejected: found.rejected, ignored: found.ignored, warnings, ..Report::default() };
    let views = views::table(&found.files);
    let folders_are_classes = views.is_none();
    let table = match labels {
        Some(labels) => Some(Table::read(labels)?),
        None => own_table(dir, &found.files, &mut report.warnings).or(views),
    };
    let beside = labels.and_then(Path::parent).filter(|beside| *beside != dir);
    let partition = Partition::find(dir, beside, &found.files, &mut report.warnings);
    if let Some(fit) = fit {
        room_for(dir, found.files.len(), fit)?;
    }
    let (done, all) = (AtomicUsize::new(0), found.files.len());
    let look = |entry: &Entry| {
        let seen = see(&dir.join(&entry.inside), fit);
        watch(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        seen
    };
    let looked: Vec<Result<Seen, String>> = found.files.par_iter().map(look).collect();

    let (mut pictures, mut rows, mut misnamed) = (Vec::new(), Vec::new(), Vec::new());
    let mut without_row = 0;
    let split = is_split(&found.files);
    let paths = found.files.iter().map(|entry| entry.inside.as_path());
    let told: Vec<Result<Option<usize>, &str>> = match &table {
        Some(table) => table.usable_rows(paths).into_iter().map(|row| row.map(Some)).collect(),
        None => paths.map(|_| Ok(None)).collect(),
    };
    for ((entry, seen), row) in found.files.into_iter().zip(looked).zip(told) {
        let (seen, row) = match (seen, row) {
            (Ok(seen), Ok(row)) => (seen, row),
            (Err(reason), _) => {
                report.rejected.push(Rejected { file: entry.inside, reason });
                continue;
            }
            (_, Err(reason)) => {
                without_row += 1;
                report.rejected.push(Rejected { file: entry.inside, reason: reason.to_owned() });
                continue;
            }
        };
        if entry.misnamed {
            misnamed.push(entry.inside.clone());
        }
        let (held_out, folder) = place_of(&entry.inside, split);
        let folder = folder.filter(|_| folders_are_classes);
        let held_out = held_out.or_else(|| partition.as_ref()?.is_held_out(&entry.inside));
        let of_table = |table: &Table, row| table.class_of(row).map(str::to_owned);
        let class = table.as_ref().zip(row).and_then(|(table, row)| of_table(table, row)).or(folder);
        pictures.push(Picture { inside: entry.inside, seen, held_out, class });
        rows.extend(row);
    }
    if 2 * without_row > all {
        report.warnings.push(format!(
            "the table of labels has no row for {without_row} of {all} pictures: does it name the files as they lie here?"
        ));
    }
    report.warnings.extend(settle_classes(&mut pictures, table.as_ref()));
    let (factors, warnings) = table.map_or_else(Default::default, |table| table.factors(&rows));
    report.warnings.extend(warnings);
    report.attributes = factors.iter().map(|factor| (factor.name.clone(), factor.values.summary())).collect();
    fill(&mut report, &pictures, &misnamed, fit);
    Ok(Survey { pictures, factors, report })
}

/// Names links and folders that a user may not have meant.
fn strange_folders(found: &Found) -> Vec<String> {
    let mut warnings = Vec::new();
    for (files, what) in [
        (&found.repeated, "another name of a folder that is read already"),
        (&found.outside, "a link out of this folder"),
        (&found.unread, "a picture of a kind that is not read: convert it to PNG or JPEG"),
        (&found.named_as_pictures, "a folder that is named as a picture is"),
    ] {
        warnings.extend(files.iter().take(MOST_TOLD).map(|file| format!("{}: {what}", shown(file))));
        let more = files.len().saturating_sub(MOST_TOLD);
        warnings.extend((more > 0).then(|| format!("{more} more: {what}")));
    }
    warnings
}

/// Takes classes away where they are none.
fn settle_classes(pictures: &mut [Picture], table: Option<&Table>) -> Option<String> {
    // A class is one only if every picture has one.
    let classless = pictures.iter().filter(|picture| picture.class.is_none()).count();
    let some = (1..pictures.len()).contains(&classless);
    // Beside a table, one folder is where the pictures lie and no class.
    let of_folders = table.is_some_and(|table| !table.has_classes());
    if some || of_folders && pictures.windows(2).all(|pair| pair[0].class == pair[1].class) {
        pictures.iter_mut().for_each(|picture| picture.class = None);
    }
    let all = pictures.len();
    some.then(|| {
        format!(
            "{classless} of {all} pictures lie beside the folders, so the folders are not taken as classes"
        )
    })
}

/// The table that a folder brings along, if it is one of its pictures.
fn own_table(dir: &Path, files: &[Entry], warnings: &mut Vec<String>) -> Option<Table> {
    let used = |name: &str| {
        let path = dir.join(name);
        let read = Table::read(&path).map_err(|error| error.to_string()).and_then(|table| {
            let fits = files.iter().any(|entry| table.row(&entry.inside).is_some());
            if fits {
                Ok(table)
            } else {
                Err(format!("{}: has a row for none of the pictures", shown(&path)))
            }
        });
        read.map_err(|reason| warnings.push(format!("{name} is not used: {reason}"))).ok()
    };
    OWN_TABLES.into_iter().filter(|name| dir.join(name).is_file()).find_map(used)
}

/// Decodes a file and brings it to the shape.
fn see(path: &Path, fit: Option<&Fit>) -> Result<Seen, String> {
    let decoded = decode(path).map_err(reason_of)?;
    let (size, picture) = (decoded.size(), &decoded.picture);
    let mut hasher = Sha256::new();
    hasher.update(size.0.to_le_bytes());
    hasher.update(size.1.to_le_bytes());
    hasher.update([picture.color().channel_count(), decoded.orientation.to_exif()]);
    hasher.update(picture.as_bytes());
    let bytes = fit.map_or_else(Vec::new, |fit| fit.apply(picture, decoded.orientation));
    let colour = is_colour(picture);
    Ok(Seen { size, mode: decoded.mode, colour, hash: hasher.finalize().into(), bytes })
}

/// Why a file cannot be used, without its name.
fn reason_of(error: DataError) -> String {
    match error {
        DataError::Malformed { reason, .. } => reason,
        DataError::Read { source, .. } => format!("it cannot be read ({source})"),
        other => other.to_string(),
    }
}

/// Refuses what would fill the memory, before anything is decoded.
fn room_for(dir: &Path, files: usize, fit: &Fit) -> Result<(), DataError> {
    // Once a picture each, and once more put together.
    let wanted =
        fit.shape.iter().fold(2 * files as u64, |product, &side| product.saturating_mul(side as u64));
    has_room(wanted).map_err(|much| {
        let [channels, height, width] = fit.shape;
        DataError::invalid(
            shown(dir),
            format!("{files} pictures of {channels}×{height}×{width} take {much} while they are read"),
            "take a smaller size (--size) or fewer pictures",
        )
    })
}

/// Whether the folders at the top are halves.
fn is_split(files: &[Entry]) -> bool {
    files.iter().all(|entry| half_of(&entry.inside).is_some())
}

/// Which half a top folder names.
fn half_of(inside: &Path) -> Option<bool> {
    let mut parts = inside.components();
    let top = parts.next()?.as_os_str().to_str()?;
    parts.next()?;
    match top {
        "train" | "training" => Some(false),
        "test" | "val" | "valid" | "validation" => Some(true),
        _ => None,
    }
}

/// Half and class that a path stands for.
fn place_of(inside: &Path, split: bool) -> (Option<bool>, Option<String>) {
    let half = if split { half_of(inside) } else { None };
    let mut parts = inside.components().skip(usize::from(split));
    let first = parts.next().map(shown);
    // The last part is the file itself.
    (half, first.filter(|_| parts.next().is_some()))
}

/// The classes of pictures, if they have any.
fn labels_of(pictures: &[Picture]) -> Result<Option<Labels>, DataError> {
    let Some(classes) = pictures.iter().map(|picture| picture.class.as_ref()).collect::<Option<Vec<_>>>()
    else {
        return Ok(None);
    };
    let class_names = table::in_order(classes.iter().map(|class| (*class).clone()));
    if class_names.len() > usize::from(u16::MAX) {
        return Err(DataError::invalid(
            "classes",
            format!("there are {} of them", class_names.len()),
            "give at most 65,535 classes",
        ));
    }
    let numbers: BTreeMap<&String, u16> = class_names.iter().zip(0..).collect();
    let values = classes.into_iter().map(|class| numbers[class]).collect();
    Ok(Some(Labels { values, class_names }))
}

/// Numbers of the pictures of both halves, in order.
fn halves(pictures: &[Picture], labels: Option<&Labels>) -> (Vec<u32>, Vec<u32>) {
    let mut held_out = vec![false; pictures.len()];
    let told = |half: bool| pictures.iter().any(|picture| picture.held_out == Some(half));
    if told(true) && told(false) {
        let told = pictures.iter().map(|picture| picture.held_out == Some(true));
        held_out = told.collect();
    } else {
        let mut classes: BTreeMap<u16, Vec<([u8; 32], usize)>> = BTreeMap::new();
        for (index, picture) in pictures.iter().enumerate() {
            let class = labels.map_or(0, |labels| labels.values[index]);
            // The same on every system: parts joined by a stroke.
            let parts: Vec<String> = picture
                .inside
                .components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect();
            let hash = Sha256::digest(parts.join("/").as_bytes()).into();
            classes.entry(class).or_default().push((hash, index));
        }
        for mut members in classes.into_values() {
            members.sort_unstable();
            let count = if members.len() < 2 { 0 } else { members.len().div_ceil(HOLD_OUT) };
            members.iter().take(count).for_each(|&(_, index)| held_out[index] = true);
        }
        // Something to train on and something to score on, however few there are.
        if !held_out.contains(&true) {
            held_out[0] = pictures.len() > 1;
        }
    }
    let chosen = |wanted: bool| -> Vec<u32> {
        (0..pictures.len() as u32).filter(|&index| held_out[index as usize] == wanted).collect()
    };
    let (train, test) = (chosen(false), chosen(true));
    // A single picture is its own test.
    if test.is_empty() { (train.clone(), train) } else { (train, test) }
}

/// Counts and warnings.
fn fill(report: &mut Report, pictures: &[Picture], misnamed: &[PathBuf], fit: Option<&Fit>) {
    report.ok = pictures.len();
    let mut same: BTreeMap<[u8; 32], Vec<PathBuf>> = BTreeMap::new();
    for picture in pictures {
        let Seen { size: (width, height), mode, hash, .. } = &picture.seen;
        *report.sizes.entry(format!("{width}×{height}")).or_default() += 1;
        *report.modes.entry(mode.clone()).or_default() += 1;
        if let Some(class) = &picture.class {
            *report.classes.entry(class.clone()).or_default() += 1;
        }
        same.entry(*hash).or_default().push(picture.inside.clone());
    }
    report.duplicates = same.into_values().filter(|group| group.len() > 1).collect();
    report.duplicates.sort();
    report.rejected.sort_by(|left, right| left.file.cmp(&right.file));

    let warnings = &mut report.warnings;
    let named = |files: &[PathBuf]| {
        let first: Vec<String> = files.iter().take(3).map(shown).collect();
        if files.len() > 3 { format!("{} …", first.join(", ")) } else { first.join(", ") }
    };
    let of_folders = pictures.iter().all(|picture| picture.inside.components().count() > 1);
    if let ([(class, _)], true) = (&report.classes.iter().collect::<Vec<_>>()[..], of_folders) {
        warnings.push(format!(
            "all pictures are of one class, '{class}': is this folder one level too high, with the classes inside '{class}'?"
        ));
    } else {
        let small = report.classes.iter().filter(|(_, count)| **count < FEW);
        warnings.extend(small.map(|(class, count)| {
            let pictures = if *count == 1 { "picture" } else { "pictures" };
            format!("class '{class}' has only {count} {pictures}")
        }));
    }
    if !misnamed.is_empty() {
        warnings.push(format!(
            "{} files are named otherwise than their content and were read by content: {}",
            misnamed.len(),
            named(misnamed)
        ));
    }
    let spare: usize = report.duplicates.iter().map(|group| group.len() - 1).sum();
    if spare * MANY_DUPLICATES > report.ok {
        warnings.push(format!("{spare} of {} pictures are there twice", report.ok));
    }
    let colour = pictures.iter().filter(|picture| picture.seen.colour).count();
    if colour > 0 && colour < pictures.len() {
        warnings.push(format!("{colour} pictures are in colour and {} are grey", pictures.len() - colour));
    }
    if let Some(&Fit { shape: [_, height, width], crop, .. }) = fit {
        let is_small = |picture: &&Picture| {
            (picture.seen.size.0 as usize) < width && (picture.seen.size.1 as usize) < height
        };
        let small = pictures.iter().filter(is_small).count();
        if 2 * small > pictures.len() {
            warnings
                .push(format!("{small} of {} pictures are smaller than {width}×{height}", pictures.len()));
        }
        let side = |picture: &Picture| picture.seen.size.0.min(picture.seen.size.1) as usize;
        let uncut = pictures.iter().filter(|picture| side(picture) < crop).count();
        if uncut > 0 {
            warnings.push(format!(
                "{uncut} of {} pictures are smaller than the {crop}×{crop} to be cut out of them: all that is there is kept",
                pictures.len()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_the_memory_is_refused_with_its_size() {
        let error = room_for(Path::new("faces"), 1 << 40, &Fit::to([3, 256, 256])).unwrap_err().to_string();
        assert!(error.contains("faces") && error.contains("--size"), "{error}");
        assert!(room_for(Path::new("faces"), 1000, &Fit::to([3, 32, 32])).is_ok());
    }
}
