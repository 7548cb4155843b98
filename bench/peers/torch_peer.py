"""The benchmark's PyTorch contestant: README.md beside this file has the protocol."""

import argparse
import ctypes
import json
import math
import mmap
import platform
import struct
import sys
import time
import zlib

import torch
from torch import nn
from torch.nn import functional as F

BATCH = 128
NOISE, DIGITS, NUMBERS = 62, 10, 2
LATENTS = NOISE + DIGITS + NUMBERS
HALF_LN_TAU = 0.5 * math.log(2 * math.pi)
REAL_BATCHES = 4  # more than one, so that no batch stays in the cache because of the benchmark


class Layer(nn.Module):
    """One row of a table of layers: map, batch norm, activation; `shape` makes maps of a vector."""

    def __init__(self, map, activation=None, norm=False, shape=None):
        super().__init__()
        self.map = map
        self.flat = isinstance(map, nn.Linear)
        self.norm = None
        if norm:
            self.norm = nn.BatchNorm1d(map.out_features) if self.flat else nn.BatchNorm2d(map.out_channels)
        self.activation = activation
        self.shape = shape

    def forward(self, x):
        x = self.map(x.flatten(1) if self.flat else x)
        if self.norm is not None:
            x = self.norm(x)
        if self.activation is not None:
            x = self.activation(x)
        return x if self.shape is None else x.view(-1, *self.shape)


def relu():
    return nn.ReLU(inplace=True)


def leaky(slope):
    return nn.LeakyReLU(slope, inplace=True)


def down(channels, maps, bias=True):
    return nn.Conv2d(channels, maps, 4, stride=2, padding=1, bias=bias)


def up(channels, maps, bias=True):
    return nn.ConvTranspose2d(channels, maps, 4, stride=2, padding=1, bias=bias)


class Critic(nn.Module):
    """D, and Q on its last features where there are codes to recover."""

    def __init__(self, trunk, logit, codes=None):
        super().__init__()
        self.trunk, self.logit, self.codes = trunk, logit, codes

    def forward(self, pictures, recover=False):
        features = self.trunk(pictures)
        return self.logit(features), self.codes(features) if recover else None


class InfoGan:
    """The networks and latents of the preset `mnist`: every map has a bias, also before batch norm."""

    picture = (1, 28, 28)
    rates = {"critic": 2e-4, "generator": 1e-3}

    @staticmethod
    def generator():
        return nn.Sequential(
            Layer(nn.Linear(LATENTS, 1024), relu(), norm=True),
            Layer(nn.Linear(1024, 6272), relu(), norm=True, shape=(128, 7, 7)),
            Layer(up(128, 64), relu(), norm=True),
            Layer(up(64, 1), nn.Sigmoid()),
        )

    @staticmethod
    def critic():
        trunk = nn.Sequential(
            Layer(down(1, 64), leaky(0.1)),
            Layer(down(64, 128), leaky(0.1), norm=True),
            Layer(nn.Linear(6272, 1024), leaky(0.1), norm=True),
        )
        # Ten logits, then a mean and a raw spread per number; the preset fixes the spread, so nobody reads the raw.
        codes = nn.Sequential(
            Layer(nn.Linear(1024, 128), leaky(0.1), norm=True),
            Layer(nn.Linear(128, DIGITS + 2 * NUMBERS)),
        )
        return Critic(trunk, Layer(nn.Linear(1024, 1)), codes)

    @staticmethod
    def draw(batch=BATCH):
        latents = torch.empty(batch, LATENTS).uniform_(-1, 1)
        digit = torch.randint(DIGITS, (batch,))
        latents[:, NOISE : NOISE + DIGITS] = F.one_hot(digit, DIGITS)
        return latents, (digit, latents[:, NOISE + DIGITS :])

    @staticmethod
    def code_loss(codes, truth):
        digit, numbers = truth
        error = numbers - codes[:, DIGITS::2]
        nll = 0.5 * error.square().sum(1).mean() + NUMBERS * HALF_LN_TAU  # a normal of deviation 1
        return F.cross_entropy(codes[:, :DIGITS], digit) + nll


class Dcgan:
    """DCGAN on 3×32×32 pictures; no bias where batch norm follows."""

    picture = (3, 32, 32)
    rates = {"critic": 2e-4, "generator": 2e-4}
    code_loss = None

    @staticmethod
    def generator():
        return nn.Sequential(
            Layer(nn.Linear(128, 4096, bias=False), relu(), norm=True, shape=(256, 4, 4)),
            Layer(up(256, 128, bias=False), relu(), norm=True),
            Layer(up(128, 64, bias=False), relu(), norm=True),
            Layer(up(64, 3), nn.Tanh()),
        )

    @staticmethod
    def critic():
        trunk = nn.Sequential(
            Layer(down(3, 64), leaky(0.2)),
            Layer(down(64, 128, bias=False), leaky(0.2), norm=True),
            Layer(down(128, 256, bias=False), leaky(0.2), norm=True),
        )
        return Critic(trunk, Layer(nn.Linear(4096, 1)))

    @staticmethod
    def draw(batch=BATCH):
        return torch.randn(batch, 128), None


class Variant:
    """How PyTorch is used: see README.md."""

    def __init__(self, name):
        self.compiles = name == "compile"
        if self.compiles:
            torch._dynamo.config.recompile_limit = 64  # every row compiles the same few functions
        self.fused = name != "eager"
        self.format = torch.contiguous_format if name == "eager" else torch.channels_last

    def place(self, x):
        return x.to(memory_format=self.format)

    def adam(self, network, rate):
        return torch.optim.Adam(network.parameters(), rate, betas=(0.5, 0.999), fused=self.fused)

    def compile(self, function):
        # fullgraph: what cannot be compiled is to be told, not run slowly without a word.
        return torch.compile(function, fullgraph=True, dynamic=False) if self.compiles else function

    def compile_for_drawing(self, network, latents):
        """Weights become constants in memory order of the kernels, which are chosen by trial."""
        if not self.compiles:
            return network
        from torch._inductor import config

        compiled = torch.compile(network, fullgraph=True, dynamic=False, mode="max-autotune")
        with config.patch(freezing=True), torch.inference_mode():
            compiled(latents)
        return compiled


class Training:
    """A row whose iteration is one training step: critic, then generator."""

    def __init__(self, game, variant, reused=False):
        self.game, self.reused = game, reused
        self.generator = variant.place(game.generator())
        self.critic = variant.place(game.critic())
        self.critic_optimizer = variant.adam(self.critic, game.rates["critic"])
        self.generator_optimizer = variant.adam(self.generator, game.rates["generator"])
        self.real = [variant.place(torch.rand(BATCH, *game.picture)) for _ in range(REAL_BATCHES)]
        self.steps = 0
        self.generate = variant.compile(self.generator)
        self.critic_losses = variant.compile(self.critic_losses)
        self.generator_losses = variant.compile(self.generator_losses)

    def code_loss(self, codes, truth):
        return torch.zeros(()) if codes is None else self.game.code_loss(codes, truth)

    def critic_losses(self, real, fake, truth):
        on_real, _ = self.critic(real)
        on_fake, codes = self.critic(fake, recover=truth is not None)
        # softplus is binary cross-entropy on logits against a constant label.
        return F.softplus(-on_real).mean() + F.softplus(on_fake).mean(), self.code_loss(codes, truth)

    def generator_losses(self, fake, truth):
        on_fake, codes = self.critic(fake, recover=truth is not None)
        return F.softplus(-on_fake).mean(), self.code_loss(codes, truth)

    def step(self):
        real = self.real[self.steps % REAL_BATCHES]
        latents, truth = self.game.draw()
        with torch.set_grad_enabled(self.reused):
            fake = self.generate(latents)
        self.update(self.critic_optimizer, *self.critic_losses(real, fake.detach(), truth))

        self.critic.requires_grad_(False)  # the gradient passes through it, its weights get none
        if not self.reused:
            latents, truth = self.game.draw()
            fake = self.generate(latents)
        self.update(self.generator_optimizer, *self.generator_losses(fake, truth))
        self.critic.requires_grad_(True)
        self.steps += 1

    def update(self, optimizer, adversarial, codes):
        optimizer.zero_grad(set_to_none=True)
        (adversarial + codes).backward()
        optimizer.step()
        if not math.isfinite(adversarial.item() + codes.item()):  # a trainer reads its losses, for the log
            raise ArithmeticError("a loss is not finite")


class Generation:
    """A row whose iteration is one forward pass of the InfoGAN generator with stored statistics."""

    def __init__(self, variant, batch):
        self.latents, _ = InfoGan.draw(batch)
        generator = variant.place(InfoGan.generator()).eval()
        self.generator = variant.compile_for_drawing(generator, self.latents)

    @torch.inference_mode()
    def step(self):
        self.generator(self.latents)


ROWS = {
    "infogan-reused": lambda variant: Training(InfoGan, variant, reused=True),
    "infogan-fresh": lambda variant: Training(InfoGan, variant),
    "dcgan-svhn": lambda variant: Training(Dcgan, variant),
    "generator-64": lambda variant: Generation(variant, 64),
    "generator-1": lambda variant: Generation(variant, 1),
}


def peak_mb():
    # Not ru_maxrss: a new program inherits that from the process that started it.
    with open("/proc/self/status") as status:
        kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return kib / 1024


def answer(request, variant, rows):
    row = request["row"]
    task = "infogan-fresh" if row == "memory" else row
    if task not in ROWS:
        raise ValueError("no such row")
    if task not in rows:
        made = ROWS[task](variant)
        for _ in range(2):  # compiles here, never inside a timing
            made.step()
        rows[task] = made
    step, ms = rows[task].step, []
    for _ in range(request.get("warmup", 0)):
        step()
    for _ in range(request["iterations"]):
        begun = time.perf_counter()
        step()
        ms.append((time.perf_counter() - begun) * 1e3)
    return {"row": row, "peak_mb": peak_mb()} if row == "memory" else {"row": row, "ms": ms}


def serve(variant):
    def say(message):
        print(json.dumps(message), flush=True)

    say({"ready": True, "versions": {"torch": torch.__version__, "python": platform.python_version()}})
    rows = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            say(answer(request, variant, rows))
        except Exception as error:  # whatever it is, the other rows can still be run
            say({"row": request.get("row"), "missing": f"{type(error).__name__}: {error}".splitlines()[0]})


def read_safetensors(path):
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    (length,) = struct.unpack_from("<Q", data)
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", name
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=8 + length + begin)
        tensors[name] = flat.view(entry["shape"])
    return tensors


def write_png(path, picture):
    height, width = picture.shape

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    lines = b"".join(b"\0" + bytes(row) for row in picture.tolist())  # 0: the line is not filtered
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bits, grey
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)))
        file.write(chunk(b"IEND", b""))


@torch.inference_mode()
def first_picture(weights, out):
    with torch.device("meta"):  # no time for weights that the file replaces
        generator = InfoGan.generator().eval()
    # layers.0.weight, layers.0.norm.weight → 0.map.weight, 0.norm.weight
    state = {}
    for name, tensor in read_safetensors(weights).items():
        layer, _, rest = name.removeprefix("layers.").partition(".")
        state[f"{layer}.{rest}" if rest.startswith("norm.") else f"{layer}.map.{rest}"] = tensor
    generator.load_state_dict(state, assign=True)
    latents, _ = InfoGan.draw(1)
    picture = generator(latents)[0, 0]
    write_png(out, (picture * 255).round().to(torch.uint8))


def keep_memory():
    """Lets glibc keep big blocks it was given back: else every step asks the kernel for them, page by page."""
    trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD, M_MMAP_MAX of malloc.h
    libc = ctypes.CDLL(None)
    libc.mallopt(trim_threshold, -1)
    libc.mallopt(mmap_max, 0)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--variant", choices=["eager", "channels-last", "compile"], default="eager")
    arguments.add_argument("--threads", type=int, default=0, help="0: as many as PyTorch likes")
    arguments.add_argument("--allocator", choices=["system", "kept"], default="system", help="kept: see keep_memory")
    arguments.add_argument("--first-picture", nargs=2, metavar=("WEIGHTS", "OUT"))
    options = arguments.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.first_picture:
        first_picture(*options.first_picture)
    else:
        if options.allocator == "kept":
            keep_memory()
        serve(Variant(options.variant))


if __name__ == "__main__":
    main()
