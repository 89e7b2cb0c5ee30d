"""What encoding costs: the plain way against ours, and what the whole indexer adds to the bare encoders.

    python -m benchmarks.encoding [--only audio,set,pipeline] [--size small] [--seconds S] [--device cpu]
    python -m benchmarks.encoding --only memory [--hours 3]
    python -m benchmarks.encoding --only gpu --device cuda

Models of real size with random weights (`--size tiny` tries the script out), media that ffmpeg generates. In each part
all models are loaded and have heard a second of sound before anything is measured. Parts:

audio     a sound file. Plain: each window through PE-AV's audio encoder and each section through PE-A-Frame's, as
          transformers loads them, one by one. Ours: pieces through the codec once, then both models' transformers.
set       a video file. Plain: also each frame of the grid through PE-Core, as open_clip loads it, and windows through
          all of PE-AV. Both ways read the file themselves, and that is counted too.
pipeline  a sound file, with --size tiny also a video file: encoding the decoded pieces in one call, against a whole
          run of the indexer on the file, from crawling to the last commit, into a new library.
memory    the largest resident size of `pesearch index` with the starter set on ten minutes and on --hours of video.
gpu       1080p30 H.264 with sound on a CUDA GPU: times real time, the GPU's share, the share of the arithmetic limit.

JSON lines on stdout, a table on stderr. The machine must have nothing else to do: threads that share a core with other
work spin while they wait for each other, which counts as CPU-seconds.
"""

from __future__ import annotations

import argparse
import gc
import logging
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import torch

from benchmarks import ours
from benchmarks.clips import make_sound, make_video
from benchmarks.costs import Account, Meter, total, wall_seconds
from benchmarks.embedded import Embedded, largest_event_difference, lowest_cosine
from benchmarks.figures import Comparison, Finding, Pipeline, parts_of, report, this_machine
from benchmarks.gpu import measure_gpu
from benchmarks.long_files import measure_memory
from benchmarks.plain import PlainModels
from benchmarks.real_size import SETS, open_built
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.timings import StageTimings
from tests.encoders.checkpoints import save_shared_set

PARTS = ("audio", "set", "pipeline", "memory", "gpu")
SECONDS = {"audio": 20.0, "set": 20.0, "pipeline": 60.0, "gpu": 120.0}
AT_MOST = {"audio": 0.4, "set": 0.5}

Measured = tuple[Embedded, Account]


def measure(arguments: argparse.Namespace, folder: Path) -> Iterator[Finding]:
    """The parts that were asked for, one after another."""
    parts: list[str] = arguments.only
    seconds = {part: arguments.seconds or default for part, default in SECONDS.items()}
    yield this_machine(arguments.device, arguments.size)
    if {*parts} - {"memory"}:
        yield from _with_models(arguments, parts, seconds, folder)
    if "memory" in parts:
        yield from measure_memory(folder, arguments.hours)


def _with_models(
    arguments: argparse.Namespace, parts: Collection[str], seconds: Mapping[str, float], folder: Path
) -> Iterator[Finding]:
    wanted, built = SETS[arguments.size], folder / "models"
    save_shared_set(wanted.size, wanted.core, built)
    warm = make_sound(folder / "warm.flac", 1.0)
    clips = {
        part: make(folder / name, seconds[part])
        for part, name, make in (("audio", "audio.flac", make_sound), ("set", "set.mp4", make_video))
        if part in parts
    }
    plain = _measure_plain(built, arguments.device, warm, clips)
    models = open_built(wanted, built, arguments.device)
    ours.embed(warm, models, Meter())
    for part, clip in clips.items():
        yield _compare(part, seconds[part], plain[part], _measure_ours(clip, models))
    if "pipeline" in parts:
        yield _pipeline(make_sound(folder / "pipeline.flac", seconds["pipeline"]), "sound", seconds, folder, models)
        if arguments.size == "tiny":
            video = make_video(folder / "pipeline.mp4", seconds["pipeline"])
            yield _pipeline(video, "video", seconds, folder, models)
    if "gpu" in parts:
        yield from measure_gpu(folder, seconds["gpu"], models)


def _measure_plain(built: Path, device: str, warm: Path, clips: Mapping[str, Path]) -> dict[str, Measured]:
    """The plain models are gone from memory afterwards."""
    meter = Meter()
    models = PlainModels(built, device, meter)
    measured = {}
    for part, clip in clips.items():
        models.load(frames=part == "set")
        models.embed(warm)
        meter.take()
        measured[part] = models.embed(clip), meter.take()
    del models
    gc.collect()
    return measured


def _measure_ours(clip: Path, models: ModelSet) -> Measured:
    meter = Meter()
    return ours.embed(clip, models, meter), meter.take()


def _compare(part: str, seconds: float, plain: Measured, own: Measured) -> Comparison:
    cost, plain_cost = total(own[1]), total(plain[1])
    return Comparison(
        part=part,
        media_seconds=seconds,
        plain=plain[1],
        ours=own[1],
        ratio=cost.cpu_seconds / plain_cost.cpu_seconds,
        user_ratio=cost.user_seconds / plain_cost.user_seconds,
        at_most=AT_MOST[part],
        lowest_cosine=lowest_cosine(plain[0], own[0]),
        largest_event_difference=largest_event_difference(plain[0], own[0]),
    )


def _pipeline(clip: Path, media: str, seconds: Mapping[str, float], folder: Path, models: ModelSet) -> Pipeline:
    pieces = ours.decode_all(clip, models)
    ours.encode_all(pieces[:1], models, StageTimings())
    bare_seconds, _ = wall_seconds(lambda: ours.encode_all(pieces, models, StageTimings()))
    whole_seconds, spent = wall_seconds(lambda: ours.index_all(clip, folder / f"library of {media}", models))
    return Pipeline(
        part="pipeline",
        media=media,
        media_seconds=seconds["pipeline"],
        bare_seconds=bare_seconds,
        whole_seconds=whole_seconds,
        ratio=bare_seconds / whole_seconds,
        at_least=0.9,
        spent=spent,
    )


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    some = ["audio", "set", "pipeline"]
    parser.add_argument("--only", type=parts_of(PARTS), default=some, help=f"of {', '.join(PARTS)}")
    parser.add_argument("--size", choices=SETS, default="small")
    parser.add_argument("--seconds", type=float, help=f"of media in each part; default: {SECONDS}")
    parser.add_argument("--hours", type=float, default=3.0, help="of the long file of the memory part")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    needs_cuda = "gpu" in arguments.only or arguments.device.startswith("cuda")
    if needs_cuda and not (torch.cuda.is_available() and arguments.device.startswith("cuda")):
        sys.exit("No CUDA GPU is usable here (or no --device cuda was given): nothing was measured.")
    logging.disable(logging.WARNING)  # open_clip warns that models of random weights have random weights
    with tempfile.TemporaryDirectory() as folder:
        report(measure(arguments, Path(folder)))


if __name__ == "__main__":
    main()
