"""`pesearch query` with a made-up result: the request, what is printed where, and the exit code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from pesearch.capture_time import CaptureTime, DateSource
from pesearch.cli import query_command
from pesearch.damage import SOUND_FEATURES, DamagedFile
from pesearch.locations import Location
from pesearch.place import Place
from pesearch.search.query.media_features import Feature, Orientation
from pesearch.search.query.picture_range import Comparison, RateRange, SizeRange
from pesearch.search.query.property_filter import Area, PropertyFilter
from pesearch.search.query.request import SearchRequest
from pesearch.search.result import SearchResult
from pesearch.store.library import Library
from pesearch.types import (
    AudioStream,
    MediaFile,
    MediaInfo,
    MediaKind,
    MediaProperties,
    Moment,
    NearDuplicate,
    SpaceName,
    VideoStream,
)
from tests.cli.conftest import Run

Asked = list[SearchRequest]
Answering = Callable[..., Asked]


def moment(rank: int, name: str, score: float) -> Moment:
    info = MediaInfo(MediaKind.VIDEO, 9.0, None, None)
    return Moment(rank, MediaFile(1, name, info, (Location(Path("/drive", name), 1, 1),)), 1.0, 2.5, score, (), (), ())


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
    options = ("-k", "3", "--per-file", "2", "--dedupe", "--no-events", "--kind", "audio", "--longer", "1m30s")
    pesearch("query", "siren", *options)
    pesearch("query", "siren")
    pesearch("query", "siren", "--in", "a", "--in", "b/c.mp4")
    request, defaults, in_several = asked
    assert in_several.files.under == (Path("a"), Path("b/c.mp4"))
    assert (request.k, request.per_file, request.dedupe, request.locate) == (3, 2, True, False)
    assert (request.files.kind, request.files.min_duration_seconds) == (MediaKind.AUDIO, 90.0)
    assert (defaults.k, defaults.per_file, defaults.locate, defaults.files.keeps_all) == (10, None, True, True)


def test_near_equal_moments_are_counted_and_named(pesearch: Run, answering: Answering) -> None:
    copies = [moment(1, f"copy\n{n}.mp4", 0.6 - n / 10) for n in range(5)]
    near = tuple(NearDuplicate(each.file, each.start_seconds, each.end_seconds, each.score) for each in copies)
    answering(replace(MOMENTS[0], near_duplicates=near), replace(MOMENTS[2], score=0.8, near_duplicates=near[:1]))
    first, second = (line.strip() for line in pesearch("query", "x").stdout.splitlines() if " like it: " in line)
    assert first == "5 like it: " + ", ".join(f"copy\\n{n}.mp4 00:01.0-00:02.5" for n in range(3)) + ", ..."
    assert second == "1 like it: copy\\n0.mp4 00:01.0-00:02.5"
    whole = json.loads(pesearch("query", "x", "--json").stdout)["moments"][0]["near_duplicates"]
    assert [each["score"] for each in whole] == [0.6, 0.5, 0.4, 0.3, 0.2]
    assert whole[0] == {"path": "/drive/copy\n0.mp4", "start": 1.0, "end": 2.5, "file_id": 1, "score": 0.6}
    line = pesearch("query", "x", "--jsonl").stdout.splitlines()[0]
    assert json.loads(line)["near_duplicates"] == whole
    assert pesearch("query", "x", "-0").stdout == "/drive/a.mp4\0/drive/b\n.mp4\0"


def test_words_without_quotes_are_one_query(pesearch: Run, answering: Answering) -> None:
    asked = answering()
    pesearch("query", "siren", "and", "train")
    assert asked[0].text == "siren and train"


@pytest.mark.parametrize("forms", [("--json", "-0"), ("--json", "--jsonl"), ("--jsonl", "-0")])
def test_forms_of_output_exclude_each_other(pesearch: Run, answering: Answering, forms: tuple[str, str]) -> None:
    asked = answering()
    result = pesearch("query", "siren", *forms)
    assert (result.returncode, result.stdout, asked) == (2, "", [])
    assert f"Invalid value for {forms[0]} and {forms[1]}: these options exclude each other" in result.stderr


def test_filters_of_recordings_reach_the_request(pesearch: Run, answering: Answering) -> None:
    asked = answering()
    pesearch("query", "siren", "--before", "2020-01-01", "--camera", "iPhone", "--near", "-33.9,151.2,5")
    pesearch("query", "siren", "--after", "2020-01-01", "--file-date", "--size", ">=1080p", "--fps", "25")
    pesearch("query", "siren", "--codec", "hevc", "--has", "audio", "--has", "place", "--orientation", "portrait")
    dated, sized, shaped = (request.files for request in asked)
    assert (dated.before, dated.by_file_time, sized.after, sized.by_file_time) == (
        datetime(2020, 1, 1), False, datetime(2020, 1, 1), True,
    )  # fmt: skip
    assert dated.properties == PropertyFilter(camera="iPhone", near=Area(Place(-33.9, 151.2), 5.0))
    assert sized.properties == PropertyFilter(
        size=SizeRange(Comparison.AT_LEAST, lines=1080), frame_rate=RateRange(Comparison.EQUAL, 25.0)
    )
    assert shaped.properties == PropertyFilter(
        codec="hevc", has=(Feature.AUDIO, Feature.PLACE), orientation=Orientation.PORTRAIT
    )


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--near", "Paris", "'Paris' is not a place: write LAT,LON or LAT,LON,KM"),
        ("--size", "big", "'big' is not a size: write 1920x1080, 1080p, 4k, or '>=1080p'"),
        ("--fps", "fast", "'fast' is not a frame rate: write 25, 29.97 or '>=50'"),
    ],
)
def test_a_filter_that_cannot_be_read_is_one_line(
    pesearch: Run, answering: Answering, option: str, value: str, says: str
) -> None:
    asked = answering()
    result = pesearch("query", "siren", option, value)
    assert result.returncode == 2 and says in result.stderr and result.stderr.count("\n") == 1 and not asked


def test_json_says_when_where_and_with_what_it_was_recorded(pesearch: Run, answering: Answering) -> None:
    place, captured = Place(48.8584, 2.2945, 35.0), CaptureTime(datetime(2019, 7, 4, 12), DateSource.EXIF)
    known = moment(1, "a.mp4", 0.9)
    media = MediaInfo(MediaKind.VIDEO, 9.0, VideoStream("hevc", 64, 48, 25.0), AudioStream("aac", 48_000, 2))
    properties = MediaProperties((captured,), place, "Apple iPhone X", 90, 1)
    answering(replace(known, file=replace(known.file, info=media, properties=properties)), moment(2, "b.mp4", 0.9))
    said, unknown = (found["recording"] for found in json.loads(pesearch("query", "x", "--json").stdout)["moments"])
    assert said == {
        "date": "2019-07-04T12:00:00", "date_source": "exif",
        "place": {"latitude": 48.8584, "longitude": 2.2945, "altitude": 35.0},
        "camera": "Apple iPhone X", "rotation": 90, "video_codec": "hevc", "audio_codec": "aac", "subtitles": True,
    }  # fmt: skip
    assert unknown == dict.fromkeys(said) | {"subtitles": False}


def test_matches_are_printed_and_found_is_exit_code_0(
    pesearch: Run, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(*MOMENTS)
    offline = pesearch("query", "siren").stdout
    assert offline == (
        "  1. 0.90  00:01.0-00:02.5  /drive/a.mp4  (offline)\n  2. 0.70  00:01.0-00:02.5  /drive/a.mp4  (offline)\n"
    )
    monkeypatch.setattr("pesearch.locations.can_reach", lambda path: True)
    result = pesearch("query", "siren")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        "  1. 0.90  00:01.0-00:02.5  /drive/a.mp4\n"
        "           mpv --start=1.0 -- /drive/a.mp4\n"
        "  2. 0.70  00:01.0-00:02.5  /drive/a.mp4\n"
        "           mpv --start=1.0 -- /drive/a.mp4\n"
    )
    everything = pesearch("query", "siren", "--all")
    assert everything.stdout == result.stdout + (
        "  3? 0.20  00:01.0-00:02.5  /drive/b\\n.mp4\n           mpv --start=1.0 -- $'/drive/b\\x0a.mp4'\n"
    )


def test_json_and_jsonl_are_printed_to_stdout(pesearch: Run, answering: Answering) -> None:
    answering(*MOMENTS)
    result = pesearch("query", "siren", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert (found["query"], found["model"], found["library"]) == ("siren", "starter", "/library")
    assert [(entry["rank"], entry["path"], entry["score"]) for entry in found["moments"]] == [
        (1, "/drive/a.mp4", 0.9),
        (2, "/drive/a.mp4", 0.7),
    ]
    lines = pesearch("query", "siren", "--jsonl", "--all").stdout.splitlines()
    assert [json.loads(line)["rank"] for line in lines] == [1, 2, 3]
    assert json.loads(lines[0]) == {"query": "siren", **found["moments"][0]}


def test_0_separates_paths_by_nul(pesearch: Run, answering: Answering) -> None:
    answering(*MOMENTS)
    result = pesearch("query", "siren", "--all", "-0")
    assert (result.returncode, result.stdout, result.stderr) == (0, "/drive/a.mp4\0/drive/b\n.mp4\0", "")


@pytest.mark.parametrize("moments", [(), (moment(1, "a.mp4", 0.4),)])
def test_no_match_is_exit_code_1(pesearch: Run, answering: Answering, moments: tuple[Moment, ...]) -> None:
    answering(*moments)
    for options, output in (((), ""), (("-0",), ""), (("--jsonl",), "")):
        result = pesearch("query", "siren", *options)
        hint = "; --all shows the nearest (best: 0.40)" if moments else ""
        assert (result.returncode, result.stdout, result.stderr) == (1, output, f"no confident match{hint}\n")
    shown = pesearch("query", "siren", "--all")
    assert (shown.returncode, shown.stderr) == (1, "no confident match\n")
    assert json.loads(pesearch("query", "siren", "--json").stdout)["moments"] == []


def test_files_whose_recording_was_never_read_are_named(pesearch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def respond(*_: object) -> SearchResult:
        return SearchResult("dog", "starter", Path("/library"), (), "calibrated", kept_files=0, unread_files=1)

    monkeypatch.setattr(query_command, "answer_request", respond)
    assert pesearch("query", "dog", "--after", "2020-01-01").stderr.splitlines() == [
        "no match: no file of the library meets these conditions",
        "1 file left out: run `pesearch index` again, which reads when and where files were recorded",
    ]


def test_near_equal_moments_that_hide_others_are_reported(pesearch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def respond(*_: object) -> SearchResult:
        return SearchResult("dog", "starter", Path("/library"), (), "calibrated", compared=1200)

    monkeypatch.setattr(query_command, "answer_request", respond)
    assert "only the 1,200 best moments were compared" in pesearch("query", "dog", "--dedupe").stderr
    assert json.loads(pesearch("query", "dog", "--dedupe", "--json").stdout)["compared"] == 1200


def test_damaged_files_are_named(pesearch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = Path("vectors/audio/a.arrow")
    damaged = (
        DamagedFile(Path("/m/a\n.wav"), "audio", shard, 3, 1, 0, "The shard has the wrong size"),
        DamagedFile(Path("/m/b.wav"), "audio", shard, 3, 0, 2, "differs"),
        DamagedFile(Path("/m/b.wav"), SOUND_FEATURES, shard, 3, 1, 2, "differs"),
        DamagedFile(Path("/m/c.wav"), SOUND_FEATURES, shard, 30, 0, 2, "differs"),
        *[DamagedFile(Path("/m/d.wav"), "frame", shard, 3, 0, 0, "differs")] * 3,
    )

    def respond(*_: object) -> SearchResult:
        moments = (moment(1, "a.mp4", 0.9),)
        return SearchResult("dog", "starter", Path("/library"), moments, "calibrated", damaged=damaged)

    monkeypatch.setattr(query_command, "answer_request", respond)
    result = pesearch("query", "dog", "--json")
    assert (result.returncode, result.stderr.splitlines()) == (
        0,
        [
            r"/m/a\n.wav: 1 of its 3 audio vectors are damaged and left out: run `pesearch doctor`",
            "/m/b.wav: damage in 2 of its 3 audio vectors was corrected: run `pesearch doctor`",
            "/m/b.wav: its stored sound features are damaged and not used: run `pesearch doctor`",
            "/m/c.wav: damage in 2 of its 30 steps of sound features was corrected: run `pesearch doctor`",
            "/m/d.wav: its frame may differ from what was written: run `pesearch doctor`",
            "2 more with damaged vectors or sound features: run `pesearch doctor`",
        ],
    )
    assert json.loads(result.stdout)["damaged"][0] == {
        "path": "/m/a\n.wav",
        "data": "audio",
        "rows": 3,
        "lost": 1,
        "restored": 0,
        "reason": "The shard has the wrong size",
    }


def test_status_names_damaged_files(pesearch: Run, sample_library: Library, tmp_path: Path) -> None:
    shutil.copytree(sample_library.folder, tmp_path / "library")
    at = ("--library", tmp_path / "library")
    assert json.loads(pesearch("status", *at, "--json").stdout)["damaged"] == []
    ball = next(file for file in sample_library.files() if file.path.name == "red_ball.png")
    vector = sample_library.vectors(ball.id, SpaceName.FRAME).vectors[0].astype(np.float16).tobytes()
    shards = list((tmp_path / "library" / "vectors" / "frame").iterdir())
    (shard,) = (path for path in shards if vector in path.read_bytes())
    content = shard.read_bytes()
    shard.write_bytes(content.replace(vector, bytes(len(vector))))
    assert pesearch("status", *at).stdout.splitlines()[-1] == (
        f"damaged     {ball.path}: damage in 1 of its 1 frame vectors was corrected: run `pesearch doctor`"
    )
    shard.unlink()
    result = pesearch("status", *at, "--json")
    described = json.loads(result.stdout)
    assert (result.returncode, described["damaged"]) == (0, []) and "missing" in described["unreadable"]


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
