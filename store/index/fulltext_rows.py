"""Cues found by the full-text index, as columns: a frequent word matches a hundred thousand, and few are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import tantivy

from pesearch.cues import WHOLE_FILE_KINDS, Cue
from pesearch.store.index.fulltext_document import KINDS, stored_cue

_WHOLE_FILE_NUMBERS = [number for number, kind in enumerate(KINDS) if kind in WHOLE_FILE_KINDS]


@dataclass(frozen=True, eq=False)
class CueRows:
    """Cues that a query found, as columns; the rarer ones are read on first use. A cue in two sources of a file comes
    twice.

    addresses: DocAddress [n]. scores: float64 [n], BM25. file_ids: int64 [n]. starts: float64 [n], seconds.
    is_complete: Whether these are all that the query finds; otherwise they are the best.
    """

    searcher: tantivy.Searcher
    addresses: npt.NDArray[np.object_]
    scores: npt.NDArray[np.float64]
    file_ids: npt.NDArray[np.int64]
    starts: npt.NDArray[np.float64]
    is_complete: bool

    @classmethod
    def of(
        cls, searcher: tantivy.Searcher, hits: Sequence[tuple[float, tantivy.DocAddress]], is_complete: bool = True
    ) -> CueRows:
        """Best first; those with equal scores in the order of files and times."""
        addresses = np.empty(len(hits), dtype=np.object_)
        addresses[:] = [address for _, address in hits]
        scores = np.array([score for score, _ in hits], dtype=np.float64)
        file_ids, starts = (_column(searcher, name, addresses) for name in ("file_id", "start"))
        order = np.lexsort([starts, file_ids, -scores])
        rows = cls(searcher, addresses, scores, file_ids.astype(np.int64), starts, is_complete)
        return rows.take(order)

    def __len__(self) -> int:
        return len(self.addresses)

    @cached_property
    def ends(self) -> npt.NDArray[np.float64]:
        """float64 [n], seconds."""
        return _column(self.searcher, "end", self.addresses)

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """int64 [n]; see `fulltext_document.PLACES_PER_SOURCE`. Only lines of subtitles have one."""
        return _column(self.searcher, "place", self.addresses).astype(np.int64)

    @cached_property
    def is_whole_file(self) -> npt.NDArray[np.bool_]:
        """bool [n]: whether the cue is about its whole file."""
        return np.isin(_column(self.searcher, "kind_number", self.addresses), _WHOLE_FILE_NUMBERS)

    def take(self, rows: npt.NDArray[np.int64]) -> CueRows:
        """The cues at `rows`."""
        return CueRows(
            self.searcher,
            self.addresses[rows],
            self.scores[rows],
            self.file_ids[rows],
            self.starts[rows],
            self.is_complete,
        )

    def read(self) -> Iterator[tuple[int, Cue]]:
        """The cues, each with its file id."""
        return (read_document(self.searcher, address) for address in self.addresses)


def read_document(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> tuple[int, Cue]:
    """A cue, with its file id."""
    (stored,) = searcher.doc(address)["stored"]
    return stored_cue(stored)


def _column(searcher: tantivy.Searcher, name: str, addresses: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """A fast field of documents, float64 [n]: exact for integers below 2**53."""
    return np.array(searcher.fast_field_values(name, addresses.tolist()), dtype=np.float64)
