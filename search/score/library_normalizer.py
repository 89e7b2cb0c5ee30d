"""The normalizers of a library, and its thresholds: built from a sample of its windows and the cohort."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from pesearch.matching import Placement, Recalibration
from pesearch.search.score.cohort import COHORT_SLICES, CohortKind
from pesearch.search.score.cohort_vectors import cohort_vectors
from pesearch.search.score.distinct_windows import distinct_windows
from pesearch.search.score.hypotheses import count_hypotheses, hypothesis_deviations
from pesearch.search.score.match_threshold import Deviations, Draws, MatchThreshold
from pesearch.search.score.near_equality import MeanVectors
from pesearch.search.score.normalization import SpaceNormalizer
from pesearch.search.score.single_precision import single_precision
from pesearch.search.score.window_pooling import Indexes, WindowRows, file_windows, part_windows
from pesearch.store.recalibration import read_recalibration
from pesearch.types import MEDIA_SPACES, FloatArray, Part, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.io_types import TextVectors
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

SAMPLE_WINDOWS = 512
"""Windows of a library, evenly spaced, that its chance scores are taken from: medians are off by 0.06 spreads."""

MIN_SPACE_WINDOWS = 16
"""At least this many windows of files with vectors in a space are sampled, if there are as many such files: a picture
among thousands of recordings is scored too."""

MAX_GROWTH_SHARE = 0.05
"""The normalizer is rebuilt once the windows of its library have grown or shrunk by more than this share."""


class LibraryNormalizer:
    """The normalizers of the spaces of a library in one state, and the thresholds of its scores."""

    def __init__(
        self, library: Library, models: ModelSet, windows: int, cohort: TextVectors, recalibration: Recalibration | None
    ) -> None:
        """`windows` is the number of windows of the library, `cohort` has the vectors of COHORT.

        `spaces` are those with vectors in the library: others have no normalizer, or one of reference windows only.
        `typical_distances` are those of two windows in each space, for `near_equality`.
        """
        self.windows = windows
        self.recalibration = recalibration
        self._matching = matching = models.description.matching
        self._placements = {CohortKind.NAMES: matching.names, CohortKind.SENTENCES: matching.sentences}
        fitted = recalibration or Recalibration("nothing")
        self._corrections = {CohortKind.NAMES: fitted.names, CohortKind.SENTENCES: fitted.sentences}
        self.spaces = spaces_with_vectors(library)
        parts = sample_windows(library, SAMPLE_WINDOWS)
        read = {space.name: _read(library, parts, space.name) for space in models.spaces}
        self.typical_distances = {name: _typical_distance(*of_space, models, name) for name, of_space in read.items()}
        distinct = distinct_windows(list(read.values()))
        self._draws = Draws(len(distinct), round(windows * len(distinct) / max(len(parts), 1)))
        self._spaces: dict[SpaceName, SpaceNormalizer] = {}
        rows_of: dict[SpaceName, WindowRows] = {}
        for space in models.spaces:
            texts = cohort.of(space.name)
            vectors, sampled = read[space.name]
            vectors, rows = _with_reference(vectors, sampled.take(distinct), models, space.name)
            if texts is not None and rows.counts.any():
                self._spaces[space.name], rows_of[space.name] = SpaceNormalizer(space.name, vectors, rows, texts), rows
        self._deviations = {kind: self._cohort_deviations(kind, rows_of) for kind in CohortKind}
        self._thresholds: dict[tuple[CohortKind, frozenset[SpaceName]], MatchThreshold] = {}
        self._space_thresholds: dict[tuple[CohortKind, SpaceName], MatchThreshold] = {}

    def of(self, space: SpaceName) -> SpaceNormalizer:
        """The normalizer of a space. Raises KeyError for a space without vectors."""
        return self._spaces[space]

    def threshold(self, kind: CohortKind, spaces: Collection[SpaceName]) -> MatchThreshold:
        """The threshold of windows for a text of this kind that is searched in these spaces."""
        key = kind, frozenset(spaces)
        if key not in self._thresholds:
            self._thresholds[key] = self._estimate(*key, self._placements[kind]).corrected(self._corrections[kind])
        return self._thresholds[key]

    def space_threshold(self, kind: CohortKind, space: SpaceName) -> MatchThreshold:
        """The threshold of the vectors of one space: they show where in a window a text matches.

        It is no farther from chance with strong models, and is not recalibrated: a whole moment is found, not its peak.
        """
        if (kind, space) not in self._space_thresholds:
            placement = replace(self._placements[kind], far_share=None)
            self._space_thresholds[kind, space] = self._estimate(kind, frozenset({space}), placement)
        return self._space_thresholds[kind, space]

    def _estimate(self, kind: CohortKind, spaces: frozenset[SpaceName], placement: Placement) -> MatchThreshold:
        """What a match scores is taken from names, also for sentences: hardly one of them is said in a library."""
        of_kind, of_names = (_maxima(self._deviations[each], spaces) for each in (kind, CohortKind.NAMES))
        hypotheses = count_hypotheses(spaces.intersection(self._spaces))
        return MatchThreshold.between(
            chance_maxima=of_kind[: self._draws.sampled].max(axis=0),
            match_maxima=of_names.max(axis=0),
            draws=Draws(self._draws.sampled * hypotheses, self._draws.all * hypotheses),
            matching=self._matching,
            placement=placement,
        )

    def _cohort_deviations(self, kind: CohortKind, rows_of: dict[SpaceName, WindowRows]) -> Deviations:
        """The deviations of the cohort in the sampled windows and the reference, [windows, texts, MEDIA_SPACES]."""
        texts = COHORT_SLICES[kind].stop - COHORT_SLICES[kind].start
        windows = max((len(rows.first) for rows in rows_of.values()), default=0)
        deviations = np.full((windows, texts, len(MEDIA_SPACES)), np.nan)
        for space, rows in rows_of.items():
            deviations[rows.counts > 0, :, MEDIA_SPACES.index(space)] = self._spaces[space].cohort_deviations(kind)
        return deviations


def _maxima(deviations: Deviations, spaces: Collection[SpaceName]) -> Deviations:
    """The deviation of the best hypothesis in each window and text, [windows, texts]; -inf without vectors."""
    by_hypothesis = hypothesis_deviations(deviations, [space in spaces for space in MEDIA_SPACES])
    maxima: Deviations = np.nan_to_num(by_hypothesis, nan=-np.inf).max(axis=-1)
    return maxima


def sample_windows(library: Library, count: int) -> list[Part]:
    """`count` windows of a library, evenly spaced over its files, as parts; all of them if there are fewer.

    Windows of spaces of which fewer than MIN_SPACE_WINDOWS are among them are added.
    """
    files = library.files()
    ids = np.array([file.id for file in files], dtype=np.int64)
    starts = np.cumsum([0, *(len(file_windows(file)) for file in files)])
    numbers = _evenly_spaced(np.arange(starts[-1]), count)
    for space in library.spaces:
        numbers = _with_windows_of(np.isin(ids, library.file_ids(space.name)), numbers, starts)
    chosen: list[Part] = []
    for number, at in zip(numbers, np.searchsorted(starts, numbers, "right") - 1, strict=True):
        segments = file_windows(files[at])
        start, end = (0.0, math.inf) if len(segments) == 1 else segments[number - starts[at]].tolist()
        chosen.append(Part(files[at].id, start, end))
    return chosen


def _with_windows_of(is_file: npt.NDArray[np.bool_], numbers: Indexes, starts: Indexes) -> Indexes:
    """The numbers of windows, with the first windows of some of the marked files if they have fewer than
    MIN_SPACE_WINDOWS; `starts` are the first windows of all files."""
    if is_file[np.searchsorted(starts, numbers, "right") - 1].sum() >= MIN_SPACE_WINDOWS:
        return numbers
    return np.union1d(numbers, _evenly_spaced(starts[:-1][is_file], MIN_SPACE_WINDOWS))


def _evenly_spaced(numbers: Indexes, count: int) -> Indexes:
    """At most `count` of the numbers."""
    return numbers[np.unique(np.linspace(0, len(numbers) - 1, min(count, len(numbers))).astype(np.int64))]


def _read(library: Library, parts: Sequence[Part], space: SpaceName) -> tuple[FloatArray, WindowRows]:
    """The vectors of windows in a space, and the rows of each window."""
    numbers = {part: number for number, part in enumerate(parts)}
    first, stop = np.zeros((2, len(parts)), np.int64)
    vectors: list[FloatArray] = []
    read = 0
    for stored in library.vectors_of(parts, space):
        windows = [part_windows(library.file(part.file_id), part) for part in stored.parts]
        rows = WindowRows.of(windows, stored.segments, stored.numbers)
        at = [numbers[part] for part in stored.parts]
        first[at], stop[at] = read + rows.first, read + rows.stop
        vectors.append(single_precision(stored.vectors))
        read += len(stored.vectors)
    empty = np.empty((0, 1), np.float32)
    return np.concatenate(vectors) if vectors else empty, WindowRows(first, stop)


def _typical_distance(vectors: FloatArray, rows: WindowRows, models: ModelSet, space: SpaceName) -> float:
    """The typical distance of two windows; if there are few, also of the reference windows."""
    if (rows.counts > 0).sum() < MIN_SPACE_WINDOWS:
        vectors, rows = _with_reference(vectors, rows, models, space)
    return MeanVectors.of_windows(vectors, rows).typical_distance()


def _with_reference(
    vectors: FloatArray, rows: WindowRows, models: ModelSet, space: SpaceName
) -> tuple[FloatArray, WindowRows]:
    """The vectors and rows with those of the model set's reference windows behind them."""
    reference = models.reference
    if reference is None:
        return vectors, rows
    stops = len(vectors) + np.cumsum(reference.counts[space])
    both = np.concatenate([vectors, reference.vectors[space]]) if len(vectors) else reference.vectors[space]
    counts = reference.counts[space]
    return both, WindowRows(np.concatenate([rows.first, stops - counts]), np.concatenate([rows.stop, stops]))


class ScoreNormalizers:
    """Caches the normalizer of one library until its windows have changed by MAX_GROWTH_SHARE, it has vectors in
    another space, or it is recalibrated."""

    def __init__(self, is_recalibrated: bool = True) -> None:
        """Without `is_recalibrated`, the library's own recalibration is ignored."""
        self._is_recalibrated = is_recalibrated
        self._cached: LibraryNormalizer | None = None
        self._generation = -1
        self._cohort: TextVectors | None = None

    def cohort(self, library: Library, models: ModelSet) -> TextVectors:
        """The vectors of COHORT in all spaces."""
        if self._cohort is None:
            self._cohort = cohort_vectors(library, models)
        return self._cohort

    def recalibration(self, library: Library) -> Recalibration | None:
        """The recalibration that applies to the scores of a library."""
        return read_recalibration(library.folder) if self._is_recalibrated else None

    def of(self, library: Library, models: ModelSet) -> LibraryNormalizer:
        """The normalizer of a library. Its windows are counted once for each generation. Raises LibraryDamaged."""
        cached, generation, recalibration = self._cached, library.generation(), self.recalibration(library)
        if cached is not None and cached.recalibration != recalibration:
            cached = None
        if cached is not None and generation == self._generation:
            return cached
        windows = sum(len(file_windows(file)) for file in library.files())
        if cached is None or has_grown(cached.windows, windows) or not spaces_with_vectors(library) <= cached.spaces:
            cached = LibraryNormalizer(library, models, windows, self.cohort(library, models), recalibration)
        self._cached, self._generation = cached, generation
        return cached


def spaces_with_vectors(library: Library) -> frozenset[SpaceName]:
    """The spaces in which a library has vectors."""
    return frozenset(space.name for space in library.spaces if library.rows(space.name))


def has_grown(before: int, now: int) -> bool:
    """Whether a number has changed by more than MAX_GROWTH_SHARE."""
    return abs(now - before) > MAX_GROWTH_SHARE * before


_CACHE: WeakKeyDictionary[Library, ScoreNormalizers] = WeakKeyDictionary()


def score_normalizers(library: Library) -> ScoreNormalizers:
    """The normalizers of an open library, shared by all its searches."""
    return _CACHE.setdefault(library, ScoreNormalizers())
