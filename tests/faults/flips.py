"""Flip bits in every file of a library, and compare the answers with those of the undamaged one.

    python -m tests.faults.flips               # 14 places of each file, in both ways to search: twenty minutes
    python -m tests.faults.flips --places 2
    python -m tests.faults.flips --files vectors features

A flip is harmless (all answers equal, to the last bit), repaired (equal, and the damage is named), reported (the damage
is named, in an error or with the answers), or without a picture (a preview that cannot be shown). Exit code 1 when any
other answer differs or an error is none for users.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import PesearchError
from pesearch.indexer.run import index
from pesearch.matching import LogOdds, Recalibration
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.index import fulltext_file
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.recalibration import write_recalibration
from pesearch.store.shards import reader as shard_reader
from tests.conftest import SAMPLE_MEDIA
from tests.store.policies import compress_without_loss

REQUESTS = (
    SearchRequest("train", locate=False),
    SearchRequest("heard:siren AND seen:train"),
    SearchRequest("seen:ball", locate=False),
    SearchRequest('text:"platform two" OR said:"thunder over the lake"', locate=False),
    SearchRequest(image=SAMPLE_MEDIA / "red_ball.png", locate=False),
)
"""They read vectors of all spaces, sound features, cues by words and by meaning, and no media but the example."""

PREVIEW_SECONDS = 3.0


class Outcome(StrEnum):
    """What a flip did to the answers."""

    HARMLESS = "harmless"
    REPAIRED = "repaired"
    REPORTED = "reported"
    NO_PICTURE = "no picture"
    WRONG = "WRONG"


def make_library(folder: Path, models: ModelSet) -> Library:
    """A library of the sample media and of made-up cues, with all files that a library can have."""
    library = create_library(folder, models.name, models.spaces)
    for _ in index([SAMPLE_MEDIA], library, models):
        pass
    add_cues(library, models)
    write_recalibration(folder, Recalibration("made up", LogOdds(1.1, 0.2), LogOdds(0.9, -0.1)))
    answers(library, models)  # keeps the vectors of the cohort
    return library


def add_cues(library: Library, models: ModelSet) -> None:
    """Subtitles of each file, with their vectors."""
    lines = ("platform two", "thunder over the lake", "the dog is at home", "a red ball in the grass")
    with library.writer() as writer:
        for number, file in enumerate(library.files()):
            cues = tuple(
                Cue(at, at + 1.0, f"{lines[(number + at) % len(lines)]} {number}", CueKind.SUBTITLE, "stream 2")
                for at in range(3)
            )
            writer.store_cues([(file.id, CueSource(None, None, cues))])
    for _ in index([SAMPLE_MEDIA], library, models):  # embeds them
        pass


def answers(library: Library, models: ModelSet) -> tuple[Any, Any]:
    """The moments that each request finds, and the previews; the library and its damage are left out."""
    found = [
        [(replace(moment, file=library.file(moment.file.id)), result.score_kind) for moment in result.moments]
        for result in (search(library, models, request) for request in REQUESTS)
    ]
    return found, [library.preview(file, PREVIEW_SECONDS) for file in library.files()]


def flips(folder: Path, path: Path, places: int) -> Iterator[None]:
    """Flip one bit at evenly spaced places of a file, one after the other, and put it right again."""
    content = (folder / path).read_bytes()
    try:
        for number in range(min(places, len(content))):
            at = (2 * number + 1) * len(content) // (2 * places)
            flipped = bytes([content[at] ^ 1 << (5 * number + 3) % 8])
            (folder / path).write_bytes(content[:at] + flipped + content[at + 1 :])
            yield
    finally:
        (folder / path).write_bytes(content)


def outcome(folder: Path, models: ModelSet, clean: tuple[Any, Any]) -> Outcome:
    """What a new process would answer from a library with a flipped bit."""
    try:
        library = open_library(folder)
        found, pictures = answers(library, models)
    except PesearchError as error:
        return Outcome.REPORTED if len(str(error).splitlines()) == 1 else Outcome.WRONG
    except Exception as error:  # noqa: BLE001 - no answer may end so: printed, and counted as wrong
        print(f"unexpected {type(error).__name__}: {error}", file=sys.stderr)
        return Outcome.WRONG
    damaged = library.damage()
    if found != clean[0]:
        return Outcome.REPORTED if any(file.lost for file in damaged) else Outcome.WRONG
    if pictures != clean[1]:
        is_missing = all(picture in (None, expected) for picture, expected in zip(pictures, clean[1], strict=True))
        return Outcome.NO_PICTURE if is_missing else Outcome.WRONG
    return Outcome.REPAIRED if damaged else Outcome.HARMLESS


def sweep(folder: Path, models: ModelSet, paths: Sequence[Path], places: int) -> dict[str, Counter[Outcome]]:
    """The outcomes of flips in files of the library in `folder`, by folder and kind of file."""
    clean = answers(open_library(folder), models)
    outcomes: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for path in paths:
        for place, _ in enumerate(flips(folder, path, places)):
            found = outcome(folder, models, clean)
            outcomes[kind_of(path)][found] += 1
            if found is Outcome.WRONG:
                print(f"{path}, place {place}: {found}", file=sys.stderr)
    return outcomes


def kind_of(path: Path) -> str:
    """The row of the table for a file."""
    return path.name if len(path.parts) == 1 or path.parts[0] == "indexes" else "/".join(path.parts[:-1][:2])


def files_of(folder: Path) -> list[Path]:
    """All files of a library, relative to it; all previews are of one kind, and three stand for them."""
    found = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    pictures = [path for path in found if path.parts[0] == "pictures"]
    return [path for path in found if path not in pictures[3:]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sweep that is asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=14)
    parser.add_argument("--files", nargs="+", help="only files whose path begins with one of these")
    chosen = parser.parse_args(arguments)
    models = open_model_set("starter", "cpu")
    is_wrong = False
    for way in ("in memory", "compressed and mapped"):
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as temporary:
            patch.setattr(fulltext_file, "MIN_CACHED_CUES", 0)
            if way != "in memory":
                compress_without_loss(patch)
                patch.setattr(shard_reader, "MAX_IN_MEMORY_BYTES", 0)
            folder = Path(temporary, "library")
            make_library(folder, models)
            paths = [path for path in files_of(folder) if str(path).startswith(tuple(chosen.files or ("",)))]
            outcomes = sweep(folder, models, paths, chosen.places)
        print(f"{way:24}", *(f"{each:>10}" for each in Outcome))
        for kind, counts in outcomes.items():
            print(f"{kind:24}", *(f"{counts[each]:10}" for each in Outcome), flush=True)
            is_wrong |= bool(counts[Outcome.WRONG])
    return int(is_wrong)


if __name__ == "__main__":
    sys.exit(main())
