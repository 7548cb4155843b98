//! The pattern that strided layers leave in generated pictures, as a number (the lab report's §4.1 shows it as pictures).

use infogan_data::{ImageSet, random::Streams};
use infogan_metrics::spectrum::{PROTOCOL, Spectrum, checkerboard};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Scores, Trained};

/// Pictures of each kind, at most.
const PICTURES: usize = 1000;
/// Periods in pixels of the patterns of one, two and three strided layers.
const PERIODS: [usize; 3] = [2, 4, 8];

/// Share of the power at a period, generated pictures beside real ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckerboardScore {
    /// Pixels.
    pub period: usize,
    /// Of generated pictures.
    pub generated_share: f64,
    /// Of test pictures.
    pub real_share: f64,
    /// The first over the second; none where real pictures have no power there.
    pub ratio: Option<f64>,
}

/// Scores every period that the pictures' sides are multiples of. Sets of flat pictures have no spectrum and no score.
pub(super) fn checkerboard_scores(
    scores: &mut Scores,
    trained: &mut Trained,
    streams: &Streams,
    test: &ImageSet,
) {
    let [_, height, width] = test.shape();
    let count = PICTURES.min(test.len());
    let draw = trained.game().latent().draw(streams, "evaluate", [0; 3], count);
    let indices: Vec<u32> = (0..count as u32).collect();
    let mut real = Vec::new();
    test.fill_batch(&indices, trained.scale(), &mut real);
    let generated = Spectrum::new(&trained.values(&draw), test.shape());
    let (Ok(generated), Ok(real)) = (generated, Spectrum::new(&real, test.shape())) else { return };
    let fits = |period: &usize| height.is_multiple_of(*period) && width.is_multiple_of(*period);
    for period in PERIODS.into_iter().filter(fits) {
        // Flat pictures have no power to share out: no score, and no reason to lose the others.
        let Ok(found) = checkerboard(&generated, &real, period) else { continue };
        scores.checkerboard.push(CheckerboardScore {
            period,
            generated_share: found.generated_share,
            real_share: found.real_share,
            ratio: found.ratio,
        });
    }
    scores
        .protocol
        .insert("checkerboard".to_owned(), json!(format!("{PROTOCOL}; {count} pictures of each kind")));
}
