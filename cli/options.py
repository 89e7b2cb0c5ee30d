"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="DIR",
        help="Library folder. Default: $PESEARCH_LIBRARY, else in the user's data folder.",
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device", metavar="auto|cpu|cuda|mps", help="Device that runs the models; cuda:0,1 indexes on several GPUs."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]
LayoutOption = Annotated[
    str | None, typer.Option("--layout", metavar="NAME", help="Layout of the dataset. Default: detected.")
]
SplitOption = Annotated[
    str | None,
    typer.Option("--split", metavar="NAME", help="Split of the dataset. Default: the one papers report."),
]


def library_folder(option: Path | None) -> Path:
    """The value of `--library`, or its default, as an absolute path."""
    from pesearch.settings import default_library, expand_home

    return expand_home(option or default_library()).absolute()
