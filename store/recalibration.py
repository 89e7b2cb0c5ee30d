"""The recalibration of a library on disk: `calibration.json` in its folder, which may be deleted at any time."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zlib import crc32

from pesearch.errors import LibraryDamaged
from pesearch.matching import LogOdds, Recalibration
from pesearch.store.disk.durable import disk_errors, write_atomically
from pesearch.store.disk.os_errors import unavailable

CALIBRATION_FILE = "calibration.json"

CHECKSUM_KEY = "crc32"
"""Entry with the checksum of the others. Files of older programs have none, nor may those that were edited by hand."""

MIN_SLOPE, MAX_SLOPE, MAX_OFFSET = 0.05, 20.0, 50.0
"""Scores that need a flatter slope say nothing about answers; no fit to real judgements is beyond the others."""


def read_recalibration(folder: Path) -> Recalibration | None:
    """The recalibration of the library in `folder`; None if it has none. Raises LibraryDamaged,
    LibraryUnavailable."""
    path = folder / CALIBRATION_FILE
    try:
        content = json.loads(path.read_bytes())
        if content.pop(CHECKSUM_KEY, None) not in (None, _checksum(content)):
            raise ValueError("other content than was written")
        return Recalibration(
            str(content["measured_on"]), *(_log_odds(content[kind]) for kind in ("names", "sentences"))
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unavailable(folder, CALIBRATION_FILE, error.errno) from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise LibraryDamaged(f"{path} cannot be read: delete it, or run `pesearch calibrate` again") from error


def write_recalibration(folder: Path, recalibration: Recalibration | None) -> None:
    """Store or replace the recalibration of the library in `folder`; None removes it. Raises NoSpaceLeft and
    LibraryError."""
    path = folder / CALIBRATION_FILE
    with disk_errors(folder):
        if recalibration is None:
            path.unlink(missing_ok=True)
            return
        entries = asdict(recalibration)
        content = json.dumps({**entries, CHECKSUM_KEY: _checksum(entries)}, indent=2).encode() + b"\n"
        write_atomically(path, lambda sink: sink.write(content), durable=False)  # by several processes, without a lock


def ensure_writable(folder: Path) -> None:
    """Raises LibraryError if nothing can be stored in the library in `folder`."""
    with disk_errors(folder):
        write_atomically(folder / f"{CALIBRATION_FILE}.try", lambda sink: None, durable=False)
        (folder / f"{CALIBRATION_FILE}.try").unlink(missing_ok=True)


def _checksum(content: Any) -> str:
    """The CRC-32 of the other entries, in hexadecimal: a flipped bit makes another number, which may be possible."""
    return f"{crc32(json.dumps(content, sort_keys=True).encode()):08x}"


def _log_odds(content: Any) -> LogOdds:
    """Raises ValueError, TypeError or OverflowError for what no fit gives."""
    found = LogOdds(**content)
    if not (MIN_SLOPE <= found.slope <= MAX_SLOPE and abs(found.offset) <= MAX_OFFSET):
        raise ValueError("out of range")
    return LogOdds(float(found.slope), float(found.offset))
