"""Several processes at one library: a writer, readers, and a second writer. tests/faults kills writers."""

from __future__ import annotations

import os
import subprocess
import sys
from socket import gethostname

import pytest

from pesearch.errors import LibraryBusy
from pesearch.store.library import Library, open_library
from pesearch.types import SpaceName
from tests.store.contents import AUDIO, SPACES, encoded, features, queries, vectors

WRITER = """
import sys
from pathlib import Path
from pesearch.store.library import open_library
from tests.store.contents import encoded

with open_library(Path(sys.argv[1])).writer() as writer:
    for number in range(int(sys.argv[2]), int(sys.argv[3])):
        content = f"content {number}"
        writer.add([encoded(f"/{number}", content, steps=5), encoded(f"/{number} copy", content)])
        print(number, flush=True)
    sys.stdin.read()
"""


def start_writer(library: Library, first: int, stop: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(library.folder), str(first), str(stop)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def lines(process: subprocess.Popen[str], count: int) -> list[int]:
    assert process.stdout is not None
    return [int(process.stdout.readline()) for _ in range(count)]


def assert_whole(library: Library) -> set[int]:
    """Every file comes once, with both locations, all vectors and features, and is found. The numbers of the files."""
    numbers = {int(file.fingerprint.split()[1]): file for file in library.files()}
    assert len(numbers) == len(library.files())
    for number, file in numbers.items():
        assert [str(place.path) for place in file.locations] == [f"/{number}", f"/{number} copy"]
        kept = library.features(file.id)
        assert kept is not None and (kept.steps == features(file.fingerprint, 5).steps).all()
        for space in SPACES:
            wanted = vectors(file.fingerprint, space, 3).vectors
            assert (library.vectors(file.id, space.name).vectors == wanted).all()
            hit = library.search(space.name, wanted[:1], 1, frozenset({file.id}))[0][0]
            assert (hit.file_id, hit.start_seconds) == (file.id, 0.0)
    return set(numbers)


def test_reader_during_writes_sees_whole_generations_in_order(library: Library) -> None:
    """Each generation is whole, and never older than the one before."""
    seen = []
    with start_writer(library, 0, 6) as writing:
        while not seen or seen[-1] < 6:
            pinned = library.pinned()
            assert assert_whole(pinned) == set(range(pinned.generation()))
            hits = pinned.search(SpaceName.AUDIO, queries(AUDIO, 1), 1000)[0]
            assert len(hits) == 3 * pinned.generation()
            seen.append(pinned.generation())
        writing.kill()
    assert seen == sorted(seen)


def test_second_writer_gets_the_process_that_is_writing(library: Library) -> None:
    with start_writer(library, 0, 1) as writing:
        lines(writing, 1)
        with pytest.raises(LibraryBusy, match=f"Process {writing.pid} on "), library.writer():
            pass
        writing.communicate("")
    assert writing.returncode == 0
    with library.writer() as writer:
        assert writer.add([encoded("/own", "content 99")]) == 2


def test_second_writer_in_the_same_process_is_refused(library: Library) -> None:
    with library.writer(), pytest.raises(LibraryBusy, match=str(os.getpid())), library.writer():
        pass


HOLDERS = ("Process 999999999 on elsewhere", f"Process {os.getpid()} on {gethostname()}")


@pytest.mark.parametrize("holder", HOLDERS, ids=["elsewhere", "now another process"])
def test_lock_of_a_dead_writer_is_taken_over(library: Library, holder: str) -> None:
    """Even if another process now has its id: the file names the holder, the system has the lock."""
    (library.folder / "writer.lock").write_text(f"{holder}\n" * 20)
    with library.writer() as writer:
        assert writer.add([]) == 1
        holders = (library.folder / "writer.lock").read_text().splitlines()
    assert [holder.split(" on ")[0] for holder in holders] == [f"Process {os.getpid()}"]


def test_commit_without_a_generation_file_is_seen(library: Library) -> None:
    """A writer that was killed between its commit and writing the generation file."""
    announced = (library.folder / "generation").read_text()
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
    (library.folder / "generation").write_text(announced)
    assert open_library(library.folder).generation() == 1
    with library.writer():
        assert (library.folder / "generation").read_text().startswith("1 ")
