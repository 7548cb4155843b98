//! Matrix products cut into tiles: the loops around [`super::tile`].

#![allow(unsafe_code)]

use std::ops::Range;

use super::{
    tile::{ROWS, Run, Tiling},
    work::{Shared, parallel, scratch},
};

/// A stretch of the inner dimension that a tile walks in one go: part of one segment, or several whole segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// First segment.
    pub segment: usize,
    /// Segments.
    pub segments: usize,
    /// First position within each segment.
    pub offset: usize,
    /// Positions within each segment.
    pub length: usize,
    /// First position of all.
    pub start: usize,
}

impl Stretch {
    /// Positions in all.
    pub fn count(&self) -> usize {
        self.segments * self.length
    }
}

/// Most segments of a stretch.
pub const MOST_RUNS: usize = 64;

/// Cuts an inner dimension of `segments` segments of `length` positions so that no stretch exceeds `depth`.
pub fn stretches(segments: usize, length: usize, depth: usize) -> Vec<Stretch> {
    let mut all = Vec::new();
    if length >= depth {
        let parts = length.div_ceil(depth);
        for segment in 0..segments {
            for part in 0..parts {
                let (from, to) = (length * part / parts, length * (part + 1) / parts);
                let start = segment * length + from;
                all.push(Stretch { segment, segments: 1, offset: from, length: to - from, start });
            }
        }
    } else {
        let together = (depth / length.max(1)).clamp(1, MOST_RUNS);
        for segment in (0..segments).step_by(together) {
            let segments = together.min(segments - segment);
            all.push(Stretch { segment, segments, offset: 0, length, start: segment * length });
        }
    }
    all
}

/// The left factor: rows read where they lie.
pub trait Left: Sync {
    /// Distance between positions of the inner dimension in memory.
    fn step(&self) -> usize;

    /// Writes where `rows` rows from `row` on start, for each segment of the stretch, and where in the packed columns
    /// the segment starts: the segments follow one another at `right`, `numbers` numbers each. A segment that is zero in
    /// all rows may be left out. Gives the number of runs.
    fn runs(
        &self,
        row: usize,
        rows: usize,
        stretch: &Stretch,
        right: *const f32,
        numbers: usize,
        runs: &mut [Run; MOST_RUNS],
    ) -> usize;
}

/// Rows one after the other at a fixed distance; the inner dimension is one segment.
#[derive(Clone, Copy)]
pub struct Dense<'a> {
    values: &'a [f32],
    row: usize,
}

impl<'a> Dense<'a> {
    /// Rows of `row` numbers each.
    pub fn new(values: &'a [f32], row: usize) -> Self {
        Self { values, row }
    }
}

impl Left for Dense<'_> {
    fn step(&self) -> usize {
        1
    }

    fn runs(
        &self,
        row: usize,
        rows: usize,
        stretch: &Stretch,
        right: *const f32,
        _: usize,
        runs: &mut [Run; MOST_RUNS],
    ) -> usize {
        for i in 0..rows {
            let at = (row + i) * self.row + stretch.offset;
            runs[0].left[i] = self.values[at..at + stretch.length].as_ptr();
        }
        runs[0].right = right;
        1
    }
}

/// The transpose of a matrix of `positions` rows, packed by [`pack_transposed`]: the inner dimension counts its rows.
#[derive(Clone, Copy)]
pub struct Transposed<'a> {
    packed: &'a [f32],
    positions: usize,
}

impl<'a> Transposed<'a> {
    /// Of a packed matrix.
    pub fn new(packed: &'a [f32], positions: usize) -> Self {
        Self { packed, positions }
    }
}

impl Left for Transposed<'_> {
    fn step(&self) -> usize {
        ROWS
    }

    fn runs(
        &self,
        row: usize,
        rows: usize,
        stretch: &Stretch,
        right: *const f32,
        _: usize,
        runs: &mut [Run; MOST_RUNS],
    ) -> usize {
        debug_assert_eq!(row % ROWS, 0);
        let at = (row / ROWS * self.positions + stretch.start) * ROWS;
        let tile = &self.packed[at..at + stretch.length * ROWS];
        for (i, run) in runs[0].left[..rows].iter_mut().enumerate() {
            *run = tile[i..].as_ptr();
        }
        runs[0].right = right;
        1
    }
}

/// Numbers that [`pack_transposed`] writes for a matrix of `positions × columns`.
pub fn transposed_size(positions: usize, columns: usize) -> usize {
    columns.next_multiple_of(ROWS) * positions
}

/// Packs `columns` columns from `from` on of a matrix whose rows of `row` numbers are images of a batch, pixel by pixel;
/// position p of the packed matrix is image `p mod batch` at pixel `p / batch`. [`ROWS`] columns lie together.
pub fn pack_transposed(
    values: &[f32],
    row: usize,
    from: usize,
    columns: usize,
    batch: usize,
    packed: &mut [f32],
) {
    let positions = values.len() / row;
    let shared = Shared::of(packed);
    super::work::ranges(positions, 64, |range| {
        pack_positions(values, row, from, columns, batch, range.start, range.end, shared);
    });
}

super::level::leveled! {
/// Positions `begin..end` of [`pack_transposed`]. Callers give ranges that do not overlap.
fn pack_positions(
    values: &[f32],
    row: usize,
    from: usize,
    columns: usize,
    batch: usize,
    begin: usize,
    end: usize,
    packed: Shared,
) {
    let positions = values.len() / row;
    let area = positions / batch;
    for tile in 0..columns.div_ceil(ROWS) {
        let first = from + tile * ROWS;
        let many = ROWS.min(columns - tile * ROWS);
        let at = tile * positions;
        // SAFETY: the positions of a tile are the caller's alone.
        let target = unsafe { packed.filled((at + begin) * ROWS..(at + end) * ROWS) };
        let (mut pixel, mut n) = (begin / batch, begin % batch);
        for target in target.chunks_exact_mut(ROWS) {
            let start = (n * area + pixel) * row + first;
            if many == ROWS {
                // In two moves that overlap, instead of six.
                let source = &values[start..start + ROWS];
                let (Some(low), Some(high)) = (source.first_chunk::<4>(), source.last_chunk::<4>()) else { return };
                let (low, high) = (*low, *high);
                if let Some(part) = target.first_chunk_mut::<4>() {
                    *part = low;
                }
                if let Some(part) = target.last_chunk_mut::<4>() {
                    *part = high;
                }
            } else {
                for (i, target) in target.iter_mut().enumerate() {
                    *target = if i < many { values[start + i] } else { 0.0 };
                }
            }
            n += 1;
            if n == batch {
                n = 0;
                pixel += 1;
            }
        }
    }
}
}

/// Packs a stretch of a panel: `(stretch, first column, columns, panel)`. Rows of the panel are [`panel_row`] numbers; what
/// is beyond the columns must be zero.
pub type Pack<'a> = dyn Fn(&Stretch, usize, usize, &mut [f32]) + Sync + 'a;

/// The right factor, in panels of [`Tiling::width`] columns; the last may be narrower.
pub enum Right<'a> {
    /// Packed in full: panel after panel, each with all positions of the inner dimension.
    Packed(&'a [f32]),
    /// Packed a stretch of a panel at a time.
    Source(&'a Pack<'a>),
}

/// Numbers in a row of a packed panel of this many columns: whole vectors.
pub fn panel_row(tiling: &Tiling, columns: usize) -> usize {
    columns.next_multiple_of(tiling.lanes)
}

/// Numbers of a right factor packed in full.
pub fn packed_size(tiling: &Tiling, inner: usize, columns: usize) -> usize {
    inner * panel_row(tiling, columns)
}

/// Multiplies `rows` rows of `left` by the columns of the panels `panels` of `right`, `columns` columns in all.
/// `product` gives the address of a row's first column, which may lie outside where the panels do not begin with it.
///
/// # Safety
/// `left` must give runs as long as the stretches, and `product` addresses at which all columns of the panels can be written, and nobody else may touch them.
pub unsafe fn multiply<L: Left>(
    tiling: &Tiling,
    stretches: &[Stretch],
    left: &L,
    right: &Right<'_>,
    rows: Range<usize>,
    panels: Range<usize>,
    columns: usize,
    product: &impl Fn(usize) -> *mut f32,
) {
    let width = tiling.width();
    let inner: usize = stretches.iter().map(Stretch::count).sum();
    let step = left.step();
    let buffer = match right {
        Right::Packed(_) => 0,
        Right::Source(_) => stretches.iter().map(Stretch::count).max().unwrap_or(0) * width,
    };
    scratch(buffer, |buffer| {
        let mut runs = [Run { left: [std::ptr::null(); ROWS], right: std::ptr::null() }; MOST_RUNS];
        for (number, stretch) in stretches.iter().enumerate() {
            let add = number > 0;
            for panel in panels.clone() {
                let first = panel * width;
                let here = width.min(columns - first);
                let row = panel_row(tiling, here);
                let numbers = match right {
                    Right::Packed(all) => {
                        let at = first * inner + stretch.start * row;
                        &all[at..at + stretch.count() * row]
                    }
                    Right::Source(pack) => {
                        let part = &mut buffer[..stretch.count() * row];
                        pack(stretch, first, here, part);
                        &*part
                    }
                };
                let vectors = row / tiling.lanes;
                for row in rows.clone().step_by(ROWS) {
                    let many = ROWS.min(rows.end - row);
                    let segment = stretch.length * panel_row(tiling, here);
                    let found = left.runs(row, many, stretch, numbers.as_ptr(), segment, &mut runs);
                    if found == 0 && add {
                        continue;
                    }
                    let runs = &runs[..found];
                    let mut targets = [std::ptr::null_mut(); ROWS];
                    for (i, target) in targets[..many].iter_mut().enumerate() {
                        *target = product(row + i).wrapping_add(first);
                    }
                    let tile = tiling.tile(many, vectors);
                    if here == vectors * tiling.lanes {
                        // SAFETY: `runs` checked its bounds, `numbers` is as long as the stretch, the targets are
                        // the caller's.
                        unsafe { tile(runs, stretch.length, step, &targets, add) };
                    } else {
                        // SAFETY: as above, by way of a tile of our own.
                        unsafe {
                            cut(
                                tile,
                                runs,
                                stretch.length,
                                step,
                                &targets,
                                add,
                                many,
                                here,
                                vectors * tiling.lanes,
                            )
                        };
                    }
                }
            }
        }
        if stretches.is_empty() {
            for panel in panels {
                let here = width.min(columns - panel * width);
                for row in rows.clone() {
                    // SAFETY: the caller's promise.
                    unsafe { product(row).wrapping_add(panel * width).write_bytes(0, here) };
                }
            }
        }
    });
}

/// A tile whose last vector is not full: computed beside and copied.
///
/// # Safety
/// As [`super::tile::Tile`], with `columns` columns to be touched in the product.
unsafe fn cut(
    tile: super::tile::Tile,
    runs: &[Run],
    length: usize,
    step: usize,
    product: &[*mut f32; ROWS],
    add: bool,
    rows: usize,
    columns: usize,
    full: usize,
) {
    assert!(full <= 64);
    let mut beside = [0.0f32; ROWS * 64];
    let start = beside.as_mut_ptr();
    let mut targets = [std::ptr::null_mut(); ROWS];
    for (i, target) in targets[..rows].iter_mut().enumerate() {
        *target = start.wrapping_add(i * full);
    }
    // SAFETY: the caller's promise; the copies touch only `columns` columns.
    unsafe {
        if add {
            for i in 0..rows {
                std::ptr::copy_nonoverlapping(product[i], targets[i], columns);
            }
        }
        tile(runs, length, step, &targets, add);
        for i in 0..rows {
            std::ptr::copy_nonoverlapping(targets[i], product[i], columns);
        }
    }
}

/// Rows a task takes: a tile's multiple that leaves its part of the product in the second cache.
pub const TASK_ROWS: usize = 16 * ROWS;

/// Cuts a product in tasks of some rows and one panel each, enough of them for many threads, and runs them.
/// `stretches` gives those of a panel.
///
/// # Safety
/// As [`multiply`], for all rows and columns.
pub unsafe fn by_panels<'a, L: Left>(
    tiling: &Tiling,
    stretches: &(dyn Fn(usize) -> &'a [Stretch] + Sync),
    left: &L,
    source: &Pack<'_>,
    rows: usize,
    columns: usize,
    product: &(impl Fn(usize) -> *mut f32 + Sync),
) {
    let panels = columns.div_ceil(tiling.width());
    // A panel is packed once for all rows unless there are too few panels to go round.
    let blocks = 16usize.div_ceil(panels.max(1)).min(rows.div_ceil(TASK_ROWS)).max(1);
    let block = rows.div_ceil(blocks).next_multiple_of(ROWS);
    parallel(panels * blocks, |task| {
        let (panel, from) = (task / blocks, (task % blocks * block).min(rows));
        let rows = from..(from + block).min(rows);
        // SAFETY: the caller's promise; tasks have rows or columns of their own.
        unsafe {
            multiply(
                tiling,
                stretches(panel),
                left,
                &Right::Source(source),
                rows,
                panel..panel + 1,
                columns,
                product,
            )
        };
    });
}
