"""The scripts that start FFmpeg's programs sooner start those programs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.preloaded_ffmpeg import write_programs

OWN_ENVIRONMENT = (
    "-v",
    "error",
    "-f",
    "data",
    "-i",
    "/proc/self/environ",
    "-map",
    "0",
    "-c",
    "copy",
    "-f",
    "data",
    "-",
)


def output(*command: str | Path) -> str:
    environment = {**os.environ, "LD_PRELOAD": "libm.so.6"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="needs the dynamic linker of the GNU C library")
def test_the_same_programs_run_with_their_libraries_after_those_preloaded_already(tmp_path: Path) -> None:
    write_programs(tmp_path / "bin")
    for name in ("ffmpeg", "ffprobe"):
        assert output(tmp_path / "bin" / name, "-version") == output(name, "-version")
    variables = dict(
        each.split("=", 1) for each in output(tmp_path / "bin" / "ffmpeg", *OWN_ENVIRONMENT).split("\0") if each
    )
    first, *libraries = variables["LD_PRELOAD"].split(":")
    assert first == "libm.so.6"
    assert libraries and all(Path(library).is_file() for library in libraries)


def test_programs_that_are_not_installed_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    write_programs(tmp_path / "bin")
    assert list((tmp_path / "bin").iterdir()) == []
