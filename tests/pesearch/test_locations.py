"""Deleted files are distinguished from those on drives that are disconnected."""

from __future__ import annotations

from pathlib import Path

import pytest

from pesearch.locations import is_missing
from pesearch.volume import Volume


@pytest.mark.parametrize("name", ["deleted.wav", "deleted folder/a/film.wav", "other file/film.wav"])
def test_a_file_is_missing_only_while_its_drive_is_where_it_was(tmp_path: Path, name: str) -> None:
    (tmp_path / "here.wav").touch()
    (tmp_path / "other file").touch()
    device = tmp_path.stat().st_dev
    connected, disconnected = {device: Volume("drive", tmp_path)}, {device: Volume("system", Path("/"))}
    for at_mount_point in (tmp_path, tmp_path / "removed mount point"):
        assert is_missing(at_mount_point / name, "drive", connected)
        assert not is_missing(at_mount_point / name, "drive", disconnected)
        assert not is_missing(at_mount_point / name, "drive", {})
    assert not is_missing(tmp_path / "here.wav", "drive", connected)


def test_a_file_without_a_volume_is_missing_if_its_folder_is_there(tmp_path: Path) -> None:
    assert is_missing(tmp_path / "deleted.wav", "", {})
    assert not is_missing(tmp_path / "share/film.wav", "", {})
