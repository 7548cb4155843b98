//! Which label each code stands for.

use std::collections::VecDeque;

use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres;
use serde::Serialize;

use super::Contingency;
use crate::{Error, Result};

/// How a matching was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchingKind {
    /// One-to-one, with the most pictures right.
    Hungarian,
    /// Many-to-one: each code stands for its commonest label.
    Majority,
}

/// Which label each code stands for. Learnt on one contingency table (labelled training pictures) by [`hungarian`] or
/// [`majority`], applied to another (test pictures) by [`accuracy`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matching {
    /// How it was learnt.
    pub kind: MatchingKind,
    /// The label of each code, k values; `None` stands for no label, and every picture with that code is an error.
    pub code_to_label: Vec<Option<usize>>,
}

/// The one-to-one matching with the most pictures right (Kuhn and Munkres).
///
/// With more codes than classes, k − classes codes are left with `None`; with fewer, some labels are left out. A code
/// that was never met may still get a label that is left over.
///
/// Of several best matchings, the one that comes first in dictionary order is taken: code 0 gets the lowest label it
/// has in any of them (`None` counts as higher than every label), then code 1 among those that remain, and so on.
pub fn hungarian(table: &Contingency) -> Matching {
    // Padding to a square with empty rows or columns lets every code and every label stay alone.
    let size = table.k().max(table.classes());
    // A count is at most the number of pictures, which were held in memory: it fits.
    let weights = Matrix::from_fn(size, size, |(code, label)| table.count(code, label) as i64);
    let (_, mut label_of) = kuhn_munkres(&weights);
    make_first_in_order(&weights, &mut label_of);
    label_of.truncate(table.k());
    Matching {
        kind: MatchingKind::Hungarian,
        code_to_label: label_of
            .into_iter()
            .map(|label| Some(label).filter(|&label| label < table.classes()))
            .collect(),
    }
}

/// The many-to-one matching: each code stands for the label it met most often, the lowest one of several. A code
/// that was never met has no label.
pub fn majority(table: &Contingency) -> Matching {
    let commonest = |code| {
        let mut best = None;
        let mut most = 0;
        for (label, &count) in table.row(code).iter().enumerate() {
            if count > most {
                (best, most) = (Some(label), count);
            }
        }
        best
    };
    Matching { kind: MatchingKind::Majority, code_to_label: (0..table.k()).map(commonest).collect() }
}

/// The share of pictures, in [0, 1], whose label is the one that the matching gives to their code.
///
/// # Errors
/// [`Error::MatchingDoesNotFit`] when the table has another number of codes, or fewer classes than the matching
/// speaks of.
pub fn accuracy(matching: &Matching, table: &Contingency) -> Result<f64> {
    Ok(right(matching, table)? as f64 / table.total() as f64)
}

/// The share of pictures that [`accuracy`] does not count: 1 − accuracy, with its errors.
pub fn error(matching: &Matching, table: &Contingency) -> Result<f64> {
    // Divided once, so that 1 in 10 is 0.1 and not 0.09999999999999998.
    Ok((table.total() - right(matching, table)?) as f64 / table.total() as f64)
}

/// Number of pictures whose label is the one that the matching gives to their code.
fn right(matching: &Matching, table: &Contingency) -> Result<u64> {
    let labels = &matching.code_to_label;
    let fits = |label: &usize| *label < table.classes();
    if labels.len() != table.k() || !labels.iter().flatten().all(fits) {
        return Err(Error::MatchingDoesNotFit {
            matching: labels.len(),
            k: table.k(),
            classes: table.classes(),
        });
    }
    Ok(labels
        .iter()
        .enumerate()
        .filter_map(|(code, label)| label.map(|label| table.count(code, label)))
        .sum())
}

/// Turns a best assignment into the first best assignment in dictionary order.
///
/// A best assignment has prices for rows and columns with price(row) − weight(row, column) ≥ price(column), equal on
/// its own pairs. Every best assignment uses only pairs where both sides are equal ("tight"), and every assignment
/// made of tight pairs is best. So each row in turn takes its lowest tight column, if the rows after it can be
/// seated again along tight pairs.
fn make_first_in_order(weights: &Matrix<i64>, column_of: &mut [usize]) {
    let size = column_of.len();
    let (row_price, column_price) = prices(weights, column_of);
    let tight = |row: usize, column: usize| row_price[row] - weights[(row, column)] == column_price[column];
    let mut owner = vec![0; size];
    for (row, &column) in column_of.iter().enumerate() {
        owner[column] = row;
    }
    for row in 0..size {
        let freed = column_of[row];
        // Which later rows can move so that, one after the other, they end up filling the freed column.
        let mut moves_to = vec![None; size];
        let mut queue = VecDeque::from([freed]);
        while let Some(column) = queue.pop_front() {
            for later in row + 1..size {
                if moves_to[later].is_none() && tight(later, column) {
                    moves_to[later] = Some(column);
                    queue.push_back(column_of[later]);
                }
            }
        }
        let better = (0..freed).find(|&column| tight(row, column) && moves_to[owner[column]].is_some());
        let mut next = better.map(|column| (row, column));
        while let Some((taker, column)) = next {
            let displaced = owner[column];
            column_of[taker] = column;
            owner[column] = taker;
            next = moves_to[displaced].filter(|_| column != freed).map(|target| (displaced, target));
        }
    }
}

/// Prices of rows and columns that prove a best assignment best: shortest paths over "row a takes the column of row
/// b", whose length is what a loses. No cycle is negative, or the assignment would not be best; so the rounds end.
fn prices(weights: &Matrix<i64>, column_of: &[usize]) -> (Vec<i64>, Vec<i64>) {
    let size = column_of.len();
    let own = |row: usize| weights[(row, column_of[row])];
    let mut distance = vec![0; size];
    for _ in 0..size {
        let mut settled = true;
        for row in 0..size {
            for other in 0..size {
                let through = distance[row] + own(row) - weights[(row, column_of[other])];
                if through < distance[other] {
                    distance[other] = through;
                    settled = false;
                }
            }
        }
        if settled {
            break;
        }
    }
    let row_price = (0..size).map(|row| distance[row] + own(row)).collect();
    let mut column_price = vec![0; size];
    for (row, &column) in column_of.iter().enumerate() {
        column_price[column] = distance[row];
    }
    (row_price, column_price)
}

#[cfg(test)]
mod tests {
    use super::super::contingency;
    use super::*;

    fn table(counts: &[&[usize]]) -> Contingency {
        let mut codes = Vec::new();
        let mut labels = Vec::new();
        for (code, row) in counts.iter().enumerate() {
            for (label, &count) in row.iter().enumerate() {
                codes.extend(std::iter::repeat_n(code, count));
                labels.extend(std::iter::repeat_n(label, count));
            }
        }
        contingency(&codes, &labels, counts.len(), counts[0].len()).unwrap()
    }

    /// Greedy would give label 0 to code 0 (9 right) and leave 1 for code 1: 10. The best is 8 + 8.
    #[test]
    fn hungarian_is_not_greedy() {
        let table = table(&[&[9, 8], &[8, 1]]);
        let matching = hungarian(&table);
        assert_eq!(matching.code_to_label, [Some(1), Some(0)]);
        assert_eq!(accuracy(&matching, &table), Ok(16.0 / 26.0));
        assert_eq!(error(&matching, &table), Ok(10.0 / 26.0));
    }

    #[test]
    fn majority_maps_many_to_one_and_leaves_unused_codes_out() {
        let train = table(&[&[4, 4, 1], &[0, 0, 0], &[3, 1, 2], &[0, 0, 5]]);
        let matching = majority(&train);
        assert_eq!(matching.code_to_label, [Some(0), None, Some(0), Some(2)]);
        assert_eq!(accuracy(&matching, &train), Ok(12.0 / 20.0));
        // All three test pictures of the code that training never met are errors.
        let test = table(&[&[1, 0, 0], &[1, 1, 1], &[0, 0, 0], &[0, 0, 0]]);
        assert_eq!(accuracy(&matching, &test), Ok(0.25));
    }

    #[test]
    fn hungarian_takes_more_codes_or_more_classes() {
        let more_codes = hungarian(&table(&[&[1, 5], &[6, 5], &[0, 9]]));
        assert_eq!(more_codes.code_to_label, [None, Some(0), Some(1)]);
        let more_classes = hungarian(&table(&[&[1, 2, 7], &[1, 3, 9]]));
        assert_eq!(more_classes.code_to_label, [Some(1), Some(2)]);
    }

    #[test]
    fn ties_go_to_the_first_in_dictionary_order() {
        let all_alike = hungarian(&table(&[&[1; 4], &[1; 4], &[1; 4], &[1; 4]]));
        assert_eq!(all_alike.code_to_label, [Some(0), Some(1), Some(2), Some(3)]);
        let padded = hungarian(&table(&[&[2, 2], &[2, 2], &[2, 2]]));
        assert_eq!(padded.code_to_label, [Some(0), Some(1), None]);
    }

    #[test]
    fn a_matching_of_another_shape_is_refused() {
        let two = table(&[&[1, 0], &[0, 1]]);
        let three = table(&[&[1, 0, 0], &[0, 1, 0], &[0, 0, 1]]);
        let wide = table(&[&[0, 0, 1], &[0, 1, 0]]);
        assert!(matches!(
            accuracy(&hungarian(&three), &two),
            Err(Error::MatchingDoesNotFit { matching: 3, k: 2, classes: 2 })
        ));
        assert!(accuracy(&majority(&wide), &two).is_err());
        assert!(error(&majority(&two), &three).is_err());
    }
}
