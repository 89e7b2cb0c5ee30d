"""Put deliberate faults into the code, one at a time, and check that the tests notice.

    python -m tests.mutate                     # every mutation of tests/**/mutations.toml
    python -m tests.mutate search/score        # those of the files under these paths
    python -m tests.mutate --name "RRF"        # those with these words in their name
    python -m tests.mutate --list

A mutation replaces a text that stands exactly once in a file, in a copy of the working tree, and runs the tests named
beside it. It is killed when at least one of them fails, and survives when all pass. Exit code 1 when one survives, 2
when one no longer applies. The tests are first run unchanged: a test that fails anyway kills nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

TIMEOUT_SECONDS = 600
"""A mutant that runs longer than this hangs, and is killed by that."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A fault: `before` becomes `after` in `file`, which some of `tests` must notice."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    def apply(self, tree: Path) -> str:
        """Change the file in a tree; its text before. Raises ValueError where `before` does not stand there once."""
        path = tree / self.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text.count(self.before) != 1:
            raise ValueError(f"{self.file} holds {text.count(self.before)} times: {self.before}")
        path.write_text(text.replace(self.before, self.after), encoding="utf-8")
        return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutations that are asked for, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="files or folders of the product whose mutations are run")
    parser.add_argument("--name", default="", help="only mutations with this text in their name")
    parser.add_argument("--list", action="store_true", help="print the mutations without running them")
    options = parser.parse_args(arguments)
    chosen = [
        each for each in mutations() if options.name.lower() in each.name.lower() and _is_under(each, options.paths)
    ]
    if options.list:
        print(*(f"{each.file}: {each.name}" for each in chosen), sep="\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = copy_tree(Path(folder) / "tree")
        results = [report(each, tree) for each in chosen]
    print(f"{results.count('killed')} of {len(results)} mutations killed")
    return 2 if "does not apply" in results else int(results.count("killed") < len(results))


def mutations() -> Iterator[Mutation]:
    """All mutations, in the order of the files that list them."""
    for path in sorted((ROOT / "tests").rglob("mutations.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutation"]:
            yield Mutation(**entry | {"tests": tuple(entry["tests"])})


def copy_tree(target: Path) -> Path:
    """The working tree without what git ignores, its links as links."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        source = ROOT / name
        if name and (source.is_symlink() or source.is_file()):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    return target


def report(mutation: Mutation, tree: Path) -> str:
    """Run one mutation, print how it ended, and leave the tree as it was."""
    outcome = run(mutation, tree) if passes(mutation.tests, tree) else "tests fail without it"
    print(f"{outcome:<15} {mutation.file}: {mutation.name}", flush=True)
    return outcome


def run(mutation: Mutation, tree: Path) -> str:
    """`killed`, `SURVIVED`, or `does not apply`."""
    try:
        original = mutation.apply(tree)
    except ValueError as error:
        print(error, file=sys.stderr)
        return "does not apply"
    try:
        return "SURVIVED" if passes(mutation.tests, tree) else "killed"
    finally:
        (tree / mutation.file).write_text(original, encoding="utf-8")


def passes(tests: Sequence[str], tree: Path) -> bool:
    """Whether these tests pass on a tree. Raises RuntimeError when there is none of these tests."""
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        result = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    if result.returncode in (4, 5):  # pytest's codes for a usage error and for no tests
        raise RuntimeError(f"no such tests: {' '.join(tests)}\n{result.stdout.decode()[-2000:]}")
    return result.returncode == 0


def _is_under(mutation: Mutation, paths: Sequence[str]) -> bool:
    return not paths or any(Path(mutation.file).is_relative_to(path.rstrip("/")) for path in paths)


if __name__ == "__main__":
    sys.exit(main())
