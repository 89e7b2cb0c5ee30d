"""The README's everyday commands on the sample clips, with the truths as judge."""

import json
from pathlib import Path

import pytest

from pesearch.evaluation.metrics import iou
from pesearch.store.library import Library
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"
TRUTHS = {clip["path"]: clip for clip in json.loads((SAMPLES / "truths.json").read_text())["clips"]}


def test_index_then_ask(pesearch: Run, tmp_path: Path) -> None:
    library = tmp_path / "library"
    first = pesearch("index", SAMPLES, "--model", "starter", "--library", library, "--json")
    assert first.returncode == 0, first.stderr
    summary = json.loads(first.stdout)
    assert summary["indexed"] == len(TRUTHS)
    assert summary["failed"] == []
    assert "generated world" in first.stderr
    stages = {"decode", "wait", "tower", "codec", "transformers", "commit", "index"}
    assert set(summary["stages_seconds"]) == stages
    assert summary["stages_seconds"]["codec"] > 0
    assert summary["bound_by"] in summary["stages_seconds"]
    assert f"bound by: {summary['bound_by']}" in first.stderr
    assert "x real time" in first.stderr

    again = pesearch("index", SAMPLES, "--library", library, "--json")
    assert json.loads(again.stdout)["unchanged"] == len(TRUTHS)
    assert json.loads(again.stdout)["indexed"] == 0

    other = pesearch("index", SAMPLES, "--model", "light", "--library", library)
    assert other.returncode == 2

    answer = pesearch("query", "siren and train", "--library", library, "--json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert set(found) == {"query", "model", "library", "moments"}
    assert (found["query"], found["model"], found["library"]) == ("siren and train", "starter", str(library))
    best = found["moments"][0]
    keys = {"rank", "path", "start", "end", "score", "score_kind", "confident", "evidence", "events", "cues", "media"}
    assert set(best) == keys
    assert best["path"] == str(SAMPLES / "siren_train.mp4")
    for heard in TRUTHS["siren_train.mp4"]["heard"]:
        spans = [(event["start"], event["end"]) for event in best["events"] if event["label"] == heard["what"]]
        assert max(iou((heard["start"], heard["end"]), span) for span in spans) >= 0.5

    lines = pesearch("query", "siren and train", "--library", library, "--jsonl", "-k", "2")
    assert [json.loads(line)["rank"] for line in lines.stdout.splitlines()][:1] == [1]

    paths = pesearch("query", "siren and train", "--library", library, "-0", "-k", "1")
    assert paths.stdout == f"{SAMPLES / 'siren_train.mp4'}\0"


def test_what_is_not_there_is_not_found(new_process: Run, sample_library: Library) -> None:
    answer = new_process("query", "a violin in a submarine", "--library", sample_library.folder)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "no confident match" in answer.stderr


@pytest.mark.parametrize("is_indexed", [False, True])
def test_events_of_one_file(pesearch: Run, sample_library: Library, tmp_path: Path, is_indexed: bool) -> None:
    """With the models that are named, or those of the library that knows the file."""
    which = ("--library", sample_library.folder) if is_indexed else ("--library", tmp_path, "--model", "starter")
    result = pesearch("events", SAMPLES / "siren_train.mp4", "siren", "train", *which, "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert set(found) == {"path", "events"}
    for heard in TRUTHS["siren_train.mp4"]["heard"]:
        onsets = [event["start"] for event in found["events"] if event["label"] == heard["what"]]
        assert min(abs(onset - heard["start"]) for onset in onsets) <= 0.2


def test_status_and_doctor(pesearch: Run, sample_library: Library) -> None:
    status = json.loads(pesearch("status", "--library", sample_library.folder, "--json").stdout)
    assert sum(status["files"].values()) == len(TRUTHS)
    assert set(status["vectors"]) == {"frame", "video", "audio", "audio_video"}
    assert {space: policy["memory_rows"] for space, policy in status["search"].items()} == status["vectors"]
    table = pesearch("status", "--library", sample_library.folder).stdout
    assert f"frame: {status['vectors']['frame']} exact in memory" in table
    assert f"cues        {status['cues']}\n" in table
    doctor = pesearch("doctor", "--library", sample_library.folder)
    assert doctor.returncode == 0, doctor.stdout
    assert "one audio codec for windows and events" in doctor.stdout
    assert "ffmpeg" in doctor.stdout


def test_remove_then_forget(pesearch: Run, tmp_path: Path) -> None:
    library, media = tmp_path / "library", tmp_path / "media"
    media.mkdir()
    for name in ("bell.mp4", "drum.mp4"):
        (media / name).write_bytes((SAMPLES / name).read_bytes())
    assert pesearch("index", media, "--model", "starter", "--library", library).returncode == 0
    assert len([*library.glob("pictures/*/*.zip")]) == 2
    assert pesearch("remove", media / "bell.mp4", "--library", library).returncode == 0
    assert len([*library.glob("pictures/*/*.zip")]) == 1
    assert pesearch("gc", "--library", library).returncode == 0
    status = json.loads(pesearch("status", "--library", library, "--json").stdout)
    assert sum(status["files"].values()) == 1
    assert pesearch("remove", media / "bell.mp4", "--library", library).returncode == 1
    assert (media / "bell.mp4").exists()
