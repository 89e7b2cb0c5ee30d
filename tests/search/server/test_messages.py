"""Wire messages survive encoding and decoding, whatever paths, texts, numbers and errors they contain."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch import errors
from pesearch.capture_time import CaptureTime, DateSource
from pesearch.cues import CueKind, FoundBy, FoundCue
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import PesearchError, QueryError, QuerySyntaxError
from pesearch.locations import Location
from pesearch.place import Place
from pesearch.search.query.file_filter import FileFilter
from pesearch.search.query.media_features import Feature, Orientation
from pesearch.search.query.picture_range import Comparison, RateRange, SizeRange
from pesearch.search.query.property_filter import Area, PropertyFilter
from pesearch.search.query.request import SearchRequest
from pesearch.search.result import SearchResult
from pesearch.search.search import search
from pesearch.search.server.messages import Environment, ErrorMessage, QueryMessage, ReplyMessage, from_bytes, to_bytes
from pesearch.store.library import Library
from pesearch.types import (
    AudioStream,
    Event,
    Hit,
    MediaFile,
    MediaInfo,
    MediaKind,
    MediaProperties,
    Moment,
    NearDuplicate,
    Remark,
    SpaceName,
    VideoStream,
)

NAMES = st.binary(min_size=1, max_size=20).map(lambda name: os.fsdecode(name.replace(b"\0", b"-")))
TEXTS = st.text(max_size=20) | NAMES
PATHS = NAMES.map(Path)
NUMBERS = st.floats(allow_nan=False)
WHOLE = st.integers(0, 2**63 - 1)
DAYS = st.none() | st.datetimes()
LENGTHS = st.none() | st.floats(0, 1e6)
POINTS = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180), st.none() | st.floats(-1e4, 1e5))
CONDITIONS = st.builds(
    PropertyFilter, TEXTS, st.none() | st.builds(Area, POINTS, st.floats(0, 1e5)),
    st.none() | st.builds(SizeRange, st.sampled_from(Comparison), st.integers(0, 9999), st.integers(0, 9999)),
    st.none() | st.builds(RateRange, st.sampled_from(Comparison), st.floats(0.1, 1e3)),
    TEXTS, st.lists(st.sampled_from(Feature)).map(tuple), st.none() | st.sampled_from(Orientation),
)  # fmt: skip
FILTERS = st.one_of(
    st.builds(
        FileFilter,
        st.lists(PATHS, max_size=2).map(tuple),
        DAYS,
        st.none(),
        st.none() | st.sampled_from(MediaKind),
        LENGTHS,
        st.none(),
    ),
    st.builds(
        FileFilter,
        st.just(()),
        st.none(),
        DAYS,
        st.none(),
        st.none(),
        LENGTHS,
        st.booleans(),
        st.booleans(),
        CONDITIONS,
    ),
)
REQUESTS = st.builds(
    SearchRequest,
    text=st.text(max_size=20).filter(str.strip),
    audio=st.none() | PATHS,
    video=st.none() | PATHS,
    image=st.none() | PATHS,
    speech=st.booleans(),
    k=st.integers(1, 10_000),
    per_file=st.none() | st.integers(1, 9),
    dedupe=st.booleans(),
    locate=st.booleans(),
    files=FILTERS,
    folder=PATHS,
)
INFOS = st.builds(
    MediaInfo,
    st.sampled_from(MediaKind),
    NUMBERS,
    st.none() | st.builds(VideoStream, TEXTS, WHOLE, WHOLE, NUMBERS),
    st.none() | st.builds(AudioStream, TEXTS, WHOLE, WHOLE),
)
PLACES = st.builds(Location, PATHS, WHOLE, st.integers(-(2**63), 2**63 - 1), TEXTS, WHOLE)
ZONES = st.none() | st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DATES = st.datetimes(datetime(1826, 1, 3), datetime(2999, 12, 28), timezones=ZONES)
TIMES = st.builds(CaptureTime, DATES, st.sampled_from(DateSource), st.booleans())
PROPERTIES = st.builds(MediaProperties, st.lists(TIMES, max_size=2).map(tuple), st.none() | POINTS, TEXTS, WHOLE, WHOLE)
REMARKS = st.builds(Remark, TEXTS, st.none() | NUMBERS, st.none() | PATHS)
FILES = st.builds(
    MediaFile,
    WHOLE,
    TEXTS,
    INFOS,
    st.lists(PLACES, min_size=1, max_size=2).map(tuple),
    st.lists(REMARKS, max_size=2).map(tuple),
    st.none() | PROPERTIES,
    st.booleans(),
)
HITS = st.builds(Hit, WHOLE, st.sampled_from(SpaceName), NUMBERS, NUMBERS, NUMBERS, WHOLE)
EVENTS = st.builds(Event, TEXTS, NUMBERS, NUMBERS, NUMBERS)
CUES = st.builds(FoundCue, NUMBERS, NUMBERS, TEXTS, st.sampled_from(CueKind), TEXTS, TEXTS, st.sampled_from(FoundBy))


def up_to_two(of: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, max_size=2).map(tuple)


MOMENTS = st.builds(
    Moment, WHOLE, FILES, NUMBERS, NUMBERS, NUMBERS, up_to_two(HITS), up_to_two(EVENTS), up_to_two(CUES)
)
RESULTS = st.builds(SearchResult, TEXTS, TEXTS, PATHS, up_to_two(MOMENTS), TEXTS)


@given(REQUESTS, TEXTS)
def test_queries_round_trip(request: SearchRequest, device: str) -> None:
    query = QueryMessage(request, device, Environment("/home/a", "UTC"))
    assert from_bytes(QueryMessage, to_bytes(query)) == query


@given(RESULTS, st.none() | TEXTS)
def test_results_round_trip(result: SearchResult, notice: str | None) -> None:
    reply = from_bytes(ReplyMessage, to_bytes(ReplyMessage(result, notice=notice)))
    assert reply == ReplyMessage(result, notice=notice)
    assert isinstance(reply.result, SearchResult)
    for decoded, original in zip(reply.result.moments, result.moments, strict=True):
        assert decoded.file.locations[0].volume == original.file.locations[0].volume  # not part of equality
        assert decoded.file.locations[0].inode == original.file.locations[0].inode
        assert os.fsencode(decoded.file.path) == os.fsencode(original.file.path)


def test_infinity_and_nan_round_trip() -> None:
    result = from_bytes(SearchResult, to_bytes(SearchResult("q", "starter", Path("/l"), (), "calibrated")))
    assert result == SearchResult("q", "starter", Path("/l"), (), "calibrated")
    hit = Hit(1, SpaceName.AUDIO, 0.0, float("inf"), float("nan"), 1)
    assert repr(from_bytes(Hit, to_bytes(hit))) == repr(hit)


def test_a_real_result_round_trips(sample_library: Library, starter: ModelSet) -> None:
    result = search(sample_library, starter, SearchRequest("siren and train"))
    assert result.moments[0].events
    first = result.moments[0]
    near = NearDuplicate(first.file, first.start_seconds, first.end_seconds, 0.5)
    result = replace(result, moments=(replace(first, near_duplicates=(near,)), *result.moments[1:]))
    assert from_bytes(SearchResult, to_bytes(result)) == result


def every_error(kind: type[PesearchError] = PesearchError) -> Iterator[type[PesearchError]]:
    """The errors of pesearch.errors; private errors of other modules do not reach a client."""
    if kind.__module__ == errors.__name__:
        yield kind
    for narrower in kind.__subclasses__():
        yield from every_error(narrower)


@pytest.mark.parametrize("kind", list(every_error()), ids=lambda kind: kind.__name__)
def test_errors_round_trip(kind: type[PesearchError]) -> None:
    assert getattr(errors, kind.__name__) is kind
    error = kind("siren AND", 9, "a word") if kind is QuerySyntaxError else kind("no \udcff: é")
    decoded = from_bytes(ErrorMessage, to_bytes(ErrorMessage.of(error))).to_error()
    assert type(decoded) is kind
    assert str(decoded) == str(error)
    if isinstance(error, QuerySyntaxError) and isinstance(decoded, QuerySyntaxError):
        assert decoded.caret_lines() == error.caret_lines()


@pytest.mark.parametrize("name", ["SystemExit", "unicodedata", "annotations", "", "_shown"])
def test_other_classes_are_not_errors(name: str) -> None:
    with pytest.raises(ValueError, match="is not an error"):
        ErrorMessage(name, ("1",)).to_error()


def test_arguments_that_do_not_fit_an_error() -> None:
    with pytest.raises(ValueError, match="QuerySyntaxError"):
        ErrorMessage("QuerySyntaxError", ("one",)).to_error()


@given(st.binary(max_size=200))
def test_random_bytes_are_rejected(data: bytes) -> None:
    with pytest.raises(ValueError):
        from_bytes(QueryMessage, data)


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"request": 1}', b"null", b'{"request": {"text": 1}}', b"1" * 9999])
def test_other_json_is_rejected(data: bytes) -> None:
    with pytest.raises(ValueError):
        from_bytes(QueryMessage, data)


def test_an_invalid_request_raises_the_query_error() -> None:
    data = to_bytes(QueryMessage(SearchRequest("x", k=7), "auto", Environment("", ""))).replace(b'"k": 7', b'"k": 0')
    with pytest.raises(QueryError, match="at least 1"):
        from_bytes(QueryMessage, data)


def test_dates_round_trip() -> None:
    request = SearchRequest(
        "x", files=FileFilter(after=datetime(2024, 2, 29, 12, 30, tzinfo=UTC), before=datetime(2024, 3, 1))
    )
    assert from_bytes(SearchRequest, to_bytes(request)).files == request.files
