//! What can be wrong with the input of a score.

/// Result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a score cannot be computed. Each message names the input, the reason and the remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing was given.
    #[error("{name}: nothing to score; give at least one")]
    Empty {
        /// The input.
        name: String,
    },
    /// Two lists that describe the same pictures are not equally long.
    #[error(
        "{first} has {first_len} values and {second} has {second_len}; give one value per picture in both"
    )]
    LengthsDiffer {
        /// One input.
        first: String,
        /// Its length.
        first_len: usize,
        /// The other input.
        second: String,
        /// Its length.
        second_len: usize,
    },
    /// A category is not below the stated number of categories.
    #[error(
        "{name}: value {value} at position {index} is not below the number of categories, {count}; \
         count from 0 or raise the number of categories"
    )]
    CategoryOutOfRange {
        /// The input.
        name: String,
        /// Position of the first offender.
        index: usize,
        /// Its value.
        value: usize,
        /// The number of categories stated.
        count: usize,
    },
    /// A contingency table would be too large to be meant.
    #[error("{name}: {count} categories are more than a contingency table takes; at most {limit}")]
    TooManyCategories {
        /// The input.
        name: String,
        /// The number of categories stated.
        count: usize,
        /// The most that is accepted.
        limit: usize,
    },
    /// A real value is infinite or not a number.
    #[error("{name}: value {value} at position {index} is not finite; leave such pictures out or look why")]
    NotFinite {
        /// The input.
        name: String,
        /// Position of the first offender.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A single number lies outside its domain.
    #[error("{name} is {value}; it must be {expected}")]
    OutOfDomain {
        /// The argument.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is accepted, in words.
        expected: &'static str,
    },
    /// A matching was learnt on a table of another shape than the one it is applied to.
    #[error(
        "the matching knows {matching} codes and the contingency table has {k} codes and {classes} classes; \
         learn it with the same codes and classes"
    )]
    MatchingDoesNotFit {
        /// Number of codes in the matching.
        matching: usize,
        /// Number of codes in the table.
        k: usize,
        /// Number of classes in the table.
        classes: usize,
    },
    /// A vote cannot be counted.
    #[error("{name}: vote {index} cannot be counted: {reason}")]
    VoteUnsound {
        /// The input.
        name: String,
        /// Position of the first offender.
        index: usize,
        /// What is wrong, and the remedy.
        reason: String,
    },
}
