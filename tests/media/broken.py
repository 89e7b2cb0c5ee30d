"""Damaged media files: copies of good ones, truncated, with flipped bits, holes or foreign bytes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path


def broken_copies(good: Sequence[Path], folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Write `count` damaged copies of good files into a folder, the same ones for the same seed.

    Copies keep the suffix of their source; the kinds of damage alternate.
    """
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(count):
        damage = DAMAGES[number % len(DAMAGES)]
        source = good[number // len(DAMAGES) % len(good)]
        path = folder / f"{number:03d}_{damage.__name__}{source.suffix}"
        path.write_bytes(damage(bytearray(source.read_bytes()), chance))
        made.append(path)
    return made


def lose_pictures(path: Path, first: int, stop: int) -> None:
    """Overwrite pictures of an AVI of intra-coded frames with zeros: the others can still be decoded."""
    content = bytearray(path.read_bytes())
    chunks = [match.end() for match in re.finditer(rb"00dc", content[: content.index(b"idx1")])]
    for at in chunks[first:stop]:  # after the name of the chunk come its size in 4 bytes, and the picture
        size = int.from_bytes(content[at : at + 4], "little")
        content[at + 4 : at + 4 + size] = bytes(size)
    path.write_bytes(content)


def cut_short(content: bytearray, chance: random.Random) -> bytearray:
    """The end is missing, from one byte to nearly all."""
    return content[: chance.randrange(len(content))]


def head_flipped(content: bytearray, chance: random.Random) -> bytearray:
    """A few bits of the header are flipped."""
    return _flipped(content, chance, 0, min(1024, len(content)), flips=chance.randint(1, 12))


def bits_flipped(content: bytearray, chance: random.Random) -> bytearray:
    """Bits are flipped everywhere, about one in 200 bytes."""
    return _flipped(content, chance, 0, len(content), flips=max(len(content) // 200, 1))


def tail_flipped(content: bytearray, chance: random.Random) -> bytearray:
    """Bits of the last part are flipped, where MP4 and Matroska keep their index."""
    begin = max(len(content) - 2048, 0)
    return _flipped(content, chance, begin, len(content), flips=chance.randint(4, 40))


def holed(content: bytearray, chance: random.Random) -> bytearray:
    """A range is zeros, as a file system leaves it after a crash."""
    begin, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    content[begin:end] = bytes(end - begin)
    return content


def overwritten(content: bytearray, chance: random.Random) -> bytearray:
    """A range is noise."""
    begin = chance.randrange(len(content))
    end = min(begin + chance.randint(1, 4096), len(content))
    content[begin:end] = chance.randbytes(end - begin)
    return content


def torn(content: bytearray, chance: random.Random) -> bytearray:
    """A range is missing and the rest has moved up."""
    begin = chance.randrange(len(content))
    del content[begin : begin + chance.randint(1, 4096)]
    return content


def overwrite(content: bytes, begin: float, end: float) -> bytes:
    """The part between two fractions of the length replaced by noise, always the same."""
    first, last = int(begin * len(content)), int(end * len(content))
    return content[:first] + random.Random(0).randbytes(last - first) + content[last:]


def hollow(mp4: bytes) -> bytes:
    """An MP4 file (index last) with an intact index and packets of zeros."""
    begin, end = mp4.index(b"mdat") + 4, mp4.index(b"moov") - 4
    return mp4[:begin] + bytes(end - begin) + mp4[end:]


def _flipped(content: bytearray, chance: random.Random, begin: int, end: int, flips: int) -> bytearray:
    for _ in range(flips):
        content[chance.randrange(begin, end)] ^= 1 << chance.randrange(8)
    return content


DAMAGES: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (
    cut_short, head_flipped, bits_flipped, tail_flipped, holed, overwritten, torn,
)  # fmt: skip
