"""Keeping the compressed indexes up with their spaces: the last thing that a writer does."""

from __future__ import annotations

from pathlib import Path

from pesearch.store.compressed import build, extend
from pesearch.store.disk import disk_errors
from pesearch.store.index_cache import CacheFile, cache_path, read_cache, write_cache
from pesearch.store.layout import Layout
from pesearch.store.rows import map_rows
from pesearch.store.snapshot import Snapshot
from pesearch.store.vectors import is_large, uncovered
from pesearch.types import Space

LEAST_NEW_ROWS, NEW_SHARE = 16384, 0.02
"""An index is extended when more rows than this, and than this share of it, are searched exactly beside it: 16,384 rows
take about as long as the index itself."""

GROWTH, LEAST_LIVE_SHARE = 2.0, 0.7
"""It is built anew when the space is so many times what its lists were made for, or so little of it is still there."""


def renew_indexes(folder: Path, snapshot: Snapshot) -> None:
    """Build, extend or drop the indexes of a library, whichever its spaces need. For the one that holds the lock."""
    with disk_errors(folder):
        for space in snapshot.spaces:
            _renew(folder, snapshot, space)


def _renew(folder: Path, snapshot: Snapshot, space: Space) -> None:
    layout = snapshot.vectors[space.name].layout()
    if not is_large(space, layout):
        cache_path(folder, space.name).unlink(missing_ok=True)
        return
    cache = read_cache(folder, snapshot.birth, space)
    new = uncovered(layout, None if cache is None else cache.layout)
    new_rows = int(layout.counts[new].sum())
    if cache is None or _is_outgrown(cache, layout, layout.rows - new_rows):
        write_cache(folder, snapshot.birth, space, build(map_rows(folder, snapshot, space)))
    elif new_rows > max(LEAST_NEW_ROWS, NEW_SHARE * cache.layout.rows):
        covering = extend(cache.index(), map_rows(folder, snapshot, space), new)
        write_cache(folder, snapshot.birth, space, covering)


def _is_outgrown(cache: CacheFile, layout: Layout, live_rows: int) -> bool:
    return layout.rows > GROWTH * cache.trained_rows or live_rows < LEAST_LIVE_SHARE * cache.layout.rows
