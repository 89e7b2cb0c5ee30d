"""Video frames at given times, through torchcodec: upright, on the player's clock.

Frames are found through an index of all packets (torchcodec's exact mode, or `frame_index`), which is correct for
variable frame rates too. They are decoded one at a time, so that memory holds one frame and a broken packet costs one
frame; with times in order torchcodec decodes on without seeking.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import video_decoder
from pesearch.media.frame_index import HEADLESS_FORMATS, frame_index
from pesearch.media.probe import Container, inspect
from pesearch.types import ImageArray, Remark

if TYPE_CHECKING:
    from torchcodec.decoders import VideoDecoder

_THREADS = min(4, os.cpu_count() or 1)
"""FFmpeg decoding threads."""

_ATTEMPTS = 3
"""After a broken packet the decoder is positioned behind it: a retry continues from there."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame shown at `time_seconds`, RGB uint8 [height, width, 3]; `since_seconds` is when it first appeared."""

    time_seconds: float
    since_seconds: float
    image: ImageArray


class FrameReader:
    """The video stream of one file, held open. Cheapest when times come in order. Not thread-safe.

    Errors: MediaError when the file has no video or no frame can be decoded; FFmpegMissing.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        """On a CUDA `device` the GPU's video decoder is used if it supports the file, else the CPU."""
        container = inspect(path)
        if container.video_index is None:
            raise MediaError("has no pictures")
        self._path, self._stream = path, container.video_index
        self._origin = container.origin_seconds
        self._file: IO[bytes] | None = None
        if device != "cpu":
            with suppress(MediaError):  # torchcodec built without CUDA, or a codec that the GPU does not support
                self._open(container, device)
                return
        self._open(container, "cpu")

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

    def _open(self, container: Container, device: str) -> None:
        try:
            self._decoder, extent = self._decoder_on(device, container.format)
        except (RuntimeError, ValueError, IndexError, MemoryError) as error:
            self.close()
            raise MediaError("damaged: its video stream cannot be opened") from error
        self._is_exact = extent is not None
        self._begin, self._end = extent or (self._origin, self._origin + container.info.duration_seconds)
        if not self._decodes():
            self.close()
            raise MediaError("damaged: no video frame can be decoded")

    def _decoder_on(self, device: str, format_name: str) -> tuple[VideoDecoder, tuple[float, float] | None]:
        """A decoder with an index of all packets, and the start and end of its frames on the clock of the file's
        timestamps. If the end of the file is missing there can be no index: an approximate decoder, and None."""

        def make(**options: Any) -> VideoDecoder:
            return video_decoder()(
                self._source(), stream_index=self._stream, dimension_order="NHWC", num_ffmpeg_threads=_THREADS,
                device=device, **options,
            )  # fmt: skip

        try:
            if format_name in HEADLESS_FORMATS:
                index = frame_index(self._path, self._stream)
                decoder = make(custom_frame_mappings=index.mappings)
                return decoder, (index.begin_seconds, index.end_seconds)
            decoder = make(seek_mode="exact")
            begin, end = decoder.metadata.begin_stream_seconds, decoder.metadata.end_stream_seconds
            return decoder, None if begin is None or end is None else (begin, end)
        except (RuntimeError, ValueError):
            self.close()
            return make(seek_mode="approximate"), None

    def _frame(self, seconds: float) -> Frame | None:
        shown = min(max(seconds + self._origin, self._begin), math.nextafter(self._end, -math.inf))
        for _ in range(_ATTEMPTS):
            try:
                if self._is_exact:
                    frame = self._decoder.get_frames_played_at([shown])[0]
                else:
                    frame = self._decoder.get_frame_played_at(shown)
            except (RuntimeError, IndexError, MemoryError):
                continue
            return Frame(seconds, frame.pts_seconds - self._origin, frame.data.cpu().numpy())
        return None

    def _decodes(self) -> bool:
        """Whether a frame can be decoded at any of eight evenly spaced times."""
        if not self._end > self._begin:
            return False
        length = self._end - self._begin
        return any(self._frame(self._begin - self._origin + part * length) is not None for part in np.arange(8) / 8)

    def _source(self) -> str | IO[bytes]:
        """torchcodec takes paths as UTF-8; a path of other bytes is passed as an open file."""
        text = str(self._path.absolute())
        try:
            text.encode()
        except UnicodeEncodeError:
            self._file = self._path.open("rb")
            return self._file
        return text

    def close(self) -> None:
        """Close the file. The decoder is freed with the reader."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        del self._decoder


def read_frames(path: Path, times_seconds: Iterable[float]) -> Iterator[Frame]:
    """The frame at each time, as FrameReader.read. Errors: MediaError when none can be decoded; FFmpegMissing."""
    with FrameReader(path) as reader:
        yield from reader.read(times_seconds)
