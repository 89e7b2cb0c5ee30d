"""Every operation, with a fault in each of its calls in turn; then what is left is checked.

The calls of a run without faults are counted. A case is one of them and a fault: the call fails with an errno that it
may have, or the process is killed in its place. The operation runs in a fork of a process that has everything loaded.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import select
import shutil
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import PesearchError
from pesearch.store.catalogue import connection
from pesearch.store.disk.permissions import LOCK_FILE
from tests.faults.interposer import Hook, Kind, watching
from tests.faults.library_state import commit_next, read_state, unregistered_files
from tests.faults.operations import Operation
from tests.faults.power_cut import SyncedDisk

TAKES_ROOM = frozenset({Kind.CREATE, Kind.WRITE, Kind.SYNC, Kind.RENAME, Kind.MKDIR})
"""What fails on a full disk. It stays full: all such calls fail from the first on."""

CHANGES = TAKES_ROOM | {Kind.UNLINK}
"""What leaves a trace. A process that is killed in place of another call leaves what the next of these would find."""

ERRORS = {
    Kind.OPEN: (errno.EIO, errno.EACCES, errno.EMFILE),
    Kind.CREATE: (errno.EIO, errno.ENOSPC, errno.EACCES, errno.EMFILE),
    Kind.READ: (errno.EIO,),
    Kind.WRITE: (errno.EIO, errno.ENOSPC),
    Kind.SYNC: (errno.EIO, errno.ENOSPC),
    Kind.RENAME: (errno.EIO, errno.ENOSPC, errno.EACCES),
    Kind.UNLINK: (errno.EIO, errno.EACCES),
    Kind.MKDIR: (errno.EIO, errno.ENOSPC, errno.EACCES),
    Kind.STAT: (errno.EIO, errno.EACCES),
    Kind.MMAP: (errno.ENOMEM, errno.EACCES),
    Kind.LOCK: (errno.EIO, errno.ENOLCK),
}
"""The errors that a call of each kind is made to fail with, of those that it may have by POSIX."""

MAX_SECONDS = 60
"""An operation that runs longer hangs: it takes a tenth of a second."""

MAX_ATTACH_TRIES = 3
"""In place of a minute of tries to lock the catalogue."""

DONE, UNEXPECTED = "done", "unexpected"


@dataclass(frozen=True, slots=True)
class Fault:
    """Call `number` of a kind, from 1, fails with `error`; the process is killed there if that is None."""

    kind: Kind
    number: int
    error: int | None

    def __str__(self) -> str:
        return f"{self.kind.name} {self.number} {'kill' if self.error is None else errno.errorcode[self.error]}"

    def hook(self) -> Hook:
        """Puts the fault into a process."""
        calls: Counter[Kind] = Counter()

        def called(kind: Kind, path: Path) -> int:
            calls[kind] += 1
            has_come = calls[self.kind] >= self.number
            is_it = kind is self.kind and calls[kind] == self.number
            if is_it and self.error is None:
                os.kill(os.getpid(), signal.SIGKILL)
            stays = self.error == errno.ENOSPC and kind in TAKES_ROOM
            return self.error or 0 if is_it or (stays and has_come) else 0

        return called


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended: with the `state` "before" or "after" the operation, and with what is `wrong`, if anything."""

    operation: str
    kind: str
    fault: str
    state: str
    wrong: tuple[str, ...]


class Sweep:
    """The cases of one operation, in a new folder."""

    def __init__(self, operation: Operation, folder: Path) -> None:
        self.operation = operation
        self._folder = folder.resolve()
        self._folder.mkdir()
        self._template = self._folder.parent / operation.prepare.__name__ / "library"
        if not self._template.parent.exists():
            self._template.parent.mkdir()
            operation.prepare(self._template)
        self.before = read_state(self._copy("before"))
        clean = self._copy("clean")
        self.calls: Counter[Kind] = Counter()
        with SyncedDisk(clean.parent) as self._disk, watching(clean.parent, self._watch):
            operation.run(clean)
        self.after = read_state(clean)
        kept = {path for path in self.before.shards & self.after.shards if str(path) not in self.before.damage}
        self._kept = {path: (self._template / path).read_bytes() for path in kept}
        self._checked: dict[tuple[str, bool, bool], tuple[str, tuple[str, ...]]] = {}

    def faults(self) -> list[Fault]:
        """All faults of this operation."""
        return [
            Fault(kind, number, error)
            for kind in Kind
            for number in range(1, self.calls[kind] + 1)
            for error in ((None, *ERRORS[kind]) if kind in CHANGES else ERRORS[kind])
        ]

    def run(self, fault: Fault) -> Outcome:
        """Put a fault into the operation, and check what is left."""
        folder = self._copy("case")

        def operate() -> str:
            with watching(folder.parent, fault.hook()):
                self.operation.run(folder)
            return DONE

        ended = in_fork(operate)
        state, wrong = self._checked_case(is_done=ended == DONE)
        if wrong or ended.startswith(UNEXPECTED):
            wrong = (*wrong, ended)
        return Outcome(self.operation.name, fault.kind.name.lower(), str(fault), state, wrong)

    def cut_power(self, count: int | None = None) -> Iterator[Outcome]:
        """Check what a power cut at each call of the operation, and after it, would leave.

        With `count`, at that number of places, the end included.
        """
        remains = self._disk.remains
        last = len(remains) - 1
        step = 1 if count is None else max(1, last // count)
        for number in range(last, -1, -step)[:count]:
            remains[number].restore(self._folder / "case")
            state, wrong = self._checked_case(is_done=number == last, is_synced=number == last)
            yield Outcome(self.operation.name, "power cut", f"power cut {number}", state, wrong)

    def _checked_case(self, *, is_done: bool, is_synced: bool = False) -> tuple[str, tuple[str, ...]]:
        """Check what is left in the folder `case`, unless another case left the same, and delete it."""
        folder = self._folder / "case" / "library"
        left = (_fingerprint(folder), is_done, is_synced)
        if left not in self._checked:
            self._checked[left] = self._check(folder, is_done=is_done, is_synced=is_synced)
        shutil.rmtree(folder.parent)
        return self._checked[left]

    def _check(self, folder: Path, *, is_done: bool, is_synced: bool) -> tuple[str, tuple[str, ...]]:
        """The state that an operation left, and what is wrong with it.

        `is_done`: it returned, so that its change must be there. `is_synced`: it met no error, so that readers must see
        that; a compaction goes on without room for the generation file, which the next writer writes.
        """
        wrong: list[str] = []
        state = ""
        try:
            found = read_state(folder)
            if found.contents == self.after.contents:
                state = "before" if found.shards == self.before.shards != self.after.shards else "after"
            elif found.contents == self.before.contents and not is_done:
                state = "before"
            else:
                wrong.append("a state that is neither that before nor that after")
            wrong += self._damage(folder, found.damage)
            commit_next(folder)
            later = read_state(folder)
            if is_synced and not found.is_announced:
                wrong.append("its commit is not in the generation file")
            if not found.contents <= later.contents:
                wrong.append("the next writer lost something")
            wrong += self._damage(folder, later.damage)
            strays = unregistered_files(folder, later) - self.before.damage  # that may be set aside where it is
            wrong += [f"left behind: {path}" for path in strays]
        except (PesearchError, OSError, AssertionError) as error:
            wrong.append(f"then {type(error).__name__}: {error}")
        return state, tuple(wrong)

    def _damage(self, folder: Path, damage: frozenset[str]) -> Iterator[str]:
        yield from (f"damaged: {each}" for each in damage - self.before.damage)
        for path, content in self._kept.items():
            if not (folder / path).exists() or (folder / path).read_bytes() != content:
                yield f"lost: {path}"

    def _watch(self, kind: Kind, path: Path) -> int:
        self.calls[kind] += 1
        return self._disk.called(kind, path)

    def _copy(self, name: str) -> Path:
        folder = self._folder / name / "library"
        folder.parent.mkdir()
        if self._template.exists():
            shutil.copytree(self._template, folder)
        return folder


def in_fork(run: Callable[[], str]) -> str:
    """How `run` ends in a fork of this process: what it returns, its error on one line, or "killed".

    It makes the same names of shards each time.
    """
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        try:
            connection.MAX_ATTACH_TRIES = MAX_ATTACH_TRIES
            numbers = itertools.count()
            uuid.uuid4 = lambda: uuid.UUID(int=next(numbers))
            os.write(write_end, _ending(run).encode(errors="replace")[:4000])
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        ended = pipe.read() if select.select([pipe], [], [], MAX_SECONDS)[0] else f"{UNEXPECTED}: it hangs".encode()
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return ended.decode() or ("killed" if os.WTERMSIG(status) == signal.SIGKILL else f"{UNEXPECTED} abort")


def _ending(run: Callable[[], str]) -> str:
    try:
        return run()
    except PesearchError as error:
        return f"{type(error).__name__}: {error}"
    except BaseException as error:  # noqa: BLE001 - whatever it is becomes the outcome, by name and text
        return f"{UNEXPECTED} {type(error).__name__}: {error}"


def _fingerprint(folder: Path) -> str:
    """The hash of all files of a library but the lock, which names a process."""
    found = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.rglob("*")):
        if path.name != LOCK_FILE:
            found.update(f"{path.relative_to(folder)}\0".encode())
            found.update(path.read_bytes() if path.is_file() else b"")
    return found.hexdigest()
