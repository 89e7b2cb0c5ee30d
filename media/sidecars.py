"""Which files beside a media file tell of it: subtitles, yt-dlp's info.json, a caption in plain text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pesearch.locations import Location

SUFFIXES = (".info.json", ".srt", ".vtt", ".ass", ".ssa", ".txt")

_MOST_TAGS = 3
"""`film.en.forced.sdh.srt`: so much may stand between the name of the film and the suffix."""

_TAG = re.compile(r"[A-Za-z0-9_-]{1,24}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file with cues: its form is its suffix, its language what its name tells (`film.en.srt`), or empty."""

    location: Location
    form: str
    language: str


class Sidecars:
    """Looks for sidecars in the folders of media files; each folder is listed once."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, list[tuple[Path, str, str]]]] = {}

    def beside(self, media: Path) -> list[Sidecar]:
        """The sidecars of a media file, by name. None in a folder that cannot be looked into."""
        folder = media.parent
        if folder not in self._folders:
            self._folders[folder] = _claimed(folder)
        found = []
        for path, form, language in self._folders[folder].get(media.name, []):
            try:
                found.append(Sidecar(Location.of_file(path), form, language))
            except OSError:  # gone since its folder was listed
                continue
        return found


def _claimed(folder: Path) -> dict[str, list[tuple[Path, str, str]]]:
    """The sidecars in a folder, by the name of the file that they belong to: path, form and language of each."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_file())
    except OSError:  # the crawl tells of folders that cannot be looked into
        return {}
    forms = {name: form for name in names if (form := _form(name)) is not None}
    owners: dict[str, list[str]] = {}
    for name in names:
        if name not in forms:
            for stem in {name, Path(name).stem}:
                owners.setdefault(stem, []).append(name)
    claimed: dict[str, list[tuple[Path, str, str]]] = {}
    for name, form in forms.items():
        for stem, language in _stems(name[: -len(form)], form):
            if stem in owners:
                for owner in owners[stem]:
                    claimed.setdefault(owner, []).append((folder / name, form, language))
                break
    return claimed


def _form(name: str) -> str | None:
    lower = name.lower()
    return next((suffix for suffix in SUFFIXES if lower.endswith(suffix) and len(name) > len(suffix)), None)


def _stems(base: str, form: str) -> Iterator[tuple[str, str]]:
    """The names that a sidecar may belong to, the longest first, and the language that it is in then."""
    yield base, ""
    stem, tags = base, list[str]()
    while form not in (".txt", ".info.json") and len(tags) < _MOST_TAGS:
        stem, dot, tag = stem.rpartition(".")
        if not dot or not stem or not _TAG.fullmatch(tag):
            return
        tags.insert(0, tag)
        yield stem, next((each for each in tags if _LANGUAGE.fullmatch(each)), "")
