//! **infogan**: generators whose inputs mean something, because training maximises mutual information.
//!
//! The library behind the program of the same name. The walk through it:
//!
//! 1. [`config`]: a preset, a file and overrides become one checked [`config::Config`].
//! 2. [`session::Session`]: configuration and pictures become a run directory that trains, resumes and scores itself.
//! 3. [`session::OpenRun`]: a run directory becomes pictures, codes and scores.
//!
//! 4. [`study`]: an experiment of a paper becomes trainings and a page.
//!
//! Below that, [`game`] holds what a GAN is here, [`tasks`] what can train, [`train`] how. See `examples/train.rs`.

pub mod config;
mod error;
pub mod evaluate;
pub mod game;
pub mod interop;
pub mod latent;
pub mod networks;
pub mod nn;
pub mod objectives;
pub mod run;
pub mod session;
pub mod study;
pub mod tasks;
pub mod train;
pub mod transforms;

pub use error::Error;
