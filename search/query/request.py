"""A search request: text, example files, and the files to search."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import QueryError
from pesearch.search.query.file_filter import EVERY_FILE, FileFilter
from pesearch.search.query.language.escaping import find_invalid_utf8

MAX_SPLIT_TERMS = 8
"""A text that splits into more parts than this counts as a sentence and is searched only as a whole."""

_TERM_SEPARATOR = re.compile(r"\s*(?:[,;+&]|\b(?:and|then)\b)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A text, example files, or both; the result has at most `k` moments.

    speech: Search `text` as spoken words, without the query language.
    per_file: At most this many moments of each file; None for no limit.
    dedupe: Of near-equal moments only the best is a moment of the result; `k` counts these.
    locate: Locate named sounds with PE-A-Frame; without it a search is faster.
    folder: Base of relative example paths; by default the current folder.
    Raises QueryError for an invalid request.
    """

    text: str = ""
    audio: Path | None = None
    video: Path | None = None
    image: Path | None = None
    speech: bool = False
    k: int = 10
    per_file: int | None = None
    dedupe: bool = False
    locate: bool = True
    files: FileFilter = EVERY_FILE
    folder: Path = Path()

    def __post_init__(self) -> None:
        if not self.text.strip() and not self.examples:
            raise QueryError("the query is empty: give a text, or an audio, video or image file as an example")
        if self.speech and not self.text.strip():
            raise QueryError("a search of speech needs a text: the words that are spoken")
        if self.speech:
            ensure_utf8(self.text)
        if self.k < 1:
            raise QueryError(f"k is {self.k}: ask for at least 1 moment")
        if self.per_file is not None and self.per_file < 1:
            raise QueryError(f"the limit per file is {self.per_file}: ask for at least 1 moment of a file")

    @property
    def examples(self) -> tuple[Path, ...]:
        """The example files: audio, video, image."""
        return tuple(path for path in (self.audio, self.video, self.image) if path)

    def __str__(self) -> str:
        """The text and the file names of the examples, as results show the query."""
        return " + ".join(part for part in (self.text.strip(), *(path.name for path in self.examples)) if part)


def ensure_utf8(text: str) -> None:
    """Raises QueryError if a command-line argument contains a byte that is not valid UTF-8."""
    if (column := find_invalid_utf8(text)) is not None:
        raise QueryError(f"invalid UTF-8 at character {column + 1} of the query")


def split_terms(text: str) -> tuple[str, ...]:
    """The parts of a text that each name one thing: "a siren and a train" gives "a siren" and "a train".

    Splits at "and", "then", ",", ";", "+" and "&"; repeated parts are dropped. A text of more than MAX_SPLIT_TERMS
    parts is returned whole; a text without words has no terms.
    """
    whole = " ".join(text.split())
    parts = {part.lower(): part for part in reversed(_TERM_SEPARATOR.split(whole)) if part}
    if not 1 <= len(parts) <= MAX_SPLIT_TERMS:
        return (whole,) if parts else ()
    return tuple(reversed(parts.values()))
