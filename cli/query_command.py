"""`pesearch query`: search, then print text, JSON or paths."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pesearch.cli.exit_codes import NOTHING_FOUND
from pesearch.cli.options import DeviceOption, JsonOption, LibraryOption, library_folder
from pesearch.errors import QueryError
from pesearch.gc_pause import pause_collection
from pesearch.search.query.media_features import Feature, Orientation

if TYPE_CHECKING:
    from pesearch.search.query.request import SearchRequest
    from pesearch.search.search import SearchResult

UNMEASURED = "no confident match; nobody measured scores with these models: showing the nearest (`pesearch calibrate`)"
"""The message if nobody measured how high a match scores with the models of the library."""

UNREAD = "run `pesearch index` again, which reads when and where files were recorded"
"""The advice if a condition asks for what earlier versions did not read."""


def query_command(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="Plain words or a query: what is seen, heard or said.")
    ] = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", metavar="FILE", help="Find similar sounds, and pictures of their source.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option("--video", metavar="FILE", help="Find moments that look and sound like this clip.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="FILE", help="Find moments that look like this image.")
    ] = None,
    speech: Annotated[bool, typer.Option("--speech", help="Search TEXT as spoken words.")] = False,
    per_file: Annotated[
        int | None, typer.Option("--per-file", metavar="N", min=1, help="Return at most N moments per file.")
    ] = None,
    dedupe: Annotated[
        bool,
        typer.Option("--dedupe", help="Of near-equal moments, such as copies of a recording, show only the best."),
    ] = False,
    show_all: Annotated[
        bool, typer.Option("--all", help="Also show moments below 50 %, marked with a question mark.")
    ] = False,
    no_events: Annotated[
        bool, typer.Option("--no-events", help="Skip locating the named sounds, which is faster.")
    ] = False,
    k: Annotated[int, typer.Option("-k", metavar="N", min=1, max=10_000, help="Return at most N moments.")] = 10,
    under: Annotated[
        list[str] | None,
        typer.Option(
            "--in", metavar="PATH", help="Only files in this folder, or this file; repeatable: in any of them."
        ),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            "--after",
            metavar="DATE",
            help="Only files recorded then (2026-01-31, 2026-01-31T12:30) or later, by metadata, name or file date.",
        ),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option("--before", metavar="DATE", help="Only files recorded before this date or time."),
    ] = None,
    file_date: Annotated[
        bool, typer.Option("--file-date", help="Let --after and --before compare the modification time of the file.")
    ] = False,
    kind: Annotated[
        Literal["video", "audio", "image"] | None, typer.Option("--kind", help="Only files of this kind.")
    ] = None,
    longer: Annotated[
        str | None,
        typer.Option("--longer", metavar="TIME", help="Only files of at least this length: 90s, 5m, 1h30m or 2:30."),
    ] = None,
    shorter: Annotated[
        str | None, typer.Option("--shorter", metavar="TIME", help="Only files of at most this length.")
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option("--camera", metavar="TEXT", help="Only from a camera or recorder with this in make and model."),
    ] = None,
    near: Annotated[
        str | None,
        typer.Option(
            "--near",
            metavar="LAT,LON[,KM]",
            help="Only files recorded within KM (default: 1) of a place: 48.858,2.294,5.",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option("--size", metavar="SIZE", help="Only pictures of this size: 1920x1080, 1080p, 4k, '>=720p'."),
    ] = None,
    fps: Annotated[
        str | None,
        typer.Option("--fps", metavar="RATE", help="Only this frame rate: 25, 30 (also 29.97), 29.97, '>=50'."),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option("--codec", metavar="NAME", help="Only pictures or sound of this codec: h264, hevc, prores, aac."),
    ] = None,
    orientation: Annotated[
        Orientation | None,
        typer.Option("--orientation", help="Only pictures of this shape, as shown."),
    ] = None,
    has: Annotated[
        list[Feature] | None,
        typer.Option(
            "--has",
            metavar="audio|video|subtitles|place",
            help="Only files with sound, moving pictures, subtitles or a place; repeatable: all of them.",
        ),
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="Only files that can be opened now.")] = False,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    as_jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object per line and moment.")] = False,
    as_paths: Annotated[bool, typer.Option("-0", help="Print only paths, each followed by a NUL byte.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Report timings, and whether a running page answered.")
    ] = False,
) -> None:
    """Find moments by words, a sound, an image or a clip.

    TEXT is plain words in English, or a query:

    \b
    seen:train heard:siren    a train is seen while a siren is heard
    said:"mind the gap"       spoken, or in subtitles; text: captions and titles
    siren AND train           both in one moment; OR: either
    siren THEN train          one after the other; WITHIN 10s limits the time between
    siren -music              without music; NOT takes several words
    ./clip.wav at night       like this file; film.mp4@12-15: like these seconds

    Each moment has its rank, its score (the probability that it matches), its time and file; then its best rank among
    what is seen, heard, and both, the located sounds, and the command that plays it. Only data goes to stdout.

    Exit codes: 0 found, 1 no confident match, 2 error. A model set that was never measured shows the nearest moments
    then; `pesearch calibrate` measures it.

    \b
    Examples:
      pesearch query "siren and train"
      pesearch query 'heard:siren THEN heard:train WITHIN 10s'
      pesearch query 'said:"mind the gap" -music' --after 2025-06-01
      pesearch query "dog" --before 2020-01-01 --camera iphone --near 48.858,2.294,5 --has audio
      pesearch query --audio bark.wav --json
    """
    from pesearch.search.query.conditions import FileConditions
    from pesearch.search.query.language.parser import parse
    from pesearch.search.query.request import SearchRequest
    from pesearch.types import MediaKind

    forms = [name for name, is_asked in (("--json", as_json), ("--jsonl", as_jsonl), ("-0", as_paths)) if is_asked]
    if len(forms) > 1:
        raise typer.BadParameter("these options exclude each other", param_hint=" and ".join(forms))
    conditions = FileConditions(
        under=tuple(_stated("--in", path) for path in under or ()), after=after, before=before, file_date=file_date,
        kind=kind and MediaKind(kind), longer=longer, shorter=shorter, camera=_stated("--camera", camera), near=near,
        size=size, fps=fps, codec=_stated("--codec", codec), orientation=orientation, has=tuple(has or ()),
        online=online,
    )  # fmt: skip
    request = SearchRequest(
        text=" ".join(text or ()), audio=audio, video=video, image=image, speech=speech, k=k, per_file=per_file,
        dedupe=dedupe, locate=not no_events, files=conditions.file_filter(),
    )  # fmt: skip
    if request.text.strip() and not speech:
        parse(request.text)  # reports a syntax error before any model is loaded
    result = answer_request(library_folder(library), request, device, verbose)
    print_result(result, show_all, as_json, as_jsonl, as_paths)
    raise typer.Exit(0 if result.matches else NOTHING_FOUND)


def _stated(option: str, text: str | None) -> str:
    """The text of an option, empty without it. Raises QueryError for a blank one, such as an unset variable."""
    if text is not None and not text.strip():
        raise QueryError(f"{option} is empty: leave it out to search all files")
    return text or ""


def answer_request(folder: Path, request: SearchRequest, device: str, verbose: bool) -> SearchResult:
    """Send the request to the running page of this library; without one, load the library and its models here."""
    from pesearch.search.server.client import NotServed, ask_server

    started = time.monotonic()
    try:
        reply = ask_server(folder, request, device)
    except NotServed as reason:
        return _answer_here(folder, request, device, str(reason) if verbose else None)
    if reply.notice:
        print(reply.notice, file=sys.stderr)
    if verbose:
        print(f"answered by the running page in {time.monotonic() - started:.2f} s", file=sys.stderr)
    return reply.result()


def _answer_here(folder: Path, request: SearchRequest, device: str, reason: str | None) -> SearchResult:
    """Load the library and its models, and search. With a `reason`, why no page answered, also report timings."""
    started = time.monotonic()
    with pause_collection():
        from pesearch.search.opening import open_for_search
        from pesearch.search.search import search

        library, models = open_for_search(folder, device)
    if models.notice:
        print(models.notice, file=sys.stderr)
    opened = time.monotonic()
    result = search(library, models, request)
    if reason:
        spent = f"opened in {opened - started:.2f} s, models loaded and answered in {time.monotonic() - opened:.2f} s"
        print(f"{reason}: {spent}", file=sys.stderr)
    return result


def print_result(result: SearchResult, show_all: bool, as_json: bool, as_jsonl: bool, as_paths: bool) -> None:
    """Print the answer, or all moments, to stdout; without a match, say so on stderr."""
    from pesearch.cli.json_output import result_json, result_jsonl
    from pesearch.cli.render import moment_lines
    from pesearch.formatting import count_files, damage_lines, hidden_by_near_duplicates

    moments = result.moments if show_all else result.answer
    if as_json:
        print(result_json(result, moments))
    elif as_jsonl:
        for line in result_jsonl(result, moments):
            print(line)
    elif as_paths:
        paths = dict.fromkeys(os.fsencode(moment.file.path) for moment in moments)
        sys.stdout.buffer.write(b"".join(path + b"\0" for path in paths))
    else:
        for moment in moments:
            for line in moment_lines(moment, result.is_match(moment)):
                print(line)
    if not result.matches:
        print(_no_match(result, show_all), file=sys.stderr)
    for line in damage_lines(result.damaged):
        print(line, file=sys.stderr)
    if result.compared:
        print(hidden_by_near_duplicates(result.compared), file=sys.stderr)
    if result.unread_files:
        print(f"{count_files(result.unread_files)} left out: {UNREAD}", file=sys.stderr)


def _no_match(result: SearchResult, show_all: bool) -> str:
    if result.kept_files == 0:
        return "no match: no file of the library meets these conditions"
    if not result.is_measured:
        return UNMEASURED
    hint = "" if show_all or not result.moments else f"; --all shows the nearest (best: {result.moments[0].score:.2f})"
    return f"no confident match{hint}"
