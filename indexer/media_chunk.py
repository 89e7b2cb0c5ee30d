"""A decoded chunk of a media file, as the models take it."""

from __future__ import annotations

from dataclasses import dataclass

from pesearch.encoders.io_types import ResizedFrame, SoundChunk
from pesearch.store.derived.previews import Preview
from pesearch.types import Remark

Segment = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SampledFrame:
    """A frame, resized for the towers, and the interval of the file that it stands for."""

    start_seconds: float
    end_seconds: float
    resized: ResizedFrame


@dataclass(frozen=True, slots=True)
class MediaChunk:
    """A chunk of a file: its frames, previews and sound, and the windows that end in it.

    `media_seconds` is the length of the chunk, `unread_seconds` the part of it that could not be decoded. `remarks`
    are those of the whole file, and come with its last chunk.
    """

    start_seconds: float
    end_seconds: float
    frames: tuple[SampledFrame, ...]
    previews: tuple[Preview, ...]
    sound: SoundChunk | None
    windows: tuple[Segment, ...]
    media_seconds: float
    unread_seconds: float
    remarks: tuple[Remark, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Memory held; a frame that stands for several intervals is counted once."""
        frames = {id(frame.resized): frame.resized.size_bytes for frame in self.frames}
        previews = sum(len(preview.jpeg) for preview in self.previews)
        return sum(frames.values()) + previews + (0 if self.sound is None else self.sound.samples.nbytes)
