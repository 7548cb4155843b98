//! Properties that hold for all codes, labels and factors.

use infogan_metrics::clustering::{
    Contingency, accuracy, ari, contingency, error, hungarian, majority, mutual_information, nmi,
};
use infogan_metrics::factors::vote::{Code, Vote};
use infogan_metrics::factors::{self, FactorVae, Variable, association, draw_votes, factor_vae, pearson};
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

/// A counter through SplitMix64's mixing.
fn mixed(counter: u64) -> u64 {
    let mut word = counter.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// Codes drawn without a look at the labels. With N pictures, k codes and k classes, 2N times the plug-in mutual
/// information follows χ² with (k − 1)² degrees of freedom; the bounds are five standard deviations above the mean.
#[test]
fn random_codes_score_near_zero() {
    const N: usize = 10_000;
    const K: usize = 10;
    // Nothing that a label, which is the counter modulo K, could know.
    let codes: Vec<usize> = (0..N).map(|index| (mixed(index as u64) % K as u64) as usize).collect();
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

/// A stream of picks: whole numbers below the one that is given.
fn picks(seed: u64) -> impl FnMut(usize) -> usize {
    let mut counter = mixed(seed);
    move |count| {
        counter = counter.wrapping_add(1);
        (mixed(counter) % count as u64) as usize
    }
}

/// Uniform numbers from −1 to 1.
fn noise(seed: u64, count: usize) -> Vec<f64> {
    let mut pick = picks(seed);
    (0..count).map(|_| pick(1 << 30) as f64 / (1 << 29) as f64 - 1.0).collect()
}

/// 1,200 pictures with a category of 4, one of 3 and a real number, all independent.
fn drawn_factors(seed: u64) -> (Vec<usize>, Vec<usize>, Vec<f64>) {
    let mut pick = picks(seed);
    let (mut shape, mut style) = (vec![], vec![]);
    for _ in 0..1200 {
        shape.push(pick(4));
        style.push(pick(3));
    }
    (shape, style, noise(seed ^ 0x5EED, 1200))
}

fn votes_of(factors: &[Variable<'_>], seed: u64, training: usize, evaluation: usize) -> [Vec<Vote>; 2] {
    let mut pick = picks(seed);
    [training, evaluation].map(|count| draw_votes(factors, count, 30, &mut pick).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn codes_that_are_the_factors_win_every_vote(
        seed in any::<u64>(), turn in 0..4_usize, scale in 1e-3..1e3_f64, shift in -1e3..1e3_f64,
    ) {
        let (shape, style, angle) = drawn_factors(seed);
        let factors = [
            Variable::Categorical { count: 4, values: &shape },
            Variable::Categorical { count: 3, values: &style },
            Variable::Continuous(&angle),
        ];
        let renamed: Vec<usize> = shape.iter().map(|value| (value * 3 + 1) % 4).collect();
        let scaled: Vec<f64> = angle.iter().map(|angle| shift - scale * angle).collect();
        let idle = noise(!seed, 1200);
        let mut codes = [
            Code { values: Variable::Continuous(&scaled), prior_dispersion: scale * scale / 3.0 },
            Code { values: Variable::Categorical { count: 4, values: &renamed }, prior_dispersion: 0.75 },
            Code { values: factors[1], prior_dispersion: 2.0 / 3.0 },
            Code { values: Variable::Continuous(&idle), prior_dispersion: 1.0 / 3.0 },
        ];
        let mut stands_for = [Some(2), Some(0), Some(1), None];
        codes.rotate_left(turn);
        stands_for.rotate_left(turn);
        let [training, evaluation] = votes_of(&factors, seed, 60, 90);
        let perfect = factor_vae(&codes, 3, &training, &evaluation).unwrap();
        prop_assert_eq!(perfect.score, Some(1.0));
        prop_assert_eq!(perfect.training_score, Some(1.0));
        prop_assert_eq!(&perfect.classifier[..], stands_for);
    }

    /// Five independent factors of four values, 4,000 pictures, 400 and 2,000 votes. By chance alone one vote in five is
    /// right, with a standard deviation of 0.9 %; the factors of so few pictures are not quite independent of the codes.
    #[test]
    fn codes_that_know_nothing_score_one_over_the_factors(seed in any::<u64>()) {
        let mut pick = picks(seed);
        let factors: [Vec<usize>; 5] = std::array::from_fn(|_| (0..4000).map(|_| pick(4)).collect());
        let factors = factors.each_ref().map(|values| Variable::Categorical { count: 4, values });
        let codes: [Vec<f64>; 4] = std::array::from_fn(|code| noise(seed ^ (code as u64 + 1), 4000));
        let codes = codes.each_ref().map(|values| {
            Code { values: Variable::Continuous(values), prior_dispersion: 1.0 / 3.0 }
        });
        let [training, evaluation] = votes_of(&factors, !seed, 400, 2000);
        let score = factor_vae(&codes, 5, &training, &evaluation).unwrap();
        prop_assert!((score.score.unwrap() - 0.2).abs() < 0.05, "{:?}", score.score);
        prop_assert!((0.2..0.35).contains(&score.training_score.unwrap()), "{:?}", score.training_score);
    }

    #[test]
    fn votes_do_not_feel_order_units_or_names(
        seed in any::<u64>(), turn in 0..4_usize, scale in 0.01..100.0_f64, shift in -10.0..10.0_f64,
    ) {
        let (shape, style, angle) = drawn_factors(seed);
        let factors = [Variable::Categorical { count: 4, values: &shape }, Variable::Continuous(&angle)];
        // Noisy readings of both, a mixture and noise.
        let hum = noise(!seed, 1200);
        let with = |weight: f64| -> Vec<f64> {
            angle.iter().zip(&hum).map(|(angle, hum)| angle + weight * hum).collect()
        };
        let (near, far) = (with(0.5), with(4.0));
        let read: Vec<usize> =
            shape.iter().zip(&style).map(|(shape, style)| (shape + style / 2) % 4).collect();
        let moved: Vec<f64> = near.iter().map(|value| shift - scale * value).collect();
        let renamed: Vec<usize> = read.iter().map(|value| 7 - value).collect();
        let score = |codes: [Variable<'_>; 4], turn: usize, unit: f64| -> FactorVae {
            let mut codes = codes.map(|values| Code { values, prior_dispersion: 0.1 * unit });
            codes.rotate_left(turn);
            let [training, evaluation] = votes_of(&factors, seed, 60, 80);
            factor_vae(&codes, 2, &training, &evaluation).unwrap()
        };
        let (far, hum) = (Variable::Continuous(&far), Variable::Continuous(&hum));
        let read = Variable::Categorical { count: 4, values: &read };
        let renamed = Variable::Categorical { count: 8, values: &renamed };
        let mut before = score([Variable::Continuous(&near), read, far, hum], 0, 1.0);
        let after = score([Variable::Continuous(&moved), renamed, far, hum], turn, 1e-6);
        before.active.rotate_left(turn);
        before.votes.rotate_left(turn);
        before.classifier.rotate_left(turn);
        prop_assert_eq!(before, after);
    }
}
