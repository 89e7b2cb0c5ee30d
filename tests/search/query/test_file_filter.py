"""Filters of files, and durations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.errors import QueryError
from pesearch.locations import Location
from pesearch.search.query.file_filter import FileFilter, duration_seconds, parse_time
from pesearch.types import MediaFile, MediaInfo, MediaKind


def media_file(
    *paths: str, day: date = date(2026, 5, 17), kind: MediaKind = MediaKind.AUDIO, seconds: float = 1.0
) -> MediaFile:
    noon_ns = int(datetime(day.year, day.month, day.day, 12).timestamp() * 1e9)
    places = tuple(Location(Path(path), 1, noon_ns) for path in paths)
    return MediaFile(1, "f", MediaInfo(kind, seconds, None, None), places)


def test_a_folder_keeps_files_with_any_location_in_it() -> None:
    wanted = FileFilter(under=(Path("/media/trips"),))
    assert wanted.keeps(media_file("/media/trips/rome/a.mp4"))
    assert wanted.keeps(media_file("/elsewhere/a.mp4", "/media/trips/a.mp4"))
    assert not wanted.keeps(media_file("/media/trips2/a.mp4"))
    assert FileFilter(under=(Path("/media/a.mp4"),)).keeps(media_file("/media/a.mp4"))


def test_a_folder_may_be_relative_or_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    inside = media_file(str(real / "a.mp4"))
    assert FileFilter(under=(tmp_path / "link",)).keeps(inside)
    monkeypatch.chdir(tmp_path)
    assert FileFilter(under=(Path("real"),)).keeps(inside)
    assert not FileFilter(under=(Path("other"),)).keeps(inside)


def test_impossible_folders(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="is not a valid path"):
        FileFilter(under=(Path("\0"),))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert not FileFilter(under=(loop,)).keeps(media_file("/media/a.mp4"))


def test_after_is_inclusive_and_before_exclusive() -> None:
    file = media_file("/a.mp4", day=date(2026, 5, 17))
    assert FileFilter(after=datetime(2026, 5, 17)).keeps(file)
    assert not FileFilter(after=datetime(2026, 5, 18)).keeps(file)
    assert FileFilter(before=datetime(2026, 5, 18)).keeps(file)
    assert not FileFilter(before=datetime(2026, 5, 17)).keeps(file)


def test_times_of_day_are_compared() -> None:
    noon = media_file("/a.mp4", day=date(2026, 5, 17))
    for time, is_later in (("11:59:59", True), ("12:00:00", True), ("12:00:01", False)):
        limit = parse_time(f"2026-05-17T{time}")
        assert FileFilter(after=limit).keeps(noon) == is_later
        assert FileFilter(before=limit).keeps(noon) != is_later
        in_utc = limit.astimezone(UTC)
        assert FileFilter(after=in_utc).keeps(noon) == is_later
        assert FileFilter(before=in_utc).keeps(noon) != is_later


def test_folder_and_date_must_hold_for_the_same_location() -> None:
    old = Location(Path("/media/trips/a.mp4"), 1, 0)
    new = Location(Path("/other/a.mp4"), 1, int(datetime(2026, 5, 17, 12).timestamp() * 1e9))
    file = MediaFile(1, "f", MediaInfo(MediaKind.AUDIO, 1.0, None, None), (old, new))
    assert not FileFilter(under=(Path("/media/trips"),), after=datetime(2026, 1, 1)).keeps(file)


def test_a_kept_file_is_at_the_location_that_met_the_filter(tmp_path: Path) -> None:
    first, second = tmp_path / "a/orig.mp4", tmp_path / "b/copy.mp4"
    for path in (first, second):
        path.parent.mkdir()
        path.touch()
    copies = media_file(str(first), str(second))
    assert copies.path == first
    in_second = FileFilter(under=(tmp_path / "b",)).at_kept_locations(copies)
    assert in_second.path == second
    assert [location.path for location in in_second.locations] == [second]
    assert FileFilter().at_kept_locations(copies) is copies


@st.composite
def copies_and_filters(draw: st.DrawFn) -> tuple[list[tuple[str, int]], FileFilter]:
    """Names of copies below a folder, with the days since 2026 at which they were changed, and a filter of them."""
    names = st.sampled_from(["a/x.mp4", "a/b/x.mp4", "a/b/y.mp4", "ab/x.mp4", "b/x.mp4", "gone/x.mp4", "x.mp4"])
    copies = draw(st.lists(st.tuples(names, st.integers(0, 4)), min_size=1, max_size=5, unique_by=lambda each: each[0]))
    under = draw(st.lists(st.sampled_from(["a", "a/b", "ab", "b", "gone", "a/b/x.mp4"]), max_size=2))
    first = draw(st.none() | st.integers(0, 4))
    last = draw(st.none() | st.integers(1 if first is None else first + 1, 6))
    after, before = (None if day is None else datetime(2026, 1, 1 + day) for day in (first, last))
    return copies, FileFilter(tuple(map(Path, under)), after, before, online=draw(st.booleans()), by_file_time=True)


@given(copies_and_filters())
def test_what_is_shown_of_a_kept_file_meets_the_filter(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[list[tuple[str, int]], FileFilter]
) -> None:
    """All of its shown locations do, and no other one does."""
    copies, wanted = made
    root = tmp_path_factory.getbasetemp().resolve() / "copies"
    for name in ("a/x.mp4", "a/b/x.mp4", "a/b/y.mp4", "ab/x.mp4", "b/x.mp4", "x.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    locations = [
        Location(root / name, 1, int(datetime(2026, 1, 1 + day, 12).timestamp() * 1e9)) for name, day in copies
    ]
    met = [
        location.path
        for location, (name, day) in zip(locations, copies, strict=True)
        if (not wanted.under or any(f"{name}/".startswith(f"{folder}/") for folder in wanted.under))
        and (wanted.after is None or wanted.after.day <= 1 + day)
        and (wanted.before is None or 1 + day < wanted.before.day)
        and (not wanted.online or not name.startswith("gone"))
    ]
    below = replace(wanted, under=tuple(root / folder for folder in wanted.under))
    file = MediaFile(1, "f", MediaInfo(MediaKind.AUDIO, 1.0, None, None), tuple(locations))
    assert below.keeps(file) == bool(met)
    if met:
        shown = below.at_kept_locations(file)
        assert [location.path for location in shown.locations] == met and shown.path in met


def test_kind_and_length() -> None:
    film = media_file("/film.mp4", kind=MediaKind.VIDEO, seconds=90.0)
    assert FileFilter(kind=MediaKind.VIDEO).keeps(film)
    assert not FileFilter(kind=MediaKind.AUDIO).keeps(film)
    assert FileFilter(min_duration_seconds=90.0, max_duration_seconds=90.0).keeps(film)
    assert not FileFilter(min_duration_seconds=90.1).keeps(film)
    assert not FileFilter(max_duration_seconds=89.9).keeps(film)


def test_online_keeps_files_that_exist(tmp_path: Path) -> None:
    here = tmp_path / "here.mp4"
    here.touch()
    assert FileFilter(online=True).keeps(media_file("/offline/here.mp4", str(here)))
    assert not FileFilter(online=True).keeps(media_file("/offline/here.mp4"))
    assert not FileFilter(online=True, under=(Path("/offline"),)).keeps(media_file("/offline/here.mp4", str(here)))


def test_without_conditions_all_files_are_kept() -> None:
    assert FileFilter().keeps_all
    assert FileFilter().keeps(media_file("/offline/a.mp4"))
    assert not FileFilter(online=True).keeps_all
    assert not FileFilter(min_duration_seconds=0.0).keeps_all


@pytest.mark.parametrize(
    "given",
    [
        {"after": datetime(2026, 3, 1), "before": datetime(2026, 3, 1)},
        {"min_duration_seconds": 2.0, "max_duration_seconds": 1.0},
    ],
)
def test_contradictory_conditions(given: dict[str, object]) -> None:
    with pytest.raises(QueryError, match=r"no time is|the shortest duration"):
        FileFilter(**given)  # type: ignore[arg-type]  # each value is valid, only the pair is not


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("1.5s", 1.5),
        ("5m", 300),
        ("1h30m", 5400),
        ("2H", 7200),
        ("2:30", 150),
        (" 1:02:03 ", 3723),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_seconds(text) == seconds


def test_dates() -> None:
    assert parse_time(" 2020-02-29 ") == datetime(2020, 2, 29)
    assert parse_time("2020-02-29T12:30") == parse_time("2020-02-29 12:30:00") == datetime(2020, 2, 29, 12, 30)
    assert parse_time("2020-02-29T12:30Z") == datetime(2020, 2, 29, 12, 30, tzinfo=UTC)
    for text in ("", "2020", "01.02.2020", "2021-02-29", "tomorrow"):
        with pytest.raises(QueryError, match="is not a date: write it like 2026-01-31"):
            parse_time(text)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_durations_with_units_and_as_a_clock_agree(hours: int, minutes: int, seconds: int) -> None:
    expected = hours * 3600 + minutes * 60 + seconds
    assert duration_seconds(f"{hours}h{minutes}m{seconds}s") == expected
    assert duration_seconds(f"{hours}:{minutes:02}:{seconds:02}") == expected


@pytest.mark.parametrize("text", ["", " ", "long", "5 apples", "-5s", "1:75", "1m1h", "inf"])
def test_invalid_durations(text: str) -> None:
    with pytest.raises(QueryError, match="is not a duration"):
        duration_seconds(text)
