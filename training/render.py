"""Scenes as media files: video with sound (H.264, AAC), sound alone (WAV), a still (PNG)."""

import subprocess
import tempfile
import wave
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pesearch.errors import FFmpegMissing, PesearchError
from pesearch.store.disk.durable import AtomicFile, undone_by, write_atomically
from training.pictures import render_frame
from training.scene import Scene
from training.sounds import SAMPLE_RATE, render_audio

WIDTH = 256
HEIGHT = 192


def write_video(path: Path, scenes: Sequence[Scene], frames_per_second: int = 12, sound: bool = True) -> None:
    """Write the scenes one after another as an MP4; the same scenes give the same bytes.

    The file is written atomically. Raises PesearchError when FFmpeg fails, FFmpegMissing when it is not installed.
    """
    file = AtomicFile(path, durable=False)
    with undone_by(file.abandon), tempfile.NamedTemporaryFile(suffix=".f32") as track:
        if sound:
            track.write(np.concatenate([render_audio(scene) for scene in scenes]).tobytes())
            track.flush()
        command = _command(file.temporary, frames_per_second, Path(track.name) if sound else None)
        _encode(command, _frames(scenes, frames_per_second))
        file.commit()


def write_audio(path: Path, scene: Scene) -> None:
    """Write the scene's sound as a 16-bit mono WAV of 48 kHz."""
    write_samples(path, render_audio(scene))


def write_samples(path: Path, samples: NDArray[np.float32]) -> None:
    """Write sound [samples] in -1..1 as a 16-bit mono WAV of 48 kHz, atomically."""

    def write(sink: BinaryIO) -> None:
        with wave.open(sink, "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes((samples * 32767).round().astype("<i2").tobytes())

    write_atomically(path, write, durable=False)


def write_picture(path: Path, scene: Scene, at_seconds: float = 0.0) -> None:
    """Write one moment of the scene as a PNG."""
    picture = Image.fromarray(render_frame(scene, at_seconds, WIDTH, HEIGHT))
    write_atomically(path, lambda sink: picture.save(sink, format="PNG"), durable=False)


def _frames(scenes: Sequence[Scene], frames_per_second: int) -> Iterable[NDArray[np.uint8]]:
    for scene in scenes:
        for frame in range(round(scene.duration_seconds * frames_per_second)):
            yield render_frame(scene, frame / frames_per_second, WIDTH, HEIGHT)


def _command(part: Path, frames_per_second: int, track: Path | None) -> list[str]:
    """FFmpeg for raw frames on its input, with one thread and no time stamps so that its output is reproducible."""
    pictures = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(frames_per_second)]
    sound = ["-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", str(track)] if track else []
    video = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-threads", "1"]
    audio = ["-c:a", "aac", "-b:a", "192k"] if track else ["-an"]
    exact = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    start = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    return [*start, *pictures, "-i", "pipe:0", *sound, *video, *audio, *exact, "-f", "mp4", str(part)]


def _encode(command: list[str], frames: Iterable[NDArray[np.uint8]]) -> None:
    with tempfile.TemporaryFile() as messages:
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=messages)
        except FileNotFoundError:
            raise FFmpegMissing("ffmpeg is missing; install it, for example: apt install ffmpeg") from None
        with process:
            try:
                assert process.stdin is not None
                for frame in frames:
                    process.stdin.write(frame.tobytes())
                process.stdin.close()
            except BrokenPipeError:
                pass  # FFmpeg ended early: its exit status and message give the reason
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            messages.seek(0)
            reason = messages.read().decode(errors="replace").strip().splitlines()
            raise PesearchError(f"ffmpeg failed: {reason[-1] if reason else f'exit status {process.returncode}'}")
