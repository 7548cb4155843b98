//! From a preset, a file and `--set` overrides to one [`Config`].

use std::path::Path;

use toml::{Table, Value};

use super::{Config, ConfigError, PRESETS, preset, validate};

/// Collects layers of configuration, later ones over earlier ones.
#[derive(Clone, Debug)]
pub struct Resolver {
    table: Table,
}

impl Resolver {
    /// Begins with a preset.
    ///
    /// # Errors
    /// [`ConfigError`] when there is no preset of this name.
    pub fn preset(name: &str) -> Result<Self, ConfigError> {
        let names = PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>().join(", ");
        let found = preset(name).ok_or_else(|| {
            ConfigError::new("preset", format!("there is no preset '{name}'; presets: {names}"))
        })?;
        Self::text(found.text, name)
    }

    /// Begins with a configuration, such as that of a run.
    ///
    /// # Errors
    /// [`ConfigError`] when the configuration cannot be written as TOML.
    pub fn config(config: &Config) -> Result<Self, ConfigError> {
        let table = Table::try_from(config).map_err(|error| ConfigError::new("config", error.to_string()))?;
        Ok(Self { table })
    }

    /// Begins with a TOML file. Its key `extends` names the preset it starts from; without one it starts from
    /// the first preset, and with `extends = false` from nothing.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be read or is not TOML.
    pub fn file(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::new(&name, format!("cannot be read: {error}")))?;
        Self::text(&text, &name)
    }

    fn text(text: &str, name: &str) -> Result<Self, ConfigError> {
        let mut table: Table =
            text.parse().map_err(|error| ConfigError::new(name, format!("is not TOML: {error}")))?;
        // What a run writes beside its configuration determines nothing.
        table.remove("about");
        table.remove("init_from");
        // Only the root of all presets stands alone.
        let base = match table.remove("extends") {
            Some(Value::String(base)) if base != name => Some(base),
            Some(Value::Boolean(false)) => None,
            Some(other) => {
                return Err(ConfigError::new(
                    "extends",
                    format!("{other} is not the name of another preset"),
                ));
            }
            None if preset(name).is_some() => None,
            None => Some(PRESETS[0].name.to_owned()),
        };
        let mut resolver = match base {
            Some(base) => Self::preset(&base)?,
            None => Self { table: Table::new() },
        };
        merge(&mut resolver.table, table);
        Ok(resolver)
    }

    /// Sets one key from `section.key=value`, the value in TOML or else a plain string. Lists take a position
    /// (`phase.0.latents=reused`).
    ///
    /// # Errors
    /// [`ConfigError`] for a text without `=` and for a position that a list has not got.
    pub fn set(&mut self, assignment: &str) -> Result<(), ConfigError> {
        let (key, text) = assignment.split_once('=').ok_or_else(|| {
            ConfigError::new(assignment, "--set wants section.key=value, as in --set train.batch=64")
        })?;
        let (key, text) = (key.trim(), text.trim());
        let value = format!("value = {text}")
            .parse::<Table>()
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| Value::String(text.to_owned()));
        self.put(key, value)
    }

    /// Sets one key to a value.
    ///
    /// # Errors
    /// [`ConfigError`] when the key leads through something that has no keys.
    pub fn put(&mut self, key: &str, value: Value) -> Result<(), ConfigError> {
        let mut names = key.split('.').peekable();
        let mut root = Value::Table(std::mem::take(&mut self.table));
        let outcome = (|| {
            let mut at = &mut root;
            while let Some(name) = names.next() {
                let last = names.peek().is_none();
                match at {
                    Value::Table(table) if last => {
                        let mut overlay = Table::new();
                        overlay.insert(name.to_owned(), value);
                        merge(table, overlay);
                        return Ok(());
                    }
                    Value::Table(table) => {
                        at = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
                    }
                    Value::Array(list) => {
                        let length = list.len();
                        let item = name.parse::<usize>().ok().and_then(|index| list.get_mut(index));
                        at = item.ok_or_else(|| {
                            ConfigError::new(key, format!("'{name}' is not a position of a list of {length}"))
                        })?;
                        if last {
                            *at = value;
                            return Ok(());
                        }
                    }
                    _ => return Err(ConfigError::new(key, format!("has no keys below it, so no '{name}'"))),
                }
            }
            Ok(())
        })();
        if let Value::Table(table) = root {
            self.table = table;
        }
        outcome
    }

    /// The configuration, checked.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the reason and the allowed values.
    pub fn finish(self) -> Result<Config, ConfigError> {
        let config = from_toml(self.table)?;
        validate(&config)?;
        Ok(config)
    }
}

/// Lays one table over another: tables merge, everything else is replaced, and `false` removes a table. A `gradient`
/// is replaced as a whole: a receiver left over from the preset would be another experiment.
fn merge(base: &mut Table, overlay: Table) {
    for (key, value) in overlay {
        let whole = key == "gradient" && value.is_table();
        match (base.get_mut(&key).filter(|_| !whole), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (Some(Value::Table(_) | Value::Array(_)), Value::Boolean(false)) => {
                base.remove(&key);
            }
            (_, Value::Table(mut table)) if whole => {
                table.retain(|_, value| value.as_bool() != Some(false));
                base.insert(key, Value::Table(table));
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Reads a configuration from TOML without checking whether its parts fit.
///
/// # Errors
/// [`ConfigError`] for unknown keys, missing keys and values of the wrong kind.
pub fn from_toml(table: Table) -> Result<Config, ConfigError> {
    serde_path_to_error::deserialize(table).map_err(|error| {
        let path = error.path().to_string();
        // As `--set` takes it: positions of lists stand between dots.
        let path = path.replace('[', ".").replace(']', "");
        let reason = error.inner().to_string();
        let reason = reason.trim().replace('\n', " ");
        // serde names the unknown field in its message; the path ends at it.
        ConfigError::new(if path == "." { "config".to_owned() } else { path }, reason)
    })
}

/// Keys in which two configurations differ, with both values, sorted.
pub fn differences(left: &Config, right: &Config) -> Vec<(String, String, String)> {
    let (left, right) = (flatten(left), flatten(right));
    let keys = left.keys().chain(right.keys()).collect::<std::collections::BTreeSet<_>>();
    let absent = || "(absent)".to_owned();
    keys.into_iter()
        .filter(|&key| left.get(key) != right.get(key))
        .map(|key| {
            let of = |side: &std::collections::BTreeMap<String, String>| side.get(key).cloned();
            (key.clone(), of(&left).unwrap_or_else(absent), of(&right).unwrap_or_else(absent))
        })
        .collect()
}

fn flatten(config: &Config) -> std::collections::BTreeMap<String, String> {
    fn walk(prefix: &str, value: &serde_json::Value, out: &mut std::collections::BTreeMap<String, String>) {
        let below = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        match value {
            serde_json::Value::Object(map) => {
                for (name, value) in map {
                    walk(&below(name), value, out);
                }
            }
            serde_json::Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    walk(&below(&index.to_string()), value, out);
                }
            }
            other => {
                out.insert(prefix.to_owned(), other.to_string());
            }
        }
    }
    let mut out = std::collections::BTreeMap::new();
    walk("", &serde_json::to_value(config).unwrap_or_default(), &mut out);
    out
}
