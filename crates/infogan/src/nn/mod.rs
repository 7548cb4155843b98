//! Layers with explicit state: parameters by path, a forward pass that is told everything it may use.

mod parameters;
mod spectral;
mod stack;
mod table;

pub use parameters::{
    Bound, Entry, Init, NetState, NormMode, ParameterSpec, Pass, Section, initialise, read,
};
pub use spectral::{network_of, vector_section, vectors};
pub use stack::{Feature, Stack};
pub use table::{LayerSpec, Map, Shape, TableError, parse_table};
