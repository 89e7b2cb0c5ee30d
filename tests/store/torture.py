"""A writer that is killed at any moment, and what its library must then be.

Each point is one life of a writer: it adds files and copies, long files by a draft, removes, embeds cues, lets shards
be merged and swept, until SIGKILL ends it. A plain twin does the same; what the writer had not said to be done may be
there or not.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.store.doctor import examine
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.shards.records import StreamedFile
from pesearch.store.write import compaction as merging
from pesearch.store.write import writer as writing
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.store.write.writer import Writer
from pesearch.types import EncodedFile, SpaceName
from tests.store.contents import AUDIO, SPACES, encoded, features, vectors
from tests.store.twin import Twin

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.store.torture"])

MOST_FILES = 12
LONG_ROWS = 20
LIFE_SECONDS = 1.2


@dataclass(frozen=True, slots=True)
class Change:
    """What the writer does as its number n: `removed` is the fingerprint of a file, or `added` come."""

    added: tuple[EncodedFile, ...] = ()
    removed: str = ""
    is_streamed: bool = False


def change(number: int, present: list[str]) -> Change:
    """The change of that number to a library that holds these fingerprints: the same for the writer and the twin."""
    chance = random.Random(number)
    if len(present) >= MOST_FILES or (present and chance.random() < 0.2):
        return Change(removed=sorted(present)[number % len(present)])
    if chance.random() < 0.2:
        film = _said(encoded(f"/{number}", f"long {number}", rows=LONG_ROWS, steps=LONG_ROWS))
        return Change((film,), is_streamed=True)
    contents = [f"short {number}-{part}" for part in range(chance.randint(1, 3))]
    places = [_said(encoded(f"/{content}", content, steps=5)) for content in contents]
    return Change((*places, encoded(f"/copy of {contents[0]}", contents[0], steps=5)))


def _said(file: EncodedFile) -> EncodedFile:
    """The file with its name as its only cue."""
    cue = Cue(0.0, 1.0, file.fingerprint, CueKind.SUBTITLE, "stream 2")
    return replace(file, cues=(CueSource(None, None, (cue,)),))


def apply(change: Change, target: Writer | Twin, library: Library | Twin) -> int:
    """Make a change. The generation after it."""
    if change.removed:
        return target.remove([file.id for file in library.files() if file.fingerprint == change.removed])
    if change.is_streamed and isinstance(library, Library) and isinstance(target, Writer):
        return target.add([_streamed(library.folder, file) for file in change.added])
    return target.add(change.added)


def write_until_killed(folder: Path, first: int, said: Connection) -> None:
    """A writer's life: says the number of each change before it, and the generation after it."""
    merging.MAX_SMALL_SHARDS, writing.BATCHES_PER_COMPACTION = 3, 3
    library, number = open_library(folder), first
    while True:
        with library.writer() as writer:
            for _ in range(random.Random(number).randint(1, 12)):
                said.send(("begun", number))
                present = [file.fingerprint for file in library.files()]
                said.send(("done", apply(change(number, present), writer, library)))
                if number % 3 == 0:
                    embed_cues(library, writer)  # the twin knows of none: what is killed here waits for the next time
                number += 1


@dataclass
class Torture:
    """A library, its twin, and the number of the next change."""

    folder: Path
    twin: Twin = field(default_factory=Twin)
    number: int = 1
    generation: int = 0
    changes: int = 0
    in_flight_kept: int = 0

    def __post_init__(self) -> None:
        create_library(self.folder, "made-up", SPACES)

    def kill_once(self, after_seconds: float) -> None:
        """One life of a writer, and the proof that the library is whole after it."""
        hearing, said = FORKS.Pipe(duplex=False)
        process = FORKS.Process(target=write_until_killed, args=(self.folder, self.number, said))
        process.start()
        said.close()
        hearing.poll(30)  # the first change is begun: from here on the clock runs
        time.sleep(after_seconds)
        process.kill()
        process.join()
        self._prove(self._hear(hearing))

    def _hear(self, hearing: Connection) -> bool:
        """Lets the twin make the changes that were done. Whether one was in flight."""
        in_flight = False
        while True:
            try:
                word, number = hearing.recv()
            except EOFError:
                return in_flight
            if word == "done":
                self._follow()
                assert number > self.generation, "a generation that was committed before came again"
                self.generation = number
            in_flight = word == "begun"

    def _follow(self) -> None:
        present = [file.fingerprint for file in self.twin.files()]
        apply(change(self.number, present), self.twin, self.twin)
        self.number += 1
        self.changes += 1

    def _prove(self, in_flight: bool) -> None:
        library = open_library(self.folder)
        assert library.generation() >= self.generation
        self.generation = library.generation()
        if in_flight:
            before = self.twin.copy()
            self._follow()
            if contents(library) != contents(self.twin):
                self.twin, self.number = before, self.number - 1
                self.changes -= 1
            else:
                self.in_flight_kept += 1
        assert contents(library) == contents(self.twin)
        prove_whole(library)
        with library.writer():
            shards = [path for name in ("vectors", "features") for path in (self.folder / name).rglob("*.arrow*")]
            found = examine(self.folder)
            assert (found.damaged, found.shards, found.lost_commits) == ((), len(shards), 0)
        self.generation = library.generation()


def contents(library: Library | Twin) -> set[tuple[str, tuple[Path, ...]]]:
    """All files with their places; twice the same content would be a mistake of its own."""
    files = library.files()
    assert len({file.fingerprint for file in files}) == len(files)
    return {(file.fingerprint, tuple(place.path for place in file.locations)) for file in files}


def embed_cues(library: Library, writer: Writer) -> None:
    """The cue of each file that waits for it."""
    waiting = library.cues_to_embed()
    embedded = [
        (source_id, replace(vectors(library.file(file_id).fingerprint, AUDIO, 1), space=SpaceName.CUE))
        for source_id, file_id in zip(waiting.ids.tolist(), waiting.file_ids.tolist(), strict=True)
    ]
    if embedded:
        writer.add_cue_vectors(embedded)


def prove_whole(library: Library) -> None:
    """Each file has all its vectors and features, each row of it is found, and found once. So is each cue that does not
    wait to be embedded."""
    waiting = set(library.cues_to_embed().file_ids.tolist())
    for file in library.files():
        asked = vectors(file.fingerprint, AUDIO, 1).vectors
        (near,) = library.find_similar_cues(asked, np.zeros(1, np.float32), 10_000, frozenset({file.id}))
        told = [(hit.file_id, hit.cue.text) for hit in near]
        assert told == ([] if file.id in waiting else [(file.id, file.fingerprint)])
    rows = {file.id: LONG_ROWS if file.fingerprint.startswith("long") else 3 for file in library.files()}
    for file in library.files():
        kept = library.features(file.id)
        steps = LONG_ROWS if file.fingerprint.startswith("long") else 5
        assert kept is not None and (kept.steps == features(file.fingerprint, steps).steps).all()
    for space in SPACES:
        for file in library.files():
            wanted = vectors(file.fingerprint, space, rows[file.id]).vectors
            assert (library.vectors(file.id, space.name).vectors == wanted).all()
            best = library.search(space.name, wanted[:1], 1, frozenset({file.id}))[0][0]
            assert best.file_id == file.id
        hits = library.search(space.name, vectors("a question", space, 1).vectors, 10_000)[0]
        found = [(hit.file_id, hit.start_seconds) for hit in hits]
        assert sorted(found) == [(number, float(row)) for number in sorted(rows) for row in range(rows[number])]


def _streamed(folder: Path, file: EncodedFile) -> StreamedFile:
    draft = StreamingShardWriter(folder, SPACES)
    for part in file.vectors:
        draft.add_vectors(part)
    if file.features is not None:
        draft.add_features(file.features)
    return replace(draft.finish(file.location, file.fingerprint, file.info), cues=file.cues)
