"""The parameters of the API and of the tools for agents, with their texts for the documentation of both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.inspect import VarTupleType, type_info
from starlette.requests import Request

from pesearch.app.urls import THUMB_WIDTHS
from pesearch.errors import QueryError
from pesearch.search.query.conditions import FileConditions, Text

P = TypeVar("P", bound=Struct)

LARGEST_MS = 10**12 - 1
"""As many digits as the routes accept."""

FileNumber = Annotated[int, Meta(ge=0, le=LARGEST_MS, description="The file_id of a moment or file.")]


class NoParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """None."""


class SearchParameters(FileConditions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A query: a text, examples, or both; and the files to search."""

    q: Annotated[
        str,
        Meta(description="Plain words, or a query in the query language: what is seen, heard, said."),
    ] = ""
    speech: Annotated[bool, Meta(description="Search q as spoken words, without the query language.")] = False
    audio: Annotated[Text | None, Meta(description="Path of a file of the library: find similar sounds.")] = None
    video: Annotated[Text | None, Meta(description="Path of a file of the library: find similar clips.")] = None
    image: Annotated[Text | None, Meta(description="Path of a file of the library: find similar pictures.")] = None
    k: Annotated[int, Meta(ge=1, le=10_000, description="At most so many moments.")] = 10
    per_file: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="At most so many moments of each file.")
    ] = None
    dedupe: Annotated[
        bool, Meta(description="Of near-equal moments, such as copies of a recording, only the best; k counts these.")
    ] = False
    all: Annotated[bool, Meta(description="Also moments with a score below 0.5, which probably do not match.")] = False
    no_events: Annotated[bool, Meta(description="Skip locating the named sounds, which is faster.")] = False


class FilesParameters(FileConditions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The files to list, and which part of the list."""

    limit: Annotated[int, Meta(ge=1, le=10_000, description="At most so many files.")] = 1000
    offset: Annotated[int, Meta(ge=0, description="Leave out so many files before them.")] = 0


class MomentParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An interval of a file, in whole milliseconds."""

    file_id: FileNumber
    start_ms: Annotated[int, Meta(ge=0, le=LARGEST_MS, description="Start in milliseconds.")]
    end_ms: Annotated[int, Meta(ge=0, le=LARGEST_MS, description="End in milliseconds; 0 for an image.")]

    def __post_init__(self) -> None:
        if self.end_ms < self.start_ms:
            raise ValueError("the moment ends before it starts")


class PictureParameters(MomentParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture of a moment."""

    width: Annotated[
        int, Meta(description="Largest width in pixels: 320, 640 or 1280.", extra_json_schema={"enum": THUMB_WIDTHS})
    ] = THUMB_WIDTHS[0]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width not in THUMB_WIDTHS:
            raise ValueError(f"width is not one of {', '.join(map(str, THUMB_WIDTHS))}")


class EventsParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sounds to locate in a file."""

    file_id: FileNumber
    phrase: Annotated[
        tuple[Text, ...], Meta(min_length=1, description="Sounds to locate, one phrase each: siren, a dog barking.")
    ]
    threshold: Annotated[
        Annotated[float, Meta(gt=0, lt=1)] | None,
        Meta(description="Minimum probability of a sound; without it, the calibrated value of the models."),
    ] = None


def read_parameters(kind: type[P], request: Request, ignored: str) -> P:
    """The parameters in the path and the query string of a request, except the one called `ignored`.

    Raises QueryError for unknown, missing, repeated or invalid ones.
    """
    values: dict[str, Any] = dict(request.path_params)
    lists = list_names(kind)
    for name, value in request.query_params.multi_items():
        if name == ignored:
            continue
        if name in lists:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise QueryError(f"{name} is given twice")
        else:
            values[name] = value
    return convert_parameters(kind, values)


def convert_parameters(kind: type[P], values: Mapping[str, object]) -> P:
    """The parameters in a mapping, whose numbers and flags may be texts. Raises QueryError."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise QueryError(_plain_line(str(error))) from error


def list_names(kind: type[Struct]) -> frozenset[str]:
    """The parameters that may be given several times."""
    fields: tuple[Any, ...] = type_info(kind).fields  # type: ignore[attr-defined]  # a StructType, as `kind` is a Struct
    return frozenset(each.encode_name for each in fields if isinstance(_plain(each.type), VarTupleType))


def _plain(kind: Any) -> Any:
    """A type without its metadata."""
    return kind.type if hasattr(kind, "extra_json_schema") else kind


def _plain_line(message: str) -> str:
    """ "Expected `int` >= 1 - at `$.k`" as "k: expected an int >= 1"."""
    found = re.fullmatch(r"(.*) - at `\$\.?(.*)`", message)
    if found is None:
        return message.replace("`", "")
    problem, place = found.groups()
    if "matching regex" in problem:
        return f"{place} is blank"
    return f"{place}: {problem[0].lower()}{problem[1:]}".replace("`", "") if place else problem.replace("`", "")
