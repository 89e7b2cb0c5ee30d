"""Errors that a user can act on.

    PesearchError
    +-- MediaError            a file cannot be read as media
    |   +-- FFmpegMissing     no FFmpeg libraries on this machine
    +-- ModelError
    |   +-- UnknownModel      no model set has that name
    |   +-- ModelMissing      known, but its weights are not installed on this machine
    |   +-- ModelDamaged      files are missing, or do not match the model registry
    |   +-- PackageMismatch   a library that runs models is missing, or of a version that does not work
    |   +-- DeviceError       the requested device does not exist, or a model does not fit on it
    |       +-- OutOfMemory   device memory ran out; a smaller batch may fit
    +-- LibraryError
    |   +-- LibraryNotFound   no library in that folder
    |   +-- LibraryEmpty      a library without files, which cannot be searched
    |   +-- LibraryBusy       another process is writing to it
    |   +-- LibraryTooNew     written by a newer pesearch
    |   +-- LibraryDamaged    files on disk are missing, corrupt or inconsistent
    |   +-- LibraryUnavailable files cannot be read or written now: drive, permissions, limits
    |   +-- SnapshotExpired   the pinned snapshot was removed or compacted by a later write
    |   +-- UnknownFile       the library has no file of that number
    |   +-- ModelMismatch     the library was made with another model set
    |   +-- NoSpaceLeft       the disk is full
    |   +-- VectorServerError the vector server does not answer, or is not the expected one
    +-- ExportError           a selection that cannot be read, or not written in the requested format
    +-- QueryError            a query that cannot be run
    |   +-- QuerySyntaxError  a syntax error, with its position and the expected syntax
    +-- ClusterError          Ray is missing, unreachable, or a node lacks something
    +-- ServingError          the page or API cannot be served: port, address, token, or a missing package

The message is one line: what is wrong and what to do. Only cli/ and app/ turn errors into output and exit codes.
"""

from __future__ import annotations

import unicodedata


def first_line(error: BaseException) -> str:
    """The first line of an error's message, with the next one if it ends with a colon; the name of its type if the
    message is empty."""
    first, *more = (str(error).strip() or type(error).__name__).splitlines()
    return f"{first} {more[0].strip()}" if first.endswith(":") and more else first


class PesearchError(Exception):
    """Base class. Its message is one line for the user."""


class MediaError(PesearchError):
    """A file cannot be read as media: damaged, empty, unreadable, deleted, or of an unknown format."""


class FFmpegMissing(MediaError):
    """FFmpeg (its programs or its shared libraries) is not installed."""


class ModelError(PesearchError):
    """Base class of errors about models and devices."""


class UnknownModel(ModelError):
    """No model set has that name."""


class ModelMissing(ModelError):
    """The model set is known, but its weights are not installed on this machine.

    `model_set` is its name, where `pesearch models pull` would help.
    """

    def __init__(self, message: str, model_set: str | None = None) -> None:
        super().__init__(message)
        self.model_set = model_set


class ModelDamaged(ModelError):
    """Model files are missing or do not match the model registry."""


class PackageMismatch(ModelError):
    """A package that runs models is not installed, or in a version that does not work."""


class DeviceError(ModelError):
    """The requested device does not exist or has no memory left."""


class OutOfMemory(DeviceError):
    """The device ran out of memory; a smaller batch may fit."""


class LibraryError(PesearchError):
    """Base class of errors about a library on disk."""


class LibraryNotFound(LibraryError):
    """The folder holds no library."""


class LibraryEmpty(LibraryError):
    """The library has no files, so that nothing can be found in it."""


class LibraryBusy(LibraryError):
    """Another process is writing to the library."""


class LibraryTooNew(LibraryError):
    """The library was written by a newer pesearch."""


class LibraryDamaged(LibraryError):
    """Files of the library are missing, corrupt or inconsistent: their content is not what was written."""


class LibraryUnavailable(LibraryError):
    """Files of the library cannot be read or written now, whatever they hold: their drive is not connected or fails,
    permissions or locks are missing, a limit is reached. Nothing is damaged, and nothing may be discarded."""


class SnapshotExpired(LibraryError):
    """A pinned library reads rows that were removed or compacted since; retry on the current snapshot."""


class UnknownFile(LibraryError):
    """The library has no file of that number: it was removed, or never indexed."""


class ModelMismatch(LibraryError):
    """The library was made with another model set."""


class NoSpaceLeft(LibraryError):
    """The disk that holds the library is full."""


class VectorServerError(LibraryError):
    """The vector server does not answer, is in use, is not a vector server, or lacks vectors it should hold."""


class ClusterError(PesearchError):
    """Ray is not installed, its cluster is unreachable or lost the run, or a node lacks something it needs."""


class ServingError(PesearchError):
    """The page or the API cannot be served: its port is in use, its address is not local, its token is too short, or a
    package that it needs is not installed."""


class ExportError(PesearchError):
    """A selection of moments that cannot be read, or not written in the requested format."""


class QueryError(PesearchError):
    """A query that cannot be run."""


class QuerySyntaxError(QueryError):
    """A syntax error: the query `text` as the user wrote it, the 0-based `column` of the mistake (at most len(text)),
    and what was `expected` there, in plain words."""

    def __init__(self, text: str, column: int, expected: str) -> None:
        super().__init__(text, column, expected)
        self.text, self.column, self.expected = text, column, expected

    def __str__(self) -> str:
        found = " ".join(self.text[self.column : self.column + _MAX_QUOTED_CHARACTERS].split(maxsplit=1)[:1])
        place = f"at {_displayable(found)!r} (character {self.column + 1})" if found else "at the end"
        return f"{place}: expected {self.expected}"

    def caret_lines(self) -> tuple[str, str]:
        """The text, or the part of it around the mistake, and a line with a caret under the mistake."""
        first = max(0, self.column - _CONTEXT_CHARACTERS)
        before, after = self.text[first : self.column], self.text[self.column : self.column + _CONTEXT_CHARACTERS]
        left = "..." if first else ""
        right = "..." if self.column + _CONTEXT_CHARACTERS < len(self.text) else ""
        return f"{left}{_displayable(before + after)}{right}", " " * (
            len(left) + _display_width(_displayable(before))
        ) + "^"


_MAX_QUOTED_CHARACTERS = 24
"""Longest piece of the query that the message quotes."""

_CONTEXT_CHARACTERS = 36
"""Characters shown on each side of the caret: both sides fit into 80 columns, unless the characters are wide."""


def _displayable(text: str) -> str:
    """The text without characters that would reorder or break a terminal line: whitespace becomes a space, control
    characters and direction marks become `?`."""
    return "".join(" " if letter.isspace() else letter if letter.isprintable() else "?" for letter in text)


def _display_width(text: str) -> int:
    """Terminal columns: two for wide characters, none for combining marks."""
    return sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> int:
    if unicodedata.category(letter).startswith("M") or "\u1160" <= letter <= "\u11ff":  # Hangul: joined to a syllable
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
