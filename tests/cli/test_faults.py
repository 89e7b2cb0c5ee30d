"""A disk that fills up, one that cannot be written to, and a damaged library: one line each, and nothing is lost."""

from __future__ import annotations

import json
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from pesearch.store.doctor import examine
from pesearch.store.library import Library, open_library
from pesearch.types import SpaceName
from tests.cli.conftest import Run
from tests.cli.test_errors import one_line
from tests.small_disk import SmallDisk

pytestmark = pytest.mark.slow

FILES = 4
SECONDS = 20
RATE = 16_000


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Short noises, each another."""
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


def test_a_disk_that_fills_up_and_one_that_cannot_be_written_to(pesearch: Run, disk: SmallDisk, sounds: Path) -> None:
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
    heard = reader.vectors(1, SpaceName.AUDIO).vectors[:1]
    assert reader.search(SpaceName.AUDIO, heard, 1, frozenset({1}))[0][0].file_id == 1
    assert examine(library).damaged == ()
    assert f"files       {FILES} " in pesearch("status", "--library", library).stdout
    for command in (("index", sounds), ("gc",)):
        result = pesearch(*command, "--library", library)
        assert result.returncode == 2
        assert "Read-only" in one_line(result.stderr)


def test_a_disk_without_room_for_a_search_index(
    compressing: Run, disk: SmallDisk, sounds: Path, tmp_path: Path
) -> None:
    """Only the indexes lie on it: what was indexed is in the library, and the run went well but for a line."""
    disk.mount("remount,size=4k")
    library = tmp_path / "library"
    library.mkdir()
    (library / "indexes").symlink_to(disk.folder)
    full = compressing("index", sounds, "--model", "starter", "--library", library, "--json")
    assert full.returncode == 0, full.stderr
    told = [line for line in full.stderr.splitlines() if "No space left" in line]
    assert len(told) == 1 and "search index of audio could not be renewed" in told[0]
    assert json.loads(full.stdout)["troubles"] == told
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
    assert "mended   index    audio" in compressing("doctor", "--repair", "--library", library).stdout
    assert (disk.folder / "audio.index").exists()


def test_doctor_finds_and_mends(pesearch: Run, sample_library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shutil.copytree(sample_library.folder, folder)
    shard = next((folder / "vectors" / "audio").iterdir())
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 4
    shard.write_bytes(content)

    found = pesearch("doctor", "--library", folder)
    assert found.returncode == 2
    (broken,) = [line for line in found.stdout.splitlines() if line.startswith("broken")]
    assert shard.name in broken and "doctor --repair" in broken
    mended = pesearch("doctor", "--repair", "--library", folder)
    assert mended.returncode == 0, mended.stdout
    assert [line.split()[0] for line in mended.stdout.splitlines() if shard.name in line] == ["mended"]
    assert "index it again" in pesearch("status", "--library", folder).stdout

    (folder / "library.duckdb").write_bytes(b"garbage")
    assert "doctor --repair" in one_line(pesearch("status", "--library", folder).stderr)
