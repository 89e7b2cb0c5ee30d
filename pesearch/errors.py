"""Everything that can go wrong and that a user can do something about.

    PesearchError
    +-- MediaError            a file cannot be read as media
    |   +-- FFmpegMissing     no FFmpeg libraries on this machine
    +-- ModelError
    |   +-- UnknownModel      no model set of that name
    |   +-- ModelMissing      known, but its weights are not on this machine
    |   +-- ModelDamaged      the weights do not fit the model's description
    |   +-- DeviceError       the device asked for is not there, or its memory is exhausted
    +-- LibraryError
    |   +-- LibraryNotFound   no library in that folder
    |   +-- LibraryBusy       another process writes to it
    |   +-- LibraryTooNew     written by a newer pesearch
    |   +-- LibraryDamaged    what is on disk contradicts itself
    |   +-- SnapshotExpired      what a pinned library would read is gone: it was changed since
    |   +-- ModelMismatch     the library was made with another model set
    |   +-- NoSpaceLeft       the disk is full
    |   +-- VectorServerError the server that searches its vectors is away, or is none
    +-- ExportError           chosen moments that cannot be read, or not be written in that form
    +-- QueryError         a question that cannot be asked
    |   +-- QuerySyntaxError  a query with a mistake in it: where, and what was expected
    +-- ClusterError          no Ray, or none that can do the work
    +-- ServingError          the page cannot be served as asked: its port, its address, its token

The message is one line: what is wrong and what to do. Only cli/ and app/ turn errors into output and exit codes.
"""

from __future__ import annotations

import unicodedata


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the name of its type where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class PesearchError(Exception):
    """Root of the tree: its text is one line for the user."""


class MediaError(PesearchError):
    """A file cannot be read as media: damaged, empty, unreadable, vanished, or of no known kind."""


class FFmpegMissing(MediaError):
    """The FFmpeg libraries that decode media are not on this machine."""


class ModelError(PesearchError):
    """Something about models."""


class UnknownModel(ModelError):
    """No model set of that name."""


class ModelMissing(ModelError):
    """The model set is known, but its weights are not on this machine."""


class ModelDamaged(ModelError):
    """The weights do not fit the model's description."""


class DeviceError(ModelError):
    """The device asked for is not there, or has no memory left."""


class OutOfMemory(DeviceError):
    """The device has no memory left for this; less at a time may fit."""


class LibraryError(PesearchError):
    """Something about a library on disk."""


class LibraryNotFound(LibraryError):
    """There is no library in that folder."""


class LibraryBusy(LibraryError):
    """Another process is writing to the library."""


class LibraryTooNew(LibraryError):
    """The library was written by a newer pesearch."""


class LibraryDamaged(LibraryError):
    """What is on disk contradicts itself."""


class SnapshotExpired(LibraryError):
    """A pinned library asks for what was removed or merged since: ask again from the library as it is now."""


class ModelMismatch(LibraryError):
    """The library was made with another model set."""


class NoSpaceLeft(LibraryError):
    """The disk that holds the library is full."""


class VectorServerError(LibraryError):
    """The server that searches the vectors does not answer, is in use, is none, or has not what it should."""


class ClusterError(PesearchError):
    """Ray is not installed, its cluster cannot be reached or has lost the run, or a node lacks what it needs."""


class ServingError(PesearchError):
    """The page cannot be served as asked: its port is in use, its address is not here, its token is too short."""


class ExportError(PesearchError):
    """Chosen moments that cannot be read, or not be written in the form that is asked for."""


class QueryError(PesearchError):
    """A question that cannot be asked."""


class QuerySyntaxError(QueryError):
    """A mistake in a query: `text` as the user wrote it, `column` of the mistake (0-based, at most the length of the
    text), and what was `expected` there, in plain words."""

    def __init__(self, text: str, column: int, expected: str) -> None:
        super().__init__(text, column, expected)
        self.text, self.column, self.expected = text, column, expected

    def __str__(self) -> str:
        found = " ".join(self.text[self.column : self.column + _FOUND_CHARACTERS].split(maxsplit=1)[:1])
        place = f"at {_shown(found)!r} (character {self.column + 1})" if found else "at the end"
        return f"{place}: expected {self.expected}"

    def caret_lines(self) -> tuple[str, str]:
        """The text, or the part of it around the mistake, and below it a line with a caret under the mistake."""
        first = max(0, self.column - _SHOWN_CHARACTERS)
        before, after = self.text[first : self.column], self.text[self.column : self.column + _SHOWN_CHARACTERS]
        left = "..." if first else ""
        right = "..." if self.column + _SHOWN_CHARACTERS < len(self.text) else ""
        return f"{left}{_shown(before + after)}{right}", " " * (len(left) + _cells(_shown(before))) + "^"


_FOUND_CHARACTERS = 24
_SHOWN_CHARACTERS = 36
"""On each side of the caret: both sides fit into a line of 80, unless the characters are wide."""


def _shown(text: str) -> str:
    """Text that a terminal can show in the order it is written: no control characters, no marks of direction."""
    return "".join(" " if letter.isspace() else letter if letter.isprintable() else "?" for letter in text)


def _cells(text: str) -> int:
    """Width on a terminal: two cells for wide characters, none for marks that are put on the letter before."""
    return sum(_width(letter) for letter in text)


def _width(letter: str) -> int:
    if unicodedata.category(letter).startswith("M") or "\u1160" <= letter <= "\u11ff":  # Hangul: joined to a syllable
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
