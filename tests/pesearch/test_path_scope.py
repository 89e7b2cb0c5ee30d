"""Paths as people name them, against the paths of a library."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.locations import can_reach
from pesearch.path_scope import PathScope


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`videos` is a link to `drive/films`, which holds a.mp4, trip/b.mp4 and `more`, a link to `archive` (c.mp4)."""
    folder = tmp_path_factory.mktemp("tree").resolve()
    for name in ("drive/films/a.mp4", "drive/films/trip/b.mp4", "archive/c.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "videos").symlink_to("drive/films")
    (folder / "drive/films/more").symlink_to(folder / "archive")
    return folder


STORED = ("drive/films/a.mp4", "drive/films/trip/b.mp4", "drive/films/more/c.mp4")
"""As `pesearch index videos` stores them: the links of the named folder resolved, those below it not."""


@pytest.mark.parametrize(
    ("named", "covered"),
    [
        ("videos", STORED),
        ("drive/films", STORED),
        ("drive/../videos/trip/..", STORED),
        ("videos/a.mp4", STORED[:1]),
        ("drive/films/trip", STORED[1:2]),
        ("videos/more", STORED[2:]),
        ("drive/films/more", STORED[2:]),
        ("archive", STORED[2:]),
        ("archive/c.mp4", STORED[2:]),
        ("videos/more/../archive/c.mp4", STORED[2:]),  # `..` of a link is the parent of its target
        ("drive/films/trip2", ()),
        ("videos/a.mp4/x", ()),
    ],
)
def test_paths_below_a_named_path(
    tree: Path, monkeypatch: pytest.MonkeyPatch, named: str, covered: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tree)
    monkeypatch.setenv("HOME", str(tree))
    for spelling in (Path(named), tree / named, Path("~") / named):
        scope = PathScope([spelling])
        assert tuple(name for name in STORED if scope.contains(tree / name)) == covered, spelling
        found = scope.find([tree / name for name in STORED])
        assert found == (tree / covered[0] if covered else None)


@pytest.mark.parametrize(
    ("named", "covered"),
    [
        ("videos/more/c.mp4", ["drive/films/more/c.mp4"]),
        ("drive/films/more", ["drive/films/more/c.mp4"]),
        ("drive", ["drive/films/more/c.mp4"]),
        ("archive/c.mp4", ["archive/c.mp4", "drive/films/more/c.mp4"]),
        (".", ["archive/c.mp4", "drive/films/more/c.mp4"]),
    ],
)
def test_a_path_through_a_link_names_the_location_there_alone(tree: Path, named: str, covered: list[str]) -> None:
    stored = [tree / "archive/c.mp4", tree / "drive/films/more/c.mp4"]
    assert PathScope([tree / named]).covered(stored) == tuple(tree / name for name in covered)


def test_the_parent_of_a_link_is_that_of_its_target(tree: Path) -> None:
    """Also where the same name is beside the link, as in the library of whoever indexed both."""
    beside, there = tree / "drive/films/trip/b.mp4", tree / "trip/b.mp4"
    scope = PathScope([tree / "videos/more/../trip/b.mp4"])
    assert scope.find([beside, there]) == there
    assert scope.covered([beside, there]) == (there,)


def test_a_disconnected_drive_is_named_as_it_was_written(tree: Path) -> None:
    scope = PathScope([tree / "gone/films", tree / "videos"])
    assert scope.contains(tree / "gone/films/x.mp4")
    assert scope.problem([tree / "gone/films/x.mp4"]) == ""


def test_a_path_without_anything_now_or_in_the_library_is_a_problem(tree: Path) -> None:
    gone, unreadable = tree / "gone/films", tree / ("name" * 64)
    assert PathScope([tree / "videos", gone]).problem([tree / "drive/films/a.mp4"]) == (
        f"there is nothing at {gone}, neither on this machine nor in the library"
    )
    assert PathScope([unreadable]).problem([]).startswith(f"{unreadable} cannot be read, and nothing of it is in the")


_STEPS = st.sampled_from(("drive", "films", "videos", "trip", "more", "archive", "..", "a.mp4", "b.mp4", "c.mp4"))


@given(st.lists(_STEPS, max_size=6))
def test_a_named_path_covers_what_the_system_finds_there(tree: Path, steps: list[str]) -> None:
    named = tree.joinpath(*steps)
    scope = PathScope([named])
    for name in STORED:
        stored = tree / name
        is_there = can_reach(named) and any(
            named.samefile(above) for above in (stored, *stored.parents, *stored.resolve().parents)
        )
        if can_reach(named):
            assert scope.contains(stored) == is_there
