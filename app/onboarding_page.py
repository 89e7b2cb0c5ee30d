"""The page where there is no library yet: a folder and models that are on this machine make the first one."""

from __future__ import annotations

import streamlit as st

from pesearch.app.escape import safe
from pesearch.app.indexing import chosen_path, job, show_run
from pesearch.app.server_state import has_library
from pesearch.encoders.hub import status
from pesearch.encoders.model_registry import MODEL_SETS, default_model_set
from pesearch.settings import default_library

MADE_HERE = "made-here"
"""Set where this page began the run that makes the library: it goes on to the page of the library."""


def first_page() -> None:
    """Lay out the page."""
    run = job(default_library())
    st.subheader("Make your library", anchor=False)
    st.text("Media is read where it lies and never changed. All of it stays on this machine.")
    here = [name for name, each in MODEL_SETS.items() if all(model.complete for model in status(each))]
    usual = default_model_set()
    with st.form("first", border=False):
        written = st.text_input("Folder or file on this machine", key="first-path", placeholder="/home/me/videos")
        model = st.selectbox(
            "Models", here, index=here.index(usual) if usual in here else 0, format_func=_told, key="first-model"
        )
        wanted = st.form_submit_button("Make the library", icon=":material/play_arrow:")
    if usual not in here:
        st.caption(safe(f"For your own media fetch better models first: pesearch models pull {usual}"))
    if wanted and (path := chosen_path(written)):
        st.session_state[MADE_HERE] = True
        run.start([path], model=model)
    show_run(run)
    if run.is_running:
        _go_on_when_it_is_there()


@st.fragment(run_every=0.5)
def _go_on_when_it_is_there() -> None:
    if has_library():
        st.rerun()


def _told(model: str) -> str:
    return f"{model}: {MODEL_SETS[model].summary}"
