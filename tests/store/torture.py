"""Writers that are killed at any moment, and checks of the library after each.

A writer adds files and copies, streams long files, removes, embeds cues, compacts and sweeps until SIGKILL. A plain
twin makes the same changes; the change in flight may have been committed or not.
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
from pesearch.store.write import compaction
from pesearch.store.write import writer as writer_module
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.store.write.writer import Writer
from pesearch.types import EncodedFile, SpaceName
from tests.store.contents import AUDIO, SPACES, encoded, features, vectors
from tests.store.twin import Twin

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.store.torture"])

MAX_FILES = 12
LONG_ROWS = 20
LIFE_SECONDS = 1.2


@dataclass(frozen=True, slots=True)
class Change:
    """A change: removes the file with the fingerprint `removed`, or adds `added`."""

    added: tuple[EncodedFile, ...] = ()
    removed: str = ""
    is_streamed: bool = False


def change(number: int, present: list[str]) -> Change:
    """Change `number` of a library with these fingerprints: the same for the writer and the twin."""
    chance = random.Random(number)
    if len(present) >= MAX_FILES or (present and chance.random() < 0.2):
        return Change(removed=sorted(present)[number % len(present)])
    if chance.random() < 0.2:
        film = _with_cue(encoded(f"/{number}", f"long {number}", rows=LONG_ROWS, steps=LONG_ROWS))
        return Change((film,), is_streamed=True)
    contents = [f"short {number}-{part}" for part in range(chance.randint(1, 3))]
    places = [_with_cue(encoded(f"/{content}", content, steps=5)) for content in contents]
    return Change((*places, encoded(f"/copy of {contents[0]}", contents[0], steps=5)))


def _with_cue(file: EncodedFile) -> EncodedFile:
    """The file with its fingerprint as its only cue."""
    cue = Cue(0.0, 1.0, file.fingerprint, CueKind.SUBTITLE, "stream 2")
    return replace(file, cues=(CueSource(None, None, (cue,)),))


def apply(change: Change, target: Writer | Twin, library: Library | Twin) -> int:
    """Make a change. The new generation."""
    if change.removed:
        return target.remove([file.id for file in library.files() if file.fingerprint == change.removed])
    if change.is_streamed and isinstance(library, Library) and isinstance(target, Writer):
        return target.add([_streamed(library.folder, file) for file in change.added])
    return target.add(change.added)


def write_until_killed(folder: Path, first: int, progress: Connection) -> None:
    """Make changes, and send the number of each before it and the generation after it."""
    compaction.MAX_SMALL_SHARDS, writer_module.BATCHES_PER_COMPACTION = 3, 3
    library, number = open_library(folder), first
    while True:
        with library.writer() as writer:
            for _ in range(random.Random(number).randint(1, 12)):
                progress.send(("begun", number))
                present = [file.fingerprint for file in library.files()]
                progress.send(("done", apply(change(number, present), writer, library)))
                if number % 3 == 0:
                    embed_cues(library, writer)  # not in the twin: after a kill the next writer embeds them
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
        """Start a writer, kill it, and check that the library is whole."""
        progress, writer_end = FORKS.Pipe(duplex=False)
        process = FORKS.Process(target=write_until_killed, args=(self.folder, self.number, writer_end))
        process.start()
        writer_end.close()
        progress.poll(60)  # until the first change begins
        time.sleep(after_seconds)
        process.kill()
        process.join()
        self._check(self._follow_all(progress))

    def _follow_all(self, progress: Connection) -> bool:
        """Make the changes that were done to the twin. Whether one was in flight."""
        in_flight = False
        while True:
            try:
                word, number = progress.recv()
            except EOFError:
                return in_flight
            if word == "done":
                self._follow()
                assert number > self.generation, "a generation was committed twice"
                self.generation = number
            in_flight = word == "begun"

    def _follow(self) -> None:
        present = [file.fingerprint for file in self.twin.files()]
        apply(change(self.number, present), self.twin, self.twin)
        self.number += 1
        self.changes += 1

    def _check(self, in_flight: bool) -> None:
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
        check_whole(library)
        with library.writer():
            shards = [path for name in ("vectors", "features") for path in (self.folder / name).rglob("*.arrow*")]
            found = examine(self.folder)
            assert (found.damaged, found.shards, found.lost_commits) == ((), len(shards), 0)
        self.generation = library.generation()


def contents(library: Library | Twin) -> set[tuple[str, tuple[Path, ...]]]:
    """All files with their paths. No content comes twice."""
    files = library.files()
    assert len({file.fingerprint for file in files}) == len(files)
    return {(file.fingerprint, tuple(place.path for place in file.locations)) for file in files}


def embed_cues(library: Library, writer: Writer) -> None:
    """Embed the cues of all files that are not embedded yet."""
    waiting = library.cues_to_embed()
    embedded = [
        (source_id, replace(vectors(library.file(file_id).fingerprint, AUDIO, 1), space=SpaceName.CUE))
        for source_id, file_id in zip(waiting.ids.tolist(), waiting.file_ids.tolist(), strict=True)
    ]
    if embedded:
        writer.add_cue_vectors(embedded)


def check_whole(library: Library) -> None:
    """Each file has all its vectors and features; each row, and each embedded cue, is found once."""
    waiting = set(library.cues_to_embed().file_ids.tolist())
    for file in library.files():
        asked = vectors(file.fingerprint, AUDIO, 1).vectors
        (near,) = library.find_similar_cues(asked, np.zeros(1, np.float32), 10_000, frozenset({file.id}))
        cues = [(hit.file_id, hit.cue.text) for hit in near]
        assert cues == ([] if file.id in waiting else [(file.id, file.fingerprint)])
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
    streamed = StreamingShardWriter(folder, SPACES)
    for part in file.vectors:
        streamed.add_vectors(part)
    if file.features is not None:
        streamed.add_features(file.features)
    return replace(streamed.finish(file.location, file.fingerprint, file.info), cues=file.cues)
