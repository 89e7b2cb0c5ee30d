"""Timed lines of text: what they are, where they stand, and how they are found.

All times are seconds from the start of the file as a player shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pesearch.locations import Location


class CueKind(StrEnum):
    """What a cue is: what is said, where a part begins, what the whole is called, or what is told about it."""

    SUBTITLE = "subtitle"
    CHAPTER = "chapter"
    TITLE = "title"
    DESCRIPTION = "description"


@dataclass(frozen=True, slots=True)
class Cue:
    """A timed line of text. What is of the whole file lasts as long as it does.

    `source` says for people where it stands (a file's name, or which stream), `language` is as told there, or empty.
    """

    start_seconds: float
    end_seconds: float
    text: str
    kind: CueKind
    source: str
    language: str = ""


class FoundBy(StrEnum):
    """What of a cue answers a question: its words, or its meaning."""

    WORDS = "words"
    MEANING = "meaning"


@dataclass(frozen=True, slots=True)
class FoundCue(Cue):
    """A cue that speaks for a moment."""

    found_by: FoundBy = FoundBy.WORDS


@dataclass(frozen=True, slots=True)
class CueSource:
    """All cues of one sidecar, as it was then, that lies beside the media file at `beside`.

    Both are None for what stands in the media file itself.
    """

    sidecar: Location | None
    beside: Path | None
    cues: tuple[Cue, ...]


@dataclass(frozen=True, slots=True)
class CueHit:
    """A cue found by its words, `score` being BM25, or by its meaning, `score` being the cosine: higher is better, of
    one query comparable. `rank` from 1."""

    file_id: int
    cue: Cue
    score: float
    rank: int
