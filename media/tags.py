"""Tags of a container: title, artist, comment and the like, as FFmpeg reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pesearch.media.container import Container
from pesearch.media.ffprobe import Section
from pesearch.media.mojibake import restore

_TAG = "tag:"
"""Prefix of tags in ffprobe's compact output."""

_QUICKTIME = "com.apple.quicktime."

_STREAM_TAGGED_FORMATS = frozenset({"ogg"})
"""Formats whose tags are those of a stream. Elsewhere the title of a stream is "Surround" or "Commentary"."""

_LANGUAGE = re.compile(r"-(?:[a-z]{3}|xxx)(?:-[a-z]{2})?$")
"""What FFmpeg adds to the names of tags in a language: `lyrics-eng`."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Name and text of each tag of a file, and their encoding if it was guessed.

    Names are in lower case, without language and vendor: `title` of `com.apple.quicktime.title` and `title-eng`.
    """

    pairs: tuple[tuple[str, str], ...]
    guessed_encoding: str | None


def read_tags(container: Container) -> Tags:
    """The tags of the whole file."""
    sections = [section for section in container.sections if _has_tags_of_file(section, container.format)]
    tags = {
        (_name(field), text): None
        for section in sections
        for field, text in section.fields.items()
        if field.startswith(_TAG)
    }
    names = [name for name, _ in tags]
    texts, encoding = restore([text for _, text in tags])
    return Tags(tuple(zip(names, texts, strict=True)), encoding)


def _has_tags_of_file(section: Section, format_name: str) -> bool:
    return section.name == "format" or (section.name == "stream" and format_name in _STREAM_TAGGED_FORMATS)


def _name(field: str) -> str:
    return _LANGUAGE.sub("", field[len(_TAG) :].lower().removeprefix(_QUICKTIME))
