"""Our index of the pictures of a video against torchcodec's own."""

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
def test_the_same_pictures_at_the_same_times(sample: Sample, name: str) -> None:
    path = sample(name)
    container = inspect(path)
    assert container.format in HEADLESS_FORMATS and container.video_index is not None
    index = frame_index(path, container.video_index)
    theirs = video_decoder()(str(path), stream_index=container.video_index, seek_mode="exact")
    ours = video_decoder()(str(path), stream_index=container.video_index, custom_frame_mappings=index.mappings)
    told = theirs.metadata.begin_stream_seconds, theirs.metadata.end_stream_seconds
    assert (index.begin_seconds, index.end_seconds) == pytest.approx(told, abs=1e-5)
    for seconds in np.linspace(index.begin_seconds, index.end_seconds, 40):
        one, other = (decoder.get_frames_played_at([seconds])[0] for decoder in (theirs, ours))
        assert one.pts_seconds == other.pts_seconds
        assert one.data.equal(other.data)


def test_no_packets_are_no_index(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "empty.ts"
    path.write_bytes(sample("offset.ts").read_bytes()[:564])
    with pytest.raises(ValueError, match="no packet"):
        frame_index(path, 0)


def test_damaged_ones_end_no_process(sample: Sample, tmp_path: Path) -> None:
    """torchcodec's own index does, for one in a hundred of these."""
    read = 0
    for path in broken_copies([sample("offset.ts"), sample("old.flv")], tmp_path, 70, seed=5):
        try:
            with FrameReader(path) as reader:
                read += len(list(reader.read(np.arange(0, 4, 0.5))))
        except MediaError as error:
            assert "\n" not in str(error)
    assert read > 200
