"""`pesearch index`: the summary as text and JSON, what a second run does, and a search of the new library."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pesearch.store.library import Library
from tests.cli.conftest import UNUSED, Run, imports_of, one_line
from tests.media.broken import lose_pictures
from tests.media.samples import ffmpeg

pytestmark = pytest.mark.slow

CLIPS = ("siren_train.mp4", "bell.mp4")


@pytest.fixture
def media(tmp_path: Path, sample_media: Path) -> Path:
    """A folder with CLIPS."""
    folder = tmp_path / "media"
    folder.mkdir()
    for name in CLIPS:
        shutil.copy(sample_media / name, folder)
    return folder


def test_index_reports_what_it_did_and_the_library_can_be_searched(pesearch: Run, media: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    first = pesearch("index", media, "--model", "starter", "--library", library, "--json")
    assert first.returncode == 0, first.stderr
    summary = json.loads(first.stdout)
    assert summary["indexed"] == len(CLIPS)
    assert summary["failed"] == []
    assert "generated world" in first.stderr
    assert list(summary["stages_seconds"]) == ["decode", "wait", "tower", "codec", "transformers", "commit", "index"]
    assert summary["stages_seconds"]["codec"] > 0
    assert summary["bound_by"] in summary["stages_seconds"]
    assert f"bound by: {summary['bound_by']}" in first.stderr
    assert f"{len(CLIPS)} files indexed, " in first.stderr
    assert "x real time" in first.stderr
    assert len([*library.glob("pictures/*/*.zip")]) == len(CLIPS)

    again = json.loads(pesearch("index", media, "--library", library, "--json").stdout)
    assert (again["unchanged"], again["indexed"]) == (len(CLIPS), 0)
    assert (again["stages_seconds"], again["bound_by"]) == ({}, None)

    no_such_track = pesearch("index", media, "--library", library, "--audio-track", "99").stderr.splitlines()
    assert no_such_track[0] == "audio track 99: searched in new files that have it; no indexed file changes"

    other = pesearch("index", media, "--model", "light", "--library", library)
    assert other.returncode == 2
    assert "light" in one_line(other.stderr)

    found = json.loads(pesearch("query", "siren", "--all", "--library", library, "--json").stdout)
    assert found["library"] == str(library)
    assert found["moments"][0]["path"] == str(media / "siren_train.mp4")


def test_index_without_anything_new_imports_no_models(
    new_process: Run, sample_library: Library, sample_media: Path, tmp_path: Path
) -> None:
    library = shutil.copytree(sample_library.folder, tmp_path / "library")
    done = new_process("index", sample_media, "--library", library)
    assert done.returncode == 0
    assert "0 files indexed" in done.stderr
    imported = imports_of(done.stderr)
    assert "duckdb" in imported
    assert not imported & (UNUSED | {"torch", "torchvision.ops", "transformers.utils", "timm", "open_clip.model"})
    assert not imported & {
        "faiss",
        "PIL",
        "regex",
        "pesearch.indexer.pipeline",
        "pesearch.encoders.numpy_models.pe_core",
    }


def test_index_exits_with_3_when_a_file_failed(pesearch: Run, media: Path, tmp_path: Path) -> None:
    """The other file is indexed, the failed one is listed and retried only with --retry-failed."""
    (media / "siren_train.mp4").write_bytes(b"not a video")
    (media / "broken.mp4").touch()
    at = ("--library", tmp_path / "library")
    first = pesearch("index", media, "--model", "starter", "--json", *at)
    assert first.returncode == 3
    summary = json.loads(first.stdout)
    assert summary["indexed"] == 1
    assert str(media / "broken.mp4") in [failed["path"] for failed in summary["failed"]]
    assert "failed files are retried when they change, or with --retry-failed" in first.stderr
    again = pesearch("index", media, "--json", *at)
    assert again.returncode == 0
    assert json.loads(again.stdout)["failed_before"] == len(summary["failed"])
    assert pesearch("index", media, "--retry-failed", *at).returncode == 3


def test_what_is_not_read_of_a_file_is_reported_and_kept(pesearch: Run, tmp_path: Path) -> None:
    """In the terminal and in the JSON of index, status and query, until the sidecar that it is about is gone."""
    media = tmp_path / "media"
    media.mkdir()
    holed, sidecar = media / "holed.avi", media / "holed.srt"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=4", "-c:v", "mjpeg", holed)
    lose_pictures(holed, 12, 18)
    sidecar.write_text("no subtitles")
    at = ("--library", tmp_path / "library")
    pictures = {
        "reason": "pictures could not be decoded at 00:01.2", "seconds": 0.625, "sidecar": None,
    }  # fmt: skip
    cues = {"reason": "contains no subtitles", "seconds": None, "sidecar": str(sidecar)}
    line = f"{holed}: pictures could not be decoded at 00:01.2 (0.6 s); holed.srt: contains no subtitles"

    first = pesearch("index", media, "--model", "starter", "--json", *at)
    assert first.returncode == 0
    assert first.stderr.count(f"remark: {line}\n") == 2  # when it came, and in the summary
    assert "1 file indexed" in first.stderr and "1 with remarks" in first.stderr
    assert json.loads(first.stdout)["remarks"] == [{"path": str(holed), **each} for each in (pictures, cues)]
    assert "remark" not in pesearch("index", media, *at).stderr  # nothing is new

    status = pesearch("status", *at).stdout
    assert f"\nremarks     2 on 1 files\n  {line}\n" in status
    assert json.loads(pesearch("status", "--json", *at).stdout)["remarks"] == [
        {"path": str(holed), **each} for each in (pictures, cues)
    ]
    found = json.loads(pesearch("query", "seen:train", "--all", "--json", *at).stdout)["moments"]
    assert found[0]["remarks"] == [pictures, cues]

    sidecar.unlink()
    pesearch("index", media, *at)
    assert json.loads(pesearch("status", "--json", *at).stdout)["remarks"] == [{"path": str(holed), **pictures}]
    moved = holed.rename(holed.with_name("moved.avi"))
    pesearch("index", media, *at)
    pesearch("gc", *at)
    assert json.loads(pesearch("status", "--json", *at).stdout)["remarks"] == [{"path": str(moved), **pictures}]
    pesearch("remove", moved, *at)
    assert "remarks     0\n" in pesearch("status", *at).stdout
