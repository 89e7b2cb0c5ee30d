"""A media file as a stream of pieces for the encoders: one piece a window, never a whole long file in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pesearch.encoders.model_set import WindowInput
from pesearch.errors import FFmpegMissing, MediaError
from pesearch.media.audio import AudioReader
from pesearch.media.image import read_image
from pesearch.media.video import Frame, FrameReader
from pesearch.timeline import FRAMES_PER_SECOND, grid, windows
from pesearch.types import FloatArray, ImageArray, MediaInfo, MediaKind, Space, SpaceName

Result = TypeVar("Result")

STOPPED_SECONDS = 60.0
"""When nothing new has been seen or heard for so long, nothing is embedded until something is.

A damaged clock may claim hours between two pictures.
"""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a model set wants of a file: pictures one by one, and windows that are seen, heard or both."""

    stills: bool
    seen: bool
    heard: bool


def needs_of(spaces: tuple[Space, ...]) -> Needs:
    """What has to be decoded for these spaces."""
    names = {space.name for space in spaces}
    both = SpaceName.AUDIO_VIDEO in names
    return Needs(SpaceName.FRAME in names, both or SpaceName.VIDEO in names, both or SpaceName.AUDIO in names)


@dataclass(frozen=True, slots=True)
class Still:
    """One picture for the frame space and the stretch of the file that it stands for."""

    start_seconds: float
    end_seconds: float
    image: ImageArray


@dataclass(frozen=True, slots=True)
class Piece:
    """One window of a file, with those of its pictures that no window before it had.

    `media_seconds` is what this window adds to the ones before it, `unread_seconds` how much of that is lost.
    """

    start_seconds: float
    end_seconds: float
    stills: tuple[Still, ...]
    window: WindowInput | None
    media_seconds: float
    unread_seconds: float

    @property
    def size_bytes(self) -> int:
        held = sum(still.image.nbytes for still in self.stills)
        if self.window is not None:
            held += sum(image.nbytes for image in self.window.frames or ())
            held += 0 if self.window.audio is None else self.window.audio.nbytes
        return held


def decode(path: Path, info: MediaInfo, needs: Needs) -> Iterator[Piece]:
    """The pieces of a file in the order of time.

    A stretch that cannot be decoded is passed over and counted as unread; MediaError when nothing can be.
    """
    if info.kind is MediaKind.IMAGE:
        yield Piece(0.0, 0.0, (Still(0.0, 0.0, read_image(path)),) if needs.stills else (), None, 0.0, 0.0)
        return
    with ExitStack() as stack:
        yield from _Windows(path, info, needs, stack)


class _Windows:
    """Iterates over the windows of a video or audio file; pictures that two windows share are decoded once."""

    def __init__(self, path: Path, info: MediaInfo, needs: Needs, stack: ExitStack) -> None:
        self._duration = info.duration_seconds
        self._needs = needs
        self._trouble: MediaError | None = None
        self._is_shown = info.video is not None and (needs.stills or needs.seen)
        self._is_heard = info.audio is not None and needs.heard
        self._frames = self._try(lambda: stack.enter_context(FrameReader(path))) if self._is_shown else None
        self._sound = self._try(lambda: stack.enter_context(AudioReader(path))) if self._is_heard else None
        self._recent: list[Frame] = []
        self._until = 0.0
        self._last_new = 0.0

    def __iter__(self) -> Iterator[Piece]:
        something = False
        for start, end in windows(self._duration).tolist():
            piece = self._piece(start, end)
            something = something or bool(piece.stills) or piece.window is not None
            yield piece
        if not something and self._trouble is not None:
            raise self._trouble

    def _piece(self, start: float, end: float) -> Piece:
        fresh = self._fresh_pictures(start, end) if self._is_shown else []
        audio = self._audio(start, end) if self._is_heard else None
        is_lost = fresh is None or (self._is_heard and audio is None)
        added, self._until = end - self._until, end
        self._recent = [frame for frame in self._recent if frame.time_seconds >= start] + (fresh or [])
        if self._has_stopped(start, end, audio):
            return Piece(start, end, (), None, added, 0.0)
        images = _alike([frame.image for frame in self._recent]) if self._needs.seen else []
        window = WindowInput(images or None, audio) if images or audio is not None else None
        stills = tuple(self._still(frame) for frame in fresh or []) if self._needs.stills else ()
        return Piece(start, end, stills, window, added, added if is_lost else 0.0)

    def _has_stopped(self, start: float, end: float, audio: FloatArray | None) -> bool:
        """Whether nothing new has been seen or heard for STOPPED_SECONDS before this window, nor is in it."""
        heard = end if audio is not None and audio.any() else 0.0
        self._last_new = max([self._last_new, heard, *(frame.since_seconds for frame in self._recent)])
        return start - self._last_new > STOPPED_SECONDS

    def _fresh_pictures(self, start: float, end: float) -> list[Frame] | None:
        """The pictures of a window that the one before it did not have; None when there should be and none decodes."""
        times = grid(max(start, self._until), end)
        if not len(times):
            return []
        reader = self._frames
        pictures = self._try(lambda: list(reader.read(times))) if reader else None
        return pictures or None

    def _audio(self, start: float, end: float) -> FloatArray | None:
        reader = self._sound
        audio = self._try(lambda: reader.read(start, end)) if reader else None
        return audio if audio is not None and audio.size else None

    def _still(self, frame: Frame) -> Still:
        return Still(frame.time_seconds, min(frame.time_seconds + 1 / FRAMES_PER_SECOND, self._duration), frame.image)

    def _try(self, read: Callable[[], Result]) -> Result | None:
        """What can be read is used; the last trouble is kept for the case that nothing can."""
        try:
            return read()
        except FFmpegMissing:
            raise
        except MediaError as trouble:
            self._trouble = trouble
            return None


def _alike(images: list[ImageArray]) -> list[ImageArray]:
    """The pictures that have the size of the last: a stream may change its size, but a window has one."""
    return [image for image in images if image.shape == images[-1].shape]
