"""The page of the library: what is indexed, away and failed, and why; and an indexing run."""

from __future__ import annotations

import subprocess
import sys

import streamlit as st

from pesearch.app.escape import printable, safe
from pesearch.app.index_job import IndexJob
from pesearch.app.indexing import chosen_path, job, show_run
from pesearch.app.server_state import library, models
from pesearch.errors import PesearchError
from pesearch.indexer.volumes import offline
from pesearch.store.library import Library
from pesearch.store.status import LibraryStatus

ROWS_SHOWN = 2000
"""So many files are listed: the table is for looking, the terminal for lists."""


def library_page() -> None:
    """Lay out the page."""
    try:
        pinned = library().pinned()
        status = pinned.status()
        _show_numbers(status)
        _show_indexing(job(pinned.folder))
        _show_failures(pinned)
        _show_away(pinned)
        _show_files(pinned)
        _show_about(pinned, status)
    except PesearchError as error:
        st.error(safe(str(error)))


def _show_numbers(status: LibraryStatus) -> None:
    numbers = (
        ("Files", f"{status.files}"),
        ("Hours", f"{status.hours:.2f}"),
        ("Moments to search", f"{sum(status.vectors.values())}"),
        ("Failed", f"{status.failures}"),
        ("On disk", f"{status.size_bytes / 1e6:.1f} MB"),
    )
    with st.container(horizontal=True):
        for name, value in numbers:
            st.metric(name, value, border=True)


def _show_indexing(run: IndexJob) -> None:
    st.subheader("Index a folder", anchor=False)
    with st.form("index", border=False):
        path = st.text_input("Folder or file on this machine", key="index-path", placeholder="/home/me/videos")
        retry = st.checkbox("Try files again that failed before")
        wanted = st.form_submit_button("Index", icon=":material/play_arrow:")
    if wanted and (chosen := chosen_path(path)):
        run.start([chosen], retry)
    show_run(run)


def _show_failures(pinned: Library) -> None:
    failures = pinned.failures()
    if failures:
        st.subheader("Failed", anchor=False)
        st.dataframe(
            [{"file": printable(str(each.location.path)), "reason": printable(each.reason)} for each in failures],
            hide_index=True,
        )


def _show_away(pinned: Library) -> None:
    away = offline(pinned)
    if away:
        st.subheader("Away", anchor=False)
        st.dataframe(
            [
                {
                    "drive last seen at": printable(str(each.last_seen)),
                    "files": each.files,
                    "now at": printable(str(each.now_at or "")),
                }
                for each in away
            ],
            hide_index=True,
        )


def _show_files(pinned: Library) -> None:
    files = pinned.files()
    st.subheader("Files", anchor=False)
    st.dataframe(
        [
            {
                "file": printable(str(file.path)),
                "kind": str(file.info.kind),
                "seconds": round(file.info.duration_seconds, 1),
                "places": len(file.locations),
            }
            for file in files[:ROWS_SHOWN]
        ],
        hide_index=True,
    )
    if len(files) > ROWS_SHOWN:
        st.caption(f"The first {ROWS_SHOWN} of {len(files)} files.")


def _show_about(pinned: Library, status: LibraryStatus) -> None:
    st.subheader("Models and machine", anchor=False)
    st.text(f"library: {printable(str(pinned.folder))}, generation {status.generation}, models: {status.model_set}")
    if notice := models().notice:
        st.info(safe(notice))
    for space in pinned.spaces:
        st.text(f"{space.name}: {space.model} @ {space.revision[:12]}, {status.policies[space.name]}")
    if st.button("Check all of it", help="As `pesearch doctor`: reads every file of the library"):
        _check(pinned)


def _check(pinned: Library) -> None:
    """Run `pesearch doctor` and show each line of it as it comes."""
    doctor = [sys.executable, "-u", "-m", "pesearch", "doctor", "--library", str(pinned.folder)]
    lines, shown = "", st.empty()
    with (
        st.spinner("Checking", show_time=True),
        subprocess.Popen(
            doctor, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as checking,
    ):
        assert checking.stdout is not None
        try:
            for line in checking.stdout:
                lines += line
                shown.code(lines, language=None)
        finally:
            checking.kill()  # where the page was left: else it is over
