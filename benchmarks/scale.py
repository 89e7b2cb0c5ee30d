"""What docs/scale.md stands on: Ray against the plain pipeline, storage, one coordinator, decoding, and a cost model.

    python -m benchmarks.scale [--only ray,storage,coordinator,decode,model] [--clips 48] [--gpu-hour 2.0 ...]

ray          the starter set on clips of 20 s that ffmpeg generates: on this machine alone, then on a local Ray with one
             and with two workers. Rates are from the first batch that is done to the last, so without the start, which
             is told for itself; and the processor time of all processes, which other work on the machine hardly
             changes.
storage      a library with the vectors and features of ten hours of video, in the dimensions of the `small` set:
             bytes by kind.
coordinator  files that workers have written shards for, registered by the one writer; files looked at before that.
decode       1080p30 H.264 with sound, in seconds of a core, and what one piece of it weighs.
model        the cost model: hours of media to GPU-hours, disks, memory and money. Its prices and the speed of a GPU are
             assumptions, each an option; the rest is from the other parts and from docs/vectors.md.

JSON lines on stdout, a table on stderr. Run it with OMP_NUM_THREADS=1, as Ray does its workers, on a machine that has
nothing else to do.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from benchmarks.clips import make_copies, make_sound, make_video
from benchmarks.costs import Result, wall_seconds
from benchmarks.figures import Finding, Row, parts_of, report, this_machine
from benchmarks.ours import decode_all
from benchmarks.process_tree import tree_seconds
from benchmarks.scale_model import HOURS, Assumptions, Bytes, Scale, bytes_an_hour, scale
from pesearch.disk_usage import size_on_disk
from pesearch.encoders.model_registry import MODEL_SETS
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.indexer.cluster.embed import RayEmbed
from pesearch.indexer.cluster.session import ray_session
from pesearch.indexer.crawl import crawl
from pesearch.indexer.devices import embed_on
from pesearch.indexer.pipeline import Embedder
from pesearch.indexer.progress_events import Indexed, Plan, Progress
from pesearch.indexer.run import index
from pesearch.indexer.survey import NewContent, survey
from pesearch.locations import Location
from pesearch.store.library import Library, create_library
from pesearch.store.write.batch import store_files
from pesearch.timeline import STEPS_PER_SECOND, grid, windows
from pesearch.types import CodecFeatures, EncodedFile, MediaInfo, MediaKind, Space, SpaceName, SpaceVectors, VideoStream

PARTS = ("ray", "storage", "coordinator", "decode", "model")
SECONDS = 20.0
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a way of indexing goes. `start_seconds` until the first batch is done; the rates are from there on.

    `core_seconds` are those of all processes for each second of media, Ray's own among them; `core_ratio` to plain.
    """

    part: str
    way: str
    files: int
    start_seconds: float
    media_rate: float
    file_rate: float
    ratio: float
    core_seconds: float
    core_ratio: float

    def rows(self) -> Iterator[Row]:
        """The rate, its ratio to the plain pipeline, the start."""
        yield Row(f"{self.way}, {self.files} clips", f"{self.media_rate:.1f} x real time, {self.file_rate:.2f} files/s")
        yield Row(f"{self.way} / plain", f"{self.ratio:.3f}")
        yield Row(f"{self.way}, for each second of media", f"{self.core_seconds:.3f} core-s")
        yield Row(f"{self.way} / plain, core-seconds", f"{self.core_ratio:.3f}")
        yield Row(f"{self.way}, until the first batch is done", f"{self.start_seconds:.1f} s")


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of an hour of video with sound, as counted from the layout, and as a library has them on disk."""

    part: str
    counted: Bytes
    on_disk_bytes: float

    def rows(self) -> Iterator[Row]:
        """Each kind, and the whole."""
        for field in fields(self.counted):
            yield Row(f"{field.name} an hour, counted", f"{getattr(self.counted, field.name) / 1e6:.2f} MB")
        yield Row("an hour in a library on disk, counted", f"{self.counted.all / 1e6:.2f} MB")
        yield Row("an hour in a library on disk", f"{self.on_disk_bytes / 1e6:.2f} MB")


@dataclass(frozen=True, slots=True)
class Coordinator:
    """What one coordinator does in a second, or, with its children, in a second of one core; and what the catalogue
    holds of a file."""

    part: str
    registered: int
    register_rate: float
    catalogue_bytes: float
    survey_core_rate: float

    def rows(self) -> Iterator[Row]:
        """Files registered and looked at a second."""
        yield Row(f"registering {self.registered} files, shards written before", f"{self.register_rate:.0f} files/s")
        yield Row("catalogue, of each file", f"{self.catalogue_bytes:.0f} bytes")
        yield Row("looking at new files (fingerprint, probe)", f"{self.survey_core_rate:.0f} files/core-s")


@dataclass(frozen=True, slots=True)
class Decode:
    """How many times real time one core decodes; what 20 s weigh as the models take them, against what they become;
    what the small pictures of an hour weigh that are kept."""

    part: str
    core_times: float
    piece_bytes: float
    result_bytes: float
    pictures_bytes: float

    def rows(self) -> Iterator[Row]:
        """The speed and the weights."""
        yield Row("1080p30 H.264 with sound, one core", f"{self.core_times:.1f} x real time")
        yield Row("20 s of it, decoded, small set", f"{self.piece_bytes / 1e6:.1f} MB")
        yield Row("20 s of it, in the library", f"{self.result_bytes / 1e6:.2f} MB")
        yield Row("pictures that are kept of an hour of it", f"{self.pictures_bytes / 1e6:.2f} MB")


def measure(arguments: argparse.Namespace, folder: Path) -> Iterator[Finding]:
    """The parts that were asked for."""
    yield this_machine("cpu", "starter")
    if "ray" in arguments.only:
        yield from measure_ray(folder, arguments.clips)
    if "storage" in arguments.only:
        yield measure_storage(folder)
    if "coordinator" in arguments.only:
        yield measure_coordinator(folder)
    if "decode" in arguments.only:
        yield measure_decode(folder)
    if "model" in arguments.only:
        assumed = Assumptions(**{each.name: getattr(arguments, each.name) for each in fields(Assumptions)})
        yield from measure_model(assumed)


def measure_ray(folder: Path, clips: int) -> Iterator[Rate]:
    """The same clips, each way into a new library. This process has loaded its models before."""
    media = make_copies(folder / "clips", make_video(folder / "clip.mp4", SECONDS), clips)
    models = open_model_set("starter", "cpu")
    models.load()
    plain = _rate("plain", media, folder, models, embed_on, None)
    yield plain
    for workers in (1, 2):
        with ray_session("auto", cpus=workers):
            yield _rate(f"Ray, {workers} workers", media, folder, models, RayEmbed("cpu"), plain)


def _rate(way: str, media: Path, folder: Path, models: ModelSet, embed: Embedder, plain: Rate | None) -> Rate:
    library = create_library(folder / way, models.name, models.spaces)
    steps: list[tuple[float, float, float]] = []
    started, indexed = 0.0, 0
    for outcome in index([media], library, models, embed=embed):
        if isinstance(outcome, Plan):
            started = time.perf_counter()
        elif isinstance(outcome, Progress) and outcome.media_seconds:
            steps.append((time.perf_counter(), outcome.media_seconds, tree_seconds()))
        indexed += isinstance(outcome, Indexed)
    (first, seconds, taken), (last, _, taken_last) = steps[0], steps[-1]
    media_seconds = sum(step[1] for step in steps) - seconds
    rate, cores = media_seconds / (last - first), (taken_last - taken) / media_seconds
    return Rate(
        part="ray",
        way=way,
        files=indexed,
        start_seconds=first - started,
        media_rate=rate,
        file_rate=rate / SECONDS,
        ratio=rate / plain.media_rate if plain else 1.0,
        core_seconds=cores,
        core_ratio=cores / plain.core_seconds if plain else 1.0,
    )


def measure_storage(folder: Path) -> Storage:
    """Sixty files of ten minutes with random vectors."""
    library = _library(folder / "storage")
    empty = size_on_disk(library.folder)
    random = np.random.default_rng(0)
    with library.writer() as writer:
        for number in range(60):
            writer.add([_encoded(number, 600.0, library.spaces, random)])
        writer.merge()
    with library.writer():
        pass  # which sweeps what was merged
    return Storage("storage", bytes_an_hour(MODEL_SETS["small"]), (size_on_disk(library.folder) - empty) / 10)


def measure_coordinator(folder: Path, files: int = 6_400, together: int = 64) -> Coordinator:
    """Short clips in batches, as workers hand them over; and sounds of a second that no library knows."""
    library, random = _library(folder / "coordinator"), np.random.default_rng(0)
    with library.writer() as writer:
        batches = [
            store_files(
                library.folder,
                [_encoded(number, 5.0, library.spaces, random) for number in range(first, first + together)],
                library.spaces,
            )
            for first in range(0, files, together)
        ]
        seconds, _ = wall_seconds(lambda: [writer.add(batch) for batch in batches])
    catalogue = (library.folder / "library.duckdb").stat().st_size / (len(batches) * together)
    sounds = make_copies(folder / "sounds", make_sound(folder / "sound.flac", 1.0), 200)
    other = _library(folder / "survey")
    found = [each for each in crawl([sounds], ()) if isinstance(each, Location)]
    core_seconds, findings = _core_seconds(lambda: list(survey(found, other, False)))
    if not all(isinstance(each, NewContent) for each in findings):
        raise RuntimeError("the sounds were not taken as new")
    return Coordinator(
        "coordinator", len(batches) * together, len(batches) * together / seconds, catalogue, 200 / core_seconds
    )


def measure_decode(folder: Path) -> Decode:
    """The pictures are squeezed for the starter set; for the small set they weigh more, which is counted."""
    clip = make_video(folder / "1080p30.mp4", 60.0, size="1920x1080", rate=30)
    models = open_model_set("starter", "cpu")
    models.load()
    core_seconds, pieces = _core_seconds(lambda: decode_all(clip, models))
    side = MODEL_SETS["small"].frames.image_size or 0
    sound = sum(piece.sound.samples.nbytes for piece in pieces if piece.sound is not None) / len(pieces)
    piece = sound + len(grid(0.0, SECONDS)) * side * side * 3
    kept = sum(len(each.jpeg) for piece in pieces for each in piece.previews) / 60.0 * HOUR
    result = bytes_an_hour(MODEL_SETS["small"]).all * SECONDS / HOUR
    return Decode("decode", 60.0 / core_seconds, piece, result, kept)


def measure_model(assumed: Assumptions) -> Iterator[Scale]:
    """The small set at each size."""
    yield from (scale(hours, MODEL_SETS["small"], assumed) for hours in HOURS)


def _library(folder: Path) -> Library:
    """An empty library with spaces as the `small` set's."""
    description = MODEL_SETS["small"]
    spaces = [
        Space(name, source.repo, source.revision, source.dim)
        for name in description.space_names
        for source in [description.frames if name is SpaceName.FRAME else description.windows]
    ]
    return create_library(folder, description.name, spaces)


def _encoded(number: int, seconds: float, spaces: Sequence[Space], random: np.random.Generator) -> EncodedFile:
    """A video with sound of that length, all vectors and features of it."""
    starts = grid(0.0, seconds)
    frames = np.stack([starts, starts + 0.625], axis=1)
    vectors = []
    for space in spaces:
        segments = frames if space.name is SpaceName.FRAME else np.asarray(windows(seconds))
        rows = random.standard_normal((len(segments), space.dim), dtype=np.float32)
        vectors.append(SpaceVectors(space.name, segments, rows))
    steps = random.standard_normal((round(seconds * STEPS_PER_SECOND), 128), dtype=np.float32).astype(np.float16)
    info = MediaInfo(MediaKind.VIDEO, seconds, VideoStream("h264", 1920, 1080, 30.0), None)
    place = Location(Path(f"/archive/{number}.mp4"), 1, 1)
    return EncodedFile(place, f"{number}", info, tuple(vectors), CodecFeatures("codec", steps))


def _core_seconds(work: Callable[[], Result]) -> tuple[float, Result]:
    """What some work takes of all cores together, in this process and those that it has waited for."""
    before = os.times()
    result = work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4]), result


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=parts_of(PARTS), default=list(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--clips", type=int, default=48)
    for each in fields(Assumptions):
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=float, default=each.default)
    with tempfile.TemporaryDirectory() as folder:
        report(measure(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
