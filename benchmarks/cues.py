"""Quality of search for cues by meaning, and the cost of embedding them.

    python -m benchmarks.cues [--part heads|answers|cost|search|words] [--seed 41]

The texts are of the generated world, the models the starter set; no media is generated. `heads`: cues and paraphrased
questions, embedded with each text head of PE-AV: how often the nearest cue is correct. `answers`: a library of such
cues, among many about things that the models do not know, is searched for paraphrased facts and for absent ones.
`cost`: the text tower at its real size, random weights, on this CPU. `search`: 65,536 vectors of 1024 dimensions, the
maximum that is held in memory. `words`: whole queries of frequent and rare words in 300 films with 1000 lines each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.absences import SAID, WITHHELD
from benchmarks.cue_words import cue_file, cue_words
from benchmarks.figures import Finding, Row, report, this_machine
from pesearch.blas_threads import on_one_core
from pesearch.encoders.io_types import normalize
from pesearch.encoders.lazy_imports import load_transformers
from pesearch.encoders.model_set import open_model_set
from pesearch.evaluation.metrics import auroc, calibration_error
from pesearch.indexer.cue_embedding import embed_cues
from pesearch.indexer.timings import StageTimings
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.index.tokenizer import tokenize
from pesearch.store.library import Library, create_library
from pesearch.types import Space, SpaceName, SpaceVectors
from tests.encoders.checkpoints import SMALL
from training.texts import Rng, sample_text
from training.words import COLOURED, COLOURS, HEARD_AS, OUTSIDE, PHRASES, SEEN_AS

CUES = 600
QUESTIONS = 100
CUES_PER_FILE = 20

CHATTER = (
    "I never thought that a {} would do", "who has taken my {} again", "we can not afford the {}",
    "tell her about the {} tomorrow", "he was born beside a {}", "not every {} is worth it",
)  # fmt: skip
"""Lines as in films, about things that the starter set does not know."""

Fact = frozenset[str]


@dataclass(frozen=True, slots=True)
class Head:
    """Share of questions whose nearest cue is their paraphrase."""

    part: str
    head: str
    questions: int
    right: float

    def rows(self) -> Iterator[Row]:
        yield Row(f"text head for {self.head}: nearest paraphrase correct", f"{self.right:.3f}")


@dataclass(frozen=True, slots=True)
class Answers:
    """Precision and detection of absence, for questions about cues; half of them are about facts in no cue."""

    part: str
    cues: int
    questions: int
    found: float
    right: float
    false: float
    auroc: float
    calibration_error: float

    def rows(self) -> Iterator[Row]:
        yield Row(f"{self.cues} cues: share of paraphrases found", f"{self.found:.3f}")
        yield Row("precision at rank 1", f"{self.right:.3f}")
        yield Row("false positive rate for absent facts", f"{self.false:.3f}")
        yield Row(f"answer or abstain ({self.questions}): AUROC", f"{self.auroc:.3f}", ">= 0.9")
        yield Row("expected calibration error (scores are capped)", f"{self.calibration_error:.3f}")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU-seconds for 1000 texts of `tokens` tokens."""

    part: str
    tokens: int
    cpu_seconds: float

    def rows(self) -> Iterator[Row]:
        yield Row(f"1000 texts of {self.tokens} tokens, text tower at real size", f"{self.cpu_seconds:.0f} CPU-s")


@dataclass(frozen=True, slots=True)
class Search:
    """Median latency of a query over `rows_searched` cues, with and without matches."""

    part: str
    rows_searched: int
    found_ms: float
    none_ms: float

    def rows(self) -> Iterator[Row]:
        yield Row(f"{self.rows_searched} cues, one query with 10 hits", f"{self.found_ms:.1f} ms")
        yield Row("one query without hits", f"{self.none_ms:.1f} ms")


def main() -> None:
    """Run the parts and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=list(PARTS), action="append", help="default: all")
    parser.add_argument("--seed", type=int, default=41, help="seed of the texts (default 41)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report(measure(Path(folder), arguments.seed, arguments.part or list(PARTS)))


def measure(folder: Path, seed: int, parts: Sequence[str]) -> Iterator[Finding]:
    """Run the selected parts one after the other."""
    yield this_machine("cpu", "starter")
    for part in parts:
        yield from PARTS[part](folder, seed)


def heads(folder: Path, seed: int) -> Iterator[Head]:
    """Embed each fact once as a cue, then as questions that share no content word with it."""
    models, rng = open_model_set("starter", "cpu"), np.random.default_rng(seed)
    facts = [fact for fact in _facts() for _ in range(5)]
    pairs = [(fact, pair) for fact in facts if (pair := _in_other_words(fact, rng)) is not None]
    asked, said = [pair[1] for _, pair in pairs], [pair[0] for _, pair in pairs]
    for head in (SpaceName.AUDIO, SpaceName.VIDEO, SpaceName.AUDIO_VIDEO):
        embedded = models.embed_texts([*asked, *said], {head}).of(head)
        if embedded is not None:
            vectors = normalize(embedded)
            scores = vectors[: len(asked)] @ vectors[len(asked) :].T
            shares_words = np.array([[not _words(one).isdisjoint(_words(other)) for other in said] for one in asked])
            nearest = np.where(shares_words, -1.0, scores).argmax(axis=1).tolist()
            right = np.mean([_is_same(pairs[at][0], fact) for at, (fact, _) in zip(nearest, pairs, strict=True)])
            yield Head("heads", head.value, len(asked), float(right))


def answers(folder: Path, seed: int) -> Iterator[Answers]:
    """Search a library of cues with paraphrases."""
    rng = np.random.default_rng(seed)
    known = [fact for fact in _facts() if not any(name in WITHHELD for name in _names(fact))]
    inside, outside = OUTSIDE[::2], OUTSIDE[1::2]
    cues: list[tuple[Fact, str]] = []
    there: list[tuple[Fact, str]] = []
    for number in range(CUES):
        fact = known[int(rng.integers(len(known)))]
        pair = _in_other_words(fact, rng) if number % 2 else None
        if pair is None:
            said = CHATTER[number % len(CHATTER)].format(inside[int(rng.integers(len(inside)))])
            cues.append((frozenset(), str(rng.choice(SAID)) if number % 4 else said))
        else:
            cues.append((fact, pair[0]))
            there.append((fact, pair[1]))
    library = _library(folder / "answers", cues)
    held_back = [text for name in WITHHELD for forms in (HEARD_AS, SEEN_AS) for text in forms.get(name, ())]
    absent = [*held_back, *(text for text in PHRASES if text not in SAID), *outside]
    asked = [*(there[at] for at in rng.permutation(len(there))[:QUESTIONS])]
    asked += [(frozenset(), str(text)) for text in rng.permutation(sorted(set(absent)))[:QUESTIONS]]
    models = open_model_set("starter", "cpu")
    best = [search(library, models, SearchRequest(f"text:({text})", k=1)).moments for _, text in asked]
    scores = np.array([moments[0].score if moments else 0.0 for moments in best])
    is_there, stated = np.array([bool(fact) for fact, _ in asked]), {text: fact for fact, text in cues}
    right = [
        _is_same(stated[moments[0].cues[0].text], fact)
        for (fact, _), moments in zip(asked, best, strict=True)
        if moments and fact
    ]
    found = scores >= 0.5
    yield Answers(
        "answers", len(cues), len(asked), float(found[is_there].mean()), float(np.mean(right)),
        float(found[~is_there].mean()), auroc(scores, is_there), calibration_error(scores, is_there),
    )  # fmt: skip


def cost(folder: Path, seed: int) -> Iterator[Cost]:
    """Cost of texts of three lengths: a line of subtitles, two lines, and a description."""
    transformers = load_transformers()
    tower = transformers.ModernBertModel(transformers.ModernBertConfig(**SMALL.text)).eval()
    for tokens, texts in ((12, 64), (24, 64), (128, 16)):
        ids = torch.randint(5, 50_000, (texts, tokens))
        with torch.inference_mode():
            tower(input_ids=ids[:8])
            started = time.process_time()
            tower(input_ids=ids)
        yield Cost("cost", tokens, (time.process_time() - started) / texts * 1000)


def searched(folder: Path, seed: int) -> Iterator[Search]:
    """Latency of the exact scan plus reading the cues found."""
    rng, files, cues = np.random.default_rng(seed), 64, 1024
    library = create_library(folder / "many", "made-up", [Space(SpaceName.AUDIO, "made-up", "1", 1024)])
    with library.writer() as writer:
        writer.add([cue_file(number, [f"cue {number} {at}" for at in range(cues)]) for number in range(files)])
        for source_id in library.cues_to_embed().ids.tolist():
            vectors = normalize(rng.standard_normal((cues, 1024)).astype(np.float32))
            with writer.cue_vectors() as stream:
                stream.append(source_id, SpaceVectors(SpaceName.CUE, np.zeros((cues, 2)), vectors))
    queries = normalize(rng.standard_normal((40, 1024)).astype(np.float32))
    figures = []
    with on_one_core():
        pinned = library.pinned()
        for least in (0.0, 1.1):
            times = []
            for query in queries:
                started = time.perf_counter()
                pinned.find_similar_cues(query[None], np.array([least], np.float32), 10)
                times.append(time.perf_counter() - started)
            figures.append(float(np.median(times[5:]) * 1000))
    yield Search("search", files * cues, *figures)


def _facts() -> list[Fact]:
    coloured = [frozenset({f"seen:{name}", f"colour:{name}:{colour}"}) for name in COLOURED for colour in COLOURS]
    return [
        *(frozenset({f"heard:{name}"}) for name in HEARD_AS),
        *(frozenset({f"seen:{name}"}) for name in SEEN_AS),
        *coloured,
    ]


def _in_other_words(fact: Fact, rng: Rng) -> tuple[str, str] | None:
    """Two texts that state a fact and share only function words; None when 20 attempts find none."""
    for _ in range(20):
        one, other = sample_text(fact, rng), sample_text(fact, rng)
        if _words(one).isdisjoint(_words(other)):
            return one, other
    return None


_OF_SENTENCES = set(tokenize("a an the of is it we can be you there heard hear seen see sound video picture shows"))


def _words(text: str) -> set[str]:
    return set(tokenize(text)) - _OF_SENTENCES - set(COLOURS)


def _names(fact: Fact) -> set[str]:
    return {one.split(":")[1] for one in fact}


def _is_same(one: Fact, other: Fact) -> bool:
    """Whether two facts are about the same thing, whether seen or heard."""
    colours = [{part for part in fact if part.startswith("colour:")} for fact in (one, other)]
    return _names(one) == _names(other) and colours[0] >= colours[1]


def _library(folder: Path, cues: Sequence[tuple[Fact, str]]) -> Library:
    models = open_model_set("starter", "cpu")
    library = create_library(folder, models.name, models.spaces)
    with library.writer() as writer:
        texts = [text for _, text in cues]
        writer.add([cue_file(at, texts[at : at + CUES_PER_FILE]) for at in range(0, len(texts), CUES_PER_FILE)])
        for _ in embed_cues(library, models, writer, StageTimings()):
            pass
    return library


PARTS: dict[str, Callable[[Path, int], Iterator[Finding]]] = {
    "heads": heads,
    "answers": answers,
    "cost": cost,
    "search": searched,
    "words": cue_words,
}

if __name__ == "__main__":
    main()
