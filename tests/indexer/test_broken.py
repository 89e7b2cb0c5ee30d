"""Files with every kind of damage in many containers: no crash, no hang, each one reported.

Damaged MP4, Matroska, WebM and MP3 files with their index in front are read in tests/media/test_broken.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import Failed, Indexed, Plan, Progress, Relocated
from pesearch.store.library import Library
from tests.indexer.runs import location_counts, names_by_kind, of, run
from tests.media.broken import DAMAGES, broken_copies

GOOD = ("moov_last.mp4", "offset.ts", "old.flv", "mpeg4.avi", "tone.wav", "tone.flac", "tone.ogg", "tone.m4a")
GOOD += ("cover.png", "animated.gif")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_damaged_file_is_indexed_or_fails_with_a_reason(
    tmp_path: Path, sample: Callable[[str], Path], library: Library, models: ModelSet
) -> None:
    broken = broken_copies([sample(name) for name in GOOD], tmp_path / "media", len(GOOD) * len(DAMAGES))
    (tmp_path / "media" / "good.mp4").write_bytes(sample("both.mp4").read_bytes())
    outcomes = run(tmp_path / "media", library, models)
    indexed = {outcome.location.path for outcome in (*of(Indexed, outcomes), *of(Relocated, outcomes))}
    reasons = {outcome.failure.location.path: outcome.failure.reason for outcome in of(Failed, outcomes)}
    assert indexed.isdisjoint(reasons)
    assert indexed | reasons.keys() >= set(broken)
    assert tmp_path / "media" / "good.mp4" in indexed
    assert all(reason and "\n" not in reason and len(reason) < 120 for reason in reasons.values())
    assert {path.name for path in indexed} == set(location_counts(library))
    assert {failure.location.path for failure in library.failures()} == set(reasons)
    (plan,) = of(Plan, outcomes)
    assert sum(step.media_seconds for step in of(Progress, outcomes)) == pytest.approx(plan.media_seconds)
    again = names_by_kind(run(tmp_path / "media", library, models))
    assert again["FailedBefore"] == sorted(path.name for path in reasons)
    assert "Failed" not in again
