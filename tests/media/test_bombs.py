"""Files that claim far more than they hold: memory and time are bounded, and what is refused has a reason."""

from __future__ import annotations

import io
import struct
import subprocess
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from pesearch.encoders.io_types import ResizedFrame
from pesearch.errors import MediaError
from pesearch.indexer import chunk_reader
from pesearch.indexer.static_frames import StaticFrames
from pesearch.media import ffprobe, image, image_process, mp4_index, probe
from pesearch.media.cues import MAX_LINES, read_sidecar
from pesearch.media.decode_budget import MAX_DECODED_BYTES, DecodeBudget
from pesearch.media.image import StillReader, image_size, read_image, read_small
from pesearch.media.image_decoding import _reduced
from pesearch.media.image_properties import read_image_properties
from pesearch.media.image_weight import decoded_bytes
from pesearch.media.mp4_index import claimed_index_bytes
from pesearch.media.probe import containers, inspect
from pesearch.media.probe_cache import ProbeCache
from pesearch.media.sidecars import Sidecars
from pesearch.media.subtitles import parse_subtitles
from pesearch.media.text_encoding import decode_text
from pesearch.media.video import Frame, FrameReader
from pesearch.types import ImageArray
from tests.media.samples import ffmpeg

Sample = Callable[[str], Path]


def test_pictures_wait_for_the_memory_of_others_and_a_large_one_is_alone() -> None:
    budget, events = DecodeBudget(100), list[str]()

    def decode() -> None:
        with budget.hold(1000):
            events.append("large")

    with budget.hold(40), budget.hold(60):
        waiting = threading.Thread(target=decode)
        waiting.start()
        time.sleep(0.05)  # the other thread may only wait
        events.append("small")
    waiting.join()
    assert events == ["small", "large"]
    with budget.hold(100):
        events.append("all is released")


def test_a_large_picture_is_decoded_in_a_process_of_its_own_with_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "scan.tif"
    pages = [Image.fromarray(np.random.default_rng(seed).integers(0, 255, (40, 60, 3), np.uint8)) for seed in (1, 2)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    path.write_bytes(path.read_bytes()[:-3000])  # of its second page
    here, there = StillReader(path), StillReader(path)
    expected = list(here.pages())
    monkeypatch.setattr(image, "MAX_DECODED_BYTES", 0)
    monkeypatch.setattr(image, "decode_pages", lambda *_: pytest.fail("decoded in this process"))
    found = list(there.pages())
    assert [each.tolist() for each in found] == [each.tolist() for each in expected]
    assert there.remarks == here.remarks and len(here.remarks) == 1
    assert found[0].flags.writeable


def test_errors_of_the_process_are_those_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no such file") as missing:
        list(image_process.decode_in_process(tmp_path / "missing.png", None))
    assert isinstance(missing.value.__cause__, FileNotFoundError)


def test_a_decoder_that_needs_more_than_it_may_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Decoders report it in words of their own: `damaged`, for one."""

    def fail(*_: object) -> Iterator[None]:
        raise MediaError("damaged image: it cannot be decoded")
        yield

    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path)
    monkeypatch.setattr(image, "decode_in_process", fail)
    monkeypatch.setattr(image, "decoded_bytes", lambda *_: image_process.MAX_PROCESS_BYTES + 1)
    with pytest.raises(MediaError, match="too large"):
        read_image(path)
    monkeypatch.setattr(image, "decoded_bytes", lambda *_: MAX_DECODED_BYTES + 1)
    with pytest.raises(MediaError, match="damaged"):
        read_image(path)


@pytest.mark.parametrize(
    ("format_name", "mode", "factor", "bytes_per_pixel"),
    [
        ("PNG", "RGBA", 11, 4),
        ("PNG", "L", 1, 1),
        ("PNG", "I;16", 1, 2),
        ("JPEG", "RGB", 1, 4),
        ("JPEG", "RGB", 15, 4 / 64),
        ("WEBP", "RGB", 9, 16),
    ],
)
def test_the_memory_of_a_picture_is_known_from_its_header(
    format_name: str, mode: str, factor: int, bytes_per_pixel: float
) -> None:
    picture = Image.new(mode, (640, 640))
    picture.format = format_name  # type: ignore[misc]
    assert decoded_bytes(picture, factor) == 640 * 640 * bytes_per_pixel
    if format_name == "JPEG":
        picture.info["progressive"] = 1
        assert decoded_bytes(picture, factor) == 640 * 640 * (bytes_per_pixel + 6)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "I;16", "F"])
def test_a_picture_that_is_shrunk_in_strips_is_the_same(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(3).integers(0, 255, (101, 67, 4), np.uint8)
    picture = Image.fromarray(values).convert("RGB" if mode in ("P", "I;16", "F") else mode)
    if mode == "I;16":
        picture = Image.fromarray(values[..., 0].astype(np.uint16) * 200)
    elif mode in ("P", "F"):
        picture = picture.convert(mode)
    whole = np.asarray(_reduced(picture, 4))
    monkeypatch.setattr("pesearch.media.image_decoding._STRIP_PIXELS", 500)
    assert np.array_equal(np.asarray(_reduced(picture, 4)), whole)


def test_very_long_pictures_are_bounded_in_pixels(tmp_path: Path) -> None:
    path = tmp_path / "scroll.png"
    Image.new("L", (700, 60_000)).save(path)
    height, width, _ = read_image(path).shape
    assert height * width <= 16 << 20 and (width, height) == (350, 30_000)
    assert read_small(path, 320, 1280).shape == (1280, 16, 3)


def test_size_and_properties_of_a_png_are_read_without_its_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what stands after them, as programs write it that add EXIF or a date."""
    path = tmp_path / "a.png"
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Nikon", "Z9"
    stored = io.BytesIO()
    Image.new("RGB", (32, 16)).save(stored, "PNG")
    content = stored.getvalue()
    last = content.index(b"IEND") - 4
    chunks = ((b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")), (b"tEXt", b"Creation Time\x002020-05-04 10:11:12"))
    added = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    path.write_bytes(content[:last] + added + content[last:])
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda _: pytest.fail("decoded"))
    assert image_size(path) == ("png", 32, 16)
    properties = read_image_properties(path)
    assert properties.camera == "Nikon Z9"
    assert [str(each.at)[:10] for each in properties.capture_times] == ["2020-05-04"]


@pytest.mark.parametrize("name", ["both.mp4", "tone.mp3", "offset.ts"])
def test_many_packets_are_read_one_by_one(name: str, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a megabyte may have a million."""
    expected = inspect(sample(name))
    containers.clear()
    probe._sections.cache_clear()
    monkeypatch.setattr(ffprobe, "MAX_SECTIONS", 20)
    found = inspect(sample(name))
    probe._sections.cache_clear()
    containers.clear()
    assert found is not expected
    assert (found.info, found.origin_seconds, found.clock) == (expected.info, expected.origin_seconds, expected.clock)


def test_a_file_that_says_too_much_about_itself_is_refused(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffprobe, "_MAX_DESCRIBED_BYTES", 50)
    with pytest.raises(MediaError, match="describes itself"):
        ffprobe.ffprobe(sample("tone.wav"), "format:stream")
    monkeypatch.setattr("pesearch.media.ffmpeg._MAX_LINE_BYTES", 50)
    with pytest.raises(MediaError, match="description of more than"):
        ffprobe.ffprobe(sample("tone.wav"), "format:stream")


def test_an_index_of_more_frames_than_any_film_has_is_refused(sample: Sample, tmp_path: Path) -> None:
    """FFmpeg makes room for all frames that a header of two kilobytes claims: for these 1 GB."""
    path = _film_claiming(42_000_000, sample, tmp_path)
    with pytest.raises(MediaError, match="no video or audio packet can be read"):
        inspect(path)


def test_a_film_of_a_day_is_opened_with_its_index(sample: Sample, tmp_path: Path) -> None:
    path = _film_claiming(24 * 3600 * 60, sample, tmp_path)
    (packet,) = ffprobe.ffprobe(path, "packet=size", ("-read_intervals", "%+#1"))
    assert packet.text("size") == "4"


def test_indexes_are_as_large_as_the_frames_that_they_list(sample: Sample, tmp_path: Path) -> None:
    """Sound without compression has one entry for many samples."""
    assert claimed_index_bytes(sample("silent.mp4")) == 80 * 100
    assert claimed_index_bytes(_film_claiming(1_000_000, sample, tmp_path)) == 80_000_000
    assert claimed_index_bytes(sample("tone.wav")) == 0
    uncompressed = tmp_path / "sound.mov"
    ffmpeg("-i", sample("tone.wav"), "-c:a", "pcm_s16le", uncompressed)
    assert claimed_index_bytes(uncompressed) == 0


def test_fragments_have_an_index_too(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fragment of a hundred bytes may claim gigabytes."""
    path = tmp_path / "fragments.mp4"
    ffmpeg("-i", sample("silent.mp4"), "-c", "copy", "-movflags", "empty_moov", "-frag_duration", "1000000", path)
    content = bytearray(path.read_bytes())
    assert content.count(b"trun") > 1
    assert claimed_index_bytes(path) == 80 * 100
    struct.pack_into(">I", content, content.index(b"trun") + 8, 40_000_000)
    path.write_bytes(content)
    assert claimed_index_bytes(path) > 80 * 40_000_000
    monkeypatch.setattr(mp4_index, "_MAX_BOXES", 30)
    assert claimed_index_bytes(path) > 80 * 40_000_000


def test_large_indexes_wait_for_each_other(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = list[int]()

    def refuse(*_: object) -> None:
        held.append(probe.INDEX_BUDGET._held_bytes)
        raise MediaError("refused")

    monkeypatch.setattr(probe, "_inspect", refuse)
    for frames in (1_000_000, 42_000_000):
        with pytest.raises(MediaError, match="refused"):
            inspect(_film_claiming(frames, sample, tmp_path))
    assert held == [80_000_000, 512 << 20]


def _film_claiming(frames: int, sample: Sample, folder: Path) -> Path:
    """A film whose tables claim as many frames of four bytes, one after another."""
    content = bytearray(sample("silent.mp4").read_bytes())
    struct.pack_into(">II", content, content.index(b"stsz") + 8, 4, frames)
    struct.pack_into(">II", content, content.index(b"stts") + 8, 1, frames)
    struct.pack_into(">IIII", content, content.index(b"stsc") + 8, 1, 1, frames, 1)
    struct.pack_into(">I", content, content.index(b"stco") + 8, 1)
    path = folder / f"{frames}.mp4"
    path.write_bytes(content)
    return path


def test_probes_are_kept_by_their_size() -> None:
    cache, computed = ProbeCache[str](3, 100, len), list[str]()

    def get(key: str, size: int) -> None:
        cache.get(key, lambda: (computed.append(key), "a" * size)[1])

    for key, size in (("a", 10), ("b", 10), ("a", 10), ("c", 85), ("a", 10), ("b", 10), ("d", 200), ("d", 200)):
        get(key, size)
    assert computed == ["a", "b", "c", "b", "d", "d"]


def test_frames_are_made_small_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame of a film of 12K takes 300 MB, and a chunk has 32."""
    alive: list[weakref.ref[object]] = []

    class Reader:
        def read(self, times: list[float]) -> Iterator[Frame]:
            for seconds in times:
                assert sum(each() is not None for each in alive) <= 1  # the one before
                pixels = np.zeros((8, 8, 3), np.uint8)
                alive.append(weakref.ref(pixels))
                frame = Frame(seconds, seconds, pixels)
                del pixels
                yield frame
                del frame

    class Models:
        def resize(self, pixels: ImageArray) -> ResizedFrame:
            return ResizedFrame(pixels.copy(), None)

    chunks = object.__new__(chunk_reader._Chunks)
    chunks._models, chunks._next_preview_seconds, chunks._last_resized = Models(), 0.0, None  # type: ignore[assignment]
    chunks._static_frames = StaticFrames()
    shown = chunks._read_frames(Reader(), [0.0, 5.0, 10.0, 21.0])  # type: ignore[arg-type]
    assert [frame.time_seconds for frame in shown if frame.preview] == [0.0, 10.0, 21.0]


def test_sidecars_with_more_lines_values_or_tags_than_any_are_left_out(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.touch()
    contents = {
        ".srt": "1\n00:00:00,000 --> 00:00:01,000\n" + "\r" * (MAX_LINES + 1),
        ".info.json": "[" + "[]," * 1_000_000 + "[]]",
        ".ttml": "<tt><body>" + "<p/>" * 1_000_001 + "</body></tt>",
    }
    for suffix, content in contents.items():
        sidecar = tmp_path / f"film{suffix}"
        sidecar.write_text(content)
        read = read_sidecar(Sidecars().find(film)[0], film, 10.0)
        assert read.remark is not None and "left out" in read.remark and "more than" in read.remark
        sidecar.unlink()


def test_long_runs_of_line_ends_take_no_longer_than_others() -> None:
    assert decode_text(b"a" + b"\r" * 200_000 + b"b\r\n\r\r\nc\rd")[0] == "a" + "\n" * 200_000 + "b\n\nc\nd"


def test_lines_of_a_typeset_subtitle_and_fields_of_its_format_are_bounded() -> None:
    event = "Dialogue: 0:00:{0:02}.00,0:00:{0:02}.90,{1}\n"
    alike = "".join(event.format(number, r"a\N" * 2000 + "ab"[number % 2]) for number in range(50))
    (line,) = parse_subtitles(f"[Events]\nFormat: Start,End,Text\n{alike}", ".ass")
    assert line.text == " ".join("a" * 100)
    header = "Format: " + "a," * 20_000
    (line,) = parse_subtitles(f"[Events]\n{header}\nDialogue: 0,0:00:00.00,0:00:01.00,,,,,,,said\n", ".ass")
    assert line.text == "said"


def test_a_long_xmp_is_read_in_time(tmp_path: Path) -> None:
    """A search for a property that does not end at each of its many names took an hour."""
    path = tmp_path / "a.png"
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "exif:DateTimeOriginal>" * 100_000)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    assert read_image_properties(path).capture_times == ()


def test_frames_that_grow_in_mid_stream_are_not_decoded(tmp_path: Path) -> None:
    """A frame of 12288x12288 takes 450 MB as RGB, and decoders hold several. (FFmpeg's av_max_alloc, by ctypes.)"""
    frames = [Image.new("RGB", size, colour) for size, colour in (((64, 48), "red"), ((9000, 9000), "blue"))]
    stored = [io.BytesIO() for _ in frames]
    for frame, file in zip(frames, stored, strict=True):
        frame.save(file, "JPEG", quality=10, subsampling=0)
    small, large = (file.getvalue() for file in stored)
    path = tmp_path / "jump.avi"
    command = ["ffmpeg", "-v", "error", "-f", "image2pipe", "-framerate", "2", "-c:v", "mjpeg", "-i", "-"]
    subprocess.run([*command, "-c", "copy", path], input=small * 2 + large + small * 2, check=True)
    with FrameReader(path) as reader:
        found = list(reader.read([0.0, 1.0, 2.0]))
    assert [frame.image.shape for frame in found] == [(48, 64, 3)] * 2


def test_large_frames_are_shrunk_by_ffmpeg(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    with FrameReader(sample("both.mp4")) as reader:
        (whole,) = reader.read([1.0])
    for name in ("frame_stream", "video"):
        monkeypatch.setattr(f"pesearch.media.{name}.MAX_PIXELS", 800)
    with FrameReader(sample("both.mp4")) as reader:
        (small,) = reader.read([1.0])
    assert whole.image.shape == (48, 64, 3) and small.image.shape == (24, 32, 3)
    assert abs(int(whole.image.mean()) - int(small.image.mean())) <= 2
