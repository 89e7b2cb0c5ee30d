"""Quality of the query language, the calibrated scores and their fusion, and the latency of a warm query.

    python -m benchmarks.search [--part composed|absent|latency] [--folder DIR] [--seed 41]

Clips outside the training data are made and indexed with the starter set; `--folder` keeps them for another run.
`composed`: 200 questions about 400 clips of several scenes, in the query language and as a plain sentence, ranked by
`search`, and by reciprocal rank fusion over the same probes. `absent`: 100 queries for things in a library of clips,
and 100 for things that are not. `latency`: queries for one thing and for two in a library of 100,000 windows, without
sound detection.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.absences import presence_questions, write_absent
from benchmarks.composed import KINDS, Composed, composed_questions, write_clips
from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.kept_folder import kept_folder
from benchmarks.many_windows import make_many_windows
from pesearch.blas_threads import on_one_core
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.evaluation.ground_truth import read_truths
from pesearch.evaluation.metrics import auroc, calibration_error
from pesearch.evaluation.ranking import ndcg_at
from pesearch.indexer.run import index
from pesearch.search.encode.query_encoder import encode_query
from pesearch.search.query.plan import compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.retrieve.retriever import retrieve
from pesearch.search.score.calibration import calibration_for
from pesearch.search.score.library_normalizer import score_normalizers
from pesearch.search.score.part_scores import score_parts
from pesearch.search.search import search
from pesearch.store.library import Library, create_library, open_library
from pesearch.types import SpaceName
from training.texts import with_article
from training.words import HEARD_AS, OBJECTS

MIN_GAIN = 0.15
"""Target for the gain in nDCG@10 by the query language."""

MIN_AUROC = 0.9
"""Target for the AUROC of present against absent things."""

MAX_CALIBRATION_ERROR = 0.1
"""Target for the expected calibration error."""

MAX_WARM_MS = 50.0
"""Target for the median latency."""

Rank = Callable[[SearchRequest], dict[str, float]]
"""Score by file name."""


@dataclass(frozen=True, slots=True)
class Language:
    """nDCG@10 of one kind of question, in the language and as a plain sentence; `rrf` is the language's probes ranked
    by reciprocal rank fusion, `plain_rrf` those of the sentence."""

    part: str
    kind: str
    questions: int
    language: float
    plain: float
    rrf: float
    plain_rrf: float

    def rows(self) -> Iterator[Row]:
        is_all = self.kind == "all"
        what = f"{self.kind} ({self.questions}): language {self.language:.3f}, plain {self.plain:.3f}, gain"
        yield Row(what, f"{self.language - self.plain:+.3f}", f">= {MIN_GAIN}" * is_all)
        yield Row(f"{self.kind}: language, by rank fusion", f"{self.rrf:.3f}", f"<= {self.language:.3f}" * is_all)
        yield Row(f"{self.kind}: plain, by rank fusion", f"{self.plain_rrf:.3f}", f"<= {self.plain:.3f}" * is_all)


@dataclass(frozen=True, slots=True)
class Absent:
    """How well the best score separates present from absent things: 0..1 each."""

    part: str
    questions: int
    auroc: float
    calibration_error: float

    def rows(self) -> Iterator[Row]:
        yield Row(f"answer or abstain ({self.questions}): AUROC", f"{self.auroc:.3f}", f">= {MIN_AUROC}")
        yield Row("expected calibration error, 10 bins", f"{self.calibration_error:.3f}", f"<= {MAX_CALIBRATION_ERROR}")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of a warm query of one or two terms: median and 99th percentile in total, medians of its steps."""

    part: str
    windows: int
    about: str
    p50_ms: float
    p99_ms: float
    embed_ms: float
    retrieve_ms: float
    look_ms: float

    def rows(self) -> Iterator[Row]:
        what = f"{self.windows} windows, warm, {self.about}: p50 (p99 {self.p99_ms:.1f})"
        yield Row(what, f"{self.p50_ms:.1f} ms", f"< {MAX_WARM_MS:.0f} ms")
        yield Row("  encode the query", f"{self.embed_ms:.1f} ms")
        yield Row("  search the spaces", f"{self.retrieve_ms:.1f} ms")
        yield Row("  score and refine the best parts", f"{self.look_ms:.1f} ms")


def main() -> None:
    """Make clips, index them, search, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=list(PARTS), action="append", help="default: all")
    parser.add_argument("--folder", type=Path, help="keep clips and libraries here for another run")
    parser.add_argument("--seed", type=int, default=41, help="seed of the clips, none in training (default 41)")
    arguments = parser.parse_args()
    with kept_folder(arguments.folder) as folder:
        report(measure(folder, arguments.seed, arguments.part or list(PARTS)))


def measure(folder: Path, seed: int, parts: Sequence[str]) -> Iterator[Finding]:
    """Run the selected parts one after the other."""
    yield this_machine("cpu", "starter")
    models = open_model_set("starter", "cpu")
    for part in parts:
        yield from PARTS[part](folder, seed, models)


def composed(folder: Path, seed: int, models: ModelSet) -> Iterator[Language]:
    """The language against plain sentences, calibrated scores against ranks."""
    clips = folder / f"composed {seed}"
    library = indexed(clips, lambda: write_clips(clips, seed, 400), models)
    questions = composed_questions(read_truths(clips / "truths.json"), 200, seed)
    names = [file.path.name for file in library.files()]
    ranks = (by_search(library, models), _by_rank(library, models))
    found = [
        [ndcg_of(rank, text, each, names) for rank in ranks for text in (each.language, each.sentence)]
        for each in questions
    ]
    for kind in ("all", *KINDS):
        chosen = [figures for figures, each in zip(found, questions, strict=True) if kind in ("all", each.kind)]
        language, plain, rrf, plain_rrf = np.mean(chosen, axis=0).tolist()
        yield Language("composed", kind, len(chosen), language, plain, rrf, plain_rrf)


def ndcg_of(rank: Rank, text: str, question: Composed, names: Sequence[str]) -> float:
    """nDCG@10 of the files found for a text."""
    found = rank(SearchRequest(text, k=10, per_file=1))
    scores = np.array([[found.get(name, 0.0) for name in names]])
    grades = np.array([[float(name in question.relevant) for name in names]])
    return float(ndcg_at(scores, grades, 10)[0])


def by_search(library: Library, models: ModelSet) -> Rank:
    """Files by the score of their best moment."""

    def rank(question: SearchRequest) -> dict[str, float]:
        moments = search(library, models, question).moments
        return {moment.file.path.name: moment.score for moment in reversed(moments)}

    return rank


def _by_rank(library: Library, models: ModelSet) -> Rank:
    """Files by reciprocal rank fusion of the hits of each probe (Cormack et al. 2009), the order of retrieval."""

    def rank(question: SearchRequest) -> dict[str, float]:
        asked = compile_query(question)
        parts = retrieve(library, asked, encode_query(asked, models), question.k, None).parts
        files = dict.fromkeys(part.file_id for part in parts)
        return {library.file(number).path.name: 1.0 / place for place, number in enumerate(files, start=1)}

    return rank


def absent(folder: Path, seed: int, models: ModelSet) -> Iterator[Absent]:
    """Separate present from absent things by the score of the best moment."""
    clips = folder / f"absent {seed}"
    library = indexed(clips, lambda: write_absent(clips, seed + 1), models)
    questions = presence_questions(read_truths(clips / "truths.json"), seed)
    scores = np.array([_best(search(library, models, SearchRequest(each.text, k=1)).moments) for each in questions])
    there = np.array([each.is_there for each in questions])
    yield Absent("absent", len(questions), auroc(scores, there), calibration_error(scores, there))


def _best(moments: Sequence[object]) -> float:
    return float(getattr(moments[0], "score", 0.0)) if moments else 0.0


def latency(folder: Path, seed: int, models: ModelSet) -> Iterator[Latency]:
    """Plain queries, one after the other, with models and index loaded."""
    clips = folder / f"composed {seed}"
    source = indexed(clips, lambda: write_clips(clips, seed, 400), models)
    library = make_many_windows(folder / "many windows", source, 100_000)
    two = [each.sentence for each in composed_questions(read_truths(clips / "truths.json"), 60, seed)]
    one = [*(names[0] for names in HEARD_AS.values()), *map(with_article, OBJECTS)]
    for about, texts in (("one thing", one), ("two things", two)):
        yield _asked(library, models, about, texts)


def _asked(library: Library, models: ModelSet, about: str, texts: Sequence[str]) -> Latency:
    for text in texts[:5]:
        search(library, models, SearchRequest(text, locate=False))
    questions, whole = [SearchRequest(text, locate=False) for text in texts], []
    for question in questions:
        started = time.perf_counter()
        search(library, models, question)
        whole.append(time.perf_counter() - started)
    with on_one_core():
        steps = [_steps(library, models, question) for question in questions]
    p50, p99 = np.percentile(np.array(whole) * 1000, [50, 99])
    medians = np.median(np.array(steps) * 1000, axis=0)
    return Latency("latency", library.rows(SpaceName.AUDIO), about, float(p50), float(p99), *map(float, medians))


def _steps(library: Library, models: ModelSet, question: SearchRequest) -> tuple[float, float, float]:
    """Seconds of embedding, of searching the spaces, and of refining the files, each repeated separately."""
    times = [time.perf_counter()]
    asked = compile_query(question)
    probes = encode_query(asked, models)
    times.append(time.perf_counter())
    pinned = library.pinned()
    found = retrieve(pinned, asked, probes, question.k, None)
    times.append(time.perf_counter())
    calibration = calibration_for(pinned, score_normalizers(library), models, asked, probes)
    score_parts(pinned, asked, calibration, found.parts)
    times.append(time.perf_counter())
    embed, searching, look = np.diff(times).tolist()
    return embed, searching, look


def indexed(clips: Path, make: Callable[[], None], models: ModelSet, label: str = "") -> Library:
    """The library of a folder of clips; both are made when missing. Libraries of several model sets have labels."""
    folder = clips.with_name(f"{clips.name} library {label}".rstrip())
    if not (clips / "truths.json").exists():
        make()
    library = open_library(folder) if folder.exists() else create_library(folder, models.name, models.spaces)
    for _ in index([clips], library, models):
        pass
    return library


PARTS: dict[str, Callable[[Path, int, ModelSet], Iterator[Finding]]] = {
    "composed": composed,
    "absent": absent,
    "latency": latency,
}

if __name__ == "__main__":
    main()
