"""Indexes media folders: the entry point of this package.

    for outcome in index([Path("~/videos").expanduser()], library, models):
        ...

A run may be stopped at any point, even killed: committed files stay, and the next run continues with the rest.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.absences import record_absences, unfound
from pesearch.indexer.commit import Committer
from pesearch.indexer.copies import separate_copies
from pesearch.indexer.crawl import crawl, roots_of
from pesearch.indexer.cues import refresh_cues
from pesearch.indexer.maintenance import Maintenance
from pesearch.indexer.progress_events import Failed, Outcome, Plan
from pesearch.indexer.properties import refresh_properties
from pesearch.indexer.reconcile import collect_changes, update_locations
from pesearch.indexer.survey import group_by_content, survey
from pesearch.indexer.timings import StageTimings
from pesearch.indexer.volumes import volumes_of
from pesearch.locations import Location, is_gone
from pesearch.media.ffmpeg import ensure_programs
from pesearch.store.library import Library
from pesearch.types import Failure

if TYPE_CHECKING:
    from pesearch.indexer.pipeline import Embedder


def index(
    paths: Sequence[Path],
    library: Library,
    models: ModelSet,
    *,
    excludes: Sequence[str] = (),
    retry_failed: bool = False,
    embed: Embedder | None = None,
) -> Generator[Outcome, None, None]:
    """Brings a library up to date with the files under `paths`. Yields an outcome for each file, and progress.

    Files that failed in an earlier run are retried only if they have changed, or with `retry_failed`. `excludes` are
    gitignore patterns. `embed` embeds the files, on a cluster (`cluster.embed`) or, by default, on this machine.
    Holds the writer lock during iteration; closing the iterator early keeps all finished files.

    Raises LibraryError (LibraryBusy, ModelMismatch, NoSpaceLeft, ...), ModelError, FFmpegMissing, the errors of
    `embed`, and PesearchError for an invalid pattern. An unreadable file is an outcome, not an error.
    """
    found = crawl(paths, excludes)
    return index_found(found, paths, library, models, retry_failed=retry_failed, embed=embed, is_complete=True)


def index_found(
    found: Iterable[Location | Failure],
    paths: Sequence[Path],
    library: Library,
    models: ModelSet,
    *,
    retry_failed: bool = False,
    embed: Embedder | None = None,
    is_complete: bool = False,
) -> Generator[Outcome, None, None]:
    """`index` for files `found` by a crawl of `paths`, or for some of them: then `is_complete` is False, and nothing is
    reported as excluded."""
    library.require(models.name, models.spaces)
    ensure_programs()
    stages = StageTimings()
    with library.writer() as writer, Committer(writer, stages) as committer:
        crawled = yield from _collect(found)
        yield from separate_copies(library, writer)
        not_found = unfound(library, crawled.locations, roots_of(paths), crawled.unreadable)
        gone = [path for path in not_found if is_gone(path)]
        changes = yield from collect_changes(survey(crawled.locations, library.pinned(), retry_failed))
        volumes = volumes_of(crawled.locations)
        if not set(volumes) <= set(library.volumes()):
            writer.record_volumes(volumes)
        # Locations first: the content that a failed path held before may have moved to another path.
        yield from update_locations(changes, gone, library, writer)
        yield from record_absences(crawled.locations, not_found if is_complete else gone, library, writer)
        for failed in changes.failed:
            committer.add(failed.failure)
        yield from committer.flush()
        yield from refresh_cues(crawled.locations, library, writer)
        yield from refresh_properties(crawled.locations, library, writer)
        tasks = group_by_content(changes.new, library.audio_track)
        yield Plan(len(tasks), sum(task.info.duration_seconds for task in tasks))
        started, maintenance = time.perf_counter(), Maintenance(library, models, writer, committer, stages)
        if tasks:
            from pesearch.indexer.devices import embed_on
            from pesearch.indexer.pipeline import embed_all

            embedding = (embed or embed_on)(tasks, models, stages, library.folder)
            yield from embed_all(embedding, committer, maintenance)
        yield from maintenance.run()
        if tasks:
            yield stages.summary(time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class _CrawlResult:
    """The files found, and the paths that could not be accessed."""

    locations: list[Location] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


def _collect(found: Iterable[Location | Failure]) -> Generator[Outcome, None, _CrawlResult]:
    crawled = _CrawlResult()
    for each in found:
        if isinstance(each, Location):
            crawled.locations.append(each)
        else:
            crawled.unreadable.append(each.location.path)
            yield Failed(each)
    return crawled
