"""Atomic writes: whole or not at all, side by side, and in one place of the code."""

from __future__ import annotations

import ast
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pesearch.errors import LibraryUnavailable
from pesearch.store.disk.durable import AtomicFile, make_folder, undone_by, write_atomically, write_durably
from pesearch.store.disk.lock import writer_lock

HOUSE = Path(__file__).parents[3]
ROOMS = (
    "app",
    "cli",
    "encoders",
    "evaluation",
    "export",
    "indexer",
    "media",
    "pesearch",
    "search",
    "store",
    "training",
)
MAY_RENAME = {
    "store/disk/durable.py": "the atomic write",
    "store/disk/quarantine.py": "moves what is damaged",
    "media/pyav_libraries.py": "replaces links, which hold no data",
}


@pytest.mark.parametrize("durable", [True, False])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "file"
    assert write_atomically(path, lambda sink: sink.write(b"before"), durable=durable) == 6

    def interrupted(sink: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, interrupted, durable=durable)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", b"before")]


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_can_be_filled_by_its_temporary_name(tmp_path: Path, durable: bool) -> None:
    file = AtomicFile(tmp_path / "file", durable=durable)
    file.temporary.write_bytes(b"by name")
    assert not (tmp_path / "file").exists()
    assert file.commit() == 7
    file.abandon()
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", b"by name")]


def test_concurrent_writers_of_one_file_do_not_collide(tmp_path: Path) -> None:
    """Threads and processes that make the same thumbnail: the last to finish counts, and each file is whole."""
    first, second = (AtomicFile(tmp_path / "a.jpg", durable=False) for _ in range(2))
    first.sink.write(b"first")
    second.sink.write(b"second")
    assert all(each.name.startswith(".") and each.suffix == ".part" for each in tmp_path.iterdir())
    assert (second.commit(), first.commit()) == (6, 5)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.jpg", b"first")]


def test_the_temporary_file_of_a_killed_writer_is_overwritten(tmp_path: Path) -> None:
    """Its temporary file has a fixed name, so that crashes leave at most one."""
    (tmp_path / "file.new").write_bytes(b"half of a longer file")
    write_durably(tmp_path / "file", lambda sink: sink.write(b"whole"))
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", b"whole")]


def test_content_is_synced_before_the_rename_and_names_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename that reaches the disk before the content would leave an empty file in place of the old one."""
    events = []

    def recorded(call: Callable[..., None], name: str) -> None:
        def record(first: int | Path, *rest: Path) -> None:
            path = Path(f"/proc/self/fd/{first}").resolve() if isinstance(first, int) else first
            events.append(f"{name} {path.name}")
            call(first, *rest)

        monkeypatch.setattr(os, name, record)

    recorded(os.fsync, "fsync")
    recorded(os.replace, "replace")
    write_durably(tmp_path / "file", lambda sink: sink.write(b"content"))
    assert events == ["fsync file.new", "replace file.new", f"fsync {tmp_path.name}"]


def test_a_file_may_be_committed_under_another_name(tmp_path: Path) -> None:
    file = AtomicFile(tmp_path / "name", durable=False)
    with undone_by(file.abandon):
        file.sink.write(b"content")
        file.commit(tmp_path / "name_2")
    assert [each.name for each in tmp_path.iterdir()] == ["name_2"]


def renames(path: Path) -> Iterator[str]:
    """Calls that give a file another name, as an atomic write does; `str.replace` takes two arguments."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            is_method = name.endswith((".replace", ".rename")) and len(node.args) == 1 and not node.keywords
            if is_method or name in ("os.replace", "os.rename", "shutil.move"):
                yield f"{path.relative_to(HOUSE)}:{node.lineno} {name}"


def test_there_is_one_atomic_write() -> None:
    sources = [path for room in ROOMS for path in (HOUSE / room).rglob("*.py") if not path.is_symlink()]
    assert len(sources) > 200
    found = [each for path in sources if str(path.relative_to(HOUSE)) not in MAY_RENAME for each in renames(path)]
    assert found == []
    assert all(list(renames(HOUSE / path)) for path in MAY_RENAME)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_folders_can_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As CIFS; files are synced too, and other errors are errors."""
    fsync = os.fsync

    def refuse_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    write_durably(make(tmp_path / "new" / "folder") / "file", lambda sink: sink.write(b"content"))
    assert (tmp_path / "new" / "folder" / "file").read_bytes() == b"content"
    number = errno.EIO
    with pytest.raises(OSError, match="Input/output error"):
        make(tmp_path / "other")


def make(folder: Path) -> Path:
    make_folder(folder)
    return folder


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EACCES])
def test_a_file_system_without_locks_has_no_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(LibraryUnavailable, match=f"{os.strerror(number)}: files cannot be locked"),
        writer_lock(tmp_path),
    ):
        pass
