"""Counts of the contents of a library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pesearch.audio_track import AudioTrack
from pesearch.disk_usage import size_on_disk
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.index.vector_search import SearchPolicy, search_policy
from pesearch.types import MediaKind, SpaceName


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """The contents of a library. `hours` count each content once; `vectors` has the number of vectors by space, CUE
    only if there are any; `policies` says how each of these spaces is searched."""

    generation: int
    model_set: str
    files: int
    files_by_kind: Mapping[MediaKind, int]
    hours: float
    vectors: Mapping[SpaceName, int]
    policies: Mapping[SpaceName, SearchPolicy]
    cues: int
    failures: int
    remarks: int
    size_bytes: int
    audio_track: AudioTrack | None = None


def compute_status(folder: Path, snapshot: Snapshot, cues: int) -> LibraryStatus:
    """The status of the library in `folder` at one generation. `cues` is their number."""
    rows = {name: int(extents.rows.sum()) for name, extents in snapshot.vectors.items()}
    vectors = {name: count for name, count in rows.items() if count or name is not SpaceName.CUE}
    return LibraryStatus(
        generation=snapshot.generation,
        model_set=snapshot.model_set,
        files=len(snapshot.files),
        files_by_kind=snapshot.files.kinds(),
        hours=snapshot.files.duration_seconds() / 3600,
        vectors=vectors,
        policies={
            space.name: search_policy(folder, snapshot, space) for space in snapshot.searched if space.name in vectors
        },
        cues=cues,
        failures=len(snapshot.locations.failures()),
        remarks=snapshot.files.remarks.count,
        audio_track=snapshot.audio_track,
        size_bytes=size_on_disk(folder),
    )
