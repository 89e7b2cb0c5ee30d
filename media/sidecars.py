"""Sidecars: subtitle files, yt-dlp's info.json and plain-text captions next to a media file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pesearch.locations import Location

SUFFIXES = (".info.json", ".srt", ".vtt", ".ass", ".ssa", ".txt")
"""Suffixes of files that can be sidecars."""

_MAX_TAGS = 3
"""Tags allowed between the name of the film and the suffix, as in `film.en.forced.sdh.srt`."""

_TAG = re.compile(r"[A-Za-z0-9_-]{1,24}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*")

_Entry = tuple[Path, str, str]
"""Path, suffix and language of a sidecar."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file with cues: `suffix` is one of SUFFIXES, `language` is taken from its name (`film.en.srt`) or empty."""

    location: Location
    suffix: str
    language: str


class Sidecars:
    """Finds the sidecars of media files; each folder is listed once and cached."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, list[_Entry]]] = {}

    def find(self, media: Path) -> list[Sidecar]:
        """The sidecars of a media file, sorted by name; none in an unreadable folder."""
        folder = media.parent
        if folder not in self._folders:
            self._folders[folder] = _assign(folder)
        found = []
        for path, suffix, language in self._folders[folder].get(media.name, []):
            try:
                found.append(Sidecar(Location.of_file(path), suffix, language))
            except OSError:  # deleted since its folder was listed
                continue
        return found


def _assign(folder: Path) -> dict[str, list[_Entry]]:
    """The sidecars in a folder, by the name of the file that they belong to."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_file())
    except OSError:  # the crawl reports unreadable folders
        return {}
    suffixes = {name: suffix for name in names if (suffix := _suffix(name)) is not None}
    owners: dict[str, list[str]] = {}
    for name in names:
        if name not in suffixes:
            for stem in {name, Path(name).stem}:
                owners.setdefault(stem, []).append(name)
    assigned: dict[str, list[_Entry]] = {}
    for name, suffix in suffixes.items():
        for stem, language in _stems(name[: -len(suffix)], suffix):
            if stem in owners:
                for owner in owners[stem]:
                    assigned.setdefault(owner, []).append((folder / name, suffix, language))
                break
    return assigned


def _suffix(name: str) -> str | None:
    lower = name.lower()
    return next((suffix for suffix in SUFFIXES if lower.endswith(suffix) and len(name) > len(suffix)), None)


def _stems(base: str, suffix: str) -> Iterator[tuple[str, str]]:
    """Names that a sidecar may belong to, the longest first, each with the language that the rest of its name says."""
    yield base, ""
    stem, tags = base, list[str]()
    while suffix not in (".txt", ".info.json") and len(tags) < _MAX_TAGS:
        stem, dot, tag = stem.rpartition(".")
        if not dot or not stem or not _TAG.fullmatch(tag):
            return
        tags.insert(0, tag)
        yield stem, next((each for each in tags if _LANGUAGE.fullmatch(each)), "")
