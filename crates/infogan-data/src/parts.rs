//! What may be known about the pictures of a set: labels and generating factors.

use crate::DataError;

/// The class of every picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// One class number for every picture.
    pub values: Vec<u16>,
    /// The name of every class; class numbers lie below its length.
    pub class_names: Vec<String>,
}

impl Labels {
    /// Whether there is one label a picture and every label has a name.
    pub(crate) fn check(&self, n: usize, set: &str) -> Result<(), DataError> {
        if self.values.len() != n {
            return Err(misfit(set, format!("{} labels for {n} pictures", self.values.len())));
        }
        let classes = self.class_names.len();
        match self.values.iter().find(|&&label| usize::from(label) >= classes) {
            Some(label) => Err(misfit(set, format!("label {label} is beyond its {classes} classes"))),
            None => Ok(()),
        }
    }
}

/// A known factor of variation: what generated the pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// The factor's name, such as `rotation`.
    pub name: String,
    /// Its value for every picture.
    pub values: FactorValues,
}

impl Factor {
    /// Whether there is one value a picture, in range.
    pub(crate) fn check(&self, n: usize, set: &str) -> Result<(), DataError> {
        if self.values.len() != n {
            let reason = format!("factor {} has {} values for {n} pictures", self.name, self.values.len());
            return Err(misfit(set, reason));
        }
        if let FactorValues::Categorical { names, values } = &self.values
            && let Some(value) = values.iter().find(|&&value| usize::from(value) >= names.len())
        {
            return Err(misfit(set, format!("factor {} has value {value} of {}", self.name, names.len())));
        }
        Ok(())
    }
}

/// The values of a factor, one for every picture.
#[derive(Clone, Debug, PartialEq)]
pub enum FactorValues {
    /// One of a few values without order.
    Categorical {
        /// What every value stands for, such as `no` and `yes`.
        names: Vec<String>,
        /// The value of every picture, below the number of names.
        values: Vec<u16>,
    },
    /// A number.
    Continuous(Vec<f32>),
}

impl FactorValues {
    /// Categories of these names.
    pub(crate) fn categorical(names: &[&str], values: Vec<u16>) -> Self {
        Self::Categorical { names: names.iter().map(|name| (*name).to_owned()).collect(), values }
    }

    /// The value of a picture as people read it.
    ///
    /// # Panics
    /// When `index` is not below [`FactorValues::len`], like indexing a slice.
    pub fn shown(&self, index: usize) -> String {
        match self {
            Self::Categorical { names, values } => names[usize::from(values[index])].clone(),
            Self::Continuous(values) => values[index].to_string(),
        }
    }

    /// Values with their counts, or a range.
    pub fn summary(&self) -> String {
        match self {
            Self::Categorical { names, values } => {
                let mut counts = vec![0_usize; names.len()];
                values.iter().for_each(|&value| counts[usize::from(value)] += 1);
                let shown: Vec<String> =
                    names.iter().zip(counts).map(|(name, count)| format!("{name} {count}")).collect();
                shown.join(", ")
            }
            Self::Continuous(values) => {
                let low = values.iter().copied().fold(f32::INFINITY, f32::min);
                let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                format!("numbers from {low} to {high}")
            }
        }
    }

    /// The number of pictures.
    pub fn len(&self) -> usize {
        match self {
            Self::Categorical { values, .. } => values.len(),
            Self::Continuous(values) => values.len(),
        }
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn select(&self, indices: &[u32]) -> Self {
        match self {
            Self::Categorical { names, values } => {
                Self::Categorical { names: names.clone(), values: gather(values, indices) }
            }
            Self::Continuous(values) => Self::Continuous(gather(values, indices)),
        }
    }

    pub(crate) fn truncate(&mut self, n: usize) {
        match self {
            Self::Categorical { values, .. } => values.truncate(n),
            Self::Continuous(values) => values.truncate(n),
        }
    }
}

/// The values at these places.
pub(crate) fn gather<T: Copy>(values: &[T], indices: &[u32]) -> Vec<T> {
    indices.iter().map(|&index| values[index as usize]).collect()
}

/// Parts that do not belong to each other.
pub(crate) fn misfit(set: &str, reason: String) -> DataError {
    DataError::invalid(
        format!("data set {set}"),
        reason,
        "put the set together from parts of the same pictures",
    )
}
