"""The tray: moments that were chosen, to be taken along."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from pesearch.app.text import safe
from pesearch.types import Moment
from pesearch.wording import when


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
            name.caption(safe(f"{moment.file.path.name} {when(moment)}"))
            if out.button(
                "", icon=":material/close:", key=f"out-{moment.file.id}-{moment.start_seconds}", help="Take out"
            ):
                tray.toggle(moment, "")
                st.rerun()
