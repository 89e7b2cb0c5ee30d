"""Colours of pictures: index, thumbnail, proxy and clip agree, also for HDR, HD, full range and RGB."""

from __future__ import annotations

import io
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image

from pesearch.media.cut_clip import choose_clip_format, cut_clip
from pesearch.media.display import display_of
from pesearch.media.ffmpeg import video_decoder
from pesearch.media.ffprobe import Section
from pesearch.media.proxy import write_proxy
from pesearch.media.thumbnails import thumbnail
from pesearch.media.tone_mapping import HDR_TRANSFERS, sdr
from pesearch.media.video import read_frames
from pesearch.types import ImageArray
from tests.media.samples import ffmpeg

RED = (220, 30, 30)
_SOURCE = f"color=0x{RED[0]:02x}{RED[1]:02x}{RED[2]:02x}:s=128x96:r=5:d=1,format=gbrp"
_H264 = "-c:v libx264 -preset ultrafast -crf 1 -pix_fmt yuv420p"
_TO_709 = "scale=out_color_matrix=bt709:out_range"
_HDR = "scale=out_color_matrix=bt2020:out_range=limited,format=yuv420p10le"
_RED_IN_HDR = {"smpte2084": "0x7d4c38", "arib-std-b67": "0x994128"}
"""RED as FFmpeg's zscale converts it, with the white of SDR at 100 cd/m2."""


_SDR = {
    "hd.mp4": ["-vf", f"{_TO_709}=limited", *_H264.split(), "-colorspace", "bt709", "-color_range", "tv"],
    "full.mkv": ["-vf", f"{_TO_709}=full", *_H264.split(), "-colorspace", "bt709", "-color_range", "pc"],
    "broadcast.ts": ["-vf", f"{_TO_709}=limited", *_H264.split(), "-colorspace", "bt709", "-color_range", "tv"],
    "sd.mpg": ["-c:v", "mpeg2video", "-q:v", "1"],
    "rgb.mkv": ["-c:v", "ffv1"],
}


def _colours(path: Path, tmp_path: Path) -> dict[str, tuple[int, ...]]:
    """The mean colour of each way to look at a film."""
    (frame,) = read_frames(path, [0.5])
    proxy, clip = tmp_path / "proxy.mp4", tmp_path / "clip.mp4"
    write_proxy(path, 0.2, 0.8, proxy, Event())
    cut_clip(path, 0.2, 0.8, clip, choose_clip_format(path, reencode=True))
    pictures = {
        "index": frame.image,
        "thumbnail": np.array(Image.open(io.BytesIO(thumbnail(path, 0.5)))),
        "proxy": _picture(proxy),
        "clip": _picture(clip),
    }
    return {name: tuple(round(each) for each in picture.mean(axis=(0, 1))) for name, picture in pictures.items()}


def _picture(path: Path) -> ImageArray:
    """The picture at 0.2 s of an MP4 file."""
    picture: ImageArray = video_decoder()(str(path), dimension_order="NHWC").get_frame_played_at(0.2).data.numpy()
    return picture


@pytest.mark.parametrize("name", _SDR)
def test_colours_are_those_of_the_film(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    ffmpeg("-f", "lavfi", "-i", _SOURCE, *_SDR[name], path)
    for colour in _colours(path, tmp_path).values():
        assert colour == pytest.approx(RED, abs=6)


@pytest.mark.parametrize("transfer", HDR_TRANSFERS)
def test_hdr_is_mapped_to_sdr(tmp_path: Path, transfer: str) -> None:
    path = tmp_path / "hdr.mkv"
    source = f"color={_RED_IN_HDR[transfer]}:s=128x96:r=5:d=1,format=gbrp"
    tags = ["-color_trc", transfer, "-color_primaries", "bt2020", "-colorspace", "bt2020nc"]
    ffmpeg(
        "-f", "lavfi", "-i", source, "-vf", _HDR, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "1", *tags, path
    )
    colours = _colours(path, tmp_path)
    for colour in colours.values():
        assert colour == pytest.approx(colours["index"], abs=6)
    assert colours["index"] == pytest.approx(RED, abs=45)  # white is 140 cd/m2
    red, green, blue = colours["index"]
    assert red > 4 * green and red > 4 * blue


@pytest.mark.parametrize("transfer", HDR_TRANSFERS)
def test_greys_stay_grey_and_in_order(transfer: str) -> None:
    grey = np.repeat(np.linspace(0, 1, 50)[:, None], 3, axis=1)
    mapped = sdr(transfer, grey)
    assert np.ptp(mapped, axis=1).max() < 0.01
    assert (np.diff(mapped[:, 0]) >= 0).all()
    assert mapped[0, 0] == pytest.approx(0.0, abs=1e-3) and mapped[-1, 0] == pytest.approx(1.0, abs=1e-3)


def test_the_white_of_sdr_in_pq() -> None:
    """58 % of PQ is 203 cd/m2, the white of BT.2408; 51 % is 100 cd/m2."""
    white, film_white = sdr("smpte2084", np.array([[0.58] * 3, [0.508] * 3]))[:, 0]
    assert 0.85 < film_white < white < 1.0


def _stream(**fields: str) -> Section:
    return Section("stream", {"width": "100", "height": "50", **fields})


@pytest.mark.parametrize(
    ("aspect", "width"),
    [("1:1", 100), ("2:1", 200), ("1:2", 50), ("0:1", 100), ("N/A", 100), ("1000:1001", 100), ("99:1", 100)],
)
def test_pixels_are_made_square(aspect: str, width: int) -> None:
    display = display_of(_stream(sample_aspect_ratio=aspect))
    assert (display.width, display.height) == (width, 50)
    assert display.is_plain == (width == 100)


def test_a_damaged_matrix_is_ignored() -> None:
    for text in ("", "nonsense", "\n00000000:  0  0  0\n00000001:  0  0  0\n00000002:  0  0  0\n"):
        display = display_of(_stream(displaymatrix=text))
        assert (display.width, display.height, display.is_plain) == (100, 50, True)
