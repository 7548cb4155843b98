//! A set of pictures in memory, one byte a value, with labels and known factors.

use sha2::{Digest, Sha256};

use crate::parts::{gather, misfit};
use crate::{DataError, Factor, Labels};

/// Which half of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// The pictures to train on.
    Train,
    /// The pictures held out for scoring.
    Test,
}

impl Split {
    /// `"train"` or `"test"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

/// The range of a network's pixels, to which bytes 0..=255 are mapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// [0, 1]: value / 255.
    #[default]
    Unit,
    /// [-1, 1]: value / 127.5 - 1.
    Symmetric,
}

impl Scale {
    /// One byte in this range.
    pub fn apply(self, value: u8) -> f32 {
        match self {
            Self::Unit => f32::from(value) / 255.0,
            Self::Symmetric => f32::from(value) / 127.5 - 1.0,
        }
    }

    /// The byte of a value: clamped to the range, then rounded to the nearest of 0..=255. NaN is black.
    pub fn byte(self, value: f32) -> u8 {
        let unit = match self {
            Self::Unit => value,
            Self::Symmetric => (value + 1.0) / 2.0,
        };
        (unit.clamp(0.0, 1.0) * 255.0).round() as u8
    }
}

/// Pictures `u8 [n, channels, height, width]` in one buffer, with labels and factors where they are known.
/// The parts always fit each other; the content hash always fits the content.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageSet {
    name: String,
    shape: [usize; 3],
    pictures: Vec<u8>,
    labels: Option<Labels>,
    factors: Vec<Factor>,
    content_hash: String,
}

impl ImageSet {
    /// Puts a set together. `pictures` is `[n, channels, height, width]`, row-major; n follows from its length.
    ///
    /// # Errors
    /// When a side of `shape` is zero, the length of `pictures` is no multiple of one picture, or labels or
    /// factors are not one a picture and in range.
    pub fn new(
        name: impl Into<String>,
        shape: [usize; 3],
        pictures: Vec<u8>,
        labels: Option<Labels>,
        factors: Vec<Factor>,
    ) -> Result<Self, DataError> {
        let name = name.into();
        let volume = shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side));
        let Some(volume) = volume.filter(|&volume| volume > 0) else {
            return Err(misfit(&name, format!("its shape {shape:?} is empty or too large")));
        };
        if !pictures.len().is_multiple_of(volume) {
            let reason = format!("{} bytes are no whole number of pictures {shape:?}", pictures.len());
            return Err(misfit(&name, reason));
        }
        let n = pictures.len() / volume;
        if let Some(labels) = &labels {
            labels.check(n, &name)?;
        }
        for factor in &factors {
            factor.check(n, &name)?;
        }
        let content_hash = content_hash(n, shape, &pictures, labels.as_ref());
        Ok(Self { name, shape, pictures, labels, factors, content_hash })
    }

    /// The number of pictures.
    pub fn len(&self) -> usize {
        self.pictures.len() / self.volume()
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    /// The name of the set, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `[channels, height, width]` of every picture.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// All pictures, `[n, channels, height, width]`.
    pub fn pictures(&self) -> &[u8] {
        &self.pictures
    }

    /// One picture, `[channels, height, width]`.
    ///
    /// # Panics
    /// When `index` is not below [`ImageSet::len`], like indexing a slice.
    pub fn picture(&self, index: usize) -> &[u8] {
        let volume = self.volume();
        &self.pictures[index * volume..(index + 1) * volume]
    }

    /// The class of every picture, where known.
    pub fn labels(&self) -> Option<&[u16]> {
        self.labels.as_ref().map(|labels| labels.values.as_slice())
    }

    /// The names of the classes; empty where there are no labels.
    pub fn class_names(&self) -> &[String] {
        self.labels.as_ref().map_or(&[], |labels| labels.class_names.as_slice())
    }

    /// The known generating factors; empty where there are none.
    pub fn factors(&self) -> &[Factor] {
        &self.factors
    }

    /// SHA-256, in hexadecimal, over shape, pictures and labels: the same content is the same data wherever
    /// it lies and whatever it is called. Factors are not hashed.
    pub fn content_hash(&self) -> &str {
        &self.content_hash
    }

    /// The first `n` pictures, or all where there are fewer.
    pub fn take(mut self, n: usize) -> Self {
        if n >= self.len() {
            return self;
        }
        let volume = self.volume();
        self.pictures.truncate(n * volume);
        self.pictures.shrink_to_fit();
        if let Some(labels) = &mut self.labels {
            labels.values.truncate(n);
        }
        for factor in &mut self.factors {
            factor.values.truncate(n);
        }
        self.content_hash = content_hash(n, self.shape, &self.pictures, self.labels.as_ref());
        self
    }

    /// The pictures with these numbers, in this order; numbers may repeat.
    ///
    /// # Panics
    /// When an index is not below [`ImageSet::len`], like indexing a slice.
    pub fn subset(&self, indices: &[u32]) -> Self {
        let mut pictures = Vec::with_capacity(indices.len() * self.volume());
        for &index in indices {
            pictures.extend_from_slice(self.picture(index as usize));
        }
        let labels = self.labels.as_ref().map(|labels| Labels {
            values: gather(&labels.values, indices),
            class_names: labels.class_names.clone(),
        });
        let select =
            |factor: &Factor| Factor { name: factor.name.clone(), values: factor.values.select(indices) };
        let factors = self.factors.iter().map(select).collect();
        let content_hash = content_hash(indices.len(), self.shape, &pictures, labels.as_ref());
        Self { name: self.name.clone(), shape: self.shape, pictures, labels, factors, content_hash }
    }

    /// Fills `out` with the pictures of these numbers, `f32 [indices, channels, height, width]`. What `out`
    /// held is dropped; its memory is reused.
    ///
    /// # Panics
    /// When an index is not below [`ImageSet::len`], like indexing a slice.
    pub fn fill_batch(&self, indices: &[u32], scale: Scale, out: &mut Vec<f32>) {
        out.clear();
        out.reserve(indices.len() * self.volume());
        let table: [f32; 256] = std::array::from_fn(|value| scale.apply(value as u8));
        for &index in indices {
            out.extend(self.picture(index as usize).iter().map(|&value| table[usize::from(value)]));
        }
    }

    /// The same set under another name. The name is for people: it is not part of the content hash.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same set with other names for its classes, such as [`crate::idx::FASHION_CLASSES`]. Where there are
    /// no labels, nothing changes. Names are not part of the content hash.
    ///
    /// # Errors
    /// When a label lies beyond the names.
    pub fn with_class_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, DataError> {
        if let Some(labels) = &mut self.labels {
            labels.class_names = names.into_iter().map(Into::into).collect();
            labels.check(labels.values.len(), &self.name)?;
        }
        Ok(self)
    }

    fn volume(&self) -> usize {
        self.shape.iter().product()
    }
}

/// SHA-256 over n, channels, height, width (u64, little-endian), the pictures, then, where there are labels,
/// one u16 (little-endian) for each.
fn content_hash(n: usize, shape: [usize; 3], pictures: &[u8], labels: Option<&Labels>) -> String {
    let mut hasher = Sha256::new();
    for side in [n, shape[0], shape[1], shape[2]] {
        hasher.update((side as u64).to_le_bytes());
    }
    hasher.update(pictures);
    if let Some(labels) = labels {
        let bytes: Vec<u8> = labels.values.iter().flat_map(|label| label.to_le_bytes()).collect();
        hasher.update(bytes);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FactorValues;

    fn small() -> ImageSet {
        let labels = Labels { values: vec![1, 0, 1], class_names: vec!["a".into(), "b".into()] };
        let factors = vec![
            Factor { name: "angle".into(), values: FactorValues::Continuous(vec![0.5, 1.5, 2.5]) },
            Factor {
                name: "kind".into(),
                values: FactorValues::categorical(&["a", "b", "c"], vec![2, 0, 1]),
            },
        ];
        ImageSet::new("small", [1, 1, 2], vec![0, 255, 51, 102, 1, 2], Some(labels), factors).unwrap()
    }

    #[test]
    fn batches_are_scaled_and_ordered() {
        let set = small();
        let mut out = vec![9.0; 50];
        set.fill_batch(&[1, 0, 1], Scale::Unit, &mut out);
        assert_eq!(out, [0.2, 0.4, 0.0, 1.0, 0.2, 0.4]);
        set.fill_batch(&[0], Scale::Symmetric, &mut out);
        assert_eq!(out, [-1.0, 1.0]);
        set.fill_batch(&[], Scale::Unit, &mut out);
        assert!(out.is_empty());
    }

    #[test]
    fn take_and_subset_carry_everything() {
        let set = small();
        let two = set.clone().take(2);
        assert_eq!(two, set.subset(&[0, 1]));
        assert_eq!(two.len(), 2);
        assert_eq!(set.clone().take(9), set);
        let turned = set.subset(&[2, 0]);
        assert_eq!(turned.pictures(), [1, 2, 0, 255]);
        assert_eq!(turned.labels(), Some(&[1, 1][..]));
        assert_eq!(turned.factors()[0].values, FactorValues::Continuous(vec![2.5, 0.5]));
        let kind = FactorValues::categorical(&["a", "b", "c"], vec![1, 2]);
        assert_eq!(turned.factors()[1].values, kind);
    }

    /// The hash is written down: it names runs, so it must never change by accident.
    /// `python3 -c "import hashlib,struct as s; print(hashlib.sha256(s.pack('<4Q',3,1,1,2)+bytes([0,255,51,102,1,2])+s.pack('<3H',1,0,1)).hexdigest())"`
    #[test]
    fn the_hash_is_of_the_content() {
        let set = small();
        assert_eq!(set.content_hash(), "aa3a4640716a89db4347308aef2dd0dff02b75984a2e518024dc630cc602416a");
        let labels = set.labels.clone();
        let renamed = ImageSet::new("other", [1, 1, 2], set.pictures.clone(), labels, vec![]).unwrap();
        assert_eq!(renamed.content_hash(), set.content_hash());
        let reshaped = ImageSet::new("small", [1, 2, 1], set.pictures.clone(), None, vec![]).unwrap();
        let unlabelled = ImageSet::new("small", [1, 1, 2], set.pictures.clone(), None, vec![]).unwrap();
        assert_ne!(unlabelled.content_hash(), set.content_hash());
        assert_ne!(unlabelled.content_hash(), reshaped.content_hash());
        assert_ne!(set.clone().take(2).content_hash(), set.content_hash());
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let names = || vec!["a".to_string()];
        let labels = |values: Vec<u16>| Some(Labels { values, class_names: names() });
        let continuous = |values| vec![Factor { name: "f".into(), values: FactorValues::Continuous(values) }];
        let categorical =
            vec![Factor { name: "f".into(), values: FactorValues::categorical(&["a"], vec![1]) }];
        let shape = [1, 1, 2];
        for (result, reason) in [
            (ImageSet::new("x", [0, 1, 2], vec![], None, vec![]), "empty or too large"),
            (ImageSet::new("x", [usize::MAX, 2, 2], vec![], None, vec![]), "empty or too large"),
            (ImageSet::new("x", shape, vec![0; 3], None, vec![]), "whole number"),
            (ImageSet::new("x", shape, vec![0; 2], labels(vec![]), vec![]), "0 labels for 1"),
            (ImageSet::new("x", shape, vec![0; 2], labels(vec![1]), vec![]), "label 1"),
            (ImageSet::new("x", shape, vec![0; 2], None, continuous(vec![])), "factor f"),
            (ImageSet::new("x", shape, vec![0; 2], None, categorical), "value 1 of 1"),
        ] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }

    #[test]
    fn names_can_be_changed_and_are_not_content() {
        let set = small();
        let named = set.clone().with_name("other").with_class_names(["no", "yes", "perhaps"]).unwrap();
        assert_eq!((named.name(), named.class_names()[1].as_str()), ("other", "yes"));
        assert_eq!(named.content_hash(), set.content_hash());
        assert!(set.with_class_names(["only"]).unwrap_err().to_string().contains("label 1"));
    }
}
