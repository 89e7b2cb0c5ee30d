"""A media file never makes pesearch open another file or connect to anything."""

from __future__ import annotations

import os
import re
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.errors import MediaError
from pesearch.media.audio import AudioReader
from pesearch.media.cues import read_sidecar
from pesearch.media.ffmpeg import file_url, run_program
from pesearch.media.probe import inspect
from pesearch.media.sidecars import Sidecars
from tests.media.linked_files import write_linked
from tests.media.polyglots import ID3, lists, read_all, watched

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("app", "cli", "encoders", "evaluation", "export", "indexer", "media", "search", "store")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify")


@pytest.mark.parametrize("kind", ["hls", "hls, http", "dash, segments", "ffconcat", "sdp"])
def test_a_list_of_other_files_behind_a_tag_opens_none(
    kind: str, tmp_path: Path, sample: Callable[[str], Path]
) -> None:
    """FFmpeg skips an ID3 tag, and takes what follows for the file. Under a name that is not UTF-8, torchcodec read an
    open file, for which FFmpeg allows every protocol."""
    with watched(tmp_path / "secret", sample("offset.ts").read_bytes()) as watch:
        path = tmp_path / os.fsdecode(b"a\xff.mp3")
        path.write_bytes(ID3 + lists(watch.secret, watch.port)[kind])
        assert read_all(path) == "damaged: FFmpeg cannot open it"
    assert watch.seen == []


def test_magic_lantern_video_does_not_open_the_files_beside_it(tmp_path: Path) -> None:
    """FFmpeg would open film.m00, and wait for it if it is a FIFO."""
    path = tmp_path / "film.mp4"
    path.write_bytes(_magic_lantern())
    os.mkfifo(tmp_path / "film.m00")
    done = run_program("ffprobe", "-v", "error", file_url(path), timeout_seconds=5)
    assert done.returncode and b"not on whitelist" in done.stderr
    (tmp_path / "film.m00").unlink()
    with watched(tmp_path / "secret", b"a") as watch:
        (tmp_path / "film.m00").symlink_to(watch.secret)
        assert str(read_all(path)).startswith("not a media file")
    assert watch.seen == []


def _magic_lantern() -> bytes:
    """The head of a recording with sound, as FFmpeg recognizes it."""
    head = b"MLVI" + struct.pack("<I8s", 52, b"v2.0") + struct.pack("<QHHIIHHIII", 1, 0, 1, 0, 0, 0, 1, 1, 1, 25)
    sound = b"WAVI" + struct.pack("<IQHHIIHH", 32, 0, 1, 1, 48000, 96000, 2, 16)
    return head + sound + bytes(4096)


def test_the_watch_sees_what_is_opened(tmp_path: Path) -> None:
    with watched(tmp_path / "secret", b"a") as watch:
        watch.secret.read_bytes()
    assert watch.seen == ["the file was opened"]


def test_a_name_that_is_a_pattern_opens_no_other_file(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    """FFmpeg would read clip%03d.jpg from clip001.jpg on."""
    content = sample("both.mp4").read_bytes()
    with watched(tmp_path / "secret", content) as watch:
        (tmp_path / "clip001.jpg").symlink_to(watch.secret)
        (tmp_path / "clip%03d.jpg").write_bytes(content)
        assert read_all(tmp_path / "clip%03d.jpg") == "damaged: FFmpeg cannot open it"
    assert watch.seen == []


def test_a_file_that_names_another_as_a_part_of_itself_opens_it_not(
    tmp_path: Path, sample: Callable[[str], Path]
) -> None:
    """Data references of QuickTime, linked segments of Matroska, the pictures of VobSub, files beside a raw picture."""
    kinds = ("alias", "url", "linked segment", "VobSub as .idx", "raw picture")
    (tmp_path / "media").mkdir()
    with watched(tmp_path / "secret", sample("offset.ts").read_bytes()) as watch:
        files = dict(write_linked(tmp_path / "media", watch.secret, sample))
        reasons = {kind: read_all(files[kind]) for kind in kinds}
    assert watch.seen == []
    assert [reasons[kind] for kind in ("url", "linked segment", "raw picture")] == [None, None, None]
    assert str(reasons["VobSub as .idx"]).startswith("not a media file")


def test_a_file_replaced_by_a_fifo_is_not_waited_for(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(sample("tone.wav").read_bytes())
    assert inspect(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(MediaError, match="not a regular file"):
        AudioReader(path)


def test_a_sidecar_that_is_a_link_to_another_kind_of_file_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    (tmp_path / "id_rsa").write_text("a secret\n")
    (tmp_path / "shared.TXT").write_text("a caption\n")
    (tmp_path / "film.txt").symlink_to(tmp_path / "id_rsa")
    remark, cues = _only_sidecar(tmp_path)
    assert remark == "a link to id_rsa, which is no .txt file: left out" and not cues
    (tmp_path / "film.txt").unlink()
    (tmp_path / "film.txt").symlink_to(tmp_path / "shared.TXT")
    assert _only_sidecar(tmp_path) == (None, ["a caption"])


def _only_sidecar(folder: Path) -> tuple[str | None, list[str]]:
    (sidecar,) = Sidecars().find(folder / "film.mp4")
    read = read_sidecar(sidecar, folder / "film.mp4", 10.0)
    assert read.source is not None
    return read.remark, [cue.text for cue in read.source.cues]


def test_one_place_opens_media() -> None:
    """What starts FFmpeg, loads a decoder or lets Pillow guess a format is where the allow-lists are."""
    places = {
        r"\bsubprocess\.(run|Popen|call|check_\w+)\(": {
            "media/ffmpeg.py",
            "media/image_process.py",
            "app/index_job.py",
            "app/library_page.py",
        },
        r"\bos\.(exec|spawn|popen|system)\w*\(": {"media/pyav_libraries.py"},
        r"\b(from|import) (torchcodec|torchaudio|cv2|av|soundfile|librosa|imageio)\b": {
            "media/ffmpeg.py",
            "media/video.py",
        },
        r"\bvideo_decoder\(\)": {"media/ffmpeg.py", "media/video.py"},
        r'"(rawpy|pillow_heif)"': {"media/optional_libraries.py"},
        r"Image\.open\((?![^\n]*formats=)": set(),
        r'"-i",(?!\s*(input|file)_url\()': set(),
        r"(?<!def )\b(?<![\w.])open\(|\.open\(\"rb\"\)|\.read_bytes\(\)": set(),
    }
    for pattern, allowed in places.items():
        rooms = ("media",) if "read_bytes" in pattern else ROOMS
        found = {
            path.relative_to(ROOT).as_posix()
            for room in rooms
            for path in (ROOT / room).rglob("*.py")
            if re.search(pattern, path.read_text("utf-8"))
        }
        assert found <= allowed | {"media/file_head.py", "media/embedded_metadata.py"}, pattern
