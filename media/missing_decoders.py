"""Streams of a codec for which this FFmpeg has no decoder: ProRes RAW, Blackmagic RAW, VVC, AC-4."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from pesearch.media.ffmpeg import run_program
from pesearch.media.ffprobe import Section
from pesearch.types import Remark

_ALWAYS_DECODED = frozenset(
    (
        "aac",
        "ac3",
        "av1",
        "flac",
        "h264",
        "hevc",
        "mjpeg",
        "mp3",
        "mpeg2video",
        "mpeg4",
        "opus",
        "pcm_s16le",
        "vp8",
        "vp9",
    )
)
"""Codecs that every usual FFmpeg decodes: without them the list of FFmpeg's decoders is not even read."""

_ENCRYPTED_TAGS = frozenset(("enca", "encv", "drmi", "drms", "aavd", "p601"))
"""Sample entries of encrypted streams (Common Encryption, iTunes, Audible)."""

_NO_CODEC = ("", "unknown", "none")

_COMMERCIAL_NAMES = {
    "aprn": "ProRes RAW", "aprh": "ProRes RAW HQ", "brxq": "Blackmagic RAW", "brhq": "Blackmagic RAW",
    "brst": "Blackmagic RAW", "brlt": "Blackmagic RAW", "brvn": "Blackmagic RAW", "brs2": "Blackmagic RAW",
    "brvp": "Blackmagic RAW", "vvc": "VVC", "vvc1": "VVC", "vvi1": "VVC", "ac-4": "AC-4", "crxf": "Canon RAW",
}  # fmt: skip


def has_decoder(stream: Section) -> bool:
    """Whether this FFmpeg decodes the codec of a stream, and the stream is not encrypted. Errors: FFmpegMissing."""
    codec = stream.text("codec_name")
    is_encrypted = stream.text("codec_tag_string") in _ENCRYPTED_TAGS
    return not is_encrypted and (codec in _ALWAYS_DECODED or codec in _decoders())


def missing_decoder(sections: Sequence[Section]) -> str | None:
    """Why the first stream of pictures, else of sound, cannot be decoded, with advice; None if all have a decoder."""
    streams = _streams(sections, "video") + _streams(sections, "audio")
    return next((_reason(each) for each in streams if not has_decoder(each)), None)


def unread_pictures(sections: Sequence[Section]) -> tuple[Remark, ...]:
    """The remark on pictures that cannot be decoded, for a file of which only the sound is read."""
    reasons = (_reason(each) for each in _streams(sections, "video") if not has_decoder(each))
    return tuple(Remark(reason) for reason in reasons)[:1]


def _streams(sections: Sequence[Section], kind: str) -> list[Section]:
    streams = [each for each in sections if each.name == "stream" and each.text("codec_type") == kind]
    return [each for each in streams if not each.count("disposition:attached_pic")]


def _reason(stream: Section) -> str:
    tag, codec = stream.text("codec_tag_string"), stream.text("codec_name")
    of_video = stream.text("codec_type") == "video"
    what = "its pictures" if of_video else "its sound"
    if tag in _ENCRYPTED_TAGS:
        return f"{what} cannot be read: encrypted for the player it was sold for"
    name = tag if codec in _NO_CODEC else codec
    advice = "convert it to H.264 or ProRes" if of_video else "convert it to WAV or AAC"
    return f"{what} cannot be read: FFmpeg has no decoder for {_COMMERCIAL_NAMES.get(name.lower(), name)}; {advice}"


@cache
def _decoders() -> frozenset[str]:
    """FFmpeg's names of the codecs that it decodes."""
    lines = run_program("ffmpeg", "-v", "quiet", "-codecs").stdout.decode(errors="replace").splitlines()
    fields = (line.split() for line in lines if line.startswith(" D"))
    return frozenset(each[1] for each in fields if len(each) > 1)
