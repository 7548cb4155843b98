//! The benchmark's Candle contestant: README.md in the folder above has the protocol.

mod nets;

use std::{
    collections::HashMap,
    error::Error,
    io::{BufRead, Write},
    time::Instant,
};

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{AdamW, ModuleT, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use nets::{BATCH, Critic, Game, Net, Truth, softplus};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// More than one, so that no batch stays in the cache because of the benchmark.
const REAL_BATCHES: usize = 4;

/// A network to train, and the same weights once more as constants, to run it without recording.
struct Player<N> {
    trained: N,
    constant: N,
    optimizer: AdamW,
}

impl<N> Player<N> {
    fn new(rate: f64, build: impl Fn(&VarBuilder) -> Result<N>) -> Result<Self> {
        let weights = VarMap::new();
        let trained = build(&VarBuilder::from_varmap(&weights, DType::F32, &Device::Cpu))?;
        // A detached tensor shares its storage, so it follows every update.
        let detached = |(name, var): (&String, &Var)| (name.clone(), var.as_detached_tensor());
        let shared = weights.data().lock().expect("nobody panics with it").iter().map(detached).collect();
        let constant = build(&VarBuilder::from_tensors(shared, DType::F32, &Device::Cpu))?;
        let adam = ParamsAdamW { lr: rate, beta1: 0.5, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 };
        Ok(Self { trained, constant, optimizer: AdamW::new(weights.all_vars(), adam)? })
    }

    fn update(&mut self, adversarial: Tensor, codes: Option<Tensor>) -> Result<()> {
        let mut total = adversarial.to_scalar::<f32>()?; // a trainer reads its losses, for the log
        let loss = match codes {
            Some(codes) => {
                total += codes.to_scalar::<f32>()?;
                (adversarial + codes)?
            }
            None => adversarial,
        };
        if !total.is_finite() {
            candle_core::bail!("a loss is not finite");
        }
        self.optimizer.step(&loss.backward()?)
    }
}

/// A row whose iteration is one training step: critic, then generator.
struct Training {
    game: Game,
    reused: bool,
    generator: Player<Net>,
    critic: Player<Critic>,
    real: Vec<Tensor>,
    steps: usize,
}

impl Training {
    fn new(game: Game, reused: bool) -> Result<Self> {
        let (critic, generator) = game.rates();
        let (channels, height, width) = game.picture();
        let real = || Tensor::rand(0f32, 1f32, (BATCH, channels, height, width), &Device::Cpu);
        Ok(Self {
            game,
            reused,
            generator: Player::new(generator, |vb| game.generator(vb))?,
            critic: Player::new(critic, |vb| game.critic(vb))?,
            real: (0..REAL_BATCHES).map(|_| real()).collect::<Result<_>>()?,
            steps: 0,
        })
    }

    fn generate(&self, record: bool) -> Result<(Tensor, Option<Truth>)> {
        let (latents, truth) = self.game.draw(BATCH)?;
        let generator = if record { &self.generator.trained } else { &self.generator.constant };
        Ok((generator.forward_t(&latents, true)?, truth))
    }

    fn step(&mut self) -> Result<()> {
        let real = &self.real[self.steps % REAL_BATCHES];
        let (mut fake, mut truth) = self.generate(self.reused)?;
        let (on_real, _) = self.critic.trained.judge(real, None)?;
        let (on_fake, codes) = self.critic.trained.judge(&fake.detach(), truth.as_ref())?;
        self.critic.update((softplus(&on_real.neg()?)? + softplus(&on_fake)?)?, codes)?;

        if !self.reused {
            (fake, truth) = self.generate(true)?;
        }
        let (on_fake, codes) = self.critic.constant.judge(&fake, truth.as_ref())?;
        self.generator.update(softplus(&on_fake.neg()?)?, codes)?;
        self.steps += 1;
        Ok(())
    }
}

enum Row {
    Training(Box<Training>),
    /// One forward pass of the InfoGAN generator with stored statistics, on these latents.
    Generation(Net, Tensor),
}

impl Row {
    fn new(name: &str) -> Result<Self> {
        let generation = |batch| {
            let weights = VarBuilder::from_varmap(&VarMap::new(), DType::F32, &Device::Cpu);
            Ok(Self::Generation(Game::InfoGan.generator(&weights)?, Game::InfoGan.draw(batch)?.0))
        };
        match name {
            "infogan-reused" => Ok(Self::Training(Box::new(Training::new(Game::InfoGan, true)?))),
            "infogan-fresh" => Ok(Self::Training(Box::new(Training::new(Game::InfoGan, false)?))),
            "dcgan-svhn" => Ok(Self::Training(Box::new(Training::new(Game::Dcgan, false)?))),
            "generator-64" => generation(64),
            "generator-1" => generation(1),
            _ => candle_core::bail!("no such row"),
        }
    }

    fn step(&mut self) -> Result<()> {
        match self {
            Self::Training(training) => training.step(),
            Self::Generation(generator, latents) => generator.forward_t(latents, false).map(drop),
        }
    }
}

fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn answer(request: &Value, rows: &mut HashMap<String, Row>) -> Result<Value> {
    let name = request["row"].as_str().unwrap_or_default();
    let task = if name == "memory" { "infogan-fresh" } else { name };
    let row = match rows.entry(task.to_owned()) {
        std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::hash_map::Entry::Vacant(entry) => entry.insert(Row::new(task)?),
    };
    let count = |key: &str| request[key].as_u64().unwrap_or(0);
    for _ in 0..count("warmup") {
        row.step()?;
    }
    let mut ms = Vec::new();
    for _ in 0..count("iterations") {
        let begun = Instant::now();
        row.step()?;
        ms.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(if name == "memory" {
        json!({"row": name, "peak_mb": peak_mb()})
    } else {
        json!({"row": name, "ms": ms})
    })
}

fn candle_version() -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let entry = lock.split_once("name = \"candle-core\"\nversion = \"").map(|(_, after)| after);
    entry.and_then(|entry| entry.split('"').next()).unwrap_or("unknown")
}

fn serve() -> std::result::Result<(), Box<dyn Error>> {
    let say = |message: Value| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{message}").and_then(|()| out.flush())
    };
    say(json!({"ready": true, "versions": {"candle": candle_version()}}))?;
    let mut rows = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        say(answer(&request, &mut rows).unwrap_or_else(|error| {
            let reason = error.to_string();
            json!({"row": request["row"], "missing": reason.lines().next()}) // the rest is a backtrace
        }))?;
    }
    Ok(())
}

fn first_picture(weights: &str, out: &str) -> std::result::Result<(), Box<dyn Error>> {
    let weights = candle_core::safetensors::load(weights, &Device::Cpu)?;
    let generator = Game::InfoGan.generator(&VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu))?;
    let (latents, _) = Game::InfoGan.draw(1)?;
    let picture = (generator.forward_t(&latents, false)? * 255.0)?.round()?.to_dtype(DType::U8)?;
    let (_, _, height, width) = picture.dims4()?;
    let mut png = png::Encoder::new(std::fs::File::create(out)?, width as u32, height as u32);
    png.set_color(png::ColorType::Grayscale);
    png.write_header()?.write_image_data(&picture.flatten_all()?.to_vec1::<u8>()?)?;
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut picture = None;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} lacks a value"));
        match argument.as_str() {
            "--threads" => {
                let threads = value()?;
                // SAFETY: no other thread runs yet.
                unsafe { std::env::set_var("RAYON_NUM_THREADS", threads) };
            }
            "--first-picture" => picture = Some((value()?, value()?)),
            _ => Err("usage: candle-peer [--threads N] [--first-picture WEIGHTS OUT]")?,
        }
    }
    match picture {
        Some((weights, out)) => first_picture(&weights, &out),
        None => serve(),
    }
}
