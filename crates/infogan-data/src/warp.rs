//! Small distortions of pictures, on the host: a turn, a scale, a shear and a shift by chance, the same for every channel.

use rayon::prelude::*;

use crate::random::{Address, Stream, Streams};

/// How far a distortion may go; each part is drawn evenly between its two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warp {
    /// Largest turn in degrees, to either side.
    pub turn: f32,
    /// Largest change of size as a share: 0.2 is from 0.8 to 1.2, by chance for each axis.
    pub scale: f32,
    /// Largest shear, as the tangent of its angle.
    pub shear: f32,
    /// Largest shift as a share of the side, along each axis.
    pub shift: f32,
}

impl Warp {
    /// Distorts pictures `[n, channels, height, width]`, each by a draw of its own stream from the address on. Values between
    /// pixels are interpolated linearly; `ground` comes in from outside.
    pub fn apply(
        &self,
        pictures: &[f32],
        shape: [usize; 3],
        ground: f32,
        streams: Streams,
        purpose: &str,
        from: Address,
    ) -> Vec<f32> {
        let volume: usize = shape.iter().product();
        let mut warped = vec![0.0; pictures.len()];
        let all = warped.par_chunks_mut(volume.max(1)).zip(pictures.par_chunks(volume.max(1)));
        all.enumerate().for_each(|(index, (to, picture))| {
            let address = Address { sample: from.sample + index as u32, ..from };
            let map = self.draw(&mut streams.at(purpose, address));
            map.apply(picture, to, shape, ground);
        });
        warped
    }

    /// A map by chance.
    fn draw(&self, stream: &mut Stream) -> Map {
        let mut within = |most: f32| stream.uniform(-most, most);
        let angle = within(self.turn).to_radians();
        let (sine, cosine) = (libm::sinf(angle), libm::cosf(angle));
        let shear = within(self.shear);
        let scale = [1.0 + within(self.scale), 1.0 + within(self.scale)];
        let shift = [within(self.shift), within(self.shift)];
        // From a place of the result to one of the picture: turned, sheared, scaled, then shifted.
        let rows = [[cosine, sine + shear * cosine], [-sine, cosine - shear * sine]];
        Map { rows: [rows[0].map(|part| part / scale[0]), rows[1].map(|part| part / scale[1])], shift }
    }
}

/// An affine map of places, as shares of the side from the middle: `(x, y) ↦ rows · (x, y) + shift`.
struct Map {
    rows: [[f32; 2]; 2],
    shift: [f32; 2],
}

impl Map {
    fn apply(&self, picture: &[f32], to: &mut [f32], [channels, height, width]: [usize; 3], ground: f32) {
        let (high, wide) = (height as f32, width as f32);
        for row in 0..height {
            for column in 0..width {
                let x = (column as f32 + 0.5) / wide - 0.5;
                let y = (row as f32 + 0.5) / high - 0.5;
                let [from_x, from_y] =
                    [0, 1].map(|axis| self.rows[axis][0] * x + self.rows[axis][1] * y + self.shift[axis]);
                let (across, down) = ((from_x + 0.5) * wide - 0.5, (from_y + 0.5) * high - 0.5);
                for channel in 0..channels {
                    let plane = &picture[channel * height * width..(channel + 1) * height * width];
                    to[(channel * height + row) * width + column] =
                        between(plane, [height, width], down, across, ground);
                }
            }
        }
    }
}

/// The value at a place between pixels.
fn between(plane: &[f32], [height, width]: [usize; 2], down: f32, across: f32, ground: f32) -> f32 {
    let (top, left) = (down.floor(), across.floor());
    let at = |row: f32, column: f32| {
        let inside = row >= 0.0 && column >= 0.0 && row < height as f32 && column < width as f32;
        if inside { plane[row as usize * width + column as usize] } else { ground }
    };
    let (low, right) = (down - top, across - left);
    let upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right;
    let lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right;
    upper * (1.0 - low) + lower * low
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Warp = Warp { turn: 0.0, scale: 0.0, shear: 0.0, shift: 0.0 };

    fn warp(warp: Warp, pictures: &[f32], shape: [usize; 3], step: u32) -> Vec<f32> {
        warp.apply(pictures, shape, -1.0, Streams::new(0), "test", Address { step, ..Address::default() })
    }

    fn ramp(shape: [usize; 3]) -> Vec<f32> {
        (0..shape.iter().product()).map(|place| place as f32 / 100.0).collect()
    }

    #[test]
    fn nothing_changes_nothing() {
        let picture = ramp([2, 7, 5]);
        for (one, other) in warp(NOTHING, &picture, [2, 7, 5], 0).iter().zip(&picture) {
            assert!((one - other).abs() < 1e-5);
        }
    }

    /// A quarter turn, a shift by whole pixels and a doubling are known exactly.
    #[test]
    fn known_maps_move_pixels_where_they_belong() {
        let picture = ramp([1, 4, 4]);
        let mut turned = vec![0.0; 16];
        let quarter = Map { rows: [[0.0, 1.0], [-1.0, 0.0]], shift: [0.0, 0.0] };
        quarter.apply(&picture, &mut turned, [1, 4, 4], -1.0);
        for (row, column) in (0..4).flat_map(|row| (0..4).map(move |column| (row, column))) {
            assert!((turned[row * 4 + column] - picture[(3 - column) * 4 + row]).abs() < 1e-5);
        }
        let mut moved = vec![0.0; 16];
        let shift = Map { rows: [[1.0, 0.0], [0.0, 1.0]], shift: [0.25, 0.5] };
        shift.apply(&picture, &mut moved, [1, 4, 4], -1.0);
        assert!((moved[0] - picture[2 * 4 + 1]).abs() < 1e-5);
        assert_eq!(moved[3], -1.0, "from outside");
    }

    #[test]
    fn distortions_stay_within_their_bounds_and_are_drawn_anew() {
        let bounds = Warp { turn: 20.0, scale: 0.2, shear: 0.1, shift: 0.1 };
        let mut stream = Streams::new(3).root("test");
        for _ in 0..1000 {
            let map = bounds.draw(&mut stream);
            assert!(map.shift.iter().all(|shift| shift.abs() <= 0.1));
            let [[a, b], [c, d]] = map.rows;
            let area = a * d - b * c;
            assert!((1.0 / (1.2 * 1.2) - 1e-3..=1.0 / (0.8 * 0.8) + 1e-3).contains(&area), "{area}");
        }
        let picture = ramp([1, 9, 9]).repeat(2);
        let warped = warp(bounds, &picture, [1, 9, 9], 0);
        assert_ne!(warped[..81], warped[81..], "each its own");
        assert_eq!(warped, warp(bounds, &picture, [1, 9, 9], 0));
        assert_ne!(warped, warp(bounds, &picture, [1, 9, 9], 1));
    }
}
