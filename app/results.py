"""The list of moments found, grouped by file, with pictures, scores and evidence."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pesearch.app.components import Click, component, last_handled, new_clicks
from pesearch.app.escape import printable
from pesearch.app.pictures import Picture, thumbnail_of, waveform_of
from pesearch.app.tray import Tray
from pesearch.app.urls import THUMB_WIDTHS
from pesearch.formatting import (
    format_absence,
    format_cue,
    format_event,
    format_evidence,
    format_moment_time,
    format_near_duplicates,
)
from pesearch.search.result import CONFIDENT, SearchResult
from pesearch.types import MediaKind, Moment

PICTURES_PER_MOMENT = 3

PREFETCHED_MOMENTS = 4
"""Moments whose pictures are made before the page requests them: those visible without scrolling on a small screen."""

THRESHOLD_PARAMETER = "level"
"""The query-string key of the score threshold, part of bookmarked URLs."""

MAX_CUES = 2
"""Cues shown of a moment."""


def show_results(
    result: SearchResult, opened: int | None, tray: Tray, *, is_complete: bool, is_located: bool
) -> tuple[Click, ...]:
    """Show the moments of a result and return the new clicks in the list. `opened` is the rank of the open moment.

    `is_complete`: a larger k would give no more moments. `is_located`: all sounds are located.
    """
    shown = _component()(
        key="results",
        data={
            "handled": last_handled("results"),
            "query": result.query,
            "moments": [_moment_data(moment, tray.contains(moment)) for moment in result.moments],
            "threshold": _threshold(),
            "open": opened,
            "is_complete": is_complete,
            "is_located": is_located,
            "score_name": "probability" if result.is_calibrated else "similarity",
            "below_threshold": "Nothing is likely to match. Closest moments:",
            "no_moments": _no_moments(result),
        },
        default={"threshold": _threshold(), "clicks": []},
        on_threshold_change=_keep_threshold,
        on_clicks_change=lambda: None,
    )
    return new_clicks("results", shown.clicks)


def _no_moments(result: SearchResult) -> str:
    if result.kept_files != 0:
        return "Nothing in this library matches."
    unread = " Dates and places of some were not read yet: index their folders again." if result.unread_files else ""
    return f"No file in this library meets the filters.{unread}"


def first_pictures(result: SearchResult) -> list[Picture]:
    """The pictures that the page requests first: the middle one of each of the first moments (assets/results.js)."""
    threshold = _threshold()
    above = [moment for moment in result.moments if moment.score >= threshold]
    by_moment = (_pictures(moment) for moment in (above or result.moments)[:PREFETCHED_MOMENTS])
    return [pictures[len(pictures) // 2] for pictures in by_moment]


@st.cache_resource
def _component() -> Any:
    return component("results")


def _moment_data(moment: Moment, in_tray: bool) -> dict[str, Any]:
    file = moment.file
    return {
        "rank": moment.rank,
        "file": file.id,
        "name": printable(file.path.name),
        "folder": printable(str(file.path.parent)),
        "absence": format_absence(file),
        "start": moment.start_seconds,
        "end": moment.end_seconds,
        "when": format_moment_time(moment),
        "score": moment.score,
        "why": format_evidence(moment.evidence),
        "events": [
            {"label": event.label, "start": event.start_seconds, "end": event.end_seconds, "text": format_event(event)}
            for event in moment.events
        ],
        "cues": [printable(format_cue(cue)) for cue in moment.cues[:MAX_CUES]],
        "near_duplicates": format_near_duplicates(moment.near_duplicates) if moment.near_duplicates else "",
        "pictures": [picture.url for picture in _pictures(moment)],
        "is_sound": file.info.kind is MediaKind.AUDIO,
        "is_still": file.info.kind is MediaKind.IMAGE,
        "in_tray": in_tray,
        "similar": _similarities(moment),
    }


def _threshold() -> float:
    """The score, in 0..1, below which moments are hidden, from the page's URL; CONFIDENT for an invalid value."""
    try:
        threshold = float(st.query_params.get(THRESHOLD_PARAMETER, CONFIDENT))
    except ValueError:
        return CONFIDENT
    return threshold if 0 <= threshold <= 1 else CONFIDENT


def _keep_threshold() -> None:
    st.query_params[THRESHOLD_PARAMETER] = f"{st.session_state['results'].threshold:g}"


def _pictures(moment: Moment) -> list[Picture]:
    """Thumbnails spread over the moment; the waveform for audio files."""
    file, start, length = moment.file, moment.start_seconds, moment.end_seconds - moment.start_seconds
    if file.info.kind is MediaKind.AUDIO:
        return [waveform_of(file, start, moment.end_seconds)]
    count, width = (PICTURES_PER_MOMENT, THUMB_WIDTHS[0]) if length > 0 else (1, THUMB_WIDTHS[1])
    return [thumbnail_of(file, start + length * (number + 0.5) / count, width) for number in range(count)]


def _similarities(moment: Moment) -> list[tuple[str, str]]:
    """The kinds of similarity to search by, each with the text of its tooltip."""
    kinds = []
    if moment.file.info.video:
        kinds.append(("picture", "Find moments that look like this one"))
    if moment.file.info.audio:
        kinds.append(("sound", "Find moments that sound like this one"))
    return [*kinds, ("both", "Find moments that look and sound like this one")] if len(kinds) == 2 else kinds
