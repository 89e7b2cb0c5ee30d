"""The operations on a library that faults are put into, each with the library that it begins with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.store.doctor import repair
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.shards.staging import Staging
from pesearch.store.write import compaction
from pesearch.store.write.batch import store_files
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.store.write.writer import Writer
from pesearch.types import EncodedFile, SpaceName
from tests.store.contents import AUDIO, SPACES, encoded, vectors
from tests.store.old_library import LIBRARIES

DAMAGED_FILE = "two"
"""The content whose vectors in the space `audio` are damaged before a repair."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`prepare`, a function of its own name, makes the library in a folder that does not exist; `run` changes it."""

    name: str
    summary: str
    prepare: Callable[[Path], None]
    run: Callable[[Path], object]


def with_cue(path: str, content: str) -> EncodedFile:
    """A file with three vectors in each space, five steps of features, and one cue: its content."""
    cue = Cue(0.0, 1.0, content, CueKind.SUBTITLE, "stream 2")
    return replace(encoded(path, content, steps=5), cues=(CueSource(None, None, (cue,)),))


def no_library(folder: Path) -> None:
    """The folder stays missing."""


def filled(folder: Path) -> None:
    """Three files in three commits, and cues that are not embedded."""
    with create_library(folder, "made-up", SPACES).writer() as writer:
        for number, content in enumerate(["one", "two", "three"]):
            writer.add([with_cue(f"/{number}", content)])


def create(folder: Path) -> Library:
    """A new library."""
    return create_library(folder, "made-up", SPACES)


def add(writer: Writer, folder: Path) -> None:
    """A file, and a copy of it."""
    writer.add([with_cue("/new", "new"), encoded("/copy", "new")])


def stream(writer: Writer, folder: Path) -> None:
    """A long file."""
    film, streamed = encoded("/film", "film", rows=20, steps=20), StreamingShardWriter(folder, SPACES)
    for part in film.vectors:
        streamed.add_vectors(part)
    assert film.features is not None
    streamed.add_features(film.features)
    writer.add([streamed.finish(film.location, film.fingerprint, film.info)])


def fetch(writer: Writer, folder: Path) -> None:
    """A file whose shards another machine has staged."""
    staging = Staging(folder.parent.as_uri(), "staging")
    files = store_files(folder.parent / "worker", [encoded("/far", "far", steps=5)], SPACES)
    shards = [extent.shard for file in files for extent in file.extents]
    staging.put(folder.parent / "worker", shards)
    staging.fetch(folder, shards)
    writer.add(files)


def merge(writer: Writer, folder: Path) -> None:
    """Two compactions: the second deletes what the first has replaced."""
    writer.compact()
    writer.compact()


def remove(writer: Writer, folder: Path) -> None:
    """As `pesearch remove`."""
    writer.remove([2])
    for _ in writer.maintain():
        pass
    writer.sweep_previews()


def collect_garbage(writer: Writer, folder: Path) -> None:
    """As `pesearch gc`, with a stray file."""
    for _ in writer.maintain():
        pass
    writer.sweep()
    writer.sweep_previews()


def embed_cues(writer: Writer, folder: Path) -> None:
    """The vectors of all cues."""
    waiting = open_library(folder).cues_to_embed()
    with writer.cue_vectors() as stream:
        for source in waiting.ids.tolist():
            stream.append(source, replace(vectors(str(source), AUDIO, 1), space=SpaceName.CUE))


def written(change: Callable[[Writer, Path], object], small_shards: int = 32) -> Callable[[Path], None]:
    """A change by a writer that merges more than `small_shards` shards."""

    def run(folder: Path) -> None:
        with patch.object(compaction, "MAX_SMALL_SHARDS", small_shards), open_library(folder).writer() as writer:
            change(writer, folder)

    return run


def of_schema_2(folder: Path) -> None:
    """A library of an older program."""
    shutil.unpack_archive(LIBRARIES / "schema_2.zip", folder.parent)


def damaged(folder: Path) -> None:
    """As `filled`, with one shard damaged."""
    filled(folder)
    shard = open_library(folder)._generation.snapshot.shards[0]
    path = folder / shard.relative_path
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)


OPERATIONS = (
    Operation("create", "a new library", no_library, create),
    Operation("add", "a file and a copy of it, as `pesearch index` commits them", filled, written(add)),
    Operation("stream", "a long file, written while it is embedded", filled, written(stream)),
    Operation("fetch", "the shards of another machine", filled, written(fetch)),
    Operation("merge", "two compactions", filled, written(merge, small_shards=2)),
    Operation("remove", "as `pesearch remove`", filled, written(remove)),
    Operation("gc", "as `pesearch gc`", filled, written(collect_garbage, small_shards=2)),
    Operation("cues", "the vectors of cues", filled, written(embed_cues)),
    Operation("migrate", "a library of schema 2", of_schema_2, written(lambda writer, folder: None)),
    Operation("repair", "one damaged shard", damaged, lambda folder: list(repair(folder))),
)
