"""The tray: moments that were chosen, to be taken along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from pesearch.app.clip_archive import forget, pack
from pesearch.app.escape import safe
from pesearch.app.server_state import library
from pesearch.app.urls import clips_address
from pesearch.export.clip_selection import Selection
from pesearch.export.formats import ExportFormat, render_document
from pesearch.formatting import when
from pesearch.types import Moment

FORMS: dict[str, ExportFormat | None] = {
    "EDL (CMX3600)": ExportFormat.EDL,
    "OpenTimelineIO": ExportFormat.OTIO,
    "FCPXML": ExportFormat.FCPXML,
    "Clips": None,
    "Playlist (M3U)": ExportFormat.M3U,
    "Table (CSV)": ExportFormat.CSV,
    "JSON": ExportFormat.JSON,
    "Chapters (WebVTT)": ExportFormat.VTT,
}
"""What the tray can be taken along as; None are clips."""


@dataclass(slots=True)
class Tray:
    """Moments, in the order in which they were chosen, each with the question that found it."""

    moments: dict[Moment, str] = field(default_factory=dict)

    def holds(self, moment: Moment) -> bool:
        """Whether this moment is in it, or one that shares time with it."""
        return any(is_same(moment, other) for other in self.moments)

    def toggle(self, moment: Moment, query: str) -> None:
        """Put a moment in, or take it out."""
        if same := [other for other in self.moments if is_same(moment, other)]:
            for other in same:
                del self.moments[other]
        else:
            self.moments[moment] = query

    def sharpen(self, moments: Sequence[Moment], query: str) -> None:
        """Put moments, best first, in the place of those that they are and that the same question found: they are known
        better now."""
        chosen = [moment for moment, found_by in self.moments.items() if found_by == query]
        better = {old: new for old in chosen for new in reversed(moments) if is_same(old, new)}
        self.moments = {better.get(old, old): found_by for old, found_by in self.moments.items()}


def is_same(one: Moment, other: Moment) -> bool:
    """Whether two moments share time of one file."""
    if one.file.id != other.file.id:
        return False
    if one.start_seconds == other.start_seconds:
        return True
    return one.start_seconds < other.end_seconds and other.start_seconds < one.end_seconds


def show_tray(tray: Tray) -> None:
    """What is in it, beside the page, and how to take it along."""
    with st.sidebar:
        st.subheader(f"Tray ({len(tray.moments)})", anchor=False)
        if not tray.moments:
            st.caption("Put moments in with “+ Tray”, or the key t.")
            return
        for moment in list(tray.moments):
            name, out = st.columns([5, 1], vertical_alignment="center")
            name.caption(safe(f"{moment.file.path.name} {format_moment_time(moment)}"))
            key = f"out-{moment.file.id}-{moment.start_seconds}"
            if out.button("", icon=":material/close:", key=key, help="Take out"):
                tray.toggle(moment, "")
                st.rerun()
        _show_export(tray)


def _show_export(tray: Tray) -> None:
    form = st.selectbox("Take along as", list(FORMS), key="form")
    pad = st.number_input("Seconds before and after", min_value=0.0, max_value=3600.0, step=0.5, key="pad")
    choices = [Selection.from_moment(moment, query).padded(pad) for moment, query in tray.moments.items()]
    wanted = FORMS[form]
    if wanted is not None:
        st.download_button(
            "Download",
            render_document(choices, wanted),
            f"pesearch.{wanted}",
            key="download",
            icon=":material/download:",
        )
        return
    reencode = st.toggle("Exact to a frame", help="Encoded again: slower. Else copied, from the key frame before.")
    wanted_now = st.button("Cut", icon=":material/content_cut:")
    cut, archive = st.session_state.get("clips", (None, ""))
    if wanted_now:
        forget(archive, library().folder)
        cut, archive = st.session_state["clips"] = (choices, reencode), _cut(choices, reencode)
    if archive and cut == (choices, reencode):  # what was cut is still what is chosen
        st.link_button("Download", clips_address(archive), icon=":material/download:")


def _cut(choices: Sequence[Selection], reencode: bool) -> str:
    """The name of the archive of the clips; tells of those that could not be cut."""
    bar = st.progress(0.0)
    archive = pack(choices, reencode, library().folder, bar.progress)
    bar.empty()
    for each in archive.not_cut:
        st.warning(safe(f"{each.selection.path.name}: {each.reason}"))
    return archive.name
