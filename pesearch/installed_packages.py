"""The packages that pesearch needs, as its metadata lists them, against those that are installed."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version

from pesearch.errors import PackageMismatch

_REPLACEMENTS = {"faiss-cpu": "faiss-gpu"}
"""Packages that provide the same module. Those of a pair own the same files, so that one damages the other."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A package that is not installed (`installed` is None), or in a version outside the range that is `needed`."""

    name: str
    needed: str
    installed: str | None

    def __str__(self) -> str:
        found = f"{self.name} {self.installed} is installed" if self.installed else f"{self.name} is not installed"
        return f"{found}, and pesearch needs {self.needed}: run `pip install '{self.name}{self.needed}'`"


def check_packages(*names: str) -> None:
    """Check packages before they are imported: in other versions they may fail far from the cause.

    Raises PackageMismatch for the first that is missing, or of a version that does not work.
    """
    for mismatch in mismatches(_requirements(), names):
        raise PackageMismatch(str(mismatch))


def all_mismatches() -> list[str]:
    """One line for each package that is missing, or of a version that does not work, and for each pair that clashes."""
    clashes = (pair for pair in _REPLACEMENTS.items() if all(_installed(name) for name in pair))
    return [
        *(str(each) for each in mismatches(_requirements())),
        *(
            f"{first} and {second} are both installed and overwrite each other: run `pip uninstall {second}`, "
            f"then `pip install --force-reinstall --no-deps {first}`"
            for first, second in clashes
        ),
    ]


def mismatches(requirements: Iterable[str], names: Container[str] | None = None) -> Iterator[Mismatch]:
    """Which of these requirements (PEP 508) are not met here: those of `names`, or all. Those of extras and of other
    platforms are left out."""
    from packaging.requirements import Requirement  # takes 10 ms

    for requirement in map(Requirement, requirements):
        if names is not None and requirement.name not in names:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = _installed(requirement.name)
        if found is None and _installed(_REPLACEMENTS.get(requirement.name, requirement.name)) is not None:
            continue
        if found is None or not requirement.specifier.contains(found, prereleases=True):
            yield Mismatch(requirement.name, str(requirement.specifier), found)


@cache
def _requirements() -> tuple[str, ...]:
    """The requirements of pesearch; none if it runs from a folder without being installed."""
    try:
        return tuple(requires("pesearch") or ())
    except PackageNotFoundError:
        return ()


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
