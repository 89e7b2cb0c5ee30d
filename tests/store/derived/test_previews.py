"""Preview pictures: the nearest is found, damaged ones are ignored, and they are removed with their content."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.store.derived.lru_folder import PROXY_FOLDER, THUMBNAIL_FOLDER
from pesearch.store.derived.previews import PREVIEW_FOLDER, Preview, keep_previews, nearest_preview, sweep_previews
from tests.small_disk import SmallDisk


@given(times=st.sets(st.integers(0, 10**7), min_size=1, max_size=30), asked_ms=st.integers(-1000, 10**7 + 1000))
def test_nearest_preview_is_found(times: set[int], asked_ms: int) -> None:
    with TemporaryDirectory() as folder:
        keep_previews(Path(folder), "content", [Preview(at / 1000, b"%d" % at) for at in sorted(times)])
        found = nearest_preview(Path(folder), "content", asked_ms / 1000)
    assert found is not None
    assert abs(int(found) - asked_ms) == min(abs(at - asked_ms) for at in times)


def test_new_previews_replace_old_ones(tmp_path: Path) -> None:
    keep_previews(tmp_path, "content", [Preview(0.0, b"before")])
    keep_previews(tmp_path, "content", [Preview(0.0, b"now")])
    keep_previews(tmp_path, "sound", [])
    assert nearest_preview(tmp_path, "content", 5.0) == b"now"
    assert nearest_preview(tmp_path, "sound", 5.0) is None
    assert [path.name for path in (tmp_path / PREVIEW_FOLDER).glob("*/*")] == ["content.zip"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(60)])
def test_damaged_previews_are_ignored(tmp_path: Path, content: bytes) -> None:
    keep_previews(tmp_path, "content", [Preview(0.0, b"picture")])
    (path,) = (tmp_path / PREVIEW_FOLDER).glob("*/*")
    path.write_bytes(content)
    assert nearest_preview(tmp_path, "content", 0.0) is None
    path.write_bytes(content)
    keep_previews(tmp_path, "content", [Preview(0.0, b"again")])
    assert nearest_preview(tmp_path, "content", 0.0) == b"again"


def test_flipped_bit_is_detected(tmp_path: Path) -> None:
    keep_previews(tmp_path, "content", [Preview(0.0, bytes(1000))])
    (path,) = (tmp_path / PREVIEW_FOLDER).glob("*/*")
    held = bytearray(path.read_bytes())
    held[500] ^= 1
    path.write_bytes(held)
    assert nearest_preview(tmp_path, "content", 0.0) is None


def test_full_disk_is_no_error_and_keeps_old_previews(disk: SmallDisk) -> None:
    keep_previews(disk.folder, "content", [Preview(0.0, b"picture")])
    keep_previews(disk.folder, "content", [Preview(0.0, bytes(100 << 20))])
    assert nearest_preview(disk.folder, "content", 0.0) == b"picture"
    assert len([*(disk.folder / PREVIEW_FOLDER).glob("*/*")]) == 1


def test_folder_that_cannot_be_created_is_no_error(tmp_path: Path) -> None:
    (tmp_path / PREVIEW_FOLDER).write_text("a file where the folder would be")
    keep_previews(tmp_path, "content", [Preview(0.0, b"picture")])
    assert nearest_preview(tmp_path, "content", 0.0) is None


def test_previews_of_removed_contents_are_swept(tmp_path: Path) -> None:
    stays, goes = "a" * 40, "b" * 40
    for content in (stays, goes):
        keep_previews(tmp_path, content, [Preview(0.0, bytes(100))])
        for folder, name in ((THUMBNAIL_FOLDER, f"{content}-0-320.jpg"), (PROXY_FOLDER, f"{content}-0-1000.mp4")):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / name).write_bytes(bytes(100))
    (tmp_path / THUMBNAIL_FOLDER / ".begun-by-a-page").write_bytes(bytes(100))
    (tmp_path / PREVIEW_FOLDER / "aa" / f"{stays}.zip.123.new").write_bytes(bytes(100))
    (tmp_path / PREVIEW_FOLDER / "aa" / f".{'0' * 32}.part").write_bytes(bytes(100))
    others = {"thesis.tex", "holiday.zip"}  # a folder may be a link to the user's own
    for folder in (THUMBNAIL_FOLDER, PROXY_FOLDER, f"{PREVIEW_FOLDER}/x"):
        for name in others:
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / name).write_bytes(b"years of work")
    assert sweep_previews(tmp_path, {stays}) > 300
    assert {path.name for path in tmp_path.rglob("*.*")} == {
        *(f"{stays}.zip", f"{stays}-0-320.jpg", f"{stays}-0-1000.mp4", ".begun-by-a-page"),
        *others,
    }
