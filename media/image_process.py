"""Decoding of large pictures in a process of its own, with a limit of memory.

A file of some kilobytes can claim gigabytes, and decoders take up to five times the picture. The system refuses this
process more than MAX_PROCESS_BYTES, and gets all of it back when it ends; a crash of a decoder ends nothing else.

Its output: for each page `P`, height and width (uint32), and the pixels; for each remark or error `R` or `E`, a length
and JSON; a full stop at the end.
"""

from __future__ import annotations

import errno
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import IO

import numpy as np

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import NEW_PROCESS_GROUP
from pesearch.media.image_decoding import Fit, decode_pages
from pesearch.media.memory_limits import limit_this_process
from pesearch.types import ImageArray, Remark

MAX_PROCESS_BYTES = 655_000_000
"""Memory for one picture, beside the 40 MB of Python: 150 megapixels of 4 bytes, and a strip of them."""

_TIMEOUT_SECONDS = 120.0
"""Of all pages of a file together."""

_SIZE = struct.Struct(">II")
_LENGTH = struct.Struct(">I")


def decode_in_process(path: Path, fit: Fit | None) -> Iterator[ImageArray | Remark]:
    """As `decode_pages`. Errors: MediaError, also when it needs more memory or time than the limits."""
    command = [sys.executable, "-P", "-m", "pesearch.media.image_process", os.fspath(path.absolute())]
    with subprocess.Popen(
        [*command, *(str(side) for side in fit or ())],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, process_group=0,
        creationflags=NEW_PROCESS_GROUP,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        timer = Timer(_TIMEOUT_SECONDS, process.kill)
        timer.start()
        try:
            yield from _received(process, process.stdout)
        finally:
            timer.cancel()
            process.kill()


def _received(process: subprocess.Popen[bytes], pipe: IO[bytes]) -> Iterator[ImageArray | Remark]:
    while (kind := pipe.read(1)) != b".":
        if kind == b"P":
            height, width = _SIZE.unpack(_exactly(process, pipe, _SIZE.size))
            pixels = _exactly(process, pipe, height * width * 3)
            yield np.frombuffer(bytearray(pixels), np.uint8).reshape(height, width, 3)
            continue
        (length,) = _LENGTH.unpack(_exactly(process, pipe, _LENGTH.size)) if kind else (0,)
        said = json.loads(_exactly(process, pipe, length)) if kind else {}
        if kind == b"R":
            yield Remark(str(said["reason"]))
        elif kind == b"E":
            code = int(said["errno"])
            raise MediaError(str(said["reason"])) from (OSError(code, os.strerror(code)) if code else None)
        else:
            raise _ended(process)


def _exactly(process: subprocess.Popen[bytes], pipe: IO[bytes], size_bytes: int) -> bytes:
    content = pipe.read(size_bytes)
    if len(content) < size_bytes:
        raise _ended(process)
    return content


def _ended(process: subprocess.Popen[bytes]) -> MediaError:
    """The error for a process that ended before its answer."""
    code = process.wait()
    if code < 0:
        return MediaError(f"damaged image, or too large: its decoder was ended (signal {-code})")
    return MediaError("damaged image: its decoder ended without an answer")


def main() -> None:
    """Decode the file of the first argument into stdout, shrunk into the box of the other two if there are any."""
    limit_this_process(MAX_PROCESS_BYTES)
    name, *sides = sys.argv[1:]
    fit = (int(sides[0]), int(sides[1])) if sides else None
    output = sys.stdout.buffer
    try:
        for each in decode_pages(Path(name), fit):
            if isinstance(each, Remark):
                _say(output, b"R", {"reason": each.reason})
            else:
                output.write(b"P" + _SIZE.pack(*each.shape[:2]))
                output.write(np.ascontiguousarray(each).data)
        output.write(b".")
    except MediaError as error:
        cause = error.__cause__
        code = cause.errno if isinstance(cause, OSError) and cause.errno not in (None, errno.EINVAL) else 0
        _say(output, b"E", {"reason": str(error), "errno": code})
    output.flush()


def _say(output: IO[bytes], kind: bytes, said: dict[str, str | int | None]) -> None:
    content = json.dumps(said).encode()
    output.write(kind + _LENGTH.pack(len(content)) + content)


if __name__ == "__main__":
    main()
