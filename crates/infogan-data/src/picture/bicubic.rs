//! Bicubic interpolation as Pillow computes it for bytes: the cubic of a = −½, stretched over more pixels where a picture
//! becomes smaller; rows first, then columns, with weights in fixed point and rounding to bytes after either.

use rayon::prelude::*;

use crate::{DataError, ImageSet, Labels, memory::has_room};

/// Parameter of the cubic.
const A: f64 = -0.5;
/// Pixels on either side that the cubic reaches.
const REACH: f64 = 2.0;
/// Binary places of a weight in fixed point.
const PLACES: u32 = 22;

impl ImageSet {
    /// The same set with pictures of `height` × `width`.
    ///
    /// # Errors
    /// When a side is 0, or the pictures would not fit in memory.
    pub fn bicubic(&self, height: usize, width: usize) -> Result<Self, DataError> {
        let [channels, old_height, old_width] = self.shape();
        if [old_height, old_width] == [height, width] {
            return Ok(self.clone());
        }
        let size = height.checked_mul(width).filter(|&size| size > 0);
        let bytes = size.and_then(|size| size.checked_mul(channels)?.checked_mul(self.len()));
        let refuse = |reason: String| {
            let what = format!("{} at {height}×{width}", self.name());
            DataError::invalid(what, reason, "choose another size")
        };
        let (Some(size), Some(bytes)) = (size, bytes) else {
            return Err(refuse("pictures cannot have this size".to_owned()));
        };
        has_room(bytes as u64).map_err(|reason| refuse(format!("the pictures would take {reason}")))?;
        let (rows, columns) = (Line::new(old_width, width), Line::new(old_height, height));
        let mut pictures = vec![0; bytes];
        let planes = self.pictures().par_chunks(old_height * old_width);
        pictures.par_chunks_mut(size).zip(planes).for_each(|(new, old)| {
            let mut between = vec![0; old_height * width]; // [old height, width]
            for (new, old) in between.chunks_mut(width).zip(old.chunks(old_width)) {
                rows.interpolate(old, new, 1);
            }
            for column in 0..width {
                columns.interpolate(&between[column..], &mut new[column..], width);
            }
        });
        let labels = self
            .labels()
            .map(|values| Labels { values: values.to_vec(), class_names: self.class_names().to_vec() });
        Self::new(self.name(), [channels, height, width], pictures, labels, self.factors().to_vec())
    }
}

/// How the pixels of a line come from those of another length.
struct Line {
    /// For every new pixel the first old one it reads and their weights.
    weights: Vec<(usize, Vec<i64>)>,
}

impl Line {
    fn new(old: usize, new: usize) -> Self {
        let step = old as f64 / new as f64;
        let stretch = step.max(1.0);
        let of = |pixel: usize| {
            let centre = (pixel as f64 + 0.5) * step;
            let reach = REACH * stretch;
            let first = (centre - reach + 0.5).max(0.0) as usize;
            let after = ((centre + reach + 0.5) as usize).min(old);
            let weight = |at: usize| cubic((at as f64 + 0.5 - centre) / stretch);
            let weights: Vec<f64> = (first..after).map(weight).collect();
            // They sum to 1 also at the edges, where some pixels are missing.
            let sum: f64 = weights.iter().sum();
            let one = f64::from(1_u32 << PLACES);
            (first, weights.into_iter().map(|weight| (weight / sum * one).round() as i64).collect())
        };
        Self { weights: (0..new).map(of).collect() }
    }

    /// Fills every `stride`-th byte of `new` from every `stride`-th of `old`.
    fn interpolate(&self, old: &[u8], new: &mut [u8], stride: usize) {
        for (new, (first, weights)) in new.iter_mut().step_by(stride).zip(&self.weights) {
            let pixels = old.iter().step_by(stride).skip(*first);
            let sum: i64 = weights.iter().zip(pixels).map(|(weight, &pixel)| weight * i64::from(pixel)).sum();
            *new = ((sum + (1 << (PLACES - 1))) >> PLACES).clamp(0, 255) as u8;
        }
    }
}

/// The cubic at a distance.
fn cubic(distance: f64) -> f64 {
    let x = distance.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < REACH {
        A * (((x - 5.0) * x + 8.0) * x - 4.0)
    } else {
        0.0
    }
}
