#!/usr/bin/env bash
# Installs the benchmark's peers into DIR, which lies outside of the work tree: bench/peers/install.sh DIR
#
# Makes DIR/venv with PyTorch and builds the Candle peer into DIR/candle, then prints how to start both. Wants Python 3.10
# or newer with venv and pip, cargo and a C compiler, and about 7 GB: PyTorch's wheel for Linux brings CUDA along.
set -euo pipefail

torch=2.15.0

if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "usage: bench/peers/install.sh DIR" >&2
    exit 2
fi
peers=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$peers/../.." && pwd)
dir=$(realpath -m -- "$1")
case $dir/ in
"$tree"/*)
    echo "$dir is inside the work tree: choose a folder elsewhere" >&2
    exit 2
    ;;
esac

mkdir -p "$dir"
[ -x "$dir/venv/bin/python" ] || python3 -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install --quiet "torch==$torch" numpy

# From its own folder, where cargo finds the flags of .cargo/config.toml.
(cd "$peers/candle" && CARGO_TARGET_DIR="$dir/candle" cargo build --release --locked)

echo "torch:  $dir/venv/bin/python $peers/torch_peer.py"
echo "candle: $dir/candle/release/candle-peer"
