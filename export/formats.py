"""Export formats, and `render_document`, which writes any of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from pesearch.export.clip_selection import Selection


class ExportFormat(StrEnum):
    """A document format, by the name that `--as` takes and the file suffix."""

    CSV = "csv"
    JSON = "json"
    M3U = "m3u"
    EDL = "edl"
    OTIO = "otio"
    FCPXML = "fcpxml"
    VTT = "vtt"


TIMELINES = frozenset({ExportFormat.EDL, ExportFormat.OTIO, ExportFormat.FCPXML})
"""Formats with times in frames, which need the timecode of the files."""

_TIMELINE_PACKAGES = {"opentimelineio": "opentimelineio", "otio_cmx3600_adapter": "otio-cmx3600-adapter"}
"""What EDL and OTIO are written with: packages by their modules."""

_FORMAT_BY_SUFFIX = {".m3u8": ExportFormat.M3U} | {f".{name}": name for name in ExportFormat}


def format_of(path: Path) -> ExportFormat | None:
    """The format that a file's suffix stands for; None for any other suffix."""
    return _FORMAT_BY_SUFFIX.get(path.suffix.lower())


def render_documents(selections: Sequence[Selection], export_format: ExportFormat) -> list[bytes]:
    """The selections as documents: several, which count alike, where the format limits how many one may hold.

    Errors: those of `render_document`.
    """
    if export_format is not ExportFormat.EDL or not selections:
        return [render_document(selections, export_format)]
    require_opentimelineio()
    from pesearch.export.edl_otio import MAX_EDL_EVENTS, edl_document
    from pesearch.export.timecode import Timebase

    timebase, starts = Timebase.of(selections), range(0, len(selections), MAX_EDL_EVENTS)
    return [edl_document(selections[start : start + MAX_EDL_EVENTS], timebase) for start in starts]


def render_document(selections: Sequence[Selection], export_format: ExportFormat) -> bytes:
    """The selections as a UTF-8 document, in the given order (WebVTT: in order of time).

    Raises ExportError if there are none, or if the format cannot represent them.
    """
    from pesearch.errors import ExportError
    from pesearch.export import csv_m3u_vtt, json_io

    if not selections:
        raise ExportError("nothing to export")
    match export_format:
        case ExportFormat.CSV:
            return csv_m3u_vtt.csv_document(selections)
        case ExportFormat.JSON:
            return json_io.json_document(selections)
        case ExportFormat.M3U:
            return csv_m3u_vtt.m3u_document(selections)
        case ExportFormat.VTT:
            return csv_m3u_vtt.vtt_document(selections)
        case ExportFormat.FCPXML:
            from pesearch.export.fcpxml import fcpxml_document

            return fcpxml_document(selections)
    require_opentimelineio()
    from pesearch.export import edl_otio  # loads it

    is_edl = export_format is ExportFormat.EDL
    return edl_otio.edl_document(selections) if is_edl else edl_otio.otio_document(selections)


def require_opentimelineio() -> None:
    """Check that OpenTimelineIO and its adapter for EDL are installed: the newest Python may have no wheels of them.

    Raises ExportError.
    """
    from importlib.util import find_spec

    from pesearch.errors import ExportError

    if missing := [package for module, package in _TIMELINE_PACKAGES.items() if find_spec(module) is None]:
        raise ExportError(
            f"edl and otio need OpenTimelineIO: run `pip install {' '.join(missing)}` (without a wheel it needs a C++ "
            "compiler), or export as fcpxml"
        )
