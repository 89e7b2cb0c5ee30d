"""The search page: the controls, the open moment, and the list of moments below."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from threading import Event

import streamlit as st

from pesearch.app.components import Click
from pesearch.app.controls import MOMENTS_PER_PAGE, read_request
from pesearch.app.escape import escape_markdown
from pesearch.app.moment_view import show_moment
from pesearch.app.pictures import prefetch
from pesearch.app.results import first_pictures, show_results
from pesearch.app.server_state import library, locate_sounds, models, preload_models, relevance_curves, run_search
from pesearch.app.tray import Tray, is_same, show_tray
from pesearch.app.uploads import hide_upload_folder
from pesearch.errors import PesearchError
from pesearch.formatting import damage_lines, format_length, hidden_by_near_duplicates
from pesearch.search.query.language.nodes import Example
from pesearch.search.query.plan import compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.relevance_curve import Curve
from pesearch.search.result import SearchResult
from pesearch.types import MediaFile, Moment, Sense

SIMILARITY_SENSES = {"picture": Sense.SEEN, "sound": Sense.HEARD, "both": None}
"""The senses of the "Like ..." buttons (`results._similarities`)."""

EXAMPLE_QUERIES = (
    ("heard:siren THEN seen:train", "a siren is heard, then a train is seen"),
    ('said:"mind the gap"', "these words are spoken, or in subtitles"),
    ("dog -rain", "a dog without rain"),
    ("siren WITHIN 5s train", "both, at most five seconds apart"),
)


@dataclass(slots=True)
class PageSearch:
    """The current search of a page session.

    `result` comes first without located sounds; `located` is the search for them under way, and `is_located` says
    whether `result` has them. `opened` is the rank of the open moment, `openings` counts how often one was opened.
    `cancelled` is set when the user searches for something else.
    """

    request: SearchRequest
    generation: int
    result: SearchResult
    pictures: tuple[Future[bytes], ...]
    is_located: bool
    opened: int | None = None
    openings: int = 0
    located: Future[SearchResult] | None = None
    cancelled: Event = field(default_factory=Event)

    def replace_result(self, result: SearchResult) -> None:
        """Take another result of the same query; the open moment stays open, under its new rank."""
        before = next((moment for moment in self.result.moments if moment.rank == self.opened), None)
        if before is not None:
            self.opened = next((moment.rank for moment in result.moments if is_same(moment, before)), None)
        self.result = result


def search_page() -> None:
    """Lay out the page."""
    try:
        preload_models()
        if query := st.session_state.pop("next-query", None):
            st.session_state["text"] = query
        request = read_request()
        tray = _tray()
        if request is None:
            _show_examples()
        else:
            _show(_current_search(request), tray)
        show_tray(tray)
    except PesearchError as error:
        st.error(escape_markdown(hide_upload_folder(str(error))))


def _tray() -> Tray:
    tray: Tray = st.session_state.setdefault("tray", Tray())
    return tray


def _show_examples() -> None:
    status = library().status()
    st.text(f"{status.files} files, {format_length(status.hours * 3600)} of media, {status.cues} cues")
    st.caption("Type what you are looking for. Plain words are enough; queries can say more:")
    for query, meaning in EXAMPLE_QUERIES:
        link, description = st.columns([2, 3], vertical_alignment="center")
        if link.button(query, key=f"example-{query}", type="tertiary"):
            st.session_state["next-query"] = query
            st.rerun()
        description.caption(meaning)
    if notice := models().notice:
        st.info(escape_markdown(notice))


def _current_search(request: SearchRequest) -> PageSearch:
    """The search of this session, started again when the query or the library has changed."""
    generation = library().generation()
    current: PageSearch | None = st.session_state.get("search")
    # k is ignored: "More moments" has raised it
    if current is None or replace(current.request, k=request.k) != request:
        if current is not None:
            current.cancelled.set()
        current = st.session_state["search"] = PageSearch(request, generation, *_search_without_sounds(request))
    elif current.generation != generation:
        _search_again(current, current.request, generation)
    return current


def _search_without_sounds(request: SearchRequest) -> tuple[SearchResult, tuple[Future[bytes], ...], bool]:
    """The first result, its pictures under way, and whether it is final: the query names no sounds to locate."""
    with st.spinner("Searching"):
        result = run_search(replace(request, locate=False))
    return result, prefetch(library().folder, first_pictures(result)), not compile_query(request).phrases


def _search_again(current: PageSearch, request: SearchRequest, generation: int) -> None:
    """Search for the same in a changed library, or for more moments."""
    current.cancelled.set()
    result, pictures, is_located = _search_without_sounds(request)
    current.cancelled, current.located = Event(), None  # the location under way is for the old result
    current.replace_result(result)
    current.request, current.generation, current.pictures, current.is_located = (
        request, generation, pictures, is_located,
    )  # fmt: skip


def _show(current: PageSearch, tray: Tray) -> None:
    above = st.container()
    shown = current.result
    is_complete = len(shown.moments) < current.request.k
    clicks = show_results(shown, current.opened, tray, is_complete=is_complete, is_located=current.is_located)
    for click in clicks:
        _handle(click, current, tray)
    if clicks:
        st.rerun()
    for line in damage_lines(shown.damaged):
        st.warning(escape_markdown(line))
    if shown.compared:
        st.caption(escape_markdown(hidden_by_near_duplicates(shown.compared)))
    with above:
        _show_open_moment(current)
    if not current.is_located:
        _wait_for_sounds(current)
        tray.update(current.result.moments, current.result.query)
    if current.result is not shown:  # replaced here, or by a rerun that overtook this one
        st.rerun()


def _handle(click: Click, current: PageSearch, tray: Tray) -> None:
    """Run the action of a click; nothing when the current result no longer has the moment."""
    if click.action == "more":
        request = replace(current.request, k=current.request.k + MOMENTS_PER_PAGE)
        _search_again(current, request, current.generation)
        return
    moment = _clicked_moment(click, current.result)
    if moment is None:
        return
    if click.action == "open":
        current.opened, current.openings = moment.rank, current.openings + 1
    elif click.action == "tray":
        tray.toggle(moment, current.result.query)
    elif click.action == "like":
        st.session_state["next-query"] = str(_example(moment, SIMILARITY_SENSES[click.by]))


def _clicked_moment(click: Click, result: SearchResult) -> Moment | None:
    """The moment that was clicked, or one that overlaps it: locating sounds changes intervals."""
    of_file = [moment for moment in result.moments if moment.file.id == click.file]
    equal = (moment for moment in of_file if (moment.start_seconds, moment.end_seconds) == (click.start, click.end))
    overlapping = (
        moment for moment in of_file if moment.start_seconds <= click.end and click.start <= moment.end_seconds
    )
    return next(equal, None) or next(overlapping, None)


def _example(moment: Moment, sense: Sense | None) -> Example:
    path = moment.file.path
    if moment.end_seconds <= moment.start_seconds:
        return Example(path, sense=sense)
    return Example(path, moment.start_seconds, moment.end_seconds, sense=sense)


def _show_open_moment(current: PageSearch) -> None:
    moment = next((moment for moment in current.result.moments if moment.rank == current.opened), None)
    if moment is None:
        return
    cues = library().cues(moment.file.id)
    if show_moment(current.result, moment, current.openings, _curves(current, moment.file), cues):
        current.opened = None
        st.rerun()


def _curves(current: PageSearch, file: MediaFile) -> tuple[Curve, ...]:
    """The relevance curves of a file, cached for the last query and file of this session."""
    cached: dict[tuple[SearchRequest, int], tuple[Curve, ...]] = st.session_state.setdefault("curves", {})
    key = current.request, file.id
    if key not in cached:
        cached.clear()
        cached[key] = relevance_curves(current.request, file)
    return cached[key]


def _wait_for_sounds(current: PageSearch) -> None:
    """Locate the sounds of the result; reruns of the page in the meantime wait for the same search."""
    located = current.located = current.located or locate_sounds(current.request, current.pictures, current.cancelled)
    result = located.result()
    if current.located is located:  # not replaced by another search in the meantime
        current.replace_result(result)
        current.is_located = True
