"""All cues that match one term: by their words, across lines of subtitles, and by their meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.cues import WHOLE_FILE_KINDS
from pesearch.search.retrieve.cue_times import CueTimes, Mask, Rows
from pesearch.search.retrieve.cue_words import CueMatch, WordSearch, cue_match, find_across_lines
from pesearch.store.index.fulltext import FullTextIndex
from pesearch.store.index.fulltext_query import CueScope
from pesearch.store.index.fulltext_rows import CueRows


@dataclass(frozen=True, slots=True, eq=False)
class FoundCues:
    """Cues that match a term, best first, as columns.

    scores: float64 [n], in 0..1.
    entries: Objects [n]: the address of a cue that was not read yet, or a match.
    is_complete: Whether these are all; otherwise they are the best.
    """

    times: CueTimes
    scores: npt.NDArray[np.float64]
    entries: npt.NDArray[np.object_]
    is_complete: bool = True

    @classmethod
    def of(cls, matches: Sequence[CueMatch]) -> FoundCues:
        """Columns of matches, best first."""
        entries = np.empty(len(matches), dtype=np.object_)
        entries[:] = matches
        times = CueTimes(
            np.array([match.file_id for match in matches], dtype=np.int64),
            np.array([match.start_seconds for match in matches], dtype=np.float64),
            np.array([match.end_seconds for match in matches], dtype=np.float64),
            np.array([match.kind in WHOLE_FILE_KINDS for match in matches], dtype=np.bool_),
        )
        return cls(times, np.array([match.score for match in matches], dtype=np.float64), entries)

    @classmethod
    def concatenate(cls, parts: Sequence[FoundCues], is_complete: bool = True) -> FoundCues:
        """The cues of `parts`, at least one, one after the other."""
        times = CueTimes.concatenate([part.times for part in parts])
        scores = np.concatenate([part.scores for part in parts])
        return cls(times, scores, np.concatenate([part.entries for part in parts]), is_complete)

    @classmethod
    def merge(cls, parts: Sequence[FoundCues], is_complete: bool = True) -> FoundCues:
        """The cues of `parts`, best first; of those with equal scores in the order of the parts."""
        merged = cls.concatenate(parts, is_complete)
        return merged.take(np.argsort(-merged.scores, kind="stable"))

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: Rows | Mask | slice) -> FoundCues:
        """The cues at `rows`."""
        numbers = np.arange(len(self))[rows]
        return FoundCues(self.times.take(numbers), self.scores[numbers], self.entries[numbers], self.is_complete)


class TermCues:
    """The cues that match a term, in `file_ids` only unless None."""

    def __init__(
        self,
        index: FullTextIndex,
        words: WordSearch,
        file_ids: frozenset[int] | None,
        similar: Sequence[CueMatch] = (),
    ) -> None:
        self._index = index
        self._queries = words.queries
        self._file_ids = file_ids
        self._similar = FoundCues.of(similar)
        self.across_lines = FoundCues.of(find_across_lines(index, words.phrase, file_ids))
        scope = None if file_ids is None else CueScope(file_ids)
        self.count = sum(index.count(search.query, scope) for search in words.queries)
        self.count += len(self.across_lines) + len(similar)

    def best(self, min_count: int) -> FoundCues:
        """The best cues, without those across lines: at least `min_count`, or all. If more are asked for, others come
        after them only."""
        scope = None if self._file_ids is None else CueScope(self._file_ids)
        parts, is_complete = list[FoundCues](), True
        for search in self._queries:
            missing = min_count - sum(map(len, parts))
            is_complete = missing > 0
            if not is_complete:
                break
            rows = self._index.rows(search.query, missing, scope)
            parts.append(_found(rows, search.score))
        is_complete = is_complete and all(part.is_complete for part in parts)
        better = self._similar.scores > parts[-1].scores[-1] if parts and not is_complete else slice(None)
        return FoundCues.merge([*parts, self._similar.take(better)], is_complete)

    def within(self, scope: CueScope | None) -> FoundCues:
        """All cues in a scope, or in all files; some are outside of the scope."""
        if scope is None and self._file_ids is not None:
            scope = CueScope(self._file_ids)
        found = [_found(self._index.rows(search.query, None, scope), search.score) for search in self._queries]
        merged = FoundCues.merge([*found, self.across_lines, self._similar])
        return merged if self._file_ids is None else merged.take(np.isin(merged.times.file_ids, list(self._file_ids)))

    def read(self, found: FoundCues) -> list[CueMatch]:
        """The matches of cues found."""
        return [
            entry if isinstance(entry, CueMatch) else cue_match(*self._index.read(entry), score)
            for entry, score in zip(found.entries, found.scores.tolist(), strict=True)
        ]


def _found(rows: CueRows, score: float) -> FoundCues:
    times = CueTimes(rows.file_ids, rows.starts, rows.ends, rows.is_whole_file)
    return FoundCues(times, np.full(len(rows), score), rows.addresses, rows.is_complete)
