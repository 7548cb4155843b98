"""Makes the files of this folder: weights and archives that try to do harm. `python3 attacks/make.py` (Python 3.8, no
packages). What each tries and how it is refused stands in crates/infogan/tests/attacks.rs."""

import io
import json
import os
import pickle
import struct
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


def archive(entries, compression=zipfile.ZIP_STORED):
    """A zip archive with fixed dates, so that its bytes are always the same."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, data in entries:
            file.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, compression)
    return out.getvalue()


def text(value):
    """A short piece of text as a pickle pushes it."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def integer(value):
    data = value.to_bytes(16, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def tensor(key, elements, shape, strides, offset=0):
    """A tensor as PyTorch writes it: _rebuild_tensor_v2(storage, offset, shape, strides, False, {})."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + integer(elements) + b"tQ"
    numbers = lambda values: b"(" + b"".join(integer(value) for value in values) + b"t"
    rest = integer(offset) + numbers(shape) + numbers(strides) + b"\x89" + b"}"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + b"tR"


def state_dict(pairs):
    return b"\x80\x02}" + b"".join(text(name) + value + b"s" for name, value in pairs) + b"."


def pth(data_pkl, storages=(("0", bytes(16)),), extra=()):
    entries = [("m/data.pkl", data_pkl)] + [("m/data/" + key, data) for key, data in storages]
    return archive(entries + list(extra))


def safetensors(header, data=b"", length=None):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack("<Q", len(text) if length is None else length) + text + data


class Shell:
    """What a pickle does when it means harm."""

    def __reduce__(self):
        return (os.system, ("touch /tmp/infogan-was-here",))


class Reader:
    def __reduce__(self):
        return (open, ("/etc/passwd",))


def main():
    one = [("w", tensor("0", 4, [2, 2], [2, 1]))]
    write("good.pth", pth(state_dict(one)))
    # Code.
    write("shell.pth", pth(pickle.dumps(Shell(), 2)))
    write("open.pth", pth(pickle.dumps({"w": Reader()}, 2)))
    write("eval.pth", pth(b"\x80\x02cbuiltins\neval\n" + text("1") + b"\x85R."))
    write("shell-legacy.pth", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + pickle.dumps(Shell(), 2))
    # Places.
    write("outside.pth", pth(state_dict(one), extra=[("../../evil", b"x")]))
    write("absolute.pth", pth(state_dict(one), extra=[("/etc/evil", b"x")]))
    write("elsewhere.pth", pth(state_dict([("w", tensor("../0", 4, [2, 2], [2, 1]))])))
    # Memory.
    write("bomb.pth", archive([("m/data.pkl", state_dict(one)), ("m/data/0", bytes(4_000_000))], zipfile.ZIP_DEFLATED))
    write("huge-tensor.pth", pth(state_dict([("w", tensor("0", 4, [1 << 40, 1 << 20], [0, 0]))])))
    write("many-of-one.pth", pth(state_dict([("w", tensor("0", 4, [1 << 30], [0]))])))
    write("beyond.pth", pth(state_dict([("w", tensor("0", 4, [2, 2], [2, 1], offset=3))])))
    write("negative.pth", pth(state_dict([("w", tensor("0", 4, [2, -2], [2, 1]))])))
    write("short-storage.pth", pth(state_dict(one), storages=[("0", bytes(8))]))
    nested = b"\x80\x02" + b"]" * 1000 + b"a" * 999 + b"."
    write("deep.pth", pth(nested))
    # A list in a list in a list, ten times each at every level.
    wide = b"\x80\x02" + b"]q\x00" + b"".join(
        b"](" + b"h" + bytes([level]) + (b"h" + bytes([level])) * 9 + b"eq" + bytes([level + 1]) for level in range(20)
    )
    write("wide.pth", pth(wide + b"."))
    # Twice the same.
    data = pth(state_dict(one))
    write("twice.pth", pth(state_dict(one + one)))
    write("cut.pth", data[: len(data) // 2])
    # safetensors.
    f32 = lambda start, end, shape: {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    write("good.safetensors", safetensors({"w": f32(0, 16, [2, 2])}, bytes(16)))
    write("overlap.safetensors", safetensors({"a": f32(0, 16, [4]), "b": f32(8, 24, [4])}, bytes(24)))
    write("beyond.safetensors", safetensors({"a": f32(0, 1 << 40, [1 << 38])}, bytes(16)))
    write("long-header.safetensors", safetensors(b"{}", length=1 << 60))
    write("lying-shape.safetensors", safetensors({"a": f32(0, 16, [1 << 20])}, bytes(16)))
    write("twice.safetensors", safetensors(
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        bytes(8)))
    write("control.safetensors", safetensors({"a\x1b[2J": f32(0, 4, [1])}, bytes(4)))
    write("not-json.safetensors", safetensors(b"{" * 64))


if __name__ == "__main__":
    main()
