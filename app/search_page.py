"""The page that searches: ask at the top, the opened moment, and the moments below."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from threading import Event

import streamlit as st

from pesearch.app.component_events import Click
from pesearch.app.controls import MOMENTS, asked
from pesearch.app.escape import safe
from pesearch.app.moment_view import show_moment
from pesearch.app.pictures import begin
from pesearch.app.results import first_pictures, show_results
from pesearch.app.server_state import answer, curves, library, located, models, warm
from pesearch.app.tray import Tray, is_same, show_tray
from pesearch.app.uploads import as_dropped
from pesearch.errors import PesearchError
from pesearch.search.query.language.nodes import Example
from pesearch.search.query.plan import compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.relevance_curve import Curve
from pesearch.search.search import SearchResult
from pesearch.types import MediaFile, Moment, Sense

LIKE = {"picture": Sense.SEEN, "sound": Sense.HEARD, "both": None}


@dataclass(slots=True)
class Found:
    """What a page has found last: its first pictures, the answer with the named sounds located and whether it is taken,
    and the rank of the opened moment. `unwanted` is set when something else is asked."""

    request: SearchRequest
    generation: int
    answer: SearchResult
    pictures: tuple[Future[bytes], ...]
    is_heard: bool
    opened: int | None = None
    openings: int = 0
    exact: Future[SearchResult] | None = None
    unwanted: Event = field(default_factory=Event)

    def take(self, again: SearchResult) -> None:
        """Another answer to it. The opened moment stays opened, whichever was opened by the end of asking."""
        before = next((each for each in self.answer.moments if each.rank == self.opened), None)
        if before is not None:
            self.opened = next((each.rank for each in again.moments if is_same(each, before)), None)
        self.answer = again


def search_page() -> None:
    """Lay out the page."""
    try:
        warm()
        if query := st.session_state.pop("ask", None):
            st.session_state["text"] = query
        request = asked()
        tray = _tray()
        if request is None:
            _welcome()
        else:
            _show(_found(request), tray)
        show_tray(tray)
    except PesearchError as error:
        st.error(safe(as_dropped(str(error))))


def _tray() -> Tray:
    tray: Tray = st.session_state.setdefault("tray", Tray())
    return tray


def _welcome() -> None:
    status = library().status()
    st.text(f"{status.files} files, {status.hours:.2f} hours of media, {status.cues} cues: write what you look for.")
    st.caption("Plain words do. More is possible:")
    examples = (
        ("heard:siren THEN seen:train", "first the one is heard, then the other is seen"),
        ('said:"mind the gap"', "words that are spoken, or stand in subtitles"),
        ("dog -rain", "the one without the other"),
        ("siren WITHIN 5s train", "both, at most five seconds apart"),
    )
    for query, meaning in examples:
        ask, told = st.columns([2, 3], vertical_alignment="center")
        if ask.button(query, key=f"example-{query}", type="tertiary"):
            _ask(query)
        told.caption(meaning)
    if notice := models().notice:
        st.info(safe(notice))


def _ask(query: str) -> None:
    """Ask something else: the bar shows it when the page is laid out again."""
    st.session_state["ask"] = query
    st.rerun()


def _found(request: SearchRequest) -> Found:
    """What is found for a question, of which more may have been asked for than at first."""
    generation = library().generation()
    found: Found | None = st.session_state.get("found")
    if found is None or replace(found.request, k=request.k) != request:
        if found is not None:
            found.unwanted.set()
        found = st.session_state["found"] = Found(request, generation, *_at_once(request))
    elif found.generation != generation:
        _ask_again(found, found.request, generation)
    return found


def _at_once(request: SearchRequest) -> tuple[SearchResult, tuple[Future[bytes], ...], bool]:
    """The answer, its first pictures, and whether that is all: sounds that are named are located after it was shown."""
    with st.spinner("Searching"):
        first = answer(replace(request, locate=False))
    return first, begin(library().folder, first_pictures(first)), not compile_query(request).phrases


def _ask_again(found: Found, request: SearchRequest, generation: int) -> None:
    """The same in a library that has changed, or for more moments."""
    found.unwanted.set()
    first, pictures, is_heard = _at_once(request)
    found.unwanted, found.exact = Event(), None  # no layout takes any more what was located before
    found.take(first)
    found.request, found.generation, found.pictures, found.is_heard = request, generation, pictures, is_heard


def _show(found: Found, tray: Tray) -> None:
    above = st.container()
    shown = found.answer
    moments = shown.moments
    is_all = len(moments) < found.request.k
    clicked = show_results(shown, found.opened, tray, is_all=is_all, is_exact=found.is_heard)
    for click in clicked:
        _act(click, found, tray)
    if clicked:
        st.rerun()
    with above:
        _show_opened(found)
    if not found.is_heard:
        _hear_again(found)
        tray.sharpen(found.answer.moments, found.answer.query)
    if found.answer is not shown:  # located here, or meanwhile by a layout that this one has overtaken
        st.rerun()


def _act(click: Click, found: Found, tray: Tray) -> None:
    """Do what was clicked; nothing where the moment is no answer to what is asked by now."""
    if click.does == "more":
        _ask_again(found, replace(found.request, k=found.request.k + MOMENTS), found.generation)
        return
    moment = _clicked(click, found.answer)
    if moment is None:
        return
    if click.does == "open":
        found.opened, found.openings = moment.rank, found.openings + 1
    elif click.does == "tray":
        tray.toggle(moment, found.answer.query)
    elif click.does == "like":
        st.session_state["ask"] = str(_example(moment, LIKE[click.by]))


def _clicked(click: Click, answer: SearchResult) -> Moment | None:
    """The moment that was clicked, which may have become more exact meanwhile."""
    of_file = [moment for moment in answer.moments if moment.file.id == click.file]
    same = (each for each in of_file if (each.start_seconds, each.end_seconds) == (click.start, click.end))
    near = (each for each in of_file if each.start_seconds <= click.end and click.start <= each.end_seconds)
    return next(same, None) or next(near, None)


def _example(moment: Moment, sense: Sense | None) -> Example:
    path = moment.file.path
    if moment.end_seconds <= moment.start_seconds:
        return Example(path, sense=sense)
    return Example(path, moment.start_seconds, moment.end_seconds, sense=sense)


def _show_opened(found: Found) -> None:
    moment = next((each for each in found.answer.moments if each.rank == found.opened), None)
    if moment is None:
        return
    if show_moment(found.answer, moment, found.openings, _curves(found, moment.file), library().cues(moment.file.id)):
        found.opened = None
        st.rerun()


def _curves(found: Found, file: MediaFile) -> tuple[Curve, ...]:
    held: dict[tuple[SearchRequest, int], tuple[Curve, ...]] = st.session_state.setdefault("curves", {})
    key = found.request, file.id
    if key not in held:
        held.clear()
        held[key] = curves(found.request, file)
    return held[key]


def _hear_again(found: Found) -> None:
    """Locate the sounds of the answer, once for all layouts of the page that come meanwhile."""
    exact = found.exact = found.exact or located(found.request, found.pictures, found.unwanted)
    heard = exact.result()
    if found.exact is exact:  # else it was asked again meanwhile
        found.take(heard)
        found.is_heard = True
