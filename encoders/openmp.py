"""How long OpenMP's threads spin before they sleep. libgomp reads it when torch loads it."""

from __future__ import annotations

from collections.abc import MutableMapping

SPIN_COUNT = "1000"
"""libgomp's own value when more threads than CPUs run, of which it knows only its own. Its default of 300,000 takes 2.3
times the CPU time where decoding, or another program, has one of the cores."""

OWN_SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""Variables by which users choose themselves."""


def limit_spinning(environment: MutableMapping[str, str]) -> None:
    """Let idle threads sleep soon, unless the environment says otherwise. Has an effect before torch is imported."""
    if not any(name in environment for name in OWN_SETTINGS):
        environment["GOMP_SPINCOUNT"] = SPIN_COUNT
