"""A real server over a real library: media files by byte ranges and by id only, and playing in a real browser."""

from __future__ import annotations

import io
import json
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext

from pesearch.app.browser_formats import browser_can_play
from pesearch.app.jobs import CORES
from pesearch.app.urls import clip_url, proxy_url, thumb_url, wave_url
from pesearch.store.derived.previews import nearest_preview
from pesearch.store.library import Library
from pesearch.types import MediaFile
from tests.app.big_file import HOLE_BYTES
from tests.app.server_process import Server, app_command, free_port

pytestmark = pytest.mark.slow

Files = dict[str, MediaFile]


PLAY_THE_END = """async url => {
    const video = document.createElement("video")
    video.src = url
    video.muted = true
    document.body.append(video)
    await new Promise((done, failed) => { video.onloadedmetadata = done; video.onerror = () => failed(video.error) })
    const from = video.currentTime = video.duration - 1
    await video.play()
    while (video.currentTime < from + 0.3) await new Promise(done => setTimeout(done, 20))
    return video.duration
}"""
"""Plays a part of the last second, and returns the duration."""


def ffprobe(content: bytes, path: Path) -> dict[str, str]:
    """The codec of each kind of stream, and the duration."""
    path.write_bytes(content)
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_type,codec_name:format=duration", "-of", "json"]
    found = json.loads(subprocess.run([*command, path], capture_output=True, check=True).stdout)
    return {each["codec_type"]: each["codec_name"] for each in found["streams"]} | found["format"]


def test_a_file_is_served_whole_or_by_the_range_requested(server: Server, files: Files) -> None:
    file = files["siren_train.mp4"]
    content, size = file.path.read_bytes(), file.path.stat().st_size
    whole = server.get(clip_url(file), Accept_Encoding="gzip")
    assert (whole.status, whole.body) == (200, content)
    assert whole.headers["content-type"] == "video/mp4"
    assert "content-encoding" not in whole.headers
    for requested, start, end in (
        ("100-299", 100, 300),
        ("0-0", 0, 1),
        ("-500", size - 500, size),
        (f"{size - 10}-", size - 10, size),
        (f"{size - 10}-{size + 10}", size - 10, size),
    ):
        part = server.get(f"/clip/{file.id}", Range=f"bytes={requested}", Accept_Encoding="gzip")
        assert (part.status, part.body) == (206, content[start:end])
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"


def test_a_range_past_the_end_is_refused_and_head_has_no_body(server: Server, files: Files) -> None:
    file = files["siren_train.mp4"]
    size = file.path.stat().st_size
    beyond = server.get(f"/clip/{file.id}", Range=f"bytes={size}-")
    assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    head = server.get(f"/clip/{file.id}", "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(size))
    assert head.headers["accept-ranges"] == "bytes"


def test_the_server_of_the_page_answers_programs(server: Server, files: Files) -> None:
    answer = server.get("/api/search?q=siren+and+train&k=1")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    found = json.loads(answer.body)["moments"][0]["file_id"]
    assert found in {files[name].id for name in ("siren_train.mp4", "copied.mkv", "old.avi", "hevc.mp4")}
    assert server.get(f"/api/moments/{found}/0-1000/picture.jpg").body.startswith(b"\xff\xd8")
    assert server.get("/api/search?q=siren", Origin="https://example.org").status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/clip/999999",
        "/clip/-1",
        "/clip/1.5",
        "/clip/" + "9" * 6000,
        "/clip/..%2F..%2Fetc%2Fpasswd",
        "/clip/%2Fetc%2Fpasswd",
        "/clip/1/..%2F..%2Fpyproject.toml",
        "/clip/%2e%2e/%2e%2e/etc/passwd",
        "/clip//etc/passwd",
        "/thumb/999999/0.jpg",
        "/thumb/1/-5.jpg",
        "/thumb/1/0.png",
        "/thumb/..%2F..%2F1/0.jpg",
        "/wave/999999/0-1000.png",
        "/wave/1/0-1000.jpg",
        "/proxy/999999/0-1000.mp4",
        "/proxy/1/0-1000.exe",
        f"/clips/{'0' * 32}.zip",
        "/clips/%2e%2e%2flibrary.zip",
    ],
)
def test_only_files_of_the_library_are_served(server: Server, path: str) -> None:
    answer = server.get(path)
    assert answer.status in (400, 404)
    assert b"root:" not in answer.body
    assert b"<html" not in answer.body


def test_an_offline_file_gives_one_line_and_its_stored_previews(
    server: Server, files: Files, mixed_library: Library
) -> None:
    file = files["small.webm"]
    path = file.path
    before = server.get(thumb_url(file, 0)).body
    moved = path.rename(path.with_suffix(".offline"))
    try:
        answer = server.get(clip_url(file))
        after = server.get(thumb_url(file, 0)).body
        preview = server.get(thumb_url(file, 0.5))
        waveform = server.get(wave_url(file, 0, 1))
    finally:
        moved.rename(path)
    for response in (answer, waveform):
        assert (response.status, response.body.count(b"\n")) == (404, 0)
        assert response.headers["content-type"].startswith("text/plain")
    assert before == after
    assert (preview.status, preview.headers["content-type"]) == (200, "image/jpeg")
    assert preview.body == nearest_preview(mixed_library.folder, file.fingerprint, 0.5)
    assert "no-cache" in preview.headers["cache-control"]
    assert server.get(thumb_url(file, 0.5)).body != preview.body  # the file is online again


def test_media_is_never_served_as_a_page(server: Server, files: Files) -> None:
    answer = server.get(clip_url(files["page.html"]))
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")


def test_ranges_of_a_large_file_take_no_memory(server: Server, files: Files) -> None:
    file = files["big.mp4"]
    size = file.path.stat().st_size
    assert size > HOLE_BYTES
    assert browser_can_play(file)
    before = server.memory_bytes()
    for requested in (f"bytes={size - 65536}-", "bytes=-100000", f"bytes={HOLE_BYTES}-"):
        assert server.get(f"/clip/{file.id}", Range=requested).status == 206
    end = server.get(f"/clip/{file.id}", Range=f"bytes={size - 65536}-").body
    with file.path.open("rb") as source:
        source.seek(size - 65536)
        assert end == source.read()
    for _ in range(3):  # as players do: request everything, read the head, disconnect
        with socket.create_connection(("127.0.0.1", server.port)) as player:
            player.sendall(f"GET /clip/{file.id} HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=0-\r\n\r\n".encode())
            assert player.recv(1 << 20).startswith(b"HTTP/1.1 206")
    last = Image.open(io.BytesIO(server.get(thumb_url(file, file.info.duration_seconds)).body))
    assert np.asarray(last).std() > 1
    assert server.memory_bytes() - before < 64 << 20


def test_a_thumbnail_is_cached_by_its_time_and_version(server: Server, files: Files) -> None:
    file = files["siren_train.mp4"]
    answer = server.get(thumb_url(file, 2.34))
    image = Image.open(io.BytesIO(answer.body))
    assert (image.format, image.width, answer.headers["content-type"]) == (
        "JPEG",
        min(320, file.info.video.width),
        "image/jpeg",
    )
    assert "immutable" in answer.headers["cache-control"]
    assert server.get(f"/thumb/{file.id}/2399.jpg").body == answer.body
    assert "no-cache" in server.get(f"/thumb/{file.id}/2300.jpg?v=other").headers["cache-control"]
    same = server.get(f"/thumb/{file.id}/2300.jpg", If_None_Match=answer.headers["etag"])
    assert (same.status, same.body) == (304, b"")
    assert server.get(f"/thumb/{file.id}/2300.jpg?width=5000").status == 400
    assert server.get(thumb_url(files["siren_alone.wav"], 0)).status == 404
    assert Image.open(io.BytesIO(server.get(thumb_url(files["red_ball.png"], 0)).body)).format == "JPEG"


def test_a_hundred_thumbnails_at_once_use_at_most_one_process_per_core(
    server: Server, files: Files, mixed_library: Library
) -> None:
    names, times = ("siren_train.mp4", "copied.mkv"), np.arange(0.0, 2.5, 0.25)
    wanted = 5 * [thumb_url(files[name], float(time)) for name in names for time in times]
    most = 0
    with ThreadPoolExecutor(100) as pages:
        answers = [pages.submit(server.get, address) for address in wanted]
        while not all(answer.done() for answer in answers):
            most = max(most, children(server.pid))
            time.sleep(0.02)
    assert {answer.result().status for answer in answers} == {200}
    assert all(Image.open(io.BytesIO(answer.result().body)).format == "JPEG" for answer in answers)
    assert 0 < most <= CORES
    assert len(list((mixed_library.folder / "thumbnails").glob("*.jpg"))) >= len(set(wanted))


def children(pid: int) -> int:
    """The number of child processes."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return sum(len(task.read_text().split()) for task in tasks)


def test_a_waveform_shows_the_interval_requested(server: Server, files: Files) -> None:
    for name in ("siren_alone.wav", "siren_train.mp4", "sound.wma"):
        answer = server.get(wave_url(files[name], 0, 3))
        image = Image.open(io.BytesIO(answer.body))
        assert (image.format, image.size, image.mode) == ("PNG", (1200, 120), "RGBA")
        opaque = np.asarray(image)[..., 3] > 0
        assert 0.02 < opaque.mean() < 0.98
    file = files["siren_alone.wav"]
    half = file.info.duration_seconds
    padded = Image.open(io.BytesIO(server.get(wave_url(file, 0, 2 * half)).body))
    heights = (np.asarray(padded)[..., 3] > 0).sum(axis=0)
    assert heights[:600].max() > 20
    assert heights[610:].max() <= 2
    assert server.get(wave_url(file, 0, 601)).status == 400
    assert server.get(f"/wave/{file.id}/3000-3000.png").status == 400
    assert server.get(wave_url(file, 5000, 5001)).status == 404
    assert server.get(wave_url(files["red_ball.png"], 0, 1)).status == 404


@pytest.mark.parametrize("name", ["copied.mkv", "old.avi", "hevc.mp4"])
def test_a_video_proxy_plays_in_browsers(server: Server, files: Files, tmp_path: Path, name: str) -> None:
    assert not browser_can_play(files[name])
    address = proxy_url(files[name], 0.5, 1.5)
    answer = server.get(address)
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
    found = ffprobe(answer.body, tmp_path / "cut.mp4")
    assert (found["video"], found["audio"]) == ("h264", "aac")
    assert float(found["duration"]) == pytest.approx(1.0, abs=0.15)
    assert answer.body.index(b"moov") < answer.body.index(b"mdat")
    part = server.get(address, Range="bytes=10-19", If_Range=answer.headers["etag"])
    assert (part.status, part.body) == (206, answer.body[10:20])


def test_an_audio_proxy_plays_in_browsers(server: Server, files: Files, tmp_path: Path) -> None:
    assert not browser_can_play(files["sound.wma"])
    answer = server.get(proxy_url(files["sound.wma"], 0, 2))
    assert answer.headers["content-type"] == "audio/mp4"
    found = ffprobe(answer.body, tmp_path / "cut.m4a")
    assert found.get("video") is None
    assert (found["audio"], float(found["duration"])) == ("aac", pytest.approx(2.0, abs=0.15))
    assert server.get(proxy_url(files["sound.wma"], 0, 601)).status == 400
    assert server.get(proxy_url(files["sound.wma"], 9000, 9001)).status == 404


def test_formats_that_browsers_can_play(files: Files) -> None:
    played = {name for name, file in files.items() if browser_can_play(file)}
    assert played == {
        "siren_train.mp4", "siren_alone.wav", "red_ball.png", "page.html", "big.mp4", "small.webm", "sound.opus",
        "sound.flac", "sound.mp3",
    }  # fmt: skip


def test_a_large_file_and_proxies_play_in_a_browser(server: Server, files: Files, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{server.address}/_stcore/health")
    before = server.memory_bytes()
    file = files["big.mp4"]
    assert page.evaluate(PLAY_THE_END, clip_url(file)) == pytest.approx(file.info.duration_seconds, abs=0.1)
    assert server.memory_bytes() - before < 64 << 20
    for name in ("old.avi", "hevc.mp4", "sound.wma"):
        assert page.evaluate(PLAY_THE_END, proxy_url(files[name], 0, 2)) == pytest.approx(2.0, abs=0.15)
    page.close()


def test_ctrl_c_ends_the_server_during_a_download(mixed_library: Library) -> None:
    port = free_port()
    with subprocess.Popen(app_command(mixed_library.folder, port), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert f"http://127.0.0.1:{port}/" in process.stderr.readline()
        again = subprocess.run(app_command(mixed_library.folder, port), capture_output=True, text=True)
        assert (again.returncode, again.stderr.count("\n")) == (2, 1)
        assert "in use" in again.stderr
        file = next(file for file in mixed_library.files() if file.path.name == "big.mp4")
        with socket.create_connection(("127.0.0.1", port)) as player:
            player.sendall(f"GET /clip/{file.id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert player.recv(100)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
        lines = process.stderr.read().splitlines()  # a thread may report that another page answers queries
        assert [line for line in lines if line.startswith("pesearch: interrupted")]
