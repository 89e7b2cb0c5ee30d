"""The full-text index on disk, `indexes/cues.zip`: a cache that can be deleted at any time.

It is a single file, replaced as a whole: tantivy locks an index directory while it is open, and cannot open one in a
read-only folder. A reader unpacks the file into a folder of its own and updates that to the sources in the catalogue,
so the cache need not be current. The writer refreshes it at the end of its work.
"""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar
from unicodedata import unidata_version

import duckdb
import numpy as np

from pesearch.store.catalogue.connection import reading
from pesearch.store.catalogue.cues import CueSources, RowIds, StoredCue, cues_of_sources, sources_with_cues
from pesearch.store.disk.durable import disk_errors, write_durably
from pesearch.store.index.compressed_file import INDEX_FOLDER
from pesearch.store.index.fulltext import TANTIVY_VERSION, FullTextIndex, build_fulltext
from pesearch.temporary_folder import TemporaryFolder

FULLTEXT_FORMAT = 4
"""Format version of the file."""

MIN_CACHED_CUES = 2000
"""The cache is written only for more cues than this, and refreshed only after more changes than this: a reader indexes
a cue in 30 µs."""

MIN_CHANGED_SHARE = 0.05
"""The cache is refreshed when more than this share of all cues was added or removed."""

_HEADER = "head.json"
_Result = TypeVar("_Result")


class CatalogueReader(Protocol):
    """Runs a query on the catalogue, at the generation of the reader."""

    def __call__(self, query: Callable[[duckdb.DuckDBPyConnection], _Result], /) -> _Result: ...


class FullTextRegistry:
    """The full-text index that a reader has in memory, updated from one generation to the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: str | None = None
        self._index: FullTextIndex | None = None
        self._lock = threading.Lock()

    def index(self, library_id: str, stamp: str, read_catalogue: CatalogueReader) -> FullTextIndex:
        """The index over all cues at the generation of `stamp`.

        The catalogue is read only when the stamp has changed, and the index rebuilt only when the sources have.
        """
        with self._lock:
            if self._index is None or self._stamp != stamp:
                if self._index is None or not np.array_equal(
                    self._index.source_ids, read_catalogue(sources_with_cues).ids
                ):
                    with disk_errors(self._folder):
                        self._index = _open_current(self._folder, library_id, read_catalogue)
                self._stamp = stamp
            return self._index


def refresh_fulltext(folder: Path, library_id: str) -> None:
    """Rewrite the cache when too many cues have changed. The caller holds the writer's lock."""
    with reading(folder) as connection:
        live = sources_with_cues(connection)
        total = int(live.counts.sum())
        if _changed_cues(_read_covered(folder, library_id), live) <= max(MIN_CACHED_CUES, MIN_CHANGED_SHARE * total):
            return
        with disk_errors(folder):
            if total <= MIN_CACHED_CUES:
                _path(folder).unlink(missing_ok=True)
            else:
                _write(folder, library_id, live, cues_of_sources(connection, live.ids))


def _changed_cues(covered: CueSources | None, live: CueSources) -> int:
    if covered is None:
        return int(live.counts.sum())
    added, removed = ~np.isin(live.ids, covered.ids), ~np.isin(covered.ids, live.ids)
    return int(live.counts[added].sum() + covered.counts[removed].sum())


def _write(folder: Path, library_id: str, live: CueSources, cues: Iterable[StoredCue]) -> None:
    """Index all cues from scratch: deleted documents would still count in the BM25 statistics."""
    header = {"made_for": _made_for(library_id), "ids": live.ids.tolist(), "counts": live.counts.tolist()}
    with TemporaryFolder() as name:
        temporary = Path(name)
        build_fulltext(temporary, live.ids, (), cues)

        def write(sink: BinaryIO) -> None:
            with zipfile.ZipFile(sink, "w") as archive:
                archive.writestr(_HEADER, json.dumps({**header, "file_ids": live.file_ids.tolist()}))
                for path in sorted(temporary.iterdir()):
                    archive.write(path, path.name)

        _path(folder).parent.mkdir(exist_ok=True)
        write_durably(_path(folder), write)


def _open_current(folder: Path, library_id: str, read_catalogue: CatalogueReader) -> FullTextIndex:
    """The index over the sources in the catalogue.

    The unpacked files are deleted at once: tantivy has mapped them, so they stay readable, and nothing is left behind
    when the process is killed.
    """
    with TemporaryFolder() as name:
        temporary = Path(name)
        known = _unpack(folder, library_id, temporary)

        def missing(connection: duckdb.DuckDBPyConnection) -> tuple[CueSources, list[StoredCue]]:
            live = sources_with_cues(connection)
            return live, list(cues_of_sources(connection, live.ids[~np.isin(live.ids, known)]))

        live, cues = read_catalogue(missing)
        removed = known[~np.isin(known, live.ids)].tolist()
        return build_fulltext(temporary if len(known) else None, live.ids, removed, cues)


def _unpack(folder: Path, library_id: str, into: Path) -> RowIds:
    """Unpack the cache. Returns the ids of the sources that it covers; none when it is missing or unusable."""
    try:
        with zipfile.ZipFile(_path(folder)) as archive:
            covered = _read_header(archive, library_id)
            if covered is not None:
                archive.extractall(into, [name for name in archive.namelist() if name != _HEADER])
                return covered.ids
    except (FileNotFoundError, PermissionError, zipfile.BadZipFile, EOFError):
        pass  # an unreadable cache counts as missing
    return np.empty(0, dtype=np.int64)


def _read_covered(folder: Path, library_id: str) -> CueSources | None:
    try:
        with zipfile.ZipFile(_path(folder)) as archive:
            return _read_header(archive, library_id)
    except (OSError, zipfile.BadZipFile, EOFError):
        return None


def _read_header(archive: zipfile.ZipFile, library_id: str) -> CueSources | None:
    """The sources that a cache covers; None when it was made for something else."""
    header: dict[str, Any] = json.loads(archive.read(_HEADER)) if _HEADER in archive.namelist() else {}
    if header.get("made_for") != _made_for(library_id):
        return None
    return CueSources(*(np.array(header[name], dtype=np.int64) for name in ("ids", "file_ids", "counts")))


def _path(folder: Path) -> Path:
    return folder / INDEX_FOLDER / "cues.zip"


def _made_for(library_id: str) -> dict[str, Any]:
    """A cache is usable only when all of this matches. Another Unicode version may tokenize differently."""
    return {"format": FULLTEXT_FORMAT, "tantivy": TANTIVY_VERSION, "birth": library_id, "unicode": unidata_version}
