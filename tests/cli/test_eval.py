"""`pesearch eval` as a user types it: truths, one's own questions, a dataset's folder."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pesearch.store.library import Library
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"
RETRIEVAL = {"r1", "relevant1", "r5", "r10"}
RANKING = {"r1", "r5", "r10", "map", "ndcg10"}


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """A file of judged queries about the sample media."""
    path = tmp_path / "queries.json"
    queries = [
        {
            "query": "siren and train",
            "relevant": [{"path": str(SAMPLES / "siren_train.mp4"), "start": 0.6, "end": 5.6}],
        },
        {"query": "a violin in a submarine", "relevant": []},
    ]
    path.write_text(json.dumps({"queries": queries}), encoding="utf-8")
    return path


def test_truths_give_the_documented_figures(pesearch: Run, sample_library: Library) -> None:
    result = pesearch("eval", SAMPLES / "truths.json", "--library", sample_library.folder, "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    directions = {"text_audio", "text_video", "text_audio_video", "audio_video", "speech"}
    assert set(figures) == directions | {"events", "clips"}
    assert all(set(figures[direction]) == RETRIEVAL for direction in directions)
    assert set(figures["events"]) == {"auroc", "span_iou", "event_f1"}
    assert figures["clips"] == 14


def test_ones_own_questions(pesearch: Run, sample_library: Library, questions: Path) -> None:
    result = pesearch("eval", questions, "--library", sample_library.folder, "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert set(figures) == RANKING | {
        "queries", "answerable", "answered", "abstained", "answer_auroc", "calibration_error"
    }  # fmt: skip
    assert (figures["queries"], figures["answerable"], figures["r1"], figures["abstained"]) == (2, 1, 1.0, 1.0)
    table = pesearch("eval", questions, "--library", sample_library.folder)
    assert table.stdout.startswith("2 questions, 1 with an answer in the library")


def test_a_dataset(pesearch: Run, sample_library: Library, tmp_path: Path) -> None:
    library, dataset = tmp_path / "library", tmp_path / "clotho"
    shutil.copytree(sample_library.folder, library)
    (dataset / "evaluation").mkdir(parents=True)
    for name in ("bell", "drum"):
        shutil.copy(SAMPLES / f"{name}.mp4", dataset / "evaluation" / f"{name}.mp4")
    rows = "file_name,caption_1,caption_2\nbell.mp4,a ringing bell,a bell\ndrum.mp4,drums,a drum\ngone.wav,a,b\n"
    (dataset / "clotho_captions_evaluation.csv").write_text(rows, encoding="utf-8")

    early = pesearch("eval", dataset, "--library", library)
    assert early.returncode == 2
    assert "none in the library" in early.stderr
    assert f"pesearch index {dataset}" in early.stderr

    assert pesearch("index", dataset, "--library", library).returncode == 0
    result = pesearch("eval", dataset, "--library", library, "--json")
    assert result.returncode == 0, result.stderr
    assert "1 of 3 listed clips are not on disk: gone.wav" in result.stderr
    figures = json.loads(result.stdout)
    assert (figures["layout"], figures["split"], figures["sounds"]) == ("clotho", "evaluation", None)
    assert figures["clips"] == {"listed": 3, "on_disk": 2, "indexed": 2, "missing": ["gone.wav"], "unindexed": []}
    (task,) = figures["tasks"]
    assert (task["task"], task["queries"], task["gallery"]) == ("text -> audio", 4, 2)
    assert all(set(task[way]) == RANKING for way in ("dot", "cosine", "dual_softmax"))
    table = pesearch("eval", dataset, "--layout", "clotho", "--split", "evaluation", "--library", library)
    assert "clotho evaluation: 3 clips listed, 2 on disk, 2 in the library" in table.stdout
    assert "* needs all the queries at once" in table.stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"queries": []}', "has no queries"),
        ('{"queries": [{"query": "x"}]}', "query 1 has no 'relevant'"),
        ('{"clips": []}', "has no clips"),
        ("[]", "has no clips"),
        ("not JSON", "is not JSON"),
    ],
)
def test_a_file_that_is_wrong_is_one_line(pesearch: Run, tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "judged.json").write_text(content, encoding="utf-8")
    result = pesearch("eval", tmp_path / "judged.json", "--library", tmp_path / "none")
    assert result.returncode == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_interrupting_is_clean(sample_library: Library, questions: Path) -> None:
    content = json.loads(questions.read_text())
    questions.write_text(json.dumps({"queries": content["queries"] * 500}))
    command = [sys.executable, "-m", "pesearch", "eval", questions, "--library", sample_library.folder]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert process.stderr is not None
    first = process.stderr.readline()  # the notice of the starter set: the models are open
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "generated world" in first
    assert output == ""
    assert errors.startswith("pesearch: interrupted")
    assert errors.count("\n") == 1
