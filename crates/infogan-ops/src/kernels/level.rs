//! The instruction set a kernel runs on, chosen when the program runs: a plain release build needs no flags.

use std::sync::atomic::{AtomicU8, Ordering};

/// A family of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What every processor of the architecture has: SSE2 on x86-64, NEON on 64-bit ARM.
    Baseline,
    /// AVX2 with fused multiply-add, eight numbers at a time.
    Avx2,
    /// AVX-512 (F, BW, DQ, VL), sixteen numbers at a time.
    Avx512,
}

impl Level {
    /// All of them, from the least.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this processor has it.
    pub fn available(self) -> bool {
        self <= best()
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// The most that this processor has.
pub fn best() -> Level {
    static BEST: std::sync::OnceLock<Level> = std::sync::OnceLock::new();
    *BEST.get_or_init(detect)
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    use std::arch::is_x86_feature_detected as has;
    let avx2 = has!("avx2") && has!("fma");
    if avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
        Level::Avx512
    } else if avx2 {
        Level::Avx2
    } else {
        Level::Baseline
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Baseline
}

/// Stands for "not forced".
const FREE: u8 = u8::MAX;

static FORCED: AtomicU8 = AtomicU8::new(FREE);

/// The level in use.
pub fn level() -> Level {
    Level::from_code(FORCED.load(Ordering::Relaxed)).unwrap_or_else(best)
}

/// Holds every kernel of this process to a level, or lets it go with `None`. A level that the processor lacks is
/// not taken; the answer says whether it was.
pub fn force(level: Option<Level>) -> bool {
    if level.is_some_and(|level| !level.available()) {
        return false;
    }
    FORCED.store(level.map_or(FREE, |level| level as u8), Ordering::Relaxed);
    true
}

/// Defines a function whose plain body is compiled once for every level and chosen at each call.
///
/// The body must not hold closures: a closure is compiled for the baseline unless it happens to be inlined.
macro_rules! leveled {
    ($(#[$meta:meta])* $vis:vis fn $name:ident $(<$(const $size:ident: usize),+>)? ($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name $(<$(const $size: usize),+>)? ($($arg: $ty),*) $(-> $out)? {
            #[inline(always)]
            fn body $(<$(const $size: usize),+>)? ($($arg: $ty),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512 $(<$(const $size: usize),+>)? ($($arg: $ty),*) $(-> $out)? {
                body $(::<$($size),+>)? ($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2 $(<$(const $size: usize),+>)? ($($arg: $ty),*) $(-> $out)? {
                body $(::<$($size),+>)? ($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            {
                use $crate::kernels::level::{Level, level};
                // SAFETY: `level` never gives a level that this processor lacks.
                #[allow(unsafe_code)]
                match level() {
                    Level::Avx512 => return unsafe { avx512 $(::<$($size),+>)? ($($arg),*) },
                    Level::Avx2 => return unsafe { avx2 $(::<$($size),+>)? ($($arg),*) },
                    Level::Baseline => {}
                }
            }
            body $(::<$($size),+>)? ($($arg),*)
        }
    };
}
pub(crate) use leveled;
