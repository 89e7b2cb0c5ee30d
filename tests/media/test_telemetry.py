"""Telemetry of drones and cameras is not speech; speech with numbers is."""

from __future__ import annotations

import pytest

from pesearch.media.telemetry import is_telemetry

NEW_DJI = (
    "FrameCnt: {n}, DiffTime: 33ms 2023-01-01 12:00:{n:02}.{n:03} [iso: {iso}] [shutter: 1/500.0] [fnum: 2.8] [ev: 0] "
    "[color_md: default] [focal_len: 24.00] [latitude: 51.{n}] [longitude: 4.{n}] [rel_alt: 1.{n} abs_alt: 30.0]"
)
OLD_DJI = (
    "HOME(149.0251,-20.2532) 2017.08.05 14:11:{n} GPS(149.02{n},-20.25{n},16) BAROMETER:1.{n} ISO:{iso} Shutter:60"
)
MINI_DJI = "F/2.8, SS 320.51, ISO {iso}, EV 0, GPS (8.6, 47.{n}, 15), D 12.{n}m, H 10.00m, H.S 0.{n}m/s, V.S 0.00m/s"
DASHCAM = "2021/01/01 12:00:{n:02} N50.{n} E4.{n} {iso} km/h"
CLOCK = "2021-01-01 12:00:{n:02}"
SENSOR = "temp {n}.5 pressure 10{n}"


@pytest.mark.parametrize("form", [NEW_DJI, OLD_DJI, MINI_DJI, DASHCAM, CLOCK, SENSOR])
def test_telemetry(form: str) -> None:
    assert is_telemetry([form.format(n=n, iso=100 + 50 * (n % 2)) for n in range(12)])


@pytest.mark.parametrize("form", [NEW_DJI, OLD_DJI, MINI_DJI])
def test_a_single_text_of_known_terms(form: str) -> None:
    assert is_telemetry([form.format(n=7, iso=100)])


@pytest.mark.parametrize(
    "texts",
    [
        [str(number) for number in range(100)],
        [f"That was {number} years ago, in 19{number}, and it was {word}" for number, word in enumerate("abcdefgh")],
        ["Ten, nine, eight", "7, 6, 5", "4, 3, 2", "Liftoff!", "We have a liftoff at 9:32"],
        ["2 to 1", "Goal!", "It is 3 to 1 now, at 89:30", "What a match", "Full time: 3 to 1", "Thank you"],
        ["Take the A4 to exit 12", "ISO 9001 and ISO 14001", "Shutter speed 1/500"],
        [],
        [""],
    ],
)
def test_speech(texts: list[str]) -> None:
    assert not is_telemetry(texts)
