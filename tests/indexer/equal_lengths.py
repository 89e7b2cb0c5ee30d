"""Are stems, bounces and scans of one length taken for one another?

    python -m tests.indexer.equal_lengths [--files 1000]

Makes sets of files that are equal in size and in all but a short stretch, which is elsewhere in each: stems (WAV, AIFF)
with digital silence but for one sound, bounces (MP3 at a constant bit rate), scans (BMP, TIFF) that are white but for
one line. Identifies each as the indexer does, and a copy of each tenth. Prints for each set: files, how many contents
were found, how many the parts that are sampled tell apart, seconds. Exit code 1 if contents are not those made.
"""

from __future__ import annotations

import argparse
import shutil
import struct
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pesearch.indexer.copies import CopyFinder
from pesearch.locations import Location
from pesearch.media.fingerprint import fingerprint, sampled_fingerprint
from pesearch.temporary_folder import TemporaryFolder
from tests.media.samples import ffmpeg

BODY_BYTES = 7 << 19
"""3.5 MiB: more than is read of every file."""

STEP_BYTES = 960
"""From a stretch to that of the next file: a frame of MP3 at 320 kbit/s and 48 kHz."""

FIRST_BYTE = 1100 * STEP_BYTES
"""After the part of 1 MiB at the beginning; the next part that is sampled begins 265 steps later."""

NOISE = bytes(range(1, 256)) * 4


class Kind(NamedTuple):
    """A format: its header for a body of so many bytes, and what the body is filled with and differs by."""

    header: Callable[[int], bytes]
    filling: bytes
    stretch: bytes


@dataclass(frozen=True, slots=True)
class SetResult:
    """What became of a set of files of one kind: `contents` found, `sampled` by three parts of 1 MiB alone."""

    kind: str
    files: int
    contents: int
    sampled: int
    copies: int
    copies_found: int
    seconds: float

    @property
    def is_right(self) -> bool:
        """Whether each file was distinguished from the others, and each copy recognised."""
        return self.contents == self.files and self.copies_found == self.copies


def wav(size: int) -> bytes:
    """48 kHz, stereo, 16 bits."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 48_000, 192_000, 4, 16)
    return struct.pack("<4sI4s", b"RIFF", size + 36, b"WAVE") + form + struct.pack("<4sI", b"data", size)


def aiff(size: int) -> bytes:
    """44.1 kHz, stereo, 16 bits."""
    rate = bytes.fromhex("400eac44000000000000")
    common = struct.pack(">4sIhIh", b"COMM", 18, 2, size // 4, 16) + rate
    return struct.pack(">4sI4s", b"FORM", size + 46, b"AIFF") + common + struct.pack(">4sIII", b"SSND", size + 8, 0, 0)


def bmp(size: int) -> bytes:
    """1024 pixels wide, 24 bits."""
    info = struct.pack("<IiiHHIIiiII", 40, 1024, size // 3072, 1, 24, 0, size, 2835, 2835, 0, 0)
    return struct.pack("<2sIHHI", b"BM", size + 54, 0, 0, 54) + info


def tiff(size: int) -> bytes:
    """1024 pixels wide, 8 bits grey, one strip."""
    tags = (
        (256, 1024),
        (257, size // 1024),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 110),
        (278, size // 1024),
        (279, size),
    )
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)


def mp3_frames(folder: Path, source: str) -> bytes:
    """A second of MP3 at 320 kbit/s, whose frames are all of STEP_BYTES."""
    path = folder / "one.mp3"
    ffmpeg(
        "-f", "lavfi", "-i", source, "-t", "1", "-ac", "2", "-b:a", "320k", "-reservoir", "0", "-write_xing", "0",
        "-id3v2_version", "0", path,
    )  # fmt: skip
    return path.read_bytes()[10 * STEP_BYTES : 30 * STEP_BYTES]


def kinds(folder: Path) -> dict[str, Kind]:
    """All formats by name."""
    silence = mp3_frames(folder, "anullsrc=r=48000")
    tone = mp3_frames(folder, "sine=f=440:r=48000")
    return {
        "wav": Kind(wav, bytes(STEP_BYTES), NOISE[:STEP_BYTES]),
        "aiff": Kind(aiff, bytes(STEP_BYTES), NOISE[:STEP_BYTES]),
        "mp3": Kind(lambda size: b"", silence[:STEP_BYTES], tone[:STEP_BYTES]),
        "bmp": Kind(bmp, b"\xff" * STEP_BYTES, bytes(STEP_BYTES)),
        "tiff": Kind(tiff, b"\xff" * STEP_BYTES, bytes(STEP_BYTES)),
    }


def make_set(folder: Path, kind: Kind, files: int) -> Iterator[Path]:
    """The files of a set, which are in `folder` afterwards."""
    steps = BODY_BYTES // STEP_BYTES
    body = bytearray(kind.header(steps * STEP_BYTES) + kind.filling * steps)
    start = len(body) - steps * STEP_BYTES + FIRST_BYTE
    for number in range(files):  # up to 265, in which samples alone see nothing
        at = slice(start + number * STEP_BYTES, start + (number + 1) * STEP_BYTES)
        body[at], kept = kind.stretch, body[at]
        path = folder / f"{number:04}"
        path.write_bytes(body)
        body[at] = kept
        yield path


def identify_set(name: str, kind: Kind, files: int, folder: Path) -> SetResult:
    """Make a set and a copy of each tenth file, and identify all of them."""
    paths = list(make_set(folder, kind, files))
    copies = [Path(shutil.copy(path, path.with_suffix(".copy"))) for path in paths[::10]]
    finder, started = CopyFinder(), time.perf_counter()
    found = [finder.distinct(Location.of_file(path), fingerprint(path)).digest for path in (*paths, *copies)]
    seconds = time.perf_counter() - started
    return SetResult(
        kind=name, files=files, contents=len(set(found[:files])), sampled=len(set(map(sampled_fingerprint, paths))),
        copies=len(copies), copies_found=sum(digest in found[:files] for digest in found[files:]), seconds=seconds,
    )  # fmt: skip


def sweep(files: int) -> Iterator[SetResult]:
    """A set of each kind, of `files` in all."""
    with TemporaryFolder() as folder:
        for name, kind in kinds(Path(folder)).items():
            with TemporaryFolder() as place:
                yield identify_set(name, kind, files // 5, Path(place))


def main() -> int:
    """Print a line for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    are_right = True
    for result in sweep(parser.parse_args().files):
        are_right &= result.is_right
        print(
            f"{result.kind:5} {result.files} files: {result.contents} contents ({result.sampled} by samples alone), "
            f"{result.copies_found} of {result.copies} copies recognised, {result.seconds:.1f} s"
        )
    return 0 if are_right else 1


if __name__ == "__main__":
    sys.exit(main())
