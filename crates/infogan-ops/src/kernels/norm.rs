//! Batch norm with the activation that follows it, on `[groups · rows, channels]`.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use super::{
    level::leveled,
    pointwise::{BLOCK, by_kind, derivative, value},
    work::{Shared, parallel, ranges},
};
use crate::Activation;

/// Sizes of a normalised batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Groups with statistics of their own.
    pub groups: usize,
    /// Rows (samples times pixels) of a group.
    pub rows: usize,
    /// Channels.
    pub channels: usize,
}

impl Sizes {
    fn count(&self) -> usize {
        self.groups * self.rows * self.channels
    }

    /// Group, first and last row (counted over all groups) of a block.
    fn block(&self, block: usize) -> (usize, usize, usize) {
        let blocks = self.rows.div_ceil(BLOCK);
        let (group, number) = (block / blocks, block % blocks);
        let from = group * self.rows;
        (group, from + number * BLOCK, from + ((number + 1) * BLOCK).min(self.rows))
    }

    fn blocks(&self) -> usize {
        self.groups * self.rows.div_ceil(BLOCK)
    }
}

/// What [`forward`] divides by: mean and variance (biased, without ε) of every group, `[groups, channels]` each.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Means.
    pub mean: Vec<f32>,
    /// Variances.
    pub variance: Vec<f32>,
}

/// Columns that a task sums at once.
const STRIP: usize = 64;
/// Strips of a task.
const STRIPS: usize = 8;

/// Sums two quantities over the rows of every block and over all blocks of a group.
/// `body(first row, last row, first column, last column, sums, other sums)`.
fn sums(
    s: &Sizes,
    body: impl Fn(usize, usize, usize, usize, &mut [f32], &mut [f32]) + Sync + Send,
) -> [Vec<f64>; 2] {
    let c = s.channels;
    let mut partial = vec![0.0f32; s.blocks() * 2 * c];
    let shared = Shared::of(&mut partial);
    let cuts = c.div_ceil(STRIP * STRIPS).max(1);
    parallel(s.blocks() * cuts, |task| {
        let (block, cut) = (task / cuts, task % cuts);
        let (_, from, to) = s.block(block);
        let end = ((cut + 1) * STRIP * STRIPS).min(c);
        for first in (cut * STRIP * STRIPS..end).step_by(STRIP) {
            let last = (first + STRIP).min(end);
            let at = block * 2 * c;
            // SAFETY: a block and a strip have sums of their own.
            let (one, two) = unsafe {
                (shared.filled(at + first..at + last), shared.filled(at + c + first..at + c + last))
            };
            body(from, to, first, last, one, two);
        }
    });
    let mut all = [vec![0.0; s.groups * c], vec![0.0; s.groups * c]];
    for block in 0..s.blocks() {
        let group = s.block(block).0;
        for (number, all) in all.iter_mut().enumerate() {
            let part = &partial[(block * 2 + number) * c..(block * 2 + number + 1) * c];
            for (sum, &x) in all[group * c..(group + 1) * c].iter_mut().zip(part) {
                *sum += f64::from(x);
            }
        }
    }
    all
}

/// Mean and variance of every group and channel.
pub fn moments(s: &Sizes, x: &[f32]) -> Moments {
    assert_eq!(x.len(), s.count());
    let c = s.channels;
    // Distances from the first row of the group: sums of squares then do not cancel when the mean is large.
    let [first, second] = sums(s, |from, to, begin, end, one, two| {
        let pivot = from / s.rows * s.rows * c;
        add_squares(x, c, from, to, begin, &x[pivot + begin..pivot + end], one, two);
    });
    let rows = s.rows as f64;
    let mut moments =
        Moments { mean: Vec::with_capacity(first.len()), variance: Vec::with_capacity(first.len()) };
    for (i, (sum, square)) in first.iter().zip(&second).enumerate() {
        let pivot = f64::from(x[i / c * s.rows * c + i % c]);
        let distance = sum / rows;
        moments.mean.push((pivot + distance) as f32);
        // A maximum would hide what is not a number.
        let variance = square / rows - distance * distance;
        moments.variance.push(if variance < 0.0 { 0.0 } else { variance } as f32);
    }
    moments
}

leveled! {
fn add_squares(x: &[f32], row: usize, from: usize, to: usize, begin: usize, pivot: &[f32], one: &mut [f32], two: &mut [f32]) {
    let many = pivot.len();
    if let (Ok(pivot), true) = (<&[f32; STRIP]>::try_from(pivot), many == STRIP) {
        let (mut first, mut second) = ([0.0f32; STRIP], [0.0f32; STRIP]);
        for r in from..to {
            let Ok(numbers) = <&[f32; STRIP]>::try_from(&x[r * row + begin..r * row + begin + STRIP]) else { return };
            for i in 0..STRIP {
                let distance = numbers[i] - pivot[i];
                first[i] += distance;
                second[i] += distance * distance;
            }
        }
        one.copy_from_slice(&first);
        two.copy_from_slice(&second);
        return;
    }
    for r in from..to {
        let numbers = &x[r * row + begin..r * row + begin + many];
        for i in 0..many {
            let distance = numbers[i] - pivot[i];
            one[i] += distance;
            two[i] += distance * distance;
        }
    }
}
}

/// 1/√(variance + ε).
fn inverse(variance: &[f32], epsilon: f64) -> Vec<f32> {
    variance.iter().map(|&variance| (1.0 / (f64::from(variance) + epsilon).sqrt()) as f32).collect()
}

/// y = activation((x − mean)/√(variance + ε) · γ + β), every group by its moments.
pub fn forward(
    s: &Sizes,
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    moments: &Moments,
    epsilon: f64,
    activation: Activation,
    y: &mut [MaybeUninit<f32>],
) {
    assert_eq!((x.len(), y.len()), (s.count(), s.count()));
    let c = s.channels;
    let inverse = inverse(&moments.variance, epsilon);
    let scale: Vec<f32> = inverse.iter().enumerate().map(|(i, inverse)| inverse * gamma[i % c]).collect();
    let out = Shared::new(y);
    ranges(s.groups * s.rows, rows_of_range(c), |rows| {
        for (group, rows) in by_group(s, rows) {
            let here = group * c..(group + 1) * c;
            let (from, to) = (rows.start * c, rows.end * c);
            // SAFETY: rows are written by one task.
            let y = unsafe { out.part(from..to) };
            by_kind!(activation, normalise(&x[from..to], &moments.mean[here.clone()], &scale[here], beta, y));
        }
    });
}

leveled! {
fn normalise<const KIND: usize>(x: &[f32], mean: &[f32], scale: &[f32], beta: &[f32], y: &mut [MaybeUninit<f32>], slope: f32) {
    let c = mean.len();
    let (scale, beta) = (&scale[..c], &beta[..c]);
    for (x, y) in x.chunks_exact(c).zip(y.chunks_exact_mut(c)) {
        for i in 0..c {
            y[i].write(value::<KIND>((x[i] - mean[i]) * scale[i] + beta[i], slope));
        }
    }
}
}

/// Rows that make a task worth its while.
fn rows_of_range(channels: usize) -> usize {
    (1usize << 14).div_ceil(channels.max(1))
}

/// Cuts rows at the borders of groups.
fn by_group(
    s: &Sizes,
    rows: std::ops::Range<usize>,
) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
    let size = s.rows.max(1);
    let groups = if rows.is_empty() { 0..0 } else { rows.start / size..(rows.end - 1) / size + 1 };
    groups.map(move |group| (group, rows.start.max(group * size)..rows.end.min((group + 1) * size)))
}

/// Gradients of [`forward`]: fills `dx`, returns those of γ and β. With `own` the moments are those of `x` itself and
/// gradients flow through them; otherwise they are constants.
pub fn backward(
    s: &Sizes,
    x: &[f32],
    dy: &[f32],
    gamma: &[f32],
    beta: &[f32],
    moments: &Moments,
    own: bool,
    epsilon: f64,
    activation: Activation,
    dx: &mut [MaybeUninit<f32>],
) -> (Vec<f32>, Vec<f32>) {
    assert_eq!((x.len(), dy.len(), dx.len()), (s.count(), s.count(), s.count()));
    let c = s.channels;
    let inverse = inverse(&moments.variance, epsilon);
    let mean = &moments.mean;
    // Σ dz and Σ dz·x̂, where dz is the gradient behind the activation.
    let [plain, against] = sums(s, |from, to, begin, end, one, two| {
        let group = from / s.rows * c;
        let here = group + begin..group + end;
        by_kind!(
            activation,
            add_products(
                x,
                dy,
                c,
                from,
                to,
                begin,
                &mean[here.clone()],
                &inverse[here],
                &gamma[begin..end],
                &beta[begin..end],
                one,
                two,
            )
        );
    });
    let rows = s.rows as f64;
    let share = |sums: &[f64]| -> Vec<f32> {
        sums.iter().map(|sum| if own { (sum / rows) as f32 } else { 0.0 }).collect()
    };
    let (plain_share, against_share) = (share(&plain), share(&against));
    let out = Shared::new(dx);
    ranges(s.groups * s.rows, rows_of_range(c), |rows| {
        for (group, rows) in by_group(s, rows) {
            let here = group * c..(group + 1) * c;
            let (from, to) = (rows.start * c, rows.end * c);
            // SAFETY: rows are written by one task.
            let dx = unsafe { out.part(from..to) };
            by_kind!(
                activation,
                spread(
                    &x[from..to],
                    &dy[from..to],
                    &mean[here.clone()],
                    &inverse[here.clone()],
                    gamma,
                    beta,
                    &plain_share[here.clone()],
                    &against_share[here],
                    dx,
                )
            );
        }
    });
    let over_groups = |sums: &[f64]| -> Vec<f32> {
        (0..c)
            .map(|channel| (0..s.groups).map(|group| sums[group * c + channel]).sum::<f64>() as f32)
            .collect()
    };
    (over_groups(&against), over_groups(&plain))
}

leveled! {
fn add_products<const KIND: usize>(
    x: &[f32], dy: &[f32], row: usize, from: usize, to: usize, begin: usize,
    mean: &[f32], inverse: &[f32], gamma: &[f32], beta: &[f32], one: &mut [f32], two: &mut [f32], slope: f32,
) {
    let many = mean.len();
    let (mut first, mut second) = ([0.0f32; STRIP], [0.0f32; STRIP]);
    let arrays = (mean.first_chunk::<STRIP>(), inverse.first_chunk::<STRIP>(), gamma.first_chunk::<STRIP>(), beta.first_chunk::<STRIP>());
    if let (Some(mean), Some(inverse), Some(gamma), Some(beta)) = arrays {
        // In quarters of a strip, whose sums and constants stay in registers.
        const PART: usize = STRIP / 4;
        for part in (0..STRIP).step_by(PART) {
            let (mut one, mut two) = ([0.0f32; PART], [0.0f32; PART]);
            for r in from..to {
                let at = r * row + begin + part;
                let (Ok(x), Ok(dy)) = (<&[f32; PART]>::try_from(&x[at..at + PART]), <&[f32; PART]>::try_from(&dy[at..at + PART])) else { return };
                for i in 0..PART {
                    let c = part + i;
                    let normal = (x[i] - mean[c]) * inverse[c];
                    let y = value::<KIND>((x[i] - mean[c]) * (inverse[c] * gamma[c]) + beta[c], slope);
                    let dz = dy[i] * derivative::<KIND>(y, slope);
                    one[i] += dz;
                    two[i] += dz * normal;
                }
            }
            first[part..part + PART].copy_from_slice(&one);
            second[part..part + PART].copy_from_slice(&two);
        }
    } else {
        let (inverse, gamma, beta) = (&inverse[..many], &gamma[..many], &beta[..many]);
        for r in from..to {
            let at = r * row + begin;
            let (x, dy) = (&x[at..at + many], &dy[at..at + many]);
            for i in 0..many {
                let normal = (x[i] - mean[i]) * inverse[i];
                let y = value::<KIND>((x[i] - mean[i]) * (inverse[i] * gamma[i]) + beta[i], slope);
                let dz = dy[i] * derivative::<KIND>(y, slope);
                first[i] += dz;
                second[i] += dz * normal;
            }
        }
    }
    one.copy_from_slice(&first[..many]);
    two.copy_from_slice(&second[..many]);
}
}

leveled! {
fn spread<const KIND: usize>(
    x: &[f32], dy: &[f32], mean: &[f32], inverse: &[f32], gamma: &[f32], beta: &[f32], plain: &[f32], against: &[f32],
    dx: &mut [MaybeUninit<f32>], slope: f32,
) {
    let c = mean.len();
    let (inverse, gamma, beta, plain, against) = (&inverse[..c], &gamma[..c], &beta[..c], &plain[..c], &against[..c]);
    for ((x, dy), dx) in x.chunks_exact(c).zip(dy.chunks_exact(c)).zip(dx.chunks_exact_mut(c)) {
        for i in 0..c {
            let normal = (x[i] - mean[i]) * inverse[i];
            let y = value::<KIND>((x[i] - mean[i]) * (inverse[i] * gamma[i]) + beta[i], slope);
            let dz = dy[i] * derivative::<KIND>(y, slope);
            dx[i].write(inverse[i] * gamma[i] * (dz - plain[i] - normal * against[i]));
        }
    }
}
}
