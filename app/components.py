"""The parts of the page that run in the browser: their script and style, beside the data that they show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).with_name("assets")


def component(name: str) -> Any:
    """The component that `assets/NAME.js` and `assets/NAME.css` make, in an element of that class.

    What `elements.js` defines stands before its script.
    """
    script = "\n".join(_text(each) for each in ("elements.js", f"{name}.js"))
    style = _text(f"{name}.css")
    return st.components.v2.component(f"pesearch_{name}", html=f'<div class="{name}"></div>', css=style, js=script)


def _text(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")
