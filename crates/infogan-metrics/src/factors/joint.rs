//! Counts of pairs of categories, for any number of categories.

use std::collections::BTreeMap;

use crate::numeric::{self, Cell};

/// Which pairs of categories occur and how often. Categories that never occur leave no trace. Ordered maps: sums
/// always run in the same order.
pub(super) struct Joint {
    cells: BTreeMap<(usize, usize), u64>,
    rows: BTreeMap<usize, u64>,
    columns: BTreeMap<usize, u64>,
    total: u64,
}

impl Joint {
    /// Counts the pairs of two equally long lists that are not empty.
    pub(super) fn new(first: &[usize], second: &[usize]) -> Self {
        let mut joint = Self {
            cells: BTreeMap::new(),
            rows: BTreeMap::new(),
            columns: BTreeMap::new(),
            total: first.len() as u64,
        };
        for (&row, &column) in first.iter().zip(second) {
            *joint.cells.entry((row, column)).or_default() += 1;
            *joint.rows.entry(row).or_default() += 1;
            *joint.columns.entry(column).or_default() += 1;
        }
        joint
    }

    fn cells(&self) -> impl Iterator<Item = Cell> + '_ {
        self.cells.iter().map(|((row, column), &count)| Cell {
            count,
            row: self.rows[row],
            column: self.columns[column],
        })
    }

    /// Plug-in entropy in nats of one list, exactly 0 for a constant.
    pub(super) fn entropy(values: &[usize]) -> f64 {
        let alone = Self::new(values, values);
        numeric::entropy(alone.rows.values().copied(), alone.total)
    }

    /// Plug-in mutual information in nats.
    pub(super) fn mutual_information(&self) -> f64 {
        numeric::mutual_information(self.cells(), self.total)
    }

    /// Cramér's V without bias correction; 0 when one side is constant.
    pub(super) fn cramers_v(&self) -> f64 {
        let freedom = self.rows.len().min(self.columns.len()) - 1;
        if freedom == 0 {
            return 0.0;
        }
        let total = self.total as f64;
        let expected = |cell: Cell| cell.row as f64 * cell.column as f64 / total;
        let met = numeric::sum(self.cells().map(|cell| {
            let expected = expected(cell);
            let excess = cell.count as f64 - expected;
            excess * excess / expected
        }));
        // An empty cell adds (0 − e)²/e = e, and all e together are N.
        let unmet = if self.cells.len() == self.rows.len() * self.columns.len() {
            0.0
        } else {
            (total - numeric::sum(self.cells().map(expected))).max(0.0)
        };
        ((met + unmet) / total / freedom as f64).sqrt().min(1.0)
    }
}
