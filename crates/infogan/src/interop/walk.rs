//! Names of the tensors in what a pickle left: the keys on the way to them, joined by dots.

use std::collections::BTreeSet;

use super::{
    check_name,
    error::{Fault, damaged, refused},
    opcodes::Value,
    pickle::Pickle,
    storage::TensorRef,
};

/// Deepest nesting of dictionaries and lists.
const DEPTH_LIMIT: usize = 32;
/// Most values looked at. A list that holds one list a hundred times, which holds another a hundred times … has few
/// values and no end.
const VISIT_LIMIT: usize = 1 << 20;

/// All tensors with their names, in order.
pub(super) fn tensors(pickle: &Pickle) -> Result<Vec<(String, TensorRef)>, Fault> {
    let mut walk = Walk { pickle, visits: 0, names: BTreeSet::new(), found: Vec::new() };
    walk.visit(pickle.root, "", 0)?;
    Ok(walk.found)
}

struct Walk<'a> {
    pickle: &'a Pickle,
    visits: usize,
    names: BTreeSet<String>,
    found: Vec<(String, TensorRef)>,
}

impl Walk<'_> {
    fn visit(&mut self, at: usize, name: &str, depth: usize) -> Result<(), Fault> {
        self.visits += 1;
        if depth > DEPTH_LIMIT || self.visits > VISIT_LIMIT {
            return refused(format!(
                "nests its values deeper than {DEPTH_LIMIT} levels, or repeats them more than {VISIT_LIMIT} times"
            ));
        }
        match &self.pickle.values[at] {
            Value::Dict(pairs) => {
                let mut keys = BTreeSet::new();
                for &(key, value) in pairs {
                    let key = self.key(key)?;
                    if !keys.insert(key.clone()) {
                        return damaged(format!("holds the key {key:?} twice"));
                    }
                    self.visit(value, &below(name, &key)?, depth + 1)?;
                }
            }
            Value::List(items) | Value::Tuple(items) => {
                for (index, &item) in items.iter().enumerate() {
                    self.visit(item, &below(name, &index.to_string())?, depth + 1)?;
                }
            }
            Value::Tensor(tensor) => {
                // A file may be one tensor and nothing else.
                let name = if name.is_empty() { "tensor" } else { name };
                check_name(name)?;
                if !self.names.insert(name.to_owned()) {
                    return damaged(format!("holds two tensors {name}"));
                }
                self.found.push((name.to_owned(), tensor.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    fn key(&self, at: usize) -> Result<String, Fault> {
        match &self.pickle.values[at] {
            Value::Text(text) => Ok(text.clone()),
            Value::Int(number) => Ok(number.to_string()),
            _ => refused("has a dictionary whose keys are neither text nor whole numbers"),
        }
    }
}

/// The name one level down; checked here, so that names of nothing do not grow without end.
fn below(name: &str, key: &str) -> Result<String, Fault> {
    check_name(key)?;
    let joined = if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    check_name(&joined).map(|()| joined)
}
