"""One writer and several readers, each a process, at one library; all answers compared with a plain twin's.

python -m benchmarks.beside --readers 8 --seconds 60
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.store.beside import run


def main() -> None:
    """Ends with an error where a reader saw an older generation after a newer one, or was answered wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(Path(folder) / "library", options.readers, options.seconds)
    print(
        f"{options.readers} readers beside a writer for {options.seconds:.0f} s: {figures.changes} changes and "
        f"{figures.merges} merges committed, {figures.answers} answers at {figures.generations_seen} generations, "
        "all equal to the twin's"
    )


if __name__ == "__main__":
    main()
