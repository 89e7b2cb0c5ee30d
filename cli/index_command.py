"""`pesearch index`: progress on stderr while it runs, a summary at the end."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pesearch.audio_track import parse_audio_track
from pesearch.cli.exit_codes import SOME_FAILED
from pesearch.cli.options import DeviceOption, JsonOption, LibraryOption, library_folder
from pesearch.errors import ClusterError

if TYPE_CHECKING:
    from pesearch.indexer.pipeline import Embedder
    from pesearch.store.library import Library


def index_command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH...", readable=False, help="Media files and folders. Optional with --vectors."
        ),  # one that may not be read fails alone
    ] = None,
    library: LibraryOption = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Model set of a new library; `pesearch models` lists them."),
    ] = None,
    device: DeviceOption = "auto",
    watch: Annotated[bool, typer.Option("--watch", help="Keep running and index new files as they appear.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Retry files that failed in an earlier run.")
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="GLOB", help="Skip matching files (gitignore syntax); repeatable."),
    ] = None,
    vectors: Annotated[
        str | None,
        typer.Option(
            "--vectors",
            metavar="faiss|milvus:URI",
            help="Where this library's vectors are searched from now on: faiss, milvus:FILE.db, milvus:http://HOST:19530.",
        ),
    ] = None,
    audio_track: Annotated[
        str | None,
        typer.Option(
            "--audio-track",
            metavar="NUMBER|LANGUAGE|auto",
            help="Audio track to search from now on, where a file has several: 2, eng. auto: as players choose.",
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray",
            metavar="auto|ADDRESS",
            help="Embed on a Ray cluster, such as ray://head:10001 (docs/scale.md).",
        ),
    ] = None,
    staging: Annotated[
        str | None,
        typer.Option(
            "--staging", metavar="URI", help="Where Ray workers put results if they cannot reach the library folder."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Index media files and folders, or update an existing index.

    Safe to interrupt: run it again and it continues where it stopped. Unchanged files are skipped, moved and copied
    files are recognised by their content. Honours .pesearchignore files; skips hidden and system folders.

    What of a file is not in the library, or was guessed, is a remark on that file (`pesearch status` keeps them).

    Exit codes: 0 done, 2 error, 3 some files failed (they are listed with reasons).

    \b
    Examples:
      pesearch index ~/videos
      pesearch index ~/videos /mnt/drive --exclude '*.tmp.mp4' --watch
      pesearch index --vectors milvus:http://localhost:19530
    """
    folder = library_folder(library)
    if not paths and vectors is None:
        raise typer.BadParameter("name files or folders to index", param_hint="PATH...")
    if not paths:
        move_vectors(folder, str(vectors))
        return
    request = IndexRequest(
        paths,
        folder,
        model,
        device,
        tuple(exclude or ()),
        retry_failed,
        watch,
        vectors,
        audio_track,
        ray,
        staging,
        as_json,
    )
    raise typer.Exit(run_index(request))


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """The arguments and options of `pesearch index`. Raises ClusterError for options that exclude each other."""

    paths: list[Path]
    folder: Path
    model: str | None
    device: str
    excludes: tuple[str, ...]
    retry_failed: bool
    watch: bool
    vectors: str | None
    audio_track: str | None
    ray: str | None
    staging: str | None
    as_json: bool

    def __post_init__(self) -> None:
        if self.ray is None and self.staging is not None:
            raise ClusterError("--staging is where Ray workers put their results: add --ray, or leave out --staging.")
        if self.ray is not None and self.watch:
            raise ClusterError("--watch and --ray cannot be combined: leave out one of them.")


def run_index(request: IndexRequest) -> int:
    """Index and print the summary, also after an error or Ctrl-C. Returns the exit code."""
    from pesearch.cli.index_progress import follow
    from pesearch.cli.index_summary import Summary
    from pesearch.indexer.opening import open_for_indexing
    from pesearch.indexer.run import index
    from pesearch.indexer.vector_backend import check_backend
    from pesearch.indexer.watch import watch

    if request.vectors is not None:
        check_backend(request.vectors)  # before a library is created
    if request.audio_track is not None:
        parse_audio_track(request.audio_track)
    device = request.device if request.ray is None else "cpu"
    paths, excludes, summary = request.paths, request.excludes, Summary()
    with _embedding(request) as embed:  # before a library is created: the cluster may be unreachable
        library, models = open_for_indexing(request.folder, request.model, device)
        if request.vectors is not None:
            move_vectors(request.folder, request.vectors)
        if request.audio_track is not None:
            set_audio_track(library, request.audio_track, paths)
        if models.notice:
            print(models.notice, file=sys.stderr)
        outcomes = index(paths, library, models, excludes=excludes, retry_failed=request.retry_failed, embed=embed)
        try:
            with closing(outcomes):
                watched = watch(paths, library, models, excludes=excludes) if request.watch else ()
                follow(chain(outcomes, watched), summary, names_files=request.watch)
        finally:
            for line in summary.lines():
                print(line, file=sys.stderr)
            if request.as_json:
                print(summary.json())
    return SOME_FAILED if summary.failed else 0


def move_vectors(folder: Path, vectors: str) -> None:
    """Change the vector search backend of a library, and report how each space is searched then."""
    from pesearch.cli.refresh_progress import follow_refresh
    from pesearch.indexer.vector_backend import change_backend
    from pesearch.store.library import open_library

    follow_refresh(change_backend(folder, vectors, report=lambda line: print(line, file=sys.stderr)))
    policies = open_library(folder).status().policies
    print("vectors: " + "; ".join(f"{space}: {policy}" for space, policy in policies.items()), file=sys.stderr)


def set_audio_track(library: Library, wanted: str, paths: list[Path]) -> None:
    """Change the audio track that is searched, and report how many files are embedded again."""
    from pesearch.formatting import count_files
    from pesearch.indexer.audio_track import change_audio_track

    track = parse_audio_track(wanted)
    if library.audio_track == track:
        return
    changed = change_audio_track(library, track, paths)
    if changed:
        print(f"audio track {wanted}: {count_files(changed)} to index again", file=sys.stderr)
    elif library.files():
        print(f"audio track {wanted}: searched in new files that have it; no indexed file changes", file=sys.stderr)


def _embedding(request: IndexRequest) -> AbstractContextManager[Embedder | None]:
    """Embedding on a Ray cluster; None stands for the devices of this machine."""
    if request.ray is None:
        return nullcontext(None)
    from pesearch.indexer.cluster.embed import on_ray

    return on_ray(request.ray, request.device, request.staging)
