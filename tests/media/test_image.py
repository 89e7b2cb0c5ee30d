"""Still images."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pesearch.errors import MediaError
from pesearch.media.image import image_size, read_image, read_small
from pesearch.media.probe import probe
from pesearch.types import MediaKind


def _half_and_half() -> Image.Image:
    """Red on the left, blue on the right; 40 wide, 20 high."""
    image = Image.new("RGB", (40, 20), "blue")
    image.paste((255, 0, 0), (0, 0, 20, 20))
    return image


def test_images_are_rotated_by_exif(tmp_path: Path) -> None:
    tag = Image.Exif()
    tag[0x0112] = 6  # shown turned by 90 degrees clockwise: left becomes top
    path = tmp_path / "turned.jpg"
    _half_and_half().save(path, exif=tag, quality=95)
    picture = read_image(path)
    assert picture.shape == (40, 20, 3)
    assert picture.dtype == np.uint8
    assert picture[5, 10, 0] > 200 > 60 > picture[5, 10, 2]
    assert image_size(path) == ("jpeg", 20, 40)


def test_a_shrunk_image_is_the_same_image(tmp_path: Path) -> None:
    tag = Image.Exif()
    tag[0x0112] = 6
    path = tmp_path / "large.jpg"
    _half_and_half().resize((4000, 2000)).save(path, exif=tag)
    picture = read_small(path, 320, 1280)
    assert picture.shape == (640, 320, 3)
    assert picture[100, 160, 0] > 200 > 60 > picture[100, 160, 2]
    assert picture[500, 160, 2] > 200 > 60 > picture[500, 160, 0]
    assert read_small(path, 9000, 9000).shape == read_image(path).shape


def test_transparency_is_over_white(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(path)
    assert (read_image(path) == 255).all()


def test_transparent_palette_colours_are_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    path = tmp_path / "palette.png"
    image.save(path, transparency=0)
    assert read_image(path).tolist() == [[[255, 255, 255], [0, 0, 255]]]


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "I;16", "LA", "P"])
def test_every_colour_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.tiff"
    Image.new(mode, (6, 5)).save(path)
    assert read_image(path).shape == (5, 6, 3)


def test_the_first_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    path = tmp_path / "moving.webp"
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    red.save(path, save_all=True, append_images=[blue], lossless=True)
    assert read_image(path)[0, 0].tolist() == [255, 0, 0]


def test_probing_an_image(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    _half_and_half().save(path, "WEBP")
    info = probe(path)
    assert (info.kind, info.duration_seconds, info.audio) == (MediaKind.IMAGE, 0.0, None)
    assert info.video is not None
    assert (info.video.codec, info.video.width, info.video.height) == ("webp", 40, 20)


@pytest.mark.parametrize("side", [13_000, 60_000])
def test_images_above_the_pixel_limit_are_refused_undecoded(tmp_path: Path, side: int) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))))
    for read in (read_image, image_size, probe):
        with pytest.raises(MediaError, match="pixels"):
            read(path)


def test_heic_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "phone.heic"
    path.write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(100))
    with pytest.raises(MediaError, match="JPEG"):
        read_image(path)


def test_damaged_images_are_refused(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    whole = sample("cover.png").read_bytes()
    for number, content in enumerate((whole[: len(whole) // 2], whole[:20], b"\xff\xd8\xff\xe0" + bytes(100))):
        path = tmp_path / f"{number}.png"
        path.write_bytes(content)
        with pytest.raises(MediaError, match="damaged image"):
            read_image(path)
