"""One open moment: its player, and the timeline of its whole file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import streamlit as st

from pesearch.app.browser_formats import browser_can_play
from pesearch.app.components import component, last_handled, new_clicks
from pesearch.app.escape import printable
from pesearch.app.urls import MAX_INTERVAL_MS, THUMB_WIDTHS, clip_url, proxy_url_parts, thumb_url, wave_url
from pesearch.cues import Cue, CueKind
from pesearch.errors import MediaError
from pesearch.formatting import format_evidence, format_moment_time, format_recording, format_remark, mpv_command
from pesearch.media.verified_file import open_indexed
from pesearch.search.relevance_curve import Curve
from pesearch.search.result import SearchResult
from pesearch.search.serialize import moment_object
from pesearch.types import MediaFile, MediaKind, Moment

MAX_WAVEFORM_SECONDS = MAX_INTERVAL_MS / 1000


def show_moment(
    result: SearchResult, moment: Moment, opening: int, curves: Sequence[Curve], cues: Sequence[Cue]
) -> bool:
    """Show an open moment of a result, with the relevance curves and cues of its file. True once it is closed.

    The player keeps playing as long as `opening` stays the same, even when the interval of the moment changes.
    """
    shown = _component()(
        key="moment",
        data=_data(result, moment, opening, curves, cues),
        default={"clicks": []},
        on_clicks_change=lambda: None,
    )
    return bool(new_clicks("moment", shown.clicks))


@st.cache_resource
def _component() -> Any:
    return component("moment")


def _data(
    result: SearchResult, moment: Moment, opening: int, curves: Sequence[Curve], cues: Sequence[Cue]
) -> dict[str, Any]:
    of_file = [other for other in result.moments if other.file.id == moment.file.id]
    file, start, end = moment.file, moment.start_seconds, moment.end_seconds
    notice = _notice(file)
    timed = [cue for cue in cues if cue.kind not in (CueKind.TITLE, CueKind.DESCRIPTION)]
    return {
        "handled": last_handled("moment"),
        "opening": opening,
        "name": printable(file.path.name),
        "folder": printable(str(file.path.parent)),
        "notice": notice,
        "source": _preview_url(moment) if notice else _source_url(file),
        "can_play": browser_can_play(file),
        "proxy": proxy_url_parts(file),
        "has_pictures": file.info.video is not None,
        "is_still": file.info.kind is MediaKind.IMAGE,
        "wave": wave_url(file, start, min(end, start + MAX_WAVEFORM_SECONDS))
        if file.info.audio and not notice
        else "",
        "start": start,
        "end": end,
        "duration": max(file.info.duration_seconds, 1e-3),
        "when": format_moment_time(moment),
        "score_text": f"score {moment.score:.2f}",
        "why": format_evidence(moment.evidence),
        "recording": printable(format_recording(file)),
        "remarks": [format_remark(remark) for remark in file.remarks],
        "curves": [{"sense": curve.sense, "step": curve.step_seconds, "values": _rounded(curve)} for curve in curves],
        "events": [
            {"label": event.label, "start": event.start_seconds, "end": event.end_seconds, "text": event.label}
            for event in dict.fromkeys(event for other in of_file for event in other.events)
        ],
        "cues": [{"start": cue.start_seconds, "end": cue.end_seconds, "text": printable(cue.text)} for cue in timed],
        "moments": [
            {"start": other.start_seconds, "end": other.end_seconds, "is_this": other.rank == moment.rank,
             "title": f"{other.rank}. {format_moment_time(other)}"}
            for other in of_file
        ],
        "lines": list(_lines(moment, timed)),
        "copies": list(_copies(result, moment)),
    }  # fmt: skip


def _notice(file: MediaFile) -> str:
    """Why a file cannot be played; "" when it can."""
    if file.is_missing:
        return "This file is not in its folder any more: it was deleted or moved. Index its new folder to play it."
    if not file.is_online:
        return "This file is offline: connect its drive to play it."
    try:
        open_indexed(file).close()
    except MediaError as error:
        return f"This file cannot be played: {error}."
    return ""


def _preview_url(moment: Moment) -> str:
    """The preview frame nearest to the middle of a moment whose file cannot be played; "" for audio."""
    middle = (moment.start_seconds + moment.end_seconds) / 2
    return thumb_url(moment.file, middle, THUMB_WIDTHS[-1]) if moment.file.info.video else ""


def _source_url(file: MediaFile) -> str:
    """The file itself, or a JPEG of a still image that browsers cannot show."""
    if file.info.kind is MediaKind.IMAGE and not browser_can_play(file):
        return thumb_url(file, 0.0, THUMB_WIDTHS[-1])
    return clip_url(file)


def _lines(moment: Moment, cues: Sequence[Cue]) -> Iterator[dict[str, Any]]:
    """The located sounds of the moment and the cues within it, each with the time to jump to."""
    for event in moment.events:
        yield {"start": event.start_seconds, "text": f"{event.label} {event.start_seconds:.2f}-{event.end_seconds:.2f}"}
    for cue in cues:
        if cue.start_seconds < moment.end_seconds and cue.end_seconds > moment.start_seconds:
            yield {"start": cue.start_seconds, "text": f"“{printable(cue.text)}”"}


def _copies(result: SearchResult, moment: Moment) -> Iterator[tuple[str, str, str]]:
    """The copy buttons: label, tooltip and the text that is copied."""
    path, start, end = str(moment.file.path), moment.start_seconds, moment.end_seconds
    yield "Copy path", "Copy the path and the interval", f"{printable(path)}@{start:.2f}-{end:.2f}"
    if moment.file.info.kind is not MediaKind.IMAGE:
        yield "Copy mpv", "Copy the command that plays this moment in mpv", mpv_command(moment)
    yield "Copy JSON", "Copy this moment as JSON", json.dumps(moment_object(result, moment), indent=2)


def _rounded(curve: Curve) -> list[float]:
    values: list[float] = curve.values.round(3).tolist()
    return values
