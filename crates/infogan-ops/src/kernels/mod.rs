//! CPU kernels on plain slices: no tensors, no tape, no allocation but for results and a thread's own scratch memory.
//!
//! Maps are channels-last, `[batch, height, width, channels]`; matrices are row-major. Every kernel gives the same
//! bytes with any number of threads: an element is computed by one task in one order, and sums that cross tasks are cut
//! by shape and added in order.

// Kernels take slices and sizes one by one, and count with indices over several slices at once.
#![allow(clippy::too_many_arguments, clippy::needless_range_loop)]

pub mod adam;
pub mod conv;
pub mod level;
pub mod linear;
pub mod norm;
pub mod pointwise;
mod pool;
mod product;
pub mod tile;
pub mod work;

pub use work::keep_freed_memory;
