//! Ten training steps of a small InfoGAN on every device of this machine beside the CPU, against the CPU, and a
//! checkpoint that goes from one to the other. Without such a device the tests say so and pass.
//!
//! The networks are smooth (tanh) and Adam's ε is 1e-3, for the reasons in `parity.rs`: what rounding tips over a kink,
//! or divides by nothing, says nothing about the device.
#![cfg(any(feature = "cuda", feature = "metal", feature = "vulkan", feature = "webgpu"))]

mod common;

use std::collections::BTreeMap;

use burn::tensor::Device;
use common::*;
use infogan::{
    config::Config,
    tasks::{GameTask, Task},
    train::state::State,
};
use infogan_ops::device::{self, DeviceError, KINDS};

/// The first device of every kind in this build that this machine has, with how far it may be from the CPU.
fn devices() -> Vec<(&'static str, Device, f64)> {
    let mut all = Vec::new();
    for kind in KINDS {
        match device::resolve(kind) {
            // CUDA multiplies matrices in TF32, which keeps ten bits of a fraction.
            Ok(device) => all.push((kind, device, if kind == "cuda" { 3e-2 } else { 1e-3 })),
            Err(DeviceError::NotBuilt { .. }) => {}
            Err(error @ DeviceError::NoneFound { .. }) => println!("skipped: {error}"),
            Err(error) => panic!("{error}"),
        }
    }
    all
}

fn smooth() -> Config {
    toy(&[
        "generator.layers=['fc 8 bn tanh','fc 2x2x8 bn tanh','upconv 8 k4 s2 bn tanh','upconv 1 k4 s2 sigmoid']",
        "critic.layers=['conv 8 k4 s2 tanh','conv 8 k4 s2 bn tanh','fc 8 bn tanh']",
        "terms.codes.head=['fc 8 bn tanh']",
        "optimizers.critic.epsilon=1e-3",
        "optimizers.generator.epsilon=1e-3",
    ])
}

fn task_on(config: &Config, device: &Device) -> GameTask {
    GameTask::new(config, pictures([1, 8, 8], 24), device.clone()).unwrap()
}

/// How far steps moved every network, parameter after parameter.
fn moved(task: &GameTask, from: &State, to: &State) -> BTreeMap<String, Vec<f64>> {
    let (from, to) = (from.sections_to_host(), to.sections_to_host());
    let difference = |network: &String| -> Vec<f64> {
        (from[network].iter().zip(&to[network]))
            .flat_map(|((_, from), (_, to))| from.values.iter().zip(&to.values))
            .map(|(from, to)| f64::from(*to) - f64::from(*from))
            .collect()
    };
    task.game().networks().iter().map(|(network, _)| (network.clone(), difference(network))).collect()
}

fn norm(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn ten_steps_come_out_as_on_the_cpu() {
    let config = smooth();
    let run = |device: &Device| {
        let task = task_on(&config, device);
        let (start, mut state) = (task.init(), task.init());
        steps(&task, &mut state, 10);
        moved(&task, &start, &state)
    };
    let reference = run(&Device::flex());
    for (kind, device, limit) in devices() {
        for (network, ours) in run(&device) {
            let reference = &reference[&network];
            assert_eq!(ours.len(), reference.len());
            let apart =
                norm(ours.iter().zip(reference).map(|(a, b)| a - b)) / norm(reference.iter().copied());
            println!("{kind}, {network}: {apart:.1e} from the CPU");
            assert!(apart <= limit, "{kind}, {network}: {apart:.1e} from the CPU");
        }
    }
}

#[test]
fn a_checkpoint_goes_from_device_to_device() {
    let config = smooth();
    let host = task_on(&config, &Device::flex());
    for (kind, device, _) in devices() {
        let there = task_on(&config, &device);
        let mut state = there.init();
        steps(&there, &mut state, 2);
        let mut back = through_disk(&host, &state);
        assert_eq!(differing(&state, &back), Vec::<String>::new(), "{kind} to the CPU");
        steps(&host, &mut back, 2);
        let mut again = through_disk(&there, &back);
        assert_eq!(differing(&back, &again), Vec::<String>::new(), "the CPU to {kind}");
        steps(&there, &mut again, 1);
    }
}
