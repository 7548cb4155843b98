//! Sharing work between threads, and memory to work in.

#![allow(unsafe_code)]

use std::{cell::RefCell, mem::MaybeUninit};

use super::pool;

/// Runs `body` for every task on as many threads as the surrounding rayon pool has. Tasks must be cut by shape alone
/// where a sum crosses them; otherwise the cut is free, because every element is computed by one task.
pub fn parallel(tasks: usize, body: impl Fn(usize) + Sync) {
    pool::run(tasks, rayon::current_num_threads(), &body);
}

/// Multiply-adds below which waking another thread costs more than it brings.
const MODEST: usize = 500_000;

/// Runs `body`, on this thread alone where its multiply-adds are few.
pub fn sized<T>(multiplications: usize, body: impl FnOnce() -> T) -> T {
    if multiplications < MODEST { pool::alone(body) } else { body() }
}

/// Runs `body` for ranges that together are `0..length`, each a multiple of `grain` but the last. For work without
/// sums across elements: the number of ranges follows the number of threads.
pub fn ranges(length: usize, grain: usize, body: impl Fn(std::ops::Range<usize>) + Sync) {
    let grains = length.div_ceil(grain.max(1));
    // A few ranges a thread, so that one late thread does not hold up the rest.
    let pieces = grains.min(4 * rayon::current_num_threads());
    let cut = |piece: usize| (grains * piece / pieces * grain).min(length);
    parallel(pieces, |piece| body(cut(piece)..cut(piece + 1)));
}

/// A slice that tasks write to at places of their own.
#[derive(Clone, Copy)]
pub struct Shared {
    start: *mut f32,
    length: usize,
}

// SAFETY: the methods that write demand that places be disjoint.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Of memory that need not hold numbers yet.
    pub fn new(slice: &mut [MaybeUninit<f32>]) -> Self {
        Self { start: slice.as_mut_ptr().cast(), length: slice.len() }
    }

    /// Of memory that holds numbers.
    pub fn of(slice: &mut [f32]) -> Self {
        Self { start: slice.as_mut_ptr(), length: slice.len() }
    }

    /// Address of an element; to be used within the slice only.
    pub fn at(&self, index: usize) -> *mut f32 {
        debug_assert!(index <= self.length);
        self.start.wrapping_add(index)
    }

    /// Checks that the slice has this many elements.
    ///
    /// # Panics
    /// When it has not.
    pub fn check(&self, count: usize) {
        assert!(count <= self.length);
    }

    /// A part, as memory to be filled.
    ///
    /// # Safety
    /// No two parts that live at one time may overlap.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, range: std::ops::Range<usize>) -> &mut [MaybeUninit<f32>] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: in bounds by the assertion, alone by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start).cast(), range.len()) }
    }

    /// A part that holds numbers already.
    ///
    /// # Safety
    /// As [`Self::part`], and the part must have been filled.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn filled(&self, range: std::ops::Range<usize>) -> &mut [f32] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

/// A new vector of which `fill` writes every element.
///
/// # Safety
/// `fill` must write every element of the slice it is given.
pub unsafe fn vector(length: usize, fill: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    fill(&mut values.spare_capacity_mut()[..length]);
    // SAFETY: filled by the caller's promise.
    unsafe { values.set_len(length) };
    values
}

thread_local! {
    static SPARE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Lends memory that holds arbitrary numbers; a thread keeps what it was lent for the next time.
pub fn scratch<T>(length: usize, body: impl FnOnce(&mut [f32]) -> T) -> T {
    let mut memory = SPARE.with(|spare| spare.borrow_mut().pop()).unwrap_or_default();
    if memory.len() < length {
        memory.resize(length, 0.0);
    }
    let out = body(&mut memory[..length]);
    SPARE.with(|spare| spare.borrow_mut().push(memory));
    out
}

/// Makes the allocator of this process keep large blocks that are freed. A training step frees and takes the same
/// few hundred megabytes over and over; given back to the system in between, every page is fetched and cleared anew,
/// which is an eighth of the time of a step. Only glibc's allocator has the switch; elsewhere nothing happens.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: no arguments but numbers; a value that is refused changes nothing.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}
