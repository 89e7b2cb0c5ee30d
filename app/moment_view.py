"""One moment, opened: its player, and the time of its whole file with what is relevant in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import streamlit as st

from pesearch.app.browser_formats import browser_can_play
from pesearch.app.component_events import done, new_clicks
from pesearch.app.components import component
from pesearch.app.escape import printable
from pesearch.app.urls import (
    LONGEST_STRETCH_MS,
    THUMB_WIDTHS,
    around_proxy,
    clip_address,
    thumb_address,
    wave_address,
)
from pesearch.cues import Cue, CueKind
from pesearch.formatting import format_evidence, format_moment_time, mpv_command
from pesearch.search.relevance_curve import Curve
from pesearch.search.search import SearchResult
from pesearch.search.serialize import moment_object
from pesearch.types import MediaFile, MediaKind, Moment

LONGEST_SECONDS = LONGEST_STRETCH_MS / 1000
"""So much of a sound is pictured at a time."""


def show_moment(
    answer: SearchResult, moment: Moment, opening: int, curves: Sequence[Curve], cues: Sequence[Cue]
) -> bool:
    """The opened moment of an answer, with the curves and cues of its file. Whether it was closed.

    As long as `opening` stays the same the player goes on, whatever became known of the moment meanwhile.
    """
    shown = _moment()(
        key="moment",
        data=_data(answer, moment, opening, curves, cues),
        default={"clicks": []},
        on_clicks_change=lambda: None,
    )
    return bool(new_clicks("moment", shown.clicks))


@st.cache_resource
def _moment() -> Any:
    return component("moment")


def _data(
    answer: SearchResult, moment: Moment, opening: int, curves: Sequence[Curve], cues: Sequence[Cue]
) -> dict[str, Any]:
    others = [each for each in answer.moments if each.file.id == moment.file.id]
    file, start, end = moment.file, moment.start_seconds, moment.end_seconds
    is_away = not file.path.exists()
    timed = [cue for cue in cues if cue.kind not in (CueKind.TITLE, CueKind.DESCRIPTION)]
    return {
        "done": done("moment"),
        "opened": opening,
        "name": printable(file.path.name),
        "folder": printable(str(file.path.parent)),
        "notice": "This file is away: its drive is not here." if is_away else "",
        "source": _picture_kept(moment) if is_away else _source(file),
        "can_play": browser_can_play(file),
        "proxy": around_proxy(file),
        "has_pictures": file.info.video is not None,
        "is_still": file.info.kind is MediaKind.IMAGE,
        "wave": wave_address(file, start, min(end, start + LONGEST_SECONDS))
        if file.info.audio and not is_away
        else "",
        "start": start,
        "end": end,
        "duration": max(file.info.duration_seconds, 1e-3),
        "when": format_moment_time(moment),
        "score_text": f"score {moment.score:.2f}",
        "why": format_evidence(moment.evidence),
        "curves": [{"sense": each.sense, "step": each.step_seconds, "values": _rounded(each)} for each in curves],
        "events": [
            {"label": event.label, "start": event.start_seconds, "end": event.end_seconds, "text": event.label}
            for event in dict.fromkeys(event for each in others for event in each.events)
        ],
        "cues": [{"start": cue.start_seconds, "end": cue.end_seconds, "text": printable(cue.text)} for cue in timed],
        "moments": [
            {"start": each.start_seconds, "end": each.end_seconds, "title": f"{each.rank}. {format_moment_time(each)}",
             "is_this": each.rank == moment.rank}
            for each in others
        ],
        "lines": list(_lines(moment, timed)),
        "copies": list(_copies(answer, moment)),
    }  # fmt: skip


def _picture_kept(moment: Moment) -> str:
    """A picture from the middle of a moment of a file that is away, where it has pictures."""
    middle = (moment.start_seconds + moment.end_seconds) / 2
    return thumb_address(moment.file, middle, THUMB_WIDTHS[-1]) if moment.file.info.video else ""


def _source(file: MediaFile) -> str:
    """The file itself; of a still image that no browser shows a picture of it."""
    if file.info.kind is MediaKind.IMAGE and not browser_can_play(file):
        return thumb_address(file, 0.0, THUMB_WIDTHS[-1])
    return clip_address(file)


def _lines(moment: Moment, cues: Sequence[Cue]) -> Iterator[dict[str, Any]]:
    """What can be jumped to: the sounds that were located, and what is said in the moment."""
    for event in moment.events:
        yield {"start": event.start_seconds, "text": f"{event.label} {event.start_seconds:.2f}-{event.end_seconds:.2f}"}
    for cue in cues:
        if cue.start_seconds < moment.end_seconds and cue.end_seconds > moment.start_seconds:
            yield {"start": cue.start_seconds, "text": f"“{printable(cue.text)}”"}


def _copies(answer: SearchResult, moment: Moment) -> Iterator[tuple[str, str, str]]:
    """What can be copied: what the button says, what that is, and the text."""
    path, start, end = str(moment.file.path), moment.start_seconds, moment.end_seconds
    yield "Copy path", "The file and the time of the moment", f"{printable(path)}@{start:.2f}-{end:.2f}"
    if moment.file.info.kind is not MediaKind.IMAGE:
        yield "Copy mpv", "The command that plays it", mpv_command(moment)
    yield "Copy JSON", "The moment as JSON", json.dumps(moment_object(answer, moment), indent=2)


def _rounded(curve: Curve) -> list[float]:
    values: list[float] = curve.values.round(3).tolist()
    return values
