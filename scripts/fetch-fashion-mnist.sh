#!/usr/bin/env bash
# Gets the Fashion-MNIST files (IDX, gzip, 30 MB) into DIR: scripts/fetch-fashion-mnist.sh DIR
#
# They come from the Debian package dataset-fashion-mnist (licence MIT, data included), unpacked without being
# installed: no root needed. Each file is checked against its SHA-256.
# Exit codes: 0 the files are there, 1 what arrived is wrong or DIR cannot be written, 2 wrong usage,
# 3 apt-get or dpkg-deb is missing or the archive cannot be reached.
set -eu

package=dataset-fashion-mnist
sums='b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7  train-images-idx3-ubyte.gz
0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056  train-labels-idx1-ubyte.gz
cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa  t10k-images-idx3-ubyte.gz
8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05  t10k-labels-idx1-ubyte.gz'

if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "usage: scripts/fetch-fashion-mnist.sh DIR" >&2
    exit 2
fi
dir=$1
case $dir in -*) dir=./$dir ;; esac

right() { (cd "$1" 2>/dev/null && printf '%s\n' "$sums" | sha256sum --check --status 2>/dev/null); }

if right "$dir"; then
    echo "Fashion-MNIST is already in $dir"
    exit 0
fi
for tool in apt-get dpkg-deb; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is not installed: this needs Debian or Ubuntu; elsewhere put the four files into $dir by hand" >&2
        exit 3
    fi
done

mkdir -p "$dir"
# Beside the files, so that the last step is a rename on the same disk.
work=$(mktemp -d "$dir/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "fetching $package (31 MB)"
# Without root apt-get cannot drop to its own user and says so: harmless, and kept out of sight.
if ! (cd "$work" && apt-get -q download "$package" >apt.log 2>&1); then
    reason=$(grep -m 1 '^E:' "$work/apt.log" || true)
    echo "the package archive cannot be reached (${reason:-apt-get download failed}): run apt-get update, or try again later" >&2
    exit 3
fi
files=$work/files/usr/share/datasets/fashion-mnist
if ! dpkg-deb -x "$work"/${package}_*.deb "$work/files" || ! right "$files"; then
    echo "what $package holds is not Fashion-MNIST as expected: nothing was kept" >&2
    exit 1
fi
printf '%s\n' "$sums" | while read -r _ file; do
    mv -f "$files/$file" "$dir/$file"
done
echo "Fashion-MNIST is in $dir"
