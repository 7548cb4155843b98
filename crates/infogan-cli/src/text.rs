//! Numbers and tables for people.

use std::{fmt::Display, time::Duration};

/// `1234567` → `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 file`, `1,234 files`.
pub fn counted(count: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(count as u64), if count == 1 { "" } else { "s" })
}

/// The two largest units: `7s`, `12m 40s`, `3h 05m`, `2d 04h`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_millis() >= 500);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (minutes, hours, days) {
        (0, ..) => format!("{seconds}s"),
        (_, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (.., 0) => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// Bytes in powers of ten: `612 MB`, `1.4 GB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (count as f64, 0);
    // 999.5 would be shown as 1000.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1000.0, unit + 1);
    }
    let digits = usize::from(unit > 0 && value < 9.95);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// Two decimals, without a sign before nothing.
pub fn hundredths(value: f64) -> String {
    let text = format!("{value:.2}");
    if text == "-0.00" { "0.00".to_owned() } else { text }
}

/// The first rows of a list, indented, and how many more there are; `aside` says where they stand.
pub fn shortened(rows: impl ExactSizeIterator<Item = impl Display>, most: usize, aside: &str) -> Vec<String> {
    let more = rows.len().saturating_sub(most);
    let mut lines: Vec<String> = rows.take(most).map(|row| format!("  {row}")).collect();
    if more > 0 {
        lines.push(format!("  and {more} more{aside}"));
    }
    lines
}

/// A field of CSV, quoted where it must be (RFC 4180).
pub fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A share as per cent: `12.3 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Cuts a line to `width` characters, the last of them `…` when something is lost.
pub fn clipped(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let mut out: String = line.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        out.push('…');
    }
    out
}

/// Rows in columns, two spaces apart: the first `words` columns to the left, the others to the right.
pub fn table(rows: &[Vec<String>], words: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |cell: &String| cell.chars().count();
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(length).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let room = " ".repeat(widths[column] - length(cell));
            let gap = if column == 0 { "" } else { "  " };
            match column < words {
                true => line.push_str(&format!("{gap}{cell}{room}")),
                false => line.push_str(&format!("{gap}{room}{cell}")),
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let shown = [0, 7, 999, 1000, 12_345, 1_234_567, u64::MAX].map(grouped);
        assert_eq!(shown, ["0", "7", "999", "1,000", "12,345", "1,234,567", "18,446,744,073,709,551,615"]);
    }

    #[test]
    fn durations_have_two_units() {
        let of = |seconds: f64| duration(Duration::from_secs_f64(seconds));
        assert_eq!([0.2, 0.7, 59.4, 59.6].map(of), ["0s", "1s", "59s", "1m 00s"]);
        assert_eq!([760.0, 3599.0, 3600.0, 11_111.0].map(of), ["12m 40s", "59m 59s", "1h 00m", "3h 05m"]);
        assert_eq!(of(190_000.0), "2d 04h");
    }

    #[test]
    fn bytes_have_three_digits_at_most() {
        let shown = [0, 999, 1000, 612_000_000, 999_600_000, 1_440_000_000, 15_000_000_000].map(bytes);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "612 MB", "1.0 GB", "1.4 GB", "15 GB"]);
    }

    #[test]
    fn nothing_has_no_sign() {
        assert_eq!([-0.004, 0.004, -0.006, 2.306].map(hundredths), ["0.00", "0.00", "-0.01", "2.31"]);
        assert_eq!(hundredths(f64::NAN), "NaN");
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(clipped("L_I 2.1", 7), "L_I 2.1");
        assert_eq!(clipped("L_I 2.10", 7), "L_I 2.…");
        assert_eq!(clipped("abc", 0), "");
    }

    #[test]
    fn tables_line_up() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let rows = [row(["code", "NMI"]), row(["c1", "0.813"])];
        assert_eq!(table(&rows, 1), "code    NMI\nc1    0.813\n");
        assert_eq!(table(&rows, 2), "code  NMI\nc1    0.813\n");
        assert_eq!(table(&[], 1), "");
        assert_eq!(percent(0.1234), "12.3 %");
    }
}
