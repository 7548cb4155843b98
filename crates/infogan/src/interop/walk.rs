//! Names of the tensors in what a pickle left: the keys on the way to them, joined by dots.

use std::{collections::BTreeSet, fmt};

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
    let mut walk = Walk { pickle, visits: 0, path: Vec::new(), names: BTreeSet::new(), found: Vec::new() };
    walk.visit(pickle.root)?;
    Ok(walk.found)
}

struct Walk<'a> {
    pickle: &'a Pickle,
    visits: usize,
    /// The way to where the walk is. Names are made of it at tensors alone: a million values may be looked at.
    path: Vec<Part<'a>>,
    names: BTreeSet<String>,
    found: Vec<(String, TensorRef)>,
}

/// A key or a place in a list.
#[derive(Clone, Copy)]
enum Part<'a> {
    Text(&'a str),
    Number(i128),
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl<'a> Walk<'a> {
    fn visit(&mut self, at: usize) -> Result<(), Fault> {
        self.visits += 1;
        if self.path.len() > DEPTH_LIMIT || self.visits > VISIT_LIMIT {
            return refused(format!(
                "nests its values deeper than {DEPTH_LIMIT} levels, or repeats them more than {VISIT_LIMIT} times"
            ));
        }
        let pickle = self.pickle;
        match &pickle.values[at] {
            Value::Dict(pairs) => {
                let mut keys = BTreeSet::new();
                for &(key, value) in pairs {
                    let key = self.key(key)?;
                    if !keys.insert(key.to_string()) {
                        return damaged(format!("holds the key {:?} twice", key.to_string()));
                    }
                    self.below(key, value)?;
                }
            }
            Value::List(items) | Value::Tuple(items) => {
                for (index, &item) in items.iter().enumerate() {
                    self.below(Part::Number(index as i128), item)?;
                }
            }
            Value::Tensor(tensor) => {
                let parts: Vec<String> = self.path.iter().map(Part::to_string).collect();
                // A file may be one tensor and nothing else.
                let name = if parts.is_empty() { "tensor".to_owned() } else { parts.join(".") };
                check_name(&name)?;
                if !self.names.insert(name.clone()) {
                    return damaged(format!("holds two tensors {name}"));
                }
                self.found.push((name, tensor.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    fn below(&mut self, part: Part<'a>, at: usize) -> Result<(), Fault> {
        self.path.push(part);
        self.visit(at)?;
        self.path.pop();
        Ok(())
    }

    fn key(&self, at: usize) -> Result<Part<'a>, Fault> {
        match &self.pickle.values[at] {
            Value::Text(text) => check_name(text).map(|()| Part::Text(text)),
            Value::Int(number) => Ok(Part::Number(*number)),
            _ => refused("has a dictionary whose keys are neither text nor whole numbers"),
        }
    }
}
