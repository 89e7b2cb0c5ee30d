"""A question: what is asked, and of which files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import QueryError
from pesearch.search.query.file_filter import EVERY_FILE, FileFilter
from pesearch.search.query.language.escaping import first_undecodable

MOST_TERMS = 8
"""A text that falls into more parts than this is a sentence: it is asked as a whole only."""

_BETWEEN_TERMS = re.compile(r"\s*(?:[,;+&]|\b(?:and|then)\b)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a user asks: a text, examples, or both; `k` moments at most.

    `speech` takes the text as words that are spoken. `files` says which files are asked, `per_file` how many moments
    of each may come (None: all). Without `locate` named sounds are not located, which is quicker. Relative paths of
    examples start at `folder`: the current one, unless it is told.
    Raises QueryError for what cannot be asked.
    """

    text: str = ""
    audio: Path | None = None
    video: Path | None = None
    image: Path | None = None
    speech: bool = False
    k: int = 10
    per_file: int | None = None
    locate: bool = True
    files: FileFilter = EVERY_FILE
    folder: Path = Path()

    def __post_init__(self) -> None:
        if not self.text.strip() and not self.examples:
            raise QueryError("nothing is asked: give a text, or --audio, --video or --image with a file")
        if self.speech and not self.text.strip():
            raise QueryError("--speech needs the words that are spoken")
        if self.speech:
            ensure_text(self.text)
        if self.k < 1:
            raise QueryError(f"-k is {self.k}: ask for at least 1 moment")
        if self.per_file is not None and self.per_file < 1:
            raise QueryError(f"--per-file is {self.per_file}: ask for at least 1 moment of a file")

    @property
    def examples(self) -> tuple[Path, ...]:
        """The media files that are asked with."""
        return tuple(path for path in (self.audio, self.video, self.image) if path)

    def __str__(self) -> str:
        """As it is shown back: the text, and each example by its name."""
        return " + ".join(part for part in (self.text.strip(), *(path.name for path in self.examples)) if part)


def ensure_text(words: str) -> None:
    """Raises QueryError where words of a command line hold a byte that is no text."""
    if (column := first_undecodable(words)) is not None:
        raise QueryError(f"character {column + 1} of what is asked is a byte that is no text")


def terms(text: str) -> tuple[str, ...]:
    """The parts of a text that each name one thing: "a siren and a train" gives "a siren" and "a train".

    Parts are split by "and", "then", ",", ";", "+" and "&", and are told once each. A text of one part, or of too
    many (more than MOST_TERMS), is its own only term; a text of nothing has none.
    """
    whole = " ".join(text.split())
    parts = {part.lower(): part for part in reversed(_BETWEEN_TERMS.split(whole)) if part}
    if not 1 <= len(parts) <= MOST_TERMS:
        return (whole,) if parts else ()
    return tuple(reversed(parts.values()))
