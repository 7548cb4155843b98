//! Linear maps, weight `[out, in]`.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use super::{
    level::leveled,
    pointwise::{finish, transpose_block},
    product::{
        Dense, Right, Stretch, TASK_ROWS, Transposed, by_panels, multiply, pack_transposed, packed_size,
        panel_row, stretches, transposed_size,
    },
    tile::Tiling,
    work::{Shared, parallel, ranges, scratch},
};
use crate::Activation;

/// Sizes of a linear map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Samples.
    pub batch: usize,
    /// Numbers in.
    pub inputs: usize,
    /// Numbers out.
    pub outputs: usize,
}

impl Sizes {
    /// Multiplications of any of the three kernels.
    pub fn multiplications(&self) -> usize {
        self.batch * self.inputs * self.outputs
    }
}

/// Samples up to which a product is a handful of dot products, bound by reading the weight once.
const FEW: usize = 4;

/// `[batch, in]` to `[batch, out]`.
pub fn forward(
    s: &Sizes,
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    activation: Activation,
    y: &mut [MaybeUninit<f32>],
) {
    assert_eq!(
        (x.len(), weight.len(), y.len()),
        (s.batch * s.inputs, s.inputs * s.outputs, s.batch * s.outputs)
    );
    let out = Shared::new(y);
    if s.batch <= FEW || s.outputs <= FEW {
        ranges(if s.batch <= FEW { s.outputs } else { s.batch }, 16, |range| {
            for index in range {
                if s.batch <= FEW {
                    let row = &weight[index * s.inputs..(index + 1) * s.inputs];
                    for n in 0..s.batch {
                        let value = dot(row, &x[n * s.inputs..(n + 1) * s.inputs]);
                        // SAFETY: an element is computed once.
                        unsafe { out.at(n * s.outputs + index).write(value) };
                    }
                } else {
                    let row = &x[index * s.inputs..(index + 1) * s.inputs];
                    for o in 0..s.outputs {
                        let value = dot(row, &weight[o * s.inputs..(o + 1) * s.inputs]);
                        // SAFETY: an element is computed once.
                        unsafe { out.at(index * s.outputs + o).write(value) };
                    }
                }
            }
        });
        // SAFETY: all of it was written above.
        finish(unsafe { out.filled(0..s.batch * s.outputs) }, s.outputs, bias, activation);
        return;
    }
    let tiling = Tiling::current();
    let cuts = stretches(1, s.inputs, tiling.depth());
    // What is smaller is packed, the samples or the weight; the other factor is read where it lies. Either way an
    // element is the same sum in the same order.
    if s.outputs < s.batch {
        scratch(packed_size(&tiling, s.inputs, s.outputs), |packed| {
            pack_columns(&tiling, weight, s.outputs, s.inputs, packed);
            let packed = &*packed;
            let left = Dense::new(x, s.inputs);
            parallel(s.batch.div_ceil(TASK_ROWS), |task| {
                let rows = task * TASK_ROWS..((task + 1) * TASK_ROWS).min(s.batch);
                let panels = 0..s.outputs.div_ceil(tiling.width());
                let product = |row: usize| out.at(row * s.outputs);
                // SAFETY: tasks have rows of their own, which `multiply` fills.
                let rows = unsafe {
                    multiply(
                        &tiling,
                        &cuts,
                        &left,
                        &Right::Packed(packed),
                        rows.clone(),
                        panels,
                        s.outputs,
                        &product,
                    );
                    out.filled(rows.start * s.outputs..rows.end * s.outputs)
                };
                finish(rows, s.outputs, bias, activation);
            });
        });
        return;
    }
    // The transposed product.
    let panels = s.batch.div_ceil(tiling.width());
    scratch(packed_size(&tiling, s.inputs, s.batch), |packed| {
        pack_columns(&tiling, x, s.batch, s.inputs, packed);
        let packed = &*packed;
        let left = Dense::new(weight, s.inputs);
        // A few panels at a time bound the memory of a task for any number of samples.
        let together = 8;
        let blocks = panels.div_ceil(together);
        parallel(s.outputs.div_ceil(TASK_ROWS) * blocks, |task| {
            let (block, rows) = (task % blocks, task / blocks * TASK_ROWS);
            let rows = rows..(rows + TASK_ROWS).min(s.outputs);
            let panels = block * together..((block + 1) * together).min(panels);
            let samples = panels.start * tiling.width()..(panels.end * tiling.width()).min(s.batch);
            scratch(rows.len() * samples.len(), |part| {
                let shared = Shared::of(part);
                // Row r, column `samples.start` of the transposed product at the start of row r of the part.
                let product =
                    |row: usize| shared.at((row - rows.start) * samples.len()).wrapping_sub(samples.start);
                // SAFETY: the part is this task's own and holds all rows and samples of the task.
                unsafe {
                    multiply(
                        &tiling,
                        &cuts,
                        &left,
                        &Right::Packed(packed),
                        rows.clone(),
                        panels,
                        s.batch,
                        &product,
                    )
                };
                // SAFETY: tasks write outputs of their own.
                unsafe {
                    lay_down(
                        part,
                        rows.start,
                        rows.end,
                        samples.start,
                        samples.end,
                        s.outputs,
                        bias,
                        activation,
                        out,
                    )
                };
            });
        });
    });
}

/// # Safety
/// Parts that tasks lay down must not overlap.
#[allow(clippy::too_many_arguments)]
unsafe fn lay_down(
    part: &[f32],
    begin: usize,
    end: usize,
    first: usize,
    last: usize,
    all: usize,
    bias: Option<&[f32]>,
    activation: Activation,
    out: Shared,
) {
    let samples = last - first;
    // SAFETY: the caller's promise.
    unsafe { transpose_block(part, samples, end - begin, samples, out, first * all + begin, all) };
    if bias.is_some() || activation != Activation::Identity {
        for n in first..last {
            // SAFETY: the caller's promise; just written.
            let row = unsafe { out.filled(n * all + begin..n * all + end) };
            finish(row, end - begin, bias.map(|bias| &bias[begin..end]), activation);
        }
    }
}

leveled! {
/// Σ aᵢ·bᵢ in 64 interleaved partial sums.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 64];
    let (blocks, rest) = a.as_chunks::<64>();
    let (others, other_rest) = b.as_chunks::<64>();
    for (a, b) in blocks.iter().zip(others) {
        for i in 0..64 {
            sums[i] += a[i] * b[i];
        }
    }
    for (i, (a, b)) in rest.iter().zip(other_rest).enumerate() {
        sums[i] += a * b;
    }
    let mut width = 32;
    while width > 0 {
        for i in 0..width {
            sums[i] += sums[i + width];
        }
        width /= 2;
    }
    sums[0]
}
}

/// Rows `[columns, inner]` of a matrix as the packed columns of a right factor.
fn pack_columns(tiling: &Tiling, values: &[f32], columns: usize, inner: usize, packed: &mut [f32]) {
    let width = tiling.width();
    let shared = Shared::of(packed);
    let panels = columns.div_ceil(width);
    // The inner dimension in blocks of a few lines, panel by panel.
    let block = 256;
    let blocks = inner.div_ceil(block);
    parallel(panels * blocks, |task| {
        let (panel, from) = (task / blocks, task % blocks * block);
        let first = panel * width;
        let here = width.min(columns - first);
        let row = panel_row(tiling, here);
        let to = (from + block).min(inner);
        let at = first * inner;
        let source = &values[first * inner + from..];
        // SAFETY: tasks have rows of panels of their own.
        unsafe { transpose_block(source, inner, here, to - from, shared, at + from * row, row) };
        if here < row {
            // SAFETY: as above.
            let target = unsafe { shared.filled(at + from * row..at + to * row) };
            target.chunks_exact_mut(row).for_each(|row| row[here..].fill(0.0));
        }
    });
}

/// Gradient of the input: `[batch, out]` to `[batch, in]`.
pub fn input(s: &Sizes, dy: &[f32], weight: &[f32], dx: &mut [MaybeUninit<f32>]) {
    assert_eq!(
        (dy.len(), weight.len(), dx.len()),
        (s.batch * s.outputs, s.inputs * s.outputs, s.batch * s.inputs)
    );
    let tiling = Tiling::current();
    let cuts = stretches(1, s.outputs, tiling.depth());
    let out = Shared::new(dx);
    let source = |stretch: &Stretch, first: usize, here: usize, panel: &mut [f32]| {
        copy_rows(weight, s.inputs, stretch.start, first, here, panel_row(&tiling, here), panel);
    };
    // SAFETY: every task has rows or columns of its own.
    unsafe {
        by_panels(&tiling, &|_| &cuts[..], &Dense::new(dy, s.outputs), &source, s.batch, s.inputs, &|row| {
            out.at(row * s.inputs)
        });
    }
}

/// Gradient of the weight `[out, in]`.
pub fn weight(s: &Sizes, x: &[f32], dy: &[f32], dw: &mut [MaybeUninit<f32>]) {
    assert_eq!(
        (x.len(), dy.len(), dw.len()),
        (s.batch * s.inputs, s.batch * s.outputs, s.inputs * s.outputs)
    );
    let tiling = Tiling::current();
    let cuts = stretches(1, s.batch, tiling.depth());
    let out = Shared::new(dw);
    scratch(transposed_size(s.batch, s.outputs), |packed| {
        pack_transposed(dy, s.outputs, 0, s.outputs, s.batch, packed);
        let left = Transposed::new(packed, s.batch);
        let source = |stretch: &Stretch, first: usize, here: usize, panel: &mut [f32]| {
            copy_rows(x, s.inputs, stretch.start, first, here, panel_row(&tiling, here), panel);
        };
        // SAFETY: every task has rows or columns of its own.
        unsafe {
            by_panels(&tiling, &|_| &cuts[..], &left, &source, s.outputs, s.inputs, &|row| {
                out.at(row * s.inputs)
            })
        };
    });
}

leveled! {
/// Columns `first..first + here` of consecutive rows from `start` on, padded with zeros to `full`.
fn copy_rows(values: &[f32], row: usize, start: usize, first: usize, here: usize, full: usize, panel: &mut [f32]) {
    for (k, target) in panel.chunks_exact_mut(full).enumerate() {
        let at = (start + k) * row + first;
        let source = &values[at..at + here];
        if here == 64 && full == 64 {
            let (Ok(target), Ok(source)) = (<&mut [f32; 64]>::try_from(target), <&[f32; 64]>::try_from(source)) else { return };
            *target = *source;
        } else {
            target[..here].copy_from_slice(source);
            target[here..].fill(0.0);
        }
    }
}
}
