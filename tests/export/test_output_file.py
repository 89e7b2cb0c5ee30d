"""Where documents are written: files, the targets of links, FIFOs and devices."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pesearch.errors import ExportError
from pesearch.export.formats import ExportFormat
from pesearch.export.output_file import new_name, write_document


def test_a_document_replaces_only_files_of_its_format(tmp_path: Path) -> None:
    list_, film = tmp_path / "cuts.csv", tmp_path / "film.mp4"
    for path in (list_, film):
        path.write_text("old")
    write_document(b"new", list_, ExportFormat.CSV)
    assert list_.read_text() == "new"
    with pytest.raises(ExportError, match=r"film\.mp4 already exists"):
        write_document(b"new", film, ExportFormat.CSV)
    assert film.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_new_name_is_reserved_until_the_file_is_there(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with pytest.raises(KeyboardInterrupt), new_name(clip):
        assert clip.exists()
        raise KeyboardInterrupt
    assert not clip.exists()
    with new_name(clip):
        clip.write_text("mine")
    with pytest.raises(ExportError, match=r"clip\.mp4 already exists"), new_name(clip):
        raise AssertionError
    assert clip.read_text() == "mine"


@pytest.mark.parametrize("exists", [True, False])
def test_the_target_of_a_link_is_written(tmp_path: Path, exists: bool) -> None:
    (tmp_path / "project").mkdir()
    target, link = tmp_path / "project" / "list.csv", tmp_path / "cuts.csv"
    link.symlink_to(target)
    if exists:
        target.write_text("old")
    write_document(b"new", link, ExportFormat.CSV)
    assert link.is_symlink() and target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_link_to_a_file_of_another_format_is_not_followed(tmp_path: Path) -> None:
    film, link = tmp_path / "film.mp4", tmp_path / "cuts.csv"
    film.write_text("old")
    link.symlink_to(film)
    with pytest.raises(ExportError, match=r"film\.mp4 already exists"):
        write_document(b"new", link, ExportFormat.CSV)
    assert link.is_symlink() and film.read_text() == "old"


@pytest.mark.parametrize("name", ["cuts.csv", "pipe"])
def test_a_fifo_is_written_to(tmp_path: Path, name: str) -> None:
    fifo = tmp_path / name
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)  # so that the writer need not wait
    try:
        write_document(b"new", fifo, ExportFormat.CSV)
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)
    assert fifo.is_fifo()
