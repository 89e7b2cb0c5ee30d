"""The tray: moments selected for export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from pesearch.app.clip_archive import create_archive, delete_archive
from pesearch.app.escape import escape_markdown
from pesearch.app.server_state import library
from pesearch.app.urls import clips_url
from pesearch.export.clip_selection import Selection, merge_overlaps, with_timecode
from pesearch.export.formats import TIMELINES, ExportFormat, render_document
from pesearch.export.timecode_warnings import timecode_warnings
from pesearch.formatting import format_moment_time
from pesearch.types import Moment

EXPORT_FORMATS: dict[str, ExportFormat | None] = {
    "EDL (CMX3600)": ExportFormat.EDL,
    "OpenTimelineIO": ExportFormat.OTIO,
    "FCPXML": ExportFormat.FCPXML,
    "Clips": None,
    "Playlist (M3U)": ExportFormat.M3U,
    "Table (CSV)": ExportFormat.CSV,
    "JSON": ExportFormat.JSON,
    "Chapters (WebVTT)": ExportFormat.VTT,
}
"""The choices of the tray; None means clips, which are cut."""


@dataclass(slots=True)
class Tray:
    """Moments in the order in which they were added, each with the query that found it."""

    moments: dict[Moment, str] = field(default_factory=dict)

    def contains(self, moment: Moment) -> bool:
        """Whether the tray has this moment, or one that overlaps it."""
        return any(is_same(moment, other) for other in self.moments)

    def toggle(self, moment: Moment, query: str) -> None:
        """Add a moment, or remove it if the tray has it."""
        if same := [other for other in self.moments if is_same(moment, other)]:
            for other in same:
                del self.moments[other]
        else:
            self.moments[moment] = query

    def update(self, moments: Sequence[Moment], query: str) -> None:
        """Replace moments that `query` found by their exact versions among `moments`, which are sorted best first."""
        of_query = [moment for moment, found_by in self.moments.items() if found_by == query]
        exact = {old: new for old in of_query for new in reversed(moments) if is_same(old, new)}
        self.moments = {exact.get(old, old): found_by for old, found_by in self.moments.items()}


def is_same(one: Moment, other: Moment) -> bool:
    """Whether two moments are of one file and overlap."""
    if one.file.id != other.file.id:
        return False
    if one.start_seconds == other.start_seconds:
        return True
    return one.start_seconds < other.end_seconds and other.start_seconds < one.end_seconds


def show_tray(tray: Tray) -> None:
    """Show the tray and its export controls in the sidebar."""
    with st.sidebar:
        st.subheader(f"Tray ({len(tray.moments)})", anchor=False)
        if not tray.moments:
            st.caption("Add moments with “+ Tray” or the T key.")
            return
        for moment in list(tray.moments):
            name, remove = st.columns([5, 1], vertical_alignment="center")
            name.caption(escape_markdown(f"{moment.file.path.name} {format_moment_time(moment)}"))
            key = f"remove-{moment.file.id}-{moment.start_seconds}"
            if remove.button("", icon=":material/close:", key=key, help="Remove"):
                tray.toggle(moment, "")
                st.rerun()
        _show_export(tray)


def _show_export(tray: Tray) -> None:
    choice = st.selectbox("Export as", list(EXPORT_FORMATS), key="form")
    pad = st.number_input("Seconds to add before and after", min_value=0.0, max_value=3600.0, step=0.5, key="pad")
    selections = [Selection.from_moment(moment, query).padded(pad) for moment, query in tray.moments.items()]
    if pad:
        selections = merge_overlaps(selections)
    form = EXPORT_FORMATS[choice]
    if form in TIMELINES:
        selections = [with_timecode(selection) for selection in selections]
    if form is not None:
        for warning in timecode_warnings(selections, form):
            st.caption(warning)
        st.download_button(
            "Download",
            render_document(selections, form),
            f"pesearch.{form}",
            key="download",
            icon=":material/download:",
        )
        return
    reencode = st.toggle(
        "Frame-accurate", help="Re-encodes the clips, which is slower. Otherwise each starts at the key frame before."
    )
    submitted = st.button("Cut clips", icon=":material/content_cut:")
    cut, archive = st.session_state.get("clips", (None, ""))
    if submitted:
        delete_archive(archive, library().folder)
        cut, archive = st.session_state["clips"] = (selections, reencode), _cut(selections, reencode)
    if archive and cut == (selections, reencode):  # the archive matches the current choices
        st.link_button("Download", clips_url(archive), icon=":material/download:")


def _cut(selections: Sequence[Selection], reencode: bool) -> str:
    """Cut the clips, with a progress bar and a warning for each that failed. The name of the archive."""
    bar = st.progress(0.0)
    archive = create_archive(selections, reencode, library().folder, bar.progress)
    bar.empty()
    for failure in archive.not_cut:
        st.warning(escape_markdown(f"{failure.selection.path.name}: {failure.reason}"))
    return archive.name
