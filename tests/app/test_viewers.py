"""Viewers of a read-only server name files of the library only."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pesearch.app import server_state, viewers
from pesearch.app.viewers import ensure_library_examples
from pesearch.errors import MediaError, QueryError
from pesearch.media.verified_file import OpenFile, open_indexed
from pesearch.store.library import Library
from pesearch.types import MediaFile


@pytest.mark.parametrize(
    "query",
    [
        'file:"/etc/passwd"', 'file:"/nowhere"', 'NOT file:"/etc/passwd" dog', 'a THEN (b OR file:"/etc/passwd")',
        'seen:(dog file:"/etc/passwd"@1-2)', "./bell.mp4", 'file:"{folder}/../{name}/bell.mp4"',
    ],
)  # fmt: skip
def test_other_paths_are_refused_and_never_opened(
    page_library: Library, page_media: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(viewers, "open_indexed", lambda file: pytest.fail(f"opened {file}"))
    with pytest.raises(QueryError, match="is not a file of this library"):
        ensure_library_examples(query.format(folder=page_media, name=page_media.name), page_library)


def test_files_of_the_library_are_examples(
    page_library: Library, page_media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[MediaFile] = []

    def open_counted(file: MediaFile) -> OpenFile:
        opened.append(file)
        return open_indexed(file)

    monkeypatch.setattr(viewers, "open_indexed", open_counted)
    ensure_library_examples("dog AND rain", page_library)
    assert opened == []
    ensure_library_examples(f'file:"{page_media}/bell.mp4"@1-2 -dog', page_library)
    assert [file.path.name for file in opened] == ["bell.mp4"]
    with pytest.raises(QueryError):
        ensure_library_examples(f'file:"{page_media}/damaged.mp4"', page_library)


@pytest.fixture
def bare_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a page in this process. Streamlit puts the page in the place of `__main__`, which the processes that later
    tests start would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.mark.usefixtures("bare_page")
@pytest.mark.parametrize("is_read_only", [False, True])
def test_viewers_cannot_index_or_check_the_library(
    page_library: Library, monkeypatch: pytest.MonkeyPatch, is_read_only: bool
) -> None:
    monkeypatch.setenv("PESEARCH_LIBRARY", str(page_library.folder))
    monkeypatch.setattr(server_state, "_is_read_only", is_read_only)
    page = AppTest.from_string("from pesearch.app.library_page import library_page\nlibrary_page()").run(timeout=60)
    assert not page.exception
    assert [metric.label for metric in page.metric][:2] == ["Files", "Length"]
    assert [each.label for each in page.text_input] == ([] if is_read_only else ["Folder or file on this machine"])
    assert [each.label for each in page.button] == ([] if is_read_only else ["Index", "Check library"])


@pytest.mark.usefixtures("bare_page")
@pytest.mark.parametrize("is_read_only", [False, True])
def test_viewers_cannot_search_with_other_files(
    page_library: Library, monkeypatch: pytest.MonkeyPatch, is_read_only: bool
) -> None:
    """Others learn whether the file exists."""
    monkeypatch.setenv("PESEARCH_LIBRARY", str(page_library.folder))
    monkeypatch.setattr(server_state, "_is_read_only", is_read_only)
    monkeypatch.setattr("pesearch.app.search_page.preload_models", lambda: None)
    page = AppTest.from_string("from pesearch.app.search_page import search_page\nsearch_page()")
    page.query_params["text"] = 'file:"/nowhere.mp4"'
    (error,) = page.run(timeout=60).error
    assert ("is not a file of this library" in error.value) is is_read_only
    assert ("no such file" in error.value) is not is_read_only


def test_a_changed_file_is_no_example(page_library: Library, page_media: Path) -> None:
    path = page_media / "dog_bark.mp4"
    moved = path.rename(path.with_suffix(".moved"))
    try:
        path.symlink_to("/etc/passwd")
        with pytest.raises(MediaError, match="changed"):
            ensure_library_examples(f'file:"{path}"', page_library)
    finally:
        path.unlink()
        moved.rename(path)
