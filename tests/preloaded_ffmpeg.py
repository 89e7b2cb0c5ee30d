"""FFmpeg's programs, started in two thirds of the time.

Debian's link 215 libraries, in which the dynamic linker looks up 43,000 symbols one library after the other: 50 of the
75 ms that `ffmpeg -version` takes, and the suite starts FFmpeg 2,000 times. Scripts of the same names start them with
the libraries first that most symbols are found in. The programs and their libraries are those of the system.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path

_PRELOADED = 40
"""More libraries save nothing."""

_SCRIPT = """#!/bin/sh
LD_PRELOAD="${{LD_PRELOAD:+$LD_PRELOAD:}}{libraries}" exec {program} "$@"
"""
"""What is preloaded already, such as the faults of `tests/faults`, stays first."""


def write_programs(folder: Path) -> None:
    """Write `ffmpeg` and `ffprobe` into a new folder; those that are not installed, or not linked so, are left out."""
    folder.mkdir()
    for name in ("ffmpeg", "ffprobe"):
        program = shutil.which(name)
        if program is not None and (libraries := _most_used_libraries(program)):
            script = folder / name
            script.write_text(_SCRIPT.format(libraries=":".join(libraries), program=shlex.quote(program)))
            script.chmod(0o755)


def _most_used_libraries(program: str) -> list[str]:
    """By the number of symbols that a run of the program looks up in them; none without the linker of the GNU C library
    (ld.so(8), LD_DEBUG)."""
    run = subprocess.run([program, "-version"], capture_output=True, env={**os.environ, "LD_DEBUG": "bindings"})
    found = re.findall(r" to (/\S+) \[0\]: normal symbol", run.stderr.decode(errors="replace"))
    counts = Counter(library for library in found if "/ld-linux" not in library and library != program)
    return [library for library, _ in counts.most_common(_PRELOADED)]
