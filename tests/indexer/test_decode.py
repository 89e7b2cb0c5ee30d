"""A file as pieces: windows, the pictures that each adds, and what damaged stretches leave."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import MediaError
from pesearch.indexer.decode import STOPPED_SECONDS, Needs, Piece, decode, needs_of
from pesearch.media.probe import probe
from pesearch.timeline import FRAMES_PER_SECOND, HOP_SECONDS, SAMPLE_RATE, grid, windows
from pesearch.types import MediaInfo, MediaKind, Space, SpaceName
from tests.media.samples import ffmpeg, is_tone, step_of

ALL = Needs(stills=True, seen=True, heard=True)
Sample = Callable[[str], Path]


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """17.3 s: three windows, the last one shifted back. Each second has its own grey, and a tone from 10 s on."""
    path = tmp_path_factory.mktemp("long") / "long.mkv"
    pictures = "color=black:s=64x48:r=10:d=17.3,geq=lum='30+10*floor(T+0.001)':cb=128:cr=128,format=yuv420p"
    sound = "aevalsrc='0.5*sin(2*PI*1000*t)*gte(t,10)':s=48000:d=17.3"
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le"]
    ffmpeg("-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound, *codecs, path)
    return path


def pieces_of(path: Path, needs: Needs = ALL) -> list[Piece]:
    return list(decode(path, probe(path), needs))


def test_windows_follow_the_timeline(long_clip: Path) -> None:
    pieces = pieces_of(long_clip)
    duration = probe(long_clip).duration_seconds
    assert [(piece.start_seconds, piece.end_seconds) for piece in pieces] == [
        tuple(segment) for segment in windows(duration).tolist()
    ]
    assert sum(piece.media_seconds for piece in pieces) == pytest.approx(duration)
    assert all(piece.unread_seconds == 0 for piece in pieces)


def test_each_window_has_its_16_pictures_and_its_sound(long_clip: Path) -> None:
    for piece in pieces_of(long_clip):
        assert piece.window is not None
        assert piece.window.frames is not None
        assert piece.window.audio is not None
        shown = [(image.mean() / 255 * 219 + 16 - 30) / 10 for image in piece.window.frames]
        assert np.allclose(shown, np.floor(grid(piece.start_seconds, piece.end_seconds) + 0.001), atol=0.25)
        assert len(shown) == 16
        assert piece.window.audio.shape == (10 * SAMPLE_RATE,)
        assert is_tone(piece.window.audio[-SAMPLE_RATE:]) == (piece.end_seconds > 10.1)


def test_each_picture_of_the_grid_is_a_still_once(long_clip: Path) -> None:
    stills = [still for piece in pieces_of(long_clip) for still in piece.stills]
    duration = probe(long_clip).duration_seconds
    assert [still.start_seconds for still in stills] == grid(0, duration).tolist()
    ends = [still.end_seconds for still in stills]
    assert ends[:-1] == [still.start_seconds for still in stills[1:]]
    assert ends[-1] == pytest.approx(duration)
    assert ends[-1] - stills[-1].start_seconds <= 1 / FRAMES_PER_SECOND


def test_only_what_is_needed_is_decoded(long_clip: Path) -> None:
    light = needs_of((Space(SpaceName.FRAME, "m", "r", 4), Space(SpaceName.AUDIO, "m", "r", 4)))
    for piece in pieces_of(long_clip, light):
        assert piece.stills
        assert piece.window is not None
        assert piece.window.frames is None
        assert piece.window.audio is not None
    heard = pieces_of(long_clip, Needs(stills=False, seen=False, heard=True))
    assert not any(piece.stills for piece in heard)


def test_sound_alone_and_pictures_alone(sample: Sample) -> None:
    (heard,) = pieces_of(sample("tone.wav"))
    assert heard.window is not None
    assert (heard.window.frames, heard.stills) == (None, ())
    (seen,) = pieces_of(sample("silent.mp4"))
    assert seen.window is not None
    assert seen.window.audio is None
    shown_since = np.floor(grid(0, 4) * 25 + 0.001) / 25  # 25 pictures a second, a new grey each half second
    assert [step_of(still.image) for still in seen.stills] == [int(time * 2 + 0.001) for time in shown_since]


def test_a_still_picture(sample: Sample) -> None:
    (piece,) = pieces_of(sample("cover.png"))
    assert [(still.start_seconds, still.end_seconds) for still in piece.stills] == [(0.0, 0.0)]
    assert (piece.window, piece.media_seconds) == (None, 0.0)
    assert piece.size_bytes == 64 * 64 * 3


def test_a_damaged_stretch_is_passed_over_and_counted(tmp_path: Path) -> None:
    """17.3 s in which every picture stands for itself; those from 9.5 s to 15.5 s are overwritten."""
    path = tmp_path / "broken.avi"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=17.3", "-c:v", "mjpeg", path)
    content = bytearray(path.read_bytes())
    chunks = [match.end() for match in re.finditer(rb"00dc", content[: content.index(b"idx1")])]
    for at in chunks[95:155]:  # 10 pictures a second, each after its name and its size in 4 bytes
        size = int.from_bytes(content[at : at + 4], "little")
        content[at + 4 : at + 4 + size] = bytes(size)
    path.write_bytes(content)
    first, second, third = pieces_of(path)
    assert len(first.stills) in range(14, 17)
    assert (second.stills, second.unread_seconds) == ((), second.media_seconds)
    assert second.window is not None
    assert second.window.frames is not None
    assert len(second.window.frames) <= 8
    assert third.stills
    assert first.unread_seconds == third.unread_seconds == 0


def test_nothing_that_decodes_is_an_error(sample: Sample, tmp_path: Path) -> None:
    """The file says that it has pictures; there is no such file any more."""
    gone = tmp_path / "gone.mp4"
    info: MediaInfo = probe(sample("both.mp4"))
    with pytest.raises(MediaError, match="vanished"):
        list(decode(gone, info, ALL))
    still = probe(sample("cover.png"))
    assert still.kind is MediaKind.IMAGE
    with pytest.raises(MediaError, match="vanished"):
        list(decode(gone, still, ALL))


def test_a_clock_that_jumps_costs_nothing(sample: Sample) -> None:
    """8 s of pictures and sound, in two parts that the clock says are 5000 s apart."""
    pieces = pieces_of(sample("jumping_clock.ts"))
    assert sum(piece.media_seconds for piece in pieces) == pytest.approx(5004, abs=0.1)
    embedded = [piece for piece in pieces if piece.window is not None]
    assert len(embedded) <= 2 + STOPPED_SECONDS / HOP_SECONDS + 2
    assert embedded[-1].end_seconds == pieces[-1].end_seconds
    assert all(piece.stills == () for piece in pieces if piece.window is None)
    assert max(still.end_seconds for piece in pieces for still in piece.stills) == pytest.approx(5004, abs=0.1)
