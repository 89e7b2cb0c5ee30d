"""`--dedupe` with the starter set: a clip in several encodings among others."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import Failed
from pesearch.indexer.run import index
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.library import Library, open_library
from pesearch.types import Moment

pytestmark = pytest.mark.slow

ENCODINGS = {
    "dog_bark_proxy.mp4": ("-vf", "scale=128:96", "-c:v", "libx264", "-b:v", "60k", "-c:a", "aac", "-b:a", "48k"),
    "dog_bark_web.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
}


@pytest.fixture(scope="module")
def library(
    sample_library: Library, sample_media: Path, starter: ModelSet, tmp_path_factory: pytest.TempPathFactory
) -> Library:
    """The sample media, and dog_bark.mp4 in two more encodings."""
    folder = tmp_path_factory.mktemp("encodings")
    shutil.copytree(sample_library.folder, folder / "library")
    opened, copies = open_library(folder / "library"), folder / "copies"
    copies.mkdir()
    for name, options in ENCODINGS.items():
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", sample_media / "dog_bark.mp4", *options, copies / name], check=True
        )
    assert not [outcome for outcome in index([copies], opened, starter) if isinstance(outcome, Failed)]
    return opened


def found(library: Library, models: ModelSet, text: str, k: int, dedupe: bool) -> tuple[Moment, ...]:
    return search(library, models, SearchRequest(text, k=k, dedupe=dedupe, locate=False)).moments


def test_encodings_of_a_clip_are_one_moment(library: Library, starter: ModelSet) -> None:
    names = {"dog_bark.mp4", *ENCODINGS}
    best = found(library, starter, "a dog barking", 3, False)
    assert {moment.file.path.name for moment in best} == names
    (once,) = found(library, starter, "a dog barking", 1, True)
    assert (once.file, once.score) == (best[0].file, best[0].score)
    assert [each.path.name for each in once.near_duplicates] == [moment.file.path.name for moment in best[1:]]


@pytest.mark.parametrize("text", ["a dog barking", "siren and train", "heard:bell OR heard:rain"])
def test_every_confident_moment_is_shown_or_folded(library: Library, starter: ModelSet, text: str) -> None:
    confident = {
        (each.file.path, each.start_seconds) for each in found(library, starter, text, 50, False) if each.score >= 0.5
    }
    distinct = found(library, starter, text, 50, True)
    folded = {(each.path, each.start_seconds) for moment in distinct for each in moment.near_duplicates}
    assert confident
    assert confident <= {(each.file.path, each.start_seconds) for each in distinct} | folded
    assert {path.name for path, _ in folded} <= {"dog_bark.mp4", *ENCODINGS}
    assert distinct[:2] == found(library, starter, text, 2, True)
