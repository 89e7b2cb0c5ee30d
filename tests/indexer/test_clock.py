"""Implausible times: files from the future or from before 1970, and a clock that was set back or forward."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.search.query.file_filter import FileFilter
from pesearch.store.library import Library, open_library
from tests.indexer.runs import names_by_kind, run
from tests.indexer.test_reconcile import stills

Sample = Callable[[str], Path]

YEAR_NS = 365 * 86_400 * 10**9


@pytest.mark.parametrize("years", [-60, -1, 0, 80, 400], ids=lambda years: f"{1970 + years}")
def test_a_file_of_any_date_is_indexed_once_and_filtered_by_date(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, years: int
) -> None:
    """400 years overflow 64 bits of nanoseconds: such a time is stored as the largest value."""
    media = stills(tmp_path / "media", sample, "a.png", "b.png")
    os.utime(media / "a.png", ns=(0, years * YEAR_NS))
    if (media / "a.png").stat().st_mtime_ns != years * YEAR_NS:
        pytest.skip("this file system keeps no such time")
    run(media, library, models)
    assert names_by_kind(run(media, library, models)) == {"Unchanged": ["a.png", "b.png"]}
    (odd,) = (file for file in library.files() if file.path.name == "a.png")
    assert FileFilter(after=datetime(2035, 1, 1), by_file_time=True).keeps(odd) == (years > 65)
    assert FileFilter(before=datetime(1970, 1, 1), by_file_time=True).keeps(odd) == (years < 0)
    assert FileFilter(before=datetime(9999, 1, 1)).keeps(odd) == (years < 0)  # else zero, or the future: no date


@pytest.mark.parametrize("step_ns", [-5 * YEAR_NS, 5 * YEAR_NS])
def test_a_file_whose_time_jumps_is_opened_again(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, step_ns: int
) -> None:
    """Back as well as forward: a different time counts, not a later one."""
    media = stills(tmp_path / "media", sample, "a.png", "b.png")
    run(media, library, models)
    path, was = media / "a.png", (media / "a.png").stat().st_mtime_ns
    path.write_bytes(sample("cover.png").read_bytes() + b"\xff")  # another content of the same size
    os.utime(path, ns=(was + step_ns, was + step_ns))
    os.utime(media / "b.png", ns=(was + step_ns, was + step_ns))
    assert names_by_kind(run(media, library, models)) == {"Indexed": ["a.png"], "Unchanged": ["b.png"]}
    assert names_by_kind(run(media, library, models)) == {"Unchanged": ["a.png", "b.png"]}


@pytest.mark.parametrize("step_ns", [-40 * YEAR_NS, 40 * YEAR_NS])
def test_a_library_written_while_the_clock_was_wrong_stays_usable(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, step_ns: int
) -> None:
    """Its lock, generation file, shards and catalogue have wrong times, and a dead writer has left its lock file."""
    media = stills(tmp_path / "media", sample, "a.png")
    run(media, library, models)
    (library.folder / "writer.lock").write_text("Process 4194304 on elsewhere\n")
    for path in library.folder.rglob("*"):
        status = path.stat()
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + step_ns))
    before, reopened = library, open_library(library.folder)
    shutil.copy(media / "a.png", media / "copy.png")
    stills(media, sample, "b.png")
    (media / "b.png").write_bytes(sample("cover.png").read_bytes() + b"b")
    outcomes = run(media, reopened, models)
    assert names_by_kind(outcomes) == {"Unchanged": ["a.png"], "Relocated": ["copy.png"], "Indexed": ["b.png"]}
    assert before.generation() == reopened.generation() > 0
    assert before.files() == reopened.files() == open_library(library.folder).files()
    with reopened.writer() as writer:
        assert writer.sweep() == 0
