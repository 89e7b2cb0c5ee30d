"""Sound at the time at which players play it: clocks that restart, streams that change or begin late."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.media.clock import RunFollower, read_clock
from pesearch.media.ffprobe import Section
from pesearch.media.probe import inspect
from pesearch.media.seeking import has_index
from tests.media.clock_sound import PICTURES, SILENCE, clock_sound, pitch, pitches, pitches_backwards, recording
from tests.media.samples import ffmpeg

_RESTARTED = "its clock restarts once: the parts are placed one after the other"


def test_sound_after_a_change_of_channels_or_rate_is_where_it_belongs(tmp_path: Path) -> None:
    """Broadcasts go from stereo to 5.1 and back between film and adverts."""
    parts = [(0, "2", 48_000, "ac3"), (3, "6", 48_000, "ac3"), (6, "2", 44_100, "ac3"), (9, "1", 48_000, "ac3")]
    content = b"".join(
        recording(
            tmp_path / f"{first}.ts",
            first,
            3,
            "-c:a",
            codec,
            "-ac",
            channels,
            "-output_ts_offset",
            str(first),
            rate=rate,
        )
        for first, channels, rate, codec in parts
    )
    path = tmp_path / "changing.ts"
    path.write_bytes(content)
    assert inspect(path).info.duration_seconds == pytest.approx(12.0, abs=0.1)
    assert pitches(path) == [pitch(second) for second in range(12)]
    assert pitches_backwards(path, range(12)) == [pitch(second) for second in range(12)]


@pytest.mark.parametrize("muxer", ["mpegts", "vob", "mpeg"])
def test_joined_recordings_follow_each_other(tmp_path: Path, muxer: str) -> None:
    path = tmp_path / "joined"
    options = ("-c:a", "mp2", "-f", muxer)
    path.write_bytes(recording(tmp_path / "a", 0, 4, *options) + recording(tmp_path / "b", 4, 3, *options))
    container = inspect(path)
    assert container.info.duration_seconds == pytest.approx(7.0, abs=0.1)
    assert [remark.reason for remark in container.remarks] == [_RESTARTED]
    assert pitches(path) == [pitch(second) for second in range(7)]
    assert pitches_backwards(path, range(7)) == [pitch(second) for second in range(7)]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.flv", "mp3"), ("a.mp4", "aac"), ("a.wav", "pcm_s16le"), ("a.wma", "wmav2")]
)
def test_joined_recordings_that_players_do_not_go_on_to_are_remarked(tmp_path: Path, name: str, codec: str) -> None:
    part, path = tmp_path / name, tmp_path / f"joined_{name}"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc='{clock_sound()}':d=2:s=44100", "-c:a", codec, part)
    assert inspect(part).remarks == ()
    path.write_bytes(3 * part.read_bytes())
    assert [remark.reason for remark in inspect(path).remarks] == [
        "2 more recordings follow the first one in this file, and cannot be read: split it"
    ]
    assert pitches(path) == [pitch(0), pitch(1)]


@pytest.mark.parametrize(
    ("muxer", "codec", "change"),
    [("ogg", "libvorbis", "-ac 1"), ("opus", "libopus", "-ac 1"), ("matroska", "libvorbis", "")],
)
def test_joined_recordings_that_ffmpeg_goes_on_to_are_heard(
    tmp_path: Path, muxer: str, codec: str, change: str
) -> None:
    """Radio recordings are chained Ogg."""
    first, second, path = tmp_path / "first", tmp_path / "second", tmp_path / "joined"
    for part, start, seconds, channels in ((first, 0, 3, ""), (second, 3, 2, change)):
        sound = f"aevalsrc='{clock_sound(start)}|{clock_sound(start)}':d={seconds}:s=48000"
        ffmpeg("-f", "lavfi", "-i", sound, *channels.split(), "-c:a", codec, "-f", muxer, part)
    path.write_bytes(first.read_bytes() + second.read_bytes())
    container = inspect(path)
    assert container.info.duration_seconds == pytest.approx(5.0, abs=0.1)
    assert [remark.reason for remark in container.remarks] == [_RESTARTED]
    assert pitches(path) == [pitch(second) for second in range(5)]
    assert inspect(first).clock is None


def test_joined_matroska_is_read_by_its_clock(tmp_path: Path) -> None:
    """Pictures of the second recording do not appear in the first one; the third one is lost."""
    parts = [recording(tmp_path / f"{first}.mkv", first, 2, "-c:a", "ac3") for first in (0, 2, 4)]
    path = tmp_path / "joined.mkv"
    path.write_bytes(b"".join(parts))
    container = inspect(path)
    assert not has_index(container)
    assert [remark.reason for remark in container.remarks] == [
        "1 more recording follows the first 2 in this file, and cannot be read: split it",
        _RESTARTED,
    ]
    assert pitches(path) == [pitch(second) for second in range(4)]


def test_chained_ogg_with_pictures_is_remarked(tmp_path: Path) -> None:
    part, path = tmp_path / "part.ogv", tmp_path / "joined.ogv"
    recording(part, 0, 2, "-c:a", "libvorbis", "-c:v", "libtheora", "-f", "ogg")
    assert inspect(part).remarks == ()
    recording(tmp_path / "b.ogv", 2, 2, "-c:a", "libvorbis", "-c:v", "libtheora", "-f", "ogg")
    path.write_bytes(part.read_bytes() + (tmp_path / "b.ogv").read_bytes())
    assert [remark.reason for remark in inspect(path).remarks] == [
        "more recordings follow the first one in this file, and cannot be read: split it"
    ]


def test_a_clock_that_steps_back_does_not_claim_a_day(tmp_path: Path) -> None:
    """FFmpeg takes it for the overflow of 33 bits, after 26.5 hours."""
    path = tmp_path / "advert.ts"
    first = recording(tmp_path / "a.ts", 0, 3, "-c:a", "mp2", "-output_ts_offset", "1000")
    path.write_bytes(first + recording(tmp_path / "b.ts", 3, 3, "-c:a", "mp2", "-output_ts_offset", "5"))
    assert inspect(path).info.duration_seconds == pytest.approx(6.0, abs=0.1)
    assert pitches(path) == [pitch(second) for second in range(6)]


def test_a_clock_that_overflows_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "overflow.ts"
    recording(path, 0, 5, "-c:a", "mp2", "-output_ts_offset", str((1 << 33) / 90_000 - 3.5))
    assert inspect(path).info.duration_seconds == pytest.approx(5.0, abs=0.1)
    assert pitches(path) == [pitch(second) for second in range(5)]


@pytest.mark.parametrize("muxer", ["mpegts", "vob"])
def test_sound_that_begins_after_the_first_megabytes_is_found(tmp_path: Path, muxer: str) -> None:
    path = tmp_path / "late"
    padding = (
        ["-muxrate", "6000k"]
        if muxer == "mpegts"
        else ["-b:v", "6M", "-minrate", "6M", "-maxrate", "6M", "-bufsize", "2M"]
    )
    ffmpeg(
        *PICTURES, "-itsoffset", "11", "-f", "lavfi", "-i", f"aevalsrc='{clock_sound(11)}':d=2",
        "-map", "0", "-map", "1", "-t", "13", "-c:v", "mpeg2video", "-s", "160x96", *padding,
        "-c:a", "mp2", "-f", muxer, path,
    )  # fmt: skip
    assert path.stat().st_size > 8 << 20
    assert inspect(path).info.audio is not None
    assert pitches(path) == [SILENCE] * 11 + [pitch(11), pitch(12)]


def _packets(starts: list[float], seconds: int, streams: int = 2) -> list[Section]:
    """Packets of half a second of two streams, in parts whose clocks begin at `starts`."""
    return [
        Section("packet", {"stream_index": str(stream), "pts_time": str(start + step / 2), "duration_time": "0.5"})
        for start in starts
        for step in range(2 * seconds)
        for stream in range(streams)
    ]


@given(st.lists(st.integers(0, 90_000), min_size=1, max_size=4), st.integers(2, 20))
def test_parts_of_a_clock_last_as_long_as_their_sum(starts: list[int], seconds: int) -> None:
    """Unless the clock goes on, with a pause of at most an hour."""
    parts = [float(starts[0])]
    for start in starts[1:]:
        if start < parts[-1] or start > parts[-1] + seconds + 3600:
            parts.append(float(start))
    clock = read_clock(_packets(parts, seconds), frozenset({"0", "1"}), parts[0])
    assert clock is not None
    assert clock.end_seconds == pytest.approx(len(parts) * seconds)
    follower = RunFollower(clock.runs[1], 0.0)
    stamps = [float(packet.text("pts_time")) for packet in _packets(parts, seconds, 1)]
    assert [follower.player_seconds(stamp) for stamp in stamps] == pytest.approx([n / 2 for n in range(len(stamps))])


def test_a_single_wild_timestamp_is_left_out() -> None:
    for wild in (-500.0, 500.0, 95_000.0):
        packets = _packets([100.0], 10, 1)
        packets[7].fields["pts_time"] = str(100.0 + wild)
        clock = read_clock(packets, frozenset({"0"}), 100.0)
        assert clock is not None and clock.is_continuous and clock.end_seconds == pytest.approx(10.0)


def test_pauses_are_kept_up_to_an_hour() -> None:
    def starts(*pauses: float) -> list[float]:
        ends = [0.0]
        for pause in pauses:
            ends.append(ends[-1] + 10.0 + pause)
        return ends

    paused = read_clock(_packets(starts(1800, 3500), 10), frozenset({"0", "1"}), 0.0)
    assert paused is not None and paused.end_seconds == pytest.approx(5330.0)
    assert paused.gaps == ((10.0, 1810.0), (1820.0, 5320.0))
    damaged = read_clock(_packets(starts(1800, 3700, 90_000), 10), frozenset({"0", "1"}), 0.0)
    assert damaged is not None and damaged.end_seconds == pytest.approx(1840.0)


def test_large_streams_are_read_as_a_whole_only_if_their_clock_does_not_rise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pesearch.media.probe._SMALL_FILE_BYTES", 0)
    monkeypatch.setattr("pesearch.media.extent._MAX_SCANNED_BYTES", 0)
    monkeypatch.setattr("pesearch.media.clock_samples._PLACE_BYTES", 20_000)
    for muxer in ("mpegts", "vob"):
        parts = [recording(tmp_path / muxer, first, 8, "-c:a", "mp2", "-f", muxer) for first in (0, 8)]
        one = inspect(tmp_path / muxer)
        assert one.clock is None and one.info.duration_seconds == pytest.approx(8.0, abs=0.1)
        joined = tmp_path / f"joined_{muxer}"
        joined.write_bytes(b"".join(parts))
        assert inspect(joined).info.duration_seconds == pytest.approx(16.0, abs=0.1)
