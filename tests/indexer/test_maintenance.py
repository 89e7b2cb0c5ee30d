"""A long run renews the search indexes meanwhile and reports it; an index that cannot be built fails no file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer import commit, maintenance
from pesearch.indexer.progress_events import Indexed, Plan, RunTimings
from pesearch.indexer.run import index
from pesearch.store.index.maintenance import RefreshFailed, RefreshProgress
from pesearch.store.library import Library
from pesearch.types import MEDIA_SPACES, SpaceName
from tests.indexer.runs import names_by_kind, of, run
from tests.store.policies import compress


@pytest.fixture(autouse=True)
def _compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    compress(monkeypatch)


@pytest.fixture
def pictures(tmp_path: Path, sample: Callable[[str], Path]) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.png").write_bytes(sample("cover.png").read_bytes() + bytes([number]))
    return folder


def test_search_indexes_are_built_at_the_end(media: Path, library: Library, models: ModelSet) -> None:
    outcomes = run(media, library, models)
    kinds = [type(outcome) for outcome in outcomes]
    assert (
        kinds.index(Plan)
        < kinds.index(Indexed)
        < kinds.index(RefreshProgress)
        < kinds.index(RunTimings)
        == len(kinds) - 1
    )
    for space in MEDIA_SPACES:
        shares = [step.share for step in of(RefreshProgress, outcomes) if step.index == space]
        assert shares == sorted(shares) and (shares[0], shares[-1]) == (0.0, 1.0)
    (timings,) = of(RunTimings, outcomes)
    assert 0 < timings.index_seconds < timings.elapsed_seconds
    assert not any(policy.lacks_index for policy in library.status().policies.values())
    assert not of(RefreshProgress, run(media, library, models))


def test_search_indexes_are_renewed_during_a_run(
    pictures: Path, library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other processes search the renewed index before the next file is committed."""
    monkeypatch.setattr(commit, "BATCH_FILES", 1)
    monkeypatch.setattr(maintenance, "MIN_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(maintenance, "MAX_TIME_SHARE", 1e9)
    covered = [
        library.status().policies[SpaceName.FRAME].compressed_rows
        for outcome in index([pictures], library, models)
        if isinstance(outcome, Indexed)
    ]
    assert covered == sorted(covered) and covered[0] == 0 < covered[-1] < 6
    assert library.status().policies[SpaceName.FRAME].compressed_rows == 6


def test_maintenance_waits_for_its_share_of_time(
    pictures: Path, library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "BATCH_FILES", 1)
    monkeypatch.setattr(maintenance, "MIN_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(maintenance, "MAX_TIME_SHARE", 1e-9)
    outcomes = run(pictures, library, models)
    assert [step.share for step in of(RefreshProgress, outcomes)].count(
        1.0
    ) == 2  # soon after the start, and at the end


def test_a_run_can_be_interrupted_while_an_index_is_built(media: Path, library: Library, models: ModelSet) -> None:
    outcomes = index([media], library, models)
    assert any(isinstance(outcome, RefreshProgress) for outcome in outcomes)
    with pytest.raises(KeyboardInterrupt):
        outcomes.throw(KeyboardInterrupt)
    assert library.status().policies[SpaceName.FRAME].lacks_index
    again = run(media, library, models)
    assert names_by_kind(again) == {"Unchanged": ["both.mp4", "cover.png", "tone.wav"]}
    assert not library.status().policies[SpaceName.FRAME].lacks_index


def test_an_index_that_cannot_be_built_fails_no_file(media: Path, library: Library, models: ModelSet) -> None:
    (library.folder / "indexes").write_text("in the way")
    outcomes = run(media, library, models)
    assert names_by_kind(outcomes) == {"Indexed": ["both.mp4", "cover.png", "tone.wav"]}
    assert {trouble.index for trouble in of(RefreshFailed, outcomes)} == set(MEDIA_SPACES)
    (library.folder / "indexes").unlink()
    assert not of(RefreshFailed, run(media, library, models))
    assert not library.status().policies[SpaceName.FRAME].lacks_index
