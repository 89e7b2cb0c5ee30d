"""The tools for agents: names, descriptions, parameters, and what they do. They know nothing of the protocol."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Event
from typing import Annotated, Any

from msgspec import Meta, Struct

from pesearch.app.http_api.answers import (
    MomentDetailsObject,
    describe_library,
    describe_moment,
    find_moments,
    locate_sounds_of,
)
from pesearch.app.http_api.parameters import (
    EventsParameters,
    FileNumber,
    MomentParameters,
    NoParameters,
    SearchParameters,
)
from pesearch.app.index_job import IndexJob, IndexProgress
from pesearch.app.library_status import StatusObject
from pesearch.app.mcp import guide
from pesearch.app.pictures import frame_bytes
from pesearch.app.server_state import library, models
from pesearch.app.urls import THUMB_WIDTHS
from pesearch.errors import QueryError
from pesearch.export.clip_selection import Selection, merge_overlaps, with_timecode
from pesearch.export.formats import TIMELINES, ExportFormat, render_document
from pesearch.export.timecode_warnings import timecode_warnings
from pesearch.search.json_types import EventsObject, ResultObject
from pesearch.search.query.conditions import Text
from pesearch.settings import default_library, expand_home
from pesearch.types import MediaFile, MediaKind

MAX_PICTURES = 8

MAX_INDEX_WAIT_SECONDS = 20.0
"""A longer run goes on in the background; the next call waits for it again."""

Time = Annotated[float, Meta(ge=0, le=1e8, description="Seconds from the start of the file.")]


class MomentToolParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An interval of a file, and how many pictures of it."""

    file_id: FileNumber
    start: Time
    end: Time
    pictures: Annotated[int, Meta(ge=0, le=MAX_PICTURES, description="Number of pictures.")] = 3
    width: Annotated[
        int, Meta(description="Largest width of the pictures.", extra_json_schema={"enum": list(THUMB_WIDTHS)})
    ] = THUMB_WIDTHS[1]

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("the moment ends before it starts")
        if self.width not in THUMB_WIDTHS:
            raise ValueError(f"width is not one of {', '.join(map(str, THUMB_WIDTHS))}")


class ExportMoment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A moment to export."""

    file_id: FileNumber
    start: Time
    end: Time
    label: Annotated[str, Meta(description="Name of the moment in the document.")] = ""


class ExportParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Moments in the order of the document."""

    moments: Annotated[tuple[ExportMoment, ...], Meta(min_length=1, max_length=10_000)]
    format: ExportFormat
    pad: Annotated[float, Meta(ge=0, le=3600, description="Seconds to add before and after each moment.")] = 0.0


class IndexParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to index."""

    path: Annotated[Text, Meta(description="Absolute path of a file or folder.")]


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """A JSON object or, if that is None, the text of a document; JPEG pictures; remarks of one line for the agent."""

    content: Any = None
    text: str = ""
    pictures: tuple[bytes, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentTool:
    """`answer` is the type of the JSON object that the tool gives; None for one that gives a text."""

    name: str
    description: str
    parameters: type[Struct]
    run: Callable[[Any], ToolAnswer]
    answer: Any = None
    is_read_only: bool = True


def agent_tools(*, may_index: bool) -> tuple[AgentTool, ...]:
    """The tools of a server."""
    reading = (
        AgentTool("search", guide.SEARCH, SearchParameters, search, ResultObject),
        AgentTool("moment", guide.MOMENT, MomentToolParameters, moment, MomentDetailsObject),
        AgentTool("events", guide.EVENTS, EventsParameters, events, EventsObject),
        AgentTool("export", guide.EXPORT, ExportParameters, export),
        AgentTool("status", guide.STATUS, NoParameters, status, StatusObject),
    )
    index_tool = AgentTool("index", guide.INDEX, IndexParameters, index, IndexProgress, is_read_only=False)
    return (*reading, index_tool) if may_index else reading


def search(parameters: SearchParameters) -> ToolAnswer:
    """Moments. Raises the errors of `find_moments`."""
    result = find_moments(parameters, Event())
    notice = models().notice
    return ToolAnswer(result, notes=(notice,) if notice else ())


def moment(parameters: MomentToolParameters) -> ToolAnswer:
    """The texts of a moment, and pictures of it if its file has any. Raises UnknownFile, MediaError."""
    start_ms, end_ms = round(parameters.start * 1000), round(parameters.end * 1000)
    details = describe_moment(MomentParameters(file_id=parameters.file_id, start_ms=start_ms, end_ms=end_ms))
    file = library().file(parameters.file_id)
    times = _picture_times(file, parameters.start, parameters.end, parameters.pictures)
    return ToolAnswer(details, pictures=tuple(frame_bytes(library(), file, at, parameters.width) for at in times))


def events(parameters: EventsParameters) -> ToolAnswer:
    """Located sounds. Raises the errors of `locate_sounds_of`."""
    return ToolAnswer(locate_sounds_of(parameters, Event()))


def export(parameters: ExportParameters) -> ToolAnswer:
    """A document. Raises UnknownFile, ExportError."""
    selections = [_selection(each) for each in parameters.moments]
    late = next((each for each in selections if each.is_past_end), None)
    if late is not None:
        raise QueryError(f"{late.path} ends at {late.duration_seconds:.1f} s, before {late.start_seconds:.1f} s")
    if parameters.pad:
        selections = merge_overlaps([each.padded(parameters.pad) for each in selections])
    if parameters.format in TIMELINES:
        selections = [with_timecode(each) for each in selections]
    document = render_document(selections, parameters.format).decode("utf-8", "replace")
    return ToolAnswer(text=document, notes=tuple(timecode_warnings(selections, parameters.format)))


def status(_: NoParameters) -> ToolAnswer:
    """The state of the library. Raises LibraryError."""
    return ToolAnswer(describe_library())


def index(parameters: IndexParameters) -> ToolAnswer:
    """Start indexing, or go on waiting for it. Raises QueryError for a path that does not exist."""
    path, job = expand_home(parameters.path), _index_job(default_library())
    if not path.is_absolute() or not path.exists():
        raise QueryError(f"no such file or folder: {path}")
    if not job.start([path]) and job.paths != (path,):
        raise QueryError(f"{job.paths[0]} is being indexed: index {path} when that is done")
    deadline = time.monotonic() + MAX_INDEX_WAIT_SECONDS
    while job.is_running and time.monotonic() < deadline:
        time.sleep(0.1)
    return ToolAnswer(job.progress)


@cache
def _index_job(folder: Path) -> IndexJob:
    return IndexJob(folder)


def _picture_times(file: MediaFile, start: float, end: float, count: int) -> tuple[float, ...]:
    """The middles of `count` equal parts of an interval; the one picture of an image, none of a sound."""
    if file.info.video is None or count == 0:
        return ()
    if file.info.kind is MediaKind.IMAGE or end == start:
        return (start,)
    return tuple(start + (end - start) * (number + 0.5) / count for number in range(count))


def _selection(chosen: ExportMoment) -> Selection:
    file = library().file(chosen.file_id)
    return Selection(file.path, chosen.start, max(chosen.end, chosen.start), chosen.label, media=file.info, file=file)
