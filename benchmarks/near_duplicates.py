"""Which moments `pesearch query --dedupe` takes for near-equal, and how long it takes.

    python -m benchmarks.near_duplicates [--folder DIR] [--files 0 20000]

150 generated clips and sample_media, 43 of them also in 8 other forms (COPIES), are searched for 17 things. Pairs of
moments of the same seconds of a clip should be near-equal, those of different clips should not; other pairs of one clip
do not count. A few different clips have the same things and sounds, and differ in motion and times only.

pairs  recall and precision, of moments and of clips, with the vectors of the starter set; the same pushed into a narrow
       cone, by a constant vector of some lengths; and with noise on each vector
forms  recall of moments of the original and one other form
time   median of the queries, with and without `--dedupe`, in this library and with `--files` made-up ones added
"""

from __future__ import annotations

import argparse
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.absences import write_absent
from benchmarks.clips import ffmpeg
from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.kept_folder import kept_folder
from benchmarks.search import indexed
from benchmarks.weak_models import add_noise, changed_library
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.locations import Location
from pesearch.search.query.request import SearchRequest
from pesearch.search.refine.near_duplicates import near_equal
from pesearch.search.score.library_normalizer import score_normalizers
from pesearch.search.search import search
from pesearch.store.library import Library
from pesearch.types import EncodedFile, FloatArray, MediaFile, Moment, SpaceName, SpaceVectors

SAMPLE_MEDIA = Path(__file__).resolve().parent.parent / "sample_media"
SEED = 42
COPIED_CLIPS = 30
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")

COPIES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "remux.mov": ((), ("-c", "copy")),
    "mp3.mkv": ((), ("-c:v", "copy", "-c:a", "libmp3lame", "-b:a", "64k")),
    "low.mp4": ((), (*H264, "-b:v", "60k", "-c:a", "aac", "-b:a", "32k")),
    "half.mp4": ((), (*H264, "-vf", "scale=trunc(iw/4)*2:trunc(ih/4)*2", "-c:a", "aac")),
    "vp9.webm": ((), ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "200k",
                      "-c:a", "libopus", "-b:a", "48k")),
    "cut05.mp4": (("-ss", "0.5"), (*H264, "-c:a", "aac")),
    "cut2.mp4": (("-ss", "2"), (*H264, "-c:a", "aac")),
    "box.mp4": ((), (*H264, "-vf", "pad=iw:trunc(ih*1.3333/2)*2:0:(oh-ih)/2", "-c:a", "copy")),
}  # fmt: skip
"""The other forms of a clip: FFmpeg's options before and after the input."""

CUT_SECONDS = {"cut05": 0.5, "cut2": 2.0}

QUERIES = (
    "train", "siren", "dog", "car", "red ball", "rain", "a bell", "speech", "people", "a house at night",
    "moving right", "thunder", "drum", "phone", "sun", "boat", "bird",
)  # fmt: skip

MOMENTS_PER_QUERY = 400

MIN_SHARED = 0.7
"""Moments of at least this intersection over union, in seconds of the clip, are the same."""


Pairs = npt.NDArray[np.bool_]

Change = Callable[[SpaceName, FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class PairFigures:
    """Pairs of moments, and of clips: `wrong` are near-equal without being copies."""

    part: str
    what: str
    recall: float
    precision: float
    wrong_clips: int
    different_clips: int

    def rows(self) -> Iterator[Row]:
        yield Row(f"{self.what}: recall", f"{self.recall:.3f}")
        yield Row("  precision", f"{self.precision:.3f}")
        yield Row("  different clips that are near-equal", f"{self.wrong_clips} of {self.different_clips}")


@dataclass(frozen=True, slots=True)
class FormRecall:
    """Recall of moments of the original and of one other form."""

    part: str
    form: str
    pairs: int
    recall: float

    def rows(self) -> Iterator[Row]:
        yield Row(f"{self.form}, {self.pairs} pairs", f"{self.recall:.2f}")


@dataclass(frozen=True, slots=True)
class QueryTime:
    """Median time of the queries for ten moments."""

    part: str
    files: int
    all_ms: float
    distinct_ms: float

    def rows(self) -> Iterator[Row]:
        yield Row(f"{self.files} files, all moments", f"{self.all_ms:.0f} ms")
        yield Row(f"{self.files} files, --dedupe", f"{self.distinct_ms:.0f} ms")


def main() -> None:
    """Make the clips and their other forms, index, search, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep clips and libraries here for another run")
    parser.add_argument("--files", type=int, nargs="*", default=[0], help="made-up files to add for the times")
    options = parser.parse_args()
    with kept_folder(options.folder) as folder:
        report(measure(folder, options.files))


def measure(folder: Path, files: Sequence[int]) -> Iterator[Finding]:
    """All figures."""
    yield this_machine("cpu", "starter")
    models, media = open_model_set("starter", "cpu"), folder / "media"
    library = indexed(media, partial(_write_media, media), models)
    moments = _moments(library, models)
    labels = Labels.of(moments)
    for what, change in _changes():
        changed = library if change is None else _changed(folder / what, library, change)
        near = _near_equal(moments, changed, models)
        yield labels.figures(what, near)
        if change is None:
            yield from labels.by_form(near)
    for count in files:
        yield _query_time(_filled(folder / f"filled {count}", library, count) if count else library, models)


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What is known about pairs of moments [n, n]: `is_copy`, `is_different` (of different clips), and the names of
    their clips and forms [n]."""

    is_copy: Pairs
    is_different: Pairs
    clips: npt.NDArray[np.str_]
    forms: npt.NDArray[np.str_]

    @classmethod
    def of(cls, moments: Sequence[Moment]) -> Labels:
        """From file names."""
        clips, forms = zip(*(each.file.path.stem.partition(".")[::2] for each in moments), strict=True)
        shift = np.array([CUT_SECONDS.get(form, 0.0) for form in forms])
        starts = shift + [each.start_seconds for each in moments]
        ends = shift + [each.end_seconds for each in moments]
        shared = np.minimum.outer(ends, ends) - np.maximum.outer(starts, starts)
        union = np.maximum.outer(ends, ends) - np.minimum.outer(starts, starts)
        is_same_clip = np.equal.outer(np.array(clips), np.array(clips))
        upper = np.triu(np.ones_like(is_same_clip), 1)
        is_copy = upper & is_same_clip & (shared >= MIN_SHARED * union)
        return cls(is_copy, upper & ~is_same_clip, np.array(clips), np.array(forms))

    def figures(self, what: str, near: Pairs) -> PairFigures:
        """The figures of a rule."""
        found, wrong = (near & self.is_copy).sum(), near & self.is_different
        wrong_clips = {frozenset(self.clips[[one, other]].tolist()) for one, other in np.argwhere(wrong)}
        recall, precision = found / self.is_copy.sum(), found / max(found + wrong.sum(), 1)
        clip_pairs = math.comb(len(set(self.clips.tolist())), 2)
        return PairFigures("pairs", what, float(recall), float(precision), len(wrong_clips), clip_pairs)

    def by_form(self, near: Pairs) -> Iterator[FormRecall]:
        """The recall of each form."""
        for name in COPIES:
            form = name.partition(".")[0]
            with_original = (self.forms[:, None] == form) & (self.forms == "")
            pairs = (with_original | with_original.T) & self.is_copy
            yield FormRecall("forms", form, int(pairs.sum()), float(near[pairs].mean()))


def _write_media(media: Path) -> None:
    clips = media.with_name("clips")
    write_absent(clips, SEED)
    media.mkdir(parents=True, exist_ok=True)
    for path in (*clips.iterdir(), *SAMPLE_MEDIA.iterdir()):
        if path.suffix in {".mp4", ".wav", ".png"}:
            shutil.copy(path, media)
    copied = [*sorted(clips.glob("*.mp4"))[:COPIED_CLIPS], *sorted(SAMPLE_MEDIA.glob("*.mp4"))]
    for path in copied:
        for name, (before, after) in COPIES.items():
            if not (media / f"{path.stem}.{name}").exists():
                ffmpeg(*before, "-i", path, *after, media / f"{path.stem}.{name}")
    shutil.copy(clips / "truths.json", media)


def _moments(library: Library, models: ModelSet) -> list[Moment]:
    """The moments that the queries find, each interval once."""
    requests = (SearchRequest(text, k=MOMENTS_PER_QUERY, locate=False) for text in QUERIES)
    found = chain.from_iterable(search(library, models, request).moments for request in requests)
    return list({(each.file.id, each.start_seconds, each.end_seconds): each for each in found}.values())


def _near_equal(moments: Sequence[Moment], library: Library, models: ModelSet) -> Pairs:
    files = {file.path: file for file in library.files()}
    of_library = [replace(moment, file=files[moment.file.path]) for moment in moments]
    return near_equal(of_library, library, score_normalizers(library).of(library, models).typical_distances)


def _changes() -> Iterator[tuple[str, Change | None]]:
    yield "starter", None
    for length in (4, 10):
        yield f"cone of {length}", partial(_push, length)
    for noise in (0.1, 0.3):
        yield f"noise {noise:g}", partial(add_noise, noise=noise, rng=np.random.default_rng(SEED))


def _push(length: float, space: SpaceName, vectors: FloatArray) -> FloatArray:
    """Unit vectors with a constant vector of this length added: two of them have a cosine near its square."""
    constant = np.random.default_rng([*space.encode()]).standard_normal(vectors.shape[1])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pushed = unit + length * constant / np.linalg.norm(constant)
    pushed /= np.linalg.norm(pushed, axis=1, keepdims=True)
    directions: FloatArray = pushed.astype(np.float32)
    return directions


def _changed(folder: Path, source: Library, change: Change) -> Library:
    return changed_library(folder, source, (_changed_file(source, file, change) for file in source.files()))


def _changed_file(source: Library, file: MediaFile, change: Change) -> EncodedFile:
    vectors = []
    for space in source.spaces:
        stored = source.vectors(file.id, space.name)
        if len(stored.vectors):
            vectors.append(SpaceVectors(space.name, stored.segments, change(space.name, stored.vectors)))
    return EncodedFile(file.locations[0], file.fingerprint, file.info, tuple(vectors))


def _filled(folder: Path, source: Library, count: int) -> Library:
    """The files, and made-up ones: the vectors of a file with noise of half their length."""
    rng = np.random.default_rng(SEED)
    own = [_changed_file(source, file, lambda _, vectors: vectors) for file in source.files()]

    def made_up(number: int) -> EncodedFile:
        like = own[number % len(own)]
        vectors = [replace(each, vectors=add_noise(each.space, each.vectors, 0.5, rng)) for each in like.vectors]
        return replace(
            like, location=Location(Path(f"/made up/{number}.mp4"), 1, 1), fingerprint=f"made up {number}",
            vectors=tuple(vectors),
        )  # fmt: skip

    return changed_library(folder, source, chain(own, map(made_up, range(count))))


def _query_time(library: Library, models: ModelSet) -> QueryTime:
    medians = []
    for dedupe in (False, True):
        seconds = []
        for text in (QUERIES[0], *QUERIES):
            started = time.perf_counter()
            search(library, models, SearchRequest(text, locate=False, dedupe=dedupe))
            seconds.append(time.perf_counter() - started)
        medians.append(1000 * float(np.median(seconds[1:])))
    return QueryTime("time", len(library.files()), *medians)


if __name__ == "__main__":
    main()
