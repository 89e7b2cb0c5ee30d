"""A probed video or audio file: its streams and its clock."""

from __future__ import annotations

from dataclasses import dataclass

from pesearch.media.audio_choice import Sound
from pesearch.media.clock import Clock, Run
from pesearch.media.display import Display
from pesearch.media.extent import HEADLESS_FORMATS
from pesearch.media.ffprobe import Section
from pesearch.types import MediaInfo, Remark

_BLOCK_FORMATS = {"wav", "w64"}
"""Formats whose seeks FFmpeg computes from the bytes of a block."""

_SEEK_LEAD_SECONDS = 5.0
"""Seeks in formats without an index land up to this much late, so reading begins this much before."""


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """A probed video or audio file. Time 0 of the player is `origin_seconds` on the clock of the file's timestamps.

    `format` is FFmpeg's name of the container, the indexes are those of the streams to decode, and `sections` is
    ffprobe's output except the packets. `remarks` say what of the file will not be read. Every call of FFmpeg on the
    file needs `input_options` before its `-i`.

    `display` is how its pictures are shown, None without pictures.
    `sound` is what is heard: `audio_index` is its first stream. `clock` is None where the timestamps of all packets
    were not read, as FFmpeg's seeks are right for the format. It is only equal to itself: what is found out about it
    can be cached.
    """

    info: MediaInfo
    format: str
    origin_seconds: float
    video_index: int | None
    audio_index: int | None
    sections: tuple[Section, ...]
    display: Display | None = None
    remarks: tuple[Remark, ...] = ()
    sound: Sound | None = None
    input_options: tuple[str, ...] = ()
    clock: Clock | None = None

    @property
    def sound_runs(self) -> tuple[Run, ...]:
        """The runs of the first stream that is heard; none where the clock is continuous."""
        return () if self.has_continuous_clock or self.audio_index is None else self._runs(self.audio_index)

    @property
    def picture_runs(self) -> tuple[Run, ...]:
        """The runs of the pictures; none where the clock is continuous."""
        return () if self.has_continuous_clock or self.video_index is None else self._runs(self.video_index)

    @property
    def has_continuous_clock(self) -> bool:
        """Whether a time of the player is one place of the file, `origin_seconds` earlier than the timestamps there."""
        return self.clock is None or self.clock.is_continuous

    @property
    def gaps(self) -> tuple[tuple[float, float], ...]:
        """Long stretches without a packet, start and end in seconds, as far as they are known."""
        return self.clock.gaps if self.clock else ()

    @property
    def can_seek_sound(self) -> bool:
        """Whether FFmpeg finds the sound of a time. It miscounts the blocks of compressed WAV, and cannot know where a
        clock that restarts is meant: there, reading forwards from the start is right."""
        codec = self.info.audio.codec if self.info.audio else ""
        is_miscounted = self.format in _BLOCK_FORMATS and not codec.startswith("pcm_")
        return self.has_continuous_clock and not is_miscounted

    @property
    def seek_lead_seconds(self) -> float:
        """How much before a time reading begins, so that the sound there is complete."""
        return _SEEK_LEAD_SECONDS if self.format in HEADLESS_FORMATS else 0.0

    @property
    def is_sound_plain(self) -> bool:
        """Whether `ffmpeg -ss TIME -i FILE -map 0:audio_index` gives the sound that is heard. If not, only AudioReader
        does."""
        is_one = self.sound is None or (len(self.sound.streams) == 1 and not self.sound.is_discrete)
        return is_one and self.can_seek_sound

    def _runs(self, stream: int) -> tuple[Run, ...]:
        return self.clock.runs.get(stream, ()) if self.clock else ()
