"""Many small files: the first scan, a scan of the same files, and one after the whole tree was moved.

    python -m benchmarks.scan [--files 100000]

The files are pictures of a few bytes with different contents, 100 in a folder, indexed with the starter set. Reported
for each scan: seconds, outcomes, how often a file was opened (by Python, or by a program that it started), and peak
resident size. The second scan opens none. The third opens none where the system identifies the volume of the files;
elsewhere it reads each file's fingerprint. Neither embeds any. JSON lines on stdout, a table on stderr.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.costs import wall_seconds
from benchmarks.figures import Finding, Row, report, this_machine
from pesearch.encoders.model_set import open_model_set
from pesearch.indexer.progress_events import Indexed, Progress, Relocated, Unchanged
from pesearch.indexer.run import index
from pesearch.store.library import create_library, open_library

FILES_IN_A_FOLDER = 100
SUFFIX = ".png"


@dataclass(frozen=True, slots=True)
class Scan:
    """One run of the indexer over all files."""

    part: str
    name: str
    files: int
    seconds: float
    indexed: int
    unchanged: int
    relocated: int
    others: int
    opened: int
    most_bytes: int

    def rows(self) -> Iterator[Row]:
        """Speed, outcomes, file opens, and memory."""
        yield Row(
            f"{self.name}, {self.files:,} files", f"{self.seconds:.1f} s", f"{self.files / self.seconds:,.0f} a second"
        )
        yield Row(
            f"{self.indexed:,} indexed, {self.unchanged:,} unchanged, {self.relocated:,} moved, {self.others:,} others",
            f"{self.opened:,} file opens",
        )
        yield Row("peak resident size so far", f"{self.most_bytes / 2**20:.0f} MiB")


class Opened:
    """Counts how often a picture is opened by Python or passed to another program."""

    def __init__(self) -> None:
        self.count = 0
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            self.count += str(arguments[0]).endswith(SUFFIX)
        elif event == "subprocess.Popen":
            self.count += any(os.fsencode(each).endswith(SUFFIX.encode()) for each in arguments[1])


def measure(files: int, folder: Path) -> Iterator[Finding]:
    """Run the three scans."""
    yield this_machine("cpu", "starter")
    media, moved, library = folder / "media", folder / "moved", folder / "library"
    make_pictures(media, files)
    models = open_model_set("starter", "cpu")
    create_library(library, models.name, models.spaces)
    opened = Opened()

    def scan(name: str, path: Path) -> Scan:
        before = opened.count
        seconds, outcomes = wall_seconds(lambda: Counter(map(type, index([path], open_library(library), models))))
        known = {kind: outcomes.pop(kind, 0) for kind in (Indexed, Unchanged, Relocated, Progress)}
        return Scan(
            part="scan", name=name, files=files, seconds=seconds, indexed=known[Indexed], unchanged=known[Unchanged],
            relocated=known[Relocated], others=outcomes.total(), opened=opened.count - before,
            most_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )  # fmt: skip

    yield scan("first scan", media)
    yield scan("second scan", media)
    media.rename(moved)
    yield scan("after moving the tree", moved)


def make_pictures(folder: Path, files: int) -> None:
    """Pictures of 8 x 8 random pixels."""
    random = np.random.default_rng(0)
    for number in range(files):
        path = folder / f"{number // FILES_IN_A_FOLDER:05}" / f"{number:07}{SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report(measure(arguments.files, Path(folder)))
