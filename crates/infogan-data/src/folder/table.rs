//! Tables of classes and attributes beside a folder of pictures: CSV, JSON, Parquet, and CelebA's list.
//!
//! One column names the file: `file`, `filename`, `image`, `image_id` or `path`, else the first. A file is found by its
//! path within the folder, or by the end of it where that means one file only. The column `label` or `class` gives the
//! classes; every other column becomes a factor:
//!
//! | values of the column | factor |
//! |---|---|
//! | −1 and 1, 0 and 1, true and false, yes and no | two values, the first of the pair is 0 |
//! | at most 50 different words, or 20 different whole numbers | so many values, in alphabetical or numerical order |
//! | numbers | continuous |
//! | anything else, and columns with gaps | left out, with a warning |

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use super::parquet;
use crate::{DataError, Factor, FactorValues, shown::plain};

/// No table may be larger.
const LARGEST: u64 = 1 << 30;
/// Nor take more memory: a cell takes many times the byte or less that it may have in a file.
const LARGEST_HELD: u64 = 1 << 30;
/// What a cell takes beside its text.
const CELL: u64 = 64;
/// Columns that name the file.
const FILE_COLUMNS: [&str; 5] = ["file", "filename", "image", "image_id", "path"];
/// Columns that name the class.
const CLASS_COLUMNS: [&str; 2] = ["label", "class"];
/// Different words or whole numbers up to which a column is one of categories.
const MOST_WORDS: usize = 50;
const MOST_NUMBERS: usize = 20;
/// What stands for no and yes.
const PAIRS: [[&str; 2]; 4] = [["-1", "1"], ["0", "1"], ["false", "true"], ["no", "yes"]];

/// What they are called, whichever of them a table has.
const NO_YES: [&str; 2] = ["no", "yes"];

/// A table, its rows found by file.
pub struct Table {
    /// Names of the columns but for the one of the file.
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Rows by path, with `/` between its parts.
    by_path: BTreeMap<String, usize>,
    /// Rows by the name of the file alone, with the whole path; `None` for a name that two rows share.
    by_name: BTreeMap<String, Option<(usize, String)>>,
    class: Option<usize>,
}

/// Rows as they are read: names of columns, then values.
pub type Rows = (Vec<String>, Vec<Vec<String>>);

impl Table {
    /// Reads a table of any of the kinds, told by content.
    ///
    /// # Errors
    /// When it cannot be read, is of no known kind, or has no column for the file.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let unreadable = |source| DataError::Read { path: path.to_path_buf(), source };
        let malformed = |reason: String| DataError::Malformed {
            path: path.to_path_buf(),
            reason: plain(reason),
            remedy: "give a CSV file with a header, JSON, Parquet, or CelebA's list_attr_celeba.txt"
                .to_owned(),
        };
        let about = fs::metadata(path).map_err(unreadable)?;
        if !about.is_file() {
            return Err(malformed("it is no regular file".to_owned()));
        }
        if about.len() > LARGEST {
            return Err(malformed(format!("it is larger than {} MB", LARGEST >> 20)));
        }
        let bytes = fs::read(path).map_err(unreadable)?;
        let (columns, rows) = if bytes.starts_with(b"PAR1") {
            parquet::rows(bytes.into()).map_err(malformed)?
        } else {
            let text = String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            match text.trim_start().bytes().next() {
                Some(b'[' | b'{') => json(text),
                _ if is_celeba(text) => celeba(text),
                _ => csv(text),
            }
            .map_err(malformed)?
        };
        Self::new(columns, rows).map_err(malformed)
    }

    /// A table of these columns, one of which names the file.
    ///
    /// # Errors
    /// When nothing else is in it, or a file has two rows.
    pub fn new(mut columns: Vec<String>, mut rows: Vec<Vec<String>>) -> Result<Self, String> {
        if columns.len() < 2 || rows.is_empty() {
            return Err("it has no column beside the file's, or no row".to_owned());
        }
        let named = |names: &[&str], columns: &[String]| {
            columns.iter().position(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)))
        };
        let file = named(&FILE_COLUMNS, &columns).unwrap_or(0);
        columns.remove(file);
        let (mut by_path, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        for (number, row) in rows.iter_mut().enumerate() {
            let path = row.remove(file).replace('\\', "/");
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            by_name.entry(name).and_modify(|row| *row = None).or_insert_with(|| Some((number, path.clone())));
            if by_path.insert(path.clone(), number).is_some() {
                return Err(format!("it names {path} twice"));
            }
        }
        let class = named(&CLASS_COLUMNS, &columns);
        // Names of columns and words reach terminals.
        let rows = rows.into_iter().map(|row| row.into_iter().map(plain).collect()).collect();
        let columns = columns.into_iter().map(plain).collect();
        Ok(Self { columns, rows, by_path, by_name, class })
    }

    /// The row of a file: that of its path, or one whose path is the end of the file's or ends with it.
    pub fn row(&self, inside: &Path) -> Option<usize> {
        // A table is UTF-8; it cannot mean what is not.
        let parts: Vec<&str> =
            inside.components().map(|part| part.as_os_str().to_str()).collect::<Option<_>>()?;
        let path = parts.join("/");
        if let Some(row) = self.by_path.get(&path) {
            return Some(*row);
        }
        let (row, named) = self.by_name.get(*parts.last()?)?.as_ref()?;
        let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
        (ends(&path, named) || ends(named, &path)).then_some(*row)
    }

    /// The row of each file that can be used, or what the table does not say of it.
    pub fn usable_rows<'f>(&self, files: impl Iterator<Item = &'f Path>) -> Vec<Result<usize, &'static str>> {
        let rows: Vec<Option<usize>> = files.map(|file| self.row(file)).collect();
        let mut uses = vec![0_usize; self.rows.len()];
        rows.iter().flatten().for_each(|&row| uses[row] += 1);
        let usable = |row: Option<usize>| {
            let row = row.ok_or("the table of labels has no row for it")?;
            if uses[row] > 1 {
                return Err("the table's row may mean several files of this name: it must give their paths");
            }
            match self.class_of(row) {
                Some(class) if class.trim().is_empty() => Err("the table of labels gives it no class"),
                _ => Ok(row),
            }
        };
        rows.into_iter().map(usable).collect()
    }

    /// Whether it has a column of classes.
    pub fn has_classes(&self) -> bool {
        self.class.is_some()
    }

    /// The class that a row gives, if the table has a column of classes.
    pub fn class_of(&self, row: usize) -> Option<&str> {
        Some(&self.rows[row][self.class?])
    }

    /// All columns but that of classes as factors, a value for each of these rows; and what of the table is of no use
    /// for them.
    pub fn factors(&self, rows: &[usize]) -> (Vec<Factor>, Vec<String>) {
        let (mut factors, mut warnings) = (Vec::new(), Vec::new());
        let spare = self.rows.len() - rows.iter().collect::<BTreeSet<_>>().len();
        if spare > 0 {
            warnings.push(format!("{spare} rows of the table are of no picture here"));
        }
        for (column, name) in self.columns.iter().enumerate() {
            if rows.is_empty() || Some(column) == self.class {
                continue;
            }
            let values: Vec<&str> = rows.iter().map(|&row| self.rows[row][column].trim()).collect();
            match factor_of(&values) {
                Some(values) => factors.push(Factor { name: name.clone(), values }),
                None => warnings.push(format!(
                    "column '{name}' of the table is left out: it has gaps, or too many different words"
                )),
            }
        }
        (factors, warnings)
    }
}

/// What a column says, of one row at least.
fn factor_of(values: &[&str]) -> Option<FactorValues> {
    if values.contains(&"") {
        return None;
    }
    let lower: Vec<String> = values.iter().map(|value| value.to_lowercase()).collect();
    for pair in PAIRS {
        if lower.iter().all(|value| pair.contains(&value.as_str())) {
            let values = lower.iter().map(|value| u16::from(value == pair[1])).collect();
            return Some(FactorValues::categorical(&NO_YES, values));
        }
    }
    let different = in_order(values.iter().map(|value| (*value).to_owned()));
    let whole = different.iter().all(|value| value.parse::<i64>().is_ok());
    let numbers: Option<Vec<f32>> =
        values.iter().map(|value| value.parse::<f32>().ok().filter(|number| number.is_finite())).collect();
    let most = if whole { MOST_NUMBERS } else { MOST_WORDS };
    if different.len() <= most && (whole || numbers.is_none()) {
        let numbers: BTreeMap<&str, u16> =
            different.iter().enumerate().map(|(number, value)| (value.as_str(), number as u16)).collect();
        let values = values.iter().map(|value| numbers[value]).collect();
        return Some(FactorValues::Categorical { names: different, values });
    }
    numbers.map(FactorValues::Continuous)
}

/// Different names in order: as numbers if all are whole numbers, else alphabetically.
pub fn in_order(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect::<BTreeSet<_>>().into_iter().collect();
    if names.iter().all(|name| name.parse::<i64>().is_ok()) {
        names.sort_by_key(|name| name.parse::<i64>().unwrap_or(0));
    }
    names
}

/// Refuses what would take more memory than a table may.
pub fn fits(cells: u64, text: u64) -> Result<(), String> {
    if cells.saturating_mul(CELL).saturating_add(text) <= LARGEST_HELD {
        return Ok(());
    }
    Err(format!("it takes more than {} MB when it is read", LARGEST_HELD >> 20))
}

/// How often any of these stands in a text.
fn count(text: &str, any: &[u8]) -> u64 {
    text.bytes().filter(|byte| any.contains(byte)).count() as u64
}

/// Text with a header; fields parted by what is most frequent in it of `,`, `;` and tab.
fn csv(text: &str) -> Result<Rows, String> {
    let header = text.lines().next().unwrap_or_default();
    let frequency = |delimiter: &u8| count(header, &[*delimiter]);
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(frequency).unwrap_or(b',');
    fits(count(text, &[delimiter, b'\n', b'\r']), text.len() as u64)?;
    let mut reader =
        ::csv::ReaderBuilder::new().delimiter(delimiter).trim(::csv::Trim::All).from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_owned).collect();
    let rows = reader
        .records()
        .map(|record| Ok(record?.iter().map(str::to_owned).collect()))
        .collect::<Result<_, ::csv::Error>>()
        .map_err(|error| error.to_string())?;
    Ok((columns, rows))
}

/// A list of objects; or an object whose keys are files, its values objects or single values.
fn json(text: &str) -> Result<Rows, String> {
    fits(count(text, b",:[{"), text.len() as u64)?;
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let wrong = || "it is neither a list of objects nor an object of files".to_owned();
    let objects: Vec<serde_json::Map<String, Value>> = match value {
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::Object(object) => Ok(object),
                _ => Err(wrong()),
            })
            .collect::<Result<_, _>>()?,
        Value::Object(files) => files
            .into_iter()
            .map(|(file, value)| {
                let mut object = match value {
                    Value::Object(object) => object,
                    single => serde_json::Map::from_iter([("label".to_owned(), single)]),
                };
                object.insert("file".to_owned(), Value::String(file));
                object
            })
            .collect(),
        _ => return Err(wrong()),
    };
    let mut known = BTreeSet::new();
    let keys = objects.iter().flat_map(serde_json::Map::keys);
    let columns: Vec<String> = keys.filter(|key| known.insert(*key)).cloned().collect();
    // Objects need not have the same keys.
    fits(objects.len() as u64 * columns.len() as u64, text.len() as u64)?;
    let text_of = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let rows = objects
        .iter()
        .map(|object| columns.iter().map(|column| text_of(object.get(column))).collect())
        .collect();
    Ok((columns, rows))
}

/// CelebA's list: the number of rows, the names of the attributes, then a file and its −1s and 1s in each row.
fn is_celeba(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.trim().parse::<usize>().is_ok())
}

fn celeba(text: &str) -> Result<Rows, String> {
    fits(count(text, b" \t\r\n"), text.len() as u64)?;
    let mut lines = text.lines();
    let promised = lines.next().and_then(|line| line.trim().parse::<usize>().ok()).unwrap_or(0);
    let names = lines.next().unwrap_or_default().split_whitespace().map(str::to_owned);
    let columns: Vec<String> = std::iter::once("file".to_owned()).chain(names).collect();
    let rows: Vec<Vec<String>> = lines
        .map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter(|row| !row.is_empty())
        .collect();
    if rows.len() != promised {
        return Err(format!("it has {} rows, its first line says {promised}", rows.len()));
    }
    match rows.iter().position(|row| row.len() != columns.len()) {
        Some(row) => {
            Err(format!("line {} has not one value for each of {} attributes", row + 3, columns.len() - 1))
        }
        None => Ok((columns, rows)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, content: &[u8]) -> Result<Table, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        Table::read(&path).map_err(|error| error.to_string())
    }

    fn factors(table: &Table, files: &[&str]) -> Vec<Factor> {
        let rows: Vec<usize> = files.iter().filter_map(|file| table.row(Path::new(file))).collect();
        table.factors(&rows).0
    }

    /// The same table in every form.
    #[test]
    fn every_form_says_the_same() {
        let csv = "file,glasses,hair,age,label\na.png,1,fair,30.5,x\nsub/b.png,-1,dark,-2,y\n";
        let forms: [(&str, &str); 4] = [
            ("t.csv", csv),
            ("t.txt", &csv.replace(',', ";").replace('\n', "\r\n")),
            (
                "t.json",
                r#"[{"file":"a.png","glasses":true,"hair":"fair","age":30.5,"label":"x"},
                    {"file":"sub/b.png","glasses":false,"hair":"dark","age":-2,"label":"y"}]"#,
            ),
            (
                "files.json",
                r#"{"a.png":{"glasses":"yes","hair":"fair","age":30.5,"label":"x"},
                    "sub/b.png":{"glasses":"no","hair":"dark","age":-2,"label":"y"}}"#,
            ),
        ];
        for (name, text) in forms {
            let table = read(name, text.as_bytes()).unwrap();
            let mut found = factors(&table, &["a.png", "sub/b.png"]);
            found.sort_by(|left, right| left.name.cmp(&right.name));
            let names: Vec<&str> = found.iter().map(|factor| factor.name.as_str()).collect();
            assert_eq!(names, ["age", "glasses", "hair"], "{name}");
            assert_eq!(found[1].values, FactorValues::categorical(&NO_YES, vec![1, 0]), "{name}");
            assert_eq!(found[2].values, FactorValues::categorical(&["dark", "fair"], vec![1, 0]), "{name}");
            assert_eq!(found[0].values, FactorValues::Continuous(vec![30.5, -2.0]), "{name}");
            let row = table.row(Path::new("b.png"));
            assert_eq!(row.and_then(|row| table.class_of(row)), Some("y"), "by name alone");
            assert_eq!(table.row(Path::new("c.png")), None);
        }
    }

    /// What pyarrow writes (`fixtures/tables.py`): flat columns are read, lists and structures are not.
    #[test]
    fn every_form_of_parquet_says_the_same() {
        let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tables");
        for form in ["usual", "old", "second-pages", "indexed", "plain", "groups"] {
            let table = Table::read(&tables.join(format!("pyarrow-{form}.parquet"))).unwrap();
            assert_eq!(table.rows.len(), 40, "{form}");
            assert!(!table.columns.iter().any(|column| ["tags", "nested"].contains(&column.as_str())));
            let found = factors(&table, &["1.png", "2.png"]);
            let of = |name: &str| &found.iter().find(|factor| factor.name == name).unwrap().values;
            assert_eq!(*of("hat"), FactorValues::categorical(&NO_YES, vec![0, 1]), "{form}");
            assert_eq!(*of("age"), FactorValues::Continuous(vec![0.5, 1.0]), "{form}");
            assert_eq!(*of("word"), FactorValues::categorical(&["a", "b"], vec![1, 0]), "{form}");
        }
        for (form, reason) in [("differences", "column file is in an encoding"), ("zstd", "ZSTD")] {
            let error =
                Table::read(&tables.join(format!("pyarrow-{form}.parquet"))).err().unwrap().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn celebas_list_is_read() {
        let text = "2\nMale  Young\n000001.jpg -1  1\n000002.jpg  1 -1\n";
        let table = read("list_attr_celeba.txt", text.as_bytes()).unwrap();
        let found = factors(&table, &["000002.jpg", "000001.jpg"]);
        assert_eq!(found[0].name, "Male");
        assert_eq!(found[0].values, FactorValues::categorical(&NO_YES, vec![1, 0]));
        for (broken, reason) in [("3\nA\na.jpg 1\n", "1 rows"), ("1\nA B\na.jpg 1\n", "line 3")] {
            let error = read("list.txt", broken.as_bytes()).err().unwrap();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn columns_without_use_are_named() {
        let table = read("t.csv", b"file,gap,number\na.png,,1\nb.png,x,2\n").unwrap();
        let (factors, warnings) = table.factors(&[table.row(Path::new("a.png")).unwrap()]);
        assert_eq!(factors.len(), 1);
        let warnings = warnings.join("\n");
        assert!(warnings.contains("1 rows") && warnings.contains("'gap'"), "{warnings}");
    }

    #[test]
    fn whole_numbers_are_categories_in_their_order() {
        let found = factor_of(&["10", "9", "10", "-1"]);
        assert_eq!(found, Some(FactorValues::categorical(&["-1", "9", "10"], vec![2, 1, 2, 0])));
        let many: Vec<String> = (0..30).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(matches!(factor_of(&many), Some(FactorValues::Continuous(values)) if values[29] == 29.0));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let keys: String = (0..10_000).map(|key| format!("{{\"{key}\":1}},")).collect();
        for (name, content) in [
            ("a.csv", &b""[..]),
            ("a.csv", b"file\na.png\n"),
            ("a.csv", b"file,x\na.png,1\na.png,2\n"),
            ("a.csv", b"file,x\na.png,1,2\n"),
            ("a.csv", b"\xff\xfe"),
            ("a.json", b"[1, 2]"),
            ("a.json", b"{\"a\": "),
            ("a.parquet", b"PAR1 and no more"),
            // Found by fuzzing: its reader panics.
            ("b.parquet", include_bytes!("../../../../fixtures/tables/damaged.parquet")),
            // And this one asks for 76 GB.
            ("c.parquet", include_bytes!("../../../../fixtures/tables/endless.parquet")),
            ("d.parquet", include_bytes!("../../../../fixtures/tables/mistyped.parquet")),
            // And this one three, for a dictionary.
            ("e.parquet", include_bytes!("../../../../fixtures/tables/dictionary.parquet")),
            // Rows without number, and no column.
            ("f.parquet", include_bytes!("../../../../fixtures/tables/rows.parquet")),
            // A list that reader and walk see differently: hours.
            ("g.parquet", include_bytes!("../../../../fixtures/tables/truths.parquet")),
            // A byte each, and in memory many.
            ("a.csv", format!("file,x\n{}", ",".repeat(40_000_000)).as_bytes()),
            ("a.json", format!("[{}", "0,".repeat(40_000_000)).as_bytes()),
            ("a.json", format!("[{}{{}}]", keys).as_bytes()),
        ] {
            let error = read(name, content).err().unwrap_or_else(|| panic!("{name} is read"));
            assert!(error.contains(name), "{error}");
        }
    }
}
