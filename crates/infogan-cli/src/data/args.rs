//! Arguments of `infogan data`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::args::whole;

/// Arguments of `data`.
#[derive(Args, Debug)]
pub struct DataArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: DataAction,
}

/// What `data` can do.
#[derive(Debug, Subcommand)]
pub enum DataAction {
    /// Read a data set once and tell what is in it; exit 1 if a picture file cannot be used
    #[command(after_help = CHECK)]
    Check(CheckArgs),
    /// Bring a data set into another form
    #[command(after_help = CONVERT)]
    Convert(ConvertArgs),
    /// Draw a sheet of a data set, with its classes
    #[command(after_help = PREVIEW)]
    Preview(PreviewArgs),
    /// Write a data set that is drawn here, with its factors
    #[command(after_help = SYNTH)]
    Synth(SynthArgs),
    /// Get a well-known data set from its usual address
    #[command(after_help = FETCH)]
    Fetch(FetchArgs),
}

const CHECK: &str = "\
Prints counts per class, sizes, kinds of pictures, duplicates and warnings, and names every file that
cannot be used with its reason. What 'infogan train --data DIR' would take and pass over is the same.

Examples:
  infogan data check my-pictures
  infogan data check celeba
  infogan data check my-pictures --labels table.csv --json";

/// Arguments of `data check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Folder of pictures, or any other set that 'train --data' takes
    pub dir: PathBuf,
    /// Table of classes and attributes: CSV, JSON, Parquet or CelebA's list [default: labels.csv or CelebA's list in the
    /// folder, if it is there]
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How a data set is read.
#[derive(Args, Debug)]
pub struct Reading {
    /// Folder of pictures; files of MNIST, CIFAR, STL-10 or SVHN; or a .safetensors file of this program
    #[arg(value_name = "DATA")]
    pub from: PathBuf,
    /// Side in pixels to which picture files are brought [default: 32]
    #[arg(long, value_name = "N", value_parser = whole::<u16, 1, 1024>)]
    pub size: Option<u16>,
    /// Grey instead of colour; without it, colour if any picture file is in colour
    #[arg(long)]
    pub grey: bool,
    /// Cut the middle N×N out of picture files first
    #[arg(long, value_name = "N", value_parser = whole::<u16, 1, 32_768>)]
    pub crop: Option<u16>,
    /// Squeeze picture files into a square instead of cutting out their middle
    #[arg(long)]
    pub squeeze: bool,
    /// What transparent picture files lie on: black, white, grey or #rrggbb [default: black]
    #[arg(long, value_name = "COLOUR")]
    pub background: Option<infogan_data::Background>,
    /// Table of classes and attributes of picture files [default: labels.csv or CelebA's list in the folder, if it is
    /// there]
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
}

/// Forms of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// This program's own file: pictures, classes and factors
    Safetensors,
    /// MNIST's four files: pictures and numbers of classes, which there must be; no names, no factors
    Idx,
    /// A folder of PNG files, half and class as sub-folders, factors in its labels.csv
    Folder,
}

const CONVERT: &str = "\
The form follows from --to, or from TO if that ends in .safetensors. Both halves, training and test, are
written.

Examples:
  infogan data convert my-pictures my.safetensors --size 64
  infogan data convert celeba celeba.safetensors --size 32 --crop 128
  infogan data convert data/mnist digits --to folder
  infogan data convert my.safetensors my-idx --to idx";

/// Arguments of `data convert`.
#[derive(Args, Debug)]
pub struct ConvertArgs {
    /// What to read.
    #[command(flatten)]
    pub reading: Reading,
    /// File or folder to write; it must not exist yet
    #[arg(value_name = "TO")]
    pub to: PathBuf,
    /// Form to write
    #[arg(long = "to", value_name = "FORM", value_enum)]
    pub form: Option<Form>,
}

const PREVIEW: &str = "\
Examples:
  infogan data preview my-pictures --size 64
  infogan data preview data/mnist --n 100 --out digits.png";

/// Arguments of `data preview`.
#[derive(Args, Debug)]
pub struct PreviewArgs {
    /// What to read.
    #[command(flatten)]
    pub reading: Reading,
    /// Pictures on the sheet, about
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = whole::<u32, 1, 10_000>)]
    pub n: u32,
    /// File to write
    #[arg(long, value_name = "FILE.png", default_value = "preview.png")]
    pub out: PathBuf,
}

const SYNTH: &str = "\
Sets: glyphs (digits), portraits (faces), heads and chairs (in three dimensions), sprites, and BasicProp's
six; GUIDE.md says what each knows of its pictures. Picture k depends on the seed and k alone.

Examples:
  infogan data synth portraits faces.safetensors --n 20000 --size 64
  infogan data synth glyphs digits --to folder --n 1000";

/// Arguments of `data synth`.
#[derive(Args, Debug)]
pub struct SynthArgs {
    /// Name of the set
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(infogan_data::synth::DRAWN.iter().map(|set| set.name)))]
    pub name: String,
    /// File or folder to write; it must not exist yet
    #[arg(value_name = "TO")]
    pub to: PathBuf,
    /// Form to write
    #[arg(long = "to", value_name = "FORM", value_enum)]
    pub form: Option<Form>,
    /// Training pictures; a tenth as many are drawn to test
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = whole::<u32, 1, 10_000_000>)]
    pub n: u32,
    /// Side in pixels [default: the set's own]
    #[arg(long, value_name = "N", value_parser = whole::<u16, 8, 512>)]
    pub size: Option<u16>,
    /// Seed of the set
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
}

const FETCH: &str = "\
Files come with their hashes checked, a broken download goes on where it stopped, and nothing unfinished
is left under a final name.

Examples:
  infogan data fetch mnist data/mnist
  infogan data fetch cifar10 data/cifar10 --mirror https://example.org/datasets/";

/// Arguments of `data fetch`.
#[derive(Args, Debug)]
pub struct FetchArgs {
    /// Name of the set
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(infogan_fetch::SETS.iter().map(|set| set.name)))]
    pub name: String,
    /// Folder for its files
    pub dir: PathBuf,
    /// Address to take the files from instead of the usual one
    #[arg(long, value_name = "URL")]
    pub mirror: Option<String>,
    /// Print errors and the result only
    #[arg(long, short)]
    pub quiet: bool,
}
