//! Latents: named slots, each with a prior, and what is drawn from them.

use burn::tensor::{Device, Tensor, TensorData};
use infogan_data::random::{Address, Streams};

/// What a slot is drawn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Prior {
    /// One of `values` categories, all equally likely, given to the generator as a one-hot vector.
    Categorical {
        /// Number of categories.
        values: usize,
    },
    /// `width` independent numbers, uniform in [−1, 1).
    Uniform {
        /// How many numbers.
        width: usize,
    },
    /// `width` independent standard normals.
    Normal {
        /// How many numbers.
        width: usize,
    },
}

impl Prior {
    /// Numbers the generator gets from the slot.
    pub fn width(&self) -> usize {
        match *self {
            Self::Categorical { values } => values,
            Self::Uniform { width } | Self::Normal { width } => width,
        }
    }

    /// Entropy in nats: of the choice for a categorical slot, differential (and per slot) for the others.
    pub fn entropy(&self) -> f64 {
        match *self {
            Self::Categorical { values } => (values as f64).ln(),
            Self::Uniform { width } => width as f64 * std::f64::consts::LN_2,
            Self::Normal { width } => {
                width as f64 * 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln()
            }
        }
    }

    /// The word for this prior in files and tables.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Categorical { .. } => "categorical",
            Self::Uniform { .. } => "uniform",
            Self::Normal { .. } => "normal",
        }
    }
}

/// A named part of the generator's input.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Name, such as `z` or `c1`.
    pub name: String,
    /// What it is drawn from.
    pub prior: Prior,
}

/// All slots, in the order in which the generator gets them.
#[derive(Clone, Debug, PartialEq)]
pub struct Latent {
    slots: Vec<Slot>,
}

impl Latent {
    /// From slots in order. Names are unique: the configuration has checked that.
    pub fn new(slots: Vec<Slot>) -> Self {
        Self { slots }
    }

    /// The slots in order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The slot of this name and its position.
    pub fn slot(&self, name: &str) -> Option<(usize, &Slot)> {
        self.slots.iter().enumerate().find(|(_, slot)| slot.name == name)
    }

    /// Width of the generator's input.
    pub fn width(&self) -> usize {
        self.slots.iter().map(|slot| slot.prior.width()).sum()
    }

    /// Draws `count` latents. Sample k depends on the seed, the purpose, step, phase and `first` + k only.
    pub fn draw(
        &self,
        streams: &Streams,
        purpose: &str,
        [step, phase, first]: [u32; 3],
        count: usize,
    ) -> Draw {
        let values = (self.slots.iter())
            .map(|slot| {
                let purpose = format!("latent/{purpose}/{}", slot.name);
                let width = slot.prior.width();
                let mut values = vec![0.0; count * width];
                if width == 0 {
                    return values;
                }
                for (sample, row) in values.chunks_exact_mut(width).enumerate() {
                    let address = Address { step, phase, sample: first + sample as u32 };
                    let mut stream = streams.at(&purpose, address);
                    match slot.prior {
                        Prior::Categorical { values } => row[stream.below(values as u32) as usize] = 1.0,
                        Prior::Uniform { .. } => row.fill_with(|| 2.0 * stream.unit() - 1.0),
                        Prior::Normal { .. } => row.fill_with(|| stream.normal()),
                    }
                }
                values
            })
            .collect();
        Draw { widths: self.slots.iter().map(|slot| slot.prior.width()).collect(), count, values }
    }
}

/// Latents drawn for one batch, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    widths: Vec<usize>,
    count: usize,
    values: Vec<Vec<f32>>,
}

impl Draw {
    /// From values per slot, `[count, width]` each in row-major order.
    pub fn from_values(widths: Vec<usize>, count: usize, values: Vec<Vec<f32>>) -> Self {
        Self { widths, count, values }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing was drawn.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Values of the slot at this position, `[count, width]` in row-major order.
    pub fn slot(&self, position: usize) -> &[f32] {
        &self.values[position]
    }

    /// The same, to be changed: traversals set one slot and keep the rest.
    pub fn slot_mut(&mut self, position: usize) -> &mut [f32] {
        &mut self.values[position]
    }

    /// Category of each sample in a categorical slot.
    pub fn categories(&self, position: usize) -> Vec<usize> {
        let hot = |row: &[f32]| row.iter().position(|&value| value > 0.5).unwrap_or(0);
        self.values[position].chunks_exact(self.widths[position].max(1)).map(hot).collect()
    }

    /// Sets a categorical slot of one sample.
    pub fn set_category(&mut self, position: usize, sample: usize, category: usize) {
        let width = self.widths[position];
        let row = &mut self.values[position][sample * width..(sample + 1) * width];
        row.fill(0.0);
        row[category] = 1.0;
    }

    /// The values of one sample in all slots, one after the other.
    pub fn row(&self, sample: usize) -> Vec<f32> {
        let part =
            |(values, &width): (&Vec<f32>, &usize)| values[sample * width..(sample + 1) * width].to_vec();
        self.values.iter().zip(&self.widths).flat_map(part).collect()
    }

    /// `count` copies of one sample.
    pub fn repeat(&self, sample: usize, count: usize) -> Self {
        let copy = |(values, &width): (&Vec<f32>, &usize)| {
            values[sample * width..(sample + 1) * width].repeat(count)
        };
        let values = self.values.iter().zip(&self.widths).map(copy).collect();
        Self { widths: self.widths.clone(), count, values }
    }

    /// Samples first..first + count.
    pub fn part(&self, first: usize, count: usize) -> Self {
        let cut =
            |(values, &width): (&Vec<f32>, &usize)| values[first * width..(first + count) * width].to_vec();
        let values = self.values.iter().zip(&self.widths).map(cut).collect();
        Self { widths: self.widths.clone(), count, values }
    }

    /// The samples in order, at most `most` at a time.
    pub fn parts(&self, most: usize) -> impl Iterator<Item = Self> + '_ {
        (0..self.count).step_by(most).map(move |first| self.part(first, most.min(self.count - first)))
    }

    /// Appends the samples of another draw from the same slots.
    pub fn append(&mut self, other: &Self) {
        for (mine, theirs) in self.values.iter_mut().zip(&other.values) {
            mine.extend_from_slice(theirs);
        }
        self.count += other.count;
    }

    /// The generator's input, `[count, sum of widths]`.
    pub fn tensor(&self, device: &Device) -> Tensor<2> {
        let width = self.widths.iter().sum::<usize>();
        let rows = (0..self.count).flat_map(|sample| self.row(sample)).collect::<Vec<f32>>();
        Tensor::from_data(TensorData::new(rows, [self.count, width]), device)
    }

    /// One slot, `[count, width]`.
    pub fn slot_tensor(&self, position: usize, device: &Device) -> Tensor<2> {
        let data = TensorData::new(self.values[position].clone(), [self.count, self.widths[position]]);
        Tensor::from_data(data, device)
    }
}
