"""An indexing run as a page shows it; all pages of a server share one."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pesearch.app.escape import escape_markdown
from pesearch.app.index_job import IndexJob, IndexProgress
from pesearch.settings import expand_home


@st.cache_resource
def shared_job(library: Path) -> IndexJob:
    """The indexing job of a library, shared by all pages."""
    return IndexJob(library)


def existing_path(text: str) -> Path | None:
    """The absolute path that was typed; None, with an error on the page, when it does not exist."""
    if not text.strip():
        return None
    path = expand_home(text.strip())
    if path.exists():
        return path.absolute()
    st.error(escape_markdown(f"No such file or folder: {path}"))
    return None


def show_progress(job: IndexJob) -> None:
    """Show the progress of a run, updated twice a second; the whole page reruns at its end."""

    @st.fragment(run_every=0.5 if job.is_running else None)
    def fragment() -> None:
        progress = job.progress
        if progress is None:
            return
        if progress.is_over:
            if st.session_state.pop("indexing", False):
                st.rerun()
            (st.error if progress.error else st.success)(escape_markdown(progress.error or _summary(progress)))
            return
        st.session_state["indexing"] = True
        st.progress(progress.fraction, text=escape_markdown(_summary(progress)))
        if st.button("Stop", icon=":material/stop:", help="Indexed files stay; the next run continues from there"):
            job.stop()

    fragment()


def _summary(progress: IndexProgress) -> str:
    failed = f", {progress.failed} failed" if progress.failed else ""
    remarked = f", {progress.remarked} with remarks" if progress.remarked else ""
    return f"{progress.stage}: {progress.files} of {progress.planned_files} files{failed}{remarked}"
