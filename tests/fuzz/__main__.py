"""Fuzzes our own parsers for as long as asked.

    python -m tests.fuzz [--seconds 60] [--seed N] [TARGET ...]

Inputs that break a law are kept in tests/fuzz/corpus, which the test suite tries again. Exit code 1 if there were any.
"""

from __future__ import annotations

import argparse
import random
import sys
import traceback

from tests.fuzz.fuzzer import fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", choices=[*TARGETS, []], help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target (default 60)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9), help="to repeat a run")
    arguments = parser.parse_args()
    found = 0
    for name in arguments.targets or TARGETS:
        tried, seen = 0, set[str]()
        for finding in fuzz(name, arguments.seed, max_seconds=arguments.seconds):
            tried += 1
            if tried % 500 == 0 and sys.stderr.isatty():
                print(f"\r{name}: {tried} inputs", end="", file=sys.stderr)
            if finding is None:
                continue
            place = traceback.extract_tb(finding.error.__traceback__)[-1]
            kind = f"{type(finding.error).__name__} at {place.name}:{place.lineno}"
            if kind not in seen:
                seen.add(kind)
                print(f"\n{name}: {kind}: {str(finding.error)[:200]} ({finding.keep()})")
        found += len(seen)
        print(f"{name}: {tried} inputs, {len(seen)} findings (seed {arguments.seed})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
