"""The page while there is no library: it creates one from a folder, with a model set that is on this machine."""

from __future__ import annotations

import streamlit as st

from pesearch.app.escape import escape_markdown
from pesearch.app.indexing import existing_path, shared_job, show_progress
from pesearch.app.server_state import has_library
from pesearch.encoders.hub import installed_sets, plan_download
from pesearch.encoders.model_registry import MODEL_SETS, default_model_set, describe
from pesearch.errors import ModelError
from pesearch.settings import default_library

CREATED_HERE = "created-here"
"""Set in the session that started the first run: it continues on the library page."""


def onboarding_page() -> None:
    """Lay out the page."""
    job = shared_job(default_library())
    st.subheader("Create your library", anchor=False)
    st.text("Media files are read in place and never changed. Nothing leaves this machine.")
    try:
        installed, lacking = installed_sets(), _advice(default_model_set())
    except ModelError as error:
        st.error(escape_markdown(str(error)))
        return
    with st.form("first", border=False):
        text = st.text_input("Folder or file on this machine", key="first-path", placeholder="/home/me/videos")
        model_set = st.selectbox(
            "Models",
            installed,
            index=_preselected(installed),
            placeholder="Choose a model set",
            format_func=_label,
            key="first-model",
        )
        submitted = st.form_submit_button("Create library", icon=":material/play_arrow:")
    if lacking:
        st.info(escape_markdown(lacking))
    if submitted and model_set is None:
        st.error("Choose a model set.")
    elif submitted and (path := existing_path(text)):
        st.session_state[CREATED_HERE] = True
        job.start([path], model_set=model_set)
    show_progress(job)
    if job.is_running:
        _continue_when_created()


@st.fragment(run_every=0.25)
def _continue_when_created() -> None:
    if has_library():
        st.rerun()


def _preselected(installed: list[str]) -> int | None:
    """The machine's default set, else the first for people's own media; none where only the set of the demo is here."""
    own = [name for name in installed if not MODEL_SETS[name].is_packaged]
    preferred = default_model_set()
    return installed.index(preferred if preferred in own else own[0]) if own else None


def _advice(preferred: str) -> str:
    """How to get the machine's default set; "" if it is here. Raises ModelError."""
    download = plan_download(describe(preferred))
    if not download.sources:
        return ""
    needed, free = (f"{size_bytes / 1e9:.1f} GB" for size_bytes in (download.needed_bytes, download.free_bytes))
    return (
        f"For your own media get models first: `pesearch models pull {preferred}` downloads {needed} into "
        f"{download.folder}, which has {free} free. Then reload this page."
    )


def _label(model_set: str) -> str:
    return f"{model_set}: {MODEL_SETS[model_set].summary}"
