"""The full-text index on disk: `indexes/cues.zip`, a cache that can be deleted at any time.

It is one file, replaced as a whole: an index of tantivy that lay open in the library would be locked while it is
opened, and of no use where nothing may be written. A reader unpacks it for itself and brings that up to the sources
that the catalogue has, so the cache need not be the latest. The writer renews it at the end of its work.
"""

from __future__ import annotations

import json
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar
from unicodedata import unidata_version

import duckdb
import numpy as np

from pesearch.store.catalogue.connection import reading
from pesearch.store.catalogue.cues import CueSources, RowIds, StoredCue, cues_of_sources, sources_with_cues
from pesearch.store.disk.durable import disk_errors, write_durably
from pesearch.store.index.fulltext import TANTIVY_VERSION, TextIndex, index_in
from pesearch.store.index.ivf_file import INDEX_FOLDER

FORMAT = 1

LEAST_CUES, NEW_SHARE = 2000, 0.05
"""Fewer cues need no cache, and it is renewed when so many, and such a share of all, have come or gone since: a reader
takes 30 microseconds for each that it has to add."""

_HEAD = "head.json"
_Answer = TypeVar("_Answer")


class Asking(Protocol):
    """Asks the catalogue for something, at the generation that the reader is at."""

    def __call__(self, answer: Callable[[duckdb.DuckDBPyConnection], _Answer]) -> _Answer: ...


class FullTextRegistry:
    """The full-text index that a reader has in memory: it serves one generation after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: str | None = None
        self._index: TextIndex | None = None
        self._opening = threading.Lock()

    def index(self, library_id: str, stamp: str, ask: Asking) -> TextIndex:
        """The index over all cues at the generation of this stamp. Only of another than before the catalogue is asked,
        and only other sources than before make another index."""
        with self._opening:
            if self._index is None or self._stamp != stamp:
                if self._index is None or not np.array_equal(self._index.source_ids, ask(sources_with_cues).ids):
                    with disk_errors(self._folder):
                        self._index = _brought_up(self._folder, library_id, ask)
                self._stamp = stamp
            return self._index


def refresh_text(folder: Path, library_id: str) -> None:
    """Write the cache anew when too much has changed since. For the one that holds the writer's lock."""
    with reading(folder) as connection:
        live = sources_with_cues(connection)
        total = int(live.counts.sum())
        if _changed_cues(_covered(folder, library_id), live) <= max(LEAST_CUES, NEW_SHARE * total):
            return
        cues = cues_of_sources(connection, live.ids)
    with disk_errors(folder):
        if total <= LEAST_CUES:
            _path(folder).unlink(missing_ok=True)
        else:
            _write(folder, library_id, live, cues)


def _changed_cues(covered: CueSources | None, live: CueSources) -> int:
    if covered is None:
        return int(live.counts.sum())
    new, gone = ~np.isin(live.ids, covered.ids), ~np.isin(covered.ids, live.ids)
    return int(live.counts[new].sum() + covered.counts[gone].sum())


def _write(folder: Path, library_id: str, live: CueSources, cues: list[StoredCue]) -> None:
    """All cues, indexed from the first on: what is gone leaves no trace in the scores."""
    head = {"made_for": _made_for(library_id), "ids": live.ids.tolist(), "counts": live.counts.tolist()}
    with _private_folder() as private:
        index_in(private, live.ids, (), cues)

        def write(sink: BinaryIO) -> None:
            with zipfile.ZipFile(sink, "w") as pack:
                pack.writestr(_HEAD, json.dumps({**head, "file_ids": live.file_ids.tolist()}))
                for path in sorted(private.iterdir()):
                    pack.write(path, path.name)

        _path(folder).parent.mkdir(exist_ok=True)
        write_durably(_path(folder), write)


def _brought_up(folder: Path, library_id: str, ask: Asking) -> TextIndex:
    """An index over what the catalogue has. The files of one that was unpacked are deleted at once: what is mapped
    lives on without a name, and nobody has to clear up."""
    with _private_folder() as private:
        known = _unpacked(folder, library_id, private)

        def missing(connection: duckdb.DuckDBPyConnection) -> tuple[CueSources, list[StoredCue]]:
            live = sources_with_cues(connection)
            return live, cues_of_sources(connection, live.ids[~np.isin(live.ids, known)])

        live, cues = ask(missing)
        gone = known[~np.isin(known, live.ids)].tolist()
        return index_in(private if len(known) else None, live.ids, gone, cues)


@contextmanager
def _private_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pesearch-") as name:
        yield Path(name)


def _unpacked(folder: Path, library_id: str, into: Path) -> RowIds:
    """Unpack the cache; the sources that it covers, none when it is of no use."""
    try:
        with zipfile.ZipFile(_path(folder)) as pack:
            covered = _head(pack, library_id)
            if covered is not None:
                pack.extractall(into, [name for name in pack.namelist() if name != _HEAD])
                return covered.ids
    except (FileNotFoundError, PermissionError, zipfile.BadZipFile, EOFError):
        pass  # a cache that cannot be read is none
    return np.empty(0, dtype=np.int64)


def _covered(folder: Path, library_id: str) -> CueSources | None:
    try:
        with zipfile.ZipFile(_path(folder)) as pack:
            return _head(pack, library_id)
    except (OSError, zipfile.BadZipFile, EOFError):
        return None


def _head(pack: zipfile.ZipFile, library_id: str) -> CueSources | None:
    """What a cache covers; None when it was made for something else."""
    head: dict[str, Any] = json.loads(pack.read(_HEAD)) if _HEAD in pack.namelist() else {}
    if head.get("made_for") != _made_for(library_id):
        return None
    return CueSources(*(np.array(head[name], dtype=np.int64) for name in ("ids", "file_ids", "counts")))


def _path(folder: Path) -> Path:
    return folder / INDEX_FOLDER / "cues.zip"


def _made_for(library_id: str) -> dict[str, Any]:
    """What must be the same for a cache to be of use; another Unicode has other words."""
    return {"format": FORMAT, "tantivy": TANTIVY_VERSION, "birth": library_id, "unicode": unidata_version}
