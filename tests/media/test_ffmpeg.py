"""FFmpeg as a process: limits, crashes, silence."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import FFmpegMissing, MediaError
from pesearch.media import ffmpeg
from pesearch.media.audio import AudioReader
from pesearch.media.memory_limits import LIMITS
from pesearch.media.probe import probe
from pesearch.media.video import read_frames

Sample = Callable[[str], Path]


@pytest.fixture
def fake_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A function that replaces ffmpeg and ffprobe by a shell script."""

    def put(script: str) -> None:
        for name in ("ffmpeg", "ffprobe"):
            path = tmp_path / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        ffmpeg.program.cache_clear()

    yield put
    monkeypatch.undo()
    ffmpeg.program.cache_clear()


def test_a_crash_of_ffprobe_is_a_media_error(
    sample: Sample, tmp_path: Path, fake_program: Callable[[str], None]
) -> None:
    copy = tmp_path / "film.mp4"
    copy.write_bytes(sample("both.mp4").read_bytes())
    fake_program("kill -SEGV $$")
    with pytest.raises(MediaError, match=r"crashed on it \(signal 11\)"):
        probe(copy)


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit")
def test_the_system_bounds_the_memory_of_a_program(fake_program: Callable[[str], None]) -> None:
    fake_program("while [ $(ulimit -d) = unlimited ]; do :; done; ulimit -d")
    done = ffmpeg.run_program("ffprobe", timeout_seconds=20)
    assert int(done.stdout) * 1024 == LIMITS["ffprobe"].process_bytes


def test_a_hanging_program_times_out(fake_program: Callable[[str], None]) -> None:
    fake_program("exec sleep 100")
    with pytest.raises(MediaError, match="did not finish"):
        ffmpeg.run_program("ffprobe", timeout_seconds=0.2)


def test_hanging_audio_decoding_times_out(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, fake_program: Callable[[str], None]
) -> None:
    reader = AudioReader(sample("tone.wav"))
    fake_program("exec sleep 100")
    monkeypatch.setattr("pesearch.media.decoded_audio.TIMEOUT_SECONDS", 0.2)
    with pytest.raises(MediaError, match="did not decode"):
        reader.read(0, 1)
    assert reader._decoder is None


def test_ffmpeg_runs_in_its_own_process_group(sample: Sample) -> None:
    with AudioReader(sample("tone.wav")) as reader:
        reader.read(0, 0.1)
        assert reader._decoder is not None
        assert os.getpgid(reader._decoder.process.pid) != os.getpgid(0)


def test_missing_programs_are_reported_with_the_command_to_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ffmpeg.program.cache_clear()
    with pytest.raises(FFmpegMissing, match="run `"):
        ffmpeg.ensure_ffmpeg()


def test_damaged_files_print_nothing(sample: Sample, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("half.mp4", "half.mkv"):
        list(read_frames(sample(name), np.arange(0, 2, 0.25)))
        with AudioReader(sample(name)) as reader:
            reader.read(0, 4)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
