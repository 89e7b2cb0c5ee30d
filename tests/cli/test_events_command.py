"""`pesearch events`: onsets of named sounds, and the progress bar."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from pesearch.cli import events_command
from pesearch.cli.events_command import detection_progress
from pesearch.errors import MediaError
from pesearch.search.opening import open_for_events
from pesearch.store.library import Library
from tests.cli.conftest import Run
from tests.indexer.trees import plant, public_folder, without_rights

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"
TRUTHS = {clip["path"]: clip for clip in json.loads((SAMPLES / "truths.json").read_text())["clips"]}


@pytest.mark.slow
@pytest.mark.parametrize("is_indexed", [False, True])
def test_onsets_are_within_200_ms(pesearch: Run, sample_library: Library, tmp_path: Path, is_indexed: bool) -> None:
    """With the models named by --model, or those of the library that knows the file."""
    which = ("--library", sample_library.folder) if is_indexed else ("--library", tmp_path, "--model", "starter")
    result = pesearch("events", SAMPLES / "siren_train.mp4", "siren", "train", *which, "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert set(found) == {"version", "path", "events"}
    for heard in TRUTHS["siren_train.mp4"]["heard"]:
        onsets = [event["start"] for event in found["events"] if event["label"] == heard["what"]]
        assert min(abs(onset - heard["start"]) for onset in onsets) <= 0.2


@pytest.mark.slow
def test_no_event_is_exit_code_1(pesearch: Run, sample_library: Library) -> None:
    result = pesearch("events", SAMPLES / "bell.mp4", "siren", "--library", sample_library.folder)
    assert (result.returncode, result.stdout) == (1, "")


def test_a_file_is_known_by_any_path_to_it_and_others_get_the_models_of_the_library(
    sample_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a link, with `..`, and relative; a file that the library does not know needs no set of its own."""
    (tmp_path / "videos").symlink_to(SAMPLES)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    for path in ("../videos/bell.mp4", tmp_path / "videos" / "bell.mp4", SAMPLES / "bell.mp4"):
        models, stored = open_for_events(Path(path), sample_library.folder, None, "cpu")
        assert models.name == "starter"
        assert stored is not None and stored.file_id == sample_library.known()[SAMPLES / "bell.mp4"].file_id
    shutil.copy(SAMPLES / "bell.mp4", tmp_path / "elsewhere.mp4")
    models, stored = open_for_events(tmp_path / "elsewhere.mp4", sample_library.folder, None, "cpu")
    assert (models.name, stored) == ("starter", None)


def test_a_file_that_never_was_needs_no_models(pesearch: Run, tmp_path: Path) -> None:
    result = pesearch("events", tmp_path / "never.mp4", "siren", "--library", tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"pesearch: {tmp_path / 'never.mp4'}: no such file\n"


@pytest.mark.parametrize(
    ("name", "reason"), [("folder", "a folder, not a file"), ("text.mp4", "not a media file: it is text")]
)
@pytest.mark.parametrize("model", [(), ("--model", "light")])
def test_what_is_no_media_file_needs_no_models(
    pesearch: Run, tmp_path: Path, name: str, reason: str, model: tuple[str, ...]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.mp4").write_text("no film")
    result = pesearch("events", tmp_path / name, "siren", "--library", tmp_path, *model)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"pesearch: {tmp_path / name}: {reason}\n"


def test_a_file_in_a_folder_that_may_not_be_read_needs_no_models() -> None:
    with public_folder() as folder:
        film = plant(folder, "locked/film.mp4") / "locked/film.mp4"
        film.parent.chmod(0)
        with without_rights(), pytest.raises(MediaError, match=re.escape(f"{film}: no permission to read it")):
            open_for_events(film, folder, None, "cpu")
        film.parent.chmod(0o755)


def test_fast_detection_shows_no_progress(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes stderr for a terminal
    monkeypatch.setattr(events_command, "PROGRESS_DELAY_SECONDS", 1000.0)
    with detection_progress() as report:
        report(5.0, 10.0)
    assert "listening" not in capsys.readouterr().err


def test_slow_detection_shows_progress_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(events_command, "PROGRESS_DELAY_SECONDS", 0.0)
    with detection_progress() as report:
        report(5.0, 10.0)
        report(10.0, 10.0)
    shown = capsys.readouterr()
    assert "listening" in shown.err
    assert shown.out == ""
