"""The command that installs FFmpeg on this system: its two programs, and the shared libraries that torchcodec loads."""

from __future__ import annotations

import platform
import sys

_COMMANDS = {
    "debian": "sudo apt-get install -y ffmpeg",
    "ubuntu": "sudo apt-get install -y ffmpeg",
    "fedora": "sudo dnf install -y ffmpeg-free",
    "arch": "sudo pacman -S ffmpeg",
    "suse": "sudo zypper install ffmpeg",
}
"""By the ID of a Linux distribution, or of one that it is like (os-release(5))."""


def programs_advice() -> str:
    """What to do where `ffmpeg` or `ffprobe` is missing. Queries need neither; all that reads media does."""
    return f"{_advice()}, or put a static build of ffmpeg and ffprobe on PATH"


def libraries_advice() -> str:
    """What to do where the shared libraries are missing, as next to a static build of the programs."""
    return f"{_advice()}, or `pip install 'pesearch[ffmpeg]'`" if sys.platform == "linux" else _advice()


def _advice() -> str:
    if sys.platform == "darwin":
        return "run `brew install ffmpeg`"
    if sys.platform == "win32":
        return "run `winget install Gyan.FFmpeg.Shared`"
    command = _command()
    return f"run `{command}`" if command else "install FFmpeg with its shared libraries"


def _command() -> str | None:
    """The command of this distribution; None for one that is not known."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return None
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    return next((_COMMANDS[name] for name in names if name in _COMMANDS), None)
