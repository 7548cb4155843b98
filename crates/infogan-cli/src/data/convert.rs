//! `infogan data convert`: one form of a data set into another.

use std::{ffi::OsString, fs, path::Path, process::ExitCode};

use infogan::{run::pictures::Picture, session::Sets};
use infogan_data::{FactorValues, ImageSet, Split, write_idx_dir, write_stored};

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
            write_folder(&sets.train, &folder.join("train"))?;
            write_folder(&sets.test, &folder.join("test"))
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
    let told = |error: std::io::Error| Failure::usage(format!("{}: {error}", to.display()));
    let made = fs::create_dir_all(&unfinished)
        .map_err(told)
        .and_then(|()| fill(&unfinished))
        .and_then(|()| fs::rename(&unfinished, to).map_err(told));
    if made.is_err() {
        let _ = fs::remove_dir_all(&unfinished);
    }
    made
}

/// PNG files: a folder a class where there are classes; factors in `labels.csv`.
fn write_folder(set: &ImageSet, folder: &Path) -> Result<(), Failure> {
    let told = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| Failure::usage(format!("{path}: {error}"))
    };
    let classes: Vec<String> = folder_names(set.class_names());
    for class in &classes {
        let class = folder.join(class);
        fs::create_dir_all(&class).map_err(told(&class))?;
    }
    fs::create_dir_all(folder).map_err(told(folder))?;
    let mut table = String::from("file");
    set.factors().iter().for_each(|factor| table.push_str(&format!(",{}", csv_field(&factor.name))));
    table.push('\n');
    for index in 0..set.len() {
        let number = format!("{index:06}.png");
        let file = match set.labels() {
            Some(labels) => format!("{}/{number}", classes[usize::from(labels[index])]),
            None => number,
        };
        let png = Picture::from_byte_planes(set.shape(), set.picture(index))?.to_png_bytes()?;
        let path = folder.join(&file);
        fs::write(&path, png).map_err(told(&path))?;
        table.push_str(&csv_field(&file));
        for factor in set.factors() {
            match &factor.values {
                FactorValues::Categorical { values, .. } => table.push_str(&format!(",{}", values[index])),
                FactorValues::Continuous(values) => table.push_str(&format!(",{}", values[index])),
            }
        }
        table.push('\n');
    }
    if !set.factors().is_empty() {
        let path = folder.join("labels.csv");
        fs::write(&path, table).map_err(told(&path))?;
    }
    Ok(())
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
