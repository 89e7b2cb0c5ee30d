"""Repair acts on content only, and what it takes out of use can be taken back: no healthy byte is lost."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.errors import (
    LibraryDamaged,
    LibraryError,
    LibraryUnavailable,
    ModelMismatch,
)
from pesearch.store.catalogue.discard_manifest import read_manifest, write_manifest
from pesearch.store.doctor import repair
from pesearch.store.examination import examine
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.restore import restore
from pesearch.store.shards import checksum
from pesearch.store.shards.format import Shard
from pesearch.types import SpaceName, SpaceVectors
from tests.store.contents import AUDIO, SPACES, encoded, queries, vectors
from tests.store.templates import copy_library


@pytest.fixture(scope="module")
def healthy_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files in two commits, one with two locations, one with a cue that is embedded; two shards of each kind."""
    library = create_library(tmp_path_factory.mktemp("healthy") / "library", "made-up", SPACES)
    meant = vectors("hello", AUDIO, 1)
    with library.writer() as writer:
        writer.add([encoded("/1", "one", steps=5), encoded("/copy", "one"), encoded("/2", "two", steps=5)])
        writer.add([encoded("/3", "three", steps=5), encoded("/\udcff", "four", steps=5)])
        writer.store_cues([(1, CueSource(None, None, (Cue(0.0, 1.0, "hello", CueKind.SUBTITLE, "a.srt"),)))])
        with writer.cue_vectors() as stream:
            stream.append(1, SpaceVectors(SpaceName.CUE, meant.segments, meant.vectors))
    return library.folder


@pytest.fixture
def healthy(healthy_template: Path, tmp_path: Path) -> Library:
    return copy_library(healthy_template, tmp_path / "library")


def answers(library: Library) -> dict[str, Any]:
    """All that a library answers, bit by bit."""
    reader = open_library(library.folder)
    hits = {space.name: reader.search(space.name, queries(space), 99) for space in SPACES}
    (cues,) = reader.find_similar_cues(vectors("hello", AUDIO, 1).vectors, np.zeros(1, np.float32), 5)
    return {
        "files": reader.files(),
        "known": dict(reader.known()),
        "hits": {name: [list(of) for of in found] for name, found in hits.items()},
        "cues": [(hit.cue.text, hit.score) for hit in cues],
        "vectors": [
            reader.vectors(file.id, space.name).vectors.tobytes() for file in reader.files() for space in SPACES
        ],
        "features": [
            None if (found := reader.features(file.id)) is None else found.steps.tobytes() for file in reader.files()
        ],
    }


def contents(folder: Path) -> dict[str, str]:
    """The hash of every file of a library, without the lock."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "writer.lock")
    return {str(path.relative_to(folder)): hashlib.sha256(np.fromfile(path, np.uint8)).hexdigest() for path in paths}


def shard(library: Library, folder: str, number: int = 0) -> Path:
    return sorted((library.folder / folder).iterdir())[number]


def flip(path: Path) -> None:
    """Change more bits of a file than parity can restore."""
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 4, 3 * len(content) // 4, 16):
        content[at] ^= 4
    path.write_bytes(content)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int, int], None]:
    """Lets a path fail with a system error when it is opened, the first times or always."""
    open_path = Path.open

    def fail(path: Path, number: int, times: int) -> None:
        left = [times]

        def failing_open(self: Path, *args: Any, **named: Any) -> Any:
            if self == path and left[0]:
                left[0] -= 1
                raise OSError(number, os.strerror(number), str(path))
            return open_path(self, *args, **named)

        monkeypatch.setattr(Path, "open", failing_open)

    return fail


@pytest.mark.parametrize(
    ("number", "times"), [(errno.EIO, 1), (errno.EIO, 10**9), (errno.EACCES, 10**9), (errno.EMFILE, 10**9)]
)
def test_a_shard_that_cannot_be_read_is_not_damaged(
    healthy: Library, failing: Callable[[Path, int, int], None], number: int, times: int
) -> None:
    before, path = contents(healthy.folder), shard(healthy, "vectors/audio")
    failing(path, number, times)
    with pytest.raises(LibraryUnavailable) as refused:
        list(repair(healthy.folder))
    assert path.name in str(refused.value) and os.strerror(number) in str(refused.value)
    assert "--repair" not in str(refused.value)
    assert contents(healthy.folder) == before
    found = examine(healthy.folder)
    assert (len(found.damaged), len(found.unread)) == (0, 0 if times == 1 else 1)


def test_one_unread_shard_keeps_damaged_ones_from_being_discarded(
    healthy: Library, failing: Callable[[Path, int, int], None]
) -> None:
    flip(shard(healthy, "vectors/frame"))
    before = contents(healthy.folder)
    failing(shard(healthy, "features"), errno.EIO, 10**9)
    with pytest.raises(LibraryUnavailable, match="Input/output error"):
        list(repair(healthy.folder))
    assert contents(healthy.folder) == before


def test_shards_of_another_user_are_not_damaged(healthy: Library) -> None:
    """As after a run with sudo. Root reads them, so it gives up that right in a child."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv")
    for path in healthy.folder.rglob("*.arrow"):
        path.chmod(0o600)
        os.chown(path, 65534, 65534)
    before = contents(healthy.folder)
    drop = ["setpriv", *(f"--{kind}=-dac_override,-dac_read_search" for kind in ("bounding-set", "inh-caps"))]
    script = (
        "import sys; from pathlib import Path; from pesearch.store.doctor import repair\n"
        "from pesearch.errors import LibraryUnavailable\n"
        "try: print(list(repair(Path(sys.argv[1]))))\n"
        "except LibraryUnavailable as error: print(error)"
    )
    ran = subprocess.run(
        [*drop, sys.executable, "-c", script, healthy.folder], capture_output=True, text=True, check=True
    )
    assert "Permission denied" in ran.stdout and len(ran.stdout.splitlines()) == 1
    assert contents(healthy.folder) == before


def test_a_folder_of_another_user_is_refused(healthy: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    flip(shard(healthy, "vectors/frame"))
    before = contents(healthy.folder)
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 12345)
    with pytest.raises(LibraryUnavailable, match="belongs to"):
        list(repair(healthy.folder))
    assert contents(healthy.folder) == before
    assert len(list(repair(healthy.folder, force=True))) == 1


@pytest.mark.parametrize(("name", "leaves"), [("vectors", "nothing"), ("features", "an empty folder")])
def test_a_drive_that_is_not_connected(healthy: Library, tmp_path: Path, name: str, leaves: str) -> None:
    """Everything says so; with --force its shards are given up, and taken back when it is connected again."""
    whole, place, drive = answers(healthy), healthy.folder / name, tmp_path / "drive"
    place.rename(drive)
    if leaves != "nothing":
        place.mkdir()
    before, on_drive = contents(healthy.folder), contents(drive)
    for refused in (
        lambda: list(repair(healthy.folder)),
        lambda: open_library(healthy.folder).writer().__enter__(),
        lambda: answers(healthy),
    ):
        with pytest.raises(LibraryUnavailable, match="connect its drive"):
            refused()
    assert examine(healthy.folder).damaged == ()
    status = open_library(healthy.folder).status()
    assert all(folder.startswith(name) for folder in status.missing_shards) and status.missing_shards
    assert contents(healthy.folder) == before

    lines = list(repair(healthy.folder, force=True))
    assert len(lines) == len(on_drive)
    if place.exists():
        place.rmdir()
    drive.rename(place)
    with open_library(healthy.folder).writer() as writer:  # as `pesearch gc`
        writer.sweep()
    assert contents(place) == on_drive
    assert f"{len(on_drive)} shards" in restore(healthy.folder, "damaged-1")
    assert answers(healthy) == whole
    assert not (healthy.folder / "damaged-1").exists()


def test_a_discarded_shard_that_turns_out_well_is_taken_back(healthy: Library) -> None:
    whole, kept = answers(healthy), {}
    for folder in ("features", "vectors/frame", "vectors/cue"):
        path = shard(healthy, folder)
        kept[path.relative_to(healthy.folder)] = path.read_bytes()
        flip(path)
    damaged = contents(healthy.folder)
    assert all("damaged-1" in line for line in repair(healthy.folder))
    with open_library(healthy.folder).writer() as writer:
        writer.sweep()
    quarantine = healthy.folder / "damaged-1"
    assert {str(path) for path in kept} == {
        name for name, content in contents(quarantine).items() if damaged.get(name) == content
    }
    with pytest.raises(LibraryError, match="differ from what was written"):
        restore(healthy.folder, "damaged-1")
    for path, content in kept.items():
        (quarantine / path).write_bytes(content)  # the disk reads it right after all
    assert f"{len(kept)} shards" in restore(healthy.folder, "damaged-1")
    assert answers(healthy) == whole
    assert not quarantine.exists()
    assert examine(healthy.folder).damaged == ()


def test_files_that_were_embedded_again_keep_their_new_rows(healthy: Library) -> None:
    path = shard(healthy, "vectors/audio", 0)
    content = path.read_bytes()
    flip(path)
    list(repair(healthy.folder))
    lost = [file for file in healthy.files() if not len(healthy.vectors(file.id, AUDIO.name).vectors)]
    assert len(lost) == 2
    again = encoded(str(lost[0].locations[0].path), lost[0].fingerprint, steps=5)
    with healthy.writer() as writer:
        writer.add([again])
    (healthy.folder / "damaged-1" / path.relative_to(healthy.folder)).write_bytes(content)
    assert "with data of 1 files" in restore(healthy.folder, "damaged-1")
    assert healthy.failures() == []
    for file in healthy.files():
        for space in SPACES:
            expected = vectors(file.fingerprint, space, 3).vectors
            np.testing.assert_array_equal(healthy.vectors(file.id, space.name).vectors, expected)
    with pytest.raises(LibraryError, match="holds no shards"):
        restore(healthy.folder, "damaged-1")


def test_files_stay_marked_until_nothing_is_missing(healthy: Library) -> None:
    """Two repairs took data of the same files out of use."""
    whole, kept = answers(healthy), []
    for folder in ("vectors/audio", "features"):
        path = shard(healthy, folder)
        kept.append((path.relative_to(healthy.folder), path.read_bytes()))
        flip(path)
        list(repair(healthy.folder))
    for number, (path, content) in reversed(list(enumerate(kept, start=1))):
        (healthy.folder / f"damaged-{number}" / path).write_bytes(content)
        restore(healthy.folder, f"damaged-{number}")
        if number == 2:
            assert len(healthy.failures()) > 0
    assert answers(healthy) == whole


def test_what_does_not_fit_is_not_taken_back(healthy: Library, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="holds no shards that this library discarded"):
        restore(healthy.folder, "damaged-1")
    flip(shard(healthy, "vectors/frame"))
    list(repair(healthy.folder))
    manifest = healthy.folder / "damaged-1" / "shards.json"
    written = manifest.read_bytes()
    for place, other in ((b'"rows": ', b'"rows": 1'), (b'"files"', b'"filez"'), (b"[\n    ", b"[\n   -")):
        manifest.write_bytes(written.replace(place, other, 1))
        if manifest.read_bytes() != written:
            with pytest.raises(LibraryDamaged, match=r"shards\.json cannot be read"):
                restore(healthy.folder, "damaged-1")
    manifest.write_bytes(written)
    discarded = read_manifest(manifest.parent)
    assert discarded is not None
    write_manifest(manifest.parent, replace(discarded, spaces=(replace(discarded.spaces[0], revision="another"),)))
    written = manifest.read_bytes()
    before = contents(healthy.folder)
    with pytest.raises(ModelMismatch, match="other models"):
        restore(healthy.folder, "damaged-1")
    manifest.write_text("{")
    with pytest.raises(LibraryDamaged, match=r"shards\.json cannot be read"):
        restore(healthy.folder, "damaged-1")
    with pytest.raises(LibraryDamaged, match=r"shards\.json cannot be read"), healthy.writer():
        pass  # a sweep could delete what it names
    manifest.write_bytes(written)
    assert contents(healthy.folder) == before


def test_shards_of_commits_that_a_repair_could_not_see_are_kept(healthy: Library, tmp_path: Path) -> None:
    """The copy of the catalogue is from before all commits, and `vectors` is on a drive that is not connected."""
    shutil.rmtree(healthy.folder / "backup")
    empty = create_library(tmp_path / "empty", "made-up", SPACES)
    with empty.writer() as writer:
        writer.record_volumes([])
        writer.back_up()
    shutil.copytree(empty.folder / "backup", healthy.folder / "backup")
    (healthy.folder / "library.duckdb").write_bytes(b"damaged")
    before = {path.name: path.read_bytes() for path in (healthy.folder / "vectors").rglob("*.arrow")}
    (healthy.folder / "vectors").rename(tmp_path / "drive")
    list(repair(healthy.folder))
    shutil.rmtree(healthy.folder / "vectors", ignore_errors=True)
    (tmp_path / "drive").rename(healthy.folder / "vectors")
    with open_library(healthy.folder).writer() as writer:
        writer.sweep()
    after = {path.name: path.read_bytes() for path in healthy.folder.rglob("*.arrow") if path.name in before}
    assert before and after == before


def test_a_wrong_read_is_repeated(healthy: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    read = checksum.is_as_written

    def first_is_wrong(path: Path, shard: Shard) -> bool:
        reads.append(path)
        return len(reads) > 1 and read(path, shard)

    monkeypatch.setattr(checksum, "is_as_written", first_is_wrong)
    assert examine(healthy.folder).damaged == ()
    assert reads.count(reads[0]) == 2


def test_a_catalogue_that_cannot_be_read_is_not_damaged(
    healthy: Library, failing: Callable[[Path, int, int], None]
) -> None:
    """DuckDB's message may not say why; the bytes are read before anything is moved."""
    catalogue = healthy.folder / "library.duckdb"
    flip_many(catalogue)
    before = contents(healthy.folder)
    failing(catalogue, errno.EIO, 10**9)
    with pytest.raises(LibraryUnavailable, match="Input/output error"):
        list(repair(healthy.folder))
    assert contents(healthy.folder) == before


def flip_many(catalogue: Path) -> None:
    """Change a bit in every block of a catalogue."""
    content = bytearray(catalogue.read_bytes())
    for at in range(12_288 + 4096, len(content), 262_144):
        content[at] ^= 4
    catalogue.write_bytes(content)
