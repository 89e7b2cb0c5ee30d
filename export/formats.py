"""The face of export: choices in the form that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from pesearch.export.clip_selection import Selection


class Form(StrEnum):
    """What chosen moments can be written as."""

    CSV = "csv"
    JSON = "json"
    M3U = "m3u"
    EDL = "edl"
    OTIO = "otio"
    FCPXML = "fcpxml"
    VTT = "vtt"


_ENDINGS = {".m3u8": Form.M3U} | {f".{form}": form for form in Form}


def form_of(path: Path) -> Form | None:
    """The form that a file's ending stands for."""
    return _ENDINGS.get(path.suffix.lower())


def exported(choices: Sequence[Selection], form: Form) -> bytes:
    """The choices as a document, in their order (chapters in the order of time); UTF-8.

    Errors: ExportError where there are none, or the form cannot hold them.
    """
    from pesearch.errors import ExportError
    from pesearch.export import csv_m3u_vtt as lists
    from pesearch.export import json_io as record

    if not choices:
        raise ExportError("nothing to export")
    match form:
        case Form.CSV:
            return lists.csv_document(choices)
        case Form.JSON:
            return record.json_document(choices)
        case Form.M3U:
            return lists.m3u_document(choices)
        case Form.VTT:
            return lists.vtt_document(choices)
        case Form.FCPXML:
            from pesearch.export.fcpxml import fcpxml_document

            return fcpxml_document(choices)
    from pesearch.export import edl_otio as edit_list  # loads opentimelineio

    return edit_list.edl_document(choices) if form is Form.EDL else edit_list.otio_document(choices)
