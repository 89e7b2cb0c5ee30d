"""What a library contains and lacks: the JSON of `pesearch status --json`, of the API and of agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypedDict

from msgspec import Meta

from pesearch.damage import DamagedFile
from pesearch.encoders.device_selection import Precision, choose_precision
from pesearch.encoders.model_registry import MODEL_SETS
from pesearch.errors import LibraryError
from pesearch.indexer.absences import current_absences
from pesearch.indexer.volumes import OfflineFiles, offline
from pesearch.locations import Absence
from pesearch.matching import Recalibration
from pesearch.search.json_types import DamageObject, RemarkedObject, Version
from pesearch.search.serialize import JSON_VERSION, damage_object, remarked_object
from pesearch.store.index.vector_search import SearchPolicy
from pesearch.store.library import Library
from pesearch.store.recalibration import read_recalibration
from pesearch.store.status import LibraryStatus, RecordingCounts, count_recordings
from pesearch.types import Failure, MediaFile


@dataclass(frozen=True, slots=True)
class LibraryReport:
    """The state of a library in one snapshot.

    `absences` are files that were not found where they were, on drives that are connected; `remarked` the files with
    remarks. `unreadable` says why no search is possible, if none is.
    """

    folder: Path
    status: LibraryStatus
    failures: Sequence[Failure]
    offline_files: Sequence[OfflineFiles]
    absences: Mapping[Path, Absence]
    recalibration: Recalibration | None
    remarked: Sequence[MediaFile]
    recordings: RecordingCounts
    damaged: Sequence[DamagedFile]
    unreadable: str | None

    @property
    def measured_on(self) -> str | None:
        """On what its scores were calibrated: for this library, else for its models; None if never."""
        if self.recalibration is not None:
            return self.recalibration.measured_on
        return measured_on(self.status.model_set)


class SearchPolicyObject(TypedDict):
    """How a space is searched: its rows by the kind of index that searches them."""

    compressed_rows: int
    memory_rows: int
    disk_rows: int
    milvus_rows: int
    milvus: str
    unused: str


class RecordingCountsObject(TypedDict):
    """How many files say when, where and with what they were recorded."""

    read: int
    dates: dict[str, int]
    places: int
    cameras: dict[str, int]


class OfflineObject(TypedDict):
    """The files of a drive that is not connected, or is mounted elsewhere now."""

    files: int
    last_seen: str
    now_at: str | None


class FailureObject(TypedDict):
    """A file that could not be indexed."""

    path: str
    reason: str


class StatusObject(TypedDict):
    """What a library contains and lacks."""

    version: Version
    library: str
    model: str
    cpu_precision: str
    calibrated: bool
    calibrated_on: str | None
    generation: Annotated[int, Meta(description="Rises with each change of the library.")]
    files: dict[str, int]
    hours: float
    vectors: dict[str, int]
    search: dict[str, SearchPolicyObject]
    cues: int
    audio_track: str | None
    recordings: RecordingCountsObject
    size_bytes: int
    quarantines: dict[str, int]
    missing_shards: dict[str, int]
    offline: list[OfflineObject]
    missing: list[str]
    excluded: list[str]
    failures: list[FailureObject]
    remarks: list[RemarkedObject]
    damaged: list[DamageObject]
    unreadable: str | None


def read_report(library: Library) -> LibraryReport:
    """Read the state of a library. Raises LibraryError."""
    snapshot = library.pinned()
    return LibraryReport(
        folder=snapshot.folder, status=snapshot.status(), failures=snapshot.failures(),
        offline_files=offline(snapshot), absences=current_absences(snapshot),
        recalibration=read_recalibration(snapshot.folder), remarked=snapshot.files_with_remarks(),
        recordings=count_recordings(snapshot.files()), unreadable=_check(snapshot), damaged=snapshot.damage(),
    )  # fmt: skip


def status_object(report: LibraryReport) -> StatusObject:
    """The JSON object of the state of a library."""
    status, recordings = report.status, report.recordings
    return {
        "version": JSON_VERSION,
        "library": str(report.folder),
        "model": status.model_set,
        "cpu_precision": str(cpu_precision(status.model_set)),
        "calibrated": report.measured_on is not None,
        "calibrated_on": report.measured_on,
        "generation": status.generation,
        "files": {str(kind): count for kind, count in status.files_by_kind.items()},
        "hours": round(status.hours, 4),
        "vectors": {str(space): count for space, count in status.vectors.items()},
        "search": {str(space): _policy_object(policy) for space, policy in status.policies.items()},
        "cues": status.cues,
        "audio_track": str(status.audio_track) if status.audio_track else None,
        "recordings": {
            "read": recordings.read,
            "dates": {str(source): count for source, count in recordings.dates.items()},
            "places": recordings.places,
            "cameras": dict(recordings.cameras),
        },
        "size_bytes": status.size_bytes,
        "quarantines": {name: each.size_bytes for name, each in status.quarantines.items()},
        "missing_shards": dict(status.missing_shards),
        "offline": [
            {
                "files": drive.files,
                "last_seen": str(drive.last_seen),
                "now_at": str(drive.now_at) if drive.now_at else None,
            }
            for drive in report.offline_files
        ],
        "missing": _absent(report, Absence.MISSING),
        "excluded": _absent(report, Absence.EXCLUDED),
        "failures": [{"path": str(failure.location.path), "reason": failure.reason} for failure in report.failures],
        "remarks": [remarked_object(file.path, remark) for file in report.remarked for remark in file.remarks],
        "damaged": [damage_object(file) for file in report.damaged],
        "unreadable": report.unreadable,
    }


def cpu_precision(model_set: str) -> Precision:
    """What the models compute with on this CPU."""
    known = MODEL_SETS.get(model_set)
    return choose_precision("cpu", is_tiny=known is not None and known.is_tiny)


def measured_on(model_set: str) -> str | None:
    """The media on which the constants of a model set were measured; None for none."""
    known = MODEL_SETS.get(model_set)
    return known.matching.measured_on if known else None


def _policy_object(policy: SearchPolicy) -> SearchPolicyObject:
    return {
        "compressed_rows": policy.compressed_rows,
        "memory_rows": policy.memory_rows,
        "disk_rows": policy.disk_rows,
        "milvus_rows": policy.milvus_rows,
        "milvus": policy.milvus,
        "unused": policy.unused,
    }


def _absent(report: LibraryReport, reason: Absence) -> list[str]:
    return [str(path) for path, why in report.absences.items() if why is reason]


def _check(snapshot: Library) -> str | None:
    """Check what every search reads; why that is impossible, if it is."""
    try:
        snapshot.check_in_memory()
    except LibraryError as error:
        return str(error)
    return None
