"""pesearch: search inside your own video and audio by what is seen, heard and said.

    import pesearch

    with pesearch.open("~/library") as library:
        library.index("~/videos").finish()
        for moment in library.search("siren and train", k=5):
            print(moment.path, moment.start_seconds, moment.end_seconds, moment.score)

The names in `__all__` are the public interface (docs/python.md), and load when they are first used. Everything else may
change in any version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "ClusterError",
    "DeviceError",
    "Event",
    "Excluded",
    "ExportError",
    "FFmpegMissing",
    "Failed",
    "FailedBefore",
    "FoundCue",
    "Hit",
    "IndexRun",
    "IndexSummary",
    "Indexed",
    "Library",
    "LibraryBusy",
    "LibraryDamaged",
    "LibraryEmpty",
    "LibraryError",
    "LibraryNotFound",
    "LibraryStatus",
    "LibraryTooNew",
    "LibraryUnavailable",
    "MediaError",
    "MediaFile",
    "MediaInfo",
    "MediaKind",
    "Missing",
    "ModelDamaged",
    "ModelError",
    "ModelMismatch",
    "ModelMissing",
    "Moment",
    "Moments",
    "NearDuplicate",
    "NoSpaceLeft",
    "OutOfMemory",
    "Outcome",
    "PackageMismatch",
    "PesearchError",
    "Plan",
    "Progress",
    "QueryError",
    "QuerySyntaxError",
    "Relocated",
    "Remark",
    "Remarked",
    "Replaced",
    "SnapshotExpired",
    "SpaceName",
    "Unchanged",
    "UnknownModel",
    "VectorServerError",
    "__version__",
    "open",
]

if TYPE_CHECKING:
    from pesearch.api.index_run import IndexRun
    from pesearch.api.library import Library, open
    from pesearch.api.moments import Moment, Moments
    from pesearch.cues import FoundCue
    from pesearch.errors import (
        ClusterError,
        DeviceError,
        ExportError,
        FFmpegMissing,
        LibraryBusy,
        LibraryDamaged,
        LibraryEmpty,
        LibraryError,
        LibraryNotFound,
        LibraryTooNew,
        LibraryUnavailable,
        MediaError,
        ModelDamaged,
        ModelError,
        ModelMismatch,
        ModelMissing,
        NoSpaceLeft,
        OutOfMemory,
        PackageMismatch,
        PesearchError,
        QueryError,
        QuerySyntaxError,
        SnapshotExpired,
        UnknownModel,
        VectorServerError,
    )
    from pesearch.indexer.progress_events import (
        Excluded,
        Failed,
        FailedBefore,
        Indexed,
        Missing,
        Outcome,
        Plan,
        Progress,
        Relocated,
        Remarked,
        Replaced,
        Unchanged,
    )
    from pesearch.indexer.summary import IndexSummary
    from pesearch.store.status import LibraryStatus
    from pesearch.types import Event, Hit, MediaFile, MediaInfo, MediaKind, NearDuplicate, Remark, SpaceName
else:
    _HOMES = (
        "pesearch.errors",
        "pesearch.api.moments",
        "pesearch.types",
        "pesearch.api.library",
        "pesearch.store.status",
        "pesearch.api.index_run",
        "pesearch.indexer.summary",
        "pesearch.indexer.progress_events",
    )
    """The modules of the public names. The first that has a name is its home."""

    def __getattr__(name: str) -> object:
        """Load a public name when it is first used: `import pesearch` itself imports nothing else."""
        if name in __all__:
            from importlib import import_module

            from pesearch.gc_pause import pause_collection

            with pause_collection():
                for home in map(import_module, _HOMES):
                    if hasattr(home, name):
                        globals()[name] = getattr(home, name)
                        return globals()[name]
        raise AttributeError(f"module 'pesearch' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
