"""A small library of the current schema, kept so that later programs can be tested with it.

    python -m tests.store.old_library

writes `tests/store/libraries/schema_<number>.zip`: the library's folder, and in `answers.json` the answers of the
program that wrote it. Run it before adding a migration; existing archives are never written again.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.locations import Location
from pesearch.store.catalogue.schema import MIGRATIONS
from pesearch.store.disk.permissions import LOCK_FILE
from pesearch.store.library import Library, create_library
from pesearch.store.write.streaming import StreamingShardWriter
from tests.store.contents import SPACES, encoded, failure, location, queries

LIBRARIES = Path(__file__).with_name("libraries")
ANSWERS = "answers.json"


def fill(library: Library) -> None:
    """Add everything that a library can have: copies, moved, removed and streamed files, failures, two codecs, cues."""
    with library.writer() as writer:
        writer.add([encoded("/a", "one", steps=5), encoded("/copy of a", "one"), encoded("/b", "two", rows=4)])
        writer.add([encoded("/c", "three", rows=0, steps=3, codec="another"), encoded("/gone", "four", steps=2)])
        writer.record_failures(failure("/b", "cannot be read any more"), failure("/\udcff.mp4"))
        writer.remove([file.id for file in library.files() if file.fingerprint == "four"])
        writer.add_locations([(1, location("/moved a", 9))])
        writer.forget([Path("/a")])
        film, streamed = encoded("/film", "five", rows=20, steps=30), StreamingShardWriter(library.folder, SPACES)
        for part in film.vectors:
            streamed.add_vectors(part)
        if film.features is not None:
            streamed.add_features(film.features)
        writer.add([streamed.finish(film.location, film.fingerprint, film.info)])
        said = Cue(1.0, 2.5, "Mind the gap", CueKind.SUBTITLE, "film.en.srt", "en")
        sidecar = CueSource(Location(Path("/film.en.srt"), 40, 7), Path("/film"), (said,))
        writer.store_cues([(1, CueSource(None, None, ())), (library.files()[-1].id, sidecar)])


def answers(library: Library) -> str:
    """The answers of a library, as JSON, without scores, whose last bits depend on the machine."""
    files = library.files()
    features = {file.id: library.features(file.id) for file in files}
    found = {
        "generation": library.generation(),
        "model_set": library.model_set,
        "spaces": [asdict(space) for space in library.spaces],
        "files": [asdict(file) for file in files],
        "known": {str(path): asdict(place) for path, place in library.known().items()},
        "vectors": [
            [stored.segments.tolist(), stored.vectors.tolist()]
            for file in files
            for space in SPACES
            for stored in [library.vectors(file.id, space.name)]
        ],
        "features": {key: [each.codec, each.steps.tolist()] for key, each in features.items() if each is not None},
        "cues": {file.id: [asdict(cue) for cue in library.cues(file.id)] for file in files},
        "cue_sources": [asdict(source) for source in library.cue_sources()],
        "hits": [
            [(hit.file_id, hit.start_seconds) for hit in hits]
            for space in SPACES
            for hits in library.search(space.name, queries(space), 10)
        ],
    }
    return json.dumps(found, indent=1, default=str)


def assert_answers_as(library: Library, expected: str) -> None:
    """The library gives all answers of the program that wrote it; there may be more, also more fields."""
    before = json.loads(expected)
    assert known_part(json.loads(answers(library)), before) == before


def known_part(answer: Any, before: Any) -> Any:
    """The answer without the fields that an older program did not have."""
    if isinstance(answer, dict) and isinstance(before, dict):
        return {key: known_part(value, before[key]) for key, value in answer.items() if key in before}
    if isinstance(answer, list) and isinstance(before, list) and len(answer) == len(before):
        return [known_part(*pair) for pair in zip(answer, before, strict=True)]
    return answer


def main() -> None:
    """Write the library of the current schema."""
    kept = LIBRARIES / f"schema_{len(MIGRATIONS)}"
    if kept.with_suffix(".zip").exists():
        sys.exit(f"{kept.with_suffix('.zip')} exists already and must not be written again")
    with tempfile.TemporaryDirectory() as folder:
        library = create_library(Path(folder) / "library", "made-up", SPACES)
        fill(library)
        (Path(folder) / ANSWERS).write_text(answers(library))
        (library.folder / LOCK_FILE).unlink()  # it names the machine
        shutil.make_archive(str(kept), "zip", folder)


if __name__ == "__main__":
    main()
