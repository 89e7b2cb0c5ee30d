"""An indexing run as a page shows it: one for all pages of a server."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pesearch.app.escape import safe
from pesearch.app.index_job import IndexJob, Run
from pesearch.settings import expand_home


@st.cache_resource
def job(folder: Path) -> IndexJob:
    """The run of a library, shared by all pages."""
    return IndexJob(folder)


def chosen_path(written: str) -> Path | None:
    """The folder or file that was written down; tells where there is none."""
    if not written.strip():
        return None
    path = expand_home(written.strip())
    if path.exists():
        return path.absolute()
    st.error(safe(f"There is no {path}"))
    return None


def show_run(run: IndexJob) -> None:
    """How far the run is, each second while there is one; the page is laid out anew when it is over."""

    @st.fragment(run_every=1.0 if run.is_running else None)
    def shown() -> None:
        now = run.run
        if now is None:
            return
        if now.is_over:
            if st.session_state.pop("indexing", False):
                st.rerun()
            (st.error if now.error else st.success)(safe(f"{now.error or _told(now)}"))
            return
        st.session_state["indexing"] = True
        st.progress(now.share, text=safe(_told(now)))
        if st.button("Stop", icon=":material/stop:", help="What is finished stays; start again to go on"):
            run.stop()

    shown()


def _told(run: Run) -> str:
    failed = f", {run.failed} failed" if run.failed else ""
    return f"{run.doing}: {run.files} of {run.planned_files} files{failed}"
