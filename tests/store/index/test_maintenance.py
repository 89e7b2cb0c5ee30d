"""Index maintenance that fails is reported and changes nothing: committed data stays and is found."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pesearch.store.doctor import repair
from pesearch.store.index import maintenance
from pesearch.store.index.compressed_file import compressed_path
from pesearch.store.index.maintenance import IndexRefresh, RefreshFailed, RefreshProgress
from pesearch.store.library import Library, open_library
from pesearch.store.shards.parity import PARITY_ROWS
from pesearch.store.shards.vectors import map_shard
from pesearch.types import SpaceName
from tests.store.contents import AUDIO, encoded, queries
from tests.store.index.conftest import FILES, ROWS
from tests.store.policies import compress_without_loss


@pytest.fixture
def large(unindexed_folder: Path, copy_of: Callable[[Path], Library], monkeypatch: pytest.MonkeyPatch) -> Library:
    """Files in several shards, large enough for compressed indexes without loss; there are none yet."""
    compress_without_loss(monkeypatch)
    return copy_of(unindexed_folder)


def refresh(library: Library) -> list[IndexRefresh]:
    with library.writer() as writer:
        return list(writer.maintain())


def lacks_index(library: Library, space: SpaceName = SpaceName.AUDIO) -> bool:
    return library.status().policies[space].lacks_index


def shard_of(library: Library) -> Path:
    return next((library.folder / "vectors" / "audio").iterdir())


def test_progress_of_each_index_rises_from_0_to_1(large: Library) -> None:
    with large.writer() as writer:
        steps = list(writer.maintain())
        assert list(writer.maintain()) == []
        writer.add([encoded("/more", "more", rows=ROWS)])
        assert {step.index for step in writer.maintain()} == set(SpaceName) & {SpaceName.AUDIO, SpaceName.FRAME}
    for space in (SpaceName.AUDIO, SpaceName.FRAME):
        shares = [step.share for step in steps if isinstance(step, RefreshProgress) and step.index == space]
        assert shares[0] == 0 and shares[-1] == 1
        assert all(share < following for share, following in pairwise(shares))
    assert refresh(large) == []


def test_truncated_shard_is_reported_and_repaired(large: Library) -> None:
    path = shard_of(large)
    path.write_bytes(path.read_bytes()[:-8])
    problem, *steps = refresh(large)
    assert isinstance(problem, RefreshFailed) and problem.index == SpaceName.AUDIO
    assert path.name in problem.reason and "doctor --repair" in problem.reason
    assert {step.index for step in steps if isinstance(step, RefreshProgress) and step.share == 1} == {SpaceName.FRAME}
    assert len(open_library(large.folder).files()) == FILES
    assert len(list(repair(large.folder))) == 1
    assert RefreshProgress(SpaceName.AUDIO, 1.0) in refresh(large)
    assert len({hit.file_id for hit in large.search(SpaceName.AUDIO, queries(AUDIO, 1), FILES * ROWS)[0]}) < FILES


def test_missing_shard_is_reported(large: Library) -> None:
    shard_of(large).unlink()
    problem = refresh(large)[0]
    assert isinstance(problem, RefreshFailed) and "is missing" in problem.reason


@pytest.mark.parametrize("is_restorable", [True, False])
def test_an_index_is_built_over_restored_vectors_but_not_without_lost_ones(large: Library, is_restorable: bool) -> None:
    """Damage that leaves a shard readable: two rows of one parity group cannot be restored."""
    snapshot = large.pinned()._generation.snapshot
    path = shard_of(large)
    (shard,) = (shard for shard in snapshot.vectors[SpaceName.AUDIO].shards.values() if shard.name == path.name)
    vectors = map_shard(large.folder, shard, AUDIO.dim)[0].vectors
    content = path.read_bytes()
    for row in (0,) if is_restorable else (0, PARITY_ROWS):
        damaged = content.replace(vectors[row].tobytes(), np.full(AUDIO.dim, np.nan, np.float16).tobytes())
        assert damaged != content
        content = damaged
    path.write_bytes(content)
    problems = [step.reason for step in refresh(large) if isinstance(step, RefreshFailed)]
    assert is_restorable or ["doctor --repair" in reason for reason in problems] == [True]
    assert lacks_index(large) != is_restorable and not lacks_index(large, SpaceName.FRAME)


def test_failed_rebuild_keeps_the_previous_index(
    indexed_folder: Path, copy_of: Callable[[Path], Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    compress_without_loss(monkeypatch)
    library = copy_of(indexed_folder)
    previous = compressed_path(library.folder, SpaceName.AUDIO).read_bytes()
    monkeypatch.setattr(maintenance, "MAX_GROWTH", 0.5)  # every index is to be rebuilt
    path = shard_of(library)
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    reader = open_library(library.folder)
    assert len(reader.search(SpaceName.AUDIO, queries(AUDIO), 3)[0]) in (0, 3)
    assert {file.shard.name for file in reader.damage()} == {path.name}
    assert isinstance(refresh(library)[0], RefreshFailed)
    assert compressed_path(library.folder, SpaceName.AUDIO).read_bytes() == previous
    path.write_bytes(content)
    assert not lacks_index(library)
    assert open_library(library.folder).search(SpaceName.AUDIO, queries(AUDIO), 3)


def test_ctrl_c_while_building_keeps_committed_files(large: Library) -> None:
    """The next writer builds the index."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), large.writer() as writer:
            writer.add([encoded("/more", "more", rows=ROWS)])
            for _ in writer.maintain():
                os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(large.files()) == FILES + 1
    assert lacks_index(large)
    assert len(large.search(SpaceName.AUDIO, queries(AUDIO, 1), 1000)[0]) == (FILES + 1) * ROWS
    refresh(large)
    assert not lacks_index(large)
