"""Runs a target on mutated inputs, and keeps those that break a law."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from pesearch.errors import PesearchError
from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).with_name("corpus")
"""Inputs that once broke a law, by target: each is tried again by every run, and by the test suite."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that broke a law, and how."""

    target: str
    data: bytes
    error: Exception

    def keep(self) -> Path:
        """Write the input to the corpus. Its path."""
        path = CORPUS / self.target / hashlib.sha256(self.data).hexdigest()[:12]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.data)
        return path


def corpus(name: str) -> list[bytes]:
    """The kept inputs of a target, and those that it starts from."""
    kept = sorted((CORPUS / name).iterdir()) if (CORPUS / name).is_dir() else []
    return [*TARGETS[name].seeds, *(path.read_bytes() for path in kept)]


def try_input(name: str, data: bytes) -> Finding | None:
    """Check one input; a refusal in one line for the user is no finding."""
    try:
        TARGETS[name].check(data)
    except PesearchError as error:
        if len(str(error).splitlines()) != 1:
            return Finding(name, data, error)
    except Exception as error:  # noqa: BLE001 - what is searched for: kept in the finding, which is printed
        return Finding(name, data, error)
    return None


def fuzz(
    name: str, seed: int, max_inputs: int | None = None, max_seconds: float | None = None
) -> Iterator[Finding | None]:
    """Try the corpus of a target, then mutations of it: a finding or None for each input."""
    inputs, chance, started = corpus(name), random.Random(f"{name} {seed}"), time.monotonic()
    yield from (try_input(name, data) for data in inputs)
    for number in count():
        if number == max_inputs or (max_seconds is not None and time.monotonic() - started > max_seconds):
            return
        yield try_input(name, mutated(inputs, chance))
