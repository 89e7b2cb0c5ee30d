"""Options that several commands have, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library", metavar="DIR", help="The library folder. Default: $PESEARCH_LIBRARY, else the user's data folder."
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option("--device", metavar="auto|cpu|cuda", help="Where the models run; several GPUs index as cuda:0,1."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def chosen(library: Path | None) -> Path:
    """The library the user means, as an absolute path."""
    from pesearch.settings import default_library, expand_home

    return expand_home(library or default_library()).absolute()
