"""`pesearch.open` and `Library`: a library of media files and the models that made it, for Python programs.

with pesearch.open("~/library") as library:
    library.index("~/videos").finish()
    for moment in library.search("siren and train", k=5):
        print(moment.path, moment.start_seconds, moment.end_seconds, moment.score)
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from pesearch.api.file_conditions import (
    Coordinates,
    FeatureName,
    KindName,
    OrientationName,
    Paths,
    StrPath,
    file_filter,
    optional_path,
    path_of,
    paths_of,
)
from pesearch.api.moments import Moments, found_moments
from pesearch.damage import SOUND_FEATURES
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import LibraryEmpty, LibraryError, LibraryNotFound, MediaError, PesearchError
from pesearch.formatting import damage_lines
from pesearch.path_scope import PathScope
from pesearch.search.events.locate import locate_events
from pesearch.search.opening import open_for_search, require_media, stored_sound
from pesearch.search.query.media_features import Feature, Orientation
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import on_snapshot, search
from pesearch.settings import default_library
from pesearch.store import library as store
from pesearch.store.status import LibraryStatus
from pesearch.types import Event, MediaKind

if TYPE_CHECKING:
    from pesearch.api.index_run import IndexRun

_log = logging.getLogger("pesearch")


def open(folder: StrPath | None = None, model: str | None = None, device: str = "auto") -> Library:
    """Open the library in `folder`. Nothing is written, and models are loaded when they are first needed.

    folder: By default that of the command line: $PESEARCH_LIBRARY, else one in the user's data folder. It need not
        exist yet: `Library.index` creates it.
    model: The model set of a new library (`pesearch models` lists them), by default `small` with a CUDA GPU, else
        `light`. An existing library has its own.
    device: auto, cpu, cuda, or cuda:1; cuda:0,1 indexes on several.

    Raises:
        ModelMissing: the models are not on this machine; `pesearch models pull` fetches them.
        ModelMismatch: the library was made with other models than `model`.
        LibraryError, ModelError: either cannot be opened.
    """
    return Library(default_library() if folder is None else folder, model, device)


class Library:
    """A library and its models, made by `pesearch.open`. Safe to share among threads.

    Every method sees what was committed last, by whatever process, and raises LibraryError after `close`.
    """

    def __init__(self, folder: StrPath, model: str | None = None, device: str = "auto") -> None:
        """The arguments and errors of `pesearch.open`."""
        self.folder: Path = path_of(folder, "folder").absolute()
        self._model = model
        self._device = device
        self._lock = RLock()
        self._opened: tuple[store.Library, ModelSet] | None = None
        self._runs: WeakSet[IndexRun] = WeakSet()
        self._is_closed = False
        try:
            self._open()
        except LibraryNotFound:
            if model is not None:
                open_model_set(model, device)  # so that its absence is reported now

    def index(self, *paths: StrPath, exclude: str | Sequence[str] = (), retry_failed: bool = False) -> IndexRun:
        """Index media files and folders, or bring the library up to date with them; the library is created if need be.

        Returns a run that indexes while it is iterated over, or finished with `IndexRun.finish`. Unchanged files are
        skipped, moved and copied ones recognised by their content.

        exclude: Skip matching files (one pattern or more, in gitignore syntax).
        retry_failed: Also retry files that failed before and have not changed.

        Raises MediaError for a path where nothing is, LibraryError, ModelError; `IndexRun` names the errors of a run.
        """
        from pesearch.api.index_run import IndexRun
        from pesearch.indexer.run import index

        roots = paths_of(paths, "a path to index")
        if not roots:
            raise PesearchError("nothing to index: name files or folders")
        with self._lock:
            library, models = self._open_or_create(roots)
            patterns = (exclude,) if isinstance(exclude, str) else tuple(exclude)
            outcomes = index(roots, library, models, excludes=patterns, retry_failed=retry_failed)
            run = IndexRun(self.folder, outcomes)
            self._runs.add(run)
        return run

    def search(
        self,
        text: str = "",
        *,
        audio: StrPath | None = None,
        image: StrPath | None = None,
        video: StrPath | None = None,
        speech: bool = False,
        k: int = 10,
        per_file: int | None = None,
        dedupe: bool = False,
        all: bool = False,
        events: bool = True,
        folder: Paths | None = None,
        after: str | date | None = None,
        before: str | date | None = None,
        file_date: bool = False,
        kind: KindName | MediaKind | None = None,
        longer: str | float | None = None,
        shorter: str | float | None = None,
        camera: str = "",
        near: str | Coordinates | None = None,
        size: str | None = None,
        fps: str | float | None = None,
        codec: str = "",
        orientation: OrientationName | Orientation | None = None,
        has: FeatureName | Feature | Sequence[FeatureName | Feature] = (),
        online: bool = False,
    ) -> Moments:
        """Find moments by words, a sound, an image, a clip, or several of these. The options of `pesearch query`.

        text: Plain words, or a query in the query language (docs/query.md).
        audio, image, video: Example files: similar sounds and their sources, pictures like it, moments like the clip.
        speech: Search `text` as spoken words.
        k, per_file: At most so many moments, and so many of each file.
        dedupe: Of near-equal moments, such as copies of a recording, return only the best, which has the others as
            `Moment.near_duplicates`.
        all: Also return moments that score below 0.5 (`Moment.is_match` is False).
        events: Locate the named sounds; without it a search is faster.

        Only files that meet these conditions are searched:
        folder: In this folder, or this file; of several, in any of them.
        after, before: Recorded at or after, and before, a date or time: 2026-01-31, 2026-01-31T12:30, or from
            `datetime`. With `file_date` the modification time of the file counts.
        kind: video, audio or image.
        longer, shorter: At least, and at most, so many seconds, or 5m, 1h30m, 2:30.
        camera: With this in make and model.
        near: Recorded near (latitude, longitude) within 1 km, or (latitude, longitude, km).
        size, fps, codec, orientation: Pictures of 1920x1080, 1080p, 4k, >=720p; of 25 or >=50 frames a second; a codec
            such as h264 or aac; portrait, landscape or square.
        has: audio, video, subtitles or place; of several, all of them.
        online: It can be opened now.

        Raises:
            QuerySyntaxError: `text` is not a valid query.
            QueryError: nothing is asked, an example cannot be read, or a condition makes no sense.
            LibraryNotFound, LibraryEmpty: nothing has been indexed.
            LibraryError, ModelError: either cannot be read.
        """
        files = file_filter(
            folder=folder, after=after, before=before, file_date=file_date, kind=kind, longer=longer, shorter=shorter,
            camera=camera, near=near, size=size, fps=fps, codec=codec, orientation=orientation, has=has, online=online,
        )  # fmt: skip
        request = SearchRequest(
            text, audio=optional_path(audio, "audio"), image=optional_path(image, "image"),
            video=optional_path(video, "video"), speech=speech, k=k, per_file=per_file, dedupe=dedupe,
            locate=events, files=files,
        )  # fmt: skip
        library, models = self._open()
        found = found_moments(search(library, models, request), all)
        if not found and not library.files():
            raise LibraryEmpty(f"the library {self.folder} has no files: index some first")
        return found

    def events(self, file: StrPath, sounds: str | Sequence[str], threshold: float | None = None) -> tuple[Event, ...]:
        """Locate named sounds in a file, by time: onset, offset and probability.

        file: Video or audio. A file of the library is much faster, because its audio features are stored.
        sounds: One phrase or more, such as "a dog barking".
        threshold: Minimum probability, between 0 and 1; by default calibrated for the model set.

        Raises:
            MediaError: there is no such file, or it has no sound, or cannot be read.
            QueryError: no sound is named, or the threshold is not between 0 and 1.
            LibraryNotFound: nothing has been indexed yet, so that no models are chosen.
            LibraryError, ModelError, FFmpegMissing.
        """
        path, phrases = path_of(file, "file"), [sounds] if isinstance(sounds, str) else list(sounds)
        library, models = self._open()
        require_media(path)

        def locate(pinned: store.Library) -> tuple[Event, ...]:
            return locate_events(path, phrases, models, threshold, stored_sound(path, pinned))

        found = on_snapshot(library, locate)
        for line in damage_lines([each for each in library.damage() if each.data == SOUND_FEATURES]):
            _log.warning("%s", line)
        return found

    def status(self) -> LibraryStatus:
        """Counts of files, vectors and failures, and the size on disk. Raises LibraryError."""
        return self._open()[0].status()

    def close(self) -> None:
        """End its indexing runs and let go of the models. Searches of other threads finish; moments stay usable."""
        with self._lock:
            self._is_closed, self._opened = True, None
            runs = list(self._runs)
        for run in runs:
            run.close()

    def _open(self) -> tuple[store.Library, ModelSet]:
        with self._lock:
            if self._is_closed:
                raise LibraryError(f"this library was closed: open {self.folder} again")
            if self._opened is None:
                self._opened = open_for_search(self.folder, self._device, self._model)
                _log_notice(self._opened[1])
            return self._opened

    def _open_or_create(self, roots: Sequence[Path]) -> tuple[store.Library, ModelSet]:
        """Raises MediaError, before a library is created, for a path where nothing is."""
        from pesearch.indexer.opening import open_for_indexing

        with suppress(LibraryNotFound):
            self._open()
        problem = PathScope(roots).problem(self._opened[0].known() if self._opened else ())
        if problem:
            raise MediaError(problem)
        if self._opened is None:
            self._opened = open_for_indexing(self.folder, self._model, self._device)
            _log_notice(self._opened[1])
        return self._opened

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Library({str(self.folder)!r})"


def _log_notice(models: ModelSet) -> None:
    if models.notice:
        _log.warning("%s", models.notice)
