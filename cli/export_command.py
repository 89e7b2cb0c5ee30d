"""`pesearch export`: selected moments as tables, playlists, edit lists or clips."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from pesearch.cli.exit_codes import ERROR, NOTHING_FOUND, SOME_FAILED
from pesearch.errors import ExportError

if TYPE_CHECKING:
    from pesearch.export.clip_selection import Selection
    from pesearch.export.cut_clips import Clip, CutFailure
    from pesearch.export.formats import ExportFormat

Outcome = TypeVar("Outcome")

_STDOUT = Path("/dev/stdout")

FormatName = Literal["csv", "json", "m3u", "edl", "otio", "fcpxml", "vtt", "clips"]


def export_command(
    moments: Annotated[
        str,
        typer.Argument(metavar="MOMENTS", help="Output of `pesearch query` --json or --jsonl: a file, or - for stdin."),
    ],
    output_format: Annotated[
        FormatName | None, typer.Option("--as", help="Output format. Default: from the file extension of --to.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="FILE|FOLDER", help="Output file, or folder (also FOLDER/). Default: stdout."),
    ] = None,
    pad: Annotated[
        float,
        typer.Option("--pad", metavar="SECONDS", min=0, max=3600, help="Seconds to add before and after each moment."),
    ] = 0.0,
    reencode: Annotated[
        bool,
        typer.Option(
            "--reencode", help="Cut clips frame-exactly (H.264 and AAC) instead of copying from a key frame on."
        ),
    ] = False,
) -> None:
    """Export moments as tables, edit lists or clips.

    \b
    csv, json           tables
    m3u                 playlist for VLC and mpv
    edl, otio, fcpxml   timeline for Resolve, Premiere, Avid, Final Cut (edl: CMX3600)
    vtt                 chapters of one file; with a folder, one document per file
    clips               one media file per moment

    A folder that does not exist is created: for clips, for the chapters of several files, and if --to ends with "/".

    Exit codes: 0 done, 1 nothing to export, 2 error, 3 some clips could not be cut.

    \b
    Examples:
      pesearch query siren --json | pesearch export - --to cuts.edl
      pesearch export found.json --as clips --to clips --pad 1
    """
    from pesearch.export.clip_selection import merge_overlaps, with_media_info, with_timecode
    from pesearch.export.formats import TIMELINES, ExportFormat

    target = None if to is None or Path(to) == _STDOUT else Path(to)
    name = _format_name(output_format, target)
    if reencode and name != "clips":
        raise ExportError(f"--reencode is for --as clips: {name} has no media to encode")
    selections = [with_media_info(selection) for selection in _read_moments(moments)]
    _require_inside_files(selections)
    selections = [selection.padded(pad) for selection in selections]
    if pad:
        selections = merge_overlaps(selections)
    if name in TIMELINES:
        selections = [with_timecode(selection) for selection in selections]
    if not selections:
        print("nothing to export", file=sys.stderr)
        raise typer.Exit(NOTHING_FOUND)
    if name != "clips":
        if target is not None and (str(to).endswith("/") or _needs_folder(selections, name, target)):
            _make_folder(target)
        _export_document(selections, ExportFormat(name), target)
        return
    if target is None:
        raise ExportError("name a folder for the clips: --to FOLDER")
    raise typer.Exit(_export_clips(selections, target, reencode))


def _format_name(output_format: FormatName | None, to: Path | None) -> str:
    """The format of --as, else that of the suffix of --to. Raises ExportError if they contradict each other."""
    from pesearch.export.formats import format_of

    of_suffix = format_of(to) if to else None
    name = output_format or of_suffix
    if to and of_suffix not in (None, name) and not to.is_dir():
        raise ExportError(f"--as {name} contradicts the name {to.name}: leave out --as, or choose another name")
    if name is None:
        raise ExportError(
            "name a format: --as csv|json|m3u|edl|otio|fcpxml|vtt|clips, or --to FILE with one of these extensions"
        )
    return name


def _needs_folder(selections: Sequence[Selection], name: str, to: Path) -> bool:
    """Whether --to names a folder to create: there is nothing yet, and the chapters of several files go there."""
    from pesearch.export.csv_m3u_vtt import group_by_file
    from pesearch.export.formats import ExportFormat, format_of
    from pesearch.locations import is_gone

    is_new_name = is_gone(to) and format_of(to) is None
    return name == ExportFormat.VTT and is_new_name and len(group_by_file(selections)) > 1


def _make_folder(folder: Path) -> None:
    """Create a folder and those above it. Raises ExportError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"cannot create {folder}: {error.strerror}") from error


def _read_moments(moments: str) -> list[Selection]:
    from pesearch.export.json_io import parse_selections

    try:
        data = sys.stdin.buffer.read() if moments == "-" else Path(moments).read_bytes()
    except OSError as error:
        source, reason = ("stdin", "it is closed") if error.errno == errno.EBADF else (moments, error.strerror)
        raise ExportError(f"cannot read {source}: {reason}") from error
    return parse_selections(data.decode("utf-8-sig", "surrogateescape"))


def _require_inside_files(selections: Sequence[Selection]) -> None:
    """Raise ExportError if a moment is after the end of its file: the results are older than the file."""
    from pesearch.cli.render import format_path
    from pesearch.formatting import format_clock

    outside = [selection for selection in selections if selection.is_past_end]
    if outside:
        first, more = outside[0], f" ({len(outside) - 1} more such moments)" if outside[1:] else ""
        raise ExportError(
            f"{format_path(first.path)} ends at {format_clock(first.duration_seconds)}, before the moment at "
            f"{format_clock(first.start_seconds)}{more}: search again, the results are of another version of it"
        )


def _export_document(selections: Sequence[Selection], form: ExportFormat, to: Path | None) -> None:
    """Write to stdout, to a file, or into a folder (chapters: one document for each media file)."""
    from pesearch.export.formats import render_document
    from pesearch.export.timecode_warnings import timecode_warnings

    for warning in timecode_warnings(selections, form):
        print(warning, file=sys.stderr)
    if to is None:
        sys.stdout.buffer.write(render_document(selections, form))
        return
    for path in _named(to, _write_documents(selections, form, to)):
        if to.is_dir():
            print(path)


def _write_documents(selections: Sequence[Selection], form: ExportFormat, to: Path) -> Iterator[Path]:
    """Write the documents, and yield the path of each. Raises OSError."""
    from pesearch.export.csv_m3u_vtt import group_by_file
    from pesearch.export.edl_otio import MAX_EDL_EVENTS
    from pesearch.export.formats import ExportFormat, render_document, render_documents
    from pesearch.export.output_file import is_stream, write_chapters, write_document, write_new_document
    from pesearch.export.safe_names import safe_stem

    if form is ExportFormat.VTT and to.is_dir():
        written: list[Path] = []
        for chapters in group_by_file(selections):
            document, stem = render_document(chapters, form), safe_stem(chapters[0].path)
            written.append(write_chapters(document, to, stem, written))
            yield written[-1]
        return
    documents = [render_document(selections, form)] if is_stream(to) else render_documents(selections, form)
    for number, document in enumerate(documents, start=1):
        suffix = f"-{number}" if len(documents) > 1 else ""
        if to.is_dir():
            yield write_new_document(document, to, f"moments{suffix}", form)
        else:
            path = to.with_stem(to.stem + suffix)
            write_document(document, path, form)
            yield path
    if len(documents) > 1:
        print(f"more than {MAX_EDL_EVENTS} events: written as {len(documents)} documents", file=sys.stderr)
        if not to.is_dir():
            _name_earlier_documents(to, len(documents))


def _named(to: Path, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """The outcomes of writing to a file or folder, which errors of writing name; those of stdout are not among them."""
    from pesearch.locations import is_folder, is_gone

    try:
        yield from outcomes
    except OSError as error:
        if is_gone(to) and not is_folder(to.parent):
            raise ExportError(f"cannot write {to}: there is no folder {to.parent}") from error
        raise ExportError(f"cannot write {to}: {error.strerror or error}") from error


def _name_earlier_documents(to: Path, written: int) -> None:
    """Name on stderr what an export of another length left beside documents 1 to `written`."""
    for path in (to, to.with_stem(f"{to.stem}-{written + 1}")):
        if path.is_file():
            print(f"{path} is of an earlier export, and was not replaced", file=sys.stderr)


def _export_clips(selections: Sequence[Selection], folder: Path, reencode: bool) -> int:
    """Cut the clips; print paths on stdout and failures on stderr. Returns the exit code."""
    from pesearch.cli.render import format_path, progress_bar
    from pesearch.export.cut_clips import Clip

    failed = 0
    with progress_bar() as bar:
        task = bar.add_task("cutting", total=len(selections), files=f"0/{len(selections)}")
        for number, outcome in enumerate(_named(folder, _cut_clips(selections, folder, reencode)), 1):
            bar.update(task, completed=number, files=f"{number}/{len(selections)}")
            if isinstance(outcome, Clip):
                print(outcome.path, flush=True)
            else:
                failed += 1
                print(f"failed: {format_path(outcome.selection.path)}: {outcome.reason}", file=sys.stderr)
    has_video = any(selection.has_pictures and not selection.is_still for selection in selections)
    if not reencode and failed < len(selections) and has_video:
        print("copied: clips begin at the key frame before the moment (--reencode cuts exactly)", file=sys.stderr)
    if not failed:
        return 0
    return ERROR if failed == len(selections) else SOME_FAILED


def _cut_clips(selections: Sequence[Selection], folder: Path, reencode: bool) -> Iterator[Clip | CutFailure]:
    """Cut the clips into a folder, which is made if there is none. Raises OSError."""
    from pesearch.export.cut_clips import cut_clips

    folder.mkdir(parents=True, exist_ok=True)
    yield from cut_clips(selections, folder, reencode)
