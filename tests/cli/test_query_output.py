"""`pesearch query` with a made-up result: the request, what is printed where, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.cli import query_command
from pesearch.locations import Location
from pesearch.search.query.request import SearchRequest
from pesearch.search.result import SearchResult
from pesearch.types import MediaFile, MediaInfo, MediaKind, Moment
from tests.cli.conftest import Run

Asked = list[SearchRequest]
Answering = Callable[..., Asked]


def moment(rank: int, name: str, score: float) -> Moment:
    info = MediaInfo(MediaKind.VIDEO, 9.0, None, None)
    return Moment(rank, MediaFile(1, name, info, (Location(Path("/media", name), 1, 1),)), 1.0, 2.5, score, (), (), ())


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Every query gets these moments; returns the list of requests to come."""

    def answer(*moments: Moment, is_measured: bool = True) -> Asked:
        asked: Asked = []

        def respond(_folder: Path, request: SearchRequest, _device: str, _verbose: bool) -> SearchResult:
            asked.append(request)
            return SearchResult(request.text, "starter", Path("/library"), moments, "calibrated", is_measured)

        monkeypatch.setattr(query_command, "answer_request", respond)
        return asked

    return answer


MOMENTS = (moment(1, "a.mp4", 0.9), moment(2, "a.mp4", 0.7), moment(3, "b\n.mp4", 0.2))


def test_options_reach_the_request(pesearch: Run, answering: Answering) -> None:
    asked = answering()
    pesearch("query", "siren", "-k", "3", "--per-file", "2", "--no-events", "--kind", "audio", "--longer", "1m30s")
    pesearch("query", "siren")
    request, defaults = asked
    assert (request.k, request.per_file, request.locate) == (3, 2, False)
    assert (request.files.kind, request.files.min_duration_seconds) == (MediaKind.AUDIO, 90.0)
    assert (defaults.k, defaults.per_file, defaults.locate, defaults.files.keeps_all) == (10, None, True, True)


def test_matches_are_printed_and_found_is_exit_code_0(pesearch: Run, answering: Answering) -> None:
    answering(*MOMENTS)
    result = pesearch("query", "siren")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        "  1. 0.90  00:01.0-00:02.5  /media/a.mp4\n"
        "           mpv --start=1.0 -- /media/a.mp4\n"
        "  2. 0.70  00:01.0-00:02.5  /media/a.mp4\n"
        "           mpv --start=1.0 -- /media/a.mp4\n"
    )
    everything = pesearch("query", "siren", "--all")
    assert everything.stdout == result.stdout + (
        "  3? 0.20  00:01.0-00:02.5  /media/b\\n.mp4\n           mpv --start=1.0 -- $'/media/b\\x0a.mp4'\n"
    )


def test_json_and_jsonl_are_printed_to_stdout(pesearch: Run, answering: Answering) -> None:
    answering(*MOMENTS)
    result = pesearch("query", "siren", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert (found["query"], found["model"], found["library"]) == ("siren", "starter", "/library")
    assert [(entry["rank"], entry["path"], entry["score"]) for entry in found["moments"]] == [
        (1, "/media/a.mp4", 0.9),
        (2, "/media/a.mp4", 0.7),
    ]
    lines = pesearch("query", "siren", "--jsonl", "--all").stdout.splitlines()
    assert [json.loads(line)["rank"] for line in lines] == [1, 2, 3]
    assert json.loads(lines[0]) == found["moments"][0]


def test_0_separates_paths_by_nul(pesearch: Run, answering: Answering) -> None:
    answering(*MOMENTS)
    result = pesearch("query", "siren", "--all", "-0")
    assert (result.returncode, result.stdout, result.stderr) == (0, "/media/a.mp4\0/media/b\n.mp4\0", "")


@pytest.mark.parametrize("moments", [(), (moment(1, "a.mp4", 0.4),)])
def test_no_match_is_exit_code_1(pesearch: Run, answering: Answering, moments: tuple[Moment, ...]) -> None:
    answering(*moments)
    for options, output in (((), ""), (("-0",), ""), (("--jsonl",), "")):
        result = pesearch("query", "siren", *options)
        assert (result.returncode, result.stdout, result.stderr) == (1, output, "no confident match\n")
    assert pesearch("query", "siren", "--all").returncode == 1
    assert json.loads(pesearch("query", "siren", "--json").stdout)["moments"] == []


def test_models_that_nobody_measured_show_the_nearest_moments_without_a_match(
    pesearch: Run, answering: Answering
) -> None:
    """The exit code says that none of them is a match."""
    answering(moment(1, "a.mp4", 0.4), moment(2, "b.mp4", 0.2), is_measured=False)
    result = pesearch("query", "siren", "--json")
    assert [(each["rank"], each["confident"]) for each in json.loads(result.stdout)["moments"]] == [
        (1, False),
        (2, False),
    ]
    assert (result.returncode, result.stderr) == (1, f"{query_command.UNMEASURED}\n")
    assert "1?" in pesearch("query", "siren").stdout


def test_models_that_nobody_measured_show_matches_alone_if_there_are_any(pesearch: Run, answering: Answering) -> None:
    answering(*MOMENTS, is_measured=False)
    result = pesearch("query", "siren", "--json")
    assert [each["rank"] for each in json.loads(result.stdout)["moments"]] == [1, 2]
    assert (result.returncode, result.stderr) == (0, "")
