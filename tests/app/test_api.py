"""The API in this process, over a real library: its answers are those of the command line."""

from __future__ import annotations

import functools
import io
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pesearch.app import json_errors, server_state
from pesearch.app.http_api import answers
from pesearch.encoders.numpy_models import mapped_weights
from pesearch.errors import (
    LibraryBusy,
    LibraryDamaged,
    LibraryNotFound,
    LibraryUnavailable,
    MediaError,
    ModelMismatch,
    ModelMissing,
    PesearchError,
    QueryError,
    SnapshotExpired,
    UnknownFile,
)
from pesearch.store.library import Library
from tests.app.api_client import ApiClient, RunAsync, command_json

CommandJson = Callable[..., Any]


@pytest.fixture
def api(page_library: Library, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch) -> ApiClient:
    monkeypatch.setenv("PESEARCH_LIBRARY", str(page_library.folder))
    return ApiClient(run_async)


@pytest.fixture
def command(
    page_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> CommandJson:
    """`pesearch ARGUMENT... --json` on its own: no page is asked."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return functools.partial(command_json, monkeypatch, capfd, page_library.folder)


@pytest.fixture
def ids(page_library: Library) -> dict[str, int]:
    return {file.path.name: file.id for file in page_library.files()}


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [
        (["siren and train"], {"q": "siren and train"}),
        (["heard:siren THEN seen:train", "--no-events", "--all", "--dedupe", "-k", "9"],
         {"q": "heard:siren THEN seen:train", "no_events": "true", "all": 1, "dedupe": "true", "k": 9}),
        (["dog", "--all", "--kind", "video", "--per-file", "1", "--longer", "1s", "--has", "audio", "--has", "video"],
         {"q": "dog", "all": "true", "kind": "video", "per_file": 1, "longer": "1s", "has": ["audio", "video"]}),
        (["mind the gap", "--speech", "--all", "--size", ">=10x10", "--fps", ">=1", "--shorter", "9h", "--no-events"],
         {"q": "mind the gap", "speech": 1, "all": 1, "size": ">=10x10", "fps": ">=1", "shorter": "9h",
          "no_events": 1}),
        (["bell", "--after", "2020-01-01", "--before", "2100-01-01", "--file-date", "--online", "--codec", "h264"],
         {"q": "bell", "after": "2020-01-01", "before": "2100-01-01", "file_date": "true", "online": "true",
          "codec": "h264"}),
        (["ball", "--camera", "nobody", "--near", "1,2", "--orientation", "square"],
         {"q": "ball", "camera": "nobody", "near": "1,2", "orientation": "square"}),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)  # fmt: skip
def test_a_search_answers_as_the_command_does(
    api: ApiClient, command: CommandJson, arguments: list[str], parameters: dict[str, Any]
) -> None:
    assert api.json("/api/search", **parameters) == command("query", *arguments)


def test_a_search_with_files_of_the_library_answers_as_the_command_does(
    api: ApiClient, command: CommandJson, page_media: Path
) -> None:
    picture, folder = str(page_media / "red_ball.png"), str(page_media)
    found = api.json("/api/search", image=picture, in_=[folder], no_events=1)
    assert found == command("query", "--image", picture, "--in", folder, "--no-events")
    assert found["moments"][0]["path"] == picture
    text = f'file:"{page_media}/bell.mp4"@0-2'
    assert api.json("/api/search", q=text) == command("query", text)


def test_every_condition_of_the_command_is_a_parameter() -> None:
    """Except those that choose how the answer is printed, or by what it is found."""
    import typer.main

    from pesearch.app.http_api.parameters import SearchParameters
    from pesearch.cli.main import app

    query: Any = typer.main.get_command(app).commands["query"]  # type: ignore[attr-defined]  # a group
    options = {max(option.opts, key=len).lstrip("-").replace("-", "_") for option in query.params}
    printing = {"json", "jsonl", "0", "verbose", "library", "device"}
    assert options - printing - {"text"} == set(SearchParameters.__struct_encode_fields__) - {"q"}


def test_files_are_listed_by_conditions_and_in_parts(api: ApiClient, page_library: Library, page_media: Path) -> None:
    everything = api.json("/api/files")
    assert everything["total"] == len(everything["files"]) == len(page_library.files())
    assert {file["path"] for file in everything["files"]} == {str(file.path) for file in page_library.files()}
    second = api.json("/api/files", limit=1, offset=1)
    assert (second["total"], second["files"]) == (everything["total"], everything["files"][1:2])
    images = api.json("/api/files", kind="image", in_=str(page_media))
    assert [Path(file["path"]).name for file in images["files"]] == ["red_ball.png"]
    assert images["files"][0]["media"]["kind"] == "image"


def test_a_moment_has_pictures_a_clip_and_its_texts(
    api: ApiClient, ids: dict[str, int], tmp_path: Path, page_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/api/moments/{ids['siren_train.mp4']}/1000-3000"
    picture = api.get(f"{address}/picture.jpg", width=640)
    assert (picture.status, picture.headers["content-type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(picture.body)) as image, Image.open(io.BytesIO(api.get(
        f"/api/moments/{ids['siren_train.mp4']}/2000-2000/picture.jpg", width=640).body)) as middle:  # fmt: skip
        assert image.tobytes() == middle.tobytes()
    clip = api.get(f"{address}/clip.mp4")
    (tmp_path / "clip.mp4").write_bytes(clip.body)
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration:stream=codec_name", "-of", "json"]
    found = json.loads(subprocess.run([*probe, tmp_path / "clip.mp4"], capture_output=True, check=True).stdout)
    assert {stream["codec_name"] for stream in found["streams"]} == {"h264", "aac"}
    assert abs(float(found["format"]["duration"]) - 2.0) < 0.1
    from pesearch.cues import Cue, CueKind

    spans = {"before": (0.0, 0.9), "mind the gap": (2.5, 4.0)}
    cues = tuple(Cue(*span, text, CueKind.SUBTITLE, "a.srt") for text, span in spans.items())
    monkeypatch.setattr(type(page_library), "cues", lambda _, file_id: cues)
    described = api.json(address)
    assert (described["start"], described["end"], described["file"]["file_id"]) == (1.0, 3.0, ids["siren_train.mp4"])
    assert [text["text"] for text in described["texts"]] == ["mind the gap"]


def test_events_and_status_answer_as_the_commands_do(
    api: ApiClient, command: CommandJson, page_media: Path, ids: dict[str, int]
) -> None:
    found = api.json("/api/events", file_id=ids["siren_train.mp4"], phrase=["siren", "train"], threshold=0.4)
    printed = command("events", str(page_media / "siren_train.mp4"), "siren", "train", "--threshold", "0.4")
    assert found == printed
    assert {event["label"] for event in found["events"]} == {"siren", "train"}
    assert api.json("/api/status") == command("status")


@pytest.mark.parametrize(
    ("path", "query", "says"),
    [
        ("/api/search", {}, "the query is empty"),
        ("/api/search", {"q": "a", "k": 0}, "k: expected int >= 1"),
        ("/api/search", {"q": "a", "k": "many"}, "k: expected int"),
        ("/api/search", {"q": "a", "limit": 3}, "unknown field limit"),
        ("/api/search", {"q": ["a", "b"]}, "q is given twice"),
        ("/api/search", {"q": "a", "kind": "text"}, "kind: "),
        ("/api/search", {"q": "a", "after": "yesterday"}, "'yesterday' is not a date"),
        ("/api/search", {"q": "a", "in": " "}, "in[0] is blank"),
        ("/api/events", {"phrase": "siren"}, "missing required field file_id"),
        ("/api/events", {"file_id": 1}, "missing required field phrase"),
        ("/api/events", {"file_id": 1, "phrase": "siren", "threshold": 1}, "threshold: expected float < 1"),
        ("/api/moments/1/0-1000/picture.jpg", {"width": 300}, "width is not one of 320, 640, 1280"),
        ("/api/moments/1/2000-1000", {}, "the moment ends before it starts"),
        ("/api/moments/1/0-700000/clip.mp4", {}, "at most 600 s later"),
        ("/api/status", {"q": "a"}, "unknown field q"),
    ],
    ids=str,
)  # fmt: skip
def test_wrong_parameters_are_one_line(api: ApiClient, path: str, query: dict[str, Any], says: str) -> None:
    status, error = api.refused(path, **query)
    assert status == 400
    assert says in error


def test_a_syntax_error_has_its_position(api: ApiClient) -> None:
    answer = api.get("/api/search", q="siren AND")
    assert answer.status == 400
    assert json.loads(answer.body) == {
        "error": "at the end: expected something to look for after AND", "query": "siren AND", "column": 9,
        "expected": "something to look for after AND",
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        {"q": "a", "in": "{outside}"}, {"q": "a", "in": "{nowhere}"}, {"q": "a", "in": ["{inside}", "{outside}"]},
        {"q": "a", "in": "bell.mp4"}, {"q": "a", "in": "~"}, {"q": "a", "in": "{inside}/../outside"},
        {"audio": "{outside}/secret.wav"}, {"video": "/etc/passwd"}, {"image": "{nowhere}"},
        {"q": 'file:"{outside}/secret.wav"'}, {"q": 'dog NOT file:"/etc/passwd"'},
    ],
    ids=str,
)  # fmt: skip
def test_paths_outside_the_library_are_refused_whether_they_exist_or_not(
    api: ApiClient, page_media: Path, sample_media: Path, tmp_path: Path, query: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.wav").write_bytes((sample_media / "siren_alone.wav").read_bytes())
    monkeypatch.setattr(answers, "run_search", lambda request, cancelled: pytest.fail(f"searched for {request}"))
    names = {"outside": tmp_path / "outside", "nowhere": tmp_path / "nowhere", "inside": page_media}

    def named(value: Any) -> Any:
        return [named(each) for each in value] if isinstance(value, list) else value.format(**names)

    for path in ("/api/search", "/api/files"):
        conditions = {name: named(value) for name, value in query.items()}
        if path == "/api/files" and "in" not in query:
            continue
        if path == "/api/files":
            conditions.pop("q")
        status, error = api.refused(path, **conditions)
        assert status == 400
        assert error.endswith(("is in this library", "is not a file of this library", "is not an absolute path",
                               "is not a file of this library"))  # fmt: skip


def test_viewers_get_the_same_answers(
    api: ApiClient, page_media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API changes nothing and names no other files for owners either."""
    requests: list[tuple[str, dict[str, Any]]] = [
        ("/api/search", {"q": "dog", "in": str(page_media), "no_events": 1}), ("/api/search", {"q": "a", "in": "/etc"}),
        ("/api/search", {"q": f'file:"{tmp_path}"'}), ("/api/files", {}), ("/api/status", {}),
    ]  # fmt: skip
    monkeypatch.setattr(server_state, "_is_read_only", False)
    owners = [api.get(path, **query).body for path, query in requests]
    monkeypatch.setattr(server_state, "_is_read_only", True)
    assert [api.get(path, **query).body for path, query in requests] == owners


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/api/moments/999999/0-1000", "GET", 404), ("/api/moments/999999/0-1000/picture.jpg", "GET", 404),
        ("/api/moments/999999/0-1000/clip.mp4", "GET", 404), ("/api/events?file_id=999999&phrase=a", "GET", 404),
        ("/api/moments/..%2F..%2Fetc/0-1", "GET", 404), ("/api/nothing", "GET", 404), ("/api/", "GET", 404),
        ("/api/search", "POST", 405), ("/api/search", "DELETE", 405), ("/api/status", "PUT", 405),
    ],
)  # fmt: skip
def test_what_there_is_not_is_refused_in_json(api: ApiClient, path: str, method: str, status: int) -> None:
    answer = api.get(path, method)
    assert (answer.status, list(json.loads(answer.body))) == (status, ["error"])


def test_a_file_without_sound_or_that_was_replaced_is_refused(
    api: ApiClient, ids: dict[str, int], page_media: Path
) -> None:
    assert api.refused("/api/events", file_id=ids["red_ball.png"], phrase="dog")[0] == 404
    path = page_media / "engine_car.mp4"
    moved = path.rename(path.with_suffix(".moved"))
    try:
        path.symlink_to("/etc/passwd")
        refused = api.refused("/api/events", file_id=ids["engine_car.mp4"], phrase="dog")
        assert refused == (404, "changed since it was indexed: index it again")
        assert api.refused(f"/api/moments/{ids['engine_car.mp4']}/0-1000/clip.mp4") == refused
    finally:
        path.unlink()
        moved.rename(path)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (QueryError("x"), 400), (MediaError("x"), 404), (UnknownFile("x"), 404), (LibraryNotFound("x"), 409),
        (LibraryDamaged("x"), 409), (ModelMismatch("x"), 409), (LibraryBusy("x"), 503), (SnapshotExpired("x"), 503),
        (LibraryUnavailable("x"), 503), (ModelMissing("x"), 503),
    ],
)  # fmt: skip
def test_errors_have_their_status(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, error: PesearchError, status: int
) -> None:
    def fail() -> Library:
        raise error

    monkeypatch.setattr(answers, "library", fail)
    assert json_errors.status_of(error) == status
    assert api.refused("/api/files") == (status, "x")


def test_ten_searches_read_each_file_of_weights_once(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mapped_weights` alone reads weights: a query on a CPU imports no torch (tests/cli/test_query_command.py)."""
    opened, read = list[str](), Counter[Path]()
    open_models, read_header = server_state._models.__wrapped__, mapped_weights._read_header

    def open_counted(folder: Path) -> Any:
        opened.append(str(folder))
        return open_models(folder)

    def read_counted(file: Path) -> Any:
        read[file] += 1
        return read_header(file)

    monkeypatch.setattr(server_state, "_models", functools.cache(open_counted))
    monkeypatch.setattr(mapped_weights, "_read_header", read_counted)
    for text in ("siren", "train", "siren and train", "dog", "bell", "drum", "car", "ball", "rain", "heard:engine"):
        api.json("/api/search", q=text)
    assert len(opened) == 1
    assert set(read.values()) == {1}
    assert len(read) >= 3  # texts of frames and of windows, and sounds
