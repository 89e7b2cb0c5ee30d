"""What is clicked in a component of the page, each click done once: none is lost while the page is laid out anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import streamlit as st


@dataclass(frozen=True, slots=True)
class Click:
    """What a click does, most to the moment of a file that was shown at that time, or `by` what of it.

    Numbers rise from click to click, also over pages that are loaded anew: they are times in milliseconds.
    """

    number: int
    does: Literal["open", "tray", "like", "close", "more"]
    file: int = 0
    start: float = 0.0
    end: float = 0.0
    by: str = ""


def done(component: str) -> int:
    """The number of the last click in a component that was done: the component forgets it then."""
    last: int = st.session_state.get(_key(component), 0)
    return last


def new_clicks(component: str, waiting: Any) -> tuple[Click, ...]:
    """Those clicks of the component's state that were not done before, which they are from now on.

    A page that outlived its server brings clicks along that another session has done: they are not done again.
    """
    clicks = msgspec.convert(waiting, tuple[Click, ...])
    is_first, before = _key(component) not in st.session_state, done(component)
    st.session_state[_key(component)] = max(before, *(click.number for click in clicks), 0)
    return () if is_first else tuple(click for click in clicks if click.number > before)


def _key(component: str) -> str:
    return f"done-{component}"
