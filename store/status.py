"""Counts of the contents of a library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pesearch.audio_track import AudioTrack
from pesearch.capture_time import DateSource
from pesearch.disk_usage import size_on_disk
from pesearch.store.catalogue.discard_manifest import MANIFEST_FILE
from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.disk.durable import disk_errors
from pesearch.store.disk.quarantine import quarantines
from pesearch.store.index.vector_search import SearchPolicy, search_policy
from pesearch.store.shards.presence import absent_folders
from pesearch.types import MediaFile, MediaKind, SpaceName


@dataclass(frozen=True, slots=True)
class QuarantineSize:
    """The size of what a repair took out of use, and whether that is shards that `restore` can take back."""

    size_bytes: int
    is_restorable: bool


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """The contents of a library. `hours` count each content once; `vectors` has the number of vectors by space, CUE
    only if there are any; `policies` says how each of these spaces is searched. `quarantines` has the size of each
    folder of what repairs took out of use, `missing_shards` the number of shards by folder, where all are missing.
    """

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
    quarantines: Mapping[str, QuarantineSize]
    missing_shards: Mapping[str, int]
    audio_track: AudioTrack | None = None


@dataclass(frozen=True, slots=True)
class RecordingCounts:
    """How many files were read for what they say about their recording, by where their date is from, how many have a
    place, and by camera."""

    read: int
    dates: Mapping[DateSource, int]
    places: int
    cameras: Mapping[str, int]


def count_recordings(files: Sequence[MediaFile]) -> RecordingCounts:
    """The counts of these files. A name or time counts at the first location of a file."""
    known = [file.properties for file in files if file.properties is not None]
    captured = (file.captured_at(file.locations[0]) for file in files)
    dates = Counter(time.source for time in captured if time is not None)
    cameras = Counter(properties.camera for properties in known if properties.camera)
    return RecordingCounts(
        read=len(known),
        dates={source: dates[source] for source in DateSource if dates[source]},
        places=sum(properties.place is not None for properties in known),
        cameras=dict(cameras.most_common()),
    )


def quarantine_sizes(folder: Path) -> dict[str, QuarantineSize]:
    """The size of each quarantine of the library in `folder` that is not empty, by name."""
    return {
        quarantine.name: QuarantineSize(size_bytes, (quarantine / MANIFEST_FILE).exists())
        for quarantine in quarantines(folder)
        if (size_bytes := size_on_disk(quarantine))
    }


def compute_status(folder: Path, snapshot: Snapshot, cues: int) -> LibraryStatus:
    """The status of the library in `folder` at one generation. `cues` is their number. Raises LibraryUnavailable."""
    with disk_errors(folder):
        size_bytes, sizes = size_on_disk(folder), quarantine_sizes(folder)
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
        size_bytes=size_bytes,
        quarantines=sizes,
        missing_shards={str(absent): len(inside) for absent, inside in absent_folders(folder, snapshot.shards).items()},
    )
