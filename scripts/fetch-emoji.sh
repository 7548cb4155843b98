#!/usr/bin/env bash
# Gets 3,786 colour pictures of 64×64 (emoji) into DIR, a folder a class: scripts/fetch-emoji.sh DIR
#
# They come from the npm package emoji-datasource-google 16.0.0 (package MIT, pictures Apache-2.0; 74 MB), checked against
# its SHA-256. Needs curl, tar and Python 3, no npm.
# Exit codes: 0 the pictures are there, 1 what arrived is wrong or DIR cannot be written, 2 wrong usage,
# 3 a tool is missing or the archive cannot be reached.
set -eu

url=https://registry.npmjs.org/emoji-datasource-google/-/emoji-datasource-google-16.0.0.tgz
sum=fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438

if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "usage: scripts/fetch-emoji.sh DIR" >&2
    exit 2
fi
dir=$1
case $dir in -*) dir=./$dir ;; esac

if [ -e "$dir" ]; then
    if [ "$(find "$dir" -name '*.png' 2>/dev/null | wc -l)" -eq 3786 ]; then
        echo "the emoji are already in $dir"
        exit 0
    fi
    echo "$dir is there already and does not hold them; name another folder" >&2
    exit 1
fi
for tool in curl tar python3 sha256sum; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is not installed" >&2
        exit 3
    fi
done

# Beside its place, so that the last step is a rename on the same disk.
mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT

if ! curl --fail --silent --show-error --location --retry 3 --output "$work/archive.tgz" "$url"; then
    echo "cannot reach $url" >&2
    exit 3
fi
if ! echo "$sum  $work/archive.tgz" | sha256sum --check --status; then
    echo "what arrived from $url is not what was expected (SHA-256)" >&2
    exit 1
fi
tar -xzf "$work/archive.tgz" -C "$work" package/emoji.json package/img/google/64
python3 - "$work" <<'PYTHON'
"""A folder a class: emoji.json names a picture's category, and those of its variants in skin tone."""
import json, pathlib, shutil, sys

work = pathlib.Path(sys.argv[1])
pictures = work / "package/img/google/64"
for entry in json.loads((work / "package/emoji.json").read_text()):
    folder = work / "classes" / entry["category"].replace("&", "and")
    folder.mkdir(parents=True, exist_ok=True)
    for one in [entry, *entry.get("skin_variations", {}).values()]:
        if (pictures / one["image"]).is_file():
            shutil.move(pictures / one["image"], folder / one["image"])
PYTHON
mv "$work/classes" "$dir"
echo "$(find "$dir" -name '*.png' | wc -l) pictures are in $dir"
