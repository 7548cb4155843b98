//! A covering array: rows of values such that every wanted combination of values is in at least one row. Greedy and
//! without chance, so the same table comes out everywhere.

use std::collections::BTreeSet;

/// A combination: factors with one value each, sorted by factor.
pub type Combination = Vec<(usize, usize)>;

/// All combinations of the given factors' values.
pub fn combinations(levels: &[usize], factors: &[usize]) -> Vec<Combination> {
    let mut all = vec![Vec::new()];
    for &factor in factors {
        all = (all.into_iter())
            .flat_map(|before: Combination| {
                (0..levels[factor]).map(move |value| {
                    let mut next = before.clone();
                    next.push((factor, value));
                    next
                })
            })
            .collect();
    }
    all
}

/// All pairs of values of different factors.
pub fn pairs(levels: &[usize]) -> Vec<Combination> {
    let factors = 0..levels.len();
    factors
        .flat_map(|first| (first + 1..levels.len()).map(move |second| [first, second]))
        .flat_map(|factors| combinations(levels, &factors))
        .collect()
}

/// Whether a row has all values of a combination.
pub fn holds(row: &[usize], combination: &Combination) -> bool {
    combination.iter().all(|&(factor, value)| row[factor] == value)
}

/// Rows that hold every wanted combination. `allowed` tells whether the values chosen so far may stand in one row;
/// a combination that is not allowed is not covered.
///
/// Each row begins with the first combination that no row holds yet, then takes factor by factor the value that
/// adds most of those still missing (the first of equals).
pub fn cover(
    levels: &[usize],
    wanted: &[Combination],
    allowed: &dyn Fn(&[Option<usize>]) -> bool,
) -> Vec<Vec<usize>> {
    let mut missing: BTreeSet<Combination> = (wanted.iter())
        .filter(|combination| {
            let mut row = vec![None; levels.len()];
            combination.iter().for_each(|&(factor, value)| row[factor] = Some(value));
            allowed(&row)
        })
        .cloned()
        .collect();
    let mut rows = Vec::new();
    while let Some(first) = missing.first() {
        let mut row = vec![None; levels.len()];
        first.iter().for_each(|&(factor, value)| row[factor] = Some(value));
        for factor in 0..levels.len() {
            if row[factor].is_some() {
                continue;
            }
            // Shifted by the row's number, so that equals do not always go to the first value.
            let best = (0..levels[factor])
                .map(|value| (value + rows.len()) % levels[factor])
                .filter_map(|value| {
                    row[factor] = Some(value);
                    let gain = allowed(&row).then(|| gain(&row, factor, &missing));
                    row[factor] = None;
                    gain.map(|gain| (gain, value))
                })
                // The first of the best: `max_by_key` would take the last.
                .reduce(|best, next| if next.0 > best.0 { next } else { best });
            row[factor] = best.map(|(_, value)| value);
        }
        let row: Vec<usize> =
            row.into_iter().map(|value| value.expect("some value of every factor is allowed")).collect();
        missing.retain(|combination| !holds(&row, combination));
        rows.push(row);
    }
    rows
}

/// Missing combinations that a row's newly chosen value completes, and a smaller sum for those it brings nearer.
fn gain(row: &[Option<usize>], factor: usize, missing: &BTreeSet<Combination>) -> usize {
    let weigh = |combination: &Combination| {
        if !combination.iter().any(|&(at, value)| at == factor && row[at] == Some(value)) {
            return 0;
        }
        let fits = combination.iter().all(|&(at, value)| row[at].is_none_or(|chosen| chosen == value));
        let open = combination.iter().filter(|(at, _)| row[*at].is_none()).count();
        match (fits, open) {
            (false, _) => 0,
            (true, 0) => 100,
            (true, _) => 1,
        }
    };
    missing.iter().map(weigh).sum()
}
