"""Put a fault into each call of each operation on a library, then cut the power at each, and check what is left.

    python -m tests.faults                               # all of it: an hour on two cores
    python -m tests.faults --operation add merge         # these operations
    python -m tests.faults --operation add --call stat   # errors of these calls alone
    python -m tests.faults --cases 50                    # about as many of each operation, of all kinds
    python -m tests.faults --list                        # the operations

After each case: the state is that before the operation or that after it, by value; what doctor finds was there before;
no shard is lost or changed; the next writer works, and leaves no stray file. Exit code 1 when a case is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.faults.interposer import Kind, interposed_environment, is_interposed, reason_for_skipping
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.sweep import Fault, Outcome, Sweep

MEMORY = Path("/dev/shm")
"""A file system in memory, if there is one: syncs there take no time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases that are asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operation", nargs="+", choices=[each.name for each in OPERATIONS], default=None)
    parser.add_argument("--call", nargs="+", choices=[kind.name.lower() for kind in Kind], help="only faults in these")
    parser.add_argument("--cases", type=int, help="about how many cases of each operation to run")
    parser.add_argument("--list", action="store_true", help="print the operations")
    parser.add_argument("--json", action="store_true", help="print each outcome as a line of JSON")
    options = parser.parse_args(arguments)
    if options.list:
        print(*(f"{each.name:<10} {each.summary}" for each in OPERATIONS), sep="\n")
        return 0
    if (reason := reason_for_skipping()) is not None:
        sys.exit(reason)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None, prefix="faults-") as folder:
        if not is_interposed():
            command = [sys.executable, "-m", "tests.faults", *sys.argv[1:]]
            return os.spawnve(os.P_WAIT, sys.executable, command, interposed_environment(Path(folder)))
        chosen = [each for each in OPERATIONS if options.operation is None or each.name in options.operation]
        calls = frozenset(Kind) if options.call is None else frozenset(Kind[name.upper()] for name in options.call)
        outcomes = [each for operation in chosen for each in run(operation, Path(folder), options.cases, calls)]
    if options.json:
        print(*(json.dumps(asdict(each)) for each in outcomes), sep="\n")
    else:
        print_table(outcomes)
    return int(any(each.wrong for each in outcomes))


def run(operation: Operation, folder: Path, cases: int | None, calls: frozenset[Kind]) -> Iterator[Outcome]:
    """Run the cases of an operation, with a line of progress each few seconds. Power cuts only with all `calls`."""
    sweep = Sweep(operation, folder / operation.name)
    faults = [fault for fault in sweep.faults() if fault.kind in calls]
    chosen = faults if cases is None else sample(faults, cases, OPERATIONS.index(operation))
    reported = time.monotonic()
    for number, fault in enumerate(chosen, start=1):
        outcome = sweep.run(fault)
        yield outcome
        if outcome.wrong or time.monotonic() > reported + 10:
            reported = time.monotonic()
            wrong = f", {fault}: {'; '.join(map(_general, outcome.wrong))}" if outcome.wrong else ""
            print(f"{operation.name}: {number} of {len(chosen)} cases{wrong}", file=sys.stderr, flush=True)
    if calls == frozenset(Kind):
        yield from sweep.cut_power(cases)


def sample(faults: Sequence[Fault], count: int, first: int) -> list[Fault]:
    """About `count` of the faults: as many of each kind of call and error, evenly spread over its calls.

    If there are more such kinds than that, as many of those with a kill as of those with an error, from `first` on.
    """
    groups: dict[tuple[Kind, int | None], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.kind, fault.error), []).append(fault)
    kills = [group for (_, error), group in groups.items() if error is None]
    errors = [group for (_, error), group in groups.items() if error is not None]
    if count < len(groups):
        chosen = [part[(first + turn) % len(part)] for turn in range(count // 2) for part in (kills, errors)]
        return [group[len(group) // 2] for group in chosen]
    share = count // len(groups)
    spread = [group[(2 * part + 1) * len(group) // (2 * share)] for group in groups.values() for part in range(share)]
    return list(dict.fromkeys(spread))


def print_table(outcomes: Sequence[Outcome]) -> None:
    """A line for each operation and kind of call, then each kind of mistake with its first cases."""
    rows = Counter((each.operation, each.kind, column) for each in outcomes for column in _columns(each))
    print(f"{'operation':<10} {'call':<10} {'cases':>6} {'before':>6} {'after':>6} {'wrong':>6}")
    for operation, kind in dict.fromkeys((each.operation, each.kind) for each in outcomes):
        counts = (rows[operation, kind, column] for column in ("cases", "before", "after", "wrong"))
        print(f"{operation:<10} {kind:<10}" + "".join(f" {count:>6}" for count in counts))
    mistakes: dict[str, list[str]] = {}
    for each in outcomes:
        if each.wrong:
            mistakes.setdefault(f"{each.operation}: {'; '.join(map(_general, each.wrong))}", []).append(each.fault)
    for mistake, faults in mistakes.items():
        print(f"{len(faults)} x {mistake} ({', '.join(faults[:4])})")
    print(f"{len(outcomes)} cases, {sum(bool(each.wrong) for each in outcomes)} wrong")


def _columns(outcome: Outcome) -> list[str]:
    return ["cases", *(["wrong"] if outcome.wrong else [outcome.state])]


def _general(text: str) -> str:
    """The text without the names of shards and of the temporary folder."""
    return re.sub(r"[0-9a-f]{32}", "SHARD", re.sub(r"/\S*/case/", "", text))


if __name__ == "__main__":
    sys.exit(main())
