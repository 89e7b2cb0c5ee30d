"""Video frames at given times: upright, in SDR colours, on the player's clock.

torchcodec reads what it reads right: files whose format has an index. Its index of all packets is correct for variable
frame rates too; it decodes one frame at a time, so that memory holds one frame and a broken packet costs one frame, and
with times in order it decodes on without seeking. All others, and those whose index turns out to be wrong, are read
forwards by FFmpeg (`frame_stream`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from pesearch.errors import MediaError
from pesearch.media.container import Container
from pesearch.media.ffmpeg import video_decoder
from pesearch.media.frame_stream import MAX_PIXELS, THREADS, FrameStream
from pesearch.media.probe import inspect
from pesearch.media.seeking import has_index
from pesearch.types import ImageArray, Remark

if TYPE_CHECKING:
    from torchcodec.decoders import VideoDecoder

_ATTEMPTS = 3
"""After a broken packet the decoder is positioned behind it: a retry continues from there."""

_TOLERANCE_SECONDS = 0.1
"""A frame that begins later than this after the time it is shown at is a wrong one. (In AVI the frames of some codecs
are stamped up to two frames late.)"""


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame shown at `time_seconds`, RGB uint8 [height, width, 3]; `since_seconds` is when it first appeared."""

    time_seconds: float
    since_seconds: float
    image: ImageArray


class FrameReader:
    """The video stream of one file, held open. Cheapest when times come in order on the frame grid. Not thread-safe.

    Errors: MediaError when the file has no video or no frame can be decoded; FFmpegMissing.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        """On a CUDA `device` the GPU's video decoder is used if it supports the file, else the CPU."""
        container = inspect(path)
        if container.video_index is None:
            raise MediaError("has no pictures")
        self._path, self._container, self._stream_index = path, container, container.video_index
        self._origin = container.origin_seconds
        self._decoder: VideoDecoder | None = None
        self._stream: FrameStream | None = None
        self._trusts_index = True
        if not any(self._open(each) for each in _torchcodec_devices(path, container, device)):
            self._stream = FrameStream(path, container)
        if not self._decodes():
            self.close()
            raise MediaError("damaged: no video frame can be decoded")

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What was left out or guessed, known once the file is read."""
        return ()

    def read(self, times_seconds: Iterable[float]) -> Iterator[Frame]:
        """The frame at each time, in the given order.

        Times before the first frame give the first, times after the last the last. Undecodable frames are left out.
        """
        for seconds in times_seconds:
            frame = self._frame(float(seconds))
            if frame is not None:
                yield frame

    def _open(self, device: str) -> bool:
        """Whether torchcodec can index the file and decode it on this device."""
        try:
            self._decoder = video_decoder()(
                os.fspath(self._path.absolute()), stream_index=self._stream_index, dimension_order="NHWC",
                num_ffmpeg_threads=THREADS, device=device, seek_mode="exact",
            )  # fmt: skip
            begin, end = self._decoder.metadata.begin_stream_seconds, self._decoder.metadata.end_stream_seconds
        except (RuntimeError, ValueError, IndexError, MemoryError):
            begin = end = None
        if begin is None or end is None or end <= begin:
            self._close_decoder()
            return False
        self._begin, self._end = begin, end
        if device != "cpu" and not self._decodes():  # torchcodec without CUDA, or a codec that the GPU lacks
            self._close_decoder()
            return False
        return True

    def _frame(self, seconds: float) -> Frame | None:
        while self._decoder is not None:
            frame = self._indexed_frame(self._decoder, seconds)
            if frame is None or frame.since_seconds <= max(seconds, self._begin - self._origin) + _TOLERANCE_SECONDS:
                return frame
            # A later frame than the one that is shown. Frames before an edit list are not in the index; and without
            # it, torchcodec goes by the durations of frames, which are wrong in many films of variable rate.
            if not self._trusts_index:
                self._close_decoder()
            self._trusts_index = False
        if self._stream is None:
            self._stream = FrameStream(self._path, self._container)
        shown = self._stream.at(seconds)
        return None if shown is None else Frame(seconds, *shown)

    def _indexed_frame(self, decoder: VideoDecoder, seconds: float) -> Frame | None:
        shown = min(max(seconds + self._origin, self._begin), math.nextafter(self._end, -math.inf))
        for attempt in range(_ATTEMPTS):
            with suppress(RuntimeError, IndexError, MemoryError):
                if self._trusts_index and attempt < _ATTEMPTS - 1:
                    frame = decoder.get_frames_played_at([shown])[0]
                else:  # the call for several frames fails where frames change their size
                    frame = decoder.get_frame_played_at(shown)
                return Frame(seconds, float(frame.pts_seconds) - self._origin, frame.data.cpu().numpy())
        return None

    def _decodes(self) -> bool:
        """Whether a frame can be decoded at any of eight evenly spaced times."""
        duration = self._container.info.duration_seconds
        return any(self._frame(part * duration) is not None for part in np.arange(8) / 8)

    def close(self) -> None:
        """Close the file, and end FFmpeg."""
        self._close_decoder()
        if self._stream is not None:
            self._stream.close()

    def _close_decoder(self) -> None:
        self._decoder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _torchcodec_devices(path: Path, container: Container, device: str) -> tuple[str, ...]:
    """Where torchcodec may decode the file, the best first: it must have an index, and frames that need no more.

    torchcodec takes no list of allowed demuxers. It gets what FFmpeg's program has opened with one, and only by a path:
    the `file` protocol opens nothing but files, where an open file would allow every protocol. Paths are UTF-8.
    """
    display = container.display
    if display is None or not display.is_plain or not has_index(container) or not _is_utf8(path):
        return ()
    is_small = display.width * display.height <= MAX_PIXELS
    decoder = device if device.startswith("cuda") else "cpu"
    return tuple(each for each in dict.fromkeys((decoder, "cpu")) if is_small or each != "cpu")


def _is_utf8(path: Path) -> bool:
    try:
        os.fspath(path.absolute()).encode()
    except UnicodeEncodeError:
        return False
    return True


def read_frames(path: Path, times_seconds: Iterable[float]) -> Iterator[Frame]:
    """The frame at each time, as FrameReader.read. Errors: MediaError when none can be decoded; FFmpegMissing."""
    with FrameReader(path) as reader:
        yield from reader.read(times_seconds)
