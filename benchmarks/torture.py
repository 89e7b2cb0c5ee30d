"""Kill writers at random points, one after the other at one library, and prove it whole after each.

python -m benchmarks.torture --points 200
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from tests.store.torture import LIFE_SECONDS, Torture


def main() -> None:
    """Ends with an error at the first library that is not whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance, started = random.Random(options.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        torture = Torture(Path(folder) / "library")
        for point in range(1, options.points + 1):
            torture.kill_once(chance.uniform(0, LIFE_SECONDS))
            if point % 20 == 0 or point == options.points:
                print(
                    f"{point} writers killed in {time.monotonic() - started:.0f} s: {torture.changes} changes, "
                    f"{torture.in_flight_kept} of them in flight and kept, generation {torture.generation}, "
                    f"{len(torture.twin.files())} files whole",
                    flush=True,
                )


if __name__ == "__main__":
    main()
