"""The shared vocabulary as frozen types: data that passes between packages.

Times are seconds from the start of the file as a player shows it. Vectors are float32 NumPy arrays [n, dim] as the
model computed them (not normalised): their dot product is the score of a space.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pesearch.capture_time import CaptureTime, file_time, first_plausible
from pesearch.cues import CueSource, FoundCue
from pesearch.file_name_date import file_name_date
from pesearch.locations import Location
from pesearch.place import Place

FloatArray = npt.NDArray[np.float32]
HalfArray = npt.NDArray[np.float16]
SegmentArray = npt.NDArray[np.float64]
ImageArray = npt.NDArray[np.uint8]


class MediaKind(StrEnum):
    """The kind of a media file, detected from its content."""

    VIDEO = "video"
    AUDIO = "audio"
    IMAGE = "image"


class SpaceName(StrEnum):
    """The embedding spaces of a library. Vectors of different spaces are never compared.

    CUE holds text embeddings of cues: its hits are cues, not segments of the media.
    """

    FRAME = "frame"
    VIDEO = "video"
    AUDIO = "audio"
    AUDIO_VIDEO = "audio_video"
    CUE = "cue"


MEDIA_SPACES = (SpaceName.FRAME, SpaceName.VIDEO, SpaceName.AUDIO, SpaceName.AUDIO_VIDEO)
"""The spaces of frames and windows: all but CUE."""


class Sense(StrEnum):
    """A restriction of a query: to pictures, sound, speech, or written text (captions, titles)."""

    SEEN = "seen"
    HEARD = "heard"
    SAID = "said"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Space:
    """An embedding space of a library: the model that computes its vectors, its revision and its dimension."""

    name: SpaceName
    model: str
    revision: str
    dim: int


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The video stream of a media file; size in pixels after rotation, `frames_per_second` the average rate."""

    codec: str
    width: int
    height: int
    frames_per_second: float


@dataclass(frozen=True, slots=True)
class AudioStream:
    """The audio stream of a media file as stored; `sample_rate` in Hz."""

    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """Result of probing a file without decoding it. An image has a duration of 0 and a `video` stream."""

    kind: MediaKind
    duration_seconds: float
    video: VideoStream | None
    audio: AudioStream | None


@dataclass(frozen=True, slots=True)
class Remark:
    """What of a file is not in the library, or was guessed, for the user.

    `reason` is one line without a full stop. `seconds` is how much of the file is concerned; None if that has no
    meaning, or is unknown. `sidecar` is the file of subtitles or captions that it is about; None for the file itself.
    """

    reason: str
    seconds: float | None = None
    sidecar: Path | None = None


@dataclass(frozen=True, slots=True)
class MediaProperties:
    """What a file says about its recording.

    `capture_times` are all that it states, preferred first, plausible or not. `camera` is make and model, or empty.
    `rotation_degrees` is how far the stored pictures are turned clockwise to be shown: 0, 90, 180 or 270.
    """

    capture_times: tuple[CaptureTime, ...] = ()
    place: Place | None = None
    camera: str = ""
    rotation_degrees: int = 0
    subtitle_streams: int = 0


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A media file of a library: one content, found at one or more locations.

    Files that were indexed by programs without remarks have none of their media. `properties` are None until they have
    been read; `has_sidecar_subtitles` says whether subtitles lie next to it.
    """

    id: int
    fingerprint: str
    info: MediaInfo
    locations: tuple[Location, ...]
    remarks: tuple[Remark, ...] = ()
    properties: MediaProperties | None = None
    has_sidecar_subtitles: bool = False

    @property
    def path(self) -> Path:
        """The first location that exists now, else the first one."""
        return self._here.path

    @property
    def is_online(self) -> bool:
        """Whether it can be reached at one of its locations now."""
        return self._here.is_online

    @property
    def is_missing(self) -> bool:
        """Whether it was deleted or moved from each of its locations, on drives that are connected."""
        return all(known.is_missing for known in self.locations)

    @property
    def has_subtitles(self) -> bool:
        """Whether there are subtitles inside the file or next to it."""
        return self.has_sidecar_subtitles or (self.properties is not None and self.properties.subtitle_streams > 0)

    @property
    def captured(self) -> CaptureTime | None:
        """When it was recorded, by its content, else by name or time of `path`."""
        return self.captured_at(self._here)

    def captured_at(self, location: Location) -> CaptureTime | None:
        """When it was recorded: the first plausible time of those in the content, in the name and of the file."""
        return first_plausible(self._times(location))

    def _times(self, location: Location) -> Iterator[CaptureTime]:
        if self.properties is not None:
            yield from self.properties.capture_times
        if (named := file_name_date(location.path.name)) is not None:
            yield named
        yield file_time(location)

    @property
    def _here(self) -> Location:
        return next((known for known in self.locations if known.is_online), self.locations[0])


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
    """Audio codec features of a file: `steps` float16 [n, dim], one every 40 ms from its start.

    `codec` is a digest of the codec's weights: features of different codecs are never mixed.
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
    """A media file with all its vectors, features and cues, ready to be committed to a library.

    `remarks` are those of its media; each source of cues has its own.
    """

    location: Location
    fingerprint: str
    info: MediaInfo
    vectors: tuple[SpaceVectors, ...]
    features: CodecFeatures | None = None
    cues: tuple[CueSource, ...] = ()
    remarks: tuple[Remark, ...] = ()
    properties: MediaProperties | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be indexed, recorded with its reason until the file changes."""

    location: Location
    reason: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A segment found in one space. `score` is the dot product in that space (higher is better); `rank` from 1."""

    file_id: int
    space: SpaceName
    start_seconds: float
    end_seconds: float
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a media file in seconds; `end_seconds` is infinity for the whole file."""

    file_id: int
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Event:
    """A detected sound, from onset to offset; `label` is the phrase, `score` the mean probability inside."""

    label: str
    start_seconds: float
    end_seconds: float
    score: float


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A moment that is near-equal to a better one, such as the same recording in another format."""

    file: MediaFile
    start_seconds: float
    end_seconds: float
    score: float

    @property
    def path(self) -> Path:
        """The file: the first of its locations that exists now, else the first one."""
        return self.file.path


@dataclass(frozen=True, slots=True)
class Moment:
    """A search result: an interval of a file with its evidence (hits), the sounds detected in it, and matching cues.

    `near_duplicates` are the moments that are near-equal to it, best first, if the request folds them.
    """

    rank: int
    file: MediaFile
    start_seconds: float
    end_seconds: float
    score: float
    evidence: tuple[Hit, ...]
    events: tuple[Event, ...]
    cues: tuple[FoundCue, ...] = ()
    near_duplicates: tuple[NearDuplicate, ...] = ()
