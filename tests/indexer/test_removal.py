"""Which paths of a library are removed, however they are named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.errors import PesearchError
from pesearch.indexer.removal import plan_removal
from pesearch.locations import Location
from pesearch.store.library import Library, create_library
from pesearch.types import EncodedFile, MediaInfo, MediaKind
from tests.store.contents import SPACES

STORED = {
    "drive/films/a.mp4": "a",
    "drive/films/trip/b.mp4": "b",
    "archive/copy of a.mp4": "a",
    "drive/films/more/c.mp4": "c",  # more is a link to archive
    "archive/deleted.mp4": "d",
}
"""The paths of the library with their contents."""

_STEPS = st.sampled_from(("drive", "films", "videos", "trip", "more", "archive", "..", "a.mp4", "c.mp4", "deleted.mp4"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`videos` is a link to `drive/films`, and `drive/films/more` one to `archive`."""
    folder = tmp_path_factory.mktemp("tree").resolve()
    for name in ("drive/films/a.mp4", "drive/films/trip/b.mp4", "archive/copy of a.mp4", "archive/c.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "videos").symlink_to("drive/films")
    (folder / "drive/films/more").symlink_to(folder / "archive")
    return folder


@pytest.fixture(scope="module")
def known(tree: Path) -> Library:
    """A library of these paths, without vectors."""
    library = create_library(tree / "library", "made-up", SPACES)
    info = MediaInfo(MediaKind.AUDIO, 1.0, None, None)
    with library.writer() as writer:
        writer.add([EncodedFile(Location(tree / name, 1, 1), content, info, ()) for name, content in STORED.items()])
    return library


@given(st.lists(st.lists(_STEPS, min_size=1, max_size=4), min_size=1, max_size=2))
def test_what_the_system_finds_below_the_named_paths_is_removed(
    tree: Path, known: Library, named: list[list[str]]
) -> None:
    paths = [tree.joinpath(*steps) for steps in named]

    def covered(path: Path) -> set[str]:
        real, is_plain = Path(os.path.realpath(path)), ".." not in path.parts
        return {
            name
            for name in STORED
            if Path(os.path.realpath(tree / name)).is_relative_to(real)
            or (is_plain and (tree / name).is_relative_to(path))
        }

    if any(not os.path.lexists(path) and not covered(path) for path in paths):
        with pytest.raises(PesearchError, match="there is nothing at"):
            plan_removal(known, paths)
        return
    expected = set[str]().union(*map(covered, paths))
    removal = plan_removal(known, paths)
    assert {str(path.relative_to(tree)) for path in removal.paths} == expected
    lost = {STORED[name] for name in STORED} - {STORED[name] for name in STORED.keys() - expected}
    assert {known.file(file_id).fingerprint for file_id in removal.file_ids} == lost
    assert {str(path.relative_to(tree)) for path in removal.copies} == {
        name for name in expected if STORED[name] not in lost
    }
