"""The clock film in the ways that cameras, broadcasters, phones and editors store films, each with what it shows when.

`VARIANTS` are by file name; `make` builds one on first use, by one or a few calls of ffmpeg. Those that are one call
are made several at a time: starting ffmpeg takes longer than encoding most of them.
"""

from __future__ import annotations

import os
import shutil
import struct
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.media.clock_film import FRAMES, FRAMES_PER_SECOND, master
from tests.media.samples import ffmpeg

SECONDS_OFF = 0.1
"""Times may be wrong by this much: formats round timestamps, and some stamp pictures by the time they are decoded."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a film shows: frame `numbers[i]` from `times[i]` seconds on."""

    times: tuple[float, ...]
    numbers: tuple[int, ...]

    def at(self, seconds: float) -> set[int]:
        """The numbers that are right at a time."""
        first, last = (bisect_right(self.times, seconds + off) - 1 for off in (-SECONDS_OFF, SECONDS_OFF))
        return set(self.numbers[max(first, 0) : max(last, 0) + 1])


def _numbers(numbers: Sequence[int], start: float = 0.0) -> Shown:
    """These frames at the times that they have in the film, which is cut at a start."""
    return Shown(tuple(number / FRAMES_PER_SECOND - start for number in numbers), tuple(numbers))


FILM = _numbers(range(FRAMES))
TRIMMED_SECONDS = 3.3
_TRIMMED = _numbers(range(83, FRAMES), TRIMMED_SECONDS)
_SLIDES = (0, 25, 50, 175)
_SLIDE_FILTER = "select='" + "+".join(f"eq(n,{number})" for number in _SLIDES) + "'"

_MADE_AT_ONCE = 8
_VARIABLE = "-vsync vfr"
"""For all files of a call."""

_AAC = "-c:a aac -aac_coder fast"


@dataclass(frozen=True, slots=True)
class Variant:
    """How a file is made, what it shows, and its size if unusual.

    `made_by` are ffmpeg's options to encode the master film, or a function of the master film and the path to write.
    """

    made_by: str | Callable[[Path, Path], None]
    shown: Shown = FILM
    size: tuple[int, int] = (160, 96)


def make(name: str, folder: Path) -> Path:
    """The path of a variant, made in the folder on first use. Processes may share the folder."""
    path = folder / name
    if not path.exists():
        scratch = folder / f".{os.getpid()}_{name}"
        scratch.mkdir()
        for made in _make(name, master(folder), scratch):
            (scratch / made).replace(folder / made)
        shutil.rmtree(scratch)
    return path


def _make(name: str, film: Path, folder: Path) -> list[str]:
    """Write a variant, and those that are made together with it; the names of all."""
    made_by = VARIANTS[name].made_by
    if not isinstance(made_by, str):
        made_by(film, folder / name)
        return [name]
    options = _options_with(name)
    ffmpeg("-i", film, *(each for made in options for each in (*options[made].split(), folder / made)))
    return [*options]


def _options_with(name: str) -> dict[str, str]:
    """The options of the variants that are made together with one, by file name."""
    options = {each: variant.made_by for each, variant in VARIANTS.items() if isinstance(variant.made_by, str)}
    alike = [each for each in options if (_VARIABLE in options[each]) == (_VARIABLE in options[name])]
    first = alike.index(name) // _MADE_AT_ONCE * _MADE_AT_ONCE
    return {each: options[each] for each in alike[first : first + _MADE_AT_ONCE]}


def _h264(gop: int, b_frames: int = 3, more: str = _AAC) -> str:
    return f"-c:v libx264 -preset ultrafast -bf {b_frames} -g {gop} -sc_threshold 0 -pix_fmt yuv420p {more}"


def _trimmed(options: str, name: str) -> Callable[[Path, Path], None]:
    """Encoded, then cut without encoding it again, as editors do."""

    def write(film: Path, path: Path) -> None:
        whole = path.with_name(f"whole_{name}")
        ffmpeg("-i", film, *options.split(), whole)
        ffmpeg("-ss", str(TRIMMED_SECONDS), "-i", whole, "-c", "copy", path)

    return write


def _halves(film: Path, path: Path, first: str, second: str) -> tuple[Path, Path]:
    """The halves of the film as files, each encoded with its own options."""
    parts = path.with_name(f"first{path.suffix}"), path.with_name(f"second{path.suffix}")
    ffmpeg(
        "-t", "6", "-i", film, "-ss", "6", "-i", film,
        "-map", "0", *first.split(), parts[0], "-map", "1", *second.split(), parts[1],
    )  # fmt: skip
    return parts


def _joined(first: str, second: str) -> Callable[[Path, Path], None]:
    """The bytes of both halves of the film, each encoded alone."""

    def write(film: Path, path: Path) -> None:
        parts = _halves(film, path, first, second)
        path.write_bytes(b"".join(part.read_bytes() for part in parts))

    return write


def _concatenated(first: str, second: str) -> Callable[[Path, Path], None]:
    """Both halves in one stream, by FFmpeg."""

    def write(film: Path, path: Path) -> None:
        parts = _halves(film, path, first, second)
        listed = path.with_name("parts.txt")
        listed.write_text("".join(f"file {part.name}\n" for part in parts))
        ffmpeg("-f", "concat", "-i", listed, "-c", "copy", path)

    return write


def _turned(filters: str, matrix: tuple[int, int, int, int]) -> Callable[[Path, Path], None]:
    """Stored turned by filters, with the display matrix that makes it upright written into the track's header."""

    def write(film: Path, path: Path) -> None:
        ffmpeg("-i", film, "-vf", filters, *_h264(25, 2, "-an").split(), path)
        content = bytearray(path.read_bytes())
        a, b, c, d = (value << 16 for value in matrix)
        struct.pack_into(">9i", content, content.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
        path.write_bytes(content)

    return write


def _after(poster: str, options: str) -> Callable[[Path, Path], None]:
    """With another video stream before the film's: input options of a test picture, and output options."""
    return lambda film, path: ffmpeg(
        *f"-f lavfi {poster}".split(), "-i", film, "-map", "0", "-map", "1", *options.split(), path
    )


_MPEG2 = "-c:v mpeg2video -b:v 500k -c:a mp2"
_AC3 = "-c:v mpeg2video -b:v 500k -c:a ac3"
_SPARSE = f"-vf {_SLIDE_FILTER} {_VARIABLE}"
_HDR = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -color_primaries bt2020 -colorspace bt2020nc -an -color_trc"
_FIVE_A_SECOND = "-vf select='not(mod(n,5))' -r 5"
_VP8 = "-c:v libvpx -deadline realtime -cpu-used 8 -threads 1 -an"
_MPEG4 = f"-c:v:1 mpeg4 -q:v:1 4 -g:v:1 50 {_AAC}"
_SHORT_PICTURES = "-vf trim=end=4"

VARIANTS: dict[str, Variant] = {
    # transport streams: no index, B-frames are stamped later than they are stored
    "gop250_b3.ts": Variant(_h264(250)),
    "gop50_b3.ts": Variant(_h264(50)),
    "gop25_b2.ts": Variant(_h264(25, 2)),
    "all_key.ts": Variant(_h264(1, 0, "-an")),
    "open_gop.ts": Variant(_h264(25, 3, "-x264-params open-gop=1:b-pyramid=2 -c:a mp2")),
    "refresh.ts": Variant(_h264(50, 0, "-x264-params intra-refresh=1 -c:a mp2")),
    "camcorder.MTS": Variant(_h264(25, 2, "-c:a ac3 -mpegts_m2ts_mode 1 -f mpegts")),
    "hevc.ts": Variant("-c:v libx265 -preset ultrafast -x265-params bframes=3:keyint=250:log-level=none -an"),
    "mpeg2_gop12_b2.ts": Variant(f"{_MPEG2} -bf 2 -g 12"),
    "mpeg2_gop250.ts": Variant(f"{_MPEG2} -bf 2 -g 250 -sc_threshold 1000000000"),
    "late_clock.ts": Variant(_h264(50, 3, f"{_AAC} -output_ts_offset 1000")),
    "clock_overflow.ts": Variant(_h264(50, 3, f"{_AAC} -output_ts_offset 95438")),
    "trimmed.ts": Variant(f"-ss {TRIMMED_SECONDS} {_h264(50, 3)}", _TRIMMED),
    # program streams
    "dvd_b2.vob": Variant(f"{_MPEG2} -bf 2 -g 12"),
    "dvd_no_b.vob": Variant(f"{_MPEG2} -bf 0 -g 12"),
    "mpeg1.mpg": Variant("-c:v mpeg1video -b:v 500k -bf 2 -g 15 -c:a mp2"),
    "mpeg2_gop250.mpg": Variant(f"{_MPEG2} -bf 2 -g 250 -sc_threshold 1000000000 -f vob"),
    "h264.mpg": Variant(_h264(50, 2, "-c:a mp2 -f vob")),
    # joined files: the clock goes back, or leaps
    "joined.ts": Variant(_joined(_h264(50), _h264(50))),
    "joined.vob": Variant(_joined(_MPEG2, _MPEG2)),
    "joined.mkv": Variant(_joined(_h264(50), _h264(50))),
    "advert_break.ts": Variant(_joined(_h264(50, 3, f"{_AAC} -output_ts_offset 1000"), _h264(50))),
    "continued.ts": Variant(_joined(_h264(50, 3, "-an"), _h264(50, 3, "-an -output_ts_offset 6"))),
    # edit lists
    "trimmed.mp4": Variant(_trimmed(_h264(250), "mp4.mp4"), _TRIMMED),
    "trimmed_gop50.mov": Variant(_trimmed(_h264(50, 2), "mov.mov"), _TRIMMED),
    "trimmed_no_b.mp4": Variant(_trimmed(_h264(250, 0), "no_b.mp4"), _TRIMMED),
    "trimmed_mpeg4.mp4": Variant(_trimmed(f"-c:v mpeg4 -q:v 4 -bf 2 -g 200 {_AAC}", "mpeg4.mp4"), _TRIMMED),
    # variable and low frame rates
    "slides.mp4": Variant(f"{_SPARSE} {_h264(250)}", _numbers(_SLIDES)),
    "slides.mkv": Variant(f"{_SPARSE} {_h264(250)}", _numbers(_SLIDES)),
    "slides.ts": Variant(f"{_SPARSE} {_h264(250)}", _numbers(_SLIDES)),
    "slides_without_sound.mp4": Variant(f"{_SPARSE} {_h264(250, 0, '-an')}", _numbers(_SLIDES)),
    "time_lapse.mp4": Variant(f"-vf select='not(mod(n,100))' -r 0.25 {_h264(9, 0)}", _numbers((0, 100, 200))),
    "varying.mkv": Variant(
        f"-vf select='lt(n,100)+not(mod(n,10))' {_VARIABLE} {_h264(50)}",
        _numbers([number for number in range(FRAMES) if number < 100 or number % 10 == 0]),
    ),
    "animated.gif": Variant(f"{_FIVE_A_SECOND} -an", _numbers(range(0, FRAMES, 5))),
    "slides.gif": Variant(f"{_SPARSE} -an", _numbers(_SLIDES)),
    # sound that is longer than the pictures
    "long_sound.mp4": Variant(f"{_SHORT_PICTURES} {_h264(50)}", _numbers(range(100))),
    "long_sound.mkv": Variant(f"{_SHORT_PICTURES} {_h264(50)}", _numbers(range(100))),
    "long_sound.ts": Variant(f"{_SHORT_PICTURES} {_h264(50)}", _numbers(range(100))),
    # pictures that change their size
    "resized.webm": Variant(
        _concatenated(f"{_FIVE_A_SECOND} {_VP8}", f"{_FIVE_A_SECOND} {_VP8} -s 320x192"), _numbers(range(0, FRAMES, 5))
    ),
    "resized.ts": Variant(_joined(_h264(50, 3, "-an"), _h264(50, 3, "-an -s 320x192 -output_ts_offset 6"))),
    "resized.vob": Variant(_joined(f"{_MPEG2} -an", f"{_MPEG2} -an -s 320x192")),
    # sound whose channels change
    "channels.ts": Variant(_concatenated(f"{_AC3} -ac 2", f"{_AC3} -ac 1")),
    # turned, mirrored, anamorphic, HDR
    "turned_90.mp4": Variant(_turned("transpose=cclock", (0, 1, -1, 0))),
    "turned_270.mov": Variant(_turned("transpose=clock", (0, -1, 1, 0))),
    "mirrored.mp4": Variant(_turned("hflip", (-1, 0, 0, 1))),
    "upside_down.mp4": Variant(_turned("vflip", (1, 0, 0, -1))),
    "transposed.mp4": Variant(_turned("transpose=cclock_flip", (0, 1, 1, 0))),
    "transposed_twice.mov": Variant(_turned("transpose=clock_flip", (0, -1, -1, 0))),
    "desqueezed.mp4": Variant(f"-vf scale=80:96,setsar=2 {_h264(50)}"),
    "wide_dvd.vob": Variant(f"-aspect 16:9 {_MPEG2} -bf 2", size=(171, 96)),
    "pq.mkv": Variant(f"{_HDR} smpte2084"),
    "hlg.mp4": Variant(f"{_HDR} arib-std-b67"),
    # several video streams
    "poster_first.mov": Variant(_after("-i color=red:d=0.04:s=64x64", f"-c:v:0 mjpeg {_MPEG4}")),
    "poster_first.mkv": Variant(_after("-i color=red:d=0.04:s=64x64", f"-c:v:0 mjpeg {_MPEG4}")),
    "second_is_default.mkv": Variant(
        _after("-i color=red:d=12:s=64x64:r=5", f"{_h264(50)} -disposition:v:0 0 -disposition:v:1 default")
    ),
    # what worked before, and has to
    "plain.mp4": Variant(_h264(50)),
    "fragmented.mp4": Variant(_h264(50, 3, f"{_AAC} -movflags frag_keyframe+empty_moov")),
    "late_clock.mkv": Variant(_h264(250, 3, f"{_AAC} -output_ts_offset 3600")),
    "live.mkv": Variant(_h264(50, 3, f"{_AAC} -live 1")),
    "vp9.webm": Variant("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 250 -an"),
    "mpeg4_b2.avi": Variant("-c:v mpeg4 -q:v 4 -bf 2 -g 100 -c:a mp3"),
    "h264_b2.avi": Variant(_h264(100, 2, "-c:a mp3")),
    "prores.mov": Variant("-c:v prores -an"),
    "camera.mxf": Variant("-c:v mpeg2video -b:v 500k -bf 2 -c:a pcm_s16le"),
    "old.wmv": Variant("-c:v wmv2 -q:v 4 -g 250 -c:a wmav2"),
    "old.rm": Variant("-c:v rv20 -s 176x144 -q:v 4 -c:a ac3", size=(176, 144)),
    "theora.ogv": Variant("-c:v libtheora -q:v 7 -g 250 -c:a libvorbis"),
    "h264_b3.flv": Variant(_h264(250)),
    "vp8.ivf": Variant(f"{_FIVE_A_SECOND} {_VP8}", _numbers(range(0, FRAMES, 5))),
    "raw.m2v": Variant("-c:v mpeg2video -b:v 500k -bf 2 -an"),
}
"""By file name."""
