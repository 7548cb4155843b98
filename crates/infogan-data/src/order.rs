//! The seeded order in which pictures are shown.
//!
//! Each epoch is a permutation of all pictures. The epochs, one after the other, are one endless line, and
//! the line is cut into batches: a batch may span two epochs, so no picture is ever dropped, and which
//! pictures make a batch depends on the seed and the batch's number alone.

use crate::DataError;
use crate::random::{Address, Streams};

/// Gives the picture numbers of any batch. Holds no state but a cache of one epoch's permutation.
#[derive(Clone, Debug)]
pub struct Sampler {
    n: usize,
    batch: usize,
    streams: Streams,
    cached: Option<(u64, Vec<u32>)>,
}

impl Sampler {
    /// A sampler of batches of `batch` out of `n` pictures, drawn from the purpose `order` of `streams`.
    ///
    /// # Errors
    /// When there is no picture, the batch is empty, or there are 2³² pictures or more.
    pub fn new(n: usize, batch: usize, streams: Streams) -> Result<Self, DataError> {
        let refuse = |reason, remedy| Err(DataError::invalid("order of pictures", reason, remedy));
        if n == 0 {
            return refuse("the data set has no pictures".to_string(), "give a set with at least one");
        }
        if batch == 0 {
            return refuse("the batch size is 0".to_string(), "give a batch of at least one picture");
        }
        if u32::try_from(n).is_err() {
            return refuse(format!("{n} pictures are too many"), "give a set of fewer than 2^32");
        }
        Ok(Self { n, batch, streams, cached: None })
    }

    /// The number of pictures drawn from.
    pub fn pictures(&self) -> usize {
        self.n
    }

    /// The number of pictures in every batch.
    pub fn batch_size(&self) -> usize {
        self.batch
    }

    /// The picture numbers of the `index`-th batch ever drawn, counted from 0.
    pub fn batch(&mut self, index: u64) -> Vec<u32> {
        // 128 bits: any batch number times any batch size.
        let start = u128::from(index) * self.batch as u128;
        let mut epoch = (start / self.n as u128) as u64;
        let mut place = (start % self.n as u128) as usize;
        let mut indices = Vec::with_capacity(self.batch);
        while indices.len() < self.batch {
            let end = self.n.min(place + self.batch - indices.len());
            let order = self.epoch(epoch);
            indices.extend_from_slice(&order[place..end]);
            epoch = epoch.wrapping_add(1);
            place = 0;
        }
        indices
    }

    fn epoch(&mut self, epoch: u64) -> &[u32] {
        if self.cached.as_ref().is_none_or(|(cached, _)| *cached != epoch) {
            let address = Address { step: epoch as u32, phase: (epoch >> 32) as u32, ..Address::default() };
            let order = self.streams.at("order", address).permutation(self.n);
            self.cached = Some((epoch, order));
        }
        self.cached.as_ref().map_or(&[], |(_, order)| order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sampler(n: usize, batch: usize, seed: u64) -> Sampler {
        Sampler::new(n, batch, Streams::new(seed)).unwrap()
    }

    proptest! {
        #[test]
        fn any_batch_can_be_had_alone(n in 1_usize..40, batch in 1_usize..60, seed: u64, index in 0_u64..30) {
            let mut walked = sampler(n, batch, seed);
            let sequence: Vec<_> = (0..=index).map(|index| walked.batch(index)).collect();
            let mut jumped = sampler(n, batch, seed);
            jumped.batch(index + 7);
            prop_assert_eq!(jumped.batch(index), sequence[index as usize].clone());
            prop_assert_eq!(sampler(n, batch, seed).batch(index), sequence[index as usize].clone());
        }

        #[test]
        fn each_epoch_holds_each_picture_once(n in 1_usize..40, batch in 1_usize..60, seed: u64) {
            let mut sampler = sampler(n, batch, seed);
            let batches = (4 * n).div_ceil(batch) as u64;
            let line: Vec<u32> = (0..batches).flat_map(|index| sampler.batch(index)).collect();
            prop_assert_eq!(line.len(), batches as usize * batch);
            for epoch in line.chunks_exact(n) {
                let mut epoch = epoch.to_vec();
                epoch.sort_unstable();
                prop_assert!(epoch.iter().enumerate().all(|(index, &value)| index == value as usize));
            }
        }

        /// The line does not depend on how it is cut.
        #[test]
        fn batch_size_does_not_change_the_line(n in 1_usize..40, seed: u64) {
            let mut small = sampler(n, 3, seed);
            let mut large = sampler(n, 12, seed);
            let line: Vec<u32> = (0..8).flat_map(|index| small.batch(index)).collect();
            prop_assert_eq!(line, [large.batch(0), large.batch(1)].concat());
        }
    }

    #[test]
    fn epochs_and_seeds_differ() {
        let mut first = sampler(100, 100, 1);
        assert_ne!(first.batch(0), first.batch(1));
        assert_ne!(first.batch(0), first.batch(1 << 32));
        assert_ne!(first.batch(0), sampler(100, 100, 2).batch(0));
        assert_eq!(first.batch(u64::MAX).len(), 100);
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        let streams = Streams::new(0);
        assert!(Sampler::new(0, 4, streams).unwrap_err().to_string().contains("no pictures"));
        assert!(Sampler::new(4, 0, streams).unwrap_err().to_string().contains("batch size is 0"));
    }
}
