"""The normalizers and thresholds of a library: its sample of windows, reference windows, and when they are rebuilt."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.matching import LogOdds, Matching, Placement, Recalibration, ReferenceWindows
from pesearch.search.score import distinct_windows
from pesearch.search.score.cohort import COHORT, CohortKind
from pesearch.search.score.distinct_windows import COPY_COSINE
from pesearch.search.score.library_normalizer import (
    MIN_SPACE_WINDOWS,
    SAMPLE_WINDOWS,
    LibraryNormalizer,
    ScoreNormalizers,
    sample_windows,
    score_normalizers,
)
from pesearch.search.score.match_threshold import Draws, MatchThreshold
from pesearch.store.library import Library, open_library
from pesearch.store.recalibration import write_recalibration
from pesearch.types import MEDIA_SPACES, SpaceName
from tests.search.conftest import encoded
from tests.search.fake_models import FakeModels

pytestmark = pytest.mark.usefixtures("without_copies")

MakeLibrary = Callable[..., Library]

AUDIO, FRAME, VIDEO = SpaceName.AUDIO, SpaceName.FRAME, SpaceName.VIDEO

NAMES, SENTENCES = CohortKind.NAMES, CohortKind.SENTENCES

NAME_PLACE, SENTENCE_PLACE = Placement(share=0.25), Placement(share=0.1)

FIT = Matching(names=NAME_PLACE, sentences=SENTENCE_PLACE, min_threshold=0.0)


class Models(FakeModels):
    """Fake models with constants and reference windows."""

    def __init__(self, fit: Matching = FIT, reference: ReferenceWindows | None = None) -> None:
        super().__init__()
        self.description.matching = fit
        self.reference = reference


def turned(count: int) -> list[list[float]]:
    """Vectors of different directions and lengths."""
    return [[(1 + n % 7) * math.cos(n), (1 + n % 5) * math.sin(n)] for n in range(count)]


def normalizer_of(library: Library, models: FakeModels) -> LibraryNormalizer:
    return ScoreNormalizers().of(library, models)  # type: ignore[arg-type]  # the fake has what it uses


def windows_of(library: Library, count: int) -> list[tuple[str, float, float]]:
    parts = sample_windows(library, count)
    return [(library.file(part.file_id).path.name, part.start_seconds, part.end_seconds) for part in parts]


def test_windows_are_sampled_evenly_over_the_files(make_library: MakeLibrary) -> None:
    library = make_library({"a.wav": {AUDIO: turned(99)}, "b.wav": {AUDIO: turned(99)}}, seconds=500.0)
    sample = windows_of(library, 40)
    assert len(sample) == 40
    assert (sample[0], sample[-1]) == (("a.wav", 0.0, 10.0), ("b.wav", 490.0, 500.0))
    starts = [start for name, start, _ in sample if name == "a.wav"]
    assert len(starts) == 20
    assert set(np.diff(starts)) == {25.0}
    assert len(windows_of(library, 1000)) == 198


def test_a_short_file_or_a_still_image_is_one_whole_part(make_library: MakeLibrary) -> None:
    library = make_library({"a.wav": {AUDIO: [[1, 0]]}, "b.png": {FRAME: [[1, 0]]}}, seconds=7.0)
    assert windows_of(library, 10) == [("a.wav", 0.0, math.inf), ("b.png", 0.0, math.inf)]


def test_a_single_picture_among_many_recordings_is_sampled(make_library: MakeLibrary) -> None:
    """Between evenly spaced windows of recordings, 20 pictures would not be met."""
    files = {"a.wav": {AUDIO: turned(99)}} | {f"{n}.png": {FRAME: [[1, n]]} for n in range(20)}
    library = make_library({**files, "b.wav": {AUDIO: turned(99)}}, seconds=500.0)
    sample = windows_of(library, 2)
    assert (sample[0][0], sample[-1]) == ("a.wav", ("b.wav", 490.0, 500.0))
    pictures = [name for name, _, end in sample if end == math.inf]
    assert len(pictures) == MIN_SPACE_WINDOWS == 16
    assert (pictures[0], pictures[-1]) == ("0.png", "19.png")


def test_at_most_the_sampled_windows_are_read(make_library: MakeLibrary) -> None:
    library = make_library({"a.wav": {AUDIO: turned(600)}}, seconds=3005.0)
    normalizer = normalizer_of(library, FakeModels())
    assert normalizer.windows == 600
    assert len(normalizer.of(AUDIO).cohort_scores) == SAMPLE_WINDOWS == 512


def test_copies_are_sampled_once(make_library: MakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do they count as draws of chance."""
    monkeypatch.setattr(distinct_windows, "COPY_COSINE", COPY_COSINE)
    rows = [[2, 0], [0, 1], [-1, 0], [3, 0.1], [0.1, 3], [0, 2]]
    library = make_library({f"{n}.wav": {AUDIO: [row]} for n, row in enumerate(rows * 4)})
    normalizer = normalizer_of(library, Models())
    maxima = normalizer.of(AUDIO).cohort_deviations(NAMES)
    assert len(maxima) == 3
    expected = MatchThreshold.between(maxima.max(axis=0), maxima.max(axis=0), Draws(3, 3), FIT, NAME_PLACE)
    assert normalizer.threshold(NAMES, {AUDIO}) == expected


def test_a_window_is_pooled_from_its_own_vectors(make_library: MakeLibrary) -> None:
    """Windows overlap by half: of frames every 0.625 s, the second starts with the ninth."""
    frames = [[1.0, float(n)] for n in range(24)]
    library = make_library({"a.mp4": {VIDEO: frames[:2], FRAME: frames}, "b.wav": {AUDIO: [[1, 0]] * 2}}, seconds=15.0)
    normalizer = normalizer_of(library, FakeModels())
    assert len(normalizer.of(FRAME).cohort_scores) == len(normalizer.of(VIDEO).cohort_scores) == 2
    assert len(normalizer.of(AUDIO).cohort_scores) == 2
    stats = normalizer.of(FRAME).chance_stats(np.array([[0.0, 1.0]], np.float32), None)
    assert stats.median == pytest.approx([((12 + 13 + 14 + 15) / 4 + (20 + 21 + 22 + 23) / 4) / 2])


def test_the_threshold_of_one_space_is_that_of_the_cohort_in_it(make_library: MakeLibrary) -> None:
    rows = [*turned(50), [30.0, 0.0]]  # the last one matches half of the cohort
    library = make_library({f"{n}.wav": {AUDIO: [row]} for n, row in enumerate(rows)})
    normalizer = normalizer_of(library, Models())
    maxima = {kind: normalizer.of(AUDIO).cohort_deviations(kind).max(axis=0) for kind in CohortKind}
    for kind, place in ((NAMES, NAME_PLACE), (SENTENCES, SENTENCE_PLACE)):
        expected = MatchThreshold.between(maxima[kind], maxima[NAMES], Draws(51, 51), FIT, place)
        assert normalizer.threshold(kind, {AUDIO}) == expected
        assert normalizer.threshold(kind, list(MEDIA_SPACES)) == expected  # the others have no vectors
    assert normalizer.threshold(NAMES, {AUDIO}).centre > normalizer.threshold(SENTENCES, {AUDIO}).centre + 0.1
    assert normalizer.threshold(NAMES, {AUDIO}) is normalizer.threshold(NAMES, [AUDIO])


def test_the_threshold_of_several_spaces_is_that_of_the_best_hypothesis(make_library: MakeLibrary) -> None:
    rows = turned(40)
    library = make_library({f"{n}.mp4": {AUDIO: [row], VIDEO: [row[::-1]]} for n, row in enumerate(rows)})
    normalizer = normalizer_of(library, Models())
    heard, seen = (normalizer.of(space).cohort_deviations(NAMES) for space in (AUDIO, VIDEO))
    maxima = np.maximum(np.maximum(heard, seen), (heard + seen) / math.sqrt(2)).max(axis=0)
    expected = MatchThreshold.between(maxima, maxima, Draws(3 * 40, 3 * 40), FIT, NAME_PLACE)
    assert normalizer.threshold(NAMES, {AUDIO, VIDEO}).centre == pytest.approx(expected.centre)


def reference(vectors: list[list[float]], counts: list[int]) -> ReferenceWindows:
    by_space = {space: np.array(vectors, dtype=np.float32) for space in MEDIA_SPACES}
    return ReferenceWindows(by_space, dict.fromkeys(MEDIA_SPACES, np.array(counts)))


def test_reference_windows_add_to_chance_scores_and_matches_but_not_to_the_maxima_of_chance(
    make_library: MakeLibrary,
) -> None:
    library = make_library({"a.wav": {AUDIO: [[1.0, 0.5]]}, "b.wav": {AUDIO: [[0.5, -1.0]]}})
    vectors = [[2.0, 1.0], [-6.0, 0.0], [0.0, 6.0], [0.0, -2.0]]
    normalizer = normalizer_of(library, Models(reference=reference(vectors, [1, 0, 3])))
    audio = normalizer.of(AUDIO)
    assert len(audio.cohort_scores) == 4  # two windows, and two of the reference with vectors
    deviations = audio.cohort_deviations(NAMES)
    expected = MatchThreshold.between(deviations[:2].max(axis=0), deviations.max(axis=0), Draws(2, 2), FIT, NAME_PLACE)
    assert normalizer.threshold(NAMES, {AUDIO}) == expected
    stats = audio.chance_stats(np.array([[1.0, 0.0]], np.float32), None)
    assert stats.median == pytest.approx([(0.5 + 1.0) / 2])  # of 1, 0.5, 2, and the best of -6, 0 and 0


def test_spaces_without_vectors_have_no_normalizer_or_one_of_the_reference(make_library: MakeLibrary) -> None:
    library = make_library({"a.wav": {AUDIO: [[1.0, 0.5]]}})
    plain, referred = (
        normalizer_of(library, Models(reference=each)) for each in (None, reference([[1.0, 0.0]] * 3, [1, 1, 1]))
    )
    assert plain.spaces == referred.spaces == {AUDIO}
    with pytest.raises(KeyError):
        plain.of(FRAME)
    assert len(referred.of(FRAME).cohort_scores) == 3


def test_a_normalizer_is_rebuilt_when_its_windows_have_changed_by_more_than_a_twentieth(
    make_library: MakeLibrary, tmp_path: Path
) -> None:
    library = make_library({f"{n}.wav": {AUDIO: [[1.0, n / 40]]} for n in range(40)})
    normalizers, models = score_normalizers(library), FakeModels()

    def current() -> LibraryNormalizer:
        return normalizers.of(library, models)  # type: ignore[arg-type]  # the fake has what it uses

    def add(*names: str) -> None:
        with library.writer() as writer:
            writer.add([encoded(tmp_path / name, {AUDIO: [[5.0, 5.0]]}, 10.0) for name in names])

    first = current()
    add("a.wav", "b.wav")
    assert current() is first  # 42 windows: 5 % more
    add("c.wav")
    second = current()
    assert (second.windows, len(second.of(AUDIO).cohort_scores)) == (43, 43)
    assert current() is second
    with library.writer() as writer:
        writer.remove([file.id for file in library.files()[:10]])
    assert current().windows == 33


def test_a_normalizer_is_rebuilt_for_the_first_vectors_of_a_space(make_library: MakeLibrary, tmp_path: Path) -> None:
    library = make_library({f"{n}.wav": {AUDIO: [[1.0, n / 40]]} for n in range(40)})
    normalizers, models = ScoreNormalizers(), FakeModels()
    assert normalizers.of(library, models).spaces == {AUDIO}  # type: ignore[arg-type]  # the fake has what it uses
    with library.writer() as writer:
        writer.add([encoded(tmp_path / "a.png", {FRAME: [[1.0, 0.0]]}, 0.0)])
    rebuilt = normalizers.of(library, models)  # type: ignore[arg-type]  # the fake has what it uses
    assert rebuilt.spaces == {AUDIO, FRAME}
    assert len(rebuilt.of(FRAME).cohort_scores) == 1


def test_the_calibration_of_a_library_corrects_its_thresholds(make_library: MakeLibrary) -> None:
    library = make_library({f"{n}.wav": {AUDIO: [row]} for n, row in enumerate(turned(50))})
    normalizers, models = ScoreNormalizers(), Models()

    def thresholds(of: ScoreNormalizers = normalizers) -> list[MatchThreshold]:
        normalizer = of.of(library, models)  # type: ignore[arg-type]  # the fake has what it uses
        return [normalizer.threshold(kind, {AUDIO}) for kind in (NAMES, SENTENCES)]

    names, sentences = thresholds()
    write_recalibration(library.folder, Recalibration("judged", names=LogOdds(0.5, -1.0)))
    assert thresholds() == [MatchThreshold(names.centre + 2 * names.width, 2 * names.width), sentences]
    assert thresholds(ScoreNormalizers(is_recalibrated=False)) == [names, sentences]
    write_recalibration(library.folder, None)
    assert thresholds() == [names, sentences]


def test_the_threshold_of_one_space_stays_near_chance_and_is_not_corrected(make_library: MakeLibrary) -> None:
    rows = [*turned(50), [120.0, 0.0]]  # the last one stands far above chance
    library = make_library({f"{n}.wav": {AUDIO: [row]} for n, row in enumerate(rows)})
    models = Models(Matching(names=Placement(share=0.25, far_share=0.5), min_threshold=0.0))
    near = normalizer_of(library, Models(Matching(names=NAME_PLACE, min_threshold=0.0))).threshold(NAMES, {AUDIO})
    write_recalibration(library.folder, Recalibration("judged", names=LogOdds(1.0, -1.0)))
    normalizer = normalizer_of(library, models)
    assert normalizer.space_threshold(NAMES, AUDIO) == near
    assert normalizer.threshold(NAMES, {AUDIO}).centre > near.centre + near.width + 1.0


def test_the_cohort_is_embedded_once_for_each_library(make_library: MakeLibrary) -> None:
    library, first, second = make_library({"a.wav": {AUDIO: [[1.0, 0.5]]}}), FakeModels(), FakeModels()
    cohorts = [ScoreNormalizers().cohort(library, models) for models in (first, second)]  # type: ignore[arg-type]  # fakes
    assert (len(first.embedded), len(second.embedded)) == (len(COHORT), 0)
    for space in MEDIA_SPACES:
        np.testing.assert_array_equal(*(cohort.of(space) for cohort in cohorts))


def test_models_embed_the_cohort_once_for_all_libraries(make_library: MakeLibrary, tmp_path: Path) -> None:
    models, other = FakeModels(), tmp_path / "other"
    library = make_library({"a.wav": {AUDIO: [[1.0, 0.5]]}})
    shutil.copytree(library.folder, other)
    cohorts = [ScoreNormalizers().cohort(each, models) for each in (library, open_library(other))]  # type: ignore[arg-type]  # fakes
    assert len(models.embedded) == len(COHORT)
    for space in MEDIA_SPACES:
        np.testing.assert_array_equal(*(cohort.of(space) for cohort in cohorts))


@pytest.mark.slow
def test_a_normalizer_is_cached(sample_library: Library, starter: ModelSet) -> None:
    normalizers = score_normalizers(sample_library)
    normalizer = normalizers.of(sample_library, starter)
    assert normalizers.of(sample_library.pinned(), starter) is normalizer
    assert normalizer.spaces == set(MEDIA_SPACES)
    assert score_normalizers(sample_library) is normalizers
