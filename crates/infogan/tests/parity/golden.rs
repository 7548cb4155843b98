//! The golden files of `fixtures/parity/`, and where in a tensor their entries were taken.

use std::path::Path;

use infogan::latent::Draw;
use infogan_data::random::{Address, Streams};
use serde_json::Value;

/// A golden file.
pub struct Golden(Value);

impl Golden {
    /// Reads `fixtures/parity/NAME.json`.
    pub fn open(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/parity").join(format!("{name}.json"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// What is at a place: keys from the outside in.
    pub fn at(&self, keys: &[&str]) -> &Value {
        keys.iter().fold(&self.0, |value, key| value.get(key).unwrap_or_else(|| panic!("no {keys:?}")))
    }

    pub fn number(&self, keys: &[&str]) -> f64 {
        number(self.at(keys))
    }

    pub fn count(&self, keys: &[&str]) -> usize {
        self.at(keys).as_u64().unwrap() as usize
    }

    pub fn numbers(&self, keys: &[&str]) -> Vec<f64> {
        numbers(self.at(keys))
    }

    /// Keys of an object in order.
    pub fn keys(&self, keys: &[&str]) -> Vec<&str> {
        self.at(keys).as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// Streams of the weights and of the sampled positions.
    pub fn weights(&self) -> Streams {
        Streams::new(self.count(&["header", "seed"]) as u64)
    }

    /// Streams of the latents and pictures of the single pass and the gradients.
    pub fn draws(&self) -> Draws {
        self.draws_of(&["header"])
    }

    /// Those of a run of ten steps.
    pub fn draws_of(&self, keys: &[&str]) -> Draws {
        let seed = self.count(&[keys, &["draw_seed"]].concat()) as u64;
        Draws { streams: Streams::new(seed), batch: self.count(&["header", "batch"]) }
    }

    /// Parameters whose true gradient is zero, as `NETWORK/PATH`.
    pub fn silent(&self) -> Vec<&str> {
        self.at(&["zero_gradient"]).as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
    }
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// Where the entries of a tensor with n elements were taken: everywhere if it has not more than `count`.
pub fn positions(weights: &Streams, name: &str, n: usize, count: usize) -> Vec<usize> {
    if n <= count {
        return (0..n).collect();
    }
    let mut stream = weights.root(&format!("sample/{name}"));
    (0..count).map(|_| stream.bits() as usize % n).collect()
}

/// Latents and pictures as the golden script draws them: a whole batch from one stream.
pub struct Draws {
    streams: Streams,
    batch: usize,
}

impl Draws {
    /// Latents of a phase: z of 62 uniform numbers, c1 of ten categories, c2 and c3 of one uniform number each.
    pub fn latents(&self, step: u64, phase: usize) -> Draw {
        let address = Address { step: step as u32, phase: phase as u32, sample: 0 };
        let signed = |slot: &str, count: usize| -> Vec<f32> {
            let mut stream = self.streams.at(&format!("parity/{slot}"), address);
            (0..count).map(|_| 2.0 * stream.unit() - 1.0).collect()
        };
        let widths = vec![62, 10, 1, 1];
        let values = vec![
            signed("z", 62 * self.batch),
            vec![0.0; 10 * self.batch],
            signed("c2", self.batch),
            signed("c3", self.batch),
        ];
        let mut draw = Draw::from_values(widths, self.batch, values);
        let mut categories = self.streams.at("parity/c1", address);
        for sample in 0..self.batch {
            draw.set_category(1, sample, categories.below(10) as usize);
        }
        draw
    }

    /// Real pictures of a step, `[N, 1, 28, 28]` in row-major order, uniform in [0, 1).
    pub fn pictures(&self, step: u64) -> Vec<f32> {
        let mut stream = self.streams.at("parity/x", Address { step: step as u32, ..Address::default() });
        (0..self.batch * 784).map(|_| stream.unit()).collect()
    }

    /// Pictures in a batch.
    pub fn batch(&self) -> usize {
        self.batch
    }
}
