"""Changes which audio track of a library's files is searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pesearch.audio_track import AudioTrack
from pesearch.errors import MediaError
from pesearch.media.probe import inspect
from pesearch.path_scope import PathScope
from pesearch.store.library import Library
from pesearch.types import MediaFile


def change_audio_track(library: Library, track: AudioTrack | None, paths: Sequence[Path]) -> int:
    """Search this audio track from now on, where a file has it; None for the one that players choose.

    Files below `paths` of which another track was indexed are removed, so that the next indexing run of `paths` embeds
    them again. Files elsewhere stay as they are. The number of files removed.
    """
    before = library.audio_track
    if before == track:
        return 0
    scope = PathScope(paths)
    changed = [file.id for file in library.files() if _is_changed(file, scope, before, track)]
    with library.writer() as writer:
        writer.set_audio_track(track)
        if changed:
            writer.remove(changed)
    return len(changed)


def _is_changed(file: MediaFile, scope: PathScope, before: AudioTrack | None, track: AudioTrack | None) -> bool:
    """Whether the file can be read in `scope`, and another track of it is heard than before."""
    for path in _existing(file, scope):
        try:
            return inspect(path, before).sound != inspect(path, track).sound
        except MediaError:
            continue
    return False


def _existing(file: MediaFile, scope: PathScope) -> Iterator[Path]:
    if file.info.audio is None:
        return
    for location in file.locations:
        if scope.contains(location.path) and location.is_online:
            yield location.path
