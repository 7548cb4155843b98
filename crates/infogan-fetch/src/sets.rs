//! The six sets. Addresses are those torchvision and TensorFlow Datasets use; lengths and hashes say in `origin`
//! where they are from.

use crate::source::{Check, Covers, Member, Origin, RemoteFile, Size, Source};

/// Every set that can be fetched.
pub const SETS: &[Source] = &[
    Source {
        name: "mnist",
        title: "MNIST",
        base: "https://ossci-datasets.s3.amazonaws.com/mnist/",
        files: &[
            idx(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                47_040_016,
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            ),
            idx(
                "train-labels-idx1-ubyte.gz",
                28_881,
                60_008,
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
            idx(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                7_840_016,
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            ),
            idx(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                10_008,
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ],
    },
    Source {
        name: "fashion-mnist",
        title: "Fashion-MNIST",
        base: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        files: &[
            idx(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                47_040_016,
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            ),
            idx(
                "train-labels-idx1-ubyte.gz",
                29_515,
                60_008,
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            ),
            idx(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                7_840_016,
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            ),
            idx(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                10_008,
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ),
        ],
    },
    Source {
        name: "cifar10",
        title: "CIFAR-10",
        base: "https://www.cs.toronto.edu/~kriz/",
        files: &[RemoteFile {
            members: &[
                exactly("cifar-10-batches-bin/data_batch_1.bin", 30_730_000),
                exactly("cifar-10-batches-bin/data_batch_2.bin", 30_730_000),
                exactly("cifar-10-batches-bin/data_batch_3.bin", 30_730_000),
                exactly("cifar-10-batches-bin/data_batch_4.bin", 30_730_000),
                exactly("cifar-10-batches-bin/data_batch_5.bin", 30_730_000),
                exactly("cifar-10-batches-bin/test_batch.bin", 30_730_000),
                text("cifar-10-batches-bin/batches.meta.txt"),
            ],
            ..published(
                "cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            )
        }],
    },
    Source {
        name: "cifar100",
        title: "CIFAR-100",
        base: "https://www.cs.toronto.edu/~kriz/",
        files: &[RemoteFile {
            members: &[
                exactly("cifar-100-binary/train.bin", 153_700_000),
                exactly("cifar-100-binary/test.bin", 30_740_000),
                text("cifar-100-binary/coarse_label_names.txt"),
                text("cifar-100-binary/fine_label_names.txt"),
            ],
            ..published(
                "cifar-100-binary.tar.gz",
                168_513_733,
                "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            )
        }],
    },
    Source {
        name: "stl10",
        title: "STL-10",
        base: "http://ai.stanford.edu/~acoates/stl10/",
        files: &[RemoteFile {
            members: &[
                exactly("stl10_binary/train_X.bin", 138_240_000),
                exactly("stl10_binary/train_y.bin", 5_000),
                exactly("stl10_binary/test_X.bin", 221_184_000),
                exactly("stl10_binary/test_y.bin", 8_000),
                exactly("stl10_binary/unlabeled_X.bin", 2_764_800_000),
                text("stl10_binary/class_names.txt"),
                text("stl10_binary/fold_indices.txt"),
            ],
            ..published(
                "stl10_binary.tar.gz",
                2_640_397_119,
                "f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
            )
        }],
    },
    Source {
        name: "svhn",
        title: "SVHN, cropped digits",
        base: "http://ufldl.stanford.edu/housenumbers/",
        files: &[
            published(
                "train_32x32.mat",
                182_040_794,
                "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
            ),
            published(
                "test_32x32.mat",
                64_275_384,
                "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
            ),
            RemoteFile {
                optional: true,
                ..published(
                    "extra_32x32.mat",
                    1_329_278_602,
                    "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3",
                )
            },
        ],
    },
];

/// The set of this name.
pub fn find(name: &str) -> Option<&'static Source> {
    SETS.iter().find(|set| set.name == name)
}

/// A gzip file known by what is inside.
const fn idx(name: &'static str, bytes: u64, inside: u64, sha256: &'static str) -> RemoteFile {
    let check = Check { sha256, covers: Covers::InsideGzip { bytes: inside }, origin: Origin::Ours };
    RemoteFile { name, bytes, optional: false, check, members: &[] }
}

/// A file that could not be had here, so that its hash is somebody else's.
const fn published(name: &'static str, bytes: u64, sha256: &'static str) -> RemoteFile {
    let check = Check { sha256, covers: Covers::File, origin: Origin::Published("TensorFlow Datasets") };
    RemoteFile { name, bytes, optional: false, check, members: &[] }
}

const fn exactly(path: &'static str, bytes: u64) -> Member {
    Member { path, size: Size::Exactly(bytes) }
}

const fn text(path: &'static str) -> Member {
    Member { path, size: Size::AtMost(1024 * 1024) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// One plain component: it can leave no folder and means the same on every system.
    fn plain(name: &str) -> bool {
        let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(sane)
    }

    #[test]
    fn the_table_is_sound() {
        let names: BTreeSet<&str> = SETS.iter().map(|set| set.name).collect();
        assert_eq!(
            names.into_iter().collect::<Vec<_>>(),
            ["cifar10", "cifar100", "fashion-mnist", "mnist", "stl10", "svhn"]
        );
        let mut hashes = BTreeSet::new();
        for set in SETS {
            let base = url::Url::parse(set.base).expect("a base is an address");
            assert!(["http", "https"].contains(&base.scheme()) && set.base.ends_with('/'), "{}", set.base);
            for file in set.files {
                assert!(plain(file.name), "{}", file.name);
                let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                assert!(file.check.sha256.len() == 64 && file.check.sha256.bytes().all(hex), "{}", file.name);
                assert!(hashes.insert(file.check.sha256), "{} has the hash of another file", file.name);
                assert!(file.bytes > 0 && file.most_bytes() >= file.bytes);
                assert_eq!(file.name.ends_with(".tar.gz"), !file.members.is_empty(), "{}", file.name);
                for member in file.members {
                    assert!(member.path.split('/').all(plain), "{}", member.path);
                    assert!(member.size.most() > 0);
                }
            }
        }
        assert!(find("mnist").is_some() && find("MNIST").is_none() && find("").is_none());
        let svhn = find("svhn").expect("SVHN is in the table");
        assert_eq!(svhn.bytes(true) - svhn.bytes(false), 1_329_278_602);
    }
}
