//! Numbers, as people read them.

use super::super::plot::grouped;

/// Between a number and its unit: narrow, and no line ends there.
const SPACE: char = '\u{202f}';

/// Three significant digits, commas between thousands: `0.123`, `12.3`, `1,234`. Whole digits are never
/// rounded away. A dash when there is no finite number.
pub(super) fn three(value: impl Into<Option<f64>>) -> String {
    let Some(value) = value.into().filter(|value| value.is_finite()) else { return "–".into() };
    let size = value.abs();
    if size != 0.0 && size < 1e-4 {
        return format!("{value:.2e}").replace('-', "−");
    }
    let exponent = if size == 0.0 { 0 } else { size.log10().floor() as i32 };
    grouped(value, (2 - exponent).clamp(0, 6) as usize)
}

/// Nats, always with three decimals, so that a bound and its entropy compare.
pub(super) fn nats(value: impl Into<Option<f64>>) -> String {
    match value.into() {
        Some(value) if value.is_finite() => grouped(value, 3),
        _ => "–".into(),
    }
}

/// A share of 1 as per cent with one decimal.
pub(super) fn per_cent(share: impl Into<Option<f64>>) -> String {
    match share.into() {
        Some(share) if share.is_finite() => format!("{}{SPACE}%", grouped(share * 100.0, 1)),
        _ => "–".into(),
    }
}

/// A count with commas between thousands.
pub(super) fn count(value: u64) -> String {
    grouped(value as f64, 0)
}

/// A number and its unit for a length of time: seconds, minutes or hours.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 59.5 {
        format!("{}{SPACE}s", grouped(seconds, 0))
    } else if seconds < 5400.0 {
        format!("{}{SPACE}min", three(seconds / 60.0))
    } else {
        format!("{}{SPACE}h", three(seconds / 3600.0))
    }
}

/// Bytes in decimal units.
pub(super) fn bytes(bytes: f64) -> String {
    if bytes < 1e9 {
        format!("{}{SPACE}MB", three(bytes / 1e6))
    } else {
        format!("{}{SPACE}GB", three(bytes / 1e9))
    }
}

/// A number with its unit, held together.
pub(super) fn with_unit(number: &str, unit: &str) -> String {
    format!("{number}{SPACE}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let cases = [
            (0.0, "0.00"),
            (0.12345, "0.123"),
            (12.345, "12.3"),
            (610.2, "610"),
            (1234.5, "1,234"),
            (-2.0, "−2.00"),
            (0.01234, "0.0123"),
            (0.000_012_34, "1.23e−5"),
        ];
        for (value, text) in cases {
            assert_eq!(three(value), text);
        }
        assert_eq!(three(None), "–");
        assert_eq!(three(f64::NAN), "–");
        assert_eq!(nats(std::f64::consts::LN_10), "2.303");
        assert_eq!(per_cent(0.12), "12.0\u{202f}%");
        assert_eq!(per_cent(None), "–");
        assert_eq!(count(4_000), "4,000");
        assert_eq!(duration(42.0), "42\u{202f}s");
        assert_eq!(duration(400.0), "6.67\u{202f}min");
        assert_eq!(duration(7200.0), "2.00\u{202f}h");
        assert_eq!(bytes(4.1e8), "410\u{202f}MB");
        assert_eq!(bytes(2.5e9), "2.50\u{202f}GB");
    }
}
