"""`pesearch export`: chosen moments as lists, edit lists or clips."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pesearch.errors import ExportError

if TYPE_CHECKING:
    from pesearch.export.clip_selection import Selection
    from pesearch.export.formats import ExportFormat

FormName = Literal["csv", "json", "m3u", "edl", "otio", "fcpxml", "vtt", "clips"]


def export(
    moments: Annotated[
        str, typer.Argument(metavar="MOMENTS", help="What `pesearch query --json` or --jsonl wrote: a file, or -.")
    ],
    form: Annotated[
        FormName | None, typer.Option("--as", help="What to write. Default: by the ending of --to.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE|FOLDER", help="Where to. Default: lists go to standard output.")
    ] = None,
    pad: Annotated[
        float, typer.Option("--pad", metavar="SECONDS", min=0, max=3600, help="So much more before and after each.")
    ] = 0.0,
    reencode: Annotated[
        bool, typer.Option("--reencode", help="Clips exact to a frame (H.264 and AAC), not copied from a key frame on.")
    ] = False,
) -> None:
    """Take moments along: a table, a playlist, chapters, an edit list for an editing program, or clips.

    csv, json: tables. m3u: a playlist for VLC. edl (CMX3600), otio, fcpxml: for Resolve, Premiere, Avid, Final Cut, one
    moment after the other. vtt: chapters of a file (with a folder: of each file). clips: each moment as a file of its
    own. docs/export.md says which form for which program. Exit code 0: done, 1: nothing to export, 2: error, 3: some
    clips could not be cut.

    Examples: pesearch query "siren" --json | pesearch export - --to cuts.edl; pesearch export found.json --as clips
    --to clips --pad 1
    """
    from pesearch.export.clip_selection import with_media_info
    from pesearch.export.formats import ExportFormat

    wanted = _wanted(form, to)
    choices = [with_media_info(each).padded(pad) for each in _read(moments)]
    if not choices:
        print("nothing to export", file=sys.stderr)
        raise typer.Exit(1)
    try:
        if wanted != "clips":
            _export_document(choices, ExportFormat(wanted), to)
            return
        if to is None:
            raise ExportError("name a folder for the clips: --to FOLDER")
        raise typer.Exit(_export_clips(choices, to, reencode))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise ExportError(f"cannot be written: {error.strerror or error} ({error.filename or to})") from error


def _wanted(form: FormName | None, to: Path | None) -> str:
    from pesearch.export.formats import format_of

    found = form or (format_of(to) if to else None)
    if found is None:
        raise ExportError("name a form: --as csv|json|m3u|edl|otio|fcpxml|vtt|clips, or --to FILE with such an ending")
    return found


def _read(moments: str) -> list[Selection]:
    from pesearch.export.json_io import parse_selections

    try:
        data = sys.stdin.buffer.read() if moments == "-" else Path(moments).read_bytes()
    except OSError as error:
        raise ExportError(f"cannot be read: {moments}: {error.strerror}") from error
    return parse_selections(data.decode("utf-8-sig", "surrogateescape"))


def _export_document(choices: Sequence[Selection], form: ExportFormat, to: Path | None) -> None:
    """To a file, into a folder (chapters: a file for each media file), or to standard output."""
    from pesearch.export.csv_m3u_vtt import group_by_file
    from pesearch.export.formats import ExportFormat, render_document
    from pesearch.export.output_file import write_document, write_new_document
    from pesearch.export.safe_names import safe_stem

    _tell_rates(choices, form)
    if to is None:
        sys.stdout.buffer.write(render_document(choices, form))
    elif not to.is_dir():
        write_document(render_document(choices, form), to, form)
    else:
        parts = group_by_file(choices) if form is ExportFormat.VTT else [choices]
        for part in parts:
            name = safe_stem(part[0].path) if form is ExportFormat.VTT else "moments"
            print(write_new_document(render_document(part, form), to, name, form))


def _tell_rates(choices: Sequence[Selection], form: ExportFormat) -> None:
    """What an editor has to know about the rate of frames, on stderr."""
    from pesearch.export.formats import ExportFormat
    from pesearch.export.timecode import common_rate, rate_of, rate_text

    if form not in (ExportFormat.EDL, ExportFormat.OTIO, ExportFormat.FCPXML):
        return
    unknown = sum(each.media is None for each in choices)
    if unknown:
        print(f"away, and counted as 25 frames a second: the files of {unknown} of the moments", file=sys.stderr)
    rates = sorted({rate_of(each) for each in choices if each.frames_per_second is not None})
    if form is ExportFormat.EDL and len(rates) > 1:
        told = ", ".join(map(rate_text, rates))
        print(f"EDL at {rate_text(common_rate(choices))} frames a second, the files have {told}", file=sys.stderr)


def _export_clips(choices: Sequence[Selection], folder: Path, reencode: bool) -> int:
    """Paths on stdout as they come, failures on stderr; 2 when none could be cut, 3 when some could not."""
    from pesearch.cli.render import progress_bar, shown
    from pesearch.export.cut_clips import Clip, cut_clips

    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    with progress_bar() as bar:
        task = bar.add_task("cutting", total=len(choices), files=f"0/{len(choices)}")
        for number, outcome in enumerate(cut_clips(choices, folder, reencode), 1):
            bar.update(task, completed=number, files=f"{number}/{len(choices)}")
            if isinstance(outcome, Clip):
                print(outcome.path, flush=True)
            else:
                failed += 1
                print(f"failed: {shown(outcome.selection.path)}: {outcome.reason}", file=sys.stderr)
    if not reencode and failed < len(choices) and any(each.has_pictures and not each.is_still for each in choices):
        print("copied: pictures begin at the key frame before a moment (--reencode is exact)", file=sys.stderr)
    return 0 if not failed else 2 if failed == len(choices) else 3
