"""The library page: indexed, failed and offline files, remarks, indexing, and the check of the library."""

from __future__ import annotations

import subprocess
import sys

import streamlit as st

from pesearch.app.escape import escape_markdown, printable
from pesearch.app.index_job import IndexJob
from pesearch.app.indexing import existing_path, shared_job, show_progress
from pesearch.app.server_state import is_read_only, library, models
from pesearch.errors import PesearchError
from pesearch.formatting import format_length, format_remark
from pesearch.indexer.absences import current_absences
from pesearch.indexer.volumes import offline
from pesearch.store.library import Library
from pesearch.store.status import LibraryStatus

MAX_ROWS = 2000
"""Files in the table; complete lists are for the terminal."""


def library_page() -> None:
    """Lay out the page."""
    try:
        pinned = library().pinned()
        status = pinned.status()
        _show_numbers(status)
        if not is_read_only():
            _show_indexing(shared_job(pinned.folder))
        _show_failures(pinned)
        _show_damage(pinned)
        _show_remarks(pinned)
        _show_offline(pinned)
        _show_absences(pinned)
        _show_files(pinned)
        _show_about(pinned, status)
    except PesearchError as error:
        st.error(escape_markdown(str(error)))


def _show_numbers(status: LibraryStatus) -> None:
    numbers = (
        ("Files", f"{status.files}"),
        ("Length", format_length(status.hours * 3600)),
        ("Vectors", f"{sum(status.vectors.values())}"),
        ("Failed", f"{status.failures}"),
        ("Remarks", f"{status.remarks}"),
        ("On disk", f"{status.size_bytes / 1e6:.1f} MB"),
    )
    with st.container(horizontal=True):
        for name, value in numbers:
            st.metric(name, value, border=True)


def _show_indexing(job: IndexJob) -> None:
    st.subheader("Add files", anchor=False)
    with st.form("index", border=False):
        text = st.text_input("Folder or file on this machine", key="index-path", placeholder="/home/me/videos")
        retry_failed = st.checkbox("Retry files that failed before")
        submitted = st.form_submit_button("Index", icon=":material/play_arrow:")
    if submitted and (path := existing_path(text)):
        job.start([path], retry_failed)
    show_progress(job)


def _show_failures(pinned: Library) -> None:
    failures = pinned.failures()
    if failures:
        st.subheader("Failed files", anchor=False)
        st.dataframe(
            [
                {"file": printable(str(failure.location.path)), "reason": printable(failure.reason)}
                for failure in failures
            ],
            hide_index=True,
        )


def _show_damage(pinned: Library) -> None:
    damaged = pinned.damage()
    if damaged:
        st.subheader("Damaged on disk", anchor=False)
        st.dataframe(
            [
                {"file": printable(str(file.path)), "damage": str(file), "reason": printable(file.reason)}
                for file in damaged[:MAX_ROWS]
            ],
            hide_index=True,
        )


def _show_remarks(pinned: Library) -> None:
    files = pinned.files_with_remarks()
    if files:
        st.subheader("Not searched, or guessed", anchor=False)
        st.dataframe(
            [
                {"file": printable(str(file.path)), "remark": format_remark(remark)}
                for file in files[:MAX_ROWS]
                for remark in file.remarks
            ],
            hide_index=True,
        )
        if len(files) > MAX_ROWS:
            st.caption(f"First {MAX_ROWS} of {len(files)} files")


def _show_absences(pinned: Library) -> None:
    absences = list(current_absences(pinned).items())
    if absences:
        st.subheader("Deleted or excluded files", anchor=False)
        st.caption("They stay searchable: `pesearch remove --missing` or `--excluded` removes them.")
        st.dataframe(
            [{"file": printable(str(path)), "state": reason.value} for path, reason in absences[:MAX_ROWS]],
            hide_index=True,
        )
        if len(absences) > MAX_ROWS:
            st.caption(f"First {MAX_ROWS} of {len(absences)} files")


def _show_offline(pinned: Library) -> None:
    volumes = offline(pinned)
    if volumes:
        st.subheader("Offline drives", anchor=False)
        st.dataframe(
            [
                {
                    "drive last seen at": printable(str(volume.last_seen)),
                    "files": volume.files,
                    "now at": printable(str(volume.now_at or "")),
                }
                for volume in volumes
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
                "copies": len(file.locations),
            }
            for file in files[:MAX_ROWS]
        ],
        hide_index=True,
    )
    if len(files) > MAX_ROWS:
        st.caption(f"First {MAX_ROWS} of {len(files)} files")


def _show_about(pinned: Library, status: LibraryStatus) -> None:
    st.subheader("Models and storage", anchor=False)
    st.text(f"library: {printable(str(pinned.folder))}, generation {status.generation}, models: {status.model_set}")
    if notice := models().notice:
        st.info(escape_markdown(notice))
    for space in pinned.spaces:
        st.text(f"{space.name}: {space.model} @ {space.revision[:12]}, {status.policies[space.name]}")
    if not is_read_only() and st.button(
        "Check library", help="Reads and verifies every file of the library, like `pesearch doctor`"
    ):
        _check(pinned)


def _check(pinned: Library) -> None:
    """Run `pesearch doctor` and show its output line by line."""
    doctor = [sys.executable, "-u", "-m", "pesearch", "doctor", "--library", str(pinned.folder)]
    output, shown = "", st.empty()
    with (
        st.spinner("Checking", show_time=True),
        subprocess.Popen(
            doctor, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                output += line
                shown.code(output, language=None)
        finally:
            process.kill()  # still running when the user left the page
