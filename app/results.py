"""The moments that answer, as the page lists them: grouped by file, with pictures, score and why."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pesearch.app.component_events import Click, done, new_clicks
from pesearch.app.components import component
from pesearch.app.escape import printable
from pesearch.app.pictures import Picture, thumb_of, wave_of
from pesearch.app.tray import Tray
from pesearch.app.urls import THUMB_WIDTHS
from pesearch.formatting import format_cue, format_event, format_evidence, format_moment_time
from pesearch.search.score.calibration import CALIBRATED
from pesearch.search.search import CONFIDENT, SearchResult
from pesearch.types import MediaKind, Moment

PICTURES = 3
"""So many pictures show a moment."""

FIRST_MOMENTS = 4
"""The pictures of so many are begun before a page asks for them: what is seen without scrolling on a small screen."""

LEVEL = "level"

CUES_SHOWN = 2


def show_results(
    answer: SearchResult, opened: int | None, tray: Tray, *, is_all: bool, is_exact: bool
) -> tuple[Click, ...]:
    """The list of an answer's moments, and what was clicked in it. `opened` is the rank of the one shown above.

    `is_all` where no more moments can be had, `is_exact` where no more sounds are to be located.
    """
    shown = _results()(
        key="results",
        data={
            "done": done("results"),
            "query": answer.query,
            "moments": [_moment(moment, tray.holds(moment)) for moment in answer.moments],
            "level": _level(),
            "open": opened,
            "is_all": is_all,
            "is_exact": is_exact,
            "score_name": "a probability" if answer.score_kind == CALIBRATED else "a likeness",
            "nearest": "Nothing here is likely to be what you asked for. The nearest are:",
            "nothing": "Nothing in this library is like it.",
        },
        default={"level": _level(), "clicks": []},
        on_level_change=_keep_level,
        on_clicks_change=lambda: None,
    )
    return new_clicks("results", shown.clicks)


@st.cache_resource
def _results() -> Any:
    return component("results")


def _moment(moment: Moment, in_tray: bool) -> dict[str, Any]:
    file = moment.file
    return {
        "rank": moment.rank,
        "file": file.id,
        "name": printable(file.path.name),
        "folder": printable(str(file.path.parent)),
        "is_away": not file.path.exists(),
        "start": moment.start_seconds,
        "end": moment.end_seconds,
        "when": format_moment_time(moment),
        "score": moment.score,
        "why": format_evidence(moment.evidence),
        "events": [
            {"label": each.label, "start": each.start_seconds, "end": each.end_seconds, "text": format_event(each)}
            for each in moment.events
        ],
        "cues": [printable(format_cue(cue)) for cue in moment.cues[:CUES_SHOWN]],
        "pictures": [picture.address for picture in _pictures(moment)],
        "is_sound": file.info.kind is MediaKind.AUDIO,
        "is_still": file.info.kind is MediaKind.IMAGE,
        "in_tray": in_tray,
        "like": _like(moment),
    }


def _level() -> float:
    """How sure a moment has to be to be shown, as the address of the page says: in 0..1."""
    try:
        level = float(st.query_params.get(LEVEL, CONFIDENT))
    except ValueError:
        return CONFIDENT
    return level if 0 <= level <= 1 else CONFIDENT


def _keep_level() -> None:
    st.query_params[LEVEL] = f"{st.session_state['results'].level:g}"


def first_pictures(answer: SearchResult) -> list[Picture]:
    """What a page asks for first: the picture in the middle of each of the first moments (see assets/results.js)."""
    sure = [moment for moment in answer.moments if moment.score >= _level()]
    pictures = (_pictures(moment) for moment in (sure or answer.moments)[:FIRST_MOMENTS])
    return [of_moment[len(of_moment) // 2] for of_moment in pictures]


def _pictures(moment: Moment) -> list[Picture]:
    """The pictures of a moment, over its time; of a sound a picture of that."""
    file, start, length = moment.file, moment.start_seconds, moment.end_seconds - moment.start_seconds
    if file.info.kind is MediaKind.AUDIO:
        return [wave_of(file, start, moment.end_seconds)]
    count, width = (PICTURES, THUMB_WIDTHS[0]) if length > 0 else (1, THUMB_WIDTHS[1])
    return [thumb_of(file, start + length * (number + 0.5) / count, width) for number in range(count)]


def _like(moment: Moment) -> list[tuple[str, str]]:
    """By what more like a moment can be found, and what that says."""
    ways = []
    if moment.file.info.video:
        ways.append(("picture", "Find what looks like this"))
    if moment.file.info.audio:
        ways.append(("sound", "Find what sounds like this"))
    return [*ways, ("both", "Find what looks and sounds like this")] if len(ways) == 2 else ways
