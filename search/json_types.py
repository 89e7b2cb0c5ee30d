"""The shapes of the JSON for scripts, programs and agents: what `--json` prints and the HTTP API answers.

`search/serialize.py` makes these objects, and mypy checks that they have exactly these fields;
`app/http_api/openapi.py` describes the API by them. Times are in seconds; paths are those of the machine that has the
library.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

Version = Annotated[int, Meta(description="1: rises when a field goes or changes its meaning.")]
Seconds = Annotated[float, Meta(description="Time in seconds.")]
FileId = Annotated[int, Meta(description="Number of the file in this library, for as long as it is in it.")]
Score = Annotated[float, Meta(description="0 to 1.")]


class IntervalObject(TypedDict):
    """An interval of a file: the fields that search results and exported selections have in common."""

    path: str
    start: Seconds
    end: Seconds


class EvidenceObject(TypedDict):
    """A segment that a space found."""

    space: str
    start: Seconds
    end: Seconds
    score: Annotated[float, Meta(description="Cosine of the segment and the query.")]
    rank: Annotated[int, Meta(description="Rank of the segment in its space, from 1.")]


class EventObject(TypedDict):
    """A sound that was located."""

    label: str
    start: Seconds
    end: Seconds
    score: Score


class TextObject(TypedDict):
    """A timed text of a file: a subtitle, caption, title, chapter or description."""

    text: str
    start: Seconds
    end: Seconds
    kind: str
    source: Annotated[str, Meta(description="Where it was read: a stream or sidecar of the file.")]


class CueObject(TextObject):
    """A timed text that a query found."""

    found_by: Annotated[str, Meta(description="words or meaning.")]


class MediaObject(TypedDict):
    """The streams of a file; null without such a stream."""

    kind: Annotated[str, Meta(description="video, audio or image.")]
    duration: Seconds
    frames_per_second: float | None
    width: int | None
    height: int | None
    sample_rate: int | None
    channels: int | None


class PlaceObject(TypedDict):
    """Where a file was recorded: degrees, north and east positive, and meters."""

    latitude: float
    longitude: float
    altitude: float | None


class RecordingObject(TypedDict):
    """When, where and with what a file was recorded; null where it does not say."""

    date: Annotated[str | None, Meta(description="ISO 8601, local time; with Z if local time is unknown.")]
    date_source: str | None
    place: PlaceObject | None
    camera: str | None
    rotation: Annotated[int | None, Meta(description="Degrees clockwise from the stored pictures to those shown.")]
    video_codec: str | None
    audio_codec: str | None
    subtitles: Annotated[bool, Meta(description="Inside the file or next to it.")]


class RemarkObject(TypedDict):
    """What of a file is not in the library, or was guessed."""

    reason: str
    seconds: float | None
    sidecar: str | None


class RemarkedObject(RemarkObject):
    """A remark, and the file that it is about."""

    path: str


class DamageObject(TypedDict):
    """Damaged vectors or sound features of a file."""

    path: str
    data: str
    rows: int
    lost: int
    restored: int
    reason: str


class FileObject(TypedDict):
    """A file of a library. `path` is where it is now, else where it was first; `paths` are all its places."""

    file_id: FileId
    path: str
    paths: list[str]
    online: Annotated[bool, Meta(description="The file can be reached now.")]
    missing: Annotated[bool, Meta(description="It was deleted or moved from a drive that is connected.")]
    media: MediaObject
    recording: RecordingObject
    remarks: list[RemarkObject]


class NearDuplicateObject(IntervalObject):
    """A moment that is near-equal to a better one, such as the same recording in another format."""

    file_id: FileId
    score: Score


class MomentObject(IntervalObject):
    """A moment that a query found."""

    rank: Annotated[int, Meta(description="From 1.")]
    file_id: FileId
    online: Annotated[bool, Meta(description="The file can be reached now.")]
    missing: Annotated[bool, Meta(description="The file was deleted or moved from a drive that is connected.")]
    score: Score
    score_kind: Annotated[str, Meta(description="calibrated: probability; likeness: cosine, for examples only.")]
    confident: Annotated[bool, Meta(description="The score is 0.5 or more.")]
    evidence: list[EvidenceObject]
    events: list[EventObject]
    cues: list[CueObject]
    near_duplicates: Annotated[
        list[NearDuplicateObject], Meta(description="Near-equal moments, best first; empty unless dedupe is asked for.")
    ]
    media: MediaObject
    recording: RecordingObject
    remarks: list[RemarkObject]


class ResultObject(TypedDict):
    """The moments that a query found, best first."""

    version: Version
    query: str
    model: str
    library: str
    moments: list[MomentObject]
    compared: Annotated[
        int | None,
        Meta(description="With dedupe: only so many moments were compared, and more may differ; null if all were."),
    ]
    damaged: list[DamageObject]


class EventsObject(TypedDict):
    """The located sounds of one file."""

    version: Version
    path: str
    events: list[EventObject]
