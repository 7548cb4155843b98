//! The command line: verbs, flags and their help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A whole number of a range, refused in words.
pub fn whole<T: TryFrom<i64>, const LEAST: i64, const MOST: i64>(text: &str) -> Result<T, String> {
    let number = text.parse::<i64>().ok().filter(|number| (LEAST..=MOST).contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| match MOST {
        i64::MAX => format!("wants a whole number from {LEAST} up"),
        _ => format!("wants a whole number from {LEAST} to {MOST}"),
    })
}

/// The program.
#[derive(Debug, Parser)]
#[command(
    name = "infogan",
    version,
    about = "InfoGAN: GANs whose latent codes come to mean something. Train, look, read codes, score.",
    after_help = EXAMPLES,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  infogan train                          digits drawn in-process: no download
  infogan train mnist --data DIR         the MNIST files
  infogan train --data DIR --size 64     a folder of your own pictures
  infogan traverse runs/00000-glyphs-seed0
  infogan evaluate runs/00000-glyphs-seed0 --json

Exit codes: 0 done, 1 a finding, 2 wrong usage or input, 3 training diverged, 130 interrupted (and saved)";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Train a preset or a configuration, or resume a run
    #[command(after_help = TRAIN)]
    Train(TrainArgs),
    /// Draw pictures, some codes fixed and the rest by chance
    #[command(after_help = SAMPLE)]
    Sample(SampleArgs),
    /// Draw one code after the other through its range
    #[command(after_help = TRAVERSE)]
    Traverse(TraverseArgs),
    /// Draw the way between random latents, as a sheet and as an animation
    #[command(after_help = INTERPOLATE)]
    Interpolate(InterpolateArgs),
    /// Read the codes of your own pictures, as CSV or JSON
    #[command(after_help = ENCODE)]
    Encode(EncodeArgs),
    /// Score a run: information, errors, known factors
    #[command(after_help = EVALUATE)]
    Evaluate(EvaluateArgs),
    /// Run an experiment of a paper: trainings side by side, a table, curves, pictures
    #[command(after_help = STUDY)]
    Study(StudyArgs),
    /// Make a run from weights that PyTorch or another program saved
    #[command(after_help = IMPORT)]
    Import(ImportArgs),
    /// Look at, convert, draw or get data sets
    Data(crate::data::DataArgs),
    /// Time this program beside PyTorch, candle and stock Burn on this machine
    #[command(after_help = BENCH)]
    Bench(BenchArgs),
    /// List the presets, or show one
    #[command(after_help = PRESETS)]
    Presets(PresetsArgs),
    /// Print a script that completes commands in a shell
    #[command(after_help = COMPLETIONS)]
    Completions(CompletionsArgs),
}

const TRAIN: &str = "\
Layers, later over earlier: preset or file, --data, --seed, --steps, --set.
The same command again resumes where it stopped: with --out DIR the run in DIR, without it the newest
unfinished run of the same training under runs/. Ctrl-C saves and exits; a second one does not wait.

Examples:
  infogan train
  infogan train mnist --data data/mnist --seed 3
  infogan train --data my-pictures --size 64
  infogan train my.toml --set train.batch=64 --set terms.codes.weight=0.5
  infogan train --dry-run > my.toml
  infogan train --out runs/00000-glyphs-seed0 --steps 6000";

/// Arguments of `train`.
#[derive(Args, Debug, Default)]
pub struct TrainArgs {
    /// Name of a preset, or a TOML file (see 'infogan presets'). Without it: the configuration of the run that
    /// --out names, else the first preset
    #[arg(value_name = "PRESET|CONFIG.toml")]
    pub what: Option<String>,
    /// What to train on: a folder of pictures, the files of MNIST, CIFAR, STL-10 or SVHN, or a .safetensors file of
    /// 'infogan data'
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Side in pixels to which pictures are brought; the networks of a preset follow
    #[arg(long, value_name = "N", value_parser = whole::<i64, 8, 1024>)]
    pub size: Option<i64>,
    /// Table of classes and attributes of picture files: CSV, JSON, Parquet or CelebA's list
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Refuse a folder in which a file cannot be used, instead of passing it over
    #[arg(long)]
    pub strict: bool,
    /// Run directory: made if missing, resumed if it holds a run. Without it: runs/NNNNN-NAME-seedN
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Steps in all; may be raised later
    #[arg(long, value_name = "N", value_parser = whole::<i64, 1, { u32::MAX as i64 }>)]
    pub steps: Option<i64>,
    /// Root of all random numbers
    #[arg(long, value_name = "N", value_parser = whole::<i64, 0, { i64::MAX }>)]
    pub seed: Option<i64>,
    /// What to compute with.
    #[command(flatten)]
    pub compute: Compute,
    /// Set a key of the configuration; may be given again. The value is TOML, or else a plain string
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Print the resolved configuration, sizes, time and memory, measured over a few steps; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Begin with the weights of another run, or of a .pth, .pt or .safetensors file, as far as they fit
    #[arg(long, value_name = "RUN|FILE")]
    pub init_from: Option<PathBuf>,
    /// Take a parameter from a tensor of that file; may be given again
    #[arg(long, value_name = "NETWORK.PATH=TENSOR", requires = "init_from")]
    pub map: Vec<String>,
    /// Also write event files for TensorBoard to tensorboard/ in the run
    #[arg(long)]
    pub tensorboard: bool,
    /// Begin a new run even if one could be resumed; with --out, the directory must be empty
    #[arg(long)]
    pub new: bool,
    /// Print errors and the result only
    #[arg(long, short)]
    pub quiet: bool,
}

/// What to compute with.
#[derive(Args, Clone, Debug, Default)]
pub struct Compute {
    /// Threads to compute with; the result does not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = whole::<u16, 1, 1024>)]
    pub threads: Option<u16>,
    /// Device to compute on: cpu, vulkan, cuda, metal, webgpu, a second one as vulkan:1, or auto for the best
    /// that this build and machine have
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Kernels of the CPU: auto for the most that the processor can, baseline, avx2, avx512, or stock for
    /// Burn's own operations
    #[arg(long, value_name = "NAME", default_value = "auto", hide_default_value = true)]
    pub kernels: String,
}

const SAMPLE: &str = "\
A categorical code takes a category (c1=3), any other a finite number (c2=-1.5), also outside the
range it was trained on. One number of a wider slot is NAME.INDEX=VALUE (z.0=1).
Picture k depends on the seed and k alone, not on how many are drawn.

Examples:
  infogan sample RUN
  infogan sample RUN --code c1=3 --code c2=-1.5
  infogan sample RUN --n 1 --seed 7 --out seven.png";

/// Arguments of `sample`.
#[derive(Args, Debug)]
pub struct SampleArgs {
    /// Run directory
    pub run: PathBuf,
    /// Fix a code; may be given again
    #[arg(long = "code", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub codes: Vec<String>,
    /// Number of pictures: one as it is, more as a sheet
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = whole::<u32, 1, 10_000>)]
    pub n: u32,
    /// Seed of what is left to chance
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// File to write
    #[arg(long, value_name = "FILE.png", default_value = "sample.png")]
    pub out: PathBuf,
}

const TRAVERSE: &str = "\
Every recovered code moves in turn while all else stays: a categorical code through its categories,
any other from -2 to 2 (trained on -1 to 1 where its prior is uniform).

Examples:
  infogan traverse RUN
  infogan traverse RUN --rows 10 --seed 7 --out codes.png";

/// Arguments of `traverse`.
#[derive(Args, Debug)]
pub struct TraverseArgs {
    /// Run directory
    pub run: PathBuf,
    /// Starting points, a row each, for every code
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = whole::<u32, 1, 100>)]
    pub rows: u32,
    /// Seed of the starting points
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// File to write
    #[arg(long, value_name = "FILE.png", default_value = "traverse.png")]
    pub out: PathBuf,
}

const INTERPOLATE: &str = "\
The way leads through all keyframes and back to the first. Normal slots of two and more numbers move
along the sphere, everything else straight; between two different categories both are on in part.
Without --out, writes interpolate.png (a row from each keyframe to the next) and interpolate.gif (a
loop).

Examples:
  infogan interpolate RUN
  infogan interpolate RUN --code c1=3 --keyframes 6 --out three.gif";

/// Arguments of `interpolate`.
#[derive(Args, Debug)]
pub struct InterpolateArgs {
    /// Run directory
    pub run: PathBuf,
    /// Pictures from one keyframe to the next
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = whole::<u32, 1, 200>)]
    pub frames: u32,
    /// Latents to lead through, drawn by chance
    #[arg(long, value_name = "K", default_value_t = 4, value_parser = whole::<u32, 2, 100>)]
    pub keyframes: u32,
    /// Seed of the keyframes
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Fix a code on the whole way; may be given again
    #[arg(long = "code", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub codes: Vec<String>,
    /// File to write: the sheet alone as .png or the loop alone as .gif
    #[arg(long, value_name = "FILE.png|.gif")]
    pub out: Option<PathBuf>,
}

const ENCODE: &str = "\
Pictures may be PNG, JPEG, BMP, GIF or WebP of any size; they are cut to a square and scaled to what
the run was trained on. A folder stands for the pictures in it and in its folders; those that cannot be
read are told and passed over.
CSV has a column per code: the category of a categorical code and its probabilities as NAME.p0,
NAME.p1 ..., the mean of any other.

Examples:
  infogan encode RUN pictures/ > codes.csv
  infogan encode RUN a.png b.jpg --json --out codes.json";

/// Arguments of `encode`.
#[derive(Args, Debug)]
pub struct EncodeArgs {
    /// Run directory
    pub run: PathBuf,
    /// Pictures, or folders of pictures
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub pictures: Vec<PathBuf>,
    /// Write CSV (the default)
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
    /// File to write instead of printing
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

const EVALUATE: &str = "\
Scores the newest checkpoint, prints the scores with the protocol that made them, and appends them to
RUN/scores.jsonl.

Examples:
  infogan evaluate RUN
  infogan evaluate RUN --data data/mnist --json";

/// Arguments of `evaluate`.
#[derive(Args, Debug)]
pub struct EvaluateArgs {
    /// Run directory
    pub run: PathBuf,
    /// What else to score on: what 'train --data' takes, in the run's shape [default: what the run was trained on]
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const STUDY: &str = "\
Trains what is not there yet, below OUT/runs: studies share runs, and the same command goes on where
it was stopped. Then writes OUT/NAME/report.html and report.md. Without --data it trains on a set
drawn in-process. Exit code 1 when a training could not be done; one that diverges is a result.

Examples:
  infogan study list
  infogan study bound
  infogan study mnist-error --data data/mnist --jobs 2
  infogan study noisy-input --with slow-critic --with two-codes";

/// Arguments of `study`.
#[derive(Args, Debug)]
pub struct StudyArgs {
    /// Name of a study, or list
    pub name: String,
    /// Files to train on, as 'train --data' takes them
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Folder for runs and pages
    #[arg(long, value_name = "DIR", default_value = "studies")]
    pub out: PathBuf,
    /// A few steps of narrow networks: shows that it runs, not what it finds
    #[arg(long)]
    pub quick: bool,
    /// Trainings at a time; they share the threads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u16, 1, 256>)]
    pub jobs: u16,
    /// An optional row to run as well, or all; may be given again
    #[arg(long, value_name = "ROW")]
    pub with: Vec<String>,
    /// Set a key of every training's configuration; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// What to compute with.
    #[command(flatten)]
    pub compute: Compute,
    /// Print errors and the result only
    #[arg(long, short)]
    pub quiet: bool,
}

const BENCH: &str = "\
Every round times every row for everybody in turn; the table shows medians and ratios. Peers are
programs that answer the benchmark's questions: bench/peers/README.md says how to install PyTorch's
and candle's. Names that begin with 'torch' compete for the fastest PyTorch.

Examples:
  infogan bench
  infogan bench --rows infogan-fresh,generator-64 --rounds 3
  infogan bench --peer 'torch eager=python3 bench/peers/torch_peer.py --variant eager' --run RUN";

/// Arguments of `bench`.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Somebody to compare with: a program and its arguments, parted at spaces; may be given again
    #[arg(long = "peer", value_name = "NAME=COMMAND")]
    pub peers: Vec<String>,
    /// Rows to run, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_enum)]
    pub rows: Option<Vec<crate::bench::Row>>,
    /// How often everybody is timed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = whole::<u32, 1, 1000>)]
    pub rounds: u32,
    /// Trained run of the preset mnist, for the row first-picture
    #[arg(long, value_name = "RUN")]
    pub run: Option<PathBuf>,
    /// Folder for the table and all rounds, such as bench/results
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What to compute with.
    #[command(flatten)]
    pub compute: Compute,
    /// Answer the questions of another benchmark
    #[arg(long, hide = true)]
    pub serve: bool,
}

const PRESETS: &str = "\
Examples:
  infogan presets
  infogan presets show mnist
  infogan presets show gan --resolved > my.toml";

/// Arguments of `presets`.
#[derive(Args, Debug)]
pub struct PresetsArgs {
    /// What to do instead of listing.
    #[command(subcommand)]
    pub action: Option<PresetsAction>,
}

/// What `presets` can do besides listing.
#[derive(Debug, Subcommand)]
pub enum PresetsAction {
    /// Print a preset as it is written, with its sources
    Show {
        /// Name of the preset
        name: String,
        /// Print the full configuration instead, with everything it builds on
        #[arg(long)]
        resolved: bool,
    },
}

const IMPORT: &str = "\
Nothing in the file is executed. Tensors are found by name (also after prefixes such as module. or netG.),
else by the order of their shapes; --map settles the rest. The networks are those of --like. The run
stands at step 0: sample, traverse and train --out RUN go on from there.

Examples:
  infogan import generator.pth --out runs/imported
  infogan import old.safetensors --like mnist --data data/mnist --out runs/imported
  infogan import model.pth --like my.toml --map generator.layers.0.weight=G.fc.weight --out runs/imported";

/// Arguments of `import`.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// File of weights: .pth, .pt or .safetensors
    pub file: PathBuf,
    /// Preset, TOML file or run whose networks they are [default: as train]
    #[arg(long, value_name = "PRESET|CONFIG.toml|RUN")]
    pub like: Option<String>,
    /// Run directory to make
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What the run would train on
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Side in pixels of the pictures
    #[arg(long, value_name = "N", value_parser = whole::<i64, 8, 1024>)]
    pub size: Option<i64>,
    /// Set a key of the configuration; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Take a parameter from a tensor; may be given again
    #[arg(long, value_name = "NETWORK.PATH=TENSOR")]
    pub map: Vec<String>,
    /// Make the run even if the generator is not complete: the rest begins at random
    #[arg(long)]
    pub partial: bool,
}

const COMPLETIONS: &str = "\
Examples:
  infogan completions bash > ~/.local/share/bash-completion/completions/infogan
  infogan completions zsh > ~/.zfunc/_infogan
  infogan completions fish > ~/.config/fish/completions/infogan.fish";

/// Arguments of `completions`.
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// Shell to complete in
    pub shell: clap_complete::Shell,
}
