"""Geographic points, and their notation by ISO 6709, as phones and cameras write it into films."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth (IUGG): great-circle distances are right within 0.6 %."""

_POINT = re.compile(r"([+-]\d{2,6}(?:\.\d*)?)([+-]\d{3,7}(?:\.\d*)?)([+-]\d+(?:\.\d*)?)?(?:CRS\w+)?(?:/.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A point in degrees, north and east positive, and its altitude in meters if known.

    Raises ValueError outside -90 to 90 and -180 to 180 degrees, and for numbers that are not finite.
    """

    latitude: float
    longitude: float
    altitude_meters: float | None = None

    def __post_init__(self) -> None:
        if not (abs(self.latitude) <= 90 and abs(self.longitude) <= 180 and math.isfinite(self.altitude_meters or 0)):
            raise ValueError(f"{self.latitude}, {self.longitude} is no place on Earth")

    @property
    def is_fix(self) -> bool:
        """Whether it is not exactly 0, 0, which devices write as long as they have no satellite fix."""
        return (self.latitude, self.longitude) != (0.0, 0.0)

    def distance_km(self, other: Place) -> float:
        """The great-circle distance (haversine formula)."""
        south, north = math.radians(self.latitude), math.radians(other.latitude)
        across = math.radians(other.longitude - self.longitude)
        chord = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(across / 2) ** 2
        return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def parse_iso6709(text: str) -> Place | None:
    """A point such as `+48.8584+002.2945+035.00/`: degrees, degrees and minutes, or degrees, minutes and seconds.

    The digits before the decimal point tell which, as in ISO 6709 annex H. None for anything else.
    """
    found = _POINT.fullmatch(text.strip())
    if found is None:
        return None
    latitude, longitude = _degrees(found[1], 2), _degrees(found[2], 3)
    if latitude is None or longitude is None:
        return None
    try:
        return Place(latitude, longitude, None if found[3] is None else float(found[3]))
    except ValueError:
        return None


def format_iso6709(place: Place) -> str:
    """`+48.858400+002.294500+35.000/`: decimal degrees to 0.1 m, and the altitude in millimeters if it is known."""
    altitude = "" if place.altitude_meters is None else f"{place.altitude_meters:+.3f}"
    return f"{place.latitude:+010.6f}{place.longitude:+011.6f}{altitude}/"


def _degrees(text: str, width: int) -> float | None:
    """Degrees of `width` digits, followed by two digits of minutes and of seconds or by nothing."""
    digits = text[1:].partition(".")[0]
    value, sign = float(text[1:]), -1.0 if text[0] == "-" else 1.0
    if len(digits) == width:
        return sign * value
    if len(digits) == width + 2:
        degrees, minutes = divmod(value, 100)
        return sign * (degrees + minutes / 60) if minutes < 60 else None
    if len(digits) == width + 4:
        degrees, rest = divmod(value, 10_000)
        minutes, seconds = divmod(rest, 100)
        return sign * (degrees + minutes / 60 + seconds / 3600) if minutes < 60 and seconds < 60 else None
    return None
