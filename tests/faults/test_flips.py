"""A small cut of `python -m tests.faults.flips`, and what answers are left when rows are lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.matching import LogOdds, Recalibration
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.library import Library, open_library
from pesearch.store.recalibration import write_recalibration
from pesearch.store.shards.reader import read_batches
from pesearch.store.shards.vectors import vector_schema
from pesearch.types import SpaceName
from tests.faults import flips
from tests.faults.flips import Outcome


@pytest.fixture
def library(sample_library: Library, tmp_path: Path) -> Library:
    shutil.copytree(sample_library.folder, tmp_path / "library")
    return open_library(tmp_path / "library")


def test_a_flipped_bit_changes_no_answer_in_silence(
    library: Library, starter: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flips, "REQUESTS", flips.REQUESTS[:2])
    write_recalibration(library.folder, Recalibration("made up", LogOdds(1.1, 0.2), LogOdds(0.9, -0.1)))
    flips.answers(library, starter)  # keeps the vectors of the cohort
    expected = {
        "calibration.json": Outcome.REPORTED,
        "features": Outcome.REPAIRED,
        "library.duckdb": Outcome.REPORTED,
        "texts.vectors": Outcome.HARMLESS,
        "vectors/frame": Outcome.REPAIRED,
    }
    first = {flips.kind_of(path): path for path in flips.files_of(library.folder)}  # one of each kind
    found = flips.sweep(library.folder, starter, [first[kind] for kind in expected], 1)
    assert found == {kind: {outcome: 1} for kind, outcome in expected.items()}


@pytest.mark.parametrize("bits", [0x7E00, 0x7C00, 0xFBFF], ids=["nan", "inf", "-65504"])
def test_answers_without_lost_rows_are_those_of_a_library_that_never_had_them(
    library: Library, starter: ModelSet, bits: int
) -> None:
    """One vector, and the parity from which it would be restored."""
    file = next(file for file in library.files() if file.path.name == "bell.mp4")
    (extent,) = library._generation.snapshot.vectors[SpaceName.VIDEO].of_file(file.id).joined()
    (space,) = (space for space in library.spaces if space.name is SpaceName.VIDEO)
    (batch,) = read_batches(library.folder, extent.shard, vector_schema(space.dim))
    assert batch.guard is not None and extent.rows == 1
    vector, parity = batch.columns[-1][extent.first_row].tobytes(), batch.guard.parity.tobytes()
    path = library.folder / extent.shard.relative_path
    content = path.read_bytes()
    assert (content.count(vector), content.count(parity)) in ((1, 1), (2, 1))  # the parity of one row is that row
    all_rows = library.rows(SpaceName.VIDEO)
    flipped = vector[:20] + bits.to_bytes(2, "little") + vector[22:]
    path.write_bytes(content.replace(parity, bytes(len(parity))).replace(vector, flipped))
    damaged = open_library(library.folder)
    requests = [SearchRequest(text, locate=False) for text in ("train", "seen:ball", "heard:bell", "a dog in the rain")]
    found = [search(damaged, starter, request) for request in requests]
    assert [(named.path, named.data, named.lost) for named in found[0].damaged] == [(file.path, "video", 1)]

    with duckdb.connect(library.folder / "library.duckdb") as connection:
        connection.execute("DELETE FROM extents WHERE space = 'video' AND file_id = ?", [file.id])
    without = open_library(library.folder)
    assert without.rows(SpaceName.VIDEO) == damaged.rows(SpaceName.VIDEO) == all_rows - 1
    expected = [search(without, starter, request).moments for request in requests]
    assert [result.moments for result in found] == expected
