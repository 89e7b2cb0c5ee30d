"""The page while there is no library: it creates one from a folder, with a model set that is on this machine."""

from __future__ import annotations

import streamlit as st

from pesearch.app.escape import escape_markdown
from pesearch.app.indexing import existing_path, shared_job, show_progress
from pesearch.app.server_state import has_library
from pesearch.encoders.hub import status
from pesearch.encoders.model_registry import MODEL_SETS, default_model_set
from pesearch.settings import default_library

CREATED_HERE = "created-here"
"""Set in the session that started the first run: it continues on the library page."""


def onboarding_page() -> None:
    """Lay out the page."""
    job = shared_job(default_library())
    st.subheader("Create your library", anchor=False)
    st.text("Media files are read in place and never changed. Nothing leaves this machine.")
    complete = [name for name, models in MODEL_SETS.items() if all(model.complete for model in status(models))]
    preferred = default_model_set()
    with st.form("first", border=False):
        text = st.text_input("Folder or file on this machine", key="first-path", placeholder="/home/me/videos")
        model_set = st.selectbox(
            "Models",
            complete,
            index=complete.index(preferred) if preferred in complete else 0,
            format_func=_label,
            key="first-model",
        )
        submitted = st.form_submit_button("Create library", icon=":material/play_arrow:")
    if preferred not in complete:
        st.caption(escape_markdown(f"For your own media, get better models first: pesearch models pull {preferred}"))
    if submitted and (path := existing_path(text)):
        st.session_state[CREATED_HERE] = True
        job.start([path], model_set=model_set)
    show_progress(job)
    if job.is_running:
        _continue_when_created()


@st.fragment(run_every=0.25)
def _continue_when_created() -> None:
    if has_library():
        st.rerun()


def _label(model_set: str) -> str:
    return f"{model_set}: {MODEL_SETS[model_set].summary}"
