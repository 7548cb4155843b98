//! Fewer points that look the same.

use super::{Series, shown};

/// The series with at most `most` points. A longer one is cut into equal stretches, each of which keeps its
/// lowest and its highest point: peaks stay, unlike under an average. First and last point stay as well. A
/// stretch with a break keeps one break.
pub(super) fn thin(series: &Series, most: usize) -> Series {
    let points = &series.points;
    if points.len() <= most {
        return series.clone();
    }
    // Up to three entries per stretch, and the two ends.
    let stretches = (most.saturating_sub(2) / 3).max(1);
    let mut kept = Vec::with_capacity(most);
    kept.extend(points.first());
    for stretch in points.chunks(points.len().div_ceil(stretches)) {
        let finite = || stretch.iter().enumerate().filter(|(_, point)| shown(point));
        let by_height =
            |one: &(usize, &(f64, f64)), other: &(usize, &(f64, f64))| one.1.1.total_cmp(&other.1.1);
        let mut chosen: Vec<usize> = [finite().min_by(by_height), finite().max_by(by_height)]
            .into_iter()
            .flatten()
            .map(|(index, _)| index)
            .collect();
        chosen.extend(stretch.iter().position(|point| !shown(point)));
        chosen.sort_unstable();
        chosen.dedup();
        kept.extend(chosen.into_iter().map(|index| stretch[index]));
    }
    kept.extend(points.last());
    kept.dedup_by(|one, other| one == other);
    Series { points: kept, ..series.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(points: Vec<(f64, f64)>) -> Series {
        Series { name: "s".into(), points, dashed: true, ..Series::default() }
    }

    #[test]
    fn short_series_stay() {
        let series = of((0..1000).map(|x| (f64::from(x), 0.5)).collect());
        assert_eq!(thin(&series, 1000), series);
    }

    #[test]
    fn peaks_ends_and_breaks_stay() {
        let mut points: Vec<_> = (0..100_000).map(|x| (f64::from(x), f64::from(x % 7))).collect();
        points[54_321].1 = 1000.0;
        points[12_345].1 = -1000.0;
        points[77_777].1 = f64::NAN;
        let thinned = thin(&of(points), 1000);
        assert!(thinned.points.len() <= 1000, "{}", thinned.points.len());
        assert!(thinned.points.len() > 500, "{}", thinned.points.len());
        assert!(thinned.points.contains(&(54_321.0, 1000.0)));
        assert!(thinned.points.contains(&(12_345.0, -1000.0)));
        assert_eq!(thinned.points.iter().filter(|point| point.1.is_nan()).count(), 1);
        assert_eq!(thinned.points[0].0, 0.0);
        assert_eq!(thinned.points.last().unwrap().0, 99_999.0);
        assert!(thinned.points.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert!(thinned.dashed);
    }
}
