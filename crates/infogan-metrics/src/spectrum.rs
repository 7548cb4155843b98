//! Power of pictures by spatial frequency, and the checkerboard made a number.
//!
//! A transposed convolution of stride 2 treats even and odd rows and columns by different parts of its kernel (Odena et
//! al., *Deconvolution and checkerboard artifacts*, 2016). What that leaves in a picture repeats every two pixels; a
//! further such layer behind it stretches it to four, the next to eight. A pattern of period p along an axis of N pixels
//! has its power at the multiples of frequency N/p, whatever the picture shows.

use serde::Serialize;

use crate::{Error, Result};

/// What [`checkerboard`] measures, in words.
pub const PROTOCOL: &str = "checkerboard: share of the power without the mean, over all pictures and channels, of the \
    discrete Fourier frequencies that repeat after exactly the period (in pixels) along at least one axis and after no \
    shorter one along the other; divided by the same share of real pictures";

/// Longest side of a picture: the transform takes on the order of side³ steps a channel.
pub const MAX_SIDE: usize = 1024;

/// Mean power of pictures at each frequency of the two-dimensional discrete Fourier transform.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    height: usize,
    width: usize,
    /// `[height][width]`, row by row.
    power: Vec<f64>,
}

impl Spectrum {
    /// The spectrum of `pictures`, which holds pictures of `[channels, height, width]` one after another, in any units.
    ///
    /// Of each channel of each picture the mean is taken away; |F|² / (height · width)² is averaged over all of them.
    /// No window is applied: a picture whose opposite edges differ has power at every frequency of that axis, falling
    /// with the square of the frequency.
    ///
    /// It takes on the order of height · width · (height + width) steps a channel: below a second for a thousand pictures of
    /// 64 by 64 in colour on one core.
    ///
    /// # Errors
    /// No picture, a shape with a 0 or a side above [`MAX_SIDE`], pictures that are not whole, values that are not finite.
    pub fn new(pictures: &[f32], [channels, height, width]: [usize; 3]) -> Result<Self> {
        for (name, size, limit) in
            [("channels", channels, usize::MAX), ("height", height, MAX_SIDE), ("width", width, MAX_SIDE)]
        {
            if !(1..=limit).contains(&size) {
                let expected = "1 or more, a side at most 1024";
                return Err(Error::OutOfDomain { name, value: size as f64, expected });
            }
        }
        if pictures.is_empty() {
            return Err(Error::Empty { name: "pictures".into() });
        }
        let plane = height * width;
        if !pictures.len().is_multiple_of(channels.saturating_mul(plane)) {
            let expected = "a multiple of channels · height · width";
            return Err(Error::OutOfDomain {
                name: "number of values",
                value: pictures.len() as f64,
                expected,
            });
        }
        if let Some((index, &value)) = pictures.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NotFinite { name: "pictures".into(), index, value: value.into() });
        }
        let mut transform = Transform::new(height, width);
        let mut sums = vec![0.0; height * transform.half];
        for picture in pictures.chunks_exact(plane) {
            transform.add_power(picture, &mut sums);
        }
        let scale = 1.0 / (pictures.len() / plane) as f64 / (plane as f64).powi(2);
        // The transform of real numbers at −k is the conjugate of that at k: one half tells the other.
        let at = |row: usize, column: usize| {
            if column < transform.half {
                sums[row * transform.half + column]
            } else {
                sums[(height - row) % height * transform.half + (width - column)]
            }
        };
        let power = (0..plane).map(|bin| at(bin / width, bin % width) * scale).collect();
        Ok(Self { height, width, power })
    }

    /// Number of rows of the pictures and of vertical frequencies.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Number of columns of the pictures and of horizontal frequencies.
    pub fn width(&self) -> usize {
        self.width
    }

    /// `[height][width]`, row by row: power at vertical frequency `row` and horizontal frequency `column`, both in cycles
    /// per picture, in the pictures' units squared. The first is 0, since the mean is taken away; all together are the mean
    /// variance of a channel.
    pub fn power(&self) -> &[f64] {
        &self.power
    }

    /// Share of the power that lies at frequencies of this period, in [0, 1].
    ///
    /// - `period`, in pixels: a power of two, 2 or more, that divides height and width.
    ///
    /// Of a frequency k along an axis of N pixels call N / gcd(k, N) its period: the wave repeats after so many pixels and
    /// no fewer. A bin counts if it has this period along at least one axis, and none from 2 up to it along the other. For
    /// the period 2 these are all of the row height/2 and of the column width/2 (the Nyquist frequencies), for 4 the rows
    /// and columns at one and three quarters but for where they cross those two, and so on: no power counts under two
    /// periods.
    ///
    /// # Errors
    /// A period that does not fit; pictures that have no power because all of them are flat.
    pub fn line_share(&self, period: usize) -> Result<f64> {
        self.check_period(period)?;
        let (mut lines, mut all) = (0.0, 0.0);
        for (bin, power) in self.power.iter().enumerate() {
            all += power;
            if self.on_lines(bin, period) {
                lines += power;
            }
        }
        if all > 0.0 {
            return Ok((lines / all).min(1.0));
        }
        Err(Error::OutOfDomain {
            name: "power of the pictures",
            value: all,
            expected: "above 0: not all flat",
        })
    }

    /// The share that white noise has on average: the number of bins that count as of this period / the number of all but
    /// the mean's.
    ///
    /// # Errors
    /// A period that does not fit, as for [`Spectrum::line_share`].
    pub fn white_share(&self, period: usize) -> Result<f64> {
        self.check_period(period)?;
        let lines = (0..self.power.len()).filter(|&bin| self.on_lines(bin, period)).count();
        Ok(lines as f64 / (self.power.len() - 1) as f64)
    }

    fn check_period(&self, period: usize) -> Result<()> {
        let fits = |side: usize| side.is_multiple_of(period);
        if period >= 2 && period.is_power_of_two() && fits(self.height) && fits(self.width) {
            return Ok(());
        }
        let expected = "a power of two, 2 or more, that divides height and width";
        Err(Error::OutOfDomain { name: "period", value: period as f64, expected })
    }

    fn on_lines(&self, bin: usize, period: usize) -> bool {
        let (row, column) = (bin / self.width, bin % self.width);
        let repeats = |frequency: usize, side: usize, after: usize| (frequency * after).is_multiple_of(side);
        let exactly =
            |frequency, side| repeats(frequency, side, period) && !repeats(frequency, side, period / 2);
        let sooner = |frequency, side| frequency != 0 && repeats(frequency, side, period / 2);
        (exactly(row, self.height) || exactly(column, self.width))
            && !(sooner(row, self.height) || sooner(column, self.width))
    }
}

/// How much stronger a pattern of one period is in generated pictures than in real ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Checkerboard {
    /// The period, in pixels.
    pub period: usize,
    /// [`Spectrum::line_share`] of the generated pictures.
    pub generated_share: f64,
    /// [`Spectrum::line_share`] of the real pictures.
    pub real_share: f64,
    /// Generated share / real share: 1 where the generated pictures have no more of it than the real ones. `None` where
    /// the real ones have none.
    pub ratio: Option<f64>,
}

/// Compares generated with real pictures at one period: 2 is the checkerboard of the last layer of stride 2, 4 that of the
/// layer before it. The definition is that of [`PROTOCOL`].
///
/// The period 2 tells most: real pictures have little power there. At 4 and above they have more of their own, and a small
/// excess of the ratio is nothing to see. A generator that blurs lacks power at all high frequencies, and may have a ratio
/// below 1 in spite of a pattern; one that adds noise has a ratio above 1 without any ([`Spectrum::white_share`]).
///
/// # Errors
/// Pictures of different sizes, a period that does not fit ([`Spectrum::line_share`]), only flat pictures.
pub fn checkerboard(generated: &Spectrum, real: &Spectrum, period: usize) -> Result<Checkerboard> {
    for (name, generated, real) in [
        ("height of the real pictures", generated.height, real.height),
        ("width of the real pictures", generated.width, real.width),
    ] {
        if generated != real {
            return Err(Error::OutOfDomain {
                name,
                value: real as f64,
                expected: "that of the generated pictures",
            });
        }
    }
    let (generated_share, real_share) = (generated.line_share(period)?, real.line_share(period)?);
    let ratio = (real_share > 0.0).then(|| generated_share / real_share);
    Ok(Checkerboard { period, generated_share, real_share, ratio })
}

/// A discrete Fourier transform by rows, then by columns, of the frequencies 0 to width/2 of each row.
struct Transform {
    height: usize,
    width: usize,
    half: usize,
    /// `[width][half]`: cosine and sine of 2π · column · frequency / width.
    row_waves: [Vec<f64>; 2],
    /// `[height]`: cosine and sine of 2π · step / height.
    column_waves: [Vec<f64>; 2],
    /// `[height][half]`: the rows transformed, real and imaginary part.
    rows: [Vec<f64>; 2],
    /// `[half]`: one row of the whole transform.
    sums: [Vec<f64>; 2],
}

impl Transform {
    fn new(height: usize, width: usize) -> Self {
        let half = width / 2 + 1;
        let wave = |step: usize, side: usize| std::f64::consts::TAU * step as f64 / side as f64;
        let row_angle = |place: usize| wave(place / half * (place % half) % width, width);
        let column_angle = |step: usize| wave(step, height);
        Self {
            height,
            width,
            half,
            row_waves: [f64::cos, f64::sin]
                .map(|f| (0..width * half).map(|place| f(row_angle(place))).collect()),
            column_waves: [f64::cos, f64::sin]
                .map(|f| (0..height).map(|step| f(column_angle(step))).collect()),
            rows: [vec![0.0; height * half], vec![0.0; height * half]],
            sums: [vec![0.0; half], vec![0.0; half]],
        }
    }

    /// Adds |F|² of one channel, less its mean, to `power`, `[height][half]`.
    fn add_power(&mut self, plane: &[f32], power: &mut [f64]) {
        // The mean of equal values may be off by a rounding error, which is no power.
        if plane.iter().all(|value| value == &plane[0]) {
            return;
        }
        let half = self.half;
        let mean = plane.iter().map(|&value| f64::from(value)).sum::<f64>() / plane.len() as f64;
        let [real, imaginary] = &mut self.rows;
        let [cosines, sines] = &self.row_waves;
        real.fill(0.0);
        imaginary.fill(0.0);
        for (y, row) in plane.chunks_exact(self.width).enumerate() {
            let (real, imaginary) = (&mut real[y * half..][..half], &mut imaginary[y * half..][..half]);
            for (x, &value) in row.iter().enumerate() {
                let value = f64::from(value) - mean;
                let (cosines, sines) = (&cosines[x * half..][..half], &sines[x * half..][..half]);
                for k in 0..half {
                    real[k] += value * cosines[k];
                    imaginary[k] -= value * sines[k];
                }
            }
        }
        let [sum_real, sum_imaginary] = &mut self.sums;
        let [cosines, sines] = &self.column_waves;
        for (frequency, power) in power.chunks_exact_mut(half).enumerate() {
            sum_real.fill(0.0);
            sum_imaginary.fill(0.0);
            for y in 0..self.height {
                let step = y * frequency % self.height;
                let (cosine, sine) = (cosines[step], sines[step]);
                let (real, imaginary) = (&real[y * half..][..half], &imaginary[y * half..][..half]);
                for k in 0..half {
                    sum_real[k] += real[k] * cosine + imaginary[k] * sine;
                    sum_imaginary[k] += imaginary[k] * cosine - real[k] * sine;
                }
            }
            for k in 0..half {
                power[k] += sum_real[k] * sum_real[k] + sum_imaginary[k] * sum_imaginary[k];
            }
        }
        // The mean was taken away; what is left of it is rounding.
        power[0] = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One picture of one channel.
    fn drawn(height: usize, width: usize, at: impl Fn(usize, usize) -> f64) -> Spectrum {
        let picture: Vec<f32> =
            (0..height * width).map(|place| at(place / width, place % width) as f32).collect();
        Spectrum::new(&picture, [1, height, width]).unwrap()
    }

    fn sign(place: usize) -> f64 {
        if place.is_multiple_of(2) { 1.0 } else { -1.0 }
    }

    #[test]
    fn a_checkerboard_lies_on_the_lines_of_period_two() {
        for pattern in [
            drawn(28, 28, |y, x| 0.3 + 0.2 * sign(y + x)),
            drawn(16, 8, |y, _| sign(y)),
            drawn(12, 20, |_, x| 5.0 * sign(x)),
            // A row pattern over any picture of the columns.
            drawn(8, 8, |y, x| sign(y) * (x * x) as f64),
        ] {
            assert!((pattern.line_share(2).unwrap() - 1.0).abs() < 1e-12);
            assert!(pattern.line_share(4).unwrap() < 1e-12);
        }
    }

    #[test]
    fn longer_patterns_lie_on_lines_of_their_own() {
        // Two pixels up, two down: frequencies of one and three quarters only.
        let four = drawn(16, 16, |y, _| sign(y / 2));
        assert!((four.line_share(4).unwrap() - 1.0).abs() < 1e-12);
        assert!(four.line_share(2).unwrap() < 1e-12);
        let eight = drawn(16, 16, |_, x| sign(x / 4));
        assert!((eight.line_share(8).unwrap() - 1.0).abs() < 1e-12);
        // What repeats after 2 pixels one way and after 4 the other counts once, as the shorter.
        let crossed = drawn(16, 16, |y, x| sign(y) * sign(x / 2));
        assert!((crossed.line_share(2).unwrap() - 1.0).abs() < 1e-12);
        assert!(crossed.line_share(4).unwrap() < 1e-12);
    }

    /// |F(k)|² of a ramp goes with 1 / sin²(πk/N), and these sum up to (N² − 1)/3.
    #[test]
    fn a_gradient_has_next_to_nothing_there() {
        for side in [8, 32, 64] {
            let gradient = drawn(side, side, |_, x| x as f64 / side as f64);
            let expected = 3.0 / ((side * side) as f64 - 1.0);
            assert!((gradient.line_share(2).unwrap() - expected).abs() < 1e-7, "{side}");
        }
        let smooth = drawn(32, 32, |y, x| {
            let wave = |place: usize| (std::f64::consts::TAU * place as f64 / 32.0).sin();
            wave(y) + wave(2 * x)
        });
        assert!(smooth.line_share(2).unwrap() < 1e-12);
    }

    #[test]
    fn power_adds_up_to_the_variance_and_forgets_the_mean() {
        let pictures: Vec<f32> = (0..2 * 3 * 5 * 6).map(|place| (place * place % 17) as f32 - 4.0).collect();
        let spectrum = Spectrum::new(&pictures, [3, 5, 6]).unwrap();
        let variance = |plane: &[f32]| {
            let mean = plane.iter().map(|&v| f64::from(v)).sum::<f64>() / 30.0;
            plane.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 30.0
        };
        let expected = pictures.chunks(30).map(variance).sum::<f64>() / 6.0;
        assert!((spectrum.power().iter().sum::<f64>() - expected).abs() < 1e-12 * expected);
        assert_eq!(spectrum.power()[0], 0.0);
        assert_eq!((spectrum.height(), spectrum.width(), spectrum.power().len()), (5, 6, 30));
    }

    #[test]
    fn white_noise_has_its_share_by_counting() {
        let spectrum = drawn(16, 12, |y, x| (y * x) as f64);
        // 12 + 16 − 1 bins of 191; 2 · 12 + 2 · 16 less the four where these lines cross each other and the four where
        // they cross those of period 2.
        assert_eq!(spectrum.white_share(2), Ok(27.0 / 191.0));
        assert_eq!(spectrum.white_share(4), Ok(48.0 / 191.0));
        let mut state = 1_u32;
        let mut draw = || {
            // Sums of four steps of a linear congruential generator: white enough, from −2 to 2.
            (0..4).fold(0.0, |sum, _| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                sum + (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
        };
        let noise: Vec<f32> = (0..200 * 32 * 32).map(|_| draw()).collect();
        let noise = Spectrum::new(&noise, [1, 32, 32]).unwrap();
        for period in [2, 4, 8] {
            let (share, white) = (noise.line_share(period).unwrap(), noise.white_share(period).unwrap());
            // The share of n bins has a relative standard deviation of about √(2 / 200 n), 1.3 % for n = 63.
            assert!((share / white - 1.0).abs() < 0.05, "{period}: {share} of {white}");
        }
    }

    #[test]
    fn generated_pictures_stand_beside_real_ones() {
        let real = drawn(8, 8, |_, x| x as f64);
        let generated = drawn(8, 8, |y, x| x as f64 + sign(y + x));
        let same = checkerboard(&real, &real, 2).unwrap();
        assert_eq!((same.period, same.ratio), (2, Some(1.0)));
        let more = checkerboard(&generated, &real, 2).unwrap();
        // Variance 5.25 of the ramp with a share of 3/63, and 1 on top of it, all of it on the lines.
        assert!((more.real_share - 3.0 / 63.0).abs() < 1e-12);
        assert!((more.generated_share - 1.25 / 6.25).abs() < 1e-12);
        assert!((more.ratio.unwrap() - 4.2).abs() < 1e-10);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (pictures, shape, reason) in [
            (vec![], [1, 2, 2], "pictures: nothing to score"),
            (vec![0.0; 4], [0, 2, 2], "channels is 0"),
            (vec![0.0; 4], [1, 0, 2], "height is 0"),
            (vec![0.0; 4], [1, 2, 1025], "width is 1025"),
            (vec![0.0; 5], [1, 2, 2], "number of values is 5"),
            (vec![0.0; 4], [usize::MAX, 2, 2], "number of values is 4"),
            (vec![0.0, f32::NAN, 0.0, 0.0], [1, 2, 2], "pictures: value NaN at position 1"),
        ] {
            let message = Spectrum::new(&pictures, shape).unwrap_err().to_string();
            assert!(message.starts_with(reason), "{message}");
        }
        let picture = drawn(6, 4, |y, x| (x + y * y) as f64);
        assert!(picture.line_share(2).is_ok());
        for period in [0, 1, 3, 4, 8, usize::MAX] {
            for refused in [picture.line_share(period), picture.white_share(period)] {
                assert!(matches!(refused, Err(Error::OutOfDomain { name: "period", .. })), "{period}");
            }
        }
        assert!(drawn(28, 28, |_, _| 0.1).line_share(2).is_err());
        let flat = drawn(4, 4, |_, _| 0.1);
        assert!(flat.line_share(2).unwrap_err().to_string().starts_with("power of the pictures is 0"));
        let message = checkerboard(&picture, &flat, 2).unwrap_err().to_string();
        assert_eq!(message, "height of the real pictures is 4; it must be that of the generated pictures");
        // The largest numbers there are do not overflow.
        let huge = drawn(4, 4, |y, x| f64::from(f32::MAX) * sign(y + x));
        assert!((huge.line_share(2).unwrap() - 1.0).abs() < 1e-12);
    }
}
