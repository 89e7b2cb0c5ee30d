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
from benchmarks.figures import Finding, Row, report, this_machine
from pesearch.cues import Cue, CueKind, CueSource
from pesearch.encoders.io_types import normalize
from pesearch.encoders.lazy_imports import load_transformers
from pesearch.encoders.model_set import open_model_set
from pesearch.evaluation.metrics import auroc, calibration_error
from pesearch.indexer.cue_embedding import embed_cues
from pesearch.indexer.timings import StageTimings
from pesearch.locations import Location
from pesearch.search.blas_threads import on_one_core
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.index.tokenizer import tokenize
from pesearch.store.library import Library, create_library
from pesearch.types import AudioStream, EncodedFile, MediaInfo, MediaKind, Space, SpaceName, SpaceVectors
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

WORD_QUERIES = (
    '"dragon"', '"the"', '"the" AND "dragon"', '"the" AND "you"', '"you" -"the"', '"w12" -the', 'said:"w3 w7"',
    "text:(w3 the w7 you)", '"you" THEN "the" THEN "dragon"', '"the" AND "you" WITHIN 10m',
)  # fmt: skip
"""Queries of `words`."""

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


@dataclass(frozen=True, slots=True)
class Query:
    """Median latency of a query over `cues` lines of subtitles, and in how many files it finds something."""

    part: str
    query: str
    cues: int
    milliseconds: float
    files: int

    def rows(self) -> Iterator[Row]:
        yield Row(f"{self.query}: {self.files} files", f"{self.milliseconds:.0f} ms")


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
        texts = [[(frozenset[str](), f"cue {number} {at}") for at in range(cues)] for number in range(files)]
        writer.add([_file(number, each) for number, each in enumerate(texts)])
        for source_id in library.cues_to_embed().ids.tolist():
            vectors = normalize(rng.standard_normal((cues, 1024)).astype(np.float32))
            writer.add_cue_vectors([(source_id, SpaceVectors(SpaceName.CUE, np.zeros((cues, 2)), vectors))])
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


def by_words(folder: Path, seed: int) -> Iterator[Query]:
    """Latency of queries of words as frequent as in films: "the" is in every third line, "dragon" in 6 of 300 films."""
    rng, films, lines = np.random.default_rng(seed), 300, 1000
    models = open_model_set("starter", "cpu")
    library = create_library(folder / "films", models.name, models.spaces)
    with library.writer() as writer:
        for film in range(films):
            texts = [" ".join(words) for words in _random_lines(rng, lines)]
            texts[500] += " dragon" if film % 50 == 0 else ""
            writer.add([_file(film, [(frozenset[str](), text) for text in texts])])
    for query in WORD_QUERIES:
        times = []
        for _ in range(6):
            started = time.perf_counter()
            found = search(library, models, SearchRequest(query, k=100)).matches
            times.append(time.perf_counter() - started)
        yield Query(
            "words", query, films * lines, float(np.median(times[1:]) * 1000), len({each.file.id for each in found})
        )


def _random_lines(rng: Rng, count: int) -> Iterator[list[str]]:
    """Lines of 1 to 12 words by Zipf's law, a third with "the", a seventh with "you"."""
    ranks = 1 / np.arange(1, 20_001)
    for number in range(count):
        words = [f"w{rank}" for rank in rng.choice(20_000, rng.integers(1, 13), p=ranks / ranks.sum())]
        words[-1:] = ["the", words[-1]] if number % 3 == 0 else words[-1:]
        yield ["you", *words] if number % 7 == 0 else words


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
        writer.add([_file(at, cues[at : at + CUES_PER_FILE]) for at in range(0, len(cues), CUES_PER_FILE)])
        for _ in embed_cues(library, models, writer, StageTimings()):
            pass
    return library


def _file(number: int, cues: Sequence[tuple[Fact, str]]) -> EncodedFile:
    """A file that has only cues, of five seconds each."""
    info = MediaInfo(MediaKind.AUDIO, 5.0 * len(cues), None, AudioStream("aac", 48000, 1))
    said = tuple(Cue(5.0 * at, 5.0 * at + 4, text, CueKind.SUBTITLE, "a.srt") for at, (_, text) in enumerate(cues))
    source = CueSource(None, None, said)
    return EncodedFile(Location(Path(f"/made up/{number}"), 1, 1), f"{number}", info, (), cues=(source,))


PARTS: dict[str, Callable[[Path, int], Iterator[Finding]]] = {
    "heads": heads,
    "answers": answers,
    "cost": cost,
    "search": searched,
    "words": by_words,
}

if __name__ == "__main__":
    main()
