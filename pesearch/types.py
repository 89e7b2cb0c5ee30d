"""The words of pesearch as frozen types: what passes between the rooms.

All times are seconds from the start of the file as a player shows it. All vectors are float32 NumPy arrays
of shape [n, dim], as the model gave them (not normalised): their dot product is the score of a space.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pesearch.cues import CueSource, FoundCue
from pesearch.locations import Location

FloatArray = npt.NDArray[np.float32]
HalfArray = npt.NDArray[np.float16]
SegmentArray = npt.NDArray[np.float64]
ImageArray = npt.NDArray[np.uint8]


class MediaKind(StrEnum):
    """What a media file is, recognised by its content."""

    VIDEO = "video"
    AUDIO = "audio"
    IMAGE = "image"


class SpaceName(StrEnum):
    """The embedding spaces of a library. Vectors of two spaces are never compared.

    CUE holds the texts of cues, by what they mean: what is found there is a cue, and no part of the media.
    """

    FRAME = "frame"
    VIDEO = "video"
    AUDIO = "audio"
    AUDIO_VIDEO = "audio_video"
    CUE = "cue"


MEDIA_SPACES = (SpaceName.FRAME, SpaceName.VIDEO, SpaceName.AUDIO, SpaceName.AUDIO_VIDEO)
"""The spaces in which frames and windows are."""


class Sense(StrEnum):
    """What a question is narrowed to: pictures, sound, what is spoken, or written text (captions, titles)."""

    SEEN = "seen"
    HEARD = "heard"
    SAID = "said"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Space:
    """One embedding space as a library holds it: the model that made it, its revision, its dimension."""

    name: SpaceName
    model: str
    revision: str
    dim: int


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The pictures of a media file, upright (rotation applied). `frames_per_second` is the average rate."""

    codec: str
    width: int
    height: int
    frames_per_second: float


@dataclass(frozen=True, slots=True)
class AudioStream:
    """The sound of a media file as stored."""

    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What probing a file tells without decoding all of it. An image lasts 0 seconds and has a `video` stream."""

    kind: MediaKind
    duration_seconds: float
    video: VideoStream | None
    audio: AudioStream | None


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A media file known to a library: one content, found at one or more locations."""

    id: int
    fingerprint: str
    info: MediaInfo
    locations: tuple[Location, ...]

    @property
    def path(self) -> Path:
        """The first location that exists now, else the first known one."""
        return next((place.path for place in self.locations if place.path.exists()), self.locations[0].path)


@dataclass(frozen=True, slots=True)
class SpaceVectors:
    """Vectors of one file in one space: `segments` float64 [n, 2] in seconds, `vectors` float32 [n, dim]."""

    space: SpaceName
    segments: SegmentArray
    vectors: FloatArray

    def __post_init__(self) -> None:
        if self.segments.shape != (len(self.vectors), 2) or self.vectors.ndim != 2:
            raise ValueError(f"segments {self.segments.shape} do not fit vectors {self.vectors.shape}")

    def __repr__(self) -> str:
        return f"SpaceVectors({self.space}, {self.vectors.shape[0]} x {self.vectors.shape[1]})"


@dataclass(frozen=True, slots=True)
class CodecFeatures:
    """What the audio codec made of the sound of a file: `steps` float16 [n, dim], one each 40 ms from its start.

    `codec` names the weights: features of two codecs are never mixed.
    """

    codec: str
    steps: HalfArray

    def __post_init__(self) -> None:
        if self.steps.ndim != 2:
            raise ValueError(f"codec features must be [steps, dim], not {self.steps.shape}")

    def __repr__(self) -> str:
        return f"CodecFeatures({self.codec}, {self.steps.shape[0]} x {self.steps.shape[1]})"


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """A media file with all its vectors, ready to be committed to a library."""

    location: Location
    fingerprint: str
    info: MediaInfo
    vectors: tuple[SpaceVectors, ...]
    features: CodecFeatures | None = None
    cues: tuple[CueSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be indexed, remembered with its reason until it changes."""

    location: Location
    reason: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One segment found in one space. `score` is that space's own dot product (higher is better), `rank` from 1."""

    file_id: int
    space: SpaceName
    start_seconds: float
    end_seconds: float
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of one media file, in seconds; up to infinity where it is all of it."""

    file_id: int
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Event:
    """A sound named by a phrase, from onset to offset; `score` is the mean probability inside."""

    label: str
    start_seconds: float
    end_seconds: float
    score: float


@dataclass(frozen=True, slots=True)
class Moment:
    """What the user gets: the stretch of a file that answers, with its evidence, the sounds located in it, and the cues
    that say what was asked."""

    rank: int
    file: MediaFile
    start_seconds: float
    end_seconds: float
    score: float
    evidence: tuple[Hit, ...]
    events: tuple[Event, ...]
    cues: tuple[FoundCue, ...] = ()
