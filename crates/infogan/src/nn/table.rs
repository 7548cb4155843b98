//! Tables of layers as the papers print them, one line of text a layer.
//!
//! ```text
//! fc 1024 bn relu            linear map to 1024 units
//! fc 7x7x128 bn relu         linear map, reshaped to 128 maps of 7×7
//! conv 64 k4 s2 lrelu        convolution to 64 maps
//! upconv 1 k4 s2 sigmoid     transposed convolution to one map
//! up 2                       every pixel of the maps twice in either direction
//! ```
//!
//! Padding is "SAME" unless `pN` is given. Every map has a bias unless `nobias` is given. `lrelu` takes the slope
//! of its network, `lrelu0.2` its own. `sn` divides the weight of `fc` or `conv` by its largest singular value.

use infogan_ops::{Activation, Window};

/// Shape of one sample between layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A vector of units.
    Flat(usize),
    /// Channels, height, width.
    Map([usize; 3]),
}

impl Shape {
    /// Number of elements.
    pub fn count(self) -> usize {
        match self {
            Self::Flat(units) => units,
            // Saturating: absurd tables are refused by their size, not by an overflow.
            Self::Map([channels, height, width]) => channels.saturating_mul(height).saturating_mul(width),
        }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flat(units) => write!(f, "{units}"),
            Self::Map([channels, height, width]) => write!(f, "{channels}×{height}×{width}"),
        }
    }
}

/// The linear map of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Map {
    /// Fully connected; the output is a vector or is reshaped to maps.
    Linear(Shape),
    /// Convolution to so many maps.
    Conv(usize, Window),
    /// Transposed convolution to so many maps.
    UpConv(usize, Window),
    /// Maps so many times as high and wide, by repeating pixels. It has no parameters.
    Up(usize),
}

/// One line of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerSpec {
    /// The linear map.
    pub map: Map,
    /// Whether the map has a bias.
    pub bias: bool,
    /// Whether batch norm stands between map and activation.
    pub norm: bool,
    /// Whether the weight is spectrally normalised.
    pub spectral: bool,
    /// The non-linearity.
    pub activation: Activation,
}

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("row {row} \"{line}\": {reason}")]
pub struct TableError {
    /// Row, counted from 0.
    pub row: usize,
    /// The row as written.
    pub line: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// Largest number of units or maps a row may ask for: far above any real network.
const LIMIT: usize = 1 << 20;
/// Largest kernel, stride and padding.
const WINDOW_LIMIT: usize = 512;
/// Largest factor of `up`.
const FACTOR_LIMIT: usize = 16;
/// Largest side of maps.
pub(super) const SIDE_LIMIT: usize = 4096;

/// Reads a table. `slope` is what a bare `lrelu` means.
///
/// # Errors
/// [`TableError`] names the row, the reason and the allowed words.
pub fn parse_table(lines: &[String], slope: f64) -> Result<Vec<LayerSpec>, TableError> {
    let parse = |(row, line): (usize, &String)| {
        parse_row(line, slope).map_err(|reason| TableError { row, line: line.clone(), reason })
    };
    lines.iter().enumerate().map(parse).collect()
}

fn parse_row(line: &str, slope: f64) -> Result<LayerSpec, String> {
    let mut words = line.split_whitespace();
    let kind = words.next().ok_or("is empty; a row begins with fc, conv, upconv or up")?;
    if kind == "up" {
        return parse_up(words.collect());
    }
    if !["fc", "conv", "upconv"].contains(&kind) {
        return Err(format!("'{kind}' is not a layer; a row begins with fc, conv, upconv or up"));
    }
    let size = words.next().ok_or(format!("{kind} needs a size, as in '{kind} 64'"))?;
    let (mut kernel, mut stride, mut padding) = (None, None, None);
    let (mut bias, mut norm, mut spectral) = (true, false, false);
    let mut activation = Activation::Identity;
    for word in words {
        let convolution = kind != "fc";
        match word {
            "bn" => norm = true,
            "nobias" => bias = false,
            "sn" if kind == "upconv" => {
                return Err("'sn' is not for upconv: the weight of a transposed convolution lies [in, out, k, k], and \
                            which of its matrices is meant differs between programs; upsample instead, as in 'up 2' and \
                            then 'conv 64 k3 sn'"
                    .to_owned());
            }
            "sn" => spectral = true,
            "relu" => activation = Activation::Relu,
            "tanh" => activation = Activation::Tanh,
            "sigmoid" => activation = Activation::Sigmoid,
            "lrelu" => activation = Activation::LeakyRelu(slope),
            _ => match (word.split_at_checked(1), word.strip_prefix("lrelu")) {
                (_, Some(own)) => activation = Activation::LeakyRelu(slope_of(own)?),
                (Some(("k", n)), _) if convolution => kernel = Some(number(n, word, 1, WINDOW_LIMIT)?),
                (Some(("s", n)), _) if convolution => stride = Some(number(n, word, 1, WINDOW_LIMIT)?),
                (Some(("p", n)), _) if convolution => padding = Some(number(n, word, 0, WINDOW_LIMIT)?),
                _ => {
                    let window = if convolution { "kN (kernel), sN (stride), pN (padding), " } else { "" };
                    let sn = if kind == "upconv" { "" } else { "sn, " };
                    return Err(format!(
                        "'{word}' is not known here; allowed after the size: {window}bn, {sn}nobias, relu, lrelu, \
                         lrelu0.2, tanh, sigmoid"
                    ));
                }
            },
        }
    }
    let map = match kind {
        "fc" => Map::Linear(linear_shape(size)?),
        _ => {
            let kernel = kernel.ok_or(format!("{kind} needs a kernel, as in '{kind} {size} k4 s2'"))?;
            let stride = stride.unwrap_or(1);
            let window = match padding {
                Some(padding) => Window::padded(kernel, stride, padding),
                None => Window::same(kernel, stride),
            };
            let channels = number(size, size, 1, LIMIT)?;
            if kind == "conv" { Map::Conv(channels, window) } else { Map::UpConv(channels, window) }
        }
    };
    Ok(LayerSpec { map, bias, norm, spectral, activation })
}

/// The words after `up`: a factor, or none for 2.
fn parse_up(words: Vec<&str>) -> Result<LayerSpec, String> {
    let factor = match words[..] {
        [] => 2,
        [factor] => number(factor, factor, 2, FACTOR_LIMIT)?,
        _ => {
            return Err(
                "up takes a factor and nothing else, as in 'up 2'; what follows is a row of its own".into()
            );
        }
    };
    let (bias, norm, spectral) = (false, false, false);
    Ok(LayerSpec { map: Map::Up(factor), bias, norm, spectral, activation: Activation::Identity })
}

fn number(text: &str, word: &str, least: usize, most: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|n| (least..=most).contains(n))
        .ok_or_else(|| format!("'{word}' is not a size; allowed here: whole numbers from {least} to {most}"))
}

fn slope_of(text: &str) -> Result<f64, String> {
    let slope = text.parse::<f64>().ok().filter(|slope| (0.0..1.0).contains(slope));
    slope
        .ok_or_else(|| format!("'lrelu{text}' is not a leaky ReLU; its slope lies in [0, 1), as in lrelu0.2"))
}

fn linear_shape(size: &str) -> Result<Shape, String> {
    let sides = size.split('x').map(|side| number(side, size, 1, LIMIT)).collect::<Result<Vec<_>, _>>()?;
    match sides[..] {
        [units] => Ok(Shape::Flat(units)),
        [height, width, channels] => Ok(Shape::Map([channels, height, width])),
        _ => Err(format!("'{size}' is neither a width (fc 1024) nor height×width×channels (fc 7x7x128)")),
    }
}
