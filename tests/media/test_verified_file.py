"""Files that are opened once, compared with what was indexed, and read through that descriptor."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pesearch.errors import MediaError
from pesearch.locations import Location
from pesearch.media import verified_file
from pesearch.media.fingerprint import fingerprint, has_fingerprint
from pesearch.media.proxy import render_waveform
from pesearch.media.verified_file import CHANGED, indexed_path, open_indexed, open_regular
from pesearch.types import AudioStream, MediaFile, MediaInfo, MediaKind
from pesearch.volume import Volume

INFO = MediaInfo(MediaKind.AUDIO, 1.0, None, AudioStream("pcm_s16le", 48_000, 1))


def indexed(*paths: Path, with_inodes: bool = True) -> MediaFile:
    volumes = {path.stat().st_dev: Volume("drive", path.parent) for path in paths} if with_inodes else {}
    return MediaFile(1, fingerprint(paths[0]).digest, INFO, tuple(Location.of_file(path, volumes) for path in paths))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"indexed")
    return path


def disguise(path: Path, as_path: Path) -> None:
    """Give a file the times of another."""
    status = as_path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_an_unchanged_file_costs_no_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = indexed(path)
    monkeypatch.setattr(verified_file, "has_fingerprint", lambda *_: pytest.fail("read"))
    with open_indexed(file) as opened:
        assert os.pread(opened.descriptor, 100, 0) == b"indexed"


@pytest.mark.parametrize("with_inodes", [True, False])
def test_a_link_to_a_private_file_of_the_same_size_and_time_is_refused(path: Path, with_inodes: bool) -> None:
    file, private = indexed(path, with_inodes=with_inodes), path.with_name("private")
    private.write_bytes(b"private")
    disguise(private, path)
    path.unlink()
    path.symlink_to(private)
    with pytest.raises(MediaError, match=CHANGED):
        open_indexed(file)


def test_a_private_file_with_the_indexed_inode_is_refused(path: Path) -> None:
    """An attacker can choose a file on another volume whose inode has the same number."""
    private = path.with_name("private")
    private.write_bytes(b"private")
    disguise(private, path)
    file = indexed(path)
    file = replace(file, locations=(replace(file.locations[0], inode=private.stat().st_ino),))
    path.unlink()
    path.symlink_to(private)
    with pytest.raises(MediaError, match=CHANGED):
        open_indexed(file)


def test_the_content_is_compared_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = indexed(path, with_inodes=False)
    compared: list[Path] = []

    def compare(each: Path, digest: str) -> bool:
        compared.append(each)
        return has_fingerprint(each, digest)

    monkeypatch.setattr(verified_file, "has_fingerprint", compare)
    for _ in range(3):
        open_indexed(file).close()
    assert len(compared) == 1
    path.write_bytes(b"rewrite")
    with pytest.raises(MediaError, match=CHANGED):
        open_indexed(file)


def test_another_location_stands_in_for_one_that_changed(path: Path) -> None:
    other = path.with_name("copy.mp4")
    other.write_bytes(b"indexed")
    file = indexed(path, other)
    path.write_bytes(b"changed")
    with open_indexed(file) as opened:
        assert opened.path == other
    other.unlink()
    with pytest.raises(MediaError, match=CHANGED):
        open_indexed(file)
    path.unlink()
    with pytest.raises(MediaError, match="no such file"):
        open_indexed(file)


@pytest.mark.parametrize("special", ["/dev/zero", "fifo", "folder", "missing"])
def test_only_regular_files_are_opened(tmp_path: Path, special: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    with pytest.raises(MediaError, match=r"not a regular file|no such file"):
        open_regular(tmp_path / special)


def test_a_link_swapped_in_later_is_not_followed(path: Path) -> None:
    """The name that FFmpeg gets leads to the open file; it is the same each time, so that its probe is found again."""
    file, private = indexed(path), path.with_name("private")
    private.write_bytes(b"private")
    with indexed_path(file) as first:
        path.unlink()
        path.symlink_to(private)
        assert first.read_bytes() == b"indexed"
        assert (first.suffix, first.parent.stat().st_mode & 0o777) == (".mp4", 0o700)
    assert not first.is_symlink()


def test_threads_share_the_link_to_a_file(path: Path) -> None:
    file = indexed(path)
    with indexed_path(file) as first:
        with indexed_path(file) as second:
            assert second == first
        assert first.read_bytes() == b"indexed"
    with indexed_path(file) as third:
        assert third == first
    assert not first.is_symlink()


def test_ffmpeg_reads_the_link(sample_media: Path) -> None:
    with indexed_path(indexed(sample_media / "siren_alone.wav")) as path:
        assert render_waveform(path, 0.0, 1.0).startswith(b"\x89PNG")
