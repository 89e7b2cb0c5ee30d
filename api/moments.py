"""The moments that a search found, and cutting them to clips."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from pesearch import types
from pesearch.errors import ExportError, FFmpegMissing, MediaError
from pesearch.formatting import count_files, damage_lines, hidden_by_near_duplicates
from pesearch.search.result import SearchResult
from pesearch.settings import expand_home

_log = logging.getLogger("pesearch")


@dataclass(frozen=True, slots=True, repr=False)
class Moment(types.Moment):
    """An interval of a media file that a search found.

    `start_seconds` and `end_seconds` are as a player shows them (0 and 0 for an image), `rank` counts from 1. `score`
    is the probability that the moment is relevant, or a similarity (a cosine) if the query has no text. `evidence` are
    the hits of each space, `events` the located sounds, `cues` the subtitles and captions that match,
    `near_duplicates` with `dedupe` the near-equal moments, best first. `file` has the media info, locations and
    remarks.

    `query` is what found it. `is_match` says whether it scores at least 0.5; others are returned on request only, or
    when nobody has measured what a match scores with these models.
    """

    query: str = ""
    is_match: bool = True

    @property
    def path(self) -> Path:
        """The file: the first of its locations that exists now, else the first one."""
        return self.file.path

    def cut(self, target: str | os.PathLike[str], reencode: bool = False) -> Path:
        """Write this moment as a clip, and return its path. An image is copied unchanged.

        target: A new file, with the suffix of the clip: .mp4, or .flac for sound alone, with `reencode`; else mostly
            that of the media file. Or a folder, where the clip is named after its file and times. What does not exist
            and has no suffix is a folder, and is created.
        reencode: Exact to a frame, as H.264 and AAC, or FLAC. By default packets are copied: fast and lossless, but
            the clip begins at the last key frame before the moment.

        Raises:
            MediaError: the file is offline, deleted, changed since it was indexed, or cannot be cut.
            ExportError: the target exists, has another suffix, or cannot be written.
            FFmpegMissing: FFmpeg is not installed.
        """
        from pesearch.export.clip_selection import Selection
        from pesearch.export.cut_clips import cut_to_file, cut_to_folder

        path, selection = expand_home(os.fspath(target)), Selection.from_moment(self, self.query)
        try:
            if path.suffix and not path.is_dir():
                return cut_to_file(selection, path, reencode)
            path.mkdir(parents=True, exist_ok=True)
            return cut_to_folder(selection, path, reencode)
        except FFmpegMissing:
            raise
        except MediaError as error:
            raise MediaError(f"{self.path}: {error}") from error
        except OSError as error:
            raise ExportError(f"{path} cannot be written: {error.strerror}") from error

    def __repr__(self) -> str:
        span = f"{self.start_seconds:.1f} to {self.end_seconds:.1f} s"
        return f"Moment({str(self.path)!r}, {span}, score {self.score:.2f})"


@dataclass(frozen=True, slots=True, repr=False)
class Moments(Sequence[Moment]):
    """The moments that a search found, best first.

    `warnings` are lines about what the search could not take into account, such as damaged vectors.
    """

    query: str
    moments: tuple[Moment, ...]
    warnings: tuple[str, ...] = ()

    @overload
    def __getitem__(self, at: int) -> Moment: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Moment, ...]: ...
    def __getitem__(self, at: int | slice) -> Moment | tuple[Moment, ...]:
        return self.moments[at]

    def __len__(self) -> int:
        return len(self.moments)

    def __repr__(self) -> str:
        lines = ",\n  ".join([repr(self.query), *map(repr, self.moments)])
        return f"Moments({lines})"


def found_moments(result: SearchResult, include_all: bool) -> Moments:
    """The moments of a result: its matches, or with `include_all` those below the threshold too. Logs its warnings."""
    moments = tuple(_moment(each, result) for each in (result.moments if include_all else result.answer))
    warnings = tuple(_warnings(result))
    for line in warnings:
        _log.warning("%s", line)
    return Moments(result.query, moments, warnings)


def _moment(moment: types.Moment, result: SearchResult) -> Moment:
    return Moment(
        moment.rank,
        moment.file,
        moment.start_seconds,
        moment.end_seconds,
        moment.score,
        moment.evidence,
        moment.events,
        moment.cues,
        moment.near_duplicates,
        result.query,
        result.is_match(moment),
    )


def _warnings(result: SearchResult) -> Iterator[str]:
    if result.kept_files == 0:
        yield "no file of the library meets these conditions"
    if result.unread_files:
        yield f"{count_files(result.unread_files)} left out: index again to read when and where they were recorded"
    if result.compared:
        yield hidden_by_near_duplicates(result.compared)
    if not result.matches and not result.is_measured:
        yield "no confident match, and these models are uncalibrated: these are the nearest moments"
    yield from damage_lines(result.damaged)
