"""The links to the libraries in PyAV's wheel, and the process that starts again with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pesearch.media.pyav_libraries import link_libraries, search_path

VERSIONS = {
    "avcodec": "62.28.101", "avdevice": "62.3.101", "avfilter": "11.14.101", "avformat": "62.12.101",
    "avutil": "60.26.101", "swresample": "6.3.101", "swscale": "9.5.101",
}  # fmt: skip
OTHERS = ("libx264-9d91c92e.so.165", "libavcodec.so.1", "libopus-21e4ab3f.so.0.10.1")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The names of a wheel of PyAV."""
    folder = tmp_path / "av.libs"
    folder.mkdir()
    for name in [*(f"lib{name}-0a1b2c3d.so.{version}" for name, version in VERSIONS.items()), *OTHERS]:
        (folder / name).touch()
    return folder


def test_ffmpegs_libraries_are_linked_under_the_names_that_torchcodec_loads(wheel: Path, tmp_path: Path) -> None:
    folder = link_libraries(wheel, tmp_path / "cache" / "ffmpeg")
    assert folder is not None
    assert {link.name: link.readlink().name for link in folder.iterdir()} == {
        f"lib{name}.so.{version.partition('.')[0]}": f"lib{name}-0a1b2c3d.so.{version}"
        for name, version in VERSIONS.items()
    }
    assert all(link.exists() for link in folder.iterdir())


def test_links_to_another_wheel_are_replaced(wheel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ffmpeg"
    folder.mkdir()
    (folder / "libavutil.so.60").symlink_to(tmp_path / "gone")
    for _ in range(2):
        assert link_libraries(wheel, folder) == folder
        assert (folder / "libavutil.so.60").exists()
        assert len(list(folder.iterdir())) == len(VERSIONS)


def test_a_wheel_without_all_of_them_is_not_used(wheel: Path, tmp_path: Path) -> None:
    next(wheel.glob("libswscale-*")).unlink()
    assert link_libraries(wheel, tmp_path / "ffmpeg") is None
    assert not (tmp_path / "ffmpeg").exists()


def test_a_folder_that_cannot_be_written_is_not_used(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert link_libraries(wheel, tmp_path / "file" / "ffmpeg") is None


def test_the_search_path_keeps_what_was_there() -> None:
    folders = Path("/a"), Path("/b")
    assert search_path({}, *folders) == "/a:/b"
    assert search_path({"LD_LIBRARY_PATH": "/c:/d"}, *folders) == "/a:/b:/c:/d"


RESTARTING = """
import os, sys
from pathlib import Path
from pesearch.media import pyav_libraries
pyav_libraries.wheel_folder = lambda: Path(sys.argv[1])
pyav_libraries._has_system_ones = lambda: False
print(os.environ.get("LD_LIBRARY_PATH"), os.getpid(), sys.argv[2:], flush=True)
pyav_libraries.restart_with_pyav_libraries()
print("goes on")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the dynamic linker of Linux")
def test_the_process_starts_again_once_with_the_same_arguments(wheel: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    output = subprocess.run(
        [sys.executable, "-c", RESTARTING, wheel, "a b", "--c"],
        env={**environment, "XDG_CACHE_HOME": str(tmp_path)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    (first, pid, *arguments), (second, same_pid, *same_arguments), last = [
        line.split(" ", 2) for line in output.splitlines()
    ]
    assert (first, second) == ("None", f"{tmp_path}/pesearch/ffmpeg:{wheel}")
    assert (pid, arguments) == (same_pid, same_arguments)
    assert arguments == ["['a b', '--c']"]
    assert last == ["goes", "on"]
