//! Round numbers for axes, and numbers as people write them.

/// Marks inside `low..=high` at multiples of 1, 2, 2.5 or 5 times a power of ten, about `wanted` of them, with
/// their labels. Empty unless `low < high` and both are finite.
pub(super) fn ticks(low: f64, high: f64, wanted: usize) -> Vec<(f64, String)> {
    let span = high - low;
    if !(span.is_finite() && span > 0.0) {
        return Vec::new();
    }
    let (step, decimals) = step(span / wanted.max(1) as f64);
    let first = (low / step - 1e-9).ceil();
    let count = (((high / step + 1e-9).floor() - first).max(-1.0) + 1.0).min(100.0) as usize;
    (0..count)
        .map(|index| {
            // A multiple, not a sum: no drift. Adding zero turns −0 into 0.
            let value = (first + index as f64) * step + 0.0;
            let label =
                if (1e-5..1e6).contains(&step) { grouped(value, decimals) } else { format!("{value:e}") };
            (value, label)
        })
        .collect()
}

/// The round step nearest to `rough` in proportion, and the decimals its multiples need.
fn step(rough: f64) -> (f64, usize) {
    let exponent = rough.log10().floor();
    let power = 10f64.powf(exponent);
    let (digits, extra) = [(1.0, 0), (2.0, 0), (2.5, 1), (5.0, 0), (10.0, -1)]
        .into_iter()
        .min_by(|(one, _), (other, _)| {
            let distance = |digits: f64| (digits * power / rough).ln().abs();
            distance(*one).total_cmp(&distance(*other))
        })
        .unwrap_or((10.0, -1));
    let decimals = (extra - exponent as i32).clamp(0, 12);
    (digits * power, decimals as usize)
}

/// A number with so many decimals and a comma between thousands: `1,234.50`, `−3`.
pub(in crate::run) fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{value}");
    }
    let mut out = String::with_capacity(text.len() + text.len() / 3 + 3);
    // A rounded zero has no sign.
    if value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        out.push('−');
    }
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(low: f64, high: f64, wanted: usize) -> Vec<String> {
        ticks(low, high, wanted).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn steps_are_round() {
        assert_eq!(labels(0.0, 5000.0, 5), ["0", "1,000", "2,000", "3,000", "4,000", "5,000"]);
        assert_eq!(labels(-0.3, 0.32, 3), ["−0.2", "0.0", "0.2"]);
        assert_eq!(labels(0.0, 1.0, 4), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(labels(97.0, 103.0, 3), ["98", "100", "102"]);
        assert_eq!(labels(0.0, 3e7, 3), ["0e0", "1e7", "2e7", "3e7"]);
        assert!(labels(1.0, 1.0, 5).is_empty() && labels(0.0, f64::INFINITY, 5).is_empty());
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!(grouped(1234567.0, 0), "1,234,567");
        assert_eq!(grouped(-1234.5, 2), "−1,234.50");
        assert_eq!(grouped(999.0, 0), "999");
        assert_eq!(grouped(-0.001, 1), "0.0");
        assert_eq!(grouped(f64::NAN, 1), "NaN");
    }

    proptest! {
        #[test]
        fn ticks_lie_inside_in_order(low in -1e6f64..1e6, span in 1e-6f64..1e6, wanted in 1usize..9) {
            let marks = ticks(low, low + span, wanted);
            prop_assert!(marks.len() <= wanted + wanted / 2 + 1);
            for pair in marks.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0);
            }
            let slack = span * 1e-6;
            for (value, _) in &marks {
                prop_assert!(*value >= low - slack && *value <= low + span + slack);
            }
        }
    }
}
