"""Damaged files give a result or a MediaError and never crash the process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import MediaError
from pesearch.media.audio import AudioReader
from pesearch.media.fingerprint import fingerprint
from pesearch.media.image import read_image
from pesearch.media.probe import probe
from pesearch.media.video import FrameReader
from pesearch.timeline import grid
from pesearch.types import MediaKind
from tests.media.broken import DAMAGES, broken_copies

pytestmark = pytest.mark.slow

_GOOD = {"both.mp4": 1, "offset.mkv": 2, "offset.ts": 2, "vp9.webm": 2, "tone.mp3": 3, "still.jpg": 0}
"""Good files, and how many of their seven damaged copies must be readable (a JPEG is whole or nothing)."""


@pytest.mark.parametrize("name", _GOOD)
def test_damaged_files_are_read_or_raise_a_media_error(
    sample: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    files = broken_copies([sample(name)], tmp_path, len(DAMAGES), seed=1)
    read = [path.name for path in files if _is_read(path)]
    assert len(read) >= _GOOD[name], read


def _is_read(path: Path) -> bool:
    """Whether a file can be read. Results must be valid, and the reason must be one short line otherwise."""
    try:
        fingerprint(path)
        info = probe(path)
        if info.kind is MediaKind.IMAGE:
            return read_image(path).ndim == 3
        assert 0 < info.duration_seconds < 3600
        seen = info.video is None or _pictures(path, info.duration_seconds)
        return bool(seen and (info.audio is None or _sound(path, info.duration_seconds)))
    except MediaError as error:
        reason = str(error)
        assert reason and "\n" not in reason and len(reason) < 100
        return False


def _pictures(path: Path, duration_seconds: float) -> bool:
    """Read as indexing does, and after a seek to the end."""
    with FrameReader(path) as reader:
        shown = list(reader.read([*grid(0, min(duration_seconds, 10.0)), duration_seconds]))
    return all(frame.image.ndim == 3 and frame.image.shape[2] == 3 for frame in shown)


def _sound(path: Path, duration_seconds: float) -> bool:
    with AudioReader(path) as reader:
        samples = reader.read(0, min(duration_seconds, 10.0))
    return bool(np.isfinite(samples).all())


def test_the_same_files_for_the_same_seed(sample: Callable[[str], Path], tmp_path: Path) -> None:
    good = [sample("tone.mp3"), sample("still.jpg")]
    one, again, other = (broken_copies(good, tmp_path / str(n), 14, seed) for n, seed in enumerate((5, 5, 6)))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in again]
    assert [path.read_bytes() for path in one] != [path.read_bytes() for path in other]
