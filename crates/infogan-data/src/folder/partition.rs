//! The halves that CelebA brings along: `list_eval_partition.txt`, a file and a number in each line, or
//! `list_eval_partition.csv`, the same with a header. 0 is trained on; 1 (validation) and 2 (test) are held out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::walk::Entry;
use crate::shown::{plain, shown};

/// The names it is published under.
const NAMES: [&str; 2] = ["list_eval_partition.txt", "list_eval_partition.csv"];
/// CelebA's has four MB.
const LARGEST: u64 = 1 << 28;

/// Files by their names, with whether they are held out.
#[derive(Debug, Default)]
pub struct Partition(BTreeMap<String, bool>);

impl Partition {
    /// That of these pictures, in their folder or in the one beside it where their table lies. One that cannot be used is
    /// told.
    pub fn find(
        dir: &Path,
        beside: Option<&Path>,
        files: &[Entry],
        warnings: &mut Vec<String>,
    ) -> Option<Self> {
        let paths = std::iter::once(dir).chain(beside).flat_map(|folder| NAMES.map(|name| folder.join(name)));
        let used = |path: PathBuf| {
            let read = read(&path).and_then(|partition| {
                let fits = files.iter().any(|entry| partition.is_held_out(&entry.inside).is_some());
                if fits { Ok(partition) } else { Err("has a line for none of the pictures".to_owned()) }
            });
            read.map_err(|reason| warnings.push(format!("{} is not used: it {reason}", shown(&path)))).ok()
        };
        paths.filter(|path| path.is_file()).find_map(used)
    }

    /// Whether a file is held out, if it is named.
    pub fn is_held_out(&self, inside: &Path) -> Option<bool> {
        self.0.get(inside.file_name()?.to_str()?).copied()
    }
}

fn read(path: &Path) -> Result<Partition, String> {
    let length = fs::metadata(path).map_err(|error| format!("cannot be read ({error})"))?.len();
    if length > LARGEST {
        return Err(format!("is larger than {} MB", LARGEST >> 20));
    }
    parse(&fs::read_to_string(path).map_err(|error| format!("cannot be read ({error})"))?)
}

fn parse(text: &str) -> Result<Partition, String> {
    let mut halves = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split([',', ' ', '\t']).filter(|word| !word.is_empty()).collect();
        let held_out = match words[..] {
            [] | [_, "partition"] => continue,
            [_, "0"] => false,
            [_, "1" | "2"] => true,
            _ => {
                return Err(format!(
                    "says in line {} \"{}\", not a file and 0, 1 or 2",
                    number + 1,
                    plain(line.chars().take(40).collect())
                ));
            }
        };
        halves.insert(words[0].to_owned(), held_out);
    }
    Ok(Partition(halves))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_publications_say_the_same() {
        for text in [
            "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
            "image_id,partition\r\n000001.jpg,0\r\n000002.jpg,1\r\n000003.jpg,2\r\n",
        ] {
            let partition = parse(text).unwrap();
            let of = |name: &str| partition.is_held_out(&Path::new("img_align_celeba").join(name));
            let halves = ["000001.jpg", "000002.jpg", "000003.jpg", "000004.jpg"].map(of);
            assert_eq!(halves, [Some(false), Some(true), Some(true), None]);
        }
        for broken in ["000001.jpg 3\n", "000001.jpg\n", "000001.jpg 0 0\n"] {
            assert!(parse(broken).unwrap_err().contains("line 1"), "{broken}");
        }
    }
}
