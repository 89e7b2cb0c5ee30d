"""A disk that is full or read-only: one line on stderr, and nothing that was committed is lost."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from pesearch.store.doctor import examine
from pesearch.store.library import open_library
from pesearch.types import SpaceName
from tests.cli.conftest import Run, one_line
from tests.small_disk import SmallDisk

pytestmark = pytest.mark.slow

FILES = 4
SECONDS = 8
RATE = 16_000


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """FILES different noises of SECONDS each."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    for number in range(FILES):
        noise = np.random.default_rng(number).integers(-3000, 3000, SECONDS * RATE, dtype=np.int16)
        with wave.open(str(folder / f"{number}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(noise.tobytes())
    return folder


def test_full_and_read_only_disk(pesearch: Run, disk: SmallDisk, sounds: Path) -> None:
    library = disk.folder / "library"
    first = pesearch("index", sounds / "0.wav", "--model", "starter", "--library", library)
    assert first.returncode == 0, first.stderr
    disk.mount(f"remount,size={disk.used_bytes + 40_000}")

    full = pesearch("index", sounds, "--library", library)
    assert full.returncode == 2
    assert "No space left" in one_line(full.stderr)
    kept = [file.path.name for file in open_library(library).files()]
    assert "0.wav" in kept and len(kept) < FILES
    assert examine(library).damaged == ()

    disk.mount("remount,size=64m")
    rest = pesearch("index", sounds, "--library", library, "--json")
    assert rest.returncode == 0, rest.stderr
    assert json.loads(rest.stdout)["indexed"] == FILES - len(kept)
    assert {file.path.name for file in open_library(library).files()} == {f"{number}.wav" for number in range(FILES)}

    disk.mount("remount,ro")
    reader = open_library(library)
    audio = reader.vectors(1, SpaceName.AUDIO).vectors[:1]
    assert reader.search(SpaceName.AUDIO, audio, 1, frozenset({1}))[0][0].file_id == 1
    assert examine(library).damaged == ()
    assert f"files       {FILES} " in pesearch("status", "--library", library).stdout
    for command in (("index", sounds), ("gc",)):
        result = pesearch(*command, "--library", library)
        assert result.returncode == 2
        assert "Read-only" in one_line(result.stderr)


def test_no_space_for_a_search_index(compressing: Run, disk: SmallDisk, sounds: Path, tmp_path: Path) -> None:
    """Only the indexes are on the full disk: the files are indexed, and the run succeeds with a warning."""
    disk.mount("remount,size=4k")
    library = tmp_path / "library"
    library.mkdir()
    (library / "indexes").symlink_to(disk.folder)
    full = compressing("index", sounds, "--model", "starter", "--library", library, "--json")
    assert full.returncode == 0, full.stderr
    warnings = [line for line in full.stderr.splitlines() if "No space left" in line]
    assert len(warnings) == 1 and "search index of audio could not be updated" in warnings[0]
    assert json.loads(full.stdout)["troubles"] == warnings
    assert len(open_library(library).files()) == FILES
    assert not any(disk.folder.iterdir())

    status = compressing("status", "--library", library)
    assert "exact from disk, slow: `pesearch gc`" in status.stdout
    disk.mount("remount,ro")
    refused = compressing("gc", "--library", library)
    assert refused.returncode == 0
    assert len([line for line in refused.stderr.splitlines() if "Read-only" in line]) == 1

    disk.mount("remount,rw,size=64m")
    assert "search index built: audio" in compressing("gc", "--library", library).stderr
    (disk.folder / "audio.index").unlink()
    assert "repaired index    audio" in compressing("doctor", "--repair", "--library", library).stdout
    assert (disk.folder / "audio.index").exists()
