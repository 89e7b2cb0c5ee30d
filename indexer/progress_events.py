"""What indexing tells while it runs: every display of progress is made from these alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pesearch.locations import Location
from pesearch.store.index.maintenance import RefreshFailed, RefreshProgress
from pesearch.types import Failure, MediaInfo


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The library knows this file and it is as it was."""

    location: Location


@dataclass(frozen=True, slots=True)
class NotMedia:
    """A file of another kind (text, a program, ...): left alone."""

    location: Location


@dataclass(frozen=True, slots=True)
class Relocated:
    """Content that the library knows, at a new place: nothing is embedded again.

    `previous` is the place it was moved from, now given up; None when it is one more copy.
    """

    location: Location
    previous: Path | None


@dataclass(frozen=True, slots=True)
class Missing:
    """A known file that is not where it was. It stays in the library: its drive may come back."""

    path: Path


@dataclass(frozen=True, slots=True)
class Failed:
    """A file (or a folder, while crawling) that could not be read."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class FailedBefore:
    """A file that failed in an earlier run and has not changed since: not tried again."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Plan:
    """All that this run will embed; comes once, when every file has been looked at."""

    files: int
    media_seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """So much more media has been embedded, as part of a file that may still go on. Sums to the plan's seconds."""

    media_seconds: float


@dataclass(frozen=True, slots=True)
class Indexed:
    """A file with all its vectors is in the library, safe on disk.

    `unread_seconds` is how much of it could not be decoded and is therefore not in the library.
    """

    location: Location
    info: MediaInfo
    unread_seconds: float


@dataclass(frozen=True, slots=True)
class CuesTaken:
    """So many cues of a known file, in it or beside it, were new or have changed; its media was not touched."""

    location: Location
    cues: int


@dataclass(frozen=True, slots=True)
class CuesEmbedded:
    """Of the `total` cues that had no vectors so many have them now, or will when the next are committed: once it is
    all of them, they are found by their meaning."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class CuesLeftOut:
    """A file with cues that could not be read, or only by guessing. Told once, until it changes; the media is not
    affected."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Spent:
    """Where the time of embedding went; comes last. `decode_seconds` are of all decoding threads together, and
    `commit_seconds` passed beside the others; the rest followed one another within `elapsed_seconds`. `index_seconds`
    are of the search indexes of large spaces.

    `troubles` are lines to show: memory that ran out.
    """

    elapsed_seconds: float
    decode_seconds: float
    wait_seconds: float
    tower_seconds: float
    codec_seconds: float
    transformers_seconds: float
    commit_seconds: float
    index_seconds: float
    troubles: tuple[str, ...]

    @property
    def bound_by(self) -> str:
        """What would have to be faster for the whole to be: decoding, where the models waited for it a quarter of their
        time, else the costliest of the models' parts, or the search indexes."""
        if self.wait_seconds > 0.25 * (self.elapsed_seconds - self.index_seconds):
            return "decode"
        costs = {
            "tower": self.tower_seconds,
            "codec": self.codec_seconds,
            "transformers": self.transformers_seconds,
            "index": self.index_seconds,
        }
        return max(costs, key=costs.__getitem__)


Outcome = (
    Unchanged
    | NotMedia
    | Relocated
    | Missing
    | Failed
    | FailedBefore
    | Plan
    | Progress
    | Indexed
    | RefreshProgress
    | RefreshFailed
    | CuesTaken
    | CuesEmbedded
    | CuesLeftOut
    | Spent
)
