#![no_main]
//! The binary files of CIFAR-10 and CIFAR-100, one after the other from the same bytes.

use std::{path::PathBuf, sync::LazyLock};

use infogan_data::{Split, load_cifar10_dir, load_cifar100_dir};
use infogan_fuzz_data::{folder, put};
use libfuzzer_sys::fuzz_target;

static TEN: LazyLock<PathBuf> = LazyLock::new(|| folder("cifar10"));
static HUNDRED: LazyLock<PathBuf> = LazyLock::new(|| folder("cifar100"));

fuzz_target!(|input: &[u8]| {
    put(&TEN, "test_batch.bin", input);
    put(&HUNDRED, "test.bin", input);
    let ten = load_cifar10_dir(&TEN, Split::Test);
    let hundred = load_cifar100_dir(&HUNDRED, Split::Test);
    assert!(ten.is_err() || input.len() % 3073 == 0);
    assert!(hundred.is_err() || input.len() % 3074 == 0);
});
