"""`pesearch status` and `pesearch doctor`, of a library that is whole and of one that is damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pesearch.store.library import Library
from tests.cli.conftest import Run, one_line

pytestmark = pytest.mark.slow


def test_status_counts_files_and_vectors(pesearch: Run, sample_library: Library, sample_media: Path) -> None:
    clips = json.loads((sample_media / "truths.json").read_text())["clips"]
    status = json.loads(pesearch("status", "--library", sample_library.folder, "--json").stdout)
    assert sum(status["files"].values()) == len(clips)
    assert set(status["vectors"]) == {"frame", "video", "audio", "audio_video"}
    assert {space: policy["memory_rows"] for space, policy in status["search"].items()} == status["vectors"]
    text = pesearch("status", "--library", sample_library.folder).stdout
    assert f"frame: {status['vectors']['frame']} exact in memory" in text
    assert f"cues        {status['cues']}\n" in text


def test_doctor_checks_the_machine_and_the_library(pesearch: Run, sample_library: Library) -> None:
    doctor = pesearch("doctor", "--library", sample_library.folder)
    assert doctor.returncode == 0, doctor.stdout
    results = {tuple(line.split()[:2]) for line in doctor.stdout.splitlines()}
    subjects = ("python", "ffmpeg", "device", "faiss", "library", "shards", "sharing")
    assert results >= {("ok", subject) for subject in subjects}
    assert "one audio codec for windows and events" in doctor.stdout
    assert not results & {("damaged", "library"), ("damaged", "shard")}


def test_doctor_without_a_library_names_the_command_that_creates_one(pesearch: Run, tmp_path: Path) -> None:
    doctor = pesearch("doctor", "--library", tmp_path / "none")
    assert doctor.returncode == 0
    assert "pesearch index PATH" in next(line for line in doctor.stdout.splitlines() if line.startswith("none"))


def test_doctor_finds_damage_and_repairs_it(pesearch: Run, sample_library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shutil.copytree(sample_library.folder, folder)
    shard = next((folder / "vectors" / "audio").iterdir())
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 4
    shard.write_bytes(content)

    found = pesearch("doctor", "--library", folder)
    assert found.returncode == 2
    (damaged,) = [line for line in found.stdout.splitlines() if line.startswith("damaged")]
    assert shard.name in damaged and "doctor --repair" in damaged
    repaired = pesearch("doctor", "--repair", "--library", folder)
    assert repaired.returncode == 0, repaired.stdout
    assert [line.split()[0] for line in repaired.stdout.splitlines() if shard.name in line] == ["repaired"]
    assert "index it again" in pesearch("status", "--library", folder).stdout

    (folder / "library.duckdb").write_bytes(b"garbage")
    assert "doctor --repair" in one_line(pesearch("status", "--library", folder).stderr)
