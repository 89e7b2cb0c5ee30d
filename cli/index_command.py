"""`pesearch index`: its arguments and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pesearch.cli.options import DeviceOption, JsonOption, LibraryOption, chosen


def index_command(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Media files or folders; none with --vectors alone.")
    ] = None,
    library: LibraryOption = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Model set of a new library (see: pesearch models).")
    ] = None,
    device: DeviceOption = "auto",
    watch: Annotated[bool, typer.Option("--watch", help="Stay and index new files as they appear.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try files again that failed before.")] = False,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="GLOB", help="Leave out what matches (gitignore syntax).")
    ] = None,
    vectors: Annotated[
        str | None,
        typer.Option(
            "--vectors",
            metavar="faiss|milvus:URI",
            help="Where this library's vectors are searched from now on: here, or on milvus:FILE.db, milvus:http://HOST:19530.",
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray", metavar="auto|ADDRESS", help="Embed on a Ray cluster, as ray://head:10001 (docs/scale.md)."
        ),
    ] = None,
    staging: Annotated[
        str | None,
        typer.Option(
            "--staging", metavar="URI", help="Where Ray's workers leave what they make, if they do not see the library."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Index media files and folders. Interrupt at any time: run it again and it goes on.

    Reads .pesearchignore files; hidden and system folders are left out. Exit code 3: some files failed (listed).
    """
    from pesearch.cli.index_summary import Wanted, choose_vectors, run_index

    if not paths and vectors is None:
        raise typer.BadParameter("name files or folders to index", param_hint="PATH...")
    if not paths:
        choose_vectors(chosen(library), str(vectors))
        return
    raise typer.Exit(
        run_index(
            Wanted(
                paths,
                chosen(library),
                model,
                device,
                tuple(exclude or ()),
                retry_failed,
                watch,
                vectors,
                ray,
                staging,
                as_json,
            )
        )
    )
