//! The games of the benchmark in Candle's layers: networks, latents, losses.

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::{
    BatchNorm, Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig, Linear, Module, ModuleT,
    VarBuilder, batch_norm, conv_transpose2d, conv_transpose2d_no_bias, conv2d, conv2d_no_bias, linear_b,
    loss, ops,
};

pub const BATCH: usize = 128;
const NOISE: usize = 62;
const DIGITS: usize = 10;
const NUMBERS: usize = 2;
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

#[derive(Clone, Copy, PartialEq)]
pub enum Game {
    /// The networks and latents of the preset `mnist`: every map has a bias, also before batch norm.
    InfoGan,
    /// DCGAN on 3×32×32 pictures; no bias where batch norm follows.
    Dcgan,
}

/// What a generator was given and a critic is to recover: digits `[N]` and numbers `[N, 2]`.
pub struct Truth {
    digits: Tensor,
    numbers: Tensor,
}

impl Game {
    /// Channels, height, width.
    pub fn picture(self) -> (usize, usize, usize) {
        if self == Self::InfoGan { (1, 28, 28) } else { (3, 32, 32) }
    }

    /// Rates of the critic's and the generator's optimiser.
    pub fn rates(self) -> (f64, f64) {
        (2e-4, if self == Self::InfoGan { 1e-3 } else { 2e-4 })
    }

    pub fn generator(self, vb: &VarBuilder) -> Result<Net> {
        let rows = match self {
            Self::InfoGan => vec![
                Row::fc(NOISE + DIGITS + NUMBERS, 1024).norm().then(Activation::Relu),
                Row::fc(1024, 6272).norm().then(Activation::Relu).shape(128, 7),
                Row::up(128, 64).norm().then(Activation::Relu),
                Row::up(64, 1).then(Activation::Sigmoid),
            ],
            Self::Dcgan => vec![
                Row::fc(128, 4096).no_bias().norm().then(Activation::Relu).shape(256, 4),
                Row::up(256, 128).no_bias().norm().then(Activation::Relu),
                Row::up(128, 64).no_bias().norm().then(Activation::Relu),
                Row::up(64, 3).then(Activation::Tanh),
            ],
        };
        Net::new(rows, vb.pp("layers"))
    }

    pub fn critic(self, vb: &VarBuilder) -> Result<Critic> {
        let slope = Activation::Leaky(if self == Self::InfoGan { 0.1 } else { 0.2 });
        let (trunk, features) = match self {
            Self::InfoGan => {
                let rows = vec![
                    Row::down(1, 64).then(slope),
                    Row::down(64, 128).norm().then(slope),
                    Row::fc(6272, 1024).norm().then(slope),
                ];
                (rows, 1024)
            }
            Self::Dcgan => {
                let rows = vec![
                    Row::down(3, 64).then(slope),
                    Row::down(64, 128).no_bias().norm().then(slope),
                    Row::down(128, 256).no_bias().norm().then(slope),
                ];
                (rows, 4096)
            }
        };
        // Ten logits, then a mean and a raw spread per number; the preset fixes the spread, so nobody reads the raw.
        let codes = vec![Row::fc(1024, 128).norm().then(slope), Row::fc(128, DIGITS + 2 * NUMBERS)];
        Ok(Critic {
            trunk: Net::new(trunk, vb.pp("trunk"))?,
            logit: Net::new(vec![Row::fc(features, 1)], vb.pp("head"))?,
            codes: if self == Self::InfoGan { Some(Net::new(codes, vb.pp("q"))?) } else { None },
        })
    }

    pub fn draw(self, batch: usize) -> Result<(Tensor, Option<Truth>)> {
        let device = &Device::Cpu;
        if self == Self::Dcgan {
            return Ok((Tensor::randn(0f32, 1f32, (batch, 128), device)?, None));
        }
        let noise = Tensor::rand(-1f32, 1f32, (batch, NOISE), device)?;
        let numbers = Tensor::rand(-1f32, 1f32, (batch, NUMBERS), device)?;
        let digits = Tensor::rand(0f32, DIGITS as f32, batch, device)?.to_dtype(DType::U32)?;
        let one_hot = Tensor::eye(DIGITS, DType::F32, device)?.index_select(&digits, 0)?;
        let latents = Tensor::cat(&[&noise, &one_hot, &numbers], 1)?;
        Ok((latents, Some(Truth { digits, numbers })))
    }
}

/// D, and Q on its last features where there are codes to recover.
pub struct Critic {
    trunk: Net,
    logit: Net,
    codes: Option<Net>,
}

impl Critic {
    /// Logits `[N, 1]`, and the code loss where the truth is given.
    pub fn judge(&self, pictures: &Tensor, truth: Option<&Truth>) -> Result<(Tensor, Option<Tensor>)> {
        let features = self.trunk.forward_t(pictures, true)?.flatten_from(1)?;
        let codes = match (&self.codes, truth) {
            (Some(codes), Some(truth)) => Some(code_loss(&codes.forward_t(&features, true)?, truth)?),
            _ => None,
        };
        Ok((self.logit.forward_t(&features, true)?, codes))
    }
}

fn code_loss(codes: &Tensor, truth: &Truth) -> Result<Tensor> {
    let digits = loss::cross_entropy(&codes.narrow(1, 0, DIGITS)?, &truth.digits)?;
    let pairs = codes.narrow(1, DIGITS, 2 * NUMBERS)?.reshape(((), NUMBERS, 2))?;
    let error = (&truth.numbers - pairs.narrow(2, 0, 1)?.squeeze(2)?)?;
    let nll = ((error.sqr()?.sum(D::Minus1)?.mean_all()? * 0.5)? + NUMBERS as f64 * HALF_LN_TAU)?;
    digits + nll // a normal of deviation 1
}

/// Binary cross-entropy on logits against the label 0; against 1 with the logits negated. Candle's own takes the
/// logarithm of a sigmoid, which is infinite where that rounds to 0.
pub fn softplus(logits: &Tensor) -> Result<Tensor> {
    (logits.relu()? + (logits.abs()?.neg()?.exp()? + 1.0)?.log()?)?.mean_all()
}

#[derive(Clone, Copy)]
enum Activation {
    Identity,
    Relu,
    Leaky(f64),
    Sigmoid,
    Tanh,
}

#[derive(Clone, Copy)]
enum Kind {
    Fc,
    Down,
    Up,
}

/// One row of a table of layers.
struct Row {
    kind: Kind,
    from: usize,
    to: usize,
    bias: bool,
    norm: bool,
    activation: Activation,
    shape: Option<(usize, usize)>,
}

impl Row {
    fn new(kind: Kind, from: usize, to: usize) -> Self {
        Self { kind, from, to, bias: true, norm: false, activation: Activation::Identity, shape: None }
    }

    fn fc(from: usize, to: usize) -> Self {
        Self::new(Kind::Fc, from, to)
    }

    fn down(from: usize, to: usize) -> Self {
        Self::new(Kind::Down, from, to)
    }

    fn up(from: usize, to: usize) -> Self {
        Self::new(Kind::Up, from, to)
    }

    fn no_bias(self) -> Self {
        Self { bias: false, ..self }
    }

    fn norm(self) -> Self {
        Self { norm: true, ..self }
    }

    fn then(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// Makes maps of a vector: channels and side.
    fn shape(self, channels: usize, side: usize) -> Self {
        Self { shape: Some((channels, side)), ..self }
    }
}

enum Map {
    Fc(Linear),
    Down(Conv2d),
    Up(ConvTranspose2d),
}

struct Layer {
    map: Map,
    norm: Option<BatchNorm>,
    activation: Activation,
    shape: Option<(usize, usize)>,
}

/// Layers in order, named as in a checkpoint of infogan: `0.weight`, `0.norm.weight`.
pub struct Net(Vec<Layer>);

impl Net {
    fn new(rows: Vec<Row>, vb: VarBuilder) -> Result<Self> {
        let layers = rows.iter().enumerate().map(|(index, row)| Layer::new(row, vb.pp(index)));
        Ok(Self(layers.collect::<Result<_>>()?))
    }
}

impl Layer {
    fn new(row: &Row, vb: VarBuilder) -> Result<Self> {
        let down = Conv2dConfig { padding: 1, stride: 2, ..Default::default() };
        let up = ConvTranspose2dConfig { padding: 1, stride: 2, ..Default::default() };
        let Row { from, to, bias, .. } = *row;
        let here = vb.clone();
        let map = match row.kind {
            Kind::Fc => Map::Fc(linear_b(from, to, bias, here)?),
            Kind::Down if bias => Map::Down(conv2d(from, to, 4, down, here)?),
            Kind::Down => Map::Down(conv2d_no_bias(from, to, 4, down, here)?),
            Kind::Up if bias => Map::Up(conv_transpose2d(from, to, 4, up, here)?),
            Kind::Up => Map::Up(conv_transpose2d_no_bias(from, to, 4, up, here)?),
        };
        let norm = if row.norm { Some(batch_norm(to, 1e-5, vb.pp("norm"))?) } else { None };
        Ok(Self { map, norm, activation: row.activation, shape: row.shape })
    }
}

impl ModuleT for Net {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        self.0.iter().try_fold(x.clone(), |x, layer| layer.forward_t(&x, train))
    }
}

impl ModuleT for Layer {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let x = match &self.map {
            Map::Fc(map) => map.forward(&x.flatten_from(1)?)?,
            Map::Down(map) => map.forward(x)?,
            Map::Up(map) => map.forward(x)?,
        };
        let x = match &self.norm {
            Some(norm) => norm.forward_t(&x, train)?,
            None => x,
        };
        let x = match self.activation {
            Activation::Identity => x,
            Activation::Relu => x.relu()?,
            Activation::Leaky(slope) => ops::leaky_relu(&x, slope)?,
            Activation::Sigmoid => ops::sigmoid(&x)?,
            Activation::Tanh => x.tanh()?,
        };
        match self.shape {
            Some((channels, side)) => x.reshape(((), channels, side, side)),
            None => Ok(x),
        }
    }
}
