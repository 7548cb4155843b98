//! Whether a batch of pictures is one of different pictures.

use crate::{Error, Result};

/// Mean Euclidean distance of each sample to its nearest other. `samples` holds rows of `width` numbers. Beside the same
/// of as many real samples it tells a collapse that variance does not see: ten pictures, each drawn over and over, vary as
/// much as the real ones, but every one of them has its double.
///
/// # Errors
/// When `width` is 0, the rows are not whole, there are fewer than two, or a number is not finite.
pub fn nearest_distance(samples: &[f32], width: usize) -> Result<f64> {
    if width == 0 || !samples.len().is_multiple_of(width) || samples.len() < 2 * width {
        let expected = "the length of a row, of which there are two at least";
        return Err(Error::OutOfDomain { name: "width", value: width as f64, expected });
    }
    if let Some((index, &value)) = samples.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite { name: "samples".to_owned(), index, value: value.into() });
    }
    let rows: Vec<&[f32]> = samples.chunks_exact(width).collect();
    let mut nearest = vec![f32::INFINITY; rows.len()];
    for (one, left) in rows.iter().enumerate() {
        for (other, right) in rows.iter().enumerate().skip(one + 1) {
            let distance = square_distance(left, right);
            nearest[one] = nearest[one].min(distance);
            nearest[other] = nearest[other].min(distance);
        }
    }
    let sum: f64 = nearest.iter().map(|&square| f64::from(square).sqrt()).sum();
    Ok(sum / rows.len() as f64)
}

/// In eight sums side by side, as processors like it; the order is always the same.
fn square_distance(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (left_parts, left_rest) = left.as_chunks::<8>();
    let (right_parts, right_rest) = right.as_chunks::<8>();
    for (left, right) in left_parts.iter().zip(right_parts) {
        for lane in 0..8 {
            let difference = left[lane] - right[lane];
            sums[lane] += difference * difference;
        }
    }
    let rest: f32 =
        left_rest.iter().zip(right_rest).map(|(left, right)| (left - right) * (left - right)).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_have_no_distance_however_much_they_vary() {
        let varied: Vec<f32> = (0..8).flat_map(|row| vec![10.0 * row as f32; 11]).collect();
        let one = nearest_distance(&varied, 11).unwrap();
        assert!((one - 10.0 * 11_f64.sqrt()).abs() < 1e-5, "{one}");
        let doubled: Vec<f32> = (0..8).flat_map(|row| vec![10.0 * (row / 2) as f32; 11]).collect();
        assert_eq!(nearest_distance(&doubled, 11).unwrap(), 0.0);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(nearest_distance(&[1.0, 2.0], 0).is_err());
        assert!(nearest_distance(&[1.0, 2.0, 3.0], 2).is_err());
        assert!(nearest_distance(&[1.0, 2.0], 2).is_err());
        assert!(nearest_distance(&[1.0, f32::NAN], 1).is_err());
    }
}
