"""Files are copies only if their contents are the same."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import CopiesCompared, Indexed, Plan, Relocated
from pesearch.media.fingerprint import sampled_fingerprint
from pesearch.store.catalogue.connection import transaction
from pesearch.store.catalogue.schema import MIGRATIONS, UNCOMPARED_COPIES
from pesearch.store.library import Library, open_library
from tests.indexer.equal_lengths import sweep
from tests.indexer.runs import names_by_kind, of, run

Sample = Callable[[str], Path]

SIZE_BYTES = 5 << 20
CHANGED_AT = 3 << 19
"""Between the first and the second part that a sampled fingerprint reads."""


def scan(path: Path, mark: int) -> Path:
    """An uncompressed page of 3.6 MB: white but for a mark between the parts that are sampled."""
    page = Image.new("RGB", (1200, 1000), "white")
    page.paste((mark, 0, 0), (500, 660, 600, 690))
    path.parent.mkdir(parents=True, exist_ok=True)
    page.save(path, "BMP")
    return path


@pytest.fixture(scope="module")
def compressed(tmp_path_factory: pytest.TempPathFactory, sample: Sample) -> bytes:
    """A picture, and bytes that cannot be compressed: as a long film at a constant bit rate."""
    head = sample("cover.png").read_bytes()
    return head + random.Random(0).randbytes(SIZE_BYTES - len(head))


def changed(content: bytes) -> bytes:
    """The same with another byte where nothing is sampled."""
    return content[:CHANGED_AT] + bytes([content[CHANGED_AT] ^ 1]) + content[CHANGED_AT + 1 :]


def fingerprints(library: Library) -> dict[str, str]:
    return {location.path.name: file.fingerprint for file in library.files() for location in file.locations}


def test_scans_of_one_size_are_different_files(tmp_path: Path, library: Library, models: ModelSet) -> None:
    media = tmp_path / "media"
    names = [scan(media / f"{mark}.bmp", mark).name for mark in (10, 20, 30)]
    shutil.copy(media / "10.bmp", media / "copy of 10.bmp")
    assert len({sampled_fingerprint(media / name) for name in names}) == 1
    assert names_by_kind(run(media, library, models)) == {"Indexed": names, "Relocated": ["copy of 10.bmp"]}
    scan(media / "20.bmp", 99)  # written again in place
    assert names_by_kind(run(media, library, models))["Indexed"] == ["20.bmp"]


def test_no_stem_bounce_or_scan_is_taken_for_another() -> None:
    """`python -m tests.indexer.equal_lengths` tries 1000."""
    results = list(sweep(15))
    assert [(each.kind, each.contents, each.sampled, each.copies_found) for each in results] == [
        (kind, 3, 1, 1) for kind in ("wav", "aiff", "mp3", "bmp", "tiff")
    ]


def test_compressed_files_with_equal_samples_are_compared(
    tmp_path: Path, library: Library, models: ModelSet, compressed: bytes
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    (media / "a.png").write_bytes(compressed)
    (media / "b.png").write_bytes(changed(compressed))
    shutil.copy(media / "b.png", media / "c.png")
    outcomes = run(media, library, models)
    assert names_by_kind(outcomes) == {"Indexed": ["a.png", "b.png"], "Relocated": ["c.png"]}
    found = fingerprints(library)
    assert found["a.png"] == sampled_fingerprint(media / "a.png") != found["b.png"] == found["c.png"]
    for name in ("a.png", "b.png", "c.png"):
        os.utime(media / name, (1, 2))
    assert set(names_by_kind(run(media, library, models))) == {"Unchanged"}
    shutil.copy(media / "b.png", media / "d.png")
    assert names_by_kind(run(media, library, models))["Relocated"] == ["d.png"]
    assert fingerprints(library)["d.png"] == found["b.png"]


@pytest.mark.parametrize(("name", "keeps_time", "kind"), [("a", False, "Relocated"), ("b", True, "Relocated")])
def test_a_file_on_another_drive_is_known_by_name_or_time(
    tmp_path: Path, library: Library, models: ModelSet, compressed: bytes, name: str, keeps_time: bool, kind: str
) -> None:
    """The first drive is gone, so that nothing can be compared."""
    old, new = tmp_path / "old/a.png", tmp_path / f"new/{name}.png"
    for path in (old, new):
        path.parent.mkdir()
        path.write_bytes(compressed)
    os.utime(new, ns=(0, old.stat().st_mtime_ns if keeps_time else 1))
    new.parent.rename(tmp_path / "later")
    run(old.parent, library, models)
    shutil.rmtree(old.parent)
    assert list(names_by_kind(run(tmp_path / "later", library, models))) == [kind]


def test_copies_that_kept_name_and_time_are_not_read(
    tmp_path: Path, library: Library, models: ModelSet, compressed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "media/film/a.png"
    first.parent.mkdir(parents=True)
    first.write_bytes(compressed)
    backup = Path(shutil.copytree(first.parent, tmp_path / "media/backup"))  # as cp -p, rsync -t and file managers do
    monkeypatch.setattr("pesearch.indexer.copies.same_content", pytest.fail)
    assert names_by_kind(run(tmp_path / "media", library, models)) == {"Indexed": ["a.png"], "Relocated": ["a.png"]}
    shutil.copytree(backup, tmp_path / "media/second")
    assert len(of(Relocated, run(tmp_path / "media", library, models))) == 1


def as_older_program_left_it(library: Library, joined: list[Path]) -> Library:
    """`joined` are in the library as copies of the first of them, by parts of their content."""
    (first,) = (file for file in library.files() if file.locations[0].path == joined[0])
    others = [file for file in library.files() if file.locations[0].path in joined[1:]]
    with library.writer() as writer:
        writer.add_locations([(first.id, file.locations[0]) for file in others])
    with transaction(library.folder) as connection:
        connection.execute("UPDATE files SET fingerprint = ? WHERE id = ?", [sampled_fingerprint(joined[0]), first.id])
        connection.execute("DROP TABLE absent_locations")
        connection.execute("DROP TABLE uncompared_copies")
        connection.execute("UPDATE library SET schema = ?", [MIGRATIONS.index(UNCOMPARED_COPIES)])
    return open_library(library.folder)


def test_a_library_of_an_older_program_is_mended(tmp_path: Path, library: Library, models: ModelSet) -> None:
    media = tmp_path / "media"
    stems = [scan(media / f"{mark}.bmp", mark) for mark in (10, 20, 30)]
    alone = scan(media / "alone.bmp", 40)
    twins = [scan(media / f"twin {number}.bmp", 50) for number in (1, 2)]
    run(media, library, models)
    older = as_older_program_left_it(library, stems)
    assert len({fingerprints(older)[path.name] for path in stems}) == 1
    ids = {file.id for file in older.files() if file.locations[0].path in (alone, *twins)}

    outcomes = run(media, older, models)
    assert of(CopiesCompared, outcomes) == [CopiesCompared(1, 2), CopiesCompared(2, 2)]
    assert sorted(each.location.path for each in of(Indexed, outcomes)) == stems
    assert ids < {file.id for file in older.files()} and len(older.files()) == 5
    again = run(media, older, models)
    assert not of(CopiesCompared, again) and of(Plan, again) == [Plan(0, 0.0)]
