"""Reads a media file in chunks of 20 s, so that a long file is never in memory as a whole."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pesearch.audio_track import AudioTrack
from pesearch.encoders.io_types import ResizedFrame, SoundChunk
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import FFmpegMissing, MediaError
from pesearch.indexer.media_chunk import MediaChunk, SampledFrame, Segment
from pesearch.indexer.static_frames import StaticFrames
from pesearch.indexer.survey import is_access_error
from pesearch.indexer.unread import Unread, UnreadStretches
from pesearch.media.audio import AudioReader
from pesearch.media.image import StillReader
from pesearch.media.mp4_index import READING_BUDGET, claimed_index_bytes
from pesearch.media.probe import inspect
from pesearch.media.thumbnails import encode_jpeg
from pesearch.media.video import Frame, FrameReader
from pesearch.store.derived.previews import Preview
from pesearch.timeline import FRAMES_PER_SECOND, STEPS_PER_SECOND, chunks, grid, step_count, windows
from pesearch.types import MediaInfo, MediaKind, Remark, SpaceName

Result = TypeVar("Result")

MAX_UNCHANGED_SECONDS = 60.0
"""After this long without a new frame or any sound, nothing is embedded until one comes.

A damaged clock may claim hours between two frames.
"""

PREVIEW_INTERVAL_SECONDS = 10.0
"""Interval between previews of a video."""

PREVIEW_WIDTH = 320
"""Pixels of a preview of a video."""

IMAGE_PREVIEW_WIDTH = 640
"""Pixels of the preview of a still image."""


@dataclass(frozen=True, slots=True)
class _ShownFrame:
    """The frame at a time, made small; `since_seconds` is when it first appeared."""

    time_seconds: float
    since_seconds: float
    resized: ResizedFrame
    preview: Preview | None


def read_chunks(path: Path, info: MediaInfo, models: ModelSet, track: AudioTrack | None = None) -> Iterator[MediaChunk]:
    """Decodes a file into chunks in order of time, with frames resized for the model set, and sound of this track.

    Stretches that cannot be decoded are skipped and counted as unread. Raises MediaError when nothing can be decoded.
    """
    if info.kind is MediaKind.IMAGE:
        yield _read_still(path, models)
        return
    with READING_BUDGET.hold(claimed_index_bytes(path)), ExitStack() as stack:
        yield from _Chunks(path, info, models, track, stack)


def _read_still(path: Path, models: ModelSet) -> MediaChunk:
    """All pages of an image, each a frame of the whole file; the preview is the first."""
    frames: list[SampledFrame] = []
    previews: list[Preview] = []
    reader = StillReader(path)
    for page in reader.pages():
        frames.append(SampledFrame(0.0, 0.0, models.resize(page)))
        previews = previews or [Preview(0.0, encode_jpeg(page, IMAGE_PREVIEW_WIDTH))]
    return MediaChunk(0.0, 0.0, tuple(frames), tuple(previews), None, (), 0.0, 0.0, reader.remarks)


class _Chunks:
    """Iterates over the chunks of a video or audio file."""

    def __init__(
        self, path: Path, info: MediaInfo, models: ModelSet, track: AudioTrack | None, stack: ExitStack
    ) -> None:
        self._path = path
        self._track = track
        self._duration = info.duration_seconds
        self._models = models
        self._last_error: MediaError | None = None
        names = {space.name for space in models.spaces}
        self._has_frames = info.video is not None and (SpaceName.FRAME in names or models.embeds_video)
        self._has_sound = info.audio is not None and SpaceName.AUDIO in names
        self._frames = (
            self._try(lambda: stack.enter_context(FrameReader(path, models.device))) if self._has_frames else None
        )
        self._sound = self._try(lambda: stack.enter_context(AudioReader(path, track))) if self._has_sound else None
        self._gaps = inspect(path, track).gaps if self._frames or self._sound else ()
        self._windows: list[Segment] = [(start, end) for start, end in windows(self._duration).tolist()]
        self._ends = [end for _, end in self._windows]
        self._start_steps = [round(start * STEPS_PER_SECOND) for start, _ in self._windows]
        self._end_steps = [step_count(end) for end in self._ends]
        self._last_change_seconds = 0.0
        self._next_preview_seconds = 0.0
        self._last_resized: tuple[float, ResizedFrame] | None = None
        self._static_frames = StaticFrames()
        self._unread = UnreadStretches()

    def __iter__(self) -> Iterator[MediaChunk]:
        has_content = False
        for start, end in chunks(self._duration).tolist():
            chunk = self._read(start, end)
            has_content = has_content or bool(chunk.frames) or chunk.sound is not None
            yield replace(chunk, remarks=self._remarks()) if end == self._duration else chunk
        if not has_content and self._last_error is not None:
            raise self._last_error

    def _read(self, start: float, end: float) -> MediaChunk:
        if any(first + MAX_UNCHANGED_SECONDS < start and end < last for first, last in self._gaps):
            self._unread.add(Unread.UNCHANGED, start, end)
            return MediaChunk(start, end, (), (), None, (), end - start, 0.0)
        times = grid(start, end)
        reader = self._frames
        frames = (self._try(lambda: self._read_frames(reader, times.tolist())) if reader else None) or []
        sound = self._read_sound(start, end) if self._has_sound else None
        ending = self._windows[bisect_right(self._ends, start) : bisect_right(self._ends, end)]
        unread = 0.0
        if lost_sound := self._has_sound and sound is None:
            self._unread.add(Unread.SOUND, start, end)
        if self._is_unchanged(start, end, frames, sound):
            if not lost_sound:
                self._unread.add(Unread.UNCHANGED, start, end)
            frames, ending = [], []
        else:
            lost_pictures = self._note_missing(times.tolist(), frames, end) if self._has_frames else 0.0
            unread = end - start if lost_sound else lost_pictures
        return MediaChunk(
            start, end, self._sampled(frames), self._previews(frames), sound, tuple(ending), end - start, unread
        )

    def _read_frames(self, reader: FrameReader, times: Sequence[float]) -> list[_ShownFrame]:
        """The frames at these times, each made small before the next one is decoded: one may take 300 MB.

        The first one in each PREVIEW_INTERVAL_SECONDS gives a preview.
        """
        shown, due_seconds = [], self._next_preview_seconds
        for frame in reader.read(times):
            preview = None
            if frame.time_seconds >= due_seconds:
                due_seconds = _next_preview(frame.time_seconds)
                preview = Preview(frame.time_seconds, encode_jpeg(frame.image, PREVIEW_WIDTH))
            shown.append(_ShownFrame(frame.time_seconds, frame.since_seconds, self._resized(frame), preview))
        return shown

    def _note_missing(self, times: Sequence[float], frames: Sequence[_ShownFrame], end: float) -> float:
        """Notes the times without a frame as unread. The seconds that these frames would stand for."""
        found = {frame.time_seconds for frame in frames}
        missing = [(time, min(time + 1 / FRAMES_PER_SECOND, end)) for time in times if time not in found]
        for start, stop in missing:
            self._unread.add(Unread.PICTURES, start, stop)
        return sum(stop - start for start, stop in missing)

    def _remarks(self) -> tuple[Remark, ...]:
        """What is known of the whole file once it is read: by its container, by the readers, and from decoding."""
        readers = (reader for reader in (self._frames, self._sound) if reader is not None)
        of_readers = (remark for reader in readers for remark in reader.remarks)
        of_container = self._try(lambda: inspect(self._path, self._track).remarks) or ()
        return tuple(dict.fromkeys((*of_container, *of_readers, *self._unread.remarks(self._duration))))

    def _is_unchanged(self, start: float, end: float, frames: list[_ShownFrame], sound: SoundChunk | None) -> bool:
        """Whether there is no new frame and no sound in this chunk and the MAX_UNCHANGED_SECONDS before it."""
        heard = end if sound is not None and sound.samples.any() else 0.0
        self._last_change_seconds = max([self._last_change_seconds, heard, *(frame.since_seconds for frame in frames)])
        return start - self._last_change_seconds > MAX_UNCHANGED_SECONDS

    def _sampled(self, frames: list[_ShownFrame]) -> tuple[SampledFrame, ...]:
        return tuple(
            SampledFrame(
                frame.time_seconds,
                min(frame.time_seconds + 1 / FRAMES_PER_SECOND, self._duration),
                frame.resized,
            )
            for frame in frames
        )

    def _previews(self, frames: Sequence[_ShownFrame]) -> tuple[Preview, ...]:
        previews = tuple(frame.preview for frame in frames if frame.preview is not None)
        if previews:
            self._next_preview_seconds = _next_preview(previews[-1].at_seconds)
        return previews

    def _resized(self, frame: Frame) -> ResizedFrame:
        """The same object while the same picture is shown, so that it is encoded once."""
        if self._last_resized is None or self._last_resized[0] != frame.since_seconds:
            resized = self._static_frames.reuse(self._models.resize(frame.image))
            self._last_resized = frame.since_seconds, resized
        return self._last_resized[1]

    def _read_sound(self, start: float, end: float) -> SoundChunk | None:
        reader, total_steps = self._sound, step_count(self._duration)
        own = round(start * STEPS_PER_SECOND), min(step_count(end), total_steps)
        context = self._models.context_steps
        first, last = max(own[0] - context, 0), min(own[1] + context, total_steps)
        until = min(last / STEPS_PER_SECOND, self._duration)
        samples = self._try(lambda: reader.read(first / STEPS_PER_SECOND, until)) if reader else None
        if samples is None or not samples.size:
            return None
        starts = _between(self._start_steps, max(own[0], 1), own[1])
        ends = _between(self._end_steps, own[0] + 1, min(own[1] + 1, total_steps))
        return SoundChunk(samples, first, *own, starts, ends)

    def _try(self, read: Callable[[], Result]) -> Result | None:
        """None on a MediaError; if nothing of the file can be decoded, the last one is raised at its end.

        One of the disk or share is raised at once: the file is not indexed in part, but tried again in the next run.
        """
        try:
            return read()
        except FFmpegMissing:
            raise
        except MediaError as error:
            if is_access_error(error):
                raise
            self._last_error = error
            return None


def _next_preview(seconds: float) -> float:
    """From when on the next preview is due after one at this time."""
    return (seconds // PREVIEW_INTERVAL_SECONDS + 1) * PREVIEW_INTERVAL_SECONDS


def _between(steps: Sequence[int], first: int, stop: int) -> tuple[int, ...]:
    """The values of ascending `steps` in [first, stop)."""
    return tuple(steps[bisect_left(steps, first) : bisect_left(steps, stop)])
