//! Data sets drawn in-process, with every generating factor known.

pub mod glyphs;
mod outlines;
mod pen;
