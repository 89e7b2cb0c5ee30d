"""The recalibration of a library on disk: `calibration.json` in its folder, which may be deleted at any time."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from pesearch.errors import LibraryDamaged
from pesearch.matching import LogOdds, Recalibration
from pesearch.store.disk.durable import disk_errors, write_durably

CALIBRATION_FILE = "calibration.json"


def read_recalibration(folder: Path) -> Recalibration | None:
    """The recalibration of the library in `folder`; None if it has none. Raises LibraryDamaged."""
    path = folder / CALIBRATION_FILE
    try:
        content = json.loads(path.read_bytes())
        names, sentences = (LogOdds(**content[kind]) for kind in ("names", "sentences"))
        return Recalibration(str(content["measured_on"]), names, sentences)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LibraryDamaged(f"{path} cannot be read: delete it, or run `pesearch calibrate` again") from error


def write_recalibration(folder: Path, recalibration: Recalibration | None) -> None:
    """Store or replace the recalibration of the library in `folder`; None removes it. Raises NoSpaceLeft and
    LibraryError."""
    path = folder / CALIBRATION_FILE
    with disk_errors(folder):
        if recalibration is None:
            path.unlink(missing_ok=True)
            return
        content = json.dumps(asdict(recalibration), indent=2).encode() + b"\n"
        write_durably(path, lambda sink: sink.write(content))
