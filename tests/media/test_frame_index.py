"""Our frame index against torchcodec's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import video_decoder
from pesearch.media.frame_index import HEADLESS_FORMATS, frame_index
from pesearch.media.probe import inspect
from pesearch.media.video import FrameReader
from tests.media.broken import broken_copies

Sample = Callable[[str], Path]

HEADLESS = ("offset.ts", "late_clock.ts", "jumping_clock.ts", "old.mpg", "old.flv")


@pytest.mark.parametrize("name", HEADLESS)
def test_the_index_gives_the_same_frames_as_torchcodecs(sample: Sample, name: str) -> None:
    path = sample(name)
    container = inspect(path)
    assert container.format in HEADLESS_FORMATS and container.video_index is not None
    index = frame_index(path, container.video_index)
    theirs = video_decoder()(str(path), stream_index=container.video_index, seek_mode="exact")
    ours = video_decoder()(str(path), stream_index=container.video_index, custom_frame_mappings=index.mappings)
    extent = theirs.metadata.begin_stream_seconds, theirs.metadata.end_stream_seconds
    assert (index.begin_seconds, index.end_seconds) == pytest.approx(extent, abs=1e-5)
    for seconds in np.linspace(index.begin_seconds, index.end_seconds, 40):
        one, other = (decoder.get_frames_played_at([seconds])[0] for decoder in (theirs, ours))
        assert one.pts_seconds == other.pts_seconds
        assert one.data.equal(other.data)


def test_a_stream_without_packets_has_no_index(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "empty.ts"
    path.write_bytes(sample("offset.ts").read_bytes()[:564])
    with pytest.raises(ValueError, match="no packet"):
        frame_index(path, 0)


def test_readers_of_headless_formats_use_our_index(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    options: list[dict[str, object]] = []

    def record(*arguments: object, **given: object) -> object:
        options.append(given)
        return decoder(*arguments, **given)  # type: ignore[arg-type]

    decoder = video_decoder()
    monkeypatch.setattr("pesearch.media.video.video_decoder", lambda: record)
    for name in (*HEADLESS, "both.mp4"):
        FrameReader(sample(name)).close()
    assert ["custom_frame_mappings" in given for given in options] == [True] * len(HEADLESS) + [False]
    assert options[-1]["seek_mode"] == "exact"


def test_damaged_headless_files_never_crash_the_process(sample: Sample, tmp_path: Path) -> None:
    """torchcodec 0.13's own index does, for the third of these files."""
    read = 0
    for path in broken_copies([sample("offset.ts"), sample("old.flv")], tmp_path, 9, seed=5):
        try:
            with FrameReader(path) as reader:
                read += len(list(reader.read(np.arange(0, 4, 0.5))))
        except MediaError as error:
            assert "\n" not in str(error)
    assert read > 25
