"""Still images."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from pesearch.encoders.image_tower import resize_like_open_clip
from pesearch.encoders.model_registry import MODEL_SETS
from pesearch.errors import MediaError
from pesearch.indexer.chunk_reader import IMAGE_PREVIEW_WIDTH
from pesearch.media.image import StillReader, image_size, read_image, read_small
from pesearch.media.image_decoding import MIN_SIDE
from pesearch.media.image_opening import installed_formats
from pesearch.media.optional_libraries import register_heif
from pesearch.media.probe import probe
from pesearch.media.sniff import sniff
from pesearch.media.thumbnails import thumbnail
from pesearch.media.video import read_frames
from pesearch.types import ImageArray, MediaKind, VideoStream
from tests.media.camera_raw_file import write_dng
from tests.media.samples import ffmpeg

LARGEST_IMAGE = max(source.image_size or 0 for models in MODEL_SETS.values() for source in models.sources)


def _assert_half_and_half(picture: ImageArray) -> None:
    height, width = picture.shape[:2]
    left, right = picture[height // 2, width // 4].tolist(), picture[height // 2, 3 * width // 4].tolist()
    assert np.abs(np.array([left, right]) - [[255, 0, 0], [0, 0, 255]]).max() < 12, (left, right)


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
    assert read_small(path, 9000, 9000).shape == (4000, 2000, 3)


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


def _pages(count: int) -> list[Image.Image]:
    """Pictures whose red is their number."""
    return [Image.new("RGB", (16, 16), (number, 100, 100)) for number in range(count)]


@pytest.mark.parametrize("name", ["scan.tif", "stereo.mpo"])
def test_all_pages_are_read(tmp_path: Path, name: str) -> None:
    first, *others = [page.point(lambda value: value * 60 if value < 4 else value) for page in _pages(4)]
    first.save(tmp_path / name, save_all=True, append_images=others)
    reader = StillReader(tmp_path / name)
    shown = [int(page[8, 8, 0]) for page in reader.pages()]
    expected = [0, 60, 120, 180]
    if name.endswith("mpo"):  # Pillow 13 cannot read the last page of its own MPO
        shown, expected = shown[:3], expected[:3]
    assert np.abs(np.array(shown) - expected).max() <= 3
    assert reader.remarks == ()


def test_smaller_versions_of_a_page_are_not_pages(tmp_path: Path) -> None:
    path = tmp_path / "pyramid.tif"
    first, second, third = _pages(3)
    second.encoderinfo = {"tiffinfo": {254: 1}}  # NewSubfileType: reduced
    first.save(path, save_all=True, append_images=[second, third])
    assert [int(page[8, 8, 0]) for page in StillReader(path).pages()] == [0, 2]


def test_pages_beyond_the_limit_are_a_remark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pesearch.media.image_pages.MAX_PAGES", 3)
    path = tmp_path / "book.tif"
    first, *others = _pages(5)
    first.save(path, save_all=True, append_images=others)
    reader = StillReader(path)
    assert len(list(reader.pages())) == 3
    assert [remark.reason for remark in reader.remarks] == ["2 of its pages are not searched: the limit is 100"]


@pytest.mark.parametrize("name", ["moving.png", "moving.avif", "moving.gif", "moving.webp"])
def test_animations_are_films(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    first, *others = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    first.save(path, save_all=True, append_images=others, duration=1000)
    assert sniff(path) is MediaKind.VIDEO
    assert probe(path).duration_seconds == pytest.approx(3, abs=0.1)
    shown = [frame.image[8, 8].argmax() for frame in read_frames(path, (0.625, 1.25, 2.5))]
    assert shown == [0, 1, 2]
    with Image.open(io.BytesIO(thumbnail(path, 1.5))) as picture:
        assert np.asarray(picture)[8, 8].argmax() == 1
    first.save(path)
    assert sniff(path) is MediaKind.IMAGE


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


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
@pytest.mark.parametrize(("name", "library"), [("phone.heic", "pillow_heif"), ("camera.nef", "rawpy")])
def test_what_to_install_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str, brand: bytes
) -> None:
    monkeypatch.setitem(sys.modules, library, None)  # as if it were not installed
    path = tmp_path / name
    if library == "rawpy":
        write_dng(path)
    else:
        path.write_bytes(struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + b"mif1heic" + bytes(100))
    caches = (register_heif, installed_formats)
    for each in caches:
        each.cache_clear()
    try:
        with pytest.raises(MediaError, match=r"pesearch\[photos\].*JPEG"):
            read_image(path)
    finally:
        for each in caches:
            each.cache_clear()


def test_heic_is_read_by_pillow_heif(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    path = tmp_path / "phone.heic"
    _half_and_half().save(path, "HEIF", quality=95)
    assert probe(path).video == VideoStream("heif", 40, 20, 0.0)
    _assert_half_and_half(read_image(path))


def test_the_preview_of_a_raw_picture_is_not_the_picture(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    for name in ("camera.dng", "camera.tif"):
        path = tmp_path / name
        write_dng(path)
        assert image_size(path) == ("raw", 256, 192)
        picture = read_image(path)
        assert picture.shape == (96, 128, 3)  # developed at half its size, where a camera's own JPEG is missing
        assert picture[48, 32, 0] > 200 > 60 > picture[48, 32, 1]
        assert picture[48, 96, 2] > 200 > 60 > picture[48, 96, 1]


@pytest.mark.parametrize("suffix", ["jxl", "exr", "dpx"])
def test_pictures_that_only_ffmpeg_reads(tmp_path: Path, suffix: str) -> None:
    png, path = tmp_path / "picture.png", tmp_path / f"picture.{suffix}"
    _half_and_half().save(png)
    ffmpeg("-i", png, "-frames:v", "1", path)
    assert image_size(path)[1:] == (40, 20)
    if suffix != "exr":  # FFmpeg 5.1 writes the values of a PNG as if they were linear
        _assert_half_and_half(read_image(path))


def test_a_png_with_a_long_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "generated.png"
    text = PngImagePlugin.PngInfo()
    text.add_text("prompt", "a walrus " * 200_000, zip=True)
    _half_and_half().save(path, pnginfo=text)
    _assert_half_and_half(read_image(path))


def test_large_images_are_shrunk_while_they_are_decoded(tmp_path: Path) -> None:
    for name, size in (("photo.jpg", (6400, 3200)), ("scan.png", (4400, 2200)), ("marks.tif", (4400, 2200))):
        path = tmp_path / name
        image = _half_and_half().resize(size, Image.Resampling.NEAREST)
        (image.convert("P") if name == "marks.tif" else image).save(path)
        picture = read_image(path)
        assert 640 <= picture.shape[0] < 1280, name
        _assert_half_and_half(picture)
        assert image_size(path)[1:] == size


def test_a_shrunk_photo_is_the_whole_one_to_the_largest_model(tmp_path: Path) -> None:
    """Sharp text, turned by EXIF, decoded at a quarter of its size and at full size."""
    photo, tag = Image.new("RGB", (3400, 2600), "white"), Image.Exif()
    tag[0x0112] = 8
    for line in range(65):
        ImageDraw.Draw(photo).text((20, 40 * line), "fine print " * 28, fill=(line, 90, 160), font_size=22)
    photo.save(tmp_path / "photo.jpg", exif=tag, quality=92)
    shrunk = read_image(tmp_path / "photo.jpg")
    assert shrunk.shape == (850, 650, 3)
    whole = np.array(photo.transpose(Image.Transpose.ROTATE_90))
    seen = [resize_like_open_clip(picture, LARGEST_IMAGE).astype(int) for picture in (shrunk, whole)]
    assert np.abs(seen[0] - seen[1]).mean() < 2


def test_shrunk_pictures_are_larger_than_models_and_previews_need() -> None:
    assert MIN_SIDE > 1.5 * LARGEST_IMAGE
    assert MIN_SIDE >= IMAGE_PREVIEW_WIDTH


def test_a_turned_tiff_has_one_size(tmp_path: Path) -> None:
    path = tmp_path / "turned.tif"
    tag = Image.Exif()
    tag[0x0112] = 6
    _half_and_half().save(path, exif=tag)
    assert read_image(path).shape == (40, 20, 3)
    assert read_small(path, 10, 100).shape == (20, 10, 3)
    assert image_size(path) == ("tiff", 20, 40)


@pytest.mark.parametrize(("name", "options"), [("a.jpg", {}), ("b.jpg", {"progressive": True}), ("c.png", {})])
def test_the_present_rows_of_a_truncated_picture_are_read(tmp_path: Path, name: str, options: dict[str, bool]) -> None:
    path = tmp_path / name
    Image.effect_noise((300, 200), 90).convert("RGB").save(path, **options)
    whole, content = read_image(path), path.read_bytes()
    path.write_bytes(content[: round(len(content) * 0.75)])
    reader = StillReader(path)
    (picture,) = reader.pages()
    if options:
        assert len(picture) > 150
        assert [remark.reason for remark in reader.remarks] == ["the picture is cut short: its details are missing"]
    else:
        assert 125 < len(picture) < 175
        assert np.array_equal(picture[:110], whole[:110])
        assert "cut short: its last 2" in reader.remarks[0].reason
    path.write_bytes(content[:250])
    with pytest.raises(MediaError, match=r"cut short|damaged image"):
        read_image(path)


def test_damaged_images_are_refused(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    whole = sample("cover.png").read_bytes()
    for number, content in enumerate((whole[:60], whole[:20], b"\xff\xd8\xff\xe0" + bytes(100))):
        path = tmp_path / f"{number}.png"
        path.write_bytes(content)
        with pytest.raises(MediaError, match="damaged image"):
            read_image(path)
