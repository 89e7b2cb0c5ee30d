"""Latency of queries for words of cues: a part of `benchmarks.cues`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import Row
from pesearch.cues import Cue, CueKind, CueSource
from pesearch.encoders.model_set import open_model_set
from pesearch.locations import Location
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.library import create_library
from pesearch.types import AudioStream, EncodedFile, MediaInfo, MediaKind
from training.texts import Rng

WORD_QUERIES = (
    '"dragon"', '"the"', '"the" AND "dragon"', '"the" AND "you"', '"you" -"the"', '"w12" -the', 'said:"w3 w7"',
    "text:(w3 the w7 you)", '"you" THEN "the" THEN "dragon"', '"the" AND "you" WITHIN 10m',
)  # fmt: skip
"""Queries of `words`."""


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


def cue_words(folder: Path, seed: int) -> Iterator[Query]:
    """Latency of queries of words as frequent as in films: "the" is in every third line, "dragon" in 6 of 300 films."""
    rng, films, lines = np.random.default_rng(seed), 300, 1000
    models = open_model_set("starter", "cpu")
    library = create_library(folder / "films", models.name, models.spaces)
    with library.writer() as writer:
        for film in range(films):
            texts = [" ".join(words) for words in _random_lines(rng, lines)]
            texts[500] += " dragon" if film % 50 == 0 else ""
            writer.add([cue_file(film, texts)])
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


def cue_file(number: int, texts: Sequence[str]) -> EncodedFile:
    """A file that has only cues, of five seconds each."""
    info = MediaInfo(MediaKind.AUDIO, 5.0 * len(texts), None, AudioStream("aac", 48000, 1))
    said = tuple(Cue(5.0 * at, 5.0 * at + 4, text, CueKind.SUBTITLE, "a.srt") for at, text in enumerate(texts))
    source = CueSource(None, None, said)
    return EncodedFile(Location(Path(f"/made up/{number}"), 1, 1), f"{number}", info, (), cues=(source,))
