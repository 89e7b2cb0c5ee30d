"""The parts of the page that run as scripts in the browser, and the clicks they send.

A component keeps its clicks in its state and sends them with every message until the page confirms them, so that a
rerun of the page loses none. Each click is handled once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import streamlit as st

_ASSETS = Path(__file__).with_name("assets")


@dataclass(frozen=True, slots=True)
class Click:
    """A click in a component, mostly on the moment of `file` that was shown at `start` to `end` (seconds).

    `by` is the kind of similarity for the action "like". Numbers increase from click to click, also across page loads:
    they are times in milliseconds.
    """

    number: int
    action: Literal["open", "tray", "like", "close", "more"]
    file: int = 0
    start: float = 0.0
    end: float = 0.0
    by: str = ""


def component(name: str) -> Any:
    """The Streamlit component of `assets/NAME.js` and `assets/NAME.css`, in an element of class NAME.

    Its script can use the functions in `elements.js`.
    """
    script = "\n".join(_asset(file_name) for file_name in ("elements.js", f"{name}.js"))
    style = _asset(f"{name}.css")
    return st.components.v2.component(f"pesearch_{name}", html=f'<div class="{name}"></div>', css=style, js=script)


def last_handled(component_name: str) -> int:
    """The number of the last click handled for a component, which then drops all clicks up to it."""
    number: int = st.session_state.get(_key(component_name), 0)
    return number


def new_clicks(component_name: str, pending: Any) -> tuple[Click, ...]:
    """The clicks in a component's state that were not handled before; they count as handled from now on.

    Pending clicks at the start of a session are skipped: the page outlived its server, and the session before handled
    them.
    """
    clicks = msgspec.convert(pending, tuple[Click, ...])
    is_first, handled = _key(component_name) not in st.session_state, last_handled(component_name)
    st.session_state[_key(component_name)] = max(handled, *(click.number for click in clicks), 0)
    return () if is_first else tuple(click for click in clicks if click.number > handled)


def _key(component_name: str) -> str:
    return f"handled-{component_name}"


def _asset(file_name: str) -> str:
    return (_ASSETS / file_name).read_text("utf-8")
