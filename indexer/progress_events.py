"""Events of an indexing run, the only input of progress displays and summaries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pesearch.damage import DamagedFile
from pesearch.locations import Location
from pesearch.store.index.maintenance import RefreshFailed, RefreshProgress
from pesearch.types import Failure, MediaInfo, Remark


class _AtLocation:
    """An outcome of the file at a location."""

    __slots__ = ()
    location: Location

    @property
    def path(self) -> Path:
        """The path of the file."""
        return self.location.path


class _OfFailure:
    """An outcome of a file that cannot be indexed."""

    __slots__ = ()
    failure: Failure

    @property
    def path(self) -> Path:
        """The path of the file or folder."""
        return self.failure.location.path

    @property
    def reason(self) -> str:
        """Why, in one line without a full stop."""
        return self.failure.reason


@dataclass(frozen=True, slots=True)
class Unchanged(_AtLocation):
    """A file that is in the library and has not changed."""

    location: Location


@dataclass(frozen=True, slots=True)
class NotMedia(_AtLocation):
    """A file that is neither media nor named like it (text, a program, ...): skipped."""

    location: Location


@dataclass(frozen=True, slots=True)
class Relocated(_AtLocation):
    """Content that is in the library, at a new location: not embedded again.

    `previous` is the location it was moved from, now removed from the library; None for a further copy.
    """

    location: Location
    previous: Path | None


@dataclass(frozen=True, slots=True)
class Replaced:
    """A file of the library whose path has other content now, although size and time are the same.

    An outcome of the new content follows: Indexed, Relocated or Failed.
    """

    path: Path


@dataclass(frozen=True, slots=True)
class Missing:
    """A file of the library that was deleted or moved; its drive is connected. It stays in the library."""

    path: Path


@dataclass(frozen=True, slots=True)
class Excluded:
    """A file of the library that ignore files or `--exclude` leave out now. It stays in the library."""

    path: Path


@dataclass(frozen=True, slots=True)
class Restored:
    """A file of the library that an earlier run did not find, deleted or excluded, and that is back unchanged.

    Unchanged, which counts it, is another outcome of it.
    """

    path: Path


@dataclass(frozen=True, slots=True)
class Damaged:
    """Files whose vectors or sound features in the library were found to be damaged."""

    files: tuple[DamagedFile, ...]


@dataclass(frozen=True, slots=True)
class Failed(_OfFailure):
    """A file (or a folder, during the crawl) that could not be read."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class FailedBefore(_OfFailure):
    """A file that failed in an earlier run and has not changed since: not retried."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Plan:
    """Number of files and seconds of media to embed in this run. Sent once, after the survey of all files."""

    files: int
    media_seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Seconds of media embedded since the last Progress. They add up to the plan's."""

    media_seconds: float


@dataclass(frozen=True, slots=True)
class Indexed(_AtLocation):
    """A file that is in the library with all its vectors, safe on disk.

    `unread_seconds` of it could not be decoded and are therefore not in the library.
    """

    location: Location
    info: MediaInfo
    unread_seconds: float


@dataclass(frozen=True, slots=True)
class CuesUpdated(_AtLocation):
    """The number of new or changed cues of a known file, in it or in its sidecars. Its media was not read."""

    location: Location
    cues: int


@dataclass(frozen=True, slots=True)
class CuesEmbedded:
    """Of `total` cues without vectors, `done` have been embedded. `committed` of them have become searchable by meaning
    since the last of these events."""

    done: int
    total: int
    committed: int = 0


@dataclass(frozen=True, slots=True)
class PropertiesRead:
    """Of `total` files of an older library, `done` have been read for their properties. Nothing was embedded."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class CopiesCompared:
    """Of `total` files that an older program took for copies of one another, `done` have been compared."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Remarked:
    """What of the file at `path` is not in the library, or was guessed. The file is indexed nevertheless.

    Reported once, and stored; again when the file, or the sidecar that a remark is about, has changed.
    """

    path: Path
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class RunTimings:
    """Time by stage. Sent last.

    `decode_seconds` are summed over all decoding threads and `commit_seconds` run in parallel to the other stages; the
    rest follow one another within `elapsed_seconds`. `index_seconds` are those of refreshing search indexes.

    `warnings` are lines to show, such as memory that ran out.
    """

    elapsed_seconds: float
    decode_seconds: float
    wait_seconds: float
    tower_seconds: float
    codec_seconds: float
    transformers_seconds: float
    commit_seconds: float
    index_seconds: float
    warnings: tuple[str, ...]

    @property
    def bound_by(self) -> str:
        """The bottleneck: decoding if the models waited for it a quarter of their time, else the costliest stage."""
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
    | Replaced
    | Missing
    | Excluded
    | Restored
    | Failed
    | FailedBefore
    | Plan
    | Progress
    | Indexed
    | RefreshProgress
    | RefreshFailed
    | CuesUpdated
    | CuesEmbedded
    | Remarked
    | PropertiesRead
    | CopiesCompared
    | Damaged
    | RunTimings
)
