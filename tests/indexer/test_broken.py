"""Files broken in every way: no crash, no hang, each one listed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import Failed, Indexed, Plan, Progress, Relocated
from pesearch.store.library import Library
from tests.indexer.runs import location_counts, names_by_kind, of, run
from tests.media.broken import broken_copies

GOOD = ("both.mp4", "moov_last.mp4", "offset.mkv", "offset.ts", "old.flv", "vp9.webm", "mpeg4.avi", "tone.wav")
GOOD += ("tone.mp3", "tone.flac", "tone.ogg", "tone.m4a", "cover.png", "animated.gif")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_300_broken_files(tmp_path: Path, sample: Callable[[str], Path], library: Library, models: ModelSet) -> None:
    good = [sample(name) for name in GOOD]
    broken = broken_copies(good, tmp_path / "media", 300)
    (tmp_path / "media" / "good.mp4").write_bytes(sample("both.mp4").read_bytes())
    outcomes = run(tmp_path / "media", library, models)
    listed = {outcome.location.path for outcome in (*of(Indexed, outcomes), *of(Relocated, outcomes))}
    reasons = {outcome.failure.location.path: outcome.failure.reason for outcome in of(Failed, outcomes)}
    assert listed.isdisjoint(reasons)
    assert listed | reasons.keys() >= set(broken)
    assert tmp_path / "media" / "good.mp4" in listed
    assert all(reason and "\n" not in reason and len(reason) < 120 for reason in reasons.values())
    assert {path.name for path in listed} == set(location_counts(library))
    assert {failure.location.path for failure in library.failures()} == set(reasons)
    (plan,) = of(Plan, outcomes)
    assert sum(step.media_seconds for step in of(Progress, outcomes)) == pytest.approx(plan.media_seconds)
    again = names_by_kind(run(tmp_path / "media", library, models))
    assert again["FailedBefore"] == sorted(path.name for path in reasons)
    assert "Failed" not in again
