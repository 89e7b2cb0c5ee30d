"""What the API and the tools for agents answer, as JSON objects: searches, files, moments, sounds, the library.

Clients name files by their numbers. The paths that conditions and examples name must be those of the library.
"""

from __future__ import annotations

from pathlib import Path
from threading import Event as Flag
from typing import Annotated, TypedDict

from msgspec import Meta

from pesearch.app.http_api.parameters import EventsParameters, FilesParameters, MomentParameters, SearchParameters
from pesearch.app.jobs import ClientDisconnected
from pesearch.app.library_status import StatusObject, read_report, status_object
from pesearch.app.server_state import library, models, run_search
from pesearch.app.viewers import ensure_library_examples, ensure_library_files, ensure_library_folders
from pesearch.cues import Cue
from pesearch.errors import MediaError
from pesearch.media.verified_file import indexed_path
from pesearch.search.events.locate import StoredSound, locate_events
from pesearch.search.json_types import EventsObject, FileObject, ResultObject, Seconds, TextObject, Version
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import on_snapshot
from pesearch.search.serialize import (
    JSON_VERSION,
    events_object,
    file_object,
    result_object,
    seconds,
    text_object,
)
from pesearch.types import Event


class FilesObject(TypedDict):
    """Files of a library, in the order in which they were added."""

    version: Version
    library: str
    total: Annotated[int, Meta(description="How many files meet the conditions.")]
    files: list[FileObject]


class MomentDetailsObject(TypedDict):
    """An interval of a file, with all timed texts in it: subtitles, captions, chapters."""

    version: Version
    start: Seconds
    end: Seconds
    file: FileObject
    texts: list[TextObject]


def find_moments(parameters: SearchParameters, cancelled: Flag) -> ResultObject:
    """Search. Raises QueryError for a path that is not in the library, and the errors of `search`."""
    result = run_search(to_request(parameters), cancelled)
    return result_object(result, result.moments if parameters.all else result.answer)


def to_request(parameters: SearchParameters) -> SearchRequest:
    """The request, whose paths are all in the library. Raises QueryError."""
    opened = library()
    audio, video, image = (
        Path(path) if path is not None else None for path in (parameters.audio, parameters.video, parameters.image)
    )
    request = SearchRequest(
        text=parameters.q, audio=audio, video=video, image=image, speech=parameters.speech, k=parameters.k,
        per_file=parameters.per_file, dedupe=parameters.dedupe, locate=not parameters.no_events,
        files=parameters.file_filter(),
    )  # fmt: skip
    ensure_library_folders(request.files.under, opened)
    ensure_library_files(request.examples, opened)
    if request.text.strip() and not request.speech:
        ensure_library_examples(request.text, opened)
    return request


def list_files(parameters: FilesParameters) -> FilesObject:
    """The files that meet the conditions. Raises QueryError."""
    pinned, conditions = library().pinned(), parameters.file_filter()
    ensure_library_folders(conditions.under, pinned)
    kept = [file for file in pinned.files() if conditions.keeps(file)]
    page = kept[parameters.offset : parameters.offset + parameters.limit]
    return {
        "version": JSON_VERSION,
        "library": str(pinned.folder),
        "total": len(kept),
        "files": [file_object(conditions.at_kept_locations(file)) for file in page],
    }


def describe_moment(parameters: MomentParameters) -> MomentDetailsObject:
    """A moment of a file. Raises UnknownFile."""
    file = library().file(parameters.file_id)
    start, end = parameters.start_ms / 1000, parameters.end_ms / 1000
    return {
        "version": JSON_VERSION,
        "start": seconds(start),
        "end": seconds(end),
        "file": file_object(file),
        "texts": [text_object(cue) for cue in library().cues(file.id) if _overlaps(cue, start, end)],
    }


def locate_sounds_of(parameters: EventsParameters, cancelled: Flag) -> EventsObject:
    """Locate sounds in a file of the library, with its stored sound features. Stops once `cancelled` is set.

    Raises UnknownFile; MediaError when the file is offline, has changed, or has no sound; the errors of `models`.
    """
    file, opened_models = library().file(parameters.file_id), models()
    if file.info.audio is None:
        raise MediaError(f"{file.path} has no sound")

    def stop_if_cancelled(_reached: float, _duration: float, /) -> None:
        if cancelled.is_set():
            raise ClientDisconnected("The client disconnected.")

    def locate(path: Path) -> tuple[Event, ...]:
        return on_snapshot(
            library(),
            lambda pinned: locate_events(
                path, parameters.phrase, opened_models, parameters.threshold, StoredSound(pinned, file.id),
                stop_if_cancelled,
            ),
        )  # fmt: skip

    with indexed_path(file) as path:
        return events_object(file.path, locate(path))


def describe_library() -> StatusObject:
    """What the library contains and lacks. Raises LibraryError."""
    return status_object(read_report(library()))


def _overlaps(cue: Cue, start_seconds: float, end_seconds: float) -> bool:
    """Whether a timed text is in an interval; at its very start too, so that an image has those of time 0."""
    return cue.start_seconds <= end_seconds and start_seconds <= cue.end_seconds
