"""`pesearch status`: contents of a library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pesearch.cli.options import JsonOption, LibraryOption, library_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pesearch.indexer.volumes import OfflineFiles
    from pesearch.locations import Absence
    from pesearch.matching import Recalibration
    from pesearch.store.status import LibraryStatus
    from pesearch.types import Failure, MediaFile


MAX_LISTED = 20
"""Paths of missing or excluded files that are listed."""


def status_command(
    library: LibraryOption = None,
    all_remarks: Annotated[
        bool, typer.Option("--remarks", help="List all files with remarks, not only the first 20.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a library contains.

    Files, vectors, how each space is searched, drives that are not connected, files that failed with reasons, and
    remarks: what of a file is not in the library, or was guessed.

    \b
    Examples:
      pesearch status
      pesearch status --remarks
      pesearch status --library /mnt/archive/library --json
    """
    from pesearch.app.library_status import read_report, status_object
    from pesearch.formatting import damage_lines
    from pesearch.store.library import open_library

    report = read_report(open_library(library_folder(library)))
    if as_json:
        print(json.dumps(status_object(report), indent=2))
        return
    for line in status_lines(
        report.folder, report.status, report.failures, report.offline_files, report.absences, report.recalibration
    ):
        print(line)
    for line in status_remark_lines(report.remarked, all_remarks):
        print(line)
    if report.unreadable and not report.status.missing_shards:
        print(f"unreadable  {report.unreadable}")
    for number, line in enumerate(damage_lines(report.damaged)):
        print(f"{'' if number else 'damaged':12}{line}")


def status_lines(
    folder: Path,
    status: LibraryStatus,
    failures: Sequence[Failure],
    offline_files: Sequence[OfflineFiles],
    absences: Mapping[Path, Absence],
    recalibration: Recalibration | None,
) -> Iterator[str]:
    """The status as text: a label of 12 columns, then the value."""
    from pesearch.app.library_status import cpu_precision
    from pesearch.cli.render import format_path, format_size
    from pesearch.formatting import format_length

    kinds = ", ".join(f"{count} {kind}" for kind, count in status.files_by_kind.items() if count)
    yield f"library     {format_path(folder)} ({format_size(status.size_bytes)}, generation {status.generation})"
    yield f"models      {status.model_set}, {cpu_precision(status.model_set)} on this CPU"
    yield f"scores      {scores_line(status.model_set, recalibration)}"
    yield f"files       {status.files}" + (f" ({kinds})" if kinds else "") + f", {format_length(status.hours * 3600)}"
    yield "vectors     " + ", ".join(f"{count} {space}" for space, count in status.vectors.items())
    for number, (space, policy) in enumerate(status.policies.items()):
        yield f"{'' if number else 'search':12}{space}: {policy}"
    yield f"cues        {status.cues}"
    if status.audio_track is not None:
        yield f"audio       track {status.audio_track}, of files that have it"
    for number, drive in enumerate(offline_files):
        where = "not connected"
        if drive.now_at:
            where = f"now mounted at {format_path(drive.now_at)}, run `pesearch index` there"
        last_seen = format_path(drive.last_seen)
        yield f"{'' if number else 'offline':12}{drive.files} files on the drive last seen at {last_seen}: {where}"
    for name, count in status.missing_shards.items():
        yield f"missing     all shards in {name} ({count}): connect its drive"
    for name, each in status.quarantines.items():
        restore = f"`pesearch doctor --restore {name}`, or " if each.is_restorable else ""
        yield f"{name:<11} {format_size(each.size_bytes)} out of use: {restore}delete the folder"
    for reason, paths in by_reason(absences).items():
        if paths:
            yield f"{reason:12}{len(paths)} (`pesearch remove --{reason}` removes them)"
            yield from (f"  {format_path(path)}" for path in paths[:MAX_LISTED])
            if len(paths) > MAX_LISTED:
                yield f"  and {len(paths) - MAX_LISTED} more (--json lists all)"
    yield f"failed      {len(failures)}"
    for failure in failures:
        yield f"  {format_path(failure.location.path)}: {failure.reason}"


def by_reason(absences: Mapping[Path, Absence]) -> dict[Absence, list[Path]]:
    """The paths that were not found, by reason."""
    from pesearch.locations import Absence

    return {reason: [path for path, why in absences.items() if why is reason] for reason in Absence}


def status_remark_lines(remarked: Sequence[MediaFile], show_all: bool) -> Iterator[str]:
    """How many remarks there are on which files; without `show_all` only the first files are named."""
    from pesearch.cli.remark_lines import MAX_FILES, remark_lines

    count = sum(len(file.remarks) for file in remarked)
    yield f"remarks     {count}" + (f" on {len(remarked)} files" if remarked else "")
    files = [(file.path, file.remarks) for file in remarked]
    yield from (f"  {line}" for line in remark_lines(files, None if show_all else MAX_FILES))


def scores_line(model_set: str, recalibration: Recalibration | None) -> str:
    """On what scores were measured: for this library, or for its models."""
    from pesearch.app.library_status import measured_on

    if recalibration:
        return f"calibrated for this library on {recalibration.measured_on}"
    if measured := measured_on(model_set):
        return f"measured on {measured}, not on this library (`pesearch calibrate`)"
    return "uncalibrated: never measured with these models (`pesearch calibrate`)"
