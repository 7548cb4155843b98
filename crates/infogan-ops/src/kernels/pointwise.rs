//! What is computed element by element: activations, sums of maps, checks.

#![allow(unsafe_code)]

use std::{
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    level::leveled,
    work::{Shared, parallel, ranges},
};
use crate::Activation;

/// Elements a task takes at least.
const GRAIN: usize = 1 << 14;

/// Rows after which sums in single precision are laid down.
pub const BLOCK: usize = 256;

// Kinds of activation as numbers, for functions compiled once for each.
pub(super) const IDENTITY: usize = 0;
pub(super) const RELU: usize = 1;
pub(super) const LEAKY: usize = 2;
pub(super) const TANH: usize = 3;
pub(super) const SIGMOID: usize = 4;

/// Calls a function that is compiled for each kind of activation.
macro_rules! by_kind {
    ($activation:expr, $function:ident($($arg:expr),* $(,)?)) => {{
        use $crate::{Activation, kernels::pointwise};
        match $activation {
            Activation::Identity => $function::<{ pointwise::IDENTITY }>($($arg,)* 0.0),
            Activation::Relu => $function::<{ pointwise::RELU }>($($arg,)* 0.0),
            Activation::LeakyRelu(slope) => $function::<{ pointwise::LEAKY }>($($arg,)* slope as f32),
            Activation::Tanh => $function::<{ pointwise::TANH }>($($arg,)* 0.0),
            Activation::Sigmoid => $function::<{ pointwise::SIGMOID }>($($arg,)* 0.0),
        }
    }};
}
pub(super) use by_kind;

/// The activation of one number. Not-a-number stays what it is.
#[inline(always)]
pub(super) fn value<const KIND: usize>(x: f32, slope: f32) -> f32 {
    match KIND {
        RELU => {
            if x < 0.0 {
                0.0
            } else {
                x
            }
        }
        LEAKY => {
            if x < 0.0 {
                slope * x
            } else {
                x
            }
        }
        TANH => tanh(x),
        SIGMOID => 1.0 / (1.0 + exp(-x)),
        _ => x,
    }
}

/// The derivative, from the activation's own output. Needs a slope of 0 or more.
#[inline(always)]
pub(super) fn derivative<const KIND: usize>(y: f32, slope: f32) -> f32 {
    match KIND {
        RELU => {
            if y > 0.0 {
                1.0
            } else {
                0.0
            }
        }
        LEAKY => {
            if y > 0.0 {
                1.0
            } else {
                slope
            }
        }
        TANH => 1.0 - y * y,
        SIGMOID => y * (1.0 - y),
        _ => 1.0,
    }
}

/// eˣ to about one unit in the last place: x = n·ln 2 + r, a polynomial in r, and n into the exponent.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // 1.5·2²³: adding it rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, the first exact in few bits.
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    // Taylor to r⁷: |r| ≤ ln 2 / 2 leaves 1e-8.
    let p = 1.0
        + r * (1.0
            + r * (0.5
                + r * (1.0 / 6.0
                    + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)))))));
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(exponent)
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    let square = x * x;
    // Near zero the quotient would lose its digits to cancellation.
    let near = x
        * (1.0
            + square
                * (-1.0 / 3.0 + square * (2.0 / 15.0 + square * (-17.0 / 315.0 + square * (62.0 / 2835.0)))));
    let far = 1.0 - 2.0 / (exp(2.0 * x) + 1.0);
    if square < 0.09 { near } else { far }
}

/// Adds a bias per channel and applies the activation, in place on `[rows, channels]`.
pub fn finish(values: &mut [f32], channels: usize, bias: Option<&[f32]>, activation: Activation) {
    match bias {
        None if activation == Activation::Identity => {}
        None => by_kind!(activation, activate_here(values)),
        Some(bias) if channels >= 4 => by_kind!(activation, finish_rows(values, bias)),
        Some(bias) => by_kind!(activation, finish_narrow(values, bias)),
    }
}

leveled! {
fn activate_here<const KIND: usize>(values: &mut [f32], slope: f32) {
    for y in values {
        *y = value::<KIND>(*y, slope);
    }
}
}

leveled! {
fn finish_rows<const KIND: usize>(values: &mut [f32], bias: &[f32], slope: f32) {
    for row in values.chunks_exact_mut(bias.len()) {
        for (y, b) in row.iter_mut().zip(bias) {
            *y = value::<KIND>(*y + b, slope);
        }
    }
}
}

leveled! {
/// For few channels: the bias repeated over 48 numbers, a multiple of 1, 2 and 3.
fn finish_narrow<const KIND: usize>(values: &mut [f32], bias: &[f32], slope: f32) {
    let mut repeated = [0.0f32; 48];
    for (i, b) in repeated.iter_mut().enumerate() {
        *b = bias[i % bias.len()];
    }
    for row in values.chunks_mut(48) {
        for (y, b) in row.iter_mut().zip(&repeated) {
            *y = value::<KIND>(*y + b, slope);
        }
    }
}
}

/// y = activation(x).
pub fn activate(x: &[f32], activation: Activation, y: &mut [MaybeUninit<f32>]) {
    assert_eq!(x.len(), y.len());
    let out = Shared::new(y);
    ranges(x.len(), GRAIN, |range| {
        // SAFETY: ranges are disjoint.
        let y = unsafe { out.part(range.clone()) };
        by_kind!(activation, activate_into(&x[range], y));
    });
}

leveled! {
fn activate_into<const KIND: usize>(x: &[f32], y: &mut [MaybeUninit<f32>], slope: f32) {
    for (y, &x) in y.iter_mut().zip(x) {
        y.write(value::<KIND>(x, slope));
    }
}
}

/// Gradient behind an activation, from its output: `dx = dy · activation′`.
pub fn activate_backward(y: &[f32], dy: &[f32], activation: Activation, dx: &mut [MaybeUninit<f32>]) {
    assert_eq!((y.len(), dy.len()), (dx.len(), dx.len()));
    let out = Shared::new(dx);
    ranges(y.len(), GRAIN, |range| {
        // SAFETY: ranges are disjoint.
        let dx = unsafe { out.part(range.clone()) };
        by_kind!(activation, slopes_into(&y[range.clone()], &dy[range], dx));
    });
}

leveled! {
fn slopes_into<const KIND: usize>(y: &[f32], dy: &[f32], dx: &mut [MaybeUninit<f32>], slope: f32) {
    for ((dx, &y), &dy) in dx.iter_mut().zip(y).zip(dy) {
        dx.write(dy * derivative::<KIND>(y, slope));
    }
}
}

/// Sums of the columns of `[rows, channels]`: single precision within blocks of [`BLOCK`] rows, double across them.
pub fn column_sums(values: &[f32], channels: usize) -> Vec<f32> {
    let rows = values.len() / channels.max(1);
    let blocks = rows.div_ceil(BLOCK);
    let mut partial = vec![0.0f32; blocks * channels];
    let shared = Shared::of(&mut partial);
    parallel(blocks, |block| {
        let from = block * BLOCK;
        let part = &values[from * channels..(from + BLOCK).min(rows) * channels];
        // SAFETY: a block has sums of its own.
        add_rows(part, unsafe { shared.filled(block * channels..(block + 1) * channels) });
    });
    (0..channels)
        .map(|channel| {
            (0..blocks).map(|block| f64::from(partial[block * channels + channel])).sum::<f64>() as f32
        })
        .collect()
}

leveled! {
fn add_rows(values: &[f32], sums: &mut [f32]) {
    if sums.len() < 4 {
        // Columns are too short to be vectors: 48 sums side by side.
        let mut wide = [0.0f32; 48];
        for row in values.chunks(48) {
            for (sum, x) in wide.iter_mut().zip(row) {
                *sum += x;
            }
        }
        let channels = sums.len();
        for (i, x) in wide.into_iter().enumerate() {
            sums[i % channels] += x;
        }
        return;
    }
    for row in values.chunks_exact(sums.len()) {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x;
        }
    }
}
}

/// Sum of two slices.
pub fn add(left: &[f32], right: &[f32], sum: &mut [MaybeUninit<f32>]) {
    assert_eq!((left.len(), right.len()), (sum.len(), sum.len()));
    let out = Shared::new(sum);
    ranges(left.len(), GRAIN, |range| {
        // SAFETY: ranges are disjoint.
        let sum = unsafe { out.part(range.clone()) };
        add_into(&left[range.clone()], &right[range], sum);
    });
}

leveled! {
fn add_into(left: &[f32], right: &[f32], sum: &mut [MaybeUninit<f32>]) {
    for ((sum, &left), &right) in sum.iter_mut().zip(left).zip(right) {
        sum.write(left + right);
    }
}
}

/// Whether every element and its square are finite.
pub fn squares_finite(values: &[f32]) -> bool {
    let fine = AtomicBool::new(true);
    ranges(values.len(), GRAIN, |range| {
        if !finite(&values[range]) {
            fine.store(false, Ordering::Relaxed);
        }
    });
    fine.into_inner()
}

leveled! {
fn finite(values: &[f32]) -> bool {
    // Nought times anything finite is nought; times anything else it is not a number, and stays so in the sum.
    let mut sums = [0.0f32; 64];
    let (blocks, rest) = values.as_chunks::<64>();
    for block in blocks {
        for (sum, x) in sums.iter_mut().zip(block) {
            *sum += x * x * 0.0;
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += x * x * 0.0;
    }
    sums.iter().all(|sum| *sum == 0.0)
}
}

/// `[batch, rows, columns]` to `[batch, columns, rows]`: between channels first and channels last.
pub fn transpose(batch: usize, rows: usize, columns: usize, values: &[f32], out: &mut [MaybeUninit<f32>]) {
    assert_eq!((values.len(), out.len()), (batch * rows * columns, batch * rows * columns));
    let shared = Shared::new(out);
    // One matrix is cut by columns where there are few of them.
    let blocks = 8usize.div_ceil(batch.max(1)).min(columns.div_ceil(64)).max(1);
    let block = columns.div_ceil(blocks);
    parallel(batch * blocks, |task| {
        let (n, from) = (task / blocks, (task % blocks * block).min(columns));
        let many = block.min(columns - from);
        let matrix = &values[n * rows * columns + from..];
        let at = (n * columns + from) * rows;
        // SAFETY: tasks have columns, rows of the result, of their own.
        unsafe { transpose_block(matrix, columns, rows, many, shared, at, rows) };
    });
}

/// Side of the squares that [`transpose_block`] turns in registers.
const SQUARE: usize = 8;

/// Transposes a matrix of `rows × columns` whose rows are `from` apart into one at `at` whose rows are `to` apart.
///
/// # Safety
/// Nobody else may touch the `columns` rows of `rows` numbers that are written.
pub unsafe fn transpose_block(
    values: &[f32],
    from: usize,
    rows: usize,
    columns: usize,
    out: Shared,
    at: usize,
    to: usize,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    out.check(at + (columns - 1) * to + rows);
    turn(values, from, rows, columns, out, at, to);
}

leveled! {
/// [`transpose_block`], whose promises and checks it relies on.
fn turn(values: &[f32], from: usize, rows: usize, columns: usize, out: Shared, at: usize, to: usize) {
    let whole = (rows / SQUARE * SQUARE, columns / SQUARE * SQUARE);
    for row in (0..whole.0).step_by(SQUARE) {
        for column in (0..whole.1).step_by(SQUARE) {
            let mut square = [[0.0f32; SQUARE]; SQUARE];
            for i in 0..SQUARE {
                let start = (row + i) * from + column;
                let Ok(line) = <&[f32; SQUARE]>::try_from(&values[start..start + SQUARE]) else { return };
                square[i] = *line;
            }
            let mut turned = [[0.0f32; SQUARE]; SQUARE];
            for i in 0..SQUARE {
                for j in 0..SQUARE {
                    turned[j][i] = square[i][j];
                }
            }
            for j in 0..SQUARE {
                // SAFETY: within what `transpose_block` checked and its caller promised.
                unsafe { out.at(at + (column + j) * to + row).cast::<[f32; SQUARE]>().write_unaligned(turned[j]) };
            }
        }
        for column in whole.1..columns {
            for i in 0..SQUARE {
                // SAFETY: as above.
                unsafe { out.at(at + column * to + row + i).write(values[(row + i) * from + column]) };
            }
        }
    }
    for row in whole.0..rows {
        for column in 0..columns {
            // SAFETY: as above.
            unsafe { out.at(at + column * to + row).write(values[row * from + column]) };
        }
    }
}
}
