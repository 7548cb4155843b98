//! What is compared.

use clap::{ValueEnum, builder::PossibleValue};

/// A row of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// Training step of the preset `mnist`, the critic's latents used again for the generator.
    InfoGanReused,
    /// The same with latents of its own for the generator: the preset as it is.
    InfoGanFresh,
    /// Training step of a DCGAN on 3×32×32.
    DcganSvhn,
    /// 64 pictures from a generator of the preset `mnist`.
    Generator64,
    /// One picture.
    Generator1,
    /// From the start of a program to a picture of a trained run on the disk.
    FirstPicture,
    /// Peak memory of the training of the preset `mnist`.
    Memory,
}

impl Row {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::InfoGanReused,
        Self::InfoGanFresh,
        Self::DcganSvhn,
        Self::Generator64,
        Self::Generator1,
        Self::FirstPicture,
        Self::Memory,
    ];

    /// Its name in questions, answers and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::InfoGanReused => "infogan-reused",
            Self::InfoGanFresh => "infogan-fresh",
            Self::DcganSvhn => "dcgan-svhn",
            Self::Generator64 => "generator-64",
            Self::Generator1 => "generator-1",
            Self::FirstPicture => "first-picture",
            Self::Memory => "memory",
        }
    }

    /// The row of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.name() == name)
    }

    /// What it is, in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::InfoGanReused => "InfoGAN MNIST step, batch 128, latents reused",
            Self::InfoGanFresh => "the same, latents fresh (preset `mnist`)",
            Self::DcganSvhn => "DCGAN 3×32×32 step, batch 128",
            Self::Generator64 => "generator forward, 64 pictures",
            Self::Generator1 => "generator forward, 1 picture",
            Self::FirstPicture => "program start to first picture",
            Self::Memory => "peak memory of the InfoGAN training",
        }
    }

    /// Pictures that a row of generator passes makes at once.
    pub fn generated(self) -> Option<usize> {
        match self {
            Self::Generator64 => Some(64),
            Self::Generator1 => Some(1),
            _ => None,
        }
    }

    /// Iterations of a round and those before it that are not counted.
    pub fn iterations(self) -> (usize, usize) {
        match self {
            Self::InfoGanReused | Self::InfoGanFresh => (12, 2),
            Self::DcganSvhn => (8, 2),
            Self::Generator64 => (60, 10),
            Self::Generator1 => (300, 50),
            Self::Memory => (12, 0),
            Self::FirstPicture => (1, 0),
        }
    }

    /// Unit of its numbers.
    pub fn unit(self) -> &'static str {
        if self == Self::Memory { "MiB" } else { "ms" }
    }
}

impl ValueEnum for Row {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}
