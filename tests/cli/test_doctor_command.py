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
    subjects = ("python", "ffmpeg", "device", "faiss", "library", "shards", "sharing", "queries")
    assert results >= {("ok", subject) for subject in subjects}
    assert "one audio codec for windows and events" in doctor.stdout
    assert "texts are encoded without torch" in doctor.stdout
    assert not results & {("damaged", "library"), ("damaged", "shard")}


def test_doctor_without_a_library_names_the_command_that_creates_one(pesearch: Run, tmp_path: Path) -> None:
    doctor = pesearch("doctor", "--library", tmp_path / "none")
    assert doctor.returncode == 0
    assert "pesearch index PATH" in next(line for line in doctor.stdout.splitlines() if line.startswith("none"))


def test_doctor_finds_damage_and_repairs_it(pesearch: Run, sample_library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shutil.copytree(sample_library.folder, folder)
    shard = next((folder / "vectors" / "audio").iterdir())
    whole = shard.read_bytes()
    content = bytearray(whole)
    for at in range(len(content) // 4, 3 * len(content) // 4, 16):  # more than parity can restore
        content[at] ^= 4
    shard.write_bytes(content)

    found = pesearch("doctor", "--library", folder)
    assert found.returncode == 2
    (damaged,) = [line for line in found.stdout.splitlines() if line.startswith("damaged")]
    assert shard.name in damaged and "doctor --repair" in damaged
    repaired = pesearch("doctor", "--repair", "--library", folder)
    assert repaired.returncode == 0, repaired.stdout
    assert [line.split()[0] for line in repaired.stdout.splitlines() if shard.name in line] == ["repaired"]
    status = pesearch("status", "--library", folder).stdout
    assert "index it again" in status and "\ndamaged-1 " in status
    (folder / "damaged-2").mkdir()
    (folder / "damaged-3").mkdir()
    (folder / "damaged-3" / "library.duckdb.wal").write_bytes(b"garbage")
    freed = pesearch("gc", "--library", folder).stderr
    assert "damaged-1 takes" in freed and "--restore damaged-1" in freed
    assert "damaged-3 takes" in freed and "--restore damaged-3" not in freed and "damaged-2" not in freed
    shutil.rmtree(folder / "damaged-3")
    (folder / "damaged-1" / shard.relative_to(folder)).write_bytes(whole)
    assert "1 shards" in pesearch("doctor", "--restore", "damaged-1", "--library", folder).stdout
    status = pesearch("status", "--library", folder).stdout
    assert "failed      0\n" in status and "damaged-1" not in status
    refused = pesearch("doctor", "--restore", "damaged-1", "--library", folder)
    assert (refused.returncode, "holds no shards" in one_line(refused.stderr)) == (2, True)

    (folder / "library.duckdb").write_bytes(b"garbage")
    assert "doctor --repair" in one_line(pesearch("status", "--library", folder).stderr)


def test_a_drive_that_is_not_connected_is_no_damage(pesearch: Run, sample_library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shutil.copytree(sample_library.folder, folder)
    (folder / "vectors").rename(tmp_path / "drive")
    (folder / "vectors").symlink_to(tmp_path / "not connected")
    for command in (("query", "a bell", "--no-events"), ("doctor", "--repair"), ("gc",)):
        refused = pesearch(*command, "--library", folder)
        assert refused.returncode == 2
        assert "connect its drive" in refused.stderr.splitlines()[-1]
    assert "missing     all shards in vectors/" in pesearch("status", "--library", folder).stdout
    doctor = pesearch("doctor", "--library", folder)
    assert doctor.returncode == 2
    assert [line for line in doctor.stdout.splitlines() if line.startswith("damaged")] == []
    vectors, features = (len(list((sample_library.folder / name).rglob("*.arrow"))) for name in ("vectors", "features"))
    assert f"\nunread   shards   {vectors} of {vectors + features}" in doctor.stdout
    wrong = pesearch("doctor", "--force", "--library", folder)
    assert wrong.returncode == 2 and "only with --repair" in wrong.stderr
