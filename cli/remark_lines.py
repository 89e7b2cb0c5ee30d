"""Remarks in the terminal and in JSON: what of which file is not in the library, or was guessed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.cli.render import format_path
from pesearch.search.serialize import remarked_object

if TYPE_CHECKING:
    from pesearch.search.json_types import RemarkedObject
    from pesearch.types import Remark

MAX_FILES = 20
"""Files listed before the rest is counted: as many lines as fit on a screen with what is below them."""

MAX_REMARKS_PER_FILE = 4
"""Remarks on the line of a file before the rest is counted."""

RemarkedFile = tuple[Path, Sequence["Remark"]]


def remark_line(file: RemarkedFile) -> str:
    """`/a.mp4: 2 of 3 sound tracks are not searched; pictures could not be decoded at 00:12.0 (0.6 s)`."""
    from pesearch.formatting import format_remark

    path, remarks = file
    shown = [format_remark(remark) for remark in remarks[:MAX_REMARKS_PER_FILE]]
    if len(remarks) > MAX_REMARKS_PER_FILE:
        shown.append(f"and {len(remarks) - MAX_REMARKS_PER_FILE} more: `pesearch status --json`")
    return f"{format_path(path)}: {'; '.join(shown)}"


def remark_lines(files: Sequence[RemarkedFile], max_files: int | None = MAX_FILES) -> Iterator[str]:
    """One line for each file, at most `max_files`, then how many more there are."""
    yield from map(remark_line, files[:max_files])
    if max_files is not None and len(files) > max_files:
        yield f"and {len(files) - max_files} more files: `pesearch status --remarks`"


def remark_objects(files: Sequence[RemarkedFile]) -> list[RemarkedObject]:
    """The JSON objects of all remarks, each with the path of its file."""
    return [remarked_object(path, remark) for path, remarks in files for remark in remarks]
