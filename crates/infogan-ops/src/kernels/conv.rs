//! Convolution on channels-last maps: one geometry, three kernels.
//!
//! A window ties a big map to a small one. [`down`] reads the big map (a convolution forward, the data gradient of a
//! transposed one), [`up`] reads the small one (the transposed convolution forward, the data gradient of a
//! convolution), [`weight`] reads both. Each is one matrix product; [`down`] and [`up`] read their left factor where the
//! map lies, if it has channels enough.

#![allow(unsafe_code)]

use std::{mem::MaybeUninit, ops::Range};

use super::{
    level::leveled,
    pointwise::{finish, transpose_block},
    product::{
        Dense, Left, MOST_RUNS, Right, Stretch, TASK_ROWS, Transposed, by_panels, multiply, pack_transposed,
        packed_size, panel_row, stretches, transposed_size,
    },
    tile::{ROWS, Run, Tiling},
    work::{Shared, parallel, ranges, scratch},
};
use crate::Activation;

/// Height, width and channels of a map, stored `[height, width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels, of all groups.
    pub channels: usize,
}

impl Map {
    /// Pixels.
    pub fn area(&self) -> usize {
        self.height * self.width
    }

    /// Numbers.
    pub fn count(&self) -> usize {
        self.area() * self.channels
    }
}

/// What a convolution ties together. Pixel `(y, x)` of the small map meets tap `(i, j)` of the kernel at pixel
/// `(y·stride + i − before, x·stride + j − before)` of the big one.
///
/// Weights are PyTorch's for both directions: `[small channels, big channels / groups, kernel, kernel]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Maps in the batch.
    pub batch: usize,
    /// The big map.
    pub big: Map,
    /// The small map.
    pub small: Map,
    /// Side of the kernel.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Padding above and to the left of the big map.
    pub before: usize,
    /// Groups of channels that do not mix.
    pub groups: usize,
}

impl Geometry {
    /// Taps of the kernel.
    pub fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Channels of one group: big, small.
    pub fn group(&self) -> (usize, usize) {
        (self.big.channels / self.groups, self.small.channels / self.groups)
    }

    /// Multiplications of any of the three kernels, those by padding included.
    pub fn multiplications(&self) -> usize {
        self.batch * self.small.area() * self.weights()
    }

    /// # Panics
    /// When the groups do not share out the channels, or a bias is not one number a channel.
    fn check(&self, bias: Option<&[f32]>, channels: usize) {
        let whole = |channels: usize| channels.is_multiple_of(self.groups);
        assert!(self.groups > 0 && whole(self.big.channels) && whole(self.small.channels), "{self:?}");
        assert!(bias.is_none_or(|bias| bias.len() == channels), "a bias for {channels} channels");
    }

    /// Numbers of the weight.
    pub fn weights(&self) -> usize {
        self.small.channels * self.group().0 * self.taps()
    }
}

/// Fewest channels for which rows are read where they lie; with fewer, runs would be too short and rows are gathered.
const FEWEST: usize = 8;

/// Zeros that stand for the padding.
static ZEROS: [f32; 512] = [0.0; 512];

/// Small map of a big one. `big` `[batch, height, width, channels]`, `bias` per small channel.
pub fn down(
    g: &Geometry,
    big: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    activation: Activation,
    small: &mut [MaybeUninit<f32>],
) {
    g.check(bias, g.small.channels);
    assert_eq!(big.len(), g.batch * g.big.count());
    assert_eq!(small.len(), g.batch * g.small.count());
    assert_eq!(weight.len(), g.weights());
    let tiling = Tiling::current();
    let (from, to) = g.group();
    let inner = g.taps() * from;
    let gathered = from < FEWEST;
    let cuts = if gathered {
        stretches(1, inner, tiling.depth())
    } else {
        stretches(g.taps(), from, depth(&tiling))
    };
    let out = Shared::new(small);
    let size = packed_size(&tiling, inner, to);
    let panels = to.div_ceil(tiling.width());
    scratch(g.groups * size, |packed| {
        let shared = Shared::of(packed);
        for group in 0..g.groups {
            // Inner dimension: tap, then big channel. Columns: small channels.
            let weight = &weight[group * to * inner..(group + 1) * to * inner];
            let packings = [Packing { taps: (0..g.taps()).collect(), at: group * size }];
            pack_weight(&tiling, weight, [inner, g.taps()], [from, to, g.taps()], &packings, shared);
        }
        let packed = &*packed;
        let tasks = tasks(g.batch, if gathered { 1 } else { images_of_block(g.batch) }, g.small.area());
        parallel(tasks.len(), |task| {
            let (block, rows) = &tasks[task];
            let places: Vec<Place> = rows
                .clone()
                .map(|row| {
                    let (n, pixel) = block.place(row);
                    let (y, x) = (pixel / g.small.width, pixel % g.small.width);
                    Place {
                        out: (n * g.small.area() + pixel) * g.small.channels,
                        image: n * g.big.count(),
                        y: (y * g.stride) as isize - g.before as isize,
                        x: (x * g.stride) as isize - g.before as isize,
                    }
                })
                .collect();
            for group in 0..g.groups {
                let right = Right::Packed(&packed[group * size..(group + 1) * size]);
                let product = |row: usize| out.at(places[row].out + group * to);
                let rows = 0..places.len();
                // SAFETY: tasks have pixels of their own, and groups columns.
                unsafe {
                    if gathered {
                        scratch(places.len() * inner, |patch| {
                            gather(g, big, group * from, from, *block, tasks[task].1.start, inner, patch);
                            let left = Dense::new(patch, inner);
                            multiply(&tiling, &cuts, &left, &right, rows, 0..panels, to, &product);
                        });
                    } else {
                        let (channel, across) = (group * from, g.kernel);
                        let left = Seen { values: big, map: g.big, channel, places: &places, across, way: 1 };
                        multiply(&tiling, &cuts, &left, &right, rows, 0..panels, to, &product);
                    }
                }
            }
            // SAFETY: this task wrote these pixels, and nobody else touches them.
            unsafe { finish_places(&places, out, g.small.channels, bias, activation) };
        });
    });
}

/// Images that take turns at every pixel: neighbouring rows of a product then see the same padding, and what is
/// padding for all of them is not computed. Whole tiles of images; a single one where there are not enough.
fn images_of_block(batch: usize) -> usize {
    if batch < ROWS { 1 } else { 2 * ROWS }
}

/// Some images whose pixels are rows of a product: pixel by pixel, image by image within each.
#[derive(Clone, Copy)]
struct Block {
    first: usize,
    images: usize,
}

impl Block {
    /// Image and pixel of a row.
    fn place(&self, row: usize) -> (usize, usize) {
        (self.first + row % self.images, row / self.images)
    }
}

/// Cuts a batch in blocks of images, and blocks of `area` pixels each in rows that a task takes.
fn tasks(batch: usize, images: usize, area: usize) -> Vec<(Block, Range<usize>)> {
    let mut all = Vec::new();
    for first in (0..batch).step_by(images) {
        let images = images.min(batch - first);
        let rows = images * area;
        for row in (0..rows).step_by(TASK_ROWS) {
            all.push((Block { first, images }, row..(row + TASK_ROWS).min(rows)));
        }
    }
    all
}

/// A row of a product over pixels.
#[derive(Clone, Copy)]
struct Place {
    /// Where its result goes.
    out: usize,
    /// Where the image that it reads starts.
    image: usize,
    /// Pixel that the first tap reads; it may lie outside.
    y: isize,
    x: isize,
}

/// Bias and activation for the results of some rows.
///
/// # Safety
/// The results are written, and nobody else touches them.
unsafe fn finish_places(
    places: &[Place],
    out: Shared,
    channels: usize,
    bias: Option<&[f32]>,
    activation: Activation,
) {
    if bias.is_none() && activation == Activation::Identity {
        return;
    }
    // Results that follow one another are finished in one go.
    for run in places.chunk_by(|one, next| one.out + channels == next.out) {
        let start = run[0].out;
        // SAFETY: the caller's promise.
        finish(unsafe { out.filled(start..start + run.len() * channels) }, channels, bias, activation);
    }
}

/// The left factor of a product over pixels: what the taps of each row see of a map.
struct Seen<'a> {
    values: &'a [f32],
    map: Map,
    channel: usize,
    places: &'a [Place],
    /// Taps side by side.
    across: usize,
    /// Whether taps go down and right of the first (1) or up and left (−1).
    way: isize,
}

impl Left for Seen<'_> {
    fn step(&self) -> usize {
        1
    }

    fn runs(
        &self,
        row: usize,
        rows: usize,
        stretch: &Stretch,
        right: *const f32,
        numbers: usize,
        runs: &mut [Run; MOST_RUNS],
    ) -> usize {
        let places = &self.places[row..row + rows];
        let mut below = (stretch.segment / self.across) as isize;
        let mut beside = (stretch.segment % self.across) as isize;
        let mut found = 0;
        for segment in 0..stretch.segments {
            let run = &mut runs[found];
            let mut seen = false;
            for (place, start) in places.iter().zip(&mut run.left) {
                let (y, x) = ((place.y + self.way * below) as usize, (place.x + self.way * beside) as usize);
                // What lies before the map wraps to something huge.
                let inside = y < self.map.height && x < self.map.width;
                *start = if inside {
                    let pixel = y * self.map.width + x;
                    let at = place.image + pixel * self.map.channels + self.channel + stretch.offset;
                    self.values[at..at + stretch.length].as_ptr()
                } else {
                    ZEROS.as_ptr()
                };
                seen |= inside;
            }
            if seen {
                run.right = right.wrapping_add(segment * numbers);
                found += 1;
            }
            beside += 1;
            if beside == self.across as isize {
                beside = 0;
                below += 1;
            }
        }
        found
    }
}

/// Depth of a stretch when zeros of [`ZEROS`] may stand in for a run.
fn depth(tiling: &Tiling) -> usize {
    tiling.depth().min(ZEROS.len())
}

/// Taps that are packed together, and where.
struct Packing {
    /// In the order of the inner dimension.
    taps: Vec<usize>,
    /// First number in the packed memory.
    at: usize,
}

/// Packs weights for products: columns by panels, inner dimension the taps of a packing and then channels. `weight` is
/// read at `column · column_step + channel · channel_step + tap`.
fn pack_weight(
    tiling: &Tiling,
    weight: &[f32],
    [column_step, channel_step]: [usize; 2],
    [channels, columns, taps]: [usize; 3],
    packings: &[Packing],
    packed: Shared,
) {
    let width = tiling.width();
    ranges(channels, 4, |range| {
        scratch(taps * width, |turned| {
            let side = Shared::of(turned);
            for channel in range {
                for first in (0..columns).step_by(width) {
                    let here = width.min(columns - first);
                    let row = panel_row(tiling, here);
                    let source = &weight[first * column_step + channel * channel_step..];
                    // SAFETY: the scratch memory is this task's own.
                    unsafe { transpose_block(source, column_step, here, taps, side, 0, row) };
                    for packing in packings {
                        let base = packing.at + first * packing.taps.len() * channels;
                        for (number, &tap) in packing.taps.iter().enumerate() {
                            let at = base + (number * channels + channel) * row;
                            // SAFETY: a channel has rows of its own.
                            let target = unsafe { packed.filled(at..at + row) };
                            // SAFETY: read by nobody else; through the same pointer that wrote it.
                            let source = unsafe { side.filled(tap * row..tap * row + here) };
                            target[..here].copy_from_slice(source);
                            target[here..].fill(0.0);
                        }
                    }
                }
            }
        });
    });
}

leveled! {
/// Writes the windows of the rows of a block from `begin` on, `[tap, channel]` each, at a distance of `full`; zeros in
/// between.
fn gather(g: &Geometry, big: &[f32], channel: usize, channels: usize, block: Block, begin: usize, full: usize, patch: &mut [f32]) {
    let span = g.kernel * channels;
    let inner = g.kernel * span;
    let (mut n, pixel) = block.place(begin);
    let (mut y, mut x) = (pixel / g.small.width, pixel % g.small.width);
    for window in patch.chunks_exact_mut(full) {
        let left = (x * g.stride).wrapping_sub(g.before);
        let top = (y * g.stride).wrapping_sub(g.before);
        // All channels of a row of the window lie together.
        let whole = channels == g.big.channels && left < g.big.width && left + g.kernel <= g.big.width;
        let (window, rest) = window.split_at_mut(inner);
        rest.fill(0.0);
        for (i, line) in window.chunks_exact_mut(span).enumerate() {
            let at_y = top.wrapping_add(i);
            if at_y >= g.big.height {
                line.fill(0.0);
                continue;
            }
            let start = (n * g.big.height + at_y) * g.big.width;
            if whole {
                let at = (start + left) * channels;
                let source = &big[at..at + span];
                if let (Ok(line), Ok(source)) = (<&mut [f32; 4]>::try_from(&mut *line), <&[f32; 4]>::try_from(source)) {
                    *line = *source;
                } else {
                    for (value, &number) in line.iter_mut().zip(source) {
                        *value = number;
                    }
                }
                continue;
            }
            for (j, pixel) in line.chunks_exact_mut(channels).enumerate() {
                let at_x = left.wrapping_add(j);
                let at = (start + at_x.min(g.big.width)) * g.big.channels + channel;
                for (c, value) in pixel.iter_mut().enumerate() {
                    *value = if at_x < g.big.width { big[at + c] } else { 0.0 };
                }
            }
        }
        n += 1;
        if n == block.first + block.images {
            n = block.first;
            x += 1;
            if x == g.small.width {
                x = 0;
                y += 1;
            }
        }
    }
}
}

/// Big map of a small one: the adjoint of [`down`]. `bias` per big channel.
pub fn up(
    g: &Geometry,
    small: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    activation: Activation,
    big: &mut [MaybeUninit<f32>],
) {
    g.check(bias, g.big.channels);
    assert_eq!(big.len(), g.batch * g.big.count());
    assert_eq!(small.len(), g.batch * g.small.count());
    assert_eq!(weight.len(), g.weights());
    let (to, _) = g.group();
    if to <= FEWEST {
        up_by_windows(g, small, weight, bias, activation, big);
    } else {
        up_by_classes(g, small, weight, bias, activation, big);
    }
}

/// Pixels of the big map that meet the same taps, along one axis.
#[derive(Clone, Copy)]
struct Class {
    /// First pixel.
    first: usize,
    /// Pixels, `stride` apart.
    count: usize,
    /// First tap; further ones are `stride` apart.
    tap: usize,
    /// Taps.
    taps: usize,
    /// Pixel of the small map that the first pixel meets with the first tap; it may lie outside.
    meets: usize,
}

/// The classes along an axis of the big map. Pixel `p` meets tap `t` at pixel `(p + before − t) / stride` of the small
/// map where that division has no rest.
fn classes(side: usize, g: &Geometry) -> Vec<Class> {
    (0..g.stride)
        .filter_map(|rest| {
            // Pixels p with (p + before) mod stride = rest.
            let first = (rest + g.stride - g.before % g.stride) % g.stride;
            (first < side).then(|| Class {
                first,
                count: (side - first).div_ceil(g.stride),
                tap: rest,
                taps: g.kernel.saturating_sub(rest).div_ceil(g.stride),
                meets: (first + g.before) / g.stride,
            })
        })
        .collect()
}

/// Every big pixel gathers what it meets: one product per class of pixels.
fn up_by_classes(
    g: &Geometry,
    small: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    activation: Activation,
    big: &mut [MaybeUninit<f32>],
) {
    let tiling = Tiling::current();
    let (to, from) = g.group();
    let panels = to.div_ceil(tiling.width());
    let out = Shared::new(big);
    let (down, across) = (classes(g.big.height, g), classes(g.big.width, g));
    let mut parts = Vec::new();
    let mut size = 0;
    for &vertical in &down {
        for &horizontal in &across {
            let taps: Vec<usize> = (0..vertical.taps * horizontal.taps)
                .map(|t| {
                    let (i, j) = (t / horizontal.taps, t % horizontal.taps);
                    (vertical.tap + i * g.stride) * g.kernel + horizontal.tap + j * g.stride
                })
                .collect();
            let cuts = stretches(taps.len(), from, depth(&tiling));
            let packed = packed_size(&tiling, taps.len() * from, to);
            parts.push((vertical, horizontal, taps, cuts, size, packed));
            size += g.groups * packed;
        }
    }
    scratch(size, |memory| {
        let shared = Shared::of(memory);
        for group in 0..g.groups {
            let inner = to * g.taps();
            let weight = &weight[group * from * inner..(group + 1) * from * inner];
            let packings: Vec<Packing> = (parts.iter())
                .map(|(_, _, taps, _, at, packed)| Packing { taps: taps.clone(), at: at + group * packed })
                .collect();
            pack_weight(&tiling, weight, [g.taps(), inner], [from, to, g.taps()], &packings, shared);
        }
        let memory = &*memory;
        let mut all = Vec::new();
        for (number, (vertical, horizontal, ..)) in parts.iter().enumerate() {
            let area = vertical.count * horizontal.count;
            all.extend(tasks(g.batch, images_of_block(g.batch), area).into_iter().map(|task| (number, task)));
        }
        parallel(all.len(), |task| {
            let (number, (block, rows)) = &all[task];
            let (vertical, horizontal, _, cuts, at, packed) = &parts[*number];
            let places: Vec<Place> = rows
                .clone()
                .map(|row| {
                    let (n, pixel) = block.place(row);
                    let (i, j) = (pixel / horizontal.count, pixel % horizontal.count);
                    let (y, x) = (vertical.first + i * g.stride, horizontal.first + j * g.stride);
                    Place {
                        out: ((n * g.big.height + y) * g.big.width + x) * g.big.channels,
                        image: n * g.small.count(),
                        y: (vertical.meets + i) as isize,
                        x: (horizontal.meets + j) as isize,
                    }
                })
                .collect();
            for group in 0..g.groups {
                let (channel, across) = (group * from, horizontal.taps);
                let left = Seen { values: small, map: g.small, channel, places: &places, across, way: -1 };
                let right = Right::Packed(&memory[at + group * packed..at + (group + 1) * packed]);
                let product = |row: usize| out.at(places[row].out + group * to);
                // SAFETY: a pixel belongs to one row of one class.
                unsafe { multiply(&tiling, cuts, &left, &right, 0..places.len(), 0..panels, to, &product) };
            }
            // SAFETY: this task wrote these pixels, and nobody else touches them.
            unsafe { finish_places(&places, out, g.big.channels, bias, activation) };
        });
    });
}

/// For few big channels (pictures): whole windows are computed, and every big pixel adds up the taps that fall on it.
fn up_by_windows(
    g: &Geometry,
    small: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    activation: Activation,
    big: &mut [MaybeUninit<f32>],
) {
    let tiling = Tiling::current();
    let (to, from) = g.group();
    let columns = g.taps() * to;
    let cuts = stretches(1, from, tiling.depth());
    let (down, across) = (classes(g.big.height, g), classes(g.big.width, g));
    let size = packed_size(&tiling, from, columns);
    let area = g.small.area();
    let out = Shared::new(big);
    scratch(g.groups * size + g.weights(), |memory| {
        let (packed, ordered) = memory.split_at_mut(g.groups * size);
        // [small channel][tap][big channel]: the windows of the product are channels-last.
        let shared = Shared::of(ordered);
        for (number, weight) in weight.chunks_exact(columns).enumerate() {
            // SAFETY: nobody else has this memory.
            unsafe { transpose_block(weight, g.taps(), to, g.taps(), shared, number * columns, to) };
        }
        for group in 0..g.groups {
            let rows = &ordered[group * from * columns..(group + 1) * from * columns];
            let part = &mut packed[group * size..(group + 1) * size];
            pack_rows(&tiling, rows, columns, columns, part);
        }
        let packed = &*packed;
        parallel(g.batch, |n| {
            scratch(area * columns, |windows| {
                for group in 0..g.groups {
                    let at = n * g.small.count() + group * from;
                    let left = Dense::new(&small[at..], g.small.channels);
                    let right = Right::Packed(&packed[group * size..(group + 1) * size]);
                    let shared = Shared::of(windows);
                    let product = |row: usize| shared.at(row * columns);
                    // SAFETY: the windows are this task's own.
                    unsafe {
                        multiply(
                            &tiling,
                            &cuts,
                            &left,
                            &right,
                            0..area,
                            0..columns.div_ceil(tiling.width()),
                            columns,
                            &product,
                        )
                    };
                    // SAFETY: a task has a picture of its own.
                    let picture = unsafe { out.part(n * g.big.count()..(n + 1) * g.big.count()) };
                    for vertical in &down {
                        for horizontal in &across {
                            let at = group * to;
                            // Grey and colour are compiled by themselves.
                            match to {
                                1 => add_windows::<1>(g, windows, vertical, horizontal, to, at, picture),
                                3 => add_windows::<3>(g, windows, vertical, horizontal, to, at, picture),
                                _ => add_windows::<0>(g, windows, vertical, horizontal, to, at, picture),
                            }
                        }
                    }
                }
            });
            // SAFETY: filled just now, by this task.
            let picture = unsafe { out.filled(n * g.big.count()..(n + 1) * g.big.count()) };
            finish(picture, g.big.channels, bias, activation);
        });
    });
}

leveled! {
/// Adds up, for one class of pixels of one picture, the taps of `windows` `[small pixel, tap, channel]` that fall on
/// each, in the order of the taps. `FIXED` channels, or `channels` of them when it is 0.
fn add_windows<const FIXED: usize>(
    g: &Geometry,
    windows: &[f32],
    vertical: &Class,
    horizontal: &Class,
    channels: usize,
    channel: usize,
    picture: &mut [MaybeUninit<f32>],
) {
    let channels = if FIXED > 0 { FIXED } else { channels };
    let columns = g.kernel * g.kernel * channels;
    for i in 0..vertical.count {
        let y = vertical.first + i * g.stride;
        for j in 0..horizontal.count {
            let x = horizontal.first + j * g.stride;
            let mut sums = [0.0f32; FEWEST];
            for v in 0..vertical.taps {
                let at_y = (vertical.meets + i).wrapping_sub(v);
                if at_y >= g.small.height {
                    continue;
                }
                for h in 0..horizontal.taps {
                    let at_x = (horizontal.meets + j).wrapping_sub(h);
                    if at_x >= g.small.width {
                        continue;
                    }
                    let tap = (vertical.tap + v * g.stride) * g.kernel + horizontal.tap + h * g.stride;
                    let at = (at_y * g.small.width + at_x) * columns + tap * channels;
                    for (sum, &value) in sums.iter_mut().zip(&windows[at..at + channels]) {
                        *sum += value;
                    }
                }
            }
            let at = (y * g.big.width + x) * g.big.channels + channel;
            for (target, sum) in picture[at..at + channels].iter_mut().zip(sums) {
                target.write(sum);
            }
        }
    }
}
}

/// Packs a matrix of `columns` columns whose rows are `row` apart.
fn pack_rows(tiling: &Tiling, values: &[f32], row: usize, columns: usize, packed: &mut [f32]) {
    let inner = values.len() / row;
    let width = tiling.width();
    for first in (0..columns).step_by(width) {
        let here = width.min(columns - first);
        let full = panel_row(tiling, here);
        let panel = &mut packed[first * inner..first * inner + inner * full];
        for (target, source) in panel.chunks_exact_mut(full).zip(values.chunks_exact(row)) {
            target[..here].copy_from_slice(&source[first..first + here]);
            target[here..].fill(0.0);
        }
    }
}

/// Slices of the inner dimension of [`weight`] when it has too few columns to go round.
const SLICES: usize = 16;

/// Gradient of the weight. `big` and `small` are the maps of [`down`], one of them a gradient.
///
/// The inner dimension counts the small map's pixels, and the batch at every pixel: a tap that falls on padding at a
/// pixel does so in the whole batch, and is left out.
pub fn weight(g: &Geometry, big: &[f32], small: &[f32], gradient: &mut [MaybeUninit<f32>]) {
    g.check(None, 0);
    assert_eq!(big.len(), g.batch * g.big.count());
    assert_eq!(small.len(), g.batch * g.small.count());
    assert_eq!(gradient.len(), g.weights());
    let tiling = Tiling::current();
    let (from, to) = g.group();
    let columns = g.taps() * from;
    let positions = g.batch * g.small.area();
    let everything = stretches(1, positions, tiling.depth());
    let panels = columns.div_ceil(tiling.width());
    // Sums over slices are added in order, so the cut must not depend on the number of threads.
    let slices = if panels >= 8 { 1 } else { SLICES.min(everything.len()).max(1) };
    let by_tap: Vec<Vec<Stretch>> = if g.batch < 2 * ROWS || slices > 1 {
        Vec::new() // stretches of one pixel would be too short
    } else {
        (0..g.taps()).map(|tap| stretches_of_tap(g, tap, tiling.depth())).collect()
    };
    let cuts = |panel: usize| -> &[Stretch] {
        let first = panel * tiling.width();
        let last = (first + tiling.width()).min(columns) - 1;
        match by_tap.get(first / from) {
            Some(cuts) if first / from == last / from => cuts,
            _ => &everything,
        }
    };
    let size = transposed_size(positions, to);
    let out = Shared::new(gradient);
    scratch(size + slices * to * columns, |memory| {
        let (packed, sums) = memory.split_at_mut(size);
        for group in 0..g.groups {
            pack_transposed(small, g.small.channels, group * to, to, g.batch, packed);
            let left = Transposed::new(packed, positions);
            let source = |stretch: &Stretch, first: usize, here: usize, panel: &mut [f32]| {
                let full = panel_row(&tiling, here);
                if from < FEWEST && here == columns {
                    let block = Block { first: 0, images: g.batch };
                    gather(g, big, group * from, from, block, stretch.start, full, panel);
                } else {
                    pack_windows(
                        g,
                        big,
                        group * from,
                        from,
                        stretch.start,
                        stretch.length,
                        first,
                        here,
                        full,
                        panel,
                    );
                }
            };
            let shared = Shared::of(sums);
            if slices == 1 {
                // SAFETY: the sums are ours; every task has rows or columns of its own.
                unsafe {
                    by_panels(&tiling, &cuts, &left, &source, to, columns, &|row| shared.at(row * columns))
                };
            } else {
                parallel(slices, |slice| {
                    let cuts = &everything
                        [everything.len() * slice / slices..everything.len() * (slice + 1) / slices];
                    let product = |row: usize| shared.at((slice * to + row) * columns);
                    // SAFETY: every slice has sums of its own.
                    unsafe {
                        multiply(
                            &tiling,
                            cuts,
                            &left,
                            &Right::Source(&source),
                            0..to,
                            0..panels,
                            columns,
                            &product,
                        )
                    };
                });
            }
            let sums = &*sums;
            // [small channel][tap][big channel] to PyTorch's order.
            ranges(to, 8, |range| {
                for row in range {
                    let at = (group * to + row) * columns;
                    let row = &sums[row * columns..];
                    if slices == 1 {
                        // SAFETY: each row is written once.
                        unsafe { transpose_block(row, from, g.taps(), from, out, at, g.taps()) };
                        continue;
                    }
                    // SAFETY: as above.
                    let target = unsafe { out.part(at..at + columns) };
                    for tap in 0..g.taps() {
                        for channel in 0..from {
                            let at = tap * from + channel;
                            let sum = (0..slices).map(|slice| row[slice * to * columns + at]).sum();
                            target[channel * g.taps() + tap].write(sum);
                        }
                    }
                }
            });
        }
    });
}

/// The positions at which a tap falls on the big map, pixel by pixel.
fn stretches_of_tap(g: &Geometry, tap: usize, depth: usize) -> Vec<Stretch> {
    let inside = |small: usize, tap: usize, side: usize| {
        (small * g.stride + tap).checked_sub(g.before).is_some_and(|at| at < side)
    };
    let mut all = Vec::new();
    for y in (0..g.small.height).filter(|&y| inside(y, tap / g.kernel, g.big.height)) {
        for x in (0..g.small.width).filter(|&x| inside(x, tap % g.kernel, g.big.width)) {
            let first = (y * g.small.width + x) * g.batch;
            all.extend(stretches(1, g.batch, depth).into_iter().map(|part| Stretch {
                start: first + part.start,
                offset: first + part.offset,
                ..part
            }));
        }
    }
    all
}

leveled! {
/// Columns `first..first + here` of the windows at the positions `start..start + length`: `[position, full]`.
fn pack_windows(
    g: &Geometry,
    big: &[f32],
    channel: usize,
    channels: usize,
    start: usize,
    length: usize,
    first: usize,
    here: usize,
    full: usize,
    panel: &mut [f32],
) {
    if here < full {
        for row in panel.chunks_exact_mut(full) {
            row[here..].fill(0.0);
        }
    }
    let image = g.big.height * g.big.width * g.big.channels;
    let mut column = first;
    while column < first + here {
        // Columns of one tap.
        let tap = column / channels;
        let offset = column % channels;
        let many = (channels - offset).min(first + here - column);
        let mut position = start;
        while position < start + length {
            // Images at one pixel.
            let (pixel, n) = (position / g.batch, position % g.batch);
            let run = (g.batch - n).min(start + length - position);
            let y = (pixel / g.small.width * g.stride + tap / g.kernel).wrapping_sub(g.before);
            let x = (pixel % g.small.width * g.stride + tap % g.kernel).wrapping_sub(g.before);
            let inside = y < g.big.height && x < g.big.width;
            let from = if inside { (y * g.big.width + x) * g.big.channels + channel + offset } else { 0 };
            for step in 0..run {
                let to = (position - start + step) * full + column - first;
                let target = &mut panel[to..to + many];
                if !inside {
                    target.fill(0.0);
                    continue;
                }
                let at = (n + step) * image + from;
                let source = &big[at..at + many];
                // A copy of known length becomes a few vector moves.
                if many == 64 {
                    let (Ok(target), Ok(source)) = (<&mut [f32; 64]>::try_from(target), <&[f32; 64]>::try_from(source)) else { return };
                    *target = *source;
                } else if many == 16 {
                    let (Ok(target), Ok(source)) = (<&mut [f32; 16]>::try_from(target), <&[f32; 16]>::try_from(source)) else { return };
                    *target = *source;
                } else {
                    for (value, &number) in target.iter_mut().zip(source) {
                        *value = number;
                    }
                }
            }
            position += run;
        }
        column += many;
    }
}
}
