//! The FactorVAE score: can one tell from the code that stands still which factor was held fixed?
//!
//! Kim & Mnih, *Disentangling by factorising*, 2018. A vote is a group of pictures that share the value of one factor and
//! nothing else on purpose. In each code the dispersion of the group is divided by that of all pictures; the code with the
//! least is what the vote says. A classifier then maps each code to the factor that had most of its votes.
//!
//! This module knows codes and positions of pictures, no network: encode a labelled set once, let [`draw_votes`] choose
//! groups from it, and hand both to [`factor_vae`].

use serde::Serialize;

use super::{BINS, Variable, check_lengths, deviations};
use crate::clustering::{MAX_CATEGORIES, check_categories};
use crate::numeric;
use crate::{Error, Result};

/// Pictures in a vote: L of Kim & Mnih, as in the evaluation of InfoGAN-CR (Lin et al., 2020).
pub const PICTURES_PER_VOTE: usize = 100;

/// Votes that the classifier is fitted to, as in the evaluation of InfoGAN-CR.
pub const TRAINING_VOTES: usize = 500;

/// Votes that the classifier is judged by, as in Locatello et al., *Challenging common assumptions in the unsupervised
/// learning of disentangled representations*, 2019. The standard deviation of the score is at most 0.7 %.
pub const EVALUATION_VOTES: usize = 5000;

/// A code whose standard deviation (the root of its dispersion) over all pictures is less than this share of its prior's
/// has collapsed: it says nothing, and takes no votes. Locatello et al. use the same number beside a prior of unit variance.
pub const COLLAPSED: f64 = 0.05;

/// What a score by the constants of this module is, in words. The score is read off votes that the classifier has not
/// seen, as Locatello et al. do: one that knows nothing then scores one over the number of factors, whatever the number of
/// codes and votes, while the score of its own votes is biased upwards. InfoGAN-CR scores the 500 votes themselves:
/// [`FactorVae::training_score`].
pub const PROTOCOL: &str = "FactorVAE score (Kim & Mnih 2018): accuracy on 5000 votes of a majority classifier fitted to 500 \
    others; a vote is the code with the least dispersion over 100 pictures that share one factor's value, relative to all \
    pictures; factors in turn; reals in 20 equal-width bins; dispersion is the variance of a number and the probability \
    that two pictures differ in a category; codes below 5 % of their prior's standard deviation left out";

/// A code of all pictures, and how much it would vary if it were used as it was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Code<'a> {
    /// One value per picture: the mean that Q predicts, or its likeliest category. A code of several dimensions is one
    /// `Code` for each of them; a categorical code is a single one, whatever the number of its categories.
    pub values: Variable<'a>,
    /// Dispersion of the prior, in the code's units squared: 1/3 for a uniform code from −1 to 1, 1 for a standard
    /// normal one, 1 − 1/k for k categories of equal probability. With 0 only a code that is constant counts as
    /// collapsed.
    pub prior_dispersion: f64,
}

/// Pictures that share the value of one factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Position of the factor that was held fixed.
    pub factor: usize,
    /// Positions of the pictures, two or more; a picture may occur more than once.
    pub pictures: Vec<usize>,
}

/// The FactorVAE score and what it was made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FactorVae {
    /// Per code: whether it takes votes; `false` for a collapsed one.
    pub active: Vec<bool>,
    /// `[codes][factors]`: how many training votes for each code had each factor fixed.
    pub votes: Vec<Vec<u64>>,
    /// Per code: the factor that most of its training votes had fixed, the first of several; `None` without votes.
    pub classifier: Vec<Option<usize>>,
    /// **The score**: share of the evaluation votes whose factor the classifier names, in [0, 1]. A vote for a code that
    /// the classifier does not know counts as wrong. `None` when every code has collapsed.
    pub score: Option<f64>,
    /// The same share of the training votes themselves: sum over the codes of their largest count / number of votes, the
    /// form of InfoGAN-CR's code. At least the share of the commonest factor. `None` when every code has collapsed.
    pub training_score: Option<f64>,
}

/// The FactorVAE score of codes, by the definition of [`PROTOCOL`].
///
/// - `codes`: all of N pictures in the same order. The dispersion over these N is what that of a group is divided by;
/// - `factors`: number of factors, at most [`MAX_CATEGORIES`];
/// - `training`, `evaluation`: votes on positions in 0..N and factors in 0..`factors`, usually from [`draw_votes`]. They
///   may share pictures, not votes.
///
/// Dispersion is half the mean squared distance of two pictures drawn with replacement. For numbers this is the variance.
/// Categories have no distance but same or different: for them it is taken as the probability of different,
/// 1 − Σp² (Gini's impurity), which is also the sum of the variances of the one-hot vector. It depends neither on the
/// names nor on the order of categories, and the quotient makes both kinds comparable. Of equal quotients the first
/// code's wins.
///
/// The score does not change when a code is scaled (with its prior) or shifted, or when codes change places, but for
/// equal quotients.
///
/// # Errors
/// No code, no picture, no factor or too many, no votes, different lengths, categories or factors out of range, values
/// that are not finite, a prior's dispersion that is negative or not finite, a vote with fewer than two pictures or with
/// one that does not exist.
pub fn factor_vae(
    codes: &[Code<'_>],
    factors: usize,
    training: &[Vote],
    evaluation: &[Vote],
) -> Result<FactorVae> {
    check(codes, factors, training, evaluation)?;
    let ballots: Vec<Option<Ballot>> = codes.iter().map(Ballot::new).collect();
    let mut votes = vec![vec![0_u64; factors]; codes.len()];
    for vote in training {
        if let Some(code) = stillest(&ballots, &vote.pictures) {
            votes[code][vote.factor] += 1;
        }
    }
    let classifier: Vec<Option<usize>> = votes.iter().map(|row| commonest(row)).collect();
    let hits = |votes: &[Vote]| {
        let hit = |vote: &&Vote| {
            stillest(&ballots, &vote.pictures).and_then(|code| classifier[code]) == Some(vote.factor)
        };
        votes.iter().filter(hit).count() as f64 / votes.len() as f64
    };
    let active: Vec<bool> = ballots.iter().map(Option::is_some).collect();
    let any = active.contains(&true);
    Ok(FactorVae {
        score: any.then(|| hits(evaluation)),
        training_score: any.then(|| hits(training)),
        active,
        votes,
        classifier,
    })
}

/// Draws votes from a labelled set: `count` of them, each of `pictures` positions ([`Groups::draw`]), the factors taking
/// turns so that each has as many as the others.
///
/// - `factors`: all of N pictures in the same order. One that [`Groups::new`] has no use for takes no turns; votes
///   name the others by their position in this list. Chance is one over the number of those that take turns. No vote
///   comes back when there is none;
/// - `below`: picks a whole number below the one it is given, each with equal probability. Seed it for votes that can be
///   drawn again.
///
/// # Errors
/// No factor, no picture, different lengths, categories out of range, values that are not finite, fewer than two
/// pictures a vote, a pick that is out of range.
pub fn draw_votes(
    factors: &[Variable<'_>],
    count: usize,
    pictures: usize,
    mut below: impl FnMut(usize) -> usize,
) -> Result<Vec<Vote>> {
    let first = factors.first().ok_or_else(|| Error::Empty { name: "factors".into() })?;
    let mut groups = Vec::new();
    for (position, factor) in factors.iter().enumerate() {
        let title = format!("factor {position}");
        check_lengths("factor 0", first, &title, factor)?;
        factor.check(&title)?;
        groups.extend(Groups::of_checked(factor).map(|groups| (position, groups)));
    }
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let turns = groups.len();
    let vote = |turn: usize| {
        let (factor, groups) = &mut groups[turn % turns];
        Ok(Vote { factor: *factor, pictures: groups.draw(pictures, &mut below)? })
    };
    (0..count).map(vote).collect()
}

/// The pictures of a labelled set, sorted by the value of one factor: what a vote with that factor fixed is drawn from.
#[derive(Clone, Debug)]
pub struct Groups {
    /// Positions of the pictures with each value that two pictures or more have. The order within changes with every
    /// draw.
    by_value: Vec<Vec<usize>>,
    pictures: usize,
}

impl Groups {
    /// Sorts pictures by their value: categories as they are, reals by [`BINS`] bins of equal width. Values that
    /// only one picture has are skipped. `None` when nothing can be held fixed: the factor is constant, or no two
    /// pictures share a value.
    ///
    /// # Errors
    /// No picture, categories out of range, values that are not finite.
    pub fn new(factor: Variable<'_>) -> Result<Option<Self>> {
        factor.check("factor")?;
        Ok(Self::of_checked(&factor))
    }

    fn of_checked(factor: &Variable<'_>) -> Option<Self> {
        let mut by_value = std::collections::BTreeMap::<usize, Vec<usize>>::new();
        for (picture, value) in factor.discretised(BINS).into_iter().enumerate() {
            by_value.entry(value).or_default().push(picture);
        }
        if by_value.len() < 2 {
            return None;
        }
        let by_value: Vec<Vec<usize>> = by_value.into_values().filter(|group| group.len() > 1).collect();
        let pictures = by_value.iter().map(Vec::len).sum();
        (pictures > 0).then_some(Self { by_value, pictures })
    }

    /// Positions of `size` pictures that share a value. The value is that of a picture drawn from all that are not
    /// skipped, so that values come up as often as the set has them. The pictures are all different if so many have the
    /// value; otherwise each is drawn from all that have it, and some occur more than once. That lowers the dispersion of
    /// all codes by the same factor on average, and favours none.
    ///
    /// - `below`: picks a whole number below the one it is given, each with equal probability.
    ///
    /// # Errors
    /// A `size` below 2, or a pick that is out of range.
    pub fn draw(&mut self, size: usize, below: &mut impl FnMut(usize) -> usize) -> Result<Vec<usize>> {
        if size < 2 {
            let expected = "two pictures or more, since one alone does not vary";
            return Err(Error::OutOfDomain { name: "size of a vote", value: size as f64, expected });
        }
        let mut pick = |count: usize| match below(count) {
            picked if picked < count => Ok(picked),
            picked => {
                let expected = "a whole number below the one it was given";
                Err(Error::OutOfDomain { name: "picked number", value: picked as f64, expected })
            }
        };
        let mut picked = pick(self.pictures)?;
        let mut value = 0;
        while picked >= self.by_value[value].len() {
            picked -= self.by_value[value].len();
            value += 1;
        }
        let group = &mut self.by_value[value];
        if group.len() < size {
            return (0..size).map(|_| Ok(group[pick(group.len())?])).collect();
        }
        // The beginning of a shuffle; what an earlier draw left is as good a start as any.
        for place in 0..size {
            let other = place + pick(group.len() - place)?;
            group.swap(place, other);
        }
        Ok(group[..size].to_vec())
    }
}

/// A code that has not collapsed, ready to be asked for the dispersion of groups.
struct Ballot {
    values: Values,
    /// Dispersion over all pictures, above 0.
    whole: f64,
}

enum Values {
    Categories(Vec<usize>),
    /// Up to a common factor and a shift.
    Reals(Vec<f64>),
}

impl Values {
    /// Half the mean squared distance of two of these pictures: exactly 0 if all are equal.
    fn dispersion(&self, pictures: impl Iterator<Item = usize> + Clone) -> f64 {
        match self {
            Self::Categories(values) => {
                let mut met: Vec<usize> = pictures.map(|picture| values[picture]).collect();
                met.sort_unstable();
                let square = |equal: &[usize]| (equal.len() as f64).powi(2);
                let all = square(&met);
                let same = numeric::sum(met.chunk_by(|left, right| left == right).map(square));
                (all - same) / all
            }
            Self::Reals(values) => {
                let count = pictures.clone().count() as f64;
                // From the first one, lest the mean of equal values be off by a rounding error.
                let first = pictures.clone().next().map_or(0.0, |picture| values[picture]);
                let shifted = pictures.map(|picture| values[picture] - first);
                let mean = numeric::sum(shifted.clone()) / count;
                numeric::sum(shifted.map(|value| (value - mean) * (value - mean))) / count
            }
        }
    }
}

impl Ballot {
    /// `None` for a collapsed code.
    fn new(code: &Code<'_>) -> Option<Self> {
        // Standard deviations are compared, not variances, which over- and underflow.
        let (values, scale) = match code.values {
            Variable::Categorical { values, .. } => (Values::Categories(values.to_vec()), 1.0),
            Variable::Continuous(values) => {
                let deviations = deviations(values)?;
                let scale = half_range(values) / half_range(&deviations);
                (Values::Reals(deviations), scale)
            }
        };
        let whole = values.dispersion(0..code.values.len());
        let collapsed = scale * whole.sqrt() < COLLAPSED * code.prior_dispersion.sqrt();
        (whole > 0.0 && !collapsed).then_some(Self { values, whole })
    }

    fn quotient(&self, pictures: &[usize]) -> f64 {
        self.values.dispersion(pictures.iter().copied()) / self.whole
    }
}

/// Half, since the whole may overflow.
fn half_range(values: &[f64]) -> f64 {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    0.5 * values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - 0.5 * low
}

/// The active code with the least quotient, the first of several.
fn stillest(ballots: &[Option<Ballot>], pictures: &[usize]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (code, ballot) in ballots.iter().enumerate() {
        let Some(ballot) = ballot else { continue };
        let quotient = ballot.quotient(pictures);
        if best.is_none_or(|(_, least)| quotient < least) {
            best = Some((code, quotient));
        }
    }
    best.map(|(code, _)| code)
}

/// Position of the largest count, the first of several; `None` if all are 0.
fn commonest(counts: &[u64]) -> Option<usize> {
    let most = counts.iter().max().filter(|&&most| most > 0)?;
    counts.iter().position(|count| count == most)
}

fn check(codes: &[Code<'_>], factors: usize, training: &[Vote], evaluation: &[Vote]) -> Result<()> {
    let first = codes.first().ok_or_else(|| Error::Empty { name: "codes".into() })?;
    for (position, code) in codes.iter().enumerate() {
        let title = format!("code {position}");
        check_lengths("code 0", &first.values, &title, &code.values)?;
        code.values.check(&title)?;
        if !(code.prior_dispersion.is_finite() && code.prior_dispersion >= 0.0) {
            return Err(Error::OutOfDomain {
                name: "prior_dispersion",
                value: code.prior_dispersion,
                expected: "finite and not negative",
            });
        }
    }
    if factors == 0 {
        return Err(Error::Empty { name: "factors".into() });
    }
    if factors > MAX_CATEGORIES {
        let name = "factors".into();
        return Err(Error::TooManyCategories { name, count: factors, limit: MAX_CATEGORIES });
    }
    let pictures = first.values.len();
    for (name, votes) in [("training votes", training), ("evaluation votes", evaluation)] {
        if votes.is_empty() {
            return Err(Error::Empty { name: name.into() });
        }
        let of: Vec<usize> = votes.iter().map(|vote| vote.factor).collect();
        check_categories(&format!("factor of the {name}"), &of, factors)?;
        for (index, vote) in votes.iter().enumerate() {
            let unsound = |reason: String| Error::VoteUnsound { name: name.into(), index, reason };
            if vote.pictures.len() < 2 {
                return Err(unsound(format!("it has {} pictures; give two or more", vote.pictures.len())));
            }
            if let Some(picture) = vote.pictures.iter().find(|&&picture| picture >= pictures) {
                return Err(unsound(format!("there is no picture {picture} among {pictures}; count from 0")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn categorical(count: usize, values: &[usize]) -> Variable<'_> {
        Variable::Categorical { count, values }
    }

    fn code(values: Variable<'_>) -> Code<'_> {
        Code { values, prior_dispersion: 0.0 }
    }

    fn vote(factor: usize, pictures: &[usize]) -> Vote {
        Vote { factor, pictures: pictures.to_vec() }
    }

    #[test]
    fn the_protocol_says_what_the_constants_are() {
        for number in [
            format!("on {EVALUATION_VOTES} votes"),
            format!("to {TRAINING_VOTES} others"),
            format!("over {PICTURES_PER_VOTE} pictures"),
            format!("in {BINS} equal-width bins"),
            format!("below {} % of", COLLAPSED * 100.0),
        ] {
            assert!(PROTOCOL.contains(&number), "{number}");
        }
    }

    #[test]
    fn dispersion_has_its_closed_forms() {
        let reals = Values::Reals(vec![0.1, 0.1, 0.1, 1.1, 2.1]);
        assert_eq!(reals.dispersion([0, 1, 2].into_iter()), 0.0);
        assert!((reals.dispersion([0, 3, 4].into_iter()) - 2.0 / 3.0).abs() < 1e-15);
        let categories = Values::Categories(vec![4, 4, 0, 9]);
        assert_eq!(categories.dispersion([0, 1].into_iter()), 0.0);
        assert_eq!(categories.dispersion([0, 2].into_iter()), 0.5);
        assert_eq!(categories.dispersion([0, 1, 2, 3].into_iter()), 1.0 - 0.375);
    }

    /// Two codes, two factors; worked by hand.
    #[test]
    fn votes_are_counted_and_judged() {
        let numbers = [0.0, 0.0, 1.0, 1.0];
        let classes = [0, 1, 0, 1];
        let codes = [code(Variable::Continuous(&numbers)), code(categorical(2, &classes))];
        // Pictures 0 and 1 share their number, pictures 0 and 2 their class.
        let training = [vote(1, &[0, 1]), vote(1, &[2, 3]), vote(0, &[0, 1]), vote(0, &[1, 3])];
        let evaluation = [vote(1, &[0, 1]), vote(0, &[0, 2]), vote(1, &[1, 3])];
        let score = factor_vae(&codes, 2, &training, &evaluation).unwrap();
        assert_eq!(score.votes, [[1, 2], [1, 0]]);
        assert_eq!(score.classifier, [Some(1), Some(0)]);
        assert_eq!(score.training_score, Some(0.75));
        assert_eq!(score.score, Some(2.0 / 3.0));
        // Where the classifier has no votes it is wrong, and of equal quotients the first code's is taken.
        let blind = factor_vae(&codes, 2, &training[..1], &[vote(0, &[0, 2]), vote(1, &[0, 3])]).unwrap();
        assert_eq!((blind.classifier, blind.score), (vec![Some(1), None], Some(0.5)));
    }

    #[test]
    fn collapsed_codes_take_no_votes() {
        // Standard deviation 0.01: a fiftieth of the prior's half.
        let faint = [0.49, 0.51, 0.51, 0.49];
        let used = [0.0, 1.0, 0.0, 1.0];
        let flat = [0.1; 4];
        let votes = [vote(0, &[1, 2]), vote(0, &[0, 3])];
        let with = |prior_dispersion| {
            let faint = Code { values: Variable::Continuous(&faint), prior_dispersion };
            let others = [Variable::Continuous(&used), Variable::Continuous(&flat), categorical(3, &[2; 4])];
            let codes = [faint, code(others[0]), code(others[1]), code(others[2])];
            factor_vae(&codes, 1, &votes, &votes).unwrap()
        };
        let left_out = with(0.25);
        assert_eq!(left_out.active, [false, true, false, false]);
        assert_eq!(left_out.votes, [[0], [2], [0], [0]]);
        let kept = with(0.03);
        assert_eq!(kept.active, [true, true, false, false]);
        assert_eq!(kept.votes, [[2], [0], [0], [0]]);
        let nothing = factor_vae(&[code(Variable::Continuous(&flat))], 1, &votes, &votes).unwrap();
        assert_eq!((nothing.score, nothing.training_score), (None, None));
    }

    #[test]
    fn extreme_values_are_scored_like_others() {
        let factor = [0, 0, 1, 1];
        let votes = [vote(0, &[0, 1]), vote(0, &[2, 3])];
        for size in [1e308, 1.0, 1e-300, 5e-324] {
            let values = [-size, -size, size, size];
            let codes = [code(categorical(2, &[0, 1, 0, 1])), code(Variable::Continuous(&values))];
            let score = factor_vae(&codes, 1, &votes, &votes).unwrap();
            assert_eq!(score.votes, [[0], [2]], "{size}");
        }
        let groups = Groups::new(categorical(2, &factor)).unwrap().unwrap();
        assert_eq!(groups.by_value, [[0, 1], [2, 3]]);
    }

    #[test]
    fn groups_share_their_value_and_skip_lonely_ones() {
        let mut state = 0_usize;
        let mut turning = |count: usize| {
            state += 7;
            state % count
        };
        let values = [3, 0, 3, 1, 3, 0, 3];
        let mut groups = Groups::new(categorical(9, &values)).unwrap().unwrap();
        let mut met = std::collections::BTreeSet::new();
        for _ in 0..60 {
            let drawn = groups.draw(4, &mut turning).unwrap();
            let value = values[drawn[0]];
            met.insert(value);
            assert!(drawn.iter().all(|&picture| values[picture] == value));
            let different: std::collections::BTreeSet<_> = drawn.iter().collect();
            // Four pictures have the value 3, two the value 0.
            assert_eq!(different.len() == 4, value == 3, "{drawn:?}");
            assert_eq!(drawn.len(), 4);
        }
        assert_eq!(met.into_iter().collect::<Vec<_>>(), [0, 3]);
        // The first and the last of twenty bins, and a lonely one between.
        let reals = [0.0, 0.01, 0.5, 1.0, 0.96];
        let groups = Groups::new(Variable::Continuous(&reals)).unwrap().unwrap();
        assert_eq!(groups.by_value, [[0, 1], [3, 4]]);
        for nothing in [categorical(3, &[1; 5]), categorical(3, &[0, 1, 2]), Variable::Continuous(&[0.5; 4])]
        {
            assert!(Groups::new(nothing).unwrap().is_none());
        }
    }

    #[test]
    fn factors_take_turns_but_for_those_that_are_constant() {
        let factors = [categorical(2, &[0, 0, 1, 1]), categorical(1, &[0; 4]), categorical(2, &[0, 1, 0, 1])];
        let votes = draw_votes(&factors, 5, 2, |count| count - 1).unwrap();
        assert_eq!(votes.iter().map(|vote| vote.factor).collect::<Vec<_>>(), [0, 2, 0, 2, 0]);
        assert_eq!(draw_votes(&factors[1..2], 5, 2, |_| 0), Ok(vec![]));
        assert_eq!(draw_votes(&factors, 0, 2, |_| 0), Ok(vec![]));
    }

    #[test]
    fn bad_input_is_refused_by_name() {
        let good = code(categorical(2, &[0, 1]));
        let votes = [vote(0, &[0, 1])];
        let refused = |codes: &[Code<'_>], factors, training: &[Vote]| {
            factor_vae(codes, factors, training, &votes).unwrap_err().to_string()
        };
        assert!(refused(&[], 1, &votes).starts_with("codes: nothing"));
        assert!(refused(&[good], 0, &votes).starts_with("factors: nothing"));
        assert!(refused(&[good], MAX_CATEGORIES + 1, &votes).starts_with("factors: 4097 categories"));
        assert!(refused(&[good], 1, &[]).starts_with("training votes: nothing"));
        assert!(refused(&[good, code(categorical(1, &[0]))], 1, &votes).starts_with("code 0 has 2 values"));
        assert!(
            refused(&[code(Variable::Continuous(&[0.0, f64::NAN]))], 1, &votes).contains("code 0: value NaN")
        );
        assert_eq!(
            refused(&[good], 1, &[vote(0, &[0, 1]), vote(0, &[0, 2])]),
            "training votes: vote 1 cannot be counted: there is no picture 2 among 2; count from 0"
        );
        assert!(refused(&[good], 1, &[vote(0, &[0])]).contains("it has 1 pictures; give two or more"));
        assert!(
            refused(&[good], 1, &[vote(1, &[0, 1])]).starts_with("factor of the training votes: value 1")
        );
        for prior_dispersion in [-1.0, f64::NAN] {
            let message = refused(&[Code { prior_dispersion, ..good }], 1, &votes);
            assert!(message.ends_with("it must be finite and not negative"), "{message}");
        }
        let factor = categorical(2, &[0, 1, 0]);
        assert!(draw_votes(&[], 1, 2, |_| 0).is_err());
        assert!(draw_votes(&[factor, categorical(2, &[0])], 1, 2, |_| 0).is_err());
        assert!(draw_votes(&[categorical(2, &[0, 2, 0])], 1, 2, |_| 0).is_err());
        assert!(
            draw_votes(&[factor], 1, 1, |_| 0).unwrap_err().to_string().starts_with("size of a vote is 1")
        );
        assert!(
            draw_votes(&[factor], 1, 2, |count| count).unwrap_err().to_string().starts_with("picked number")
        );
        assert!(Groups::new(categorical(2, &[])).is_err());
    }
}
