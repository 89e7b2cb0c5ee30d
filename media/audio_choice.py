"""Which audio streams of a file are heard, and how their channels become one.

Cameras and recorders store one recording as several mono streams: those are mixed. Other streams are languages,
commentaries or takes: one is heard, by the user's choice (`--audio-track`) or the player's rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pesearch.audio_track import AudioTrack
from pesearch.media.ffprobe import Section
from pesearch.types import Remark

_BROADCAST_FORMATS = frozenset({"mpegts", "mpeg", "wtv", "pva", "nsv"})
"""In these, mono streams are languages or an audio description, never channels of one recording."""

_MAX_LENGTH_DIFFERENCE_SECONDS = 0.5
"""Streams of one recording end together, up to a packet."""

_SEPARATE = ("comment", "dub", "karaoke", "hearing_impaired", "visual_impaired", "descriptions")
"""Dispositions of streams that are no channel of the recording."""

_GUESSED_CHANNELS = 2
"""FFmpeg's guess of a layout is right up to here: mono and stereo."""


@dataclass(frozen=True, slots=True)
class Sound:
    """The audio streams of a file that are heard, by index, and their decoded channels.

    One channel; two, mixed down by FFmpeg from a known layout; or, if `is_discrete`, each channel as stored: of a
    stream without a layout, or one of each mono stream. Of ambisonics the first channel is heard: it is the mean of
    all directions.
    """

    streams: tuple[int, ...]
    channels: int
    is_discrete: bool = False
    is_ambisonic: bool = False


@dataclass(frozen=True, slots=True)
class AudioChoice:
    """The streams that are heard, the first one's description, and what is not heard."""

    stream: Section
    sound: Sound
    remarks: tuple[Remark, ...]


def choose_audio(
    known: Sequence[Section], format_name: str, track: AudioTrack | None, is_silent: Callable[[Section], bool]
) -> AudioChoice | None:
    """The streams to hear among the decodable ones in the order of the file; None if there are none.

    `is_silent` says whether a stream is digital silence or does not decode; it is only asked where there is a choice.
    """
    if not known:
        return None
    remarks: list[Remark] = []
    asked = _asked(known, track)
    first = asked or max(known, key=lambda stream: stream.count("disposition:default"))
    group = [first] if asked else _one_recording(first, known, format_name)
    if track and asked is None and (len(group) < len(known) or track.wanted.isdigit()):
        remarks.append(Remark(f"has no audio track {track}: track {known.index(first) + 1} is heard"))
    if asked is None and len(group) < len(known):
        ordered = [group, *([stream] for stream in known if stream not in group)]
        heard = next((each for each in ordered if not all(is_silent(stream) for stream in each)), group)
        if heard is not group:
            remarks.append(Remark(f"audio track {_names(known, group)} is silent: {_names(known, heard)} is heard"))
            group = heard
    left = [stream for stream in known if stream not in group]
    if left:
        remarks.append(Remark(f"audio track {_names(known, left)} is not searched (`pesearch index --audio-track`)"))
    return AudioChoice(group[0], _sound(group), tuple(remarks))


def _asked(known: Sequence[Section], track: AudioTrack | None) -> Section | None:
    """The stream that the user wants; None if there is none."""
    index = track.find([stream.text("tag:language") for stream in known]) if track else None
    return None if index is None else known[index]


def _one_recording(first: Section, known: Sequence[Section], format_name: str) -> list[Section]:
    """The mono streams of the recording that `first` belongs to; itself if it is alone."""
    if format_name in _BROADCAST_FORMATS or first.count("channels") != 1:
        return [first]
    return [stream for stream in known if stream is first or _belongs(stream, first)]


def _belongs(stream: Section, first: Section) -> bool:
    same = ("codec_name", "channels", "sample_rate", "tag:language")
    lengths = (stream.number("duration") or 0.0, first.number("duration") or 0.0)
    return (
        all(stream.text(field) == first.text(field) for field in same)
        and abs(lengths[0] - lengths[1]) <= _MAX_LENGTH_DIFFERENCE_SECONDS
        and not any(each.count(f"disposition:{name}") for each in (stream, first) for name in _SEPARATE)
    )


def _sound(group: Sequence[Section]) -> Sound:
    indexes = tuple(stream.count("index") for stream in group)
    channels, layout = group[0].count("channels"), group[0].text("channel_layout")
    if len(group) > 1:
        return Sound(indexes, len(group), is_discrete=True)
    if layout.startswith("ambisonic"):
        return Sound(indexes, 1, is_ambisonic=True)
    if channels > _GUESSED_CHANNELS and not _has_speakers(layout):
        return Sound(indexes, channels, is_discrete=True)
    return Sound(indexes, min(channels, 2))


def _has_speakers(layout: str) -> bool:
    """Whether a layout says where each channel belongs: `5.1(side)`, not `unknown` or `10 channels`."""
    return layout not in ("", "unknown") and not layout.endswith("channels")


def _names(known: Sequence[Section], streams: Sequence[Section]) -> str:
    """`2 (deu), 3`: numbers from 1, with languages."""
    parts = []
    for stream in streams:
        language = stream.text("tag:language")
        named = f" ({language})" if language not in ("", "und") else ""
        parts.append(f"{known.index(stream) + 1}{named}")
    return ", ".join(parts)
