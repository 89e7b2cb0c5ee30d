"""Many photos and short clips: files a second and CPU-seconds a file, by stage, of one version of pesearch or several.

    python -m benchmarks.many_files [--photos 1000] [--clips 1000] [--model starter] [--rounds 1] [--media FOLDER]
    python -m benchmarks.many_files --source . --source ../other_checkout --rounds 3

Photos are JPEGs of 12 megapixels with EXIF, clips 5 s of 1080p H.264 with AAC. There are eight of each, copied with
another comment or title, so that each file is a content of its own. The media is generated in --media if it is not
there. Each version indexes it by its command line into a new library, in a process of its own, and then again with
nothing new; with several --source (folders of source code) they take turns in each round, and so do photos and clips.

Stages are seconds on the clock, decode and commit summed over their threads. JSON lines on stdout, a table on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.clips import make_copies, make_video
from benchmarks.costs import children_cpu_seconds
from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.kept_folder import kept_folder
from benchmarks.pictures import natural_grey
from pesearch.types import ImageArray

DISTINCT = 8
"""Photos and clips that are made; the others are copies of them."""

PHOTO_SIZE = (4032, 3024)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of `pesearch index`; `cpu_seconds` of the process and of the programs that it started."""

    part: str
    source: str
    media: str
    files: int
    wall_seconds: float
    cpu_seconds: float
    stages_seconds: dict[str, float]

    def rows(self) -> Iterator[Row]:
        """Files a second, CPU-seconds a file, and the stages."""
        if not self.stages_seconds:
            yield Row(
                f"{self.source}: {self.files:,} {self.media}, nothing new", f"{self.cpu_seconds:.2f} CPU-s in all"
            )
            return
        figures = (
            f"{self.files / self.wall_seconds:.2f} files a second, {self.cpu_seconds / self.files:.3f} CPU-s a file"
        )
        yield Row(f"{self.source}: {self.files:,} {self.media}", figures)
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in self.stages_seconds.items())
        yield Row("  seconds by stage", stages)


def measure(arguments: argparse.Namespace, folder: Path) -> Iterator[Finding]:
    """Index the media with each version in turn."""
    yield this_machine("cpu", arguments.model)
    counts = {"photos": arguments.photos, "clips": arguments.clips}
    sets = {name: count for name, count in counts.items() if count}
    for name, make in (("photos", make_photos), ("clips", make_clips)):
        if name in sets and not (folder / name).exists():
            make(folder / name, sets[name])
    for _ in range(arguments.rounds):
        for name in sets:
            for source in arguments.source:
                with tempfile.TemporaryDirectory() as library:
                    for _ in ("new files", "nothing new"):
                        yield run_index(source, folder / name, Path(library), arguments.model)


def run_index(source: Path, media: Path, library: Path, model: str) -> Run:
    """Run `pesearch index` of a source tree. Raises CalledProcessError when files fail."""
    options = ("--library", os.fspath(library), "--model", model, "--json")
    command = [sys.executable, "-m", "pesearch", "index", os.fspath(media), *options]
    started, before = time.perf_counter(), children_cpu_seconds()
    environment = os.environ | {"PYTHONPATH": os.fspath(source)}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, cwd=source, check=True)
    wall_seconds, cpu_seconds = time.perf_counter() - started, children_cpu_seconds() - before
    summary = json.loads(done.stdout)
    files = summary["indexed"] + summary["unchanged"]
    return Run("files", source.name, media.name, files, wall_seconds, cpu_seconds, summary["stages_seconds"])


def make_photos(folder: Path, count: int) -> None:
    """Pictures with the spectrum of natural ones, and sharp edges; every fourth one is upright by its EXIF only."""
    folder.mkdir()
    for number in range(min(DISTINCT, count)):
        tags = Image.Exif()
        tags[0x0112], tags[0x0132] = (1, 6, 3, 8)[number % 4], f"2026:01:{number + 1:02} 10:00:00"
        first = folder / f"{number:06}.jpg"
        Image.fromarray(_picture(number)).save(first, quality=90, exif=tags)
        jpeg = first.read_bytes()
        for copy in range(number + DISTINCT, count, DISTINCT):
            comment = f"{copy:012}".encode()
            marked = jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]
            (folder / f"{copy:06}.jpg").write_bytes(marked)


def make_clips(folder: Path, count: int) -> None:
    """Clips with pictures and sound, in a folder for each of the first ones."""
    folder.mkdir()
    with tempfile.TemporaryDirectory() as temporary:
        for number in range(min(DISTINCT, count)):
            clip = make_video(Path(temporary) / f"{number}.mp4", 5.0 + number / 100, size="1920x1080", rate=30)
            make_copies(folder / str(number), clip, len(range(number, count, DISTINCT)))


def _picture(seed: int) -> ImageArray:
    """RGB uint8 [3024, 4032, 3]: noise of falling amplitude in rising frequencies, behind squares of plain colours."""
    random = np.random.default_rng(seed)
    width, height = PHOTO_SIZE
    tinted = 128 + 48 * natural_grey(random, height, width, 1.2)[..., None] * random.uniform(0.5, 1.0, 3)
    picture: ImageArray = np.clip(tinted, 0, 255).astype(np.uint8)
    for _ in range(200):
        side, (top, left) = int(random.integers(4, 300)), random.integers(0, (height, width)).tolist()
        picture[top : top + side, left : left + side] = random.integers(0, 256, 3)
    return picture


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--media", type=Path, help="where the media is kept for another run; default: a temporary folder"
    )
    parser.add_argument("--source", type=Path, action="append", help="a folder with the source of pesearch; repeatable")
    arguments = parser.parse_args(given)
    arguments.source = [source.resolve() for source in arguments.source or [Path(__file__).parents[1]]]
    return arguments


if __name__ == "__main__":
    arguments = _arguments()
    with kept_folder(arguments.media) as folder:
        report(measure(arguments, folder))
