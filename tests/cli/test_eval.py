"""`pesearch eval`: annotated clips, judged queries, and the folder of a dataset."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pesearch.cli.eval_command import calibration_lines, dataset_lines, query_lines
from pesearch.cli.json_output import evaluation_json
from pesearch.cli.judged_input import missing_lines
from pesearch.encoders.model_set import ModelSet
from pesearch.evaluation.dataset_evaluation import DatasetEvaluation
from pesearch.evaluation.datasets import ClipAvailability
from pesearch.evaluation.protocols import TaskMetrics
from pesearch.evaluation.ranked_metrics import QueryMetrics
from pesearch.evaluation.ranking import RankingMetrics
from pesearch.evaluation.recalibrate import CalibrationErrors
from pesearch.indexer.run import index
from pesearch.store.library import Library, open_library
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"
RETRIEVAL = {"r1", "relevant1", "r5", "r10"}
RANKING = {"r1", "r5", "r10", "map", "ndcg10"}


@pytest.fixture
def judged(tmp_path: Path) -> Path:
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


def test_annotated_clips_give_the_documented_figures(pesearch: Run, sample_library: Library) -> None:
    result = pesearch("eval", SAMPLES / "truths.json", "--library", sample_library.folder, "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    directions = {"text_audio", "text_video", "text_audio_video", "audio_video", "speech"}
    assert set(figures) == directions | {"events", "clips", "calibration"}
    assert all(set(figures[direction]) == RETRIEVAL for direction in directions)
    assert set(figures["events"]) == {"auroc", "span_iou", "event_f1"}
    assert figures["clips"] == 14


def test_judged_queries(pesearch: Run, sample_library: Library, judged: Path) -> None:
    result = pesearch("eval", judged, "--library", sample_library.folder, "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert set(figures) == RANKING | {
        "queries", "answerable", "answered", "abstained", "answer_auroc", "calibration_error",
        "calibration"
    }  # fmt: skip
    assert (figures["queries"], figures["answerable"], figures["r1"], figures["abstained"]) == (2, 1, 1.0, 1.0)


def test_a_dataset(pesearch: Run, sample_library: Library, starter: ModelSet, tmp_path: Path) -> None:
    library, dataset = tmp_path / "library", tmp_path / "clotho"
    shutil.copytree(sample_library.folder, library)
    (dataset / "evaluation").mkdir(parents=True)
    for name in ("bell", "drum"):
        shutil.copy(SAMPLES / f"{name}.mp4", dataset / "evaluation" / f"{name}.mp4")
    rows = "file_name,caption_1,caption_2\nbell.mp4,a ringing bell,a bell\ndrum.mp4,drums,a drum\ngone.wav,a,b\n"
    (dataset / "clotho_captions_evaluation.csv").write_text(rows, encoding="utf-8")

    list(index([dataset], open_library(library), starter))
    result = pesearch("eval", dataset, "--library", library, "--json")
    assert result.returncode == 0, result.stderr
    assert "1 of 3 listed clips are not on disk: gone.wav" in result.stderr
    figures = json.loads(result.stdout)
    assert (figures["layout"], figures["split"], figures["sounds"]) == ("clotho", "evaluation", None)
    assert figures["clips"] == {"listed": 3, "on_disk": 2, "indexed": 2, "missing": ["gone.wav"], "unindexed": []}
    (task,) = figures["tasks"]
    assert (task["task"], task["queries"], task["gallery"]) == ("text -> audio", 4, 2)
    assert figures["calibration"] is None
    assert all(set(task[way]) == RANKING for way in ("dot", "cosine", "dual_softmax"))


def test_figures_as_text() -> None:
    figures = QueryMetrics(3, 2, 0.5, 1.0, 1.0, 0.75, 0.8, 1.0, math.nan, 1.0, 0.1234)
    assert list(query_lines(figures)) == [
        "3 queries, 2 with relevant moments in the library",
        "r1    r5     r10    map   ndcg10",
        "50 %  100 %  100 %  75 %  80 %",
        "answered 100 %  correctly abstained -",
        "answer AUROC 1.000  calibration error 0.123",
    ]
    assert list(calibration_lines(None)) == []
    assert list(calibration_lines(CalibrationErrors(40, 0.25, 0.05))) == [
        "calibration error 0.250 as measured for the models, 0.050 as calibrated (40 scores)"
    ]
    presence = ClipAvailability(9, 5, 4, ("a", "b", "c", "d"), ("e.wav",))
    task = TaskMetrics("text -> audio", 8, 4, *[RankingMetrics(0.25, 0.5, 1.0, 0.4, 0.5)] * 3)
    lines = list(dataset_lines(DatasetEvaluation("clotho", "evaluation", presence, (task,), None)))
    assert lines[0] == "clotho evaluation: 9 clips listed, 5 on disk, 4 in the library"
    assert lines[1] == "text -> audio: 8 queries over 4 clips"
    assert [line.split()[0] for line in lines[3:6]] == ["dot", "cosine", "dual"]
    assert lines[-1].startswith("* needs all queries at once")
    assert list(missing_lines(presence, Path("/data/clotho"), Path("/lib"))) == [
        "4 of 9 listed clips are not on disk: a, b, c, ...",
        "1 of 9 listed clips are not in the library: e.wav",
        "to include them, run: pesearch index /data/clotho --library /lib",
    ]


def test_json_rounds_and_has_null_for_what_could_not_be_measured() -> None:
    task = RankingMetrics(0.123456, 0.5, 1.0, math.nan, 0.5)
    figures = json.loads(evaluation_json(task, CalibrationErrors(9, 0.2, 1 / 3)))
    assert (figures["r1"], figures["map"]) == (0.1235, None)
    assert figures["calibration"] == {"scores": 9, "models": 0.2, "library": 0.3333}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"queries": []}', "has no queries"),
        ('{"queries": [{"query": "x"}]}', "query 1 has no 'relevant'"),
        ('{"clips": []}', "has no clips"),
        ("[]", "has no clips"),
        ("not JSON", "is not JSON"),
    ],
)
def test_an_invalid_file_is_one_line(pesearch: Run, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "judged.json").write_text(content, encoding="utf-8")
    result = pesearch("eval", tmp_path / "judged.json", "--library", tmp_path / "none")
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_ctrl_c_ends_with_130_and_one_line(sample_library: Library, judged: Path) -> None:
    content = json.loads(judged.read_text())
    judged.write_text(json.dumps({"queries": content["queries"] * 500}))
    command = [sys.executable, "-m", "pesearch", "eval", judged, "--library", sample_library.folder]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    assert process.stderr is not None
    notice = process.stderr.readline()  # of the starter set: the models are open
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "generated world" in notice
    assert output == ""
    assert errors.splitlines()[-1].startswith("pesearch: interrupted")
    assert "Traceback" not in errors
