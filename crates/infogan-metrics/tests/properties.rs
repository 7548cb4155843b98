//! Properties that hold for all codes, labels and factors.

use infogan_metrics::clustering::{
    Contingency, accuracy, ari, contingency, error, hungarian, majority, mutual_information, nmi,
};
use infogan_metrics::factors::{self, Variable, association, pearson};
use proptest::prelude::*;

/// Pictures with codes in 0..k and labels in 0..classes.
fn pictures() -> impl Strategy<Value = (Vec<usize>, Vec<usize>, usize, usize)> {
    (1..6_usize, 1..6_usize, 1..60_usize).prop_flat_map(|(k, classes, n)| {
        let codes = prop::collection::vec(0..k, n);
        let labels = prop::collection::vec(0..classes, n);
        (codes, labels, Just(k), Just(classes))
    })
}

/// Two lists of reals of one length. Small whole numbers are frequent, so that ties and constants occur.
fn reals() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let real = || prop_oneof![-1e3..1e3, (-2..3_i32).prop_map(f64::from)];
    (1..40_usize).prop_flat_map(move |n| {
        let list = || prop::collection::vec(real(), n);
        (list(), list())
    })
}

/// All orders of 0..n, in dictionary order.
fn orders(n: usize) -> Vec<Vec<usize>> {
    fn extend(prefix: &mut Vec<usize>, n: usize, all: &mut Vec<Vec<usize>>) {
        if prefix.len() == n {
            all.push(prefix.clone());
        }
        for next in 0..n {
            if !prefix.contains(&next) {
                prefix.push(next);
                extend(prefix, n, all);
                prefix.pop();
            }
        }
    }
    let mut all = Vec::new();
    extend(&mut Vec::new(), n, &mut all);
    all
}

/// The matching by looking at all of them: the first with the most pictures right.
fn hungarian_by_search(table: &Contingency) -> Vec<Option<usize>> {
    let size = table.k().max(table.classes());
    let right = |order: &Vec<usize>| -> u64 { (0..size).map(|code| table.count(code, order[code])).sum() };
    let all = orders(size);
    let most = all.iter().map(right).max().unwrap();
    let first = all.iter().find(|order| right(order) == most).unwrap();
    first[..table.k()].iter().map(|&label| Some(label).filter(|&label| label < table.classes())).collect()
}

fn near(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-12
}

proptest! {
    #[test]
    fn hungarian_is_the_first_best_of_all(case in pictures()) {
        let table = contingency(&case.0, &case.1, case.2, case.3).unwrap();
        prop_assert_eq!(hungarian(&table).code_to_label, hungarian_by_search(&table));
    }

    #[test]
    fn majority_is_never_worse_where_it_was_learnt(case in pictures()) {
        let table = contingency(&case.0, &case.1, case.2, case.3).unwrap();
        let by_majority = accuracy(&majority(&table), &table).unwrap();
        let one_to_one = accuracy(&hungarian(&table), &table).unwrap();
        prop_assert!(one_to_one <= by_majority && by_majority <= 1.0);
        // Giving every code the commonest label is one of the many-to-one matchings.
        let commonest = *table.by_label().iter().max().unwrap() as f64 / table.total() as f64;
        prop_assert!(by_majority >= commonest);
        prop_assert!(near(error(&majority(&table), &table).unwrap(), 1.0 - by_majority));
    }

    #[test]
    fn names_of_codes_and_order_of_pictures_do_not_matter(
        case in pictures(), turn in 0..60_usize, seed in 0..120_usize,
    ) {
        let (codes, labels, k, classes) = case;
        let before = contingency(&codes, &labels, k, classes).unwrap();
        let names = orders(k);
        let names = &names[seed % names.len()];
        let mut renamed: Vec<usize> = codes.iter().map(|&code| names[code]).collect();
        let mut turned = labels.clone();
        renamed.rotate_left(turn % codes.len());
        turned.rotate_left(turn % codes.len());
        let after = contingency(&renamed, &turned, k, classes).unwrap();
        prop_assert!(near(nmi(&before), nmi(&after)));
        prop_assert_eq!(ari(&before), ari(&after));
        prop_assert!(near(before.code_entropy(), after.code_entropy()));
        for learn in [hungarian, majority] {
            let own = |table| accuracy(&learn(table), table).unwrap();
            prop_assert_eq!(own(&before), own(&after));
        }
    }

    #[test]
    fn scores_are_symmetric_and_bounded(case in pictures()) {
        let (codes, labels, k, classes) = case;
        let one = contingency(&codes, &labels, k, classes).unwrap();
        let other = contingency(&labels, &codes, classes, k).unwrap();
        prop_assert!(near(nmi(&one), nmi(&other)) && (0.0..=1.0).contains(&nmi(&one)));
        prop_assert_eq!(ari(&one), ari(&other));
        prop_assert!((-0.5..=1.0).contains(&ari(&one)), "{}", ari(&one));
        let information = mutual_information(&one);
        prop_assert!(information <= one.code_entropy().min(one.label_entropy()) + 1e-12);
    }

    #[test]
    fn codes_that_rename_the_labels_are_perfect(case in pictures(), seed in 0..120_usize) {
        let (_, labels, _, classes) = case;
        let names = orders(classes);
        let names = &names[seed % names.len()];
        let codes: Vec<usize> = labels.iter().map(|&label| names[label]).collect();
        let table = contingency(&codes, &labels, classes, classes).unwrap();
        for learn in [hungarian, majority] {
            prop_assert_eq!(error(&learn(&table), &table), Ok(0.0));
        }
        prop_assert!(near(nmi(&table), 1.0));
        prop_assert_eq!(ari(&table), 1.0);
    }

    #[test]
    fn correlation_does_not_feel_units((x, y) in reals(), scale in 0.01..100.0_f64, shift in -1e3..1e3) {
        let r = pearson(&x, &y).unwrap();
        prop_assert!((-1.0..=1.0).contains(&r));
        prop_assert_eq!(r, pearson(&y, &x).unwrap());
        // A power of two changes no digit.
        let doubled: Vec<f64> = x.iter().map(|x| -8.0 * x).collect();
        prop_assert_eq!(-r, pearson(&doubled, &y).unwrap());
        let moved: Vec<f64> = x.iter().map(|x| scale * x + shift).collect();
        // Moving rounds: only values that differ by much more than that rounding keep their correlation.
        let spread = |list: &[f64]| {
            let low = list.iter().copied().fold(f64::INFINITY, f64::min);
            list.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low
        };
        if spread(&x) * scale > 0.1 {
            prop_assert!((r - pearson(&moved, &y).unwrap()).abs() < 1e-9);
        }
    }

    #[test]
    fn associations_are_bounded_and_symmetric(case in pictures(), (x, y) in reals()) {
        let n = case.0.len().min(x.len());
        let variables = [
            Variable::Categorical { count: case.2, values: &case.0[..n] },
            Variable::Categorical { count: case.3, values: &case.1[..n] },
            Variable::Continuous(&x[..n]),
            Variable::Continuous(&y[..n]),
        ];
        for code in variables {
            for factor in variables {
                let strength = association(code, factor).unwrap();
                prop_assert!((0.0..=1.0).contains(&strength));
                prop_assert!(near(strength, association(factor, code).unwrap()));
                let information = factors::mutual_information(code, factor, 20).unwrap();
                prop_assert!(information >= 0.0);
                let of_itself = factors::mutual_information(code, code, 20).unwrap();
                prop_assert!(information <= of_itself + 1e-12);
            }
        }
        let gap = factors::mig(&variables, &variables).unwrap();
        prop_assert!(gap.per_factor.iter().flatten().all(|gap| (0.0..=1.0).contains(gap)));
    }
}

/// Codes drawn without a look at the labels. With N pictures, k codes and k classes, 2N times the plug-in mutual
/// information follows χ² with (k − 1)² degrees of freedom; the bounds are five standard deviations above the mean.
#[test]
fn random_codes_score_near_zero() {
    const N: usize = 10_000;
    const K: usize = 10;
    // A counter through SplitMix64's mixing: nothing that a label, which is the counter modulo K, could know.
    let draw = |index: usize| {
        let mut word = (index as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((word ^ (word >> 31)) % K as u64) as usize
    };
    let codes: Vec<usize> = (0..N).map(draw).collect();
    let labels: Vec<usize> = (0..N).map(|index| index % K).collect();
    let table = contingency(&codes, &labels, K, K).unwrap();
    let freedom = ((K - 1) * (K - 1)) as f64;
    let bound = (freedom + 5.0 * (2.0 * freedom).sqrt()) / (2 * N) as f64;
    let information = mutual_information(&table);
    assert!(information > 0.0 && information < bound, "{information} of {bound}");
    assert!(nmi(&table) < bound / 2.2, "{}", nmi(&table));
    assert!(ari(&table).abs() < 1e-3, "{}", ari(&table));
    let (train, test) = (
        contingency(&codes[..N / 2], &labels[..N / 2], K, K).unwrap(),
        contingency(&codes[N / 2..], &labels[N / 2..], K, K).unwrap(),
    );
    // Held out, each picture is right with probability 0.1: standard deviation 0.0042.
    for matching in [hungarian(&train), majority(&train)] {
        let error = error(&matching, &test).unwrap();
        assert!((error - 0.9).abs() < 0.0212, "{error}");
    }
    let code = Variable::Categorical { count: K, values: &codes };
    let label = Variable::Categorical { count: K, values: &labels };
    // V² is χ² / (N (k − 1)).
    let strength = association(code, label).unwrap();
    assert!(strength < (2.0 * bound / (K - 1) as f64).sqrt(), "{strength}");
    let gap = factors::mig(&[code], &[label]).unwrap().mean.unwrap();
    assert!(gap < bound / 2.3, "{gap}");
}
