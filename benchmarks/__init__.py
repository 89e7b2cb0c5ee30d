"""Benchmark scripts: `python -m benchmarks.NAME --help` says what each measures."""
