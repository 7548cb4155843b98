//! `infogan data convert`: one form of a data set into another.

use std::{ffi::OsString, fs, path::Path, process::ExitCode};

use infogan::{run::pictures::Picture, session::Sets};
use infogan_data::{ImageSet, Split, write_idx_dir, write_stored};

use super::{
    args::{ConvertArgs, Form},
    read,
};
use crate::{
    failure::{Failure, print},
    text::{csv_field, grouped},
};

/// Reads a data set in one form and writes it in another.
pub fn convert(args: &ConvertArgs) -> Result<ExitCode, Failure> {
    check_target(&args.to, args.form)?;
    write(&read(&args.reading)?, &args.to, args.form)
}

/// Writes both halves of a set.
pub fn write(sets: &Sets, to: &Path, form: Option<Form>) -> Result<ExitCode, Failure> {
    // Once more: reading and drawing take their time.
    match check_target(to, form)? {
        Form::Safetensors => write_stored(&sets.train, &sets.test, to)?,
        // A folder appears whole or not at all.
        Form::Idx => in_new_folder(to, |folder| {
            write_idx_dir(&sets.train, folder, Split::Train)?;
            Ok(write_idx_dir(&sets.test, folder, Split::Test)?)
        })?,
        Form::Folder => in_new_folder(to, |folder| {
            let rows = [(&sets.train, Split::Train), (&sets.test, Split::Test)]
                .map(|(set, split)| write_pictures(set, folder, split.name()))
                .into_iter()
                .collect::<Result<String, _>>()?;
            if sets.train.factors().is_empty() {
                return Ok(());
            }
            let factors = sets.train.factors().iter().map(|factor| csv_field(&factor.name));
            let header = std::iter::once("file".to_owned()).chain(factors).collect::<Vec<_>>().join(",");
            let path = folder.join("labels.csv");
            fs::write(&path, format!("{header}\n{rows}")).map_err(told(&path))
        })?,
    }
    let counts = [(&sets.train, "training"), (&sets.test, "test")]
        .map(|(set, what)| format!("{} {what} pictures", grouped(set.len() as u64)));
    print(&format!("{}\n{}\n", to.display(), counts.join(", ")))?;
    Ok(ExitCode::SUCCESS)
}

/// The form to be written to a place where nothing is yet.
pub fn check_target(to: &Path, form: Option<Form>) -> Result<Form, Failure> {
    let is_safetensors = to.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"));
    let form = form.or(is_safetensors.then_some(Form::Safetensors)).ok_or_else(|| {
        Failure::usage(format!(
            "{}: say what to write with --to idx, --to folder or --to safetensors",
            to.display()
        ))
    })?;
    if to.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!(
            "{}: is there already; name another, or remove it",
            to.display()
        )));
    }
    Ok(form)
}

/// Fills a folder beside its place and renames it; nothing stays when something fails.
fn in_new_folder(to: &Path, fill: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut name = to.file_name().map(OsString::from).unwrap_or_default();
    name.push(format!(".tmp-{}", std::process::id()));
    let unfinished = to.with_file_name(name);
    let made = fs::create_dir_all(&unfinished)
        .map_err(told(to))
        .and_then(|()| fill(&unfinished))
        .and_then(|()| fs::rename(&unfinished, to).map_err(told(to)));
    if made.is_err() {
        let _ = fs::remove_dir_all(&unfinished);
    }
    made
}

fn told(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::usage(format!("{path}: {error}"))
}

/// Writes a half as PNG files, a folder a class where there are classes. Gives the rows of its factors in a table.
fn write_pictures(set: &ImageSet, folder: &Path, half: &str) -> Result<String, Failure> {
    let classes: Vec<String> = folder_names(set.class_names());
    let half_folder = folder.join(half);
    for made in classes.iter().map(|class| half_folder.join(class)).chain([half_folder.clone()]) {
        fs::create_dir_all(&made).map_err(told(&made))?;
    }
    let mut rows = String::new();
    for index in 0..set.len() {
        let class = set
            .labels()
            .map_or_else(String::new, |labels| format!("/{}", classes[usize::from(labels[index])]));
        let file = format!("{half}{class}/{index:06}.png");
        let png = Picture::from_byte_planes(set.shape(), set.picture(index))?.to_png_bytes()?;
        let path = folder.join(&file);
        fs::write(&path, png).map_err(told(&path))?;
        let values = set.factors().iter().map(|factor| csv_field(&factor.values.shown(index)));
        rows.push_str(&std::iter::once(csv_field(&file)).chain(values).collect::<Vec<_>>().join(","));
        rows.push('\n');
    }
    Ok(rows)
}

/// Names of classes as names of folders: what a file system may not take becomes `-`, and two that come out alike are
/// told apart by their numbers.
fn folder_names(classes: &[String]) -> Vec<String> {
    let plain = |name: &String| -> String {
        let plain: String = name
            .chars()
            .map(|letter| if letter.is_alphanumeric() || "._ -".contains(letter) { letter } else { '-' })
            .collect();
        let plain = plain.trim_matches(['.', ' ']);
        if plain.is_empty() { "class".to_owned() } else { plain.to_owned() }
    };
    let names: Vec<String> = classes.iter().map(plain).collect();
    let alike =
        |name: &String| names.iter().filter(|other| other.to_lowercase() == name.to_lowercase()).count();
    let numbered = |(number, name): (usize, &String)| {
        if alike(name) > 1 { format!("{number}-{name}") } else { name.clone() }
    };
    names.iter().enumerate().map(numbered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_become_folders_of_their_own() {
        let names = ["T-shirt/top", "..", "Cat", "cat"].map(str::to_owned);
        assert_eq!(folder_names(&names), ["T-shirt-top", "class", "2-Cat", "3-cat"]);
    }
}
