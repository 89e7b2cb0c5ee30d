"""Places and their notation by ISO 6709."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.place import Place, format_iso6709, parse_iso6709

PLACES = st.builds(
    Place, st.floats(-90, 90), st.floats(-180, 180), st.none() | st.floats(-11_000, 400_000, allow_subnormal=False)
)


@given(PLACES)
def test_a_place_is_read_back_as_it_was_written(place: Place) -> None:
    read = parse_iso6709(format_iso6709(place))
    assert read is not None
    assert (read.latitude, read.longitude) == pytest.approx((place.latitude, place.longitude), abs=5.1e-7)
    assert (read.altitude_meters is None) == (place.altitude_meters is None)
    assert (read.altitude_meters or 0) == pytest.approx(place.altitude_meters or 0, abs=5.1e-4)
    assert parse_iso6709(format_iso6709(read)) == read


@given(st.text(alphabet="+-0123456789./CRSWG ", max_size=40))
def test_any_text_is_a_place_on_earth_or_none(text: str) -> None:
    found = parse_iso6709(text)
    assert found is None or (abs(found.latitude) <= 90 and abs(found.longitude) <= 180)


@pytest.mark.parametrize(
    ("text", "latitude", "longitude", "altitude"),
    [
        ("+48.8584+002.2945+035.000/", 48.8584, 2.2945, 35.0),  # Apple
        ("-33.8688+151.2093/", -33.8688, 151.2093, None),  # Android
        ("+37.7749-122.4194", 37.7749, -122.4194, None),
        ("+27.5916+086.5640+8850CRSWGS_84/", 27.5916, 86.5640, 8850.0),
        ("+48.8584+002.2945+35.000000/earth", 48.8584, 2.2945, 35.0),  # FFmpeg's, of 3GPP
        ("+4851.504+00217.67/", 48.8584, 2.2945, None),  # degrees and minutes
        ("-335207.68+1511233.48/", -33.8688, 151.2093, None),  # degrees, minutes and seconds
        ("+00.0000+000.0000/", 0.0, 0.0, None),
    ],
)
def test_notations(text: str, latitude: float, longitude: float, altitude: float | None) -> None:
    found = parse_iso6709(text)
    assert found is not None
    assert (found.latitude, found.longitude) == pytest.approx((latitude, longitude), abs=1e-4)
    assert found.altitude_meters == altitude


@pytest.mark.parametrize(
    "text", ["", "Paris", "48.8584,2.2945", "+91.0000+000.0000/", "+48.8584+181.0000/", "+4860.0+00200.0/", "+488584/"]
)
def test_no_places(text: str) -> None:
    assert parse_iso6709(text) is None


def test_distances() -> None:
    """Paris to London, Eiffel tower to Trocadero, across the date line, and half around the Earth."""
    paris, london = Place(48.8566, 2.3522), Place(51.5074, -0.1278)
    assert paris.distance_km(london) == pytest.approx(343.5, abs=0.5)
    assert Place(48.8584, 2.2945).distance_km(Place(48.8616, 2.2893)) == pytest.approx(0.52, abs=0.01)
    assert Place(0.0, 179.9).distance_km(Place(0.0, -179.9)) == pytest.approx(22.24, abs=0.01)
    assert Place(90.0, 0.0).distance_km(Place(-90.0, 77.0)) == pytest.approx(math.pi * 6371.0088)


@given(PLACES, PLACES)
def test_a_distance_is_the_same_both_ways_and_at_most_half_around(here: Place, there: Place) -> None:
    assert here.distance_km(here) == 0
    assert here.distance_km(there) == pytest.approx(there.distance_km(here), abs=1e-6)
    assert 0 <= here.distance_km(there) <= math.pi * 6371.0088 + 1e-6


def test_a_place_off_the_earth_is_refused_and_zero_is_no_fix() -> None:
    for latitude, longitude, altitude in ((90.1, 0, None), (0, 180.1, None), (math.nan, 0, None), (1, 1, math.inf)):
        with pytest.raises(ValueError, match="no place on Earth"):
            Place(latitude, longitude, altitude)
    assert not Place(0.0, 0.0).is_fix and Place(0.0, 0.1).is_fix
