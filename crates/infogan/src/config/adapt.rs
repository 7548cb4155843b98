//! Layer tables brought to pictures of another size or with other channels.
//!
//! A DCGAN doubles the side of its maps in every row of stride 2, from a base of a few pixels. Another size takes another
//! base or another number of such rows: rows are added where maps are smallest, each twice as wide as its neighbour, or
//! taken away there.

use super::{Config, ConfigError};
use crate::nn::{LayerSpec, Map, Shape, Stack, parse_table};

/// Sides of the base that are tried; the nearest to the table's own is taken.
const BASES: std::ops::RangeInclusive<usize> = 4..=15;
/// Numbers of doublings that are tried.
const DOUBLINGS: std::ops::RangeInclusive<usize> = 1..=6;
/// Widest maps of an added row, unless the table has wider ones itself.
const WIDEST: usize = 512;
/// Sides of pictures for which sizes are suggested.
const SIDES: std::ops::RangeInclusive<usize> = 16..=256;

/// Changes generator and critic so that they make and read pictures `[channels, height, width]`. Tables that do so
/// already are left alone. Gives whether anything changed.
///
/// # Errors
/// [`ConfigError`] when the pictures are not square, when no number of doublings gives their side (the nearest sizes that
/// work are named), or when the table is not a DCGAN's.
pub fn adapt(config: &mut Config, [channels, height, width]: [usize; 3]) -> Result<bool, ConfigError> {
    if makes(config) == Some(Shape::Map([channels, height, width])) {
        return Ok(false);
    }
    let generator = Table::read("generator.layers", &config.generator.layers, config.generator.slope)?;
    let critic = Table::read("critic.layers", &config.critic.layers, config.critic.slope)?;
    let (_, base, _) = generator.base()?;
    if height != width {
        return Err(ConfigError::new(
            "data.size",
            format!("pictures of {height}×{width} are not square; give layer tables for them"),
        ));
    }
    let doublings = generator.strided.len();
    // The nearest base by ratio; of two, the smaller one with more rows.
    let off = |candidate: usize| (candidate.max(base) as f64) / (candidate.min(base) as f64);
    let own = (height == base << doublings).then_some((doublings, base));
    let found = own.or_else(|| {
        DOUBLINGS
            .filter_map(|doublings| Some((doublings, base_of(height, doublings)?)))
            .min_by(|left, right| off(left.1).total_cmp(&off(right.1)).then(right.0.cmp(&left.0)))
    });
    let Some((wanted, base)) = found else { return Err(no_such_size(height)) };
    config.generator.layers = generator.regrown(wanted, base, channels);
    config.critic.layers = critic.deepened(wanted as isize - doublings as isize);
    Ok(true)
}

/// What the generator makes as it stands; none where its table has faults, which are told elsewhere.
fn makes(config: &Config) -> Option<Shape> {
    let (lines, width) = (&config.generator.layers, config.latent().width());
    let rows = parse_table(lines, config.generator.slope).ok()?;
    Stack::new("layers", &rows, lines, Shape::Flat(width), config.init).ok().map(|stack| stack.output())
}

/// The base that gives this side after so many doublings.
fn base_of(side: usize, doublings: usize) -> Option<usize> {
    let base = side >> doublings;
    (base << doublings == side && BASES.contains(&base)).then_some(base)
}

/// Whether a side is a base doubled a few times.
fn is_size(side: usize) -> bool {
    DOUBLINGS.into_iter().any(|doublings| base_of(side, doublings).is_some())
}

fn no_such_size(side: usize) -> ConfigError {
    let below = SIDES.rev().find(|&other| other < side && is_size(other));
    let above = SIDES.into_iter().find(|&other| other > side && is_size(other));
    let near: Vec<String> = [below, above].into_iter().flatten().map(|side| side.to_string()).collect();
    ConfigError::new(
        "data.size",
        format!(
            "{side} pixels are no base of 4 to 15 pixels doubled a few times; the nearest sizes that the networks take \
             are {} (--size)",
            near.join(" and ")
        ),
    )
}

/// A layer table with its rows understood.
struct Table<'a> {
    key: &'static str,
    lines: &'a [String],
    rows: Vec<LayerSpec>,
    /// Rows of stride 2, in order.
    strided: Vec<usize>,
}

impl<'a> Table<'a> {
    fn read(key: &'static str, lines: &'a [String], slope: f64) -> Result<Self, ConfigError> {
        let rows = parse_table(lines, slope)
            .map_err(|error| ConfigError::new(format!("{key}.{}", error.row), error.to_string()))?;
        let mut strided = Vec::new();
        for (row, spec) in rows.iter().enumerate() {
            match spec.map {
                Map::Conv(_, window) | Map::UpConv(_, window) if window.stride == 2 => strided.push(row),
                Map::Conv(_, window) | Map::UpConv(_, window) if window.stride > 2 => {
                    return Err(ConfigError::new(
                        format!("{key}.{row}"),
                        "has a stride above 2: the networks cannot be brought to another size by themselves; give \
                         layer tables for it",
                    ));
                }
                _ => {}
            }
        }
        if strided.is_empty() {
            return Err(ConfigError::new(
                key,
                "has no row of stride 2: the networks cannot be brought to another size by themselves; give layer \
                 tables for it",
            ));
        }
        Ok(Self { key, lines, rows, strided })
    }

    /// The row whose vector becomes maps, with their side and channels.
    fn base(&self) -> Result<(usize, usize, usize), ConfigError> {
        let found = self.rows.iter().enumerate().find_map(|(row, spec)| match spec.map {
            Map::Linear(Shape::Map([channels, height, width])) if height == width => {
                Some((row, height, channels))
            }
            _ => None,
        });
        found.ok_or_else(|| {
            ConfigError::new(self.key, "has no row such as 'fc 7x7x128' from which square maps grow")
        })
    }

    /// The generator's table with so many rows of stride 2, from maps of this side to pictures of so many channels.
    fn regrown(&self, wanted: usize, side: usize, channels: usize) -> Vec<String> {
        let mut lines = self.lines.to_vec();
        let (base, _, mut width) = self.base().unwrap_or_default();
        if let Some(last) = self.rows.iter().rposition(|row| width_of(row).is_some()) {
            lines[last] = with_size(&lines[last], &channels.to_string());
        }
        let (has, widest) = (self.strided.len(), WIDEST.max(width));
        if wanted < has {
            // The first rows go; the base takes the width of the last of them.
            for &row in self.strided[..has - wanted].iter().rev() {
                lines.remove(row);
            }
            width = width_of(&self.rows[self.strided[has - wanted - 1]]).unwrap_or(width);
        }
        for _ in has..wanted {
            // Right above the base: as the first row of stride 2 if another follows it, else with the base's modifiers.
            let like = if has > 1 {
                self.lines[self.strided[0]].clone()
            } else {
                let words: Vec<&str> = self.lines[base].split_whitespace().skip(2).collect();
                format!("upconv 1 k4 s2 {}", words.join(" "))
            };
            lines.insert(base + 1, with_size(like.trim(), &width.to_string()));
            width = (2 * width).min(widest);
        }
        lines[base] = with_size(&lines[base], &format!("{side}x{side}x{width}"));
        lines
    }

    /// The critic's table with so many more rows of stride 2 (fewer where negative).
    fn deepened(&self, more: isize) -> Vec<String> {
        let mut lines = self.lines.to_vec();
        let has = self.strided.len();
        if more < 0 {
            // One row at least stays.
            let gone = more.unsigned_abs().min(has - 1);
            for &row in self.strided[has - gone..].iter().rev() {
                lines.remove(row);
            }
            return lines;
        }
        let last = self.strided[has - 1];
        let mut width = width_of(&self.rows[last]).unwrap_or(1);
        let widest = WIDEST.max(width);
        for step in 0..more.unsigned_abs() {
            width = (2 * width).min(widest);
            lines.insert(last + 1 + step, with_size(&self.lines[last], &width.to_string()));
        }
        lines
    }
}

/// Maps that a row makes.
fn width_of(row: &LayerSpec) -> Option<usize> {
    match row.map {
        Map::Conv(channels, _) | Map::UpConv(channels, _) => Some(channels),
        Map::Linear(_) | Map::Up(_) => None,
    }
}

/// A row with another size: its second word.
fn with_size(line: &str, size: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if let Some(word) = words.get_mut(1) {
        *word = size;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Resolver;

    fn adapted(preset: &str, picture: [usize; 3]) -> Result<Config, String> {
        let mut config =
            Resolver::preset(preset).and_then(Resolver::finish).map_err(|error| error.to_string())?;
        adapt(&mut config, picture).map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn rows_are_added_where_maps_are_smallest() {
        let config = adapted("mnist", [3, 64, 64]).unwrap();
        let generator = [
            "fc 1024 bn relu",
            "fc 8x8x256 bn relu",
            "upconv 128 k4 s2 bn relu",
            "upconv 64 k4 s2 bn relu",
            "upconv 3 k4 s2 sigmoid",
        ];
        assert_eq!(config.generator.layers, generator);
        let critic =
            ["conv 64 k4 s2 lrelu", "conv 128 k4 s2 bn lrelu", "conv 256 k4 s2 bn lrelu", "fc 1024 bn lrelu"];
        assert_eq!(config.critic.layers, critic);
    }

    #[test]
    fn what_fits_is_left_alone() {
        let before = adapted("mnist", [1, 28, 28]).unwrap();
        assert_eq!(before, Resolver::preset("mnist").and_then(Resolver::finish).unwrap());
        // Another base is enough for 32, and other channels for colour.
        let config = adapted("mnist", [3, 32, 32]).unwrap();
        assert_eq!(config.generator.layers[1..3], ["fc 8x8x128 bn relu", "upconv 64 k4 s2 bn relu"]);
        assert_eq!(config.critic.layers, before.critic.layers);
    }

    #[test]
    fn rows_are_taken_away_for_small_pictures() {
        let config = adapted("mnist", [1, 16, 16]).unwrap();
        assert_eq!(
            config.generator.layers,
            ["fc 1024 bn relu", "fc 8x8x64 bn relu", "upconv 1 k4 s2 sigmoid"]
        );
        assert_eq!(config.critic.layers, ["conv 64 k4 s2 lrelu", "fc 1024 bn lrelu"]);
    }

    /// Rows of stride 1 stay where they are.
    #[test]
    fn rows_that_double_nothing_are_not_taken_for_those_that_do() {
        let config = adapted("chairs-rotation", [1, 128, 128]).unwrap();
        let rows =
            ["fc 1024 bn relu", "fc 8x8x512 bn relu", "upconv 256 k4 s2 bn relu", "upconv 256 k4 s1 bn relu"];
        assert_eq!(config.generator.layers[..4], rows);
        for side in [32, 48, 128] {
            let config = adapted("chairs-rotation", [1, side, side]).unwrap();
            let game = crate::game::Game::new(&config, [1, side, side], burn::tensor::Device::flex());
            assert!(game.is_ok(), "{side}: {:?}", config.generator.layers);
        }
    }

    #[test]
    fn every_size_that_is_named_builds_networks_of_that_size() {
        for side in SIDES.filter(|&side| is_size(side)) {
            for channels in [1, 3] {
                let config = adapted("mnist", [channels, side, side]).unwrap();
                let game =
                    crate::game::Game::new(&config, [channels, side, side], burn::tensor::Device::flex());
                assert!(game.is_ok(), "{channels}×{side}×{side}: {:?}", config.generator.layers);
            }
        }
        for side in [28, 32, 48, 64, 96, 128, 256] {
            assert!(is_size(side), "{side}");
        }
    }

    #[test]
    fn impossible_sizes_name_their_neighbours() {
        let error = adapted("mnist", [3, 100, 100]).unwrap_err();
        assert!(error.contains("96 and 104"), "{error}");
        assert!(adapted("mnist", [3, 32, 64]).unwrap_err().contains("not square"));
    }
}
