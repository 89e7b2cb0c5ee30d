"""A file that vanishes or cannot be read at any moment of a run: it fails alone, with the reason."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.cues import CueKind
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import MediaError
from pesearch.indexer.chunk_reader import read_chunks
from pesearch.indexer.progress_events import Failed, Remarked
from pesearch.indexer.run import index
from pesearch.indexer.survey import NewContent, survey
from pesearch.locations import Location, is_gone
from pesearch.media.probe import probe
from pesearch.store.library import Library, open_library
from tests.indexer.failing_files import UNREADABLE, VANISHED, failing, forget_probes
from tests.indexer.runs import IndexedFolder, names_by_kind, of, run

REASONS = {
    VANISHED: "vanished",
    UNREADABLE: "Bad file descriptor",
    errno.ESTALE: "stale",
}


@pytest.mark.parametrize("code", REASONS)
def test_a_file_that_fails_at_any_call_of_the_survey_has_a_reason(
    code: int, tmp_path: Path, sample: Callable[[str], Path], library: Library
) -> None:
    path = Path(shutil.copy(sample("tone.wav"), tmp_path))
    location = Location.of_file(path)
    at_call, failed, reasons = 1, True, []
    while failed:
        forget_probes()
        with failing(path, at_call, code) as count:
            (result,) = survey([location], library, retry_failed=False)
        at_call, failed = at_call + 1, count.failed
        if isinstance(result, Failed):
            reasons.append(result.failure.reason)
            assert result.failure.location == Location(path, 0, 0)  # tried again in the next run
        else:
            assert isinstance(result, NewContent)
    assert len(reasons) > 3
    assert all(REASONS[code] in reason and "\n" not in reason for reason in reasons)


@pytest.mark.parametrize("code", [VANISHED, errno.EIO])
def test_the_others_are_indexed_when_a_file_fails_while_it_is_read(
    code: int, media: Path, library: Library, models: ModelSet
) -> None:
    path = media / "sound" / "tone.wav"
    outcomes = index([media], library, models)
    first = next(outcomes)  # the plan: the survey is over
    with failing(path, 1, code):
        found = names_by_kind([first, *outcomes])
    assert found == {"Indexed": ["both.mp4", "cover.png"], "Failed": ["tone.wav"]}
    assert names_by_kind(run(media, library, models))["Indexed"] == ["tone.wav"]


@pytest.mark.parametrize("at_call", [1, 4, 7])
def test_a_file_is_not_indexed_in_part_when_its_disk_fails(
    at_call: int, sample: Callable[[str], Path], models: ModelSet
) -> None:
    path = sample("both.mp4")
    info = probe(path)
    forget_probes()
    with failing(path, at_call, UNREADABLE) as count, pytest.raises(MediaError, match="Bad file descriptor"):
        list(read_chunks(path, info, models))
    assert count.failed


def test_cues_stay_while_their_sidecar_cannot_be_read(
    tmp_path: Path, indexed_media: IndexedFolder, indexed_copy: Library, models: ModelSet
) -> None:
    """Neither a folder that cannot be listed nor a file that cannot be looked at are taken for a deleted one."""
    sidecar = indexed_media.folder / "sound" / "tone.srt"
    sidecar.write_text("1\n00:00:00,000 --> 00:00:02,000\nhello\n")
    try:
        run(indexed_media.folder, indexed_copy, models)
        for path, at_call in ((sidecar.parent, 1), (sidecar.parent, 3), (sidecar, 2)):
            with failing(path, at_call, errno.EIO) as count:
                run(indexed_media.folder, indexed_copy, models)
            assert count.failed and _subtitles(indexed_copy) == ["hello"]
        run(indexed_media.folder, indexed_copy, models)
        sidecar.write_text("1\n00:00:00,000 --> 00:00:02,000\nhello again\n")
        with failing(sidecar, 1, errno.EACCES):
            remarks = of(Remarked, run(indexed_media.folder, indexed_copy, models))
        assert [remark.reason for each in remarks for remark in each.remarks] == ["no permission to read it"]
        run(indexed_media.folder, indexed_copy, models)
        assert _subtitles(indexed_copy) == ["hello again"]
    finally:
        sidecar.unlink()


def _subtitles(library: Library) -> list[str]:
    now = open_library(library.folder)
    return [cue.text for file in now.files() for cue in now.cues(file.id) if cue.kind is CueKind.SUBTITLE]


def test_only_a_missing_name_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert is_gone(path) and is_gone(path / "b")
    path.touch()
    assert not is_gone(path) and is_gone(path / "b")
    with failing(path, 1, errno.EIO):
        assert not is_gone(path)
