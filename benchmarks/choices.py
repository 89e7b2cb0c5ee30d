"""The encoders' precision, torch.compile and number of threads, compared at real sizes on this machine.

    python -m benchmarks.choices [--device cpu] [--rounds 3]

PE-L/14's image tower and the audio codec take nearly all of the time. Each variant is timed against the settings of
pesearch on most machines (float32 on a CPU, bfloat16 on CUDA, not compiled, all threads), alternating in one run,
because machines are noisy. JSON lines on stdout, a table on stderr. On a CPU it takes about ten minutes, most of it for
compiling.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from benchmarks.costs import wall_seconds
from benchmarks.figures import Finding, Row, report, this_machine
from pesearch.encoders.codec import Codec
from pesearch.encoders.lazy_imports import load_open_clip, load_transformers, suppress_output
from pesearch.timeline import SAMPLE_RATE
from tests.encoders.checkpoints import SMALL

Forward = Callable[[torch.Tensor], torch.Tensor]
"""A network as it is called."""

Build = Callable[[torch.device, torch.dtype], Forward]
"""Makes a network on a device with weights of a type."""

FRAMES = {"cpu": 2, "cuda": 64}
SOUND_SECONDS = {"cpu": 1, "cuda": 160}


@dataclass(frozen=True, slots=True)
class MeasuredChoice:
    """A variant against the settings of pesearch: `ratio` below 1 is faster; `compile_seconds` is the extra time of the
    first call."""

    part: str
    network: str
    variant: str
    seconds: float
    used_seconds: float
    ratio: float
    compile_seconds: float

    def rows(self) -> Iterator[Row]:
        """The ratio, and the time to compile."""
        compiled = f", {self.compile_seconds:.0f} s to compile" if self.compile_seconds > 1 else ""
        yield Row(f"{self.network}: {self.variant} / current", f"{self.ratio:.2f}{compiled}")


@dataclass(frozen=True, slots=True)
class Variant:
    """Settings to compute with."""

    name: str
    is_half: bool
    threads: int
    is_compiled: bool = False


def measure(device: str, rounds: int) -> Iterator[Finding]:
    """Compare each variant of each network."""
    threads, kind = torch.get_num_threads(), device.partition(":")[0]
    yield this_machine(device, "small")
    on_gpu = kind == "cuda"
    variants = [Variant("float32" if on_gpu else "bfloat16", not on_gpu, threads)]
    variants += [] if on_gpu or threads == 1 else [Variant("one thread", False, 1)]
    variants += [Variant("compiled", on_gpu, threads, is_compiled=True)]
    for name, build, inputs in (("image tower", tower, frames(kind)), ("audio codec", codec, sound(kind))):
        used = Variant("current", on_gpu and name == "image tower", threads)
        for variant in variants:
            yield compare(name, build, inputs.to(device), used, variant, rounds)


def compare(
    name: str, build: Build, inputs: torch.Tensor, used: Variant, variant: Variant, rounds: int
) -> MeasuredChoice:
    """Time both alternately; medians of `rounds` passes."""
    network, other = (build(inputs.device, dtype_of(each, inputs.device)) for each in (used, variant))
    forward: Forward = torch.compile(other) if variant.is_compiled else other
    first = seconds_of(forward, inputs, variant)
    seconds_of(network, inputs, used)
    pairs = [(seconds_of(forward, inputs, variant), seconds_of(network, inputs, used)) for _ in range(rounds)]
    theirs, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
    return MeasuredChoice("choice", name, variant.name, theirs, ours, theirs / ours, max(first - theirs, 0.0))


def dtype_of(variant: Variant, device: torch.device) -> torch.dtype:
    """Of the weights: on CUDA float32, which autocast rounds."""
    return torch.bfloat16 if variant.is_half and device.type == "cpu" else torch.float32


def seconds_of(forward: Forward, inputs: torch.Tensor, variant: Variant) -> float:
    """Wall-clock seconds of one pass."""
    half = torch.autocast("cuda", torch.bfloat16, enabled=variant.is_half and inputs.is_cuda)
    with threads_set(variant.threads), torch.inference_mode(), half:
        seconds, _ = wall_seconds(lambda: forward(inputs))
    return seconds


@contextmanager
def threads_set(threads: int) -> Iterator[None]:
    """Set torch's number of threads inside the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def tower(device: torch.device, dtype: torch.dtype) -> Forward:
    """PE-L/14 at 336 pixels, as PE-Core and PE-AV have it, with random weights."""
    with suppress_output():
        visual: torch.nn.Module = load_open_clip().create_model("PE-Core-L-14-336").visual.eval().to(device, dtype)
    return lambda pixels: visual(pixels.to(dtype))


def codec(device: torch.device, dtype: torch.dtype) -> Forward:
    """The DAC encoder of PE-AV and PE-A-Frame, with random weights."""
    transformers = load_transformers()
    with suppress_output():
        config = transformers.PeAudioEncoderConfig(
            dac_config=transformers.DacConfig(**SMALL.codec), num_hidden_layers=1
        )
        return Codec(transformers.PeAudioEncoder(config).embedder.eval().to(device), dtype)


def frames(kind: str) -> torch.Tensor:
    """Random images: a batch for the tower."""
    return torch.rand(FRAMES[kind], 3, SMALL.image_size, SMALL.image_size) * 2 - 1


def sound(kind: str) -> torch.Tensor:
    """Random sound for the codec; on a GPU in chunks of 20 s."""
    seconds = min(SOUND_SECONDS[kind], 20)
    return torch.rand(SOUND_SECONDS[kind] // seconds, 1, seconds * SAMPLE_RATE) - 0.5


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--rounds", type=int, default=3, help="number of timed passes of each")
    arguments = parser.parse_args()
    report(measure(arguments.device, arguments.rounds))
