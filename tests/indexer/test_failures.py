"""Files that cannot be indexed are recorded with a reason, and the others are indexed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import Failed, NotMedia, Plan
from pesearch.indexer.run import index, index_found
from pesearch.indexer.survey import survey
from pesearch.locations import Location
from pesearch.store.library import Library, create_library
from tests.indexer.runs import location_counts, names_by_kind, of, run
from tests.indexer.trees import public_folder, without_rights

Sample = Callable[[str], Path]


def add_unreadable_files(media: Path, sample: Sample) -> Path:
    """Adds unreadable files to a folder of media."""
    (media / "empty.mp4").touch()
    (media / "text.mkv").write_text("This is no film.\n")
    (media / "cut.mp4").write_bytes(sample("no_moov.mp4").read_bytes())
    (media / "no_name").touch()
    return media


def test_failures_have_reasons_and_the_other_files_are_indexed(
    media: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    outcomes = run(add_unreadable_files(media, sample), library, models)
    assert names_by_kind(outcomes) == {
        "Indexed": ["both.mp4", "cover.png", "tone.wav"],
        "Failed": ["cut.mp4", "empty.mp4", "text.mkv"],
    }
    assert {each.location.path.name for each in of(NotMedia, outcomes)} == {"no_name", "notes.txt"}
    reasons = {failure.location.path.name: failure.reason for failure in library.failures()}
    assert reasons.keys() == {"cut.mp4", "empty.mp4", "text.mkv"}
    assert "empty" in reasons["empty.mp4"]
    assert "cut short" in reasons["cut.mp4"]
    assert "not a media file" in reasons["text.mkv"]
    assert all("\n" not in reason for reason in reasons.values())


def test_a_failure_is_retried_only_with_retry_failed(
    media: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    run(add_unreadable_files(media, sample), library, models)
    again = names_by_kind(run(media, library, models))
    assert again["FailedBefore"] == ["cut.mp4", "empty.mp4", "text.mkv"]
    assert "Failed" not in again
    retried = names_by_kind(run(media, library, models, retry_failed=True))
    assert retried["Failed"] == ["cut.mp4", "empty.mp4", "text.mkv"]


def test_a_failure_is_retried_when_the_file_changes(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    path = tmp_path / "media" / "a.png"
    path.parent.mkdir()
    path.touch()
    assert names_by_kind(run(path.parent, library, models)) == {"Failed": ["a.png"]}
    path.write_bytes(sample("cover.png").read_bytes())
    assert names_by_kind(run(path.parent, library, models)) == {"Indexed": ["a.png"]}
    assert library.failures() == []


def test_the_failure_of_a_removed_file_is_forgotten(tmp_path: Path, library: Library, models: ModelSet) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "a.mp4").touch()
    run(folder, library, models)
    (folder / "a.mp4").unlink()
    assert names_by_kind(run(folder, library, models)) == {}
    assert library.failures() == []


def test_each_copy_of_a_damaged_file_fails(tmp_path: Path, sample: Sample, library: Library, models: ModelSet) -> None:
    """Probing succeeds and decoding fails: the packets of this video, and of its copy, are zeros."""
    content = bytearray(sample("silent.mp4").read_bytes())
    start = content.index(b"mdat") + 4
    content[start : start + 4000] = bytes(4000)
    folder = tmp_path / "media"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (folder / name).write_bytes(content[: start + 4000] + bytes(len(content) - start - 4000))
    assert names_by_kind(run(folder, library, models)) == {"Failed": ["a.mp4", "b.mp4"]}
    assert len(library.failures()) == 2


def test_hostile_names(tmp_path: Path, sample: Sample, library: Library, models: ModelSet) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    names = [
        b"caf\xe9.mp4",
        b"new\nline.png",
        b"-rf.png",
        b"%03d.png",
        "片.png".encode(),
        b"'; DROP TABLE files;--.png",
    ]
    for number, name in enumerate(names):
        source = sample("silent.mp4" if name.endswith(b"mp4") else "cover.png")
        Path(folder, os.fsdecode(name)).write_bytes(source.read_bytes() + bytes([number] * 8))
    Path(folder, os.fsdecode(b"bad\xff.mkv")).touch()
    outcomes = names_by_kind(run(folder, library, models))
    assert sorted(os.fsencode(name) for name in outcomes["Indexed"]) == sorted(names)
    assert [os.fsencode(name) for name in outcomes["Failed"]] == [b"bad\xff.mkv"]
    assert {os.fsencode(name) for name in location_counts(library)} == set(names)
    assert {os.fsencode(failure.location.path.name) for failure in library.failures()} == {b"bad\xff.mkv"}


def test_a_file_without_read_permission_is_retried_in_each_run(sample: Sample, models: ModelSet) -> None:
    """It is recorded without size and time: granting permission changes neither."""
    with public_folder() as folder:
        library = create_library(folder / "library", models.name, models.spaces)
        library.folder.chmod(0o755)
        path = folder / "closed.mp4"
        path.write_bytes(sample("both.mp4").read_bytes())
        path.chmod(0)
        location = Location.of_file(path)
        for _ in range(2):
            with without_rights():
                (finding,) = survey([location], library, retry_failed=False)
            assert isinstance(finding, Failed)
            assert "permission" in finding.failure.reason
            with library.writer() as writer:
                writer.record_failures(finding.failure)
            assert [failure.location.path for failure in library.failures()] == [path]
        path.chmod(0o600)
        assert names_by_kind(run(folder, library, models)) == {"Indexed": ["closed.mp4"]}
        assert library.failures() == []


def test_a_file_that_changes_while_it_is_embedded_is_not_registered(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    """Its vectors may be of a mix of both contents. The next run retries it without `retry_failed`."""
    path = tmp_path / "media" / "a.png"
    path.parent.mkdir()
    path.write_bytes(sample("cover.png").read_bytes())
    outcomes = index([path.parent], library, models)
    assert next(outcomes) == Plan(1, 0.0)
    path.write_bytes(sample("cover.png").read_bytes() + b"more")
    (failed,) = of(Failed, outcomes)
    assert failed.failure.reason == "changed while it was read: index again when it is complete"
    assert library.files() == []
    assert names_by_kind(run(path.parent, library, models)) == {"Indexed": ["a.png"]}


def test_a_file_that_vanishes_after_the_crawl_is_reported(tmp_path: Path, library: Library, models: ModelSet) -> None:
    gone = Location(tmp_path / "gone.mp4", 10, 10)
    outcomes = list(index_found([gone], [tmp_path], library, models))
    assert names_by_kind(outcomes) == {"Failed": ["gone.mp4"]}
    assert "vanished" in of(Failed, outcomes)[0].failure.reason
    assert library.failures() == []
