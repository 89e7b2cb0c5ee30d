"""Sidecars: subtitle files, yt-dlp's info.json and plain-text captions of a media file, found as players find them.

They are next to it or in a folder `Subs`, and their names begin with that of the media file, whatever the case of the
letters and the Unicode form of the accents.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pesearch.locations import Location
from pesearch.media.language_tags import is_label, language_of
from pesearch.media.subtitles import PICTURE_SUFFIXES, TEXT_SUFFIXES
from pesearch.media.suffixes import promised_kind
from pesearch.types import MediaKind

_WHOLE_FILE_SUFFIXES = (".info.json", ".txt")
"""Suffixes of sidecars that are about the whole file; their names have no labels."""

SUFFIXES = (*_WHOLE_FILE_SUFFIXES, *TEXT_SUFFIXES, *PICTURE_SUFFIXES)
"""Suffixes of files that can be sidecars."""

_COMMON_SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
"""A sidecar of another kind with the same name is the same text once more: Whisper writes five."""

_FOLDERS = frozenset({"sub", "subs", "subtitle", "subtitles"})
"""Folders for sidecars, in lower case."""

_MAX_LABELS = 3
"""Labels allowed between the name of the film and the suffix, as in `film.en.forced.sdh.srt`."""

_LABEL = re.compile(r"[^.]{1,40}")
_SEPARATORS = " -_([{"
"""Characters before a label that follows without a dot, as in `film (English).srt`."""

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
                location = Location.of_file(path)
            except FileNotFoundError:  # deleted since its folder was listed
                continue
            except OSError:  # reading it tells why
                location = Location(path, 0, 0)
            found.append(Sidecar(location, suffix, language))
        return found


def _assign(folder: Path) -> dict[str, list[_Entry]]:
    """The sidecars of a folder and of those in it, by the name of the file that they belong to."""
    names, folders = _listed(folder)
    media = [name for name in names if _suffix(name) is None]
    owners: dict[str, list[str]] = {}
    for name in media:
        for stem in {_key(name), _key(Path(name).stem)}:
            owners.setdefault(stem, []).append(name)
    assigned: dict[str, list[_Entry]] = {}
    _add(folder, names, owners, assigned)
    for inner in (folder / name for name in folders if _key(name) in _FOLDERS):
        inner_names, inner_folders = _listed(inner)
        _add(inner, inner_names, owners, assigned, alone=[name for name in media if _is_film(name)])
        for name in inner_folders:
            if found := owners.get(_key(name)):
                _add(inner / name, _listed(inner / name)[0], owners, assigned, alone=found)
    return assigned


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """The names of files and of folders in it, sorted; none if it is unreadable."""
    try:
        with os.scandir(folder) as entries:
            listed = sorted((entry.name, *_kinds(entry)) for entry in entries)
    except OSError:  # the crawl reports unreadable folders
        return [], []
    return [name for name, is_file, _ in listed if is_file], [name for name, _, is_folder in listed if is_folder]


def _kinds(entry: os.DirEntry[str]) -> tuple[bool, bool]:
    """Whether it is a file, and whether it is a folder; a link that leads in circles is neither."""
    try:
        return entry.is_file(), entry.is_dir()
    except OSError:
        return False, False


def _add(
    folder: Path,
    names: list[str],
    owners: dict[str, list[str]],
    assigned: dict[str, list[_Entry]],
    alone: list[str] | None = None,
) -> None:
    """Assign the sidecars of a folder. In a folder for the sidecars of one file, `alone`, its name may be missing."""
    suffixes = {name: suffix for name in names if (suffix := _suffix(name)) is not None}
    bases = {name: name[: -len(suffix)] for name, suffix in suffixes.items()}
    common = {base for name, base in bases.items() if suffixes[name] in _COMMON_SUFFIXES}
    for name, suffix in suffixes.items():
        base = bases[name]
        if base in common and suffix not in (*_COMMON_SUFFIXES, *_WHOLE_FILE_SUFFIXES):
            continue
        owner, language = next(
            ((owners[stem], said) for stem, said in _stems(base, suffix) if stem in owners), (None, "")
        )
        if owner is None and alone is not None and len(alone) == 1 and is_label(base):
            owner, language = alone, language_of([base])
        for each in _same_name(owner or [], base):
            assigned.setdefault(each, []).append((folder / name, suffix, language))


def _is_film(name: str) -> bool:
    """Whether a name is one of a film or sound. Beside one film and its posters, a folder `Subs` is the film's."""
    return promised_kind(Path(name)) in (MediaKind.VIDEO, MediaKind.AUDIO)


def _same_name(owners: list[str], base: str) -> list[str]:
    """Of files whose names differ in case only, those that are written as the sidecar's."""
    return [name for name in owners if base.startswith(Path(name).stem)] or owners


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _suffix(name: str) -> str | None:
    lower = name.lower()
    return next((suffix for suffix in SUFFIXES if lower.endswith(suffix) and len(name) > len(suffix)), None)


def _stems(base: str, suffix: str) -> Iterator[tuple[str, str]]:
    """Names that a sidecar may belong to, the longest first, each with the language that the rest of its name says."""
    yield _key(base), ""
    if suffix in _WHOLE_FILE_SUFFIXES:
        return
    stem, labels = base, list[str]()
    while len(labels) < _MAX_LABELS:
        yield from ((_key(shorter), language_of([label, *labels])) for shorter, label in _spaced_labels(stem))
        stem, dot, label = stem.rpartition(".")
        if not dot or not stem or not _LABEL.fullmatch(label):
            return
        labels.insert(0, label)
        yield _key(stem), language_of(labels)


def _spaced_labels(stem: str) -> Iterator[tuple[str, str]]:
    """Divisions of a name before a space, hyphen, underscore or bracket with nothing but languages and flags after."""
    for place in range(len(stem) - 1, 0, -1):
        if stem[place] in _SEPARATORS:
            if "." in stem[place:] or not is_label(stem[place:]):
                return
            yield stem[:place].rstrip(" -_"), stem[place:]
