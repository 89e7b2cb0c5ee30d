"""`pesearch query` over the sample clips: formats on stdout, limits, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pesearch.evaluation.metrics import iou
from pesearch.store.library import Library
from tests.cli.conftest import UNUSED, Run, imports_of

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"
TRUTHS = {clip["path"]: clip for clip in json.loads((SAMPLES / "truths.json").read_text())["clips"]}
MOMENT_KEYS = {
    "rank", "file_id", "path", "online", "missing", "start", "end", "score", "score_kind", "confident", "evidence",
    "events", "cues", "near_duplicates", "media", "recording", "remarks",
}  # fmt: skip


@pytest.fixture
def query(pesearch: Run, sample_library: Library) -> Run:
    """Runs `pesearch query ARGUMENT...` on the sample library."""
    return lambda *arguments: pesearch("query", *arguments, "--library", sample_library.folder)


def test_json_has_the_documented_shape_and_the_right_clip_first(query: Run, sample_library: Library) -> None:
    answer = query("siren and train", "--json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert set(found) == {"version", "query", "model", "library", "moments", "compared", "damaged"}
    assert (found["compared"], found["damaged"]) == (None, [])
    assert (found["query"], found["model"]) == ("siren and train", "starter")
    assert found["library"] == str(sample_library.folder)
    best = found["moments"][0]
    assert set(best) == MOMENT_KEYS
    assert best["path"] == str(SAMPLES / "siren_train.mp4")
    for heard in TRUTHS["siren_train.mp4"]["heard"]:
        spans = [(event["start"], event["end"]) for event in best["events"] if event["label"] == heard["what"]]
        assert max(iou((heard["start"], heard["end"]), span) for span in spans) >= 0.5


def test_k_limits_the_number_of_moments(query: Run) -> None:
    for k in (1, 3):
        lines = query("seen:car OR seen:bird", "--all", "--jsonl", "-k", str(k)).stdout.splitlines()
        assert [json.loads(line)["rank"] for line in lines] == list(range(1, k + 1))


def test_per_file_limits_the_moments_of_each_file(query: Run) -> None:
    def paths(*options: str) -> list[str]:
        lines = query(
            "seen:car OR seen:bird", "--all", "--jsonl", "--no-events", "-k", "40", *options
        ).stdout.splitlines()
        return [json.loads(line)["path"] for line in lines]

    unlimited, limited = paths(), paths("--per-file", "1")
    assert len(set(unlimited)) < len(unlimited)
    assert len(set(limited)) == len(limited) > 1


def test_0_prints_each_path_once_and_ends_it_with_nul(query: Run) -> None:
    assert query("siren and train", "-0", "-k", "1").stdout == f"{SAMPLES / 'siren_train.mp4'}\0"
    moments = json.loads(query("seen:car OR seen:bird", "--all", "--json", "-k", "40").stdout)["moments"]
    paths = dict.fromkeys(moment["path"] for moment in moments)
    assert len(paths) < len(moments)
    assert query("seen:car OR seen:bird", "--all", "-0", "-k", "40").stdout == "".join(f"{path}\0" for path in paths)


def test_text_shows_matches_only_unless_all_is_given(query: Run) -> None:
    """Rank, score, time and path; below 50 % a question mark takes the place of the dot."""
    matches, everything = query("siren"), query("siren", "--all")
    assert (matches.returncode, everything.returncode) == (0, 0)
    ranks = [line.split()[0] for line in everything.stdout.splitlines() if not line.startswith(" " * 11)]
    assert ranks == ["1.", "2.", *(f"{rank}?" for rank in range(3, 11))]
    assert everything.stdout.startswith(matches.stdout)
    assert [line.split()[0] for line in matches.stdout.splitlines() if not line.startswith(" " * 11)] == ["1.", "2."]
    assert "no confident match" not in everything.stderr


def test_conditions_that_no_file_meets_are_named(query: Run) -> None:
    answer = query("siren", "--camera", "nikon", "--all")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.splitlines()[-1] == "no match: no file of the library meets these conditions"
    assert "no confident match" in query("a violin in a submarine", "--codec", "h264").stderr


def test_a_blank_condition_is_refused(query: Run) -> None:
    for option in ("--camera", "--codec"):
        answer = query("siren", option, " ")
        assert (answer.returncode, answer.stderr) == (
            2, f"pesearch: {option} is empty: leave it out to search all files\n",
        )  # fmt: skip


def test_no_match_is_exit_code_1_and_only_a_notice_on_stderr(new_process: Run, sample_library: Library) -> None:
    """In a process of its own: nothing that an import prints may reach stdout either. torch takes most of the time of
    a query if it is imported, and this query locates sounds too."""
    answer = new_process("query", "a violin in a submarine", "--library", sample_library.folder)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "no confident match" in answer.stderr
    imported = imports_of(answer.stderr)
    assert imported >= {"duckdb", "pesearch.encoders.numpy_models.pe_a_frame"}
    heavy = {"torch", "torchvision", "transformers", "open_clip", "timm", "PIL", "pyarrow.compute"}
    assert not imported & (UNUSED | heavy)
