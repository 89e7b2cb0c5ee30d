"""FFmpeg's shared libraries from PyAV's wheel, for a Linux without them and without root: `pesearch[ffmpeg]`.

FFmpeg's two programs are needed too: a static build of them brings no shared libraries.

The wheel holds all that torchcodec loads, under names with a hash, which the loader does not look for. So a folder of
links gives them their own names, and the process starts again with that folder in LD_LIBRARY_PATH: the loader reads
the variable only when a process starts.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

_VARIABLE = "LD_LIBRARY_PATH"

_RESTARTED = "PESEARCH_PYAV_LIBRARIES"
"""Set to the folder in the process that was started again, and in its children."""

_LIBRARY = re.compile(r"(lib[a-z]+)-[0-9a-f]{8}\.so\.(\d+)(?:\.\d+)*")
"""Name of a library in the wheel: its own, a hash, and its version, whose first number is part of the name."""

_FFMPEG_LIBRARIES = ("avcodec", "avdevice", "avfilter", "avformat", "avutil", "swresample", "swscale")

_SYSTEM_VERSIONS = range(58, 63)
"""Versions of libavdevice, of FFmpeg 4 to 8: torchcodec loads these. It brings all other libraries with it."""


def restart_with_pyav_libraries() -> None:
    """Start this process again with the libraries of PyAV, if it is installed and the system has no libraries.

    Call it first of all: the process begins from scratch, with the same arguments, streams and process id.
    """
    if sys.platform != "linux" or _RESTARTED in os.environ or (wheel := wheel_folder()) is None or _has_system_ones():
        return
    folder = link_libraries(wheel, cache_folder())
    if folder is not None:
        environment = {**os.environ, _RESTARTED: str(folder), _VARIABLE: search_path(os.environ, folder, wheel)}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def wheel_folder() -> Path | None:
    """The folder of PyAV's wheel with the libraries; None if it is not installed, or built for the system's."""
    spec = find_spec("av")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent.parent / "av.libs"
    return folder if folder.is_dir() else None


def link_libraries(wheel: Path, folder: Path) -> Path | None:
    """Link the FFmpeg libraries of a wheel under their own names in `folder`, and return it.

    None if one is missing, or if the folder cannot be written.
    """
    links = {
        f"{match[1]}.so.{match[2]}": path
        for path in wheel.iterdir()
        if (match := _LIBRARY.fullmatch(path.name)) and match[1].removeprefix("lib") in _FFMPEG_LIBRARIES
    }
    if len(links) < len(_FFMPEG_LIBRARIES):
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, path in links.items():
            if (link := folder / name).is_symlink() and link.readlink() == path:
                continue
            temporary = folder / f"{name}.{os.getpid()}"
            temporary.symlink_to(path)
            temporary.replace(link)
    except OSError:
        return None
    return folder


def cache_folder() -> Path:
    """Where the links are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pesearch" / "ffmpeg"


def search_path(environment: Mapping[str, str], *folders: Path) -> str:
    """LD_LIBRARY_PATH with these folders first. The libraries of the wheel need each other under their hashed names."""
    return os.pathsep.join([*map(str, folders), *filter(None, [environment.get(_VARIABLE, "")])])


def _has_system_ones() -> bool:
    import ctypes  # not at the start of every command

    for version in _SYSTEM_VERSIONS:
        try:
            ctypes.CDLL(f"libavdevice.so.{version}")
        except OSError:
            continue
        return True
    return False
