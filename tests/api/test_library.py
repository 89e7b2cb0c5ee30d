"""`pesearch.open` and `Library`: indexing, searching and locating sounds from Python."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import pesearch
from pesearch.encoders.model_set import ModelSet
from pesearch.search.query.file_filter import FileFilter
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store import library as store
from pesearch.types import MediaKind

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"
HEARD = {clip["path"]: clip["heard"] for clip in json.loads((SAMPLES / "truths.json").read_text())["clips"]}
QUERIES = ("siren", "a dog barking", "red ball", "rain and thunder", "bell")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A folder of two short clips."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("siren_alone.wav", "bell.mp4"):
        shutil.copy(SAMPLES / name, folder)
    return folder


def names(moments: pesearch.Moments) -> list[str]:
    return [moment.path.name for moment in moments]


def test_index_creates_a_library_that_is_searched_and_brought_up_to_date(
    new_library: pesearch.Library, videos: Path
) -> None:
    with pytest.raises(pesearch.LibraryNotFound):
        new_library.search("siren")
    assert not new_library.folder.exists()

    outcomes = list(new_library.index(videos))
    assert {outcome.path.name for outcome in outcomes if isinstance(outcome, pesearch.Indexed)} == {
        "siren_alone.wav", "bell.mp4",
    }  # fmt: skip
    assert names(new_library.search("siren")) == ["siren_alone.wav"]
    assert new_library.status().files == 2

    (videos / "broken.mp4").write_bytes(b"\0" * 100)
    summary = new_library.index(str(videos)).finish()
    assert (summary.is_complete, summary.indexed, summary.unchanged) == (True, 0, 2)
    assert list(summary.failed) == [videos / "broken.mp4"]
    assert new_library.index(videos, exclude="*.wav").finish().excluded == 1


def test_a_run_that_was_interrupted_is_continued_by_the_next(new_library: pesearch.Library, videos: Path) -> None:
    run = new_library.index(videos)
    with pytest.raises(KeyboardInterrupt), run:
        for outcome in run:
            if isinstance(outcome, pesearch.Plan):
                raise KeyboardInterrupt
    assert not run.summary.is_complete
    assert list(run) == []
    assert new_library.index(videos).finish().indexed == 2
    assert new_library.index(videos).finish().unchanged == 2


def test_a_second_run_at_the_same_time_is_refused(new_library: pesearch.Library, videos: Path) -> None:
    first = new_library.index(videos)
    next(first)
    with pytest.raises(pesearch.LibraryBusy):
        new_library.index(videos).finish()
    new_library.close()
    assert list(first) == []


def test_a_path_where_nothing_is_creates_no_library(new_library: pesearch.Library, tmp_path: Path) -> None:
    with pytest.raises(pesearch.MediaError, match=r"there is nothing at .*/nowhere"):
        new_library.index(tmp_path, tmp_path / "nowhere")
    with pytest.raises(pesearch.PesearchError, match="nothing to index"):
        new_library.index()
    assert not new_library.folder.exists()


def test_a_library_without_files_cannot_be_searched(loaded: None, starter: ModelSet, tmp_path: Path) -> None:
    store.create_library(tmp_path / "library", starter.name, starter.spaces)
    with pesearch.open(tmp_path / "library") as library, pytest.raises(pesearch.LibraryEmpty, match="has no files"):
        library.search("siren")


def test_models_that_do_not_fit_are_refused_before_anything_is_made(starter: ModelSet, tmp_path: Path) -> None:
    with pytest.raises(pesearch.UnknownModel):
        pesearch.open(tmp_path / "library", model="nonesuch")
    with pytest.raises(pesearch.DeviceError):
        pesearch.open(tmp_path / "library", model="starter", device="nonesuch")
    assert list(tmp_path.iterdir()) == []
    store.create_library(tmp_path / "library", "starter", [replace(space, revision="b") for space in starter.spaces])
    with pytest.raises(pesearch.ModelMismatch):
        pesearch.open(tmp_path / "library")


def test_the_models_of_a_library_are_opened_once(samples: pesearch.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pesearch.search.opening.open_model_set", None)
    assert samples.search("siren") == samples.search("siren")


def test_every_argument_of_a_search_is_used(samples: pesearch.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[SearchRequest] = []

    def remember(library: store.Library, models: ModelSet, request: SearchRequest) -> object:
        asked.append(request)
        return search(library, models, SearchRequest("siren"))

    monkeypatch.setattr("pesearch.api.library.search", remember)
    samples.search(
        "mind the gap", audio="a.wav", image=Path("b.png"), video="c.mp4", speech=True, k=3, per_file=2, dedupe=True,
        events=False, folder=SAMPLES, kind="video",
    )  # fmt: skip
    files = FileFilter(under=(SAMPLES,), kind=MediaKind.VIDEO)
    assert asked == [
        SearchRequest(
            "mind the gap", audio=Path("a.wav"), image=Path("b.png"), video=Path("c.mp4"), speech=True, k=3, per_file=2,
            dedupe=True, locate=False, files=files,
        )
    ]  # fmt: skip


def test_moments_are_those_of_the_truths(samples: pesearch.Library) -> None:
    found = samples.search("siren")
    assert set(names(found)) == {"siren_train.mp4", "siren_alone.wav"}
    assert all(moment.is_match and moment.score >= 0.5 for moment in found)
    best = next(moment for moment in found if moment.path.name == "siren_train.mp4")
    (truth,) = (heard for heard in HEARD["siren_train.mp4"] if heard["what"] == "siren")
    (event,) = (event for event in best.events if event.label == "siren")
    assert event.start_seconds == pytest.approx(truth["start"], abs=0.2)
    assert best.start_seconds <= truth["start"] + 0.2 < best.end_seconds


def test_moments_below_the_threshold_are_returned_on_request(samples: pesearch.Library) -> None:
    matches, everything = samples.search("siren"), samples.search("siren", all=True)
    assert [moment for moment in everything if moment.is_match] == list(matches)
    assert len(everything) == 10 > len(matches)
    assert all(moment.score < 0.5 for moment in everything if not moment.is_match)


def test_an_example_finds_itself(samples: pesearch.Library) -> None:
    assert names(samples.search(image=SAMPLES / "red_ball.png", kind="image", all=True)) == ["red_ball.png"]


def test_conditions_that_no_file_meets_are_a_warning(samples: pesearch.Library) -> None:
    found = samples.search("siren", longer="5h")
    assert (len(found), found.warnings) == (0, ("no file of the library meets these conditions",))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "empty"),
        ({"text": "siren", "folder": ""}, "folder is empty"),
        ({"text": "siren", "folder": "/nowhere"}, "nothing at /nowhere"),
        ({"text": "siren", "kind": "film"}, "kind is 'film': choose from video, audio, image"),
        ({"text": "siren", "k": 0}, "at least 1"),
        ({"audio": "/nowhere.wav"}, "nowhere.wav"),
    ],
)
def test_what_makes_no_sense_is_a_query_error(
    samples: pesearch.Library, arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(pesearch.QueryError, match=message):
        samples.search(**arguments)  # type: ignore[arg-type]  # as a program without type checks would call it


def test_threads_share_a_library(samples: pesearch.Library) -> None:
    alone = [samples.search(query) for query in QUERIES]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(samples.search, QUERIES * 2)) == alone * 2


@pytest.mark.parametrize("copied", [False, True])
def test_events_of_indexed_and_other_files(samples: pesearch.Library, tmp_path: Path, copied: bool) -> None:
    path = Path(shutil.copy(SAMPLES / "siren_train.mp4", tmp_path)) if copied else SAMPLES / "siren_train.mp4"
    found = samples.events(str(path), ["siren", "train"])
    for truth in HEARD["siren_train.mp4"]:
        onsets = [event.start_seconds for event in found if event.label == truth["what"]]
        assert min(abs(onset - truth["start"]) for onset in onsets) <= 0.2


def test_a_single_sound_may_be_a_text(samples: pesearch.Library) -> None:
    found = samples.events(SAMPLES / "siren_train.mp4", "siren")
    assert {event.label for event in found} == {"siren"}
    assert samples.events(SAMPLES / "siren_train.mp4", "siren", threshold=0.999999) == ()


def test_events_of_what_has_no_sound_are_refused(samples: pesearch.Library, tmp_path: Path) -> None:
    with pytest.raises(pesearch.MediaError, match=r"none\.mp4: no such file"):
        samples.events(tmp_path / "none.mp4", "siren")
    with pytest.raises(pesearch.MediaError, match=r"red_ball\.png has no sound"):
        samples.events(SAMPLES / "red_ball.png", "siren")
    with pytest.raises(pesearch.QueryError, match="name at least one sound"):
        samples.events(SAMPLES / "siren_train.mp4", [])


def test_a_closed_library_says_so(samples: pesearch.Library) -> None:
    with pesearch.open(samples.folder, device="cpu") as library:
        (best,) = library.search("siren", k=1)
    for use in (lambda: library.search("siren"), library.status, lambda: library.index(SAMPLES)):
        with pytest.raises(pesearch.LibraryError, match="was closed"):
            use()
    assert best.path.exists()


def test_folders_are_named_as_people_do(
    samples: pesearch.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib").symlink_to(samples.folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert pesearch.open("~/lib").status() == samples.status()
    monkeypatch.setenv("PESEARCH_LIBRARY", str(samples.folder))
    assert repr(pesearch.open()) == f"Library({str(samples.folder)!r})"
