//! The innermost loop of every multiply: a small tile of the product, held in registers over a stretch of the inner
//! dimension.
//!
//! A tile is [`ROWS`] rows of the left factor by up to [`Tiling::vectors`] vectors of columns of the right one. Rows of
//! the left factor are read where they lie, one number at a time; the right factor is packed so that the columns of a
//! tile follow one another. Each element of the product is one chain of multiply-adds in the order of the inner
//! dimension over a stretch, and stretches are added in order, whatever the tile it falls in: how the work is cut never
//! shows in a result.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use super::level::Level;
use super::level::level;

/// Rows of a tile.
pub const ROWS: usize = 6;

/// Where a stretch of the inner dimension lies in memory.
#[derive(Clone, Copy)]
pub struct Run {
    /// Each row of the left factor.
    pub left: [*const f32; ROWS],
    /// The packed columns of the right factor.
    pub right: *const f32,
}

/// `(runs, length, step, product, add)`: for every run in turn and `length` positions of the inner dimension each, row
/// `i` is read at `run.left[i] + position · step` and multiplied with the next `vectors · lanes` numbers at
/// `run.right`. The sums go to `product[i]`, onto what is there when `add` is set.
///
/// Safety: all of these must be readable, and `product[i]` writable, for the rows and vectors of the tile.
pub type Tile = unsafe fn(&[Run], usize, usize, &[*mut f32; ROWS], bool);

/// What the level in use multiplies with.
#[derive(Clone, Copy)]
pub struct Tiling {
    /// Numbers in a vector.
    pub lanes: usize,
    /// Vectors of a full tile.
    pub vectors: usize,
    tiles: &'static [[Tile; 4]; ROWS],
}

impl Tiling {
    /// That of the level in use.
    pub fn current() -> Self {
        match level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => Self { lanes: 16, vectors: 4, tiles: &x86::AVX512 },
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => Self { lanes: 8, vectors: 2, tiles: &x86::AVX2 },
            #[cfg(target_arch = "x86_64")]
            _ => Self { lanes: 4, vectors: 2, tiles: &x86::SSE2 },
            #[cfg(target_arch = "aarch64")]
            _ => Self { lanes: 4, vectors: 4, tiles: &arm::NEON },
            #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
            _ => Self { lanes: 4, vectors: 2, tiles: &plain::PLAIN },
        }
    }

    /// Columns of a full tile: the width of a packed panel.
    pub fn width(&self) -> usize {
        self.lanes * self.vectors
    }

    /// Positions of the inner dimension after which sums are laid down, so that a panel of the right factor stays in
    /// the first cache (32 KiB).
    pub fn depth(&self) -> usize {
        8192 / self.width()
    }

    /// The tile for this many rows (1 to [`ROWS`]) and vectors (1 to `self.vectors`).
    pub fn tile(&self, rows: usize, vectors: usize) -> Tile {
        self.tiles[rows - 1][vectors - 1]
    }
}

/// Writes the tile for one instruction set.
macro_rules! tile {
    ($name:ident, $table:ident, $feature:meta, $lanes:literal, $zero:expr, $load:expr, $splat:expr, $madd:expr, $plus:expr, $store:expr) => {
        #[$feature]
        unsafe fn $name<const M: usize, const V: usize>(
            runs: &[Run],
            length: usize,
            step: usize,
            product: &[*mut f32; ROWS],
            add: bool,
        ) {
            // SAFETY: what the caller of a `Tile` promises.
            unsafe {
                let mut sums = [[$zero; V]; M];
                for run in runs {
                    let mut right = run.right;
                    let mut at = 0;
                    for _ in 0..length {
                        let mut columns = [$zero; V];
                        for v in 0..V {
                            columns[v] = $load(right.add(v * $lanes));
                        }
                        for i in 0..M {
                            let left = $splat(*run.left[i].add(at));
                            for v in 0..V {
                                sums[i][v] = $madd(left, columns[v], sums[i][v]);
                            }
                        }
                        at += step;
                        right = right.add(V * $lanes);
                    }
                }
                for i in 0..M {
                    for v in 0..V {
                        let place = product[i].add(v * $lanes);
                        // A stretch is summed by itself: long inner dimensions then lose fewer digits.
                        let sum = if add { $plus($load(place), sums[i][v]) } else { sums[i][v] };
                        $store(place, sum);
                    }
                }
            }
        }
        pub(super) static $table: [[Tile; 4]; ROWS] = [
            [$name::<1, 1>, $name::<1, 2>, $name::<1, 3>, $name::<1, 4>],
            [$name::<2, 1>, $name::<2, 2>, $name::<2, 3>, $name::<2, 4>],
            [$name::<3, 1>, $name::<3, 2>, $name::<3, 3>, $name::<3, 4>],
            [$name::<4, 1>, $name::<4, 2>, $name::<4, 3>, $name::<4, 4>],
            [$name::<5, 1>, $name::<5, 2>, $name::<5, 3>, $name::<5, 4>],
            [$name::<6, 1>, $name::<6, 2>, $name::<6, 3>, $name::<6, 4>],
        ];
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{ROWS, Run, Tile};
    use std::arch::x86_64::*;

    tile!(
        avx512,
        AVX512,
        target_feature(enable = "avx512f"),
        16,
        _mm512_setzero_ps(),
        _mm512_loadu_ps,
        _mm512_set1_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps,
        _mm512_storeu_ps
    );
    tile!(
        avx2,
        AVX2,
        target_feature(enable = "avx2,fma"),
        8,
        _mm256_setzero_ps(),
        _mm256_loadu_ps,
        _mm256_set1_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps,
        _mm256_storeu_ps
    );

    #[inline(always)]
    unsafe fn multiply_add(a: __m128, b: __m128, c: __m128) -> __m128 {
        // SAFETY: every 64-bit x86 has SSE2.
        unsafe { _mm_add_ps(_mm_mul_ps(a, b), c) }
    }
    tile!(
        sse2,
        SSE2,
        target_feature(enable = "sse2"),
        4,
        _mm_setzero_ps(),
        _mm_loadu_ps,
        _mm_set1_ps,
        multiply_add,
        _mm_add_ps,
        _mm_storeu_ps
    );
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::{ROWS, Run, Tile};
    use std::arch::aarch64::*;

    #[inline(always)]
    unsafe fn multiply_add(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: every 64-bit ARM has NEON.
        unsafe { vfmaq_f32(c, a, b) }
    }
    tile!(
        neon,
        NEON,
        target_feature(enable = "neon"),
        4,
        vdupq_n_f32(0.0),
        vld1q_f32,
        vdupq_n_f32,
        multiply_add,
        vaddq_f32,
        vst1q_f32
    );
}

/// Plain arrays, for architectures without a tile of their own.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod plain {
    use super::{ROWS, Run, Tile};

    type Four = [f32; 4];

    #[inline(always)]
    unsafe fn load(at: *const f32) -> Four {
        unsafe { at.cast::<Four>().read_unaligned() }
    }
    #[inline(always)]
    fn splat(value: f32) -> Four {
        [value; 4]
    }
    #[inline(always)]
    fn multiply_add(a: Four, b: Four, c: Four) -> Four {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    fn plus(a: Four, b: Four) -> Four {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn store(at: *mut f32, value: Four) {
        unsafe { at.cast::<Four>().write_unaligned(value) }
    }
    tile!(plain, PLAIN, inline, 4, [0.0; 4], load, splat, multiply_add, plus, store);
}
