"""A small cut of `python -m tests.faults.flips`, and what answers are left when rows are lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.matching import LogOdds, Recalibration
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.library import Library, open_library
from pesearch.store.recalibration import write_recalibration
from pesearch.store.shards.parity import PARITY_ROWS
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
    paths = [path for path in flips.files_of(library.folder) if flips.kind_of(path) in expected]
    found = flips.sweep(library.folder, starter, paths, 1)
    assert found == {kind: {outcome: 1} for kind, outcome in expected.items()}


@pytest.mark.parametrize("bits", [0x7E00, 0x7C00, 0xFBFF], ids=["nan", "inf", "-65504"])
def test_answers_without_lost_rows_are_those_of_a_library_that_never_had_them(
    library: Library, starter: ModelSet, bits: int
) -> None:
    (shard,) = (library.folder / "vectors" / "video").iterdir()
    all_rows, rows = library.rows(SpaceName.VIDEO), [0, PARITY_ROWS]  # each is the only one of its file
    with duckdb.connect(library.folder / "library.duckdb", read_only=True) as connection:
        lost = connection.execute(
            "SELECT file_id FROM extents WHERE space = 'video' AND rows = 1 AND first_row IN (?, ?)", rows
        ).fetchall()
    assert len(lost) == len(rows)
    content = bytearray(shard.read_bytes())
    for (file_id,) in lost:
        vector = library.vectors(file_id, SpaceName.VIDEO).vectors[0].astype(np.float16).tobytes()
        at = content.index(vector) + 20
        content[at : at + 2] = bits.to_bytes(2, "little")
    shard.write_bytes(content)
    damaged = open_library(library.folder)
    requests = [SearchRequest(text, locate=False) for text in ("train", "seen:ball", "heard:bell", "a dog in the rain")]
    found = [search(damaged, starter, request) for request in requests]
    assert sorted(file.path for file in found[0].damaged) == sorted(library.file(each).path for (each,) in lost)
    assert {file.lost for file in found[0].damaged} == {1}

    with duckdb.connect(library.folder / "library.duckdb") as connection:
        connection.execute("DELETE FROM extents WHERE space = 'video' AND first_row IN (?, ?)", rows)
    without = open_library(library.folder)
    assert without.rows(SpaceName.VIDEO) == damaged.rows(SpaceName.VIDEO) == all_rows - 2
    expected = [search(without, starter, request).moments for request in requests]
    assert [result.moments for result in found] == expected
