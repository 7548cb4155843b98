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
        if let FactorValues::Categorical { count, values } = &self.values
            && let Some(value) = values.iter().find(|&value| value >= count)
        {
            return Err(misfit(set, format!("factor {} has value {value} of {count}", self.name)));
        }
        Ok(())
    }
}

/// The values of a factor, one for every picture.
#[derive(Clone, Debug, PartialEq)]
pub enum FactorValues {
    /// One of `count` values without order.
    Categorical {
        /// How many values there are.
        count: u16,
        /// The value of every picture, below `count`.
        values: Vec<u16>,
    },
    /// A number.
    Continuous(Vec<f32>),
}

impl FactorValues {
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
            Self::Categorical { count, values } => {
                Self::Categorical { count: *count, values: gather(values, indices) }
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
