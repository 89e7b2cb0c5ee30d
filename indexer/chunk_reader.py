"""A media file as a stream of pieces for the encoders: a chunk of 20 s each, never a whole long file in memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pesearch.encoders.chunked_codec import SoundChunk
from pesearch.encoders.io_types import ResizedFrame
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import FFmpegMissing, MediaError
from pesearch.media.audio import AudioReader
from pesearch.media.image import read_image
from pesearch.media.thumbnails import encode_jpeg
from pesearch.media.video import Frame, FrameReader
from pesearch.store.derived.previews import Preview
from pesearch.timeline import FRAMES_PER_SECOND, STEPS_PER_SECOND, chunks, grid, step_count, windows
from pesearch.types import MediaInfo, MediaKind, SpaceName

Result = TypeVar("Result")
Segment = tuple[float, float]

STOPPED_SECONDS = 60.0
"""When nothing new has been seen or heard for so long, nothing is embedded until something is.

A damaged clock may claim hours between two pictures.
"""

KEPT_EACH_SECONDS = 10.0
KEPT_WIDTH, STILL_WIDTH = 320, 640
"""One picture in so many seconds of a video is kept, and a still image itself; so wide."""


@dataclass(frozen=True, slots=True)
class Still:
    """One picture and the stretch of the file that it stands for."""

    start_seconds: float
    end_seconds: float
    squares: ResizedFrame


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk of a file: its pictures, those of them that are `kept`, its sound, and the windows that end in it.

    `media_seconds` is how much of the file it is, `unread_seconds` how much of that is lost.
    """

    start_seconds: float
    end_seconds: float
    stills: tuple[Still, ...]
    kept: tuple[Preview, ...]
    sound: SoundChunk | None
    windows: tuple[Segment, ...]
    media_seconds: float
    unread_seconds: float

    @property
    def size_bytes(self) -> int:
        """The memory that it holds."""
        pictures = {id(still.squares): still.squares.size_bytes for still in self.stills}
        kept = sum(len(each.jpeg) for each in self.kept)
        return sum(pictures.values()) + kept + (0 if self.sound is None else self.sound.samples.nbytes)


def decode(path: Path, info: MediaInfo, models: ModelSet) -> Iterator[Piece]:
    """The pieces of a file in the order of time, its pictures as the model set takes them.

    A stretch that cannot be decoded is passed over and counted as unread; MediaError when nothing can be.
    """
    if info.kind is MediaKind.IMAGE:
        image = read_image(path)
        kept = Preview(0.0, encode_jpeg(image, STILL_WIDTH))
        yield Piece(0.0, 0.0, (Still(0.0, 0.0, models.resize(image)),), (kept,), None, (), 0.0, 0.0)
        return
    with ExitStack() as stack:
        yield from _Chunks(path, info, models, stack)


class _Chunks:
    """Iterates over the chunks of a video or audio file."""

    def __init__(self, path: Path, info: MediaInfo, models: ModelSet, stack: ExitStack) -> None:
        self._duration = info.duration_seconds
        self._models = models
        self._trouble: MediaError | None = None
        names = {space.name for space in models.spaces}
        self._is_shown = info.video is not None and (SpaceName.FRAME in names or models.embeds_video)
        self._is_heard = info.audio is not None and SpaceName.AUDIO in names
        self._frames = (
            self._try(lambda: stack.enter_context(FrameReader(path, models.device))) if self._is_shown else None
        )
        self._sound = self._try(lambda: stack.enter_context(AudioReader(path))) if self._is_heard else None
        self._windows: list[Segment] = [(start, end) for start, end in windows(self._duration).tolist()]
        self._ends = [end for _, end in self._windows]
        self._start_steps = [round(start * STEPS_PER_SECOND) for start, _ in self._windows]
        self._end_steps = [step_count(end) for end in self._ends]
        self._last_new = 0.0
        self._next_kept = 0.0
        self._shown: tuple[float, ResizedFrame] | None = None

    def __iter__(self) -> Iterator[Piece]:
        something = False
        for start, end in chunks(self._duration).tolist():
            piece = self._piece(start, end)
            something = something or bool(piece.stills) or piece.sound is not None
            yield piece
        if not something and self._trouble is not None:
            raise self._trouble

    def _piece(self, start: float, end: float) -> Piece:
        times = grid(start, end)
        reader = self._frames
        frames = (self._try(lambda: list(reader.read(times))) if reader else None) or []
        sound = self._chunk(start, end) if self._is_heard else None
        ending = self._windows[bisect_right(self._ends, start) : bisect_right(self._ends, end)]
        lost = 0.0
        if self._has_stopped(start, end, frames, sound):
            frames, ending = [], []
        elif self._is_heard and sound is None:
            lost = end - start
        elif self._is_shown:
            lost = min((len(times) - len(frames)) / FRAMES_PER_SECOND, end - start)
        return Piece(
            start, end, self._stills(frames), tuple(self._kept(frames)), sound, tuple(ending), end - start, lost
        )

    def _has_stopped(self, start: float, end: float, frames: list[Frame], sound: SoundChunk | None) -> bool:
        """Whether nothing new has been seen or heard for STOPPED_SECONDS before this chunk, nor is in it."""
        heard = end if sound is not None and sound.samples.any() else 0.0
        self._last_new = max([self._last_new, heard, *(frame.since_seconds for frame in frames)])
        return start - self._last_new > STOPPED_SECONDS

    def _stills(self, frames: list[Frame]) -> tuple[Still, ...]:
        return tuple(
            Still(
                frame.time_seconds,
                min(frame.time_seconds + 1 / FRAMES_PER_SECOND, self._duration),
                self._squares(frame),
            )
            for frame in frames
        )

    def _kept(self, frames: Sequence[Frame]) -> Iterator[Preview]:
        """The first picture in each stretch of KEPT_EACH_SECONDS."""
        for frame in frames:
            if frame.time_seconds >= self._next_kept:
                self._next_kept = (frame.time_seconds // KEPT_EACH_SECONDS + 1) * KEPT_EACH_SECONDS
                yield Preview(frame.time_seconds, encode_jpeg(frame.image, KEPT_WIDTH))

    def _squares(self, frame: Frame) -> ResizedFrame:
        """A picture that is still shown is the same object, so that it is encoded once."""
        if self._shown is None or self._shown[0] != frame.since_seconds:
            self._shown = frame.since_seconds, self._models.resize(frame.image)
        return self._shown[1]

    def _chunk(self, start: float, end: float) -> SoundChunk | None:
        reader, all_steps = self._sound, step_count(self._duration)
        own = round(start * STEPS_PER_SECOND), min(step_count(end), all_steps)
        context = self._models.context_steps
        first, last = max(own[0] - context, 0), min(own[1] + context, all_steps)
        until = min(last / STEPS_PER_SECOND, self._duration)
        samples = self._try(lambda: reader.read(first / STEPS_PER_SECOND, until)) if reader else None
        if samples is None or not samples.size:
            return None
        starts = _between(self._start_steps, max(own[0], 1), own[1])
        ends = _between(self._end_steps, own[0] + 1, min(own[1] + 1, all_steps))
        return SoundChunk(samples, first, *own, starts, ends)

    def _try(self, read: Callable[[], Result]) -> Result | None:
        """What can be read is used; the last trouble is kept for the case that nothing can."""
        try:
            return read()
        except FFmpegMissing:
            raise
        except MediaError as trouble:
            self._trouble = trouble
            return None


def _between(steps: Sequence[int], first: int, stop: int) -> tuple[int, ...]:
    """Those of rising `steps` that lie in [first, stop)."""
    return tuple(steps[bisect_left(steps, first) : bisect_left(steps, stop)])
