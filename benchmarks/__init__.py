"""Benchmark scripts: `python -m benchmarks.NAME --help` says what each measures."""

import pesearch.encoders  # noqa: F401  # its settings of OpenMP, before a script imports torch
