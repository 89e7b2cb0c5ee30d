"""Changes of a library that a number determines: the same for a writer and for a plain twin."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.store.library import Library
from pesearch.store.shards.records import StreamedFile
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.store.write.writer import Writer
from pesearch.types import EncodedFile
from tests.store.contents import SPACES, encoded
from tests.store.twin import Twin

MAX_FILES = 12
LONG_ROWS = 20


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


def _streamed(folder: Path, file: EncodedFile) -> StreamedFile:
    streamed = StreamingShardWriter(folder, SPACES)
    for part in file.vectors:
        streamed.add_vectors(part)
    if file.features is not None:
        streamed.add_features(file.features)
    return replace(streamed.finish(file.location, file.fingerprint, file.info), cues=file.cues)
