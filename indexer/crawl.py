"""Finds files: walks folders in a fixed order and opens only folders and ignore files."""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pesearch.errors import PesearchError
from pesearch.indexer.ignore import Patterns, compile_patterns, is_excluded, is_hidden, read_ignore_file
from pesearch.locations import Location, is_folder
from pesearch.types import Failure
from pesearch.volume import Volume
from pesearch.volumes import mounted_volumes

LIBRARY_MARKER = "library.duckdb"
"""A folder with this file is a library. It is skipped: its previews are not the user's media."""


def crawl(paths: Sequence[Path], excludes: Sequence[str] = ()) -> Iterator[Location | Failure]:
    """Every regular file under `paths`, each path once; a folder or file that cannot be accessed is a Failure.

    In the order of `paths`; within a folder its files first, then its folders, both by name; links to folders last,
    and each real folder only once, so that link loops end. Links that lead nowhere, or in a circle, are left out like
    names without a file, except `paths` themselves. `excludes` are gitignore patterns, relative to each of
    `paths` or, when they begin with a slash, also to the root of the file system; they override ignore files. The
    `paths` themselves are taken even if hidden. Pipes, sockets and devices are never opened.
    Raises PesearchError for an invalid pattern.
    """
    roots = roots_of(paths)
    patterns = [_user_patterns(root, excludes) for root in roots]
    folders: set[tuple[int, int]] = set()
    files: set[str] = set()
    volumes = mounted_volumes()
    for root, excluded in zip(roots, patterns, strict=True):
        yield from _Walk(excluded, folders, files, volumes).start(root)


def roots_of(paths: Sequence[Path]) -> list[Path]:
    """The absolute paths at which a crawl of `paths` starts, links resolved. Links below them are not resolved."""
    return [Path(os.path.realpath(path)) for path in paths]


def _user_patterns(root: Path, excludes: Sequence[str]) -> tuple[Patterns, ...]:
    absolute = [line for line in excludes if line.removeprefix("!").startswith("/")]
    base = root if is_folder(root) else root.parent
    both = compile_patterns(Path("/"), absolute, "--exclude"), compile_patterns(base, excludes, "--exclude")
    return tuple(each for each in both if each.lines)


def _reason(error: OSError | PesearchError) -> str:
    """The error as one short line without the path."""
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return text[:1].lower() + text[1:]


def _failure(path: Path, error: OSError | PesearchError) -> Failure:
    return Failure(Location(path, 0, 0), _reason(error))


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to list, with the patterns of the ignore files above it."""

    path: Path
    ignores: tuple[Patterns, ...] = ()


@dataclass(frozen=True, slots=True)
class _Listing:
    """The contents of one folder, sorted by name."""

    files: list[Path] = field(default_factory=list)
    folders: list[_Folder] = field(default_factory=list)
    links: list[_Folder] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Walk:
    """The walk below one root. `folders` (device and inode) and `files` (paths) hold those visited from all roots."""

    excluded: tuple[Patterns, ...]
    folders: set[tuple[int, int]]
    files: set[str]
    volumes: Mapping[int, Volume]

    def start(self, root: Path) -> Iterator[Location | Failure]:
        try:
            mode = root.stat().st_mode
        except OSError as error:
            yield _failure(root, error)
            return
        if is_excluded(root, stat.S_ISDIR(mode), self.excluded):
            return
        if stat.S_ISDIR(mode):
            yield from self.tree(root)
        elif stat.S_ISREG(mode):
            yield from self.file(root)
        else:
            yield Failure(Location(root, 0, 0), "neither a file nor a folder")

    def tree(self, root: Path) -> Iterator[Location | Failure]:
        """All files below a folder. Iterative: trees can be deeper than Python's stack."""
        pending = [_Folder(root)]
        links: deque[_Folder] = deque()
        while pending or links:
            folder = pending.pop() if pending else links.popleft()
            listing = self.list_folder(folder)
            yield from listing.failures
            for path in listing.files:
                yield from self.file(path)
            pending += reversed(listing.folders)
            links += listing.links

    def list_folder(self, folder: _Folder) -> _Listing:
        """The contents of a folder that are not excluded; empty for a library or a folder that was visited before."""
        listing = _Listing()
        try:
            status = folder.path.stat()
            identity = (status.st_dev, status.st_ino)
            if identity in self.folders or (folder.path / LIBRARY_MARKER).exists():
                return listing
            self.folders.add(identity)
            ignores = folder.ignores + read_ignore_file(folder.path)
            with os.scandir(folder.path) as entries:
                for entry in sorted(entries, key=lambda each: each.name):
                    self.add_entry(entry, folder.path / entry.name, ignores, listing)
        except (OSError, PesearchError) as error:
            listing.failures.append(_failure(folder.path, error))
        return listing

    def add_entry(self, entry: os.DirEntry[str], path: Path, ignores: tuple[Patterns, ...], listing: _Listing) -> None:
        try:
            is_folder = entry.is_dir()
            if is_hidden(entry.name) or is_excluded(path, is_folder, ignores + self.excluded):
                return
            if is_folder:
                (listing.links if entry.is_symlink() else listing.folders).append(_Folder(path, ignores))
            elif entry.is_file():
                listing.files.append(path)
        except OSError as error:
            if error.errno != errno.ELOOP:
                listing.failures.append(_failure(path, error))

    def file(self, path: Path) -> Iterator[Location | Failure]:
        if str(path) in self.files:
            return
        self.files.add(str(path))
        try:
            location = Location.of_file(path, self.volumes)
        except FileNotFoundError:
            return  # gone since its folder was listed
        except OSError as error:
            yield _failure(path, error)
        else:
            yield location
