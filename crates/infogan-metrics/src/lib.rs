//! Scores as pure functions of codes, labels and factors, in `f64`.
//!
//! This crate knows no tensor library and no network: plain slices in, numbers out. The same input always gives
//! the same bytes.
//!
//! - [`clustering`]: how well a categorical code sorts pictures into their classes (error after a matching, NMI, ARI);
//! - [`diversity`]: whether generated pictures differ from each other as real ones do;
//! - [`factors`]: how well codes of any kind follow known factors (association, mutual information, MIG, FactorVAE score);
//! - [`information`]: entropies of priors and the variational bounds on mutual information, in nats;
//! - [`spectrum`]: power by spatial frequency, and how much of a checkerboard generated pictures have.
//!
//! Nothing here panics on bad input: every function that can be given nonsense returns an [`Error`].

pub mod clustering;
pub mod diversity;
mod error;
pub mod factors;
pub mod information;
mod numeric;
pub mod spectrum;

pub use error::{Error, Result};
