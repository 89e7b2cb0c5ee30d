"""The face of the room: media folders into a library.

    for outcome in index([Path("~/videos").expanduser()], library, models):
        ...

A run can be stopped at any point, by Ctrl-C or worse: what was committed stays, and the next run takes up the rest.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.commit import Committer
from pesearch.indexer.crawl import crawl, roots_of
from pesearch.indexer.cues import refresh_cues
from pesearch.indexer.devices import embed_on
from pesearch.indexer.maintenance import Maintenance
from pesearch.indexer.pipeline import Embed, embed_all
from pesearch.indexer.progress_events import Failed, Missing, Outcome, Plan, Relocated, Unchanged
from pesearch.indexer.survey import Finding, Known, New, group, survey, vanished
from pesearch.indexer.timings import StageTimings, spent
from pesearch.indexer.volumes import volumes_of
from pesearch.locations import Location
from pesearch.media.ffmpeg import ensure_ffmpeg
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer
from pesearch.types import Failure


def index(
    paths: Sequence[Path],
    library: Library,
    models: ModelSet,
    *,
    excludes: Sequence[str] = (),
    retry_failed: bool = False,
    embed: Embed = embed_on,
) -> Generator[Outcome, None, None]:
    """Brings a library up to date with what lies under `paths`; one outcome for each file, and how it goes on.

    Files that failed in an earlier run are tried again only when they have changed, or with `retry_failed`.
    `excludes` are gitignore patterns; `embed` embeds the files, on this machine or elsewhere (`cluster.embed`). Holds
    the writer's lock while it is iterated; closing it early keeps all files that were finished.

    Raises LibraryError (LibraryBusy, ModelMismatch, NoSpaceLeft, ...), ModelError, FFmpegMissing, what `embed` raises,
    and PesearchError for a pattern that makes no sense; a file that cannot be read is an outcome, not an error.
    """
    return index_found(crawl(paths, excludes), paths, library, models, retry_failed=retry_failed, embed=embed)


def index_found(
    found: Iterable[Location | Failure],
    paths: Sequence[Path],
    library: Library,
    models: ModelSet,
    *,
    retry_failed: bool = False,
    embed: Embed = embed_on,
) -> Generator[Outcome, None, None]:
    """`index` for what a crawl of `paths`, or a part of it, has found."""
    library.require(models.name, models.spaces)
    ensure_ffmpeg()
    stages = StageTimings()
    with library.writer() as writer, Committer(writer, stages) as committer:
        crawled = yield from _collect(found)
        missed = library.known().paths_except(location.path for location in crawled.locations)
        gone = vanished(missed, roots_of(paths), crawled.blind)
        to_do = yield from _sort(survey(crawled.locations, library.pinned(), retry_failed))
        seen = volumes_of(crawled.locations)
        if not set(seen) <= set(library.volumes()):
            writer.record_volumes(seen)
        # Places first: the content that a failed path held before may have moved to another one.
        yield from _settle_places(to_do.known, gone, library, writer)
        for failed in to_do.failed:
            committer.add(failed.failure)
        yield from committer.flush()
        yield from refresh_cues(crawled.locations, library, writer)
        work = group(to_do.new)
        yield Plan(len(work), sum(task.info.duration_seconds for task in work))
        started, tidying = time.perf_counter(), Maintenance(library, models, writer, committer, stages)
        if work:
            yield from embed_all(embed(work, models, stages, library.folder), committer, tidying)
        yield from tidying.now()
        if work:
            yield spent(stages, time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class _Crawled:
    """The files that were found, and the places that could not be looked into."""

    locations: list[Location] = field(default_factory=list)
    blind: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _ToDo:
    """What a survey has found that changes the library."""

    new: list[New] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)


def _collect(found: Iterable[Location | Failure]) -> Generator[Outcome, None, _Crawled]:
    crawled = _Crawled()
    for each in found:
        if isinstance(each, Location):
            crawled.locations.append(each)
        else:
            crawled.blind.append(each.location.path)
            yield Failed(each)
    return crawled


def _sort(findings: Iterable[Finding]) -> Generator[Outcome, None, _ToDo]:
    to_do = _ToDo()
    for finding in findings:
        if isinstance(finding, New):
            to_do.new.append(finding)
        elif isinstance(finding, Known):
            to_do.known.append(finding)
        elif isinstance(finding, Failed):
            to_do.failed.append(finding)
        else:
            yield finding
    return to_do


def _settle_places(known: Sequence[Known], gone: Sequence[Path], library: Library, writer: Writer) -> Iterator[Outcome]:
    """Files that were touched, moved or copied, or are away: only their places change, nothing is embedded."""
    left_behind = [each.previous for each in known if each.previous and not os.path.lexists(each.previous)]
    if known:
        writer.add_locations([(each.file.id, each.location) for each in known])
    if gone or left_behind:
        writer.forget([*gone, *left_behind])
    left = library.known()
    forgotten = {path for path in (*gone, *left_behind) if path not in left}
    for each in known:
        before = [place.path for place in each.file.locations]
        if each.location.path in before:
            yield Unchanged(each.location)
        else:
            yield Relocated(each.location, next((path for path in before if path in forgotten), None))
    yield from (Missing(path) for path in gone if path in left)
