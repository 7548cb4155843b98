//! Random numbers that depend on nothing but their address.
//!
//! Every draw in the project (initial weights, order of pictures, latent codes, drawn data sets) comes from
//! [`Streams`]: a counter-based generator, Philox4x32-10 (Salmon et al., *Parallel random numbers: as easy as
//! 1, 2, 3*, 2011), addressed by (seed, purpose, step, phase, sample). There is no state to save and no order
//! to keep: a resumed run, a run cut in other batches and a run on another number of threads see the same
//! numbers. The few lines are repeated in NumPy in `fixtures/philox.py`, so parity files need not store weights.

use rayon::prelude::*;

/// The root of all random numbers of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
}

/// Where a stream begins: the step, the phase inside the step and the sample inside the phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Training step (or epoch, or picture number: whatever counts slowest for this purpose).
    pub step: u32,
    /// Phase inside the step, counted from 0.
    pub phase: u32,
    /// Sample inside the phase, counted from 0.
    pub sample: u32,
}

impl Streams {
    /// The streams of a run with this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The seed these streams were made from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The stream for one purpose at one address. Different purposes and addresses never share numbers
    /// (up to collisions of a 64-bit key).
    pub fn at(&self, purpose: &str, address: Address) -> Stream {
        let key = splitmix64(self.seed ^ splitmix64(fnv1a64(purpose.as_bytes())));
        Stream {
            key: [key as u32, (key >> 32) as u32],
            counter: [0, address.sample, address.step, address.phase],
            block: [0; 4],
            used: 4,
            spare_normal: None,
        }
    }

    /// The stream for a purpose that needs no further address.
    pub fn root(&self, purpose: &str) -> Stream {
        self.at(purpose, Address::default())
    }
}

/// Numbers for so many samples, `[samples, width]`, on all threads: each sample has a stream of its own from the given
/// address on, and `one` draws each of its numbers.
pub fn numbers(
    streams: Streams,
    purpose: &str,
    from: Address,
    samples: usize,
    width: usize,
    one: impl Fn(&mut Stream) -> f32 + Sync,
) -> Vec<f32> {
    let mut values = vec![0.0; samples * width];
    values.par_chunks_mut(width.max(1)).enumerate().for_each(|(index, row)| {
        let sample = from.sample + index as u32;
        let mut stream = streams.at(purpose, Address { sample, ..from });
        row.iter_mut().for_each(|value| *value = one(&mut stream));
    });
    values
}

/// A sequence of random numbers. Made by [`Streams::at`].
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
    spare_normal: Option<f64>,
}

impl Stream {
    /// The next 32 random bits.
    pub fn bits(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox4x32(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        let word = self.block[self.used];
        self.used += 1;
        word
    }

    /// Uniform in [0, 1), a multiple of 2⁻²⁴ (exact in `f32`).
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform in [low, high).
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform in 0..n by multiplication; the bias is below n / 2³². Zero for `n == 0`.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.bits()) * u64::from(n)) >> 32) as u32
    }

    /// Standard normal by Box and Muller, computed in `f64`. Two words make two normals.
    pub fn normal(&mut self) -> f32 {
        if let Some(spare) = self.spare_normal.take() {
            return spare as f32;
        }
        let first = (f64::from(self.bits()) + 1.0) * (1.0 / 4_294_967_296.0); // (0, 1]
        let second = f64::from(self.bits()) * (1.0 / 4_294_967_296.0); // [0, 1)
        let radius = libm::sqrt(-2.0 * libm::log(first));
        let angle = 2.0 * std::f64::consts::PI * second;
        self.spare_normal = Some(radius * libm::sin(angle));
        (radius * libm::cos(angle)) as f32
    }

    /// Standard normal cut at ±2: values outside are passed over (TensorFlow's `truncated_normal`).
    pub fn truncated_normal(&mut self) -> f32 {
        loop {
            let value = self.normal();
            if value.abs() <= 2.0 {
                return value;
            }
        }
    }

    /// A permutation of 0..n (Fisher and Yates, from the end).
    pub fn permutation(&mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        for last in (1..n).rev() {
            let other = self.below(last as u32 + 1) as usize;
            order.swap(last, other);
        }
        order
    }
}

/// Ten rounds of Philox on four 32-bit words.
fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    const MULTIPLY: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    for _ in 0..10 {
        let left = MULTIPLY[0] * u64::from(counter[0]);
        let right = MULTIPLY[1] * u64::from(counter[2]);
        counter = [
            (right >> 32) as u32 ^ counter[1] ^ key[0],
            right as u32,
            (left >> 32) as u32 ^ counter[3] ^ key[1],
            left as u32,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// FNV-1a, 64 bits: turns a purpose into a number.
fn fnv1a64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// The finalizer of SplitMix64: spreads every input bit over the output.
fn splitmix64(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers published with the Random123 library (kat_vectors, philox4x32 10).
    #[test]
    fn philox_known_answers() {
        assert_eq!(philox4x32([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox4x32([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn addresses_and_purposes_do_not_share_numbers() {
        let streams = Streams::new(7);
        let address = Address { step: 3, phase: 1, sample: 2 };
        let first = streams.at("latent", address).bits();
        assert_eq!(first, streams.at("latent", address).bits());
        assert_ne!(first, streams.at("order", address).bits());
        assert_ne!(first, Streams::new(8).at("latent", address).bits());
        for other in [
            Address { step: 4, ..address },
            Address { phase: 0, ..address },
            Address { sample: 3, ..address },
        ] {
            assert_ne!(first, streams.at("latent", other).bits());
        }
    }

    #[test]
    fn normals_have_the_moments_of_a_normal() {
        let mut stream = Streams::new(1).root("moments");
        let draws: Vec<f64> = (0..100_000).map(|_| f64::from(stream.normal())).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        let fourth = draws.iter().map(|d| d.powi(4)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
        assert!((fourth - 3.0).abs() < 0.1, "fourth moment {fourth}");
    }

    #[test]
    fn permutation_holds_every_index_once() {
        let mut order = Streams::new(5).root("order").permutation(1000);
        assert_ne!(order[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(index, &value)| index == value as usize));
    }
}
