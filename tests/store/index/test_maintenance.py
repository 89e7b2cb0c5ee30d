"""What goes wrong while an index is renewed is told, and nothing else: all that was committed stays, and is found."""

from __future__ import annotations

import os
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import LibraryDamaged
from pesearch.store.doctor import repair
from pesearch.store.index import maintenance
from pesearch.store.index.ivf_file import ivf_path
from pesearch.store.index.maintenance import IndexRefresh, RefreshFailed, RefreshProgress
from pesearch.store.library import Library, open_library
from pesearch.store.shards.vectors import map_shard
from pesearch.types import SpaceName
from tests.store.contents import AUDIO, encoded, queries
from tests.store.policies import compress_without_loss

FILES, ROWS = 40, 5


@pytest.fixture
def large(library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Files in several shards, to be searched by indexes that lose nothing; there are none yet."""
    with library.writer() as writer:
        for first in range(0, FILES, 10):
            files = range(first, first + 10)
            writer.add([encoded(f"/{number}", f"content {number}", rows=ROWS) for number in files])
    compress_without_loss(monkeypatch)
    return library


def renew(library: Library) -> list[IndexRefresh]:
    with library.writer() as writer:
        return list(writer.maintain())


def lacks_index(library: Library, space: SpaceName = SpaceName.AUDIO) -> bool:
    return library.status().policies[space].lacks_index


def shard_of(library: Library) -> Path:
    return next((library.folder / "vectors" / "audio").iterdir())


def test_steps(large: Library) -> None:
    with large.writer() as writer:
        steps = list(writer.maintain())
        assert list(writer.maintain()) == []
        writer.add([encoded("/more", "more", rows=ROWS)])
        assert {step.index for step in writer.maintain()} == set(SpaceName) & {SpaceName.AUDIO, SpaceName.FRAME}
    for space in (SpaceName.AUDIO, SpaceName.FRAME):
        shares = [step.share for step in steps if isinstance(step, RefreshProgress) and step.index == space]
        assert shares[0] == 0 and shares[-1] == 1
        assert all(one < other for one, other in pairwise(shares))
    assert renew(large) == []


def test_shard_that_is_cut(large: Library, library: Library) -> None:
    path = shard_of(large)
    path.write_bytes(path.read_bytes()[:-8])
    trouble, *steps = renew(large)
    assert isinstance(trouble, RefreshFailed) and trouble.index == SpaceName.AUDIO
    assert path.name in trouble.reason and "doctor --repair" in trouble.reason
    assert {step.index for step in steps if isinstance(step, RefreshProgress) and step.share == 1} == {SpaceName.FRAME}
    assert len(open_library(large.folder).files()) == FILES
    assert len(list(repair(large.folder))) == 1
    assert RefreshProgress(SpaceName.AUDIO, 1.0) in renew(large)
    assert len({hit.file_id for hit in large.search(SpaceName.AUDIO, queries(AUDIO, 1), FILES * ROWS)[0]}) < FILES


def test_shard_that_is_gone(large: Library) -> None:
    shard_of(large).unlink()
    trouble = renew(large)[0]
    assert isinstance(trouble, RefreshFailed) and "is gone" in trouble.reason


def test_shard_whose_numbers_are_none(large: Library) -> None:
    """Damage that leaves a shard readable: an index is not built over it."""
    snapshot = large.pinned()._generation.snapshot
    path = shard_of(large)
    (shard,) = (each for each in snapshot.vectors[SpaceName.AUDIO].shards.values() if each.name == path.name)
    vectors = map_shard(large.folder, shard, AUDIO.dim)[0].vectors
    content = path.read_bytes()
    spoilt = content.replace(vectors[:1].tobytes(), np.full(AUDIO.dim, np.nan, np.float16).tobytes())
    assert spoilt != content
    path.write_bytes(spoilt)
    trouble = renew(large)[0]
    assert isinstance(trouble, RefreshFailed) and "doctor --repair" in trouble.reason
    assert lacks_index(large) and not lacks_index(large, SpaceName.FRAME)


def test_the_old_index_stays(large: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    renew(large)
    kept = ivf_path(large.folder, SpaceName.AUDIO).read_bytes()
    monkeypatch.setattr(maintenance, "MAX_GROWTH", 0.5)  # every index is to be built anew
    path = shard_of(large)
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    with pytest.raises(LibraryDamaged):
        open_library(large.folder).search(SpaceName.AUDIO, queries(AUDIO), 3)
    assert isinstance(renew(large)[0], RefreshFailed)
    assert ivf_path(large.folder, SpaceName.AUDIO).read_bytes() == kept
    path.write_bytes(content)
    assert not lacks_index(large)
    assert open_library(large.folder).search(SpaceName.AUDIO, queries(AUDIO), 3)


def test_ctrl_c(large: Library) -> None:
    """Files committed by the same writer stay, and the next writer builds."""
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
    renew(large)
    assert not lacks_index(large)
