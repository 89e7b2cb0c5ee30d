"""Cues: timed lines of text from subtitles, chapters and metadata.

All times are seconds from the start of the file as a player shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pesearch.locations import Location


class CueKind(StrEnum):
    """Speech or caption (SUBTITLE), a named section (CHAPTER), or the file's title or description."""

    SUBTITLE = "subtitle"
    CHAPTER = "chapter"
    TITLE = "title"
    DESCRIPTION = "description"


WHOLE_FILE_KINDS = frozenset({CueKind.TITLE, CueKind.DESCRIPTION})
"""Cues that describe their whole file rather than a time in it."""


EXPORTED_CHAPTERS = "Search results of pesearch: no subtitles."
"""A comment in exported chapters. Next to their film they would be taken for what is said in it."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A timed line of text. A cue about the whole file spans its whole duration.

    `source` is shown to users: a sidecar's file name, `stream 2`, `chapters` or `tag title`. `language` is copied from
    the source (a tag such as `en` or `eng`); empty if unknown.
    """

    start_seconds: float
    end_seconds: float
    text: str
    kind: CueKind
    source: str
    language: str = ""


class FoundBy(StrEnum):
    """How a cue matched a query: by its words (full text) or by its meaning (text embedding)."""

    WORDS = "words"
    MEANING = "meaning"


@dataclass(frozen=True, slots=True)
class FoundCue(Cue):
    """A cue that matched the query inside a moment."""

    found_by: FoundBy = FoundBy.WORDS


@dataclass(frozen=True, slots=True)
class CueSource:
    """All cues of one sidecar of the file at `media_path`; `sidecar` records its size and time when it was read.

    Both are None for cues embedded in the media file itself. `remark` is one line for users: why cues were left out,
    or how an encoding was guessed.
    """

    sidecar: Location | None
    media_path: Path | None
    cues: tuple[Cue, ...]
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class CueHit:
    """A cue that matched a query. `score` is BM25 for words and the cosine for meaning; higher is better, and scores of
    one query and kind are comparable. `rank` counts from 1."""

    file_id: int
    cue: Cue
    score: float
    rank: int
