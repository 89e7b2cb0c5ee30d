"""Whether stills, sounds and silent videos are found beside videos with sound.

    python -m benchmarks.mixed [--folder DIR] [--seed 71]

A library of 60 videos with sound, 20 without, 20 stills and 20 sounds of the generated world, of seeds outside the
training data. Each file that is no video with sound is searched by its own caption, and by itself as an example: how
often it is in an answer of 10 moments, and how often among the first 10 of 400.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.figures import Finding, Row, report, this_machine
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.indexer.run import index
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.library import Library, create_library, open_library
from training.truths import Truth
from training.world import write_world

SOUND_VIDEOS = 60
OTHERS = 20
MIN_RATIO = 0.95


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its suffix, the options of FFmpeg that make it from a clip, and the requests that look for it."""

    name: str
    suffix: str
    options: tuple[str, ...]
    by_caption: Callable[[Truth], SearchRequest]
    by_itself: Callable[[Path], SearchRequest]


KINDS = (
    Kind(
        "silent video",
        ".mp4",
        ("-an", "-c:v", "copy"),
        lambda truth: SearchRequest(truth.video_caption),
        lambda path: SearchRequest(video=path),
    ),
    Kind(
        "still",
        ".png",
        ("-ss", "2", "-frames:v", "1"),
        lambda truth: SearchRequest(truth.video_caption),
        lambda path: SearchRequest(image=path),
    ),
    Kind(
        "sound",
        ".wav",
        ("-vn",),
        lambda truth: SearchRequest(truth.audio_caption),
        lambda path: SearchRequest(audio=path),
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """How many of the files of a kind are found, by one way of asking."""

    part: str
    kind: str
    way: str
    files: int
    within_10: int
    first_10_of_400: int

    def rows(self) -> Iterator[Row]:
        what = f"{self.kind} by {self.way} ({self.files}): in 10 (among the first 10 of 400: {self.first_10_of_400})"
        yield Row(what, str(self.within_10), f">= {MIN_RATIO * self.first_10_of_400:.1f}")


def main() -> None:
    """Make the files, index them, search, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep files and library here for another run")
    parser.add_argument("--seed", type=int, default=71, help="seed of the clips, none in training (default 71)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        report(measure(options.folder or Path(temporary), options.seed))


def measure(folder: Path, seed: int) -> Iterator[Finding]:
    """The findings of all kinds."""
    yield this_machine("cpu", "starter")
    models = open_model_set("starter", "cpu")
    library, truths = mixed_library(folder, seed, models)
    for number, kind in enumerate(KINDS):
        files = {name: truths[name] for name in list(truths)[number * OTHERS : (number + 1) * OTHERS]}
        requests = [
            ("caption", {name: kind.by_caption(truth) for name, truth in files.items()}),
            ("itself", {name: kind.by_itself(folder / "media" / f"{name}{kind.suffix}") for name in files}),
        ]
        for way, of_files in requests:
            found = {
                k: sum(_is_found(library, models, of_files[name], name, kind, k) for name in files) for k in (10, 400)
            }
            yield Found("mixed", kind.name, way, len(files), found[10], found[400])


def mixed_library(folder: Path, seed: int, models: ModelSet) -> tuple[Library, dict[str, Truth]]:
    """The library, and the truths of the files that are no videos with sound, by stem, kind after kind."""
    clips, media = folder / "clips", folder / "media"
    truths = write_world(clips, seed, SOUND_VIDEOS + len(KINDS) * OTHERS)
    others = truths[SOUND_VIDEOS:]
    if not media.exists():
        media.mkdir(parents=True)
        for truth in truths[:SOUND_VIDEOS]:
            (media / Path(truth.path).name).write_bytes((clips / truth.path).read_bytes())
        for place, truth in enumerate(others):
            kind = KINDS[place // OTHERS]
            target = (media / Path(truth.path).name).with_suffix(kind.suffix)
            command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(clips / truth.path), *kind.options, str(target)]
            subprocess.run(command, check=True)
    home = folder / "library"
    library = open_library(home) if home.exists() else create_library(home, models.name, models.spaces)
    for _ in index([media], library, models):
        pass
    return library, {Path(truth.path).stem: truth for truth in others}


def _is_found(library: Library, models: ModelSet, request: SearchRequest, name: str, kind: Kind, k: int) -> bool:
    """Whether a file is among the first ten moments of k."""
    moments = search(library, models, replace(request, k=k, locate=False)).moments[:10]
    return any(moment.file.path.name == f"{name}{kind.suffix}" for moment in moments)


if __name__ == "__main__":
    main()
